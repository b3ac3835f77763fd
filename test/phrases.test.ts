/** What people write instead of a line as it is printed: all of it is understood, or none of it is answered. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineOf, readLine } from '../src/desk/read-line.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { MAX_LINE_LENGTH } from '../src/question/line.ts';
import { printLine } from '../src/question/print.ts';
import { isWhoVerb, needsQuotes } from '../src/question/vocabulary.ts';
import { readTimePhrase } from '../src/trail/time-phrase.ts';
import { anyLine, anyTyped } from './support/arbitrary-line.ts';
import { fittingWords } from './support/fitting-words.ts';

const { commands } = await loadRegistry(new URL('../', import.meta.url));
/** A Saturday. */
const now = new Date('2026-11-21T09:30:20Z');
const utc = { now, timeZone: 'UTC' };
const berlin = { now, timeZone: 'Europe/Berlin' };

/** The canonical line of what was typed. */
const canonical = (typed: string, clock = utc): string => {
  const read = readLine(typed, commands, clock);
  return read ? printLine(read.line) : 'help';
};
/** The canonical line; undefined for a mistake. */
const understood = (typed: string, clock = utc): string | undefined => {
  try {
    return canonical(typed, clock);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return undefined;
  }
};

/** Times in words, and as a line prints them for a requester in UTC and in Berlin. */
const TIMES: readonly (readonly [words: string, inUtc: string, inBerlin?: string])[] = [
  ['last 2 weeks', '2w'],
  ['last two weeks', '2w'],
  ['in the last 3 days', '3d'],
  ['past 24 hours', '24h'],
  ['for the past month', '1mo'],
  ['last week', '1w'],
  ['7days', '7d'],
  ['24 hrs', '24h'],
  ['6 months', '6mo'],
  ['-24h', '24h'],
  ['6mo.', '6mo'],
  ['since 3 hours ago', '3h'],
  ['since the last 2 weeks', '2w'],
  ['since 2026-03-01', 'since 2026-03-01'],
  ['from 2026-03-01', 'since 2026-03-01'],
  ['from 2026-03-01 to now', 'since 2026-03-01'],
  ['2026-4-1', '2026-04-01'],
  ['2026/04/01', '2026-04-01'],
  ['2026-04-01 to 2026-04-03', '2026-04-01..2026-04-03'],
  ['2026-04-01 .. 2026-04-03', '2026-04-01..2026-04-03'],
  ['between 2026-04-01 and 2026-04-03', '2026-04-01..2026-04-03'],
  ['between 2026-04-28T11:54 and 2026-04-28T12:00', '2026-04-28T11:54..2026-04-28T12:00'],
  ['yesterday', 'yesterday', '2026-11-19T23:00..2026-11-20T23:00'],
  ['today', 'today', 'since 2026-11-20T23:00'],
  ['(yesterday)', 'yesterday', '2026-11-19T23:00..2026-11-20T23:00'],
  ['for yesterday', 'yesterday', '2026-11-19T23:00..2026-11-20T23:00'],
  ['since yesterday', 'since 2026-11-20', 'since 2026-11-19T23:00'],
  ['since monday', 'since 2026-11-16', 'since 2026-11-15T23:00'],
  ['Since Monday', 'since 2026-11-16', 'since 2026-11-15T23:00'],
  ['since mon', 'since 2026-11-16', 'since 2026-11-15T23:00'],
  ['on sat', '2026-11-21', '2026-11-20T23:00..2026-11-21T23:00'],
  ['on monday', '2026-11-16', '2026-11-15T23:00..2026-11-16T23:00'],
  ['saturday', '2026-11-21', '2026-11-20T23:00..2026-11-21T23:00'],
  ['last saturday', '2026-11-14', '2026-11-13T23:00..2026-11-14T23:00'],
  ['20 november', '2026-11-20', '2026-11-19T23:00..2026-11-20T23:00'],
  ['on november 20th, 2025', '2025-11-20', '2025-11-19T23:00..2025-11-20T23:00'],
  ['since 24 Dec', 'since 2025-12-24', 'since 2025-12-23T23:00'],
  ['from 1 nov to 3 nov', '2026-11-01..2026-11-03', '2026-10-31T23:00..2026-11-03T23:00'],
  ['this week', 'since 2026-11-16', 'since 2026-11-15T23:00'],
  ['from monday to wednesday', '2026-11-16..2026-11-18', '2026-11-15T23:00..2026-11-18T23:00'],
  ['between friday and monday', '2026-11-13..2026-11-16', '2026-11-12T23:00..2026-11-16T23:00'],
  ['between 10:00 and 10:05 (yesterday)', '2026-11-20T10:00..2026-11-20T10:05', '2026-11-20T09:00..2026-11-20T09:05'],
  ['yesterday between 10:00 and 10:05', '2026-11-20T10:00..2026-11-20T10:05', '2026-11-20T09:00..2026-11-20T09:05'],
  ['BETWEEN 9am AND 9:05am', '2026-11-21T09:00..2026-11-21T09:05', '2026-11-21T08:00..2026-11-21T08:05'],
  // 10:00 is still to come in UTC, and past in Berlin.
  ['between 10:00 and 10:05', '2026-11-20T10:00..2026-11-20T10:05', '2026-11-21T09:00..2026-11-21T09:05'],
  ['since 10:00', 'since 2026-11-20T10:00', 'since 2026-11-21T09:00'],
  ['10:00-10:05', '2026-11-20T10:00..2026-11-20T10:05', '2026-11-21T09:00..2026-11-21T09:05'],
  ['between 10:00 and 10:05 utc', '2026-11-20T10:00..2026-11-20T10:05'],
  ['between 23:00 and 01:00', '2026-11-20T23:00..2026-11-21T01:00', '2026-11-20T22:00..2026-11-21T00:00'],
  ['yesterday 10:00', 'around 2026-11-20T10:00 ±15m', '2026-11-20T09:00'],
  ['around noon yesterday ±1h', 'around 2026-11-20T12:00 ±1h', '2026-11-20T11:00'],
];

describe('a time in words', () => {
  test.each(TIMES)('%s is %s', (words, inUtc, inBerlin = inUtc) => {
    expect(canonical(`root-logins ${words}`)).toBe(`root-logins ${inUtc}`);
    expect(canonical(`root-logins ${words}`, berlin)).toContain(inBerlin);
    // In front of the command, among filters, and with free text too.
    expect(canonical(`${words} root-logins`)).toBe(`root-logins ${inUtc}`);
    expect(canonical(`events source:s3 ${words} reports`)).toBe(`events reports source:s3 ${inUtc}`);
  });

  test('is in summer time when that day was', () => {
    const may = { now: new Date('2026-05-02T12:00:00Z'), timeZone: 'Europe/Berlin' };
    expect(canonical('events yesterday', may)).toBe('events 2026-04-30T22:00..2026-05-01T22:00');
    const clockChange = { now: new Date('2026-03-29T12:00:00Z'), timeZone: 'Europe/Berlin' };
    expect(canonical('events today', clockChange)).toBe('events since 2026-03-28T23:00');
    expect(canonical('events between 01:00 and 04:00', clockChange)).toBe('events 2026-03-29T00:00..2026-03-29T02:00');
  });

  test.each(['root-logins 24h yesterday', 'root-logins since monday last 2 weeks', 'last week root-logins since 10:00'])(
    'is an error beside another one: %s',
    (typed) => {
      expect(() => canonical(typed)).toThrow(/^Two time ranges given/);
    },
  );

  test.each(['user "monday"', 'user "last"', 'events "since"', 'who-deleted "10:00"'])('is a name in quotes: %s', (typed) => {
    expect(canonical(typed)).toBe(typed);
  });
});

describe('a question as people write it', () => {
  test.each([
    ['root-logins please 6mo', 'root-logins 6mo'],
    ['please show me root logins for the last 3 days, thanks!', 'root-logins 3d'],
    ['can you list sign in failures yesterday?', 'signin-failures yesterday'],
    ['root-logins — 6mo', 'root-logins 6mo'],
    ['root-logins —6mo', 'root-logins 6mo'],
    ['root-logins – 6mo', 'root-logins 6mo'],
    ['root-logins: 6mo', 'root-logins 6mo'],
    ['root-logins, 6mo', 'root-logins 6mo'],
    ['denied: 7d', 'denied 7d'],
    ['• root-logins 6mo', 'root-logins 6mo'],
    ['- root-logins 6mo', 'root-logins 6mo'],
    ['1. root-logins 6mo', 'root-logins 6mo'],
    ['&gt; root-logins 6mo', 'root-logins 6mo'],
    ['*root-logins 6mo*', 'root-logins 6mo'],
    ['*root-logins* 6mo', 'root-logins 6mo'],
    ['_root-logins_ 6mo', 'root-logins 6mo'],
    ['root-logins *6mo*', 'root-logins 6mo'],
    ['root-logins *last 2 weeks* please', 'root-logins 2w'],
    ['who deleted *orders-db* _yesterday_', 'who-deleted orders-db yesterday'],
    ['who *Delete*', 'who "*Delete*"'],
    ['user _build_', 'user "_build_"'],
    ['*root-logins user:maria*', 'root-logins user:maria'],
    ['events *foo event:Delete*', 'events "*foo" event:Delete*'],
    ['root-logins 6mo?', 'root-logins 6mo'],
    ['ROOT LOGINS 6MO', 'root-logins 6mo'],
    ['root_logins', 'root-logins'],
    ['rootlogins', 'root-logins'],
    ['trail root-logins', 'root-logins'],
    ['trail: root-logins 6mo', 'root-logins 6mo'],
    ['root-logins 6mo :pray: 🙏', 'root-logins 6mo'],
    ['trail', 'help'],
    ['trail tampering 30d', 'trail-tampering 30d'],
    ['7d root-logins', 'root-logins 7d'],
    ['7d', 'events 7d'],
    ['source:s3 denied 7d', 'denied source:s3 7d'],
    ['who deleted example-reports', 'who-deleted example-reports'],
    ['Who deleted the example-reports?', 'who-deleted example-reports'],
    ['who made orders-db', 'who-created orders-db'],
    ['who launched i-0abc', 'who-started i-0abc'],
    ['who PutRolePolicy on orders-api-role', 'who PutRolePolicy orders-api-role'],
    ['who Delete*', 'who Delete*'],
    ['history of orders-db', 'history orders-db'],
    ['help root logins', 'help'],
    ['i-0abc since monday', 'who-started i-0abc since 2026-11-16'],
  ])('%s is %s', (typed, line) => {
    expect(canonical(typed)).toBe(line);
    expect(canonical(line)).toBe(line);
  });

  test.each([
    ['a verb after “who”', 'who "deleted"'],
    ['a courtesy', 'user "please"'],
    ['an article', 'who-deleted "the"'],
    ['a short name', 'user a'],
    ['a name like the short form of a day', 'user sun 7d'],
    ['a name like a month', 'user "april" 7d'],
    ['a wildcard at the end of a filter', 'events event:Delete?'],
    ['a kind of resource', 'who-deleted bucket'],
    ['a negative filter', 'events -user:maria'],
  ])('keeps what may be meant: %s', (_, line) => {
    expect(canonical(line)).toBe(line);
  });

  test('has a verb for every command that starts with “who-”', () => {
    for (const name of commands.keys())
      if (name.startsWith('who-')) expect({ name, isKnown: isWhoVerb(name.slice(4)) }).toEqual({ name, isKnown: true });
  });
});

describe('every line', () => {
  const lineName = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...commands.keys()) },
    { weight: 1, arbitrary: fc.constantFrom('who', 'help', 'trail', 'show') },
  );

  test('is the same line when it is printed and read again', () => {
    const line = fc.tuple(anyLine, lineName).map(([each, name]) => {
      const places = Object.keys(commands.get(name)?.words ?? {}).filter((key) => key !== 'all').length;
      return { ...each, name, words: commands.get(name)?.freeText ? each.words : each.words.slice(0, places) };
    });
    fc.assert(
      fc.property(line, fc.constantFrom(utc, berlin), (each, clock) => {
        const window = each.window?.kind === 'today' || each.window?.kind === 'yesterday' ? undefined : each.window;
        const { window: _, ...rest } = each;
        const plain = { ...rest, ...(window && { window }) };
        // A printed line can be longer than any that is read: it writes unusual characters as escapes.
        fc.pre(printLine(plain).length <= MAX_LINE_LENGTH);
        expect(lineOf(printLine(plain), commands, clock)).toEqual(plain);
      }),
      { numRuns: 2000 },
    );
  });

  test('that is answered is the same question when its printed form is read again, whatever was typed', () => {
    const spoken = fc.constantFrom(
      'please',
      'the',
      'by',
      'since',
      'monday',
      'last',
      '2',
      'weeks',
      'between',
      '10:00',
      'and',
      '—',
      '•',
      '?',
      'who',
      'deleted',
      'root',
      'logins',
    );
    const typed = fc.array(fc.oneof(anyTyped, spoken, lineName), { maxLength: 6 }).map((words) => words.join(' '));
    let answered = 0;
    fc.assert(
      fc.property(typed, fc.constantFrom(utc, berlin), (text, clock) => {
        const line = understood(text, clock);
        if (line === undefined) return;
        answered += 1;
        expect(canonical(line, clock)).toBe(line);
      }),
      { numRuns: 2000 },
    );
    expect(answered).toBeGreaterThan(200);
  });

  test('in everyday words is the same question as its plain form', () => {
    const [before, after] = [
      fc.constantFrom('', 'please', 'show me', 'hey trail', '•', '- can you give me', '1.'),
      fc.constantFrom('', 'please', '?', 'thanks!', '—'),
    ];
    const named = fc.constantFrom(
      ['root logins', 'root-logins'],
      ['who deleted orders-db', 'who-deleted orders-db'],
      ['DENIED', 'denied'],
      ['sign in failures', 'signin-failures'],
    );
    fc.assert(
      fc.property(
        before,
        named,
        fc.constantFrom(...TIMES),
        after,
        fc.boolean(),
        (lead, [words = '', plain = ''], [time, printed], end, isTimeFirst) => {
          const question = isTimeFirst ? `${time} ${words}` : `${words} ${time}`;
          expect(canonical(`${lead} ${question} ${end}`)).toBe(`${plain} ${printed}`);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('with a word that is not understood is refused, with a line that can be asked', () => {
    const closed = [...commands].filter(([, { freeText }]) => !freeText);
    const word = fc.oneof(
      fc.stringMatching(/^[a-z]{3,12}$/),
      fc.stringMatching(/^[a-z]{2,6}[-_.][a-z0-9]{1,6}$/),
      fc.constantFrom('198.51.100.7', 'eu-west-1', 'alice@example.com', '42', 'tonight'),
    );
    const isUnknown = (text: string): boolean => !needsQuotes(text) && !readTimePhrase([text], utc) && !commands.has(text) && text !== 'all';
    fc.assert(
      fc.property(
        fc.constantFrom(...closed),
        word.filter(isUnknown),
        fc.constantFrom('', '7d', 'since monday'),
        fc.boolean(),
        ([name, command], text, time, isLast) => {
          const full = fittingWords(command);
          const line = [name, ...full, ...(isLast ? [time, text] : [text, time])].join(' ');
          const error = catchError(() => canonical(line));
          expect({ line, error }).toEqual({ line, error: expect.any(UserError) });
          const { message, suggestion } = error as UserError;
          expect(message).toContain(text);
          expect(understood(suggestion ?? '')).toBe(suggestion);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('says which commands take free text', () => {
    expect([...commands].filter(([, { freeText }]) => freeText).map(([name]) => name)).toEqual(['count', 'events']);
  });
});

function catchError(attempt: () => unknown): unknown {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error;
  }
}

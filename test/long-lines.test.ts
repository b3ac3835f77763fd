/** A line is read while nobody else is answered: it is short, and the work for it grows no faster than its length. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { readLine } from '../src/desk/read-line.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { UserError } from '../src/errors.ts';
import { MAX_LINE_LENGTH } from '../src/question/line.ts';
import { parseLine } from '../src/question/parse.ts';
import { questionIn } from '../src/slack/mention.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { workOf } from './support/work.ts';

const { commands, reports } = await loadRegistry(new URL('../', import.meta.url));
const clock = { now: new Date('2026-11-21T09:30:20Z'), timeZone: 'Europe/Berlin' };
const asking = { now: clock.now, signal: new AbortController().signal };

function refusalOf(text: string): UserError | undefined {
  try {
    readLine(text, commands, clock);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  }
}

describe('a line that is too long', () => {
  const tooLong = `events ${'secret '.repeat(400)}`;
  const refusal =
    'A question has at most 2,000 characters, and this one has 2,806. Ask about fewer names at once, or use the beginning of a name followed by *.';
  /** Fails every question that gets as far as a query. */
  const engine = { extent: async () => expect.fail('asked the engine') } as unknown as QueryEngine;

  test('is refused with the limit and what to do, and is not repeated', async () => {
    expect(() => parseLine(tooLong)).toThrow(refusal);
    await expect(openDesk({ commands, reports }, engine).answer(tooLong, asking)).rejects.toMatchObject({ name: 'UserError', message: refusal });
    await expect(openDesk({ commands, reports }, engine).answer(`save long: ${tooLong}`, asking)).rejects.toThrow('at most 2,000 characters');
  });

  test('is refused when only the saved question makes it so', async () => {
    const lines: Readonly<Record<string, string>> = { wide: `events ${'x'.repeat(1900)}`, edited: 'x'.repeat(1_000_000) };
    const files = openVersionMemory();
    for (const [name, line] of Object.entries(lines)) await files.add(name, 0, { line, by: null, at: '2026-11-01T00:00:00Z' });
    const saved = openSavedQuestions(files);
    const desk = openDesk({ commands, reports }, engine, { saved });
    await expect(desk.answer(`wide ${'y'.repeat(200)}`, asking)).rejects.toThrow('at most 2,000 characters');
    await expect(desk.answer('edited', asking)).rejects.toThrow('at most 2,000 characters');
  });

  test('is not one that has blanks around it, or exactly the limit', () => {
    const line = `events ${'x'.repeat(MAX_LINE_LENGTH - 7)}`;
    expect(parseLine(`${' '.repeat(5000)}${line}\n\n`)).toMatchObject({ name: 'events', words: ['x'.repeat(MAX_LINE_LENGTH - 7)] });
    expect(() => parseLine(`${line}x`)).toThrow('at most 2,000 characters');
  });
});

describe('a line with too much in it', () => {
  test.each([
    [`events ${'('.repeat(900)}user:x${')'.repeat(900)}`, 'More than 20 parentheses are inside one another. Use fewer, or two questions.'],
    [`events ${'('.repeat(1900)}`, 'More than 20 parentheses are inside one another. Use fewer, or two questions.'],
    [`events user:${'a,'.repeat(101)}`, 'A question takes at most 100 words and values of filters, and this one has 101. Ask about fewer at once.'],
    [
      `events ${'a '.repeat(60)}${'user:b '.repeat(60)}`,
      'A question takes at most 100 words and values of filters, and this one has 120. Ask about fewer at once.',
    ],
    [`events by:${Array.from({ length: 11 }, (_, i) => `tlsDetails.a${i}`).join(',')}`, '“by:” takes at most 10 fields.'],
  ])('is refused with a sentence: %#', (line, message) => {
    expect(refusalOf(line)?.message).toBe(message);
  });

  test('is read up to these limits', () => {
    expect(refusalOf(`events ${'('.repeat(20)}user:x${')'.repeat(20)}`)).toBeUndefined();
    expect(refusalOf(`events user:${'a,'.repeat(100)}`)).toBeUndefined();
  });
});

describe('a line with many mistakes', () => {
  test.each([
    ['misspelt fields', `events ${'usr:x '.repeat(50)}7d`, 'events user:x 7d'],
    ['a misspelt field before parentheses', `events sorce:(s3 OR kms) -usr:(a b) 7d`, 'events source:s3,kms -(user:a user:b) 7d'],
    ['open parentheses', `events ${'(source:s3 OR '.repeat(15)}user:x 7d`, undefined],
    ['closing parentheses', `events user:x${')'.repeat(40)} 7d`, 'events user:x 7d'],
    ['times', `events ${'24h '.repeat(40)}`, 'events 24h'],
    ['words of times', `events user:x ${'since '.repeat(40)}`, 'events user:x'],
    ['values', `events outcome:${'denyd,'.repeat(20)}ok 7d`, undefined],
  ])('gets the line with all of them corrected: %s', (_, typed, meant) => {
    const suggestion = refusalOf(typed)?.suggestion;
    expect(suggestion).toBeDefined();
    expect(refusalOf(suggestion ?? '')).toBeUndefined();
    if (meant !== undefined) expect(suggestion).toBe(meant);
  });
});

/** What a hostile line repeats. */
const UNITS = [
  ...[
    '(',
    ')',
    '-(',
    '(a ',
    'a) ',
    '(7d) ',
    'event:(',
    'event:(A OR B) ',
    'sorce:(a ',
    '"',
    "'",
    "'a ",
    ':',
    ',',
    '-',
    '- ',
    ' -a',
    '.',
    '|',
    '?',
    '!',
    '*',
    '_',
    '~',
    '`',
  ],
  ...[
    'a ',
    'x',
    '7 ',
    '1',
    '*a ',
    '*a* ',
    '*a b* ',
    '_a ',
    'the ',
    'we ',
    'show 7d ',
    'please ',
    'by a ',
    'from x ',
    'AND ',
    'OR ',
    'NOT ',
    'a OR ',
    'AND NOT a ',
  ],
  ...[
    'since ',
    'between ',
    'last ',
    'last week ',
    'monday ',
    'at 10:00 ',
    '24h ',
    '24h and ',
    '2026-02-30 ',
    '2026-11-01.. ',
    '10:00-',
    '[a TO b] ',
    'time:[* TO ',
    'time:>1 ',
  ],
  ...[
    'usr:x ',
    'user:x ',
    'user:x,',
    'kind:a ',
    'by:usr ',
    'by:a,',
    'top:1 ',
    'top:9',
    'every:7m ',
    'cols:a,',
    'requestParameters.a:*x* ',
    'requestParameters',
    '.a',
    '[0]',
    '."a b"',
  ],
  ...[
    'a.b@',
    '@.',
    'arn:aws:',
    'i-0abc ',
    '10.0.0.1,',
    '::',
    '<mailto:',
    '<mailto:a|',
    '<@U1|',
    '<https://a|',
    '&amp;',
    '\\u{41}',
    ':-',
    ':a:',
    ':+',
    '—',
    ' — ',
    '…',
    '😀',
    '\ud800',
    'é ',
    '\u200b',
    '\n',
  ],
  ...['root ', 'evnts ', 'who ', 'who deleted ', 'save a: ', 'root-week '],
];
const HEADS = ['', 'events ', 'who-deleted ', 'events by:', 'event:('];

/** The work for one character of a line of `length` that repeats `unit`. */
function workPerCharacter(head: string, unit: string, length: number): number {
  const line = `${head}${unit.repeat(Math.floor((length - head.length) / unit.length))}`;
  return workOf(() => void refusalOf(line)) / line.length;
}

/**
 * The work is counted, not timed: see `workOf`. If it grew with the square of the length, twice the characters would take twice the work
 * each. A few steps more for a longer line are no growth: some mistakes need a second reading.
 */
function expectLinear(head: string, unit: string): void {
  const shorter = Math.max(...[500, 1000].map((length) => workPerCharacter(head, unit, length)));
  const longest = workPerCharacter(head, unit, MAX_LINE_LENGTH);
  expect({ head, unit, growth: longest > 1.5 * shorter ? longest / shorter : 1 }).toEqual({ head, unit, growth: 1 });
  expect(longest).toBeLessThan(6000);
}

describe('the work for a line', () => {
  refusalOf('events source:s3 7d');

  test.each(HEADS)('grows no faster than its length, whatever is repeated after “%s”', (head) => {
    for (const unit of UNITS) expectLinear(head, unit);
  });

  test('grows no faster than its length, whatever is repeated', () => {
    const unit = fc.array(
      fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...UNITS) }, { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 4 }) }),
      {
        minLength: 2,
        maxLength: 5,
      },
    );
    fc.assert(
      fc.property(fc.constantFrom(...HEADS), unit, (head, units) => expectLinear(head, units.join(''))),
      // Always the same lines: the most work for a character differs from one random line to another.
      { numRuns: 25, seed: 11 },
    );
  });

  test('would be noticed if it grew with the square', () => {
    const square = (length: number): number => workOf(() => Array.from({ length }, (_, i) => 'x'.repeat(length).slice(i))) / length;
    expect(square(2000)).toBeGreaterThan(1.9 * square(1000));
  });

  test('of finding the question in a message grows no faster than the message', () => {
    for (const unit of ['<@UBOT', '<@UBOT|', '<@UBOT> ', '*', '*a', '- ', '—', ' ', 'a ']) {
      const perCharacter = (length: number): number => {
        const text = unit.repeat(length / unit.length);
        return workOf(() => void questionIn('UBOT', text)) / text.length;
      };
      expect(perCharacter(40_000), unit).toBeLessThan(1.2 * perCharacter(20_000));
    }
  });
});

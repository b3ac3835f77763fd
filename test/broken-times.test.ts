/** What looks like a time and is none is never a name, and a filter on the time is the time of the question. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLine } from '../src/desk/read-line.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { printLine } from '../src/question/print.ts';
import { isoSecond } from '../src/trail/events.ts';
import { parseTimeRange } from '../src/trail/filter.ts';
import { pin, windowOfRange } from '../src/trail/time-window.ts';
import { anyWindow } from './support/arbitrary-line.ts';
import { record, trailOf } from './support/trail-folder.ts';

const { commands } = await loadRegistry(new URL('../', import.meta.url));
const clock = { now: new Date('2026-11-21T09:30:20Z'), timeZone: 'UTC' };

function read(typed: string): { readonly line?: string; readonly message?: string; readonly suggestion?: string | undefined } {
  try {
    const found = readLine(typed, commands, clock);
    return { line: found ? printLine(found.line) : 'help' };
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    const { message, suggestion } = error as UserError;
    return { message, suggestion };
  }
}

const [DAY, LENGTH] = ['Write a day as 2026-10-19.', 'Write a length of time as 90m, 24h, 7d or 6mo.'];
const RANGE = 'Write a range as 2026-10-19..2026-10-21, or since 2026-10-19.';

describe('what looks like a time and is none', () => {
  test.each([
    ['2026-02-30', `February 2026 has 28 days. ${DAY}`, undefined],
    ['2026-10-32', `October 2026 has 31 days. ${DAY}`, undefined],
    ['2026-13-41', `There is no month 13. ${DAY}`, undefined],
    ['2026-19-10', DAY, '2026-10-19'],
    ['2026.10.19', DAY, '2026-10-19'],
    ['10/19/2026', DAY, '2026-10-19'],
    ['19/10/2026', DAY, '2026-10-19'],
    ['10/19/26', DAY, '2026-10-19'],
    ['10-19-2026', DAY, '2026-10-19'],
    ['19.10.2026', DAY, '2026-10-19'],
    ['9.10.2026', DAY, '2026-10-09'],
    ['10/11/2026', `It may be 2026-11-10 or 2026-10-11. ${DAY}`, undefined],
    ['2026-10', DAY, '2026-10-01..2026-10-31'],
    ['2026-02-30..2026-03-02', `February 2026 has 28 days. ${DAY}`, undefined],
    ['10/19/2026..10/20/2026', DAY, '2026-10-19..2026-10-20'],
    ['2026-04-20..', RANGE, 'since 2026-04-20'],
    ['2026-04-20T11:54…', RANGE, 'since 2026-04-20T11:54'],
    ['2026-04-20..now', RANGE, 'since 2026-04-20'],
    ['..2026-04-20', RANGE, '2013-01-01..2026-04-20'],
    ['2026-04-20-2026-05-02', RANGE, '2026-04-20..2026-05-02'],
    ['2026-04-20T11:54/2026-04-20T12:00', RANGE, '2026-04-20T11:54..2026-04-20T12:00'],
    ['october 2026', DAY, '2026-10-01..2026-10-31'],
    ['2026/10', DAY, '2026-10-01..2026-10-31'],
    ['1.5 days', LENGTH, '36h'],
    ['2026-05-02..2026-04-20', 'The end is before the start, or is no time.', '2026-04-20..2026-05-02'],
    ['2026-04-28T11:54:07.123Z', 'Write an instant as 2026-10-19T13:45, in UTC.', '2026-04-28T11:54:07'],
    ['2026-04-28T11:54:07+02:00', 'Write an instant as 2026-10-19T13:45, in UTC.', '2026-04-28T09:54:07'],
    ['2026-04-28T25:00', 'Write an instant as 2026-10-19T13:45, in UTC.', undefined],
    ['13:75', 'Write a time of day as 13:45 or 1:45pm.', undefined],
    ['25:00', 'Write a time of day as 13:45 or 1:45pm.', undefined],
    ['24h30', LENGTH, '1470m'],
    ['1h30m', LENGTH, '90m'],
    ['1d12h', LENGTH, '36h'],
    ['1.5h', LENGTH, '90m'],
    ['0.5d', LENGTH, '12h'],
    ['7 dayz', LENGTH, '7d'],
    ['7dayz', LENGTH, '7d'],
    ['0d', `It has no length. ${LENGTH}`, undefined],
    ['12345d', `It is too long. ${LENGTH}`, undefined],
    ['90s', LENGTH, undefined],
  ])('is an error with the right form, and with the line where only one can be meant: %s', (text, why, meant) => {
    const message = `“${text}” is not a time. ${why} If it is a name or a text to search for, put it in quotes.`;
    for (const name of ['events', 'root-logins', 'denied source:s3'])
      expect({ name, ...read(`${name} ${text}`) }).toEqual({ name, message, suggestion: meant && `${name} ${meant}` });
    expect(read(text)).toEqual({ message, suggestion: meant && `events ${meant}` });
    expect(read(`since ${text}`).line).toBeUndefined();
    expect(read(`${text} root-logins`).message).toBe(message);
  });

  test.each([
    ['2026-1-5', '2026-01-05'],
    ['30days', '30d'],
    ['-7d', '7d'],
    ['since 2026-04-20,', 'since 2026-04-20'],
    ['2024-02-29', '2024-02-29'],
  ])('is not what can be understood: %s', (typed, window) => {
    expect(read(`events ${typed}`).line).toBe(`events ${window}`);
  });

  test.each([
    'events "2026-02-30"',
    'events "10/19/2026" "1.5h"',
    'events "7" "dayz"',
    'who-deleted "0d"',
    'events backup-2026-02-30',
    'events 1.2.3 10.0.0.1',
    'events agent:1.5h',
  ])('is a text in quotes, and within a name: %s', (typed) => {
    const { line } = read(typed);
    expect(line).toBeDefined();
    expect(read(line ?? '').line).toBe(line);
  });

  test('is a range with a mark after it, as in a sentence', () => {
    expect(read('events 2026-04-20..2026-05-02, user:x').suggestion).toBe('events user:x 2026-04-20..2026-05-02');
    expect(read('events 2026-04-20..2026-05-02.').suggestion).toBe('events 2026-04-20..2026-05-02');
  });

  test('keeps a “since” before a range without an end', () => {
    expect(read('events since 2026-04-20..').suggestion).toBe('events since 2026-04-20');
  });

  test('is not a name that begins with two days', () => {
    expect(read('history 2026-11-05-2026-11-07-dump').line).toBe('history 2026-11-05-2026-11-07-dump');
  });

  test('is an error in a filter too', () => {
    expect(read('events time:2026-02-30')).toEqual({
      message: `“time:2026-02-30” cannot be compared. February 2026 has 28 days. ${DAY}`,
      suggestion: undefined,
    });
    expect(read('events time:10/19/2026')).toEqual({ message: `“time:10/19/2026” cannot be compared. ${DAY}`, suggestion: 'events time:2026-10-19' });
    expect(read('events eventTime:[2026-02-30 TO *]').message).toMatch(/^“time:2026-02-30[.][.][*]” cannot be compared[.] February/);
    expect(read('events time:>2026-02-30').message).toMatch(/^“time:>2026-02-30” cannot be compared[.]/);
  });
});

describe('a filter on the time', () => {
  test.each([
    ['events time:2026-04-20..2026-05-02', 'events 2026-04-20..2026-05-02'],
    ['events eventTime:[2026-04-20 TO 2026-05-02T12:00}', 'events 2026-04-20T00:00..2026-05-02T12:00'],
    ['events time:2026-04-20T11:54 user:x', 'events user:x 2026-04-20T11:54'],
    ['count time:>2026-11-18', 'count since 2026-11-19'],
    ['root-logins time:<2026-11-18', 'root-logins 2013-01-01..2026-11-17'],
    ['events time:>=2026-11-18 time:<2026-11-20', 'events 2026-11-18..2026-11-19'],
    ['who-started i-0abc time:2026-04-20', 'who-started i-0abc 2026-04-20'],
    // With a time beside it, it is one more condition.
    ['events time:2026-04-20 90d', 'events time:2026-04-20 90d'],
    ['events -time:2026-04-20', 'events -time:2026-04-20'],
    ['events -(time:2026-04-20 user:x)', 'events -(time:2026-04-20 user:x)'],
    ['events time:2026-11-21T01:00,2026-11-21T02:00', 'events time:2026-11-21T01:00,2026-11-21T02:00'],
    ['events time:2026-04-20,2026-04-22 1y', 'events time:2026-04-20,2026-04-22 1y'],
  ])('%s is %s', (typed, line) => {
    expect(read(typed)).toEqual({ line });
    expect(read(line)).toEqual({ line });
  });

  test.each([
    ['events time:2026-04-20,2026-04-22', '2026-04-20', 'events time:2026-04-20,2026-04-22 2026-04-20..2026-04-22'],
    ['events (time:2026-04-20 OR user:x)', '2026-04-20', 'events (time:2026-04-20 OR user:x) 2026-04-20'],
    ['events time:2026-04-2*', '2026-04-2*', undefined],
  ])('that is not searched is an error with the time to search: %s', (typed, shown, suggestion) => {
    const message = `“time:${shown}” goes beyond the time that is searched, which is 24h. Add a time that includes it, such as 2026-04-20..2026-05-02 or 30d.`;
    expect(read(typed)).toEqual({ message, suggestion });
    if (suggestion) expect(read(suggestion)).toEqual({ line: suggestion });
  });

  test('bounds the days that are read, and an empty answer names its time', async () => {
    await using open = await trailOf(record());
    const days: unknown[] = [];
    const { answer } = open.desk;
    const asking = {
      now: new Date('2026-05-02T00:00:00Z'),
      signal: new AbortController().signal,
      onQuery: ({ values }: { values: readonly unknown[] }) => days.push(values.slice(0, 2)),
    };
    expect((await answer('events time:2026-05-01', asking)).table?.rows).toHaveLength(1);
    expect(days).toEqual([['2026/05/01', '2026/05/02']]);
    expect((await answer('events eventTime:[2026-02-04 TO 2026-02-05]', asking)).data).toMatchObject({
      searched: { from: '2026-02-04T00:00:00Z', to: '2026-02-06T00:00:00Z' },
    });
  });

  test('as a window is the same range, whatever the range', () => {
    fc.assert(
      fc.property(anyWindow, (window) => {
        const range = pin(window, new Date('2036-01-01T00:00:01Z'));
        const again = pin(windowOfRange(range), range.to);
        expect([again.from, again.to].map(isoSecond)).toEqual([range.from, range.to].map(isoSecond));
      }),
    );
    expect(parseTimeRange('2026-04-20')).toEqual({ from: new Date('2026-04-20'), to: new Date('2026-04-21') });
  });
});

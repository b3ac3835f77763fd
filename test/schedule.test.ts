/** When patterns of cron are due. Times on days on which clocks change are in test/clock.test.ts too, as reports. */
import { describe, expect, it } from 'vitest';
import { dueTimes } from '../src/trail/schedule.ts';

const due = (pattern: string, after: string, until: string, timeZone = 'UTC') =>
  dueTimes(pattern, timeZone, new Date(after), new Date(until)).map((at) => at.toISOString().slice(0, 16));

describe('a schedule', () => {
  it.each([
    ['at one time a day', '0 8 * * *', ['2026-11-20T08:00', '2026-11-21T08:00', '2026-11-22T08:00']],
    ['on weekdays', '0 8 * * 1-5', ['2026-11-20T08:00']],
    ['on Sundays, as 0', '0 8 * * 0', ['2026-11-22T08:00']],
    ['on Sundays, as 7', '0 8 * * 7', ['2026-11-22T08:00']],
    ['in steps', '*/20 5-6 21 11 *', ['05:00', '05:20', '05:40', '06:00', '06:20', '06:40'].map((time) => `2026-11-21T${time}`)],
    ['in steps from a value', '50/5 5 21 * *', ['2026-11-21T05:50', '2026-11-21T05:55']],
    ['in a list', '0 6,18 22 * *', ['2026-11-22T06:00', '2026-11-22T18:00']],
    ['on a day of the month or a weekday', '0 8 20 * 0', ['2026-11-20T08:00', '2026-11-22T08:00']],
    ['in another month', '0 8 * 12 *', []],
  ])('is due %s', (_, pattern, times) => {
    expect(due(pattern, '2026-11-20T00:00:00Z', '2026-11-22T23:59:00Z')).toEqual(times);
  });

  it('has no slot at the beginning of a window, and one at its end', () => {
    expect(due('0 8 * * *', '2026-11-20T08:00:00Z', '2026-11-21T08:00:00Z')).toEqual(['2026-11-21T08:00']);
    expect(due('0 8 * * *', '2026-11-21T08:00:00Z', '2026-11-20T08:00:00Z')).toEqual([]);
  });

  it('is due at the hour of its zone', () => {
    expect(due('0 8 * * *', '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z', 'Asia/Kolkata')).toEqual(['2026-11-20T02:30']);
    expect(due('0 8 * * *', '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z', 'Pacific/Kiritimati')).toEqual(['2026-11-20T18:00']);
  });

  it('is due later at a time that clocks skip, and at the first of two', () => {
    expect(due('30 2 * * *', '2027-03-28T00:00:00Z', '2027-03-28T06:00:00Z', 'Europe/Berlin')).toEqual(['2027-03-28T01:30']);
    expect(due('30 2 * * *', '2027-10-31T00:00:00Z', '2027-10-31T06:00:00Z', 'Europe/Berlin')).toEqual(['2027-10-31T00:30']);
    // Samoa had no December 30, 2011.
    expect(due('0 8 * * *', '2011-12-29T11:00:00Z', '2011-12-31T11:00:00Z', 'Pacific/Apia')).toEqual(['2011-12-29T18:00', '2011-12-30T18:00']);
  });

  it('that is due each hour is due in both of the hours that clocks repeat', () => {
    expect(due('0 * * * *', '2027-10-30T23:30:00Z', '2027-10-31T02:00:00Z', 'Europe/Berlin')).toEqual([
      '2027-10-31T00:00',
      '2027-10-31T01:00',
      '2027-10-31T02:00',
    ]);
  });

  it.each([
    '0 8 * *',
    '0 8 * * * *',
    '@daily',
    '60 8 * * *',
    '0 24 * * *',
    '0 8 0 * *',
    '0 8 * 13 *',
    '0 8 * * 8',
    '5-1 8 * * *',
    '*/0 * * * *',
    'a 8 * * *',
  ])('is refused when it cannot be read: %s', (pattern) => {
    expect(() => due(pattern, '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z')).toThrow(`The schedule “${pattern}” `);
  });
});

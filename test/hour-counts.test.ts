/** Counts of hours in digests: what they remember, and what is unusual in a day. */
import { describe, expect, test } from 'vitest';
import { DENIED, type HourCount, type HourCounts, recentHours, unusualHours, withHours } from '../src/answer/digest/hour-counts.ts';
import { DAY_MS } from '../src/trail/time-window.ts';

const START = Date.parse('2026-10-01T00:00:00Z');
const dayOf = (n: number) => ({ from: new Date(START + n * DAY_MS), to: new Date(START + (n + 1) * DAY_MS) });

/** A day of a service that has 40 calls an hour in office hours and 10 at other times, but for what `changed` says of an hour. */
function hoursOf(n: number, changed: (hour: number) => number | undefined = () => undefined): HourCount[] {
  return Array.from({ length: 24 }, (_, hour) => ({
    name: 'ec2.amazonaws.com',
    hour: new Date(START + n * DAY_MS + hour * 3_600_000).toISOString().slice(0, 13),
    events: changed(hour) ?? (hour >= 8 && hour < 18 ? 40 : 10),
  }));
}

function remembered(days: number, more: (n: number) => readonly HourCount[] = () => []): HourCounts {
  let counts: HourCounts = {};
  for (let n = 0; n < days; n += 1) counts = recentHours(withHours(counts, [...hoursOf(n), ...more(n)], dayOf(n)), dayOf(n).to);
  return counts;
}

const found = async (counts: HourCounts, n: number, timeZone = 'UTC') =>
  (await unusualHours(counts, dayOf(n), timeZone)).map(({ name, direction, from, to, actual }) => ({ name, direction, from, to, actual }));

describe('Hours of a day', () => {
  test('are compared with those of the weeks before, however they were learned', async () => {
    const day = hoursOf(28, (hour) => (hour === 3 ? 400 : undefined));
    const expected = [{ name: 'ec2.amazonaws.com', direction: 'above', from: '2026-10-29T03:00:00Z', to: '2026-10-29T04:00:00Z', actual: 400 }];
    expect(await found(withHours(remembered(28), day, dayOf(28)), 28)).toEqual(expected);
    const atOnce = withHours({}, Array.from({ length: 28 }, (_, n) => hoursOf(n)).flat(), { from: dayOf(0).from, to: dayOf(27).to });
    expect(await found(withHours(atOnce, day, dayOf(28)), 28)).toEqual(expected);
  });

  test('that are usual, a little more, or few, are nothing', async () => {
    for (const changed of [() => undefined, (hour: number) => (hour === 3 ? 25 : undefined), (hour: number) => (hour === 10 ? 80 : undefined)])
      expect(await found(withHours(remembered(28), hoursOf(28, changed), dayOf(28)), 28)).toEqual([]);
  });

  test('without events where many are usual are below', async () => {
    const counts = withHours(
      remembered(28),
      hoursOf(28, (hour) => (hour >= 9 && hour < 15 ? 0 : undefined)),
      dayOf(28),
    );
    expect(await found(counts, 28)).toEqual([
      { name: 'ec2.amazonaws.com', direction: 'below', from: '2026-10-29T09:00:00Z', to: '2026-10-29T15:00:00Z', actual: 0 },
    ]);
  });

  test('of a service that has none otherwise, and of what is denied, are above', async () => {
    const spike = { hour: '2026-10-29T05', events: 90 };
    const day = [...hoursOf(28), { name: 'iam.amazonaws.com', ...spike }, { name: DENIED, ...spike }];
    expect((await found(withHours(remembered(28), day, dayOf(28)), 28)).map(({ name, actual }) => [name, actual])).toEqual([
      [DENIED, 90],
      ['iam.amazonaws.com', 90],
    ]);
  });

  test('of days without a report are not known, and no drop', async () => {
    let counts = remembered(20);
    counts = withHours(counts, hoursOf(24), dayOf(24));
    expect(counts['']?.['2026-10-22']).toBeUndefined();
    expect(await found(withHours(counts, hoursOf(25), dayOf(25)), 25)).toEqual([]);
  });

  test('that two local days share are added up', async () => {
    const half = { from: new Date('2026-10-01T18:30:00Z'), to: new Date('2026-10-02T18:30:00Z') };
    const next = { from: half.to, to: new Date('2026-10-03T18:30:00Z') };
    const one = [{ name: 'ec2.amazonaws.com', hour: '2026-10-02T18', events: 5 }];
    const counts = withHours(withHours({}, one, half), one, next);
    expect(counts['ec2.amazonaws.com']?.['2026-10-02']?.[18]).toBe(10);
  });

  test('are remembered for six weeks, of services with events worth comparing', async () => {
    const counts = remembered(60, (n) => (n === 50 ? [{ name: 'rare.amazonaws.com', hour: '2026-11-20T10', events: 3 }] : []));
    expect(Object.keys(counts).sort()).toEqual(['', 'ec2.amazonaws.com']);
    expect(Object.keys(counts[''] ?? {}).sort()[0]).toBe('2026-10-19');
  });

  test('are unknown at first, and never judged by a day or two', async () => {
    expect(await found(withHours(remembered(0), hoursOf(0), dayOf(0)), 0)).toEqual([]);
    expect(
      await found(
        withHours(
          remembered(1),
          hoursOf(1, () => 4000),
          dayOf(1),
        ),
        1,
      ),
    ).toEqual([]);
  });
});

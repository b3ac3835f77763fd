import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomFor } from '../sample/random.ts';
import { type Band, bandsOf, deviationsOutside } from '../src/analysis/band.ts';
import { alarmsOf, bandedSeries, type Episode, episodesOf } from '../src/analysis/outside-band.ts';
import type { CountSeries } from '../src/analysis/season.ts';

const HOUR_MS = 3_600_000;
const DAY = 24;
/** A Monday. */
const START = new Date('2026-01-05T00:00:00Z');
const UTC = { timeZone: 'UTC' };

type Rate = (hour: number) => number;

/** Counts of hours by chance, at the rate of each hour. The same in every run. */
function hourly(days: number, rate: Rate, { from = START, seed = 2 } = {}): CountSeries {
  const random = randomFor('band.test', seed);
  const counts = Array.from({ length: days * DAY }, (_, hour) => {
    let count = 0;
    for (let product = random.next(); product > Math.exp(-rate(hour)); count += 1) product *= random.next();
    return count;
  });
  return { from, intervalMs: HOUR_MS, counts };
}

const isWorkday = (hour: number): boolean => Math.floor(hour / DAY) % 7 < 5;
const isOffice = (hour: number): boolean => isWorkday(hour) && hour % DAY >= 8 && hour % DAY < 18;
const office: Rate = (hour) => (isOffice(hour) ? 60 : 4);

/** A series with other counts in some hours. */
const withCounts = (series: CountSeries, change: (hour: number, count: number | undefined) => number | undefined): CountSeries => ({
  ...series,
  counts: series.counts.map((count, hour) => change(hour, count)),
});

const outsideIn = (series: CountSeries, bands: readonly (Band | undefined)[]): number[] =>
  series.counts.flatMap((count, hour) => {
    const band = bands[hour];
    return count !== undefined && band && deviationsOutside(count, band) !== 0 ? [hour] : [];
  });

const bandAt = (series: CountSeries, hour: number, timeZone = 'UTC'): Band => {
  const band = bandsOf(series, { timeZone })[hour];
  if (!band) throw new Error(`There is no band at hour ${hour}`);
  return band;
};

describe('a band', () => {
  test('needs about three days of history', () => {
    const bands = bandsOf(
      hourly(10, () => 20),
      UTC,
    );
    expect(bands.findIndex((band) => band !== undefined)).toBe(3 * DAY);
    expect(bands.slice(3 * DAY).every((band) => band !== undefined)).toBe(true);
  });

  test('needs ten days of history for counts of days', () => {
    const days = { from: START, intervalMs: DAY * HOUR_MS, counts: Array.from({ length: 60 }, (_, day) => 500 + (day % 3)) };
    const bands = bandsOf(days, UTC);
    expect(bands.findIndex((band) => band !== undefined)).toBe(10);
    expect(bands[59]?.usual).toBeCloseTo(501, -1);
  });

  test('does not exist in an empty series', () => {
    expect(bandsOf({ from: START, intervalMs: HOUR_MS, counts: [] }, UTC)).toEqual([]);
  });

  test('contains nearly all counts of a steady series', () => {
    const series = hourly(60, () => 20);
    expect(outsideIn(series, bandsOf(series, UTC)).length).toBeLessThanOrEqual(2);
  });

  test('knows the time of the day after some days', () => {
    const series = hourly(12, (hour) => (hour % DAY === 2 ? 200 : 10));
    expect(bandAt(series, 11 * DAY + 2).usual).toBeGreaterThan(150);
    expect(bandAt(series, 11 * DAY + 3).usual).toBeLessThan(20);
    expect(outsideIn(series, bandsOf(series, UTC)).filter((hour) => hour > 5 * DAY)).toEqual([]);
  });

  test('has workdays and weekends apart after two weeks', () => {
    const series = hourly(21, office);
    const [friday, saturday] = [18 * DAY + 10, 19 * DAY + 10];
    expect(bandAt(series, friday)).toMatchObject({ season: 'workday' });
    expect(bandAt(series, friday).usual).toBeGreaterThan(50);
    expect(bandAt(series, saturday).usual).toBeLessThan(10);
  });

  test('knows the hour of the week after four weeks', () => {
    const series = hourly(56, (hour) => (isOffice(hour) ? (Math.floor(hour / DAY) % 7 === 2 ? 120 : 40) : 4));
    const [tuesday, wednesday] = [50 * DAY + 10, 51 * DAY + 10];
    expect(bandAt(series, wednesday)).toMatchObject({ season: 'week' });
    expect(bandAt(series, wednesday).usual).toBeGreaterThan(90);
    expect(bandAt(series, tuesday).usual).toBeLessThan(60);
  });

  test('expects a weekly job after three weeks, though it is one hour of 168', () => {
    const series = hourly(35, (hour) => (hour % (7 * DAY) === 6 * DAY + 5 ? 200 : 10));
    const outside = outsideIn(series, bandsOf(series, UTC));
    expect(outside).toEqual([6, 13, 20].map((day) => day * DAY + 5));
  });

  test('has no season where there is none', () => {
    const series = hourly(30, () => 20);
    const { usual } = bandAt(series, 29 * DAY);
    expect(usual).toBeGreaterThan(17);
    expect(usual).toBeLessThan(23);
  });

  test('is made only from the intervals before', () => {
    const series = hourly(30, office);
    const at = 25 * DAY + 10;
    const otherFuture = withCounts(series, (hour, count) => (hour >= at ? 7777 : count));
    expect(bandsOf(otherFuture, UTC).slice(0, at + 1)).toEqual(bandsOf(series, UTC).slice(0, at + 1));
  });

  test('is nearly the same when only the last day is asked for', () => {
    const series = hourly(90, office);
    const first = 89 * DAY;
    const [all, last] = [bandsOf(series, UTC), bandsOf(series, { ...UTC, first })];
    expect(last.slice(0, first).every((band) => band === undefined)).toBe(true);
    for (const hour of Array.from({ length: DAY }, (_, index) => first + index)) {
      expect(last[hour]?.season).toBe(all[hour]?.season);
      expect(Math.abs((last[hour]?.usual ?? 0) / (all[hour]?.usual ?? 1) - 1)).toBeLessThan(0.02);
    }
  });
});

describe('small counts', () => {
  test('are inside where 1 is usual: 3 calls are no news', () => {
    const series = hourly(30, () => 1);
    expect(deviationsOutside(3, bandAt(series, 29 * DAY))).toBe(0);
    expect(deviationsOutside(30, bandAt(series, 29 * DAY))).toBeGreaterThan(4);
  });

  test('are inside where there never was one, and more are outside', () => {
    const series = hourly(30, () => 0);
    const band = bandAt(series, 29 * DAY);
    expect(band).toMatchObject({ usual: 0, lower: 0 });
    expect(deviationsOutside(0, band)).toBe(0);
    expect(deviationsOutside(3, band)).toBe(0);
    expect(deviationsOutside(10, band)).toBeGreaterThan(4);
  });

  test('of 0 are below the band only where many are usual', () => {
    expect(
      deviationsOutside(
        0,
        bandAt(
          hourly(30, () => 6),
          29 * DAY,
        ),
      ),
    ).toBe(0);
    expect(
      deviationsOutside(
        0,
        bandAt(
          hourly(30, () => 40),
          29 * DAY,
        ),
      ),
    ).toBeLessThan(-4);
  });
});

describe('the past', () => {
  test('does not widen or move the band by one incident, however large', () => {
    const series = hourly(40, office);
    const at = 38 * DAY + 10;
    const quiet = bandAt(series, at);
    for (const hours of [[at - DAY], [at - 1, at - 2], [at - 7 * DAY], [at - 7 * DAY, at - DAY, at - 2]]) {
      const band = bandAt(
        withCounts(series, (hour, count) => (hours.includes(hour) ? 1_000_000 : count)),
        at,
      );
      expect(Math.abs(band.usual / quiet.usual - 1)).toBeLessThan(0.15);
      expect(band.upper).toBeLessThan(1.25 * quiet.upper);
    }
  });

  test('counts the same whether its outliers are a hundred or a million times the usual', () => {
    const series = hourly(40, office);
    const hours = fc.uniqueArray(fc.integer({ min: 20 * DAY, max: 38 * DAY }), { minLength: 1, maxLength: 5 });
    const size = fc.integer({ min: 6000, max: 100_000_000 });
    fc.assert(
      fc.property(hours, size, (outliers, count) => {
        const bandsWith = (outlier: number) =>
          bandsOf(
            withCounts(series, (hour, usual) => (outliers.includes(hour) ? outlier : usual)),
            { ...UTC, first: 39 * DAY },
          );
        const rounded = (bands: readonly (Band | undefined)[]) =>
          JSON.stringify(bands, (_, value) => (typeof value === 'number' ? Number(value.toPrecision(9)) : value));
        expect(rounded(bandsWith(count))).toBe(rounded(bandsWith(6000)));
      }),
      { numRuns: 30 },
    );
  });

  test('scales: a series that is larger in all its hours has larger bands', () => {
    const series = hourly(40, (hour) => 40 + office(hour));
    const at = 39 * DAY + 10;
    const { usual } = bandAt(series, at);
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), (factor) => {
        const scaled = bandAt(
          withCounts(series, (_, count = 0) => factor * count),
          at,
        );
        expect(Math.abs(scaled.usual / (factor * usual) - 1)).toBeLessThan(0.05);
      }),
      { numRuns: 20 },
    );
  });

  test('is left behind: four days after a level shift, the new level is the usual one', () => {
    for (const factor of [3, 1 / 3]) {
      const shift = 35 * DAY;
      const series = hourly(50, (hour) => (hour < shift ? 1 : factor) * (20 + office(hour)));
      const outside = outsideIn(series, bandsOf(series, UTC));
      expect(outside.filter((hour) => hour >= shift && hour < shift + DAY).length).toBeGreaterThan(3);
      expect(outside.filter((hour) => hour >= shift + 4 * DAY)).toEqual([]);
    }
  });

  test('is left behind: two weeks after a nightly job moved, both hours are as usual', () => {
    const moved = 28 * DAY;
    const series = hourly(56, (hour) => (hour % DAY === (hour < moved ? 2 : 14) ? 200 : 10));
    const outside = outsideIn(series, bandsOf(series, UTC));
    expect(outside).toEqual(expect.arrayContaining([moved + 2, moved + 14]));
    expect(outside.filter((hour) => hour >= moved + 14 * DAY)).toEqual([]);
  });

  test('teaches bursts: where each day has some at any time, one more is no news', () => {
    const random = randomFor('bursts');
    const series = withCounts(
      hourly(40, () => 10),
      (_, count = 0) => count + (random.chance(0.12) ? 40 : 0),
    );
    const outside = outsideIn(series, bandsOf(series, UTC)).filter((hour) => hour > 14 * DAY);
    expect(outside.length).toBeLessThan(5);
    expect(deviationsOutside(200, bandAt(series, 39 * DAY))).toBeGreaterThan(4);
  });
});

describe('an interval that is not known', () => {
  test('is not zero: it moves nothing', () => {
    const series = hourly(40, () => 50);
    const hole = (hour: number): boolean => hour >= 37 * DAY && hour < 39 * DAY;
    const at = 39 * DAY + 5;
    const unknown = bandAt(
      withCounts(series, (hour, count) => (hole(hour) ? undefined : count)),
      at,
    );
    expect(Math.abs(unknown.usual / bandAt(series, at).usual - 1)).toBeLessThan(0.05);
    expect(unknown.lower).toBeGreaterThan(20);
  });

  test('has a band all the same', () => {
    const series = withCounts(hourly(40, office), (hour, count) => (hour >= 39 * DAY ? undefined : count));
    expect(bandAt(series, 39 * DAY + 10).usual).toBeGreaterThan(40);
  });

  test('gives no band where most of the history is unknown', () => {
    const series = withCounts(
      hourly(20, () => 20),
      (hour, count) => (hour < 18 * DAY ? undefined : count),
    );
    expect(bandsOf(series, UTC).every((band) => band === undefined)).toBe(true);
  });
});

describe('the clocks of the time zone', () => {
  const BERLIN = 'Europe/Berlin';

  /** Office hours by the clocks of Berlin, which change at 1:00 UTC on a Sunday. */
  const berlinOffice = (from: Date, change: Date, before: number, after: number, days: number): CountSeries =>
    hourly(days, (hour) => office(hour + (from.getTime() + hour * HOUR_MS < change.getTime() ? before : after)), { from });

  const spring = berlinOffice(new Date('2026-02-16T00:00:00Z'), new Date('2026-03-29T01:00:00Z'), 1, 2, 56);
  const autumn = berlinOffice(new Date('2026-09-14T00:00:00Z'), new Date('2026-10-25T01:00:00Z'), 2, 1, 56);

  test.each([
    ['spring', spring],
    ['autumn', autumn],
  ])('move the hours of people with them in %s', (_, series) => {
    const inWeekAfter = (timeZone: string) => outsideIn(series, bandsOf(series, { timeZone })).filter((hour) => hour > 42 * DAY && hour < 49 * DAY);
    expect(inWeekAfter(BERLIN).length).toBeLessThanOrEqual(1);
    expect(inWeekAfter('UTC').length).toBeGreaterThan(3);
  });

  test('may be half an hour off', () => {
    const series = hourly(40, office);
    expect(bandAt(series, 39 * DAY + 10, 'Asia/Kolkata').usual).toBeCloseTo(bandAt(series, 39 * DAY + 10).usual, 0);
  });

  test('tell the day of the week of a whole day', () => {
    const counts = Array.from({ length: 70 }, (_, day) => (day % 7 < 5 ? 1000 : 50) + (day % 4));
    const days = { from: START, intervalMs: DAY * HOUR_MS, counts };
    for (const timeZone of ['UTC', 'America/Los_Angeles', 'Asia/Tokyo']) {
      expect(bandAt(days, 68, timeZone).usual).toBeLessThan(100);
      expect(bandAt(days, 67, timeZone).usual).toBeGreaterThan(900);
    }
  });
});

const at = (day: number, hour = 0): Date => new Date(START.getTime() + (day * DAY + hour) * HOUR_MS);
/** About 30 an hour, and hardly different. */
const steady = withCounts(
  hourly(40, () => 30),
  (hour) => 28 + ((hour * 7) % 5),
);
const episodesIn = (series: CountSeries): Episode[] => episodesOf(bandedSeries(series, UTC));
/** A series in which the counts of some hours of one day are multiplied. */
const multiplied = (series: CountSeries, day: number, from: number, to: number, factor: number): CountSeries =>
  withCounts(series, (hour, count) =>
    count !== undefined && hour >= day * DAY + from && hour < day * DAY + to ? Math.round(factor * count) : count,
  );

describe('an episode', () => {
  test('is not in a steady series', () => {
    for (const rate of [0, 1, 30]) expect(episodesIn(hourly(40, () => rate))).toEqual([]);
  });

  test('is the first weekend of people, and no later one', () => {
    const days = episodesIn(hourly(40, office)).map(({ from }) => from.toISOString().slice(0, 10));
    expect(days).toEqual(['2026-01-10', '2026-01-11']);
  });

  test('is a spike of two hours: when, how much, and how much would be usual', () => {
    const [episode, ...others] = episodesIn(multiplied(steady, 35, 10, 12, 5));
    expect(others).toEqual([]);
    expect(episode).toMatchObject({ direction: 'above', from: at(35, 10), to: at(35, 12), knownAt: at(35, 11) });
    const [ten, eleven] = steady.counts.slice(35 * DAY + 10, 35 * DAY + 12).map((count = 0) => 5 * count) as [number, number];
    expect(episode?.actual).toBe(ten + eleven);
    expect(episode?.usual).toBeGreaterThan(50);
    expect(episode?.usual).toBeLessThan(70);
    expect(episode?.peak.count).toBe(Math.max(ten, eleven));
    expect(episode?.deviations).toBeGreaterThan(10);
  });

  test('is a drop, in spite of a short gap', () => {
    const gap = withCounts(multiplied(steady, 35, 4, 16, 0), (hour, count) => (hour === 35 * DAY + 10 ? 30 : count));
    expect(episodesIn(gap)).toMatchObject([{ direction: 'below', from: at(35, 4), to: at(35, 16), knownAt: at(35, 5), peak: { count: 0 } }]);
  });

  test('is not a weekly job after three weeks, nor are the hours around it in sum', () => {
    const jobs: Rate = (hour) => (hour % DAY === 2 ? 160 : hour % (7 * DAY) === 6 * DAY + 5 ? 240 : 13);
    for (const seed of [1, 2, 3, 4, 5]) {
      const starts = episodesIn(hourly(63, jobs, { seed })).map(({ from }) => from);
      expect(starts).toContainEqual(at(6, 5));
      expect(starts.filter((start) => start > at(21) && start.getUTCDay() === 0)).toEqual([]);
    }
  });

  test('is twice where there are days between', () => {
    const twice = multiplied(multiplied(steady, 33, 10, 12, 5), 35, 10, 12, 5);
    expect(episodesIn(twice)).toMatchObject([{ from: at(33, 10) }, { from: at(35, 10) }]);
  });

  test('is what only the sum of some hours shows: half of 20 an hour', () => {
    const half = hourly(40, (hour) => (hour >= 35 * DAY && hour < 35 * DAY + 12 ? 10 : 20));
    const { ofCounts } = bandedSeries(half, UTC);
    expect(ofCounts.every((deviations) => deviations === 0)).toBe(true);
    const [episode, ...others] = episodesIn(half);
    expect(others).toEqual([]);
    expect(episode?.direction).toBe('below');
    expect(episode?.from.getTime()).toBeGreaterThanOrEqual(at(34, 18).getTime());
    expect(episode?.knownAt.getTime()).toBeLessThanOrEqual(at(35, 12).getTime());
    expect(episode?.to.getTime()).toBeLessThanOrEqual(at(35, 18).getTime());
    expect((episode?.actual ?? 0) / (episode?.usual ?? 1)).toBeLessThan(0.75);
  });

  test('of a rhythm change is above where calls are new, and below where they are missing', () => {
    const shifted = hourly(40, (hour) => office(hour >= 35 * DAY && hour < 37 * DAY ? hour + 12 : hour));
    const directions = episodesIn(shifted).map(
      ({ direction, from }) => `${direction} ${from.getUTCHours() < 8 || from.getUTCHours() >= 18 ? 'night' : 'day'}`,
    );
    expect(directions).toEqual(expect.arrayContaining(['above night', 'below day']));
  });

  test('of a level shift ends', () => {
    const episodes = episodesIn(
      multiplied(
        hourly(60, () => 30),
        35,
        0,
        25 * DAY,
        3,
      ),
    );
    expect(episodes[0]?.from).toEqual(at(35));
    expect(episodes.at(-1)?.to.getTime()).toBeLessThan(at(39).getTime());
  });

  test('is told of the last day alone, too', () => {
    const series = multiplied(steady, 39, 10, 12, 5);
    expect(episodesOf(bandedSeries(series, { ...UTC, first: 39 * DAY }))).toMatchObject([{ from: at(39, 10), to: at(39, 12) }]);
    expect(episodesOf(bandedSeries(multiplied(steady, 38, 10, 12, 5), { ...UTC, first: 39 * DAY }))).toEqual([]);
  });

  test('is found in counts of five minutes and of days', () => {
    const random = randomFor('intervals');
    const counts = (length: number, base: number): number[] => Array.from({ length }, () => base + random.int(20));
    const minutes = { from: START, intervalMs: HOUR_MS / 12, counts: counts(20 * 288, 40).with(19 * 288, 400) };
    expect(episodesIn(minutes)).toMatchObject([{ direction: 'above', from: at(19), to: new Date(at(19).getTime() + 300_000), actual: 400 }]);
    const days = { from: START, intervalMs: DAY * HOUR_MS, counts: counts(60, 1000).with(55, 100) };
    expect(episodesIn(days)).toMatchObject([{ direction: 'below', from: at(55), to: at(56), actual: 100 }]);
  });

  test('is never made by a hole', () => {
    const holes = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 * DAY }), fc.integer({ min: 1, max: 5 * DAY })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(holes, (list) => {
        const isHole = (hour: number) => list.some(([from, length]) => hour >= from && hour < from + length);
        expect(episodesIn(withCounts(steady, (hour, count) => (isHole(hour) ? undefined : count)))).toEqual([]);
      }),
      { numRuns: 60 },
    );
    const lastDay = (missing: number | undefined) => withCounts(steady, (hour, count) => (hour >= 39 * DAY ? missing : count));
    expect(episodesIn(lastDay(undefined))).toEqual([]);
    expect(episodesIn(lastDay(0))).toMatchObject([{ direction: 'below', from: at(39), to: at(40) }]);
  });

  test('counts only what is known, where it has a hole', () => {
    const series = multiplied(steady, 35, 8, 14, 4);
    const [episode] = episodesIn(withCounts(series, (hour, count) => (hour === 35 * DAY + 10 ? undefined : count)));
    expect(episode).toMatchObject({ from: at(35, 8), to: at(35, 14) });
    const known = series.counts.slice(35 * DAY + 8, 35 * DAY + 14).filter((_, index) => index !== 2);
    expect(episode?.actual).toBe(known.reduce<number>((sum, count = 0) => sum + count, 0));
    expect(episode?.usual).toBeCloseTo(5 * 30, -1);
  });
});

describe('an alarm', () => {
  const alarmsIn = (series: CountSeries) => alarmsOf(bandedSeries(series, UTC));

  test('is raised once while an episode goes on', () => {
    expect(alarmsIn(multiplied(steady, 35, 4, 20, 0))).toMatchObject([{ index: 35 * DAY + 4, direction: 'below' }]);
  });

  test('is raised again where it becomes much worse', () => {
    const worse = multiplied(multiplied(steady, 35, 4, 8, 3), 35, 8, 12, 20);
    expect(alarmsIn(worse).map(({ index }) => index - 35 * DAY)).toEqual([4, 8]);
  });

  test('is raised again where it comes back after a day, and at once to the other side', () => {
    const back = multiplied(multiplied(multiplied(steady, 33, 4, 6, 5), 35, 4, 6, 5), 35, 7, 9, 0);
    expect(alarmsIn(back)).toMatchObject([
      { index: 33 * DAY + 4, direction: 'above' },
      { index: 35 * DAY + 4, direction: 'above' },
      { index: 35 * DAY + 7, direction: 'below' },
    ]);
  });
});

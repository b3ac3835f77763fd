/** Seasons of a count: which intervals are alike by the clocks of a time zone, such as each Monday from 9 to 10. */
import { Temporal } from 'temporal-polyfill';
import { UNIT_MS } from '../trail/time-window.ts';

/** Counts of intervals of equal length, one after the other. */
export interface CountSeries {
  /** The start of the first interval. */
  readonly from: Date;
  readonly intervalMs: number;
  /** Undefined where the count is not known, because the trail has a hole there: that is not 0. */
  readonly counts: readonly (number | undefined)[];
}

/** A way to say which intervals are alike. */
export interface Season {
  readonly name: SeasonName;
  /** For each interval a number that alike intervals share. */
  readonly slots: Int32Array;
  readonly slotCount: number;
  /** How far back alike intervals count. */
  readonly lookBackDays: number;
  /** How many days must be known before alike intervals say what is usual. */
  readonly minDays: number;
  /** True where the hours beside are counted too, while few alike intervals are known. */
  readonly isPooled: boolean;
}

/**
 * All intervals are alike; those of one time of the day; those too, with workdays (Monday to Friday) and weekends apart; or those of one
 * time of the week.
 */
export type SeasonName = 'none' | 'day' | 'workday' | 'week';

/** How many intervals a day has: at least 1, since longer intervals have no season. */
export const intervalsPerDay = ({ intervalMs }: CountSeries): number => Math.max(1, Math.round(UNIT_MS.d / intervalMs));

/** Shorter intervals share a slot: nobody's habits are to the minute. */
const MIN_SLOT_MS = UNIT_MS.h;

/**
 * From the coarsest to the finest. `lookBackDays` gives each enough values for a median (7 × 24, 14, about 20 and 8, and 6), and forgets an
 * old habit after half of that. `minDays` is two days of each kind, whose hours beside make up for more; three of the week's (20 days:
 * three weeks may be an hour short), whose hours stand alone: a job of each Sunday at 5 says nothing of 4 and 6.
 */
const SEASONS = [
  { name: 'none', lookBackDays: 7, minDays: 2, isPooled: false },
  { name: 'day', lookBackDays: 14, minDays: 2, isPooled: true },
  { name: 'workday', lookBackDays: 28, minDays: 7, isPooled: true },
  { name: 'week', lookBackDays: 42, minDays: 20, isPooled: false },
] as const;

/** The seasons that a series can have, by the clocks of a time zone: a day of 23 or 25 hours has its hours where people have them. */
export function seasonsOf(series: CountSeries, timeZone: string): Season[] {
  const slotMs = Math.max(series.intervalMs, MIN_SLOT_MS);
  const slotsPerDay = Math.max(1, Math.floor(UNIT_MS.d / slotMs));
  const size = series.counts.length;
  const slots = { none: new Int32Array(size), day: new Int32Array(size), workday: new Int32Array(size), week: new Int32Array(size) };
  const local = localMiddles(series, timeZone);
  for (let index = 0; index < size; index += 1) {
    const time = local[index] as number;
    const day = Math.floor(time / UNIT_MS.d);
    const ofDay = Math.floor((time - day * UNIT_MS.d) / slotMs);
    const weekday = (day + THURSDAY) % 7;
    slots.day[index] = ofDay;
    slots.workday[index] = weekday < SATURDAY ? ofDay : slotsPerDay + ofDay;
    slots.week[index] = weekday * slotsPerDay + ofDay;
  }
  const slotCounts = { none: 1, day: slotsPerDay, workday: 2 * slotsPerDay, week: 7 * slotsPerDay };
  return SEASONS.filter(({ name }) => name !== 'day' || slotsPerDay > 1).map((season) => ({
    ...season,
    slots: slots[season.name],
    slotCount: slotCounts[season.name],
  }));
}

/** Days of the week from Monday, 0. The first day of the epoch was a Thursday. */
const THURSDAY = 3;
const SATURDAY = 5;

/** What the clocks show in the middle of each interval, as milliseconds since 1970 there. */
function localMiddles({ from, intervalMs, counts }: CountSeries, timeZone: string): Float64Array {
  const start = from.getTime();
  const offsets = offsetsDuring(start, start + counts.length * intervalMs, timeZone);
  const local = new Float64Array(counts.length);
  let current = 0;
  for (let index = 0; index < counts.length; index += 1) {
    const middle = start + (index + 0.5) * intervalMs;
    while ((offsets[current + 1]?.from ?? Infinity) <= middle) current += 1;
    local[index] = middle + (offsets[current]?.offsetMs ?? 0);
  }
  return local;
}

/** What a time zone's clocks are ahead of UTC, from when on: one entry, and one for each change. */
function offsetsDuring(from: number, to: number, timeZone: string): { readonly from: number; readonly offsetMs: number }[] {
  const offsets = [];
  let at: Temporal.ZonedDateTime | null = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timeZone);
  while (at && at.epochMilliseconds < to) {
    offsets.push({ from: at.epochMilliseconds, offsetMs: at.offsetNanoseconds / 1e6 });
    at = at.getTimeZoneTransition('next');
  }
  return offsets;
}

/** Days, weeks and months in a time zone, from local midnight to local midnight: a day has 23 to 25 hours. */
import { Temporal } from 'temporal-polyfill';
import { zoned } from '../trail/local-time.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Period } from './report.ts';

const PERIOD_LENGTHS = { day: { days: 1 }, week: { weeks: 1 }, month: { months: 1 } } as const satisfies Record<Period, Temporal.DurationLike>;

/** The last whole period before `now`, [from, to) in UTC. */
export function periodBefore(period: Period, now: Date, timeZone: string): TimeRange {
  const first = firstDay(period, zoned(now, timeZone).toPlainDate());
  return rangeFrom(first.subtract(PERIOD_LENGTHS[period]), period, timeZone);
}

/** The period that contains a date ('2026-11-20'), [from, to) in UTC; undefined when the date does not exist. */
export function periodOf(period: Period, date: string, timeZone: string): TimeRange | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  try {
    return rangeFrom(firstDay(period, Temporal.PlainDate.from(date)), period, timeZone);
  } catch {
    return undefined;
  }
}

/** Weeks begin on Monday (ISO 8601). */
function firstDay(period: Period, date: Temporal.PlainDate): Temporal.PlainDate {
  if (period === 'week') return date.subtract({ days: date.dayOfWeek - 1 });
  return period === 'month' ? date.with({ day: 1 }) : date;
}

const rangeFrom = (first: Temporal.PlainDate, period: Period, timeZone: string): TimeRange => ({
  from: localMidnight(first, timeZone),
  to: localMidnight(first.add(PERIOD_LENGTHS[period]), timeZone),
});

/** Local midnight: the first when it occurs twice, and the first moment after it when clocks skip it. */
const localMidnight = (date: Temporal.PlainDate, timeZone: string): Date => new Date(date.toZonedDateTime(timeZone).epochMilliseconds);

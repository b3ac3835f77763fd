/** Days, weeks and months of one time zone, from one local midnight to another: a day has 23 to 25 hours. */
import { Temporal } from 'temporal-polyfill';
import type { Period } from '../answer/report.ts';
import type { TimeRange } from '../trail/time-window.ts';

const LENGTHS = { day: { days: 1 }, week: { weeks: 1 }, month: { months: 1 } } as const satisfies Record<Period, Temporal.DurationLike>;

/** The whole period before the one that `now` is in, [from, to) in UTC. */
export function periodBefore(period: Period, now: Date, timeZone: string): TimeRange {
  const first = firstDay(period, zoned(now, timeZone).toPlainDate());
  return rangeFrom(first.subtract(LENGTHS[period]), period, timeZone);
}

/** The period that a date ('2026-11-20') is in, [from, to) in UTC; undefined when there is no such date. */
export function periodOf(period: Period, date: string, timeZone: string): TimeRange | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) return undefined;
  try {
    return rangeFrom(firstDay(period, Temporal.PlainDate.from(date)), period, timeZone);
  } catch {
    return undefined;
  }
}

/** '2026-11-20': the day that `at` falls on in a time zone. */
export const localDate = (at: Date, timeZone: string): string => zoned(at, timeZone).toPlainDate().toString();

/** Weeks begin on Monday (ISO 8601). */
function firstDay(period: Period, date: Temporal.PlainDate): Temporal.PlainDate {
  if (period === 'week') return date.subtract({ days: date.dayOfWeek - 1 });
  return period === 'month' ? date.with({ day: 1 }) : date;
}

const rangeFrom = (first: Temporal.PlainDate, period: Period, timeZone: string): TimeRange => ({
  from: startOfDay(first, timeZone),
  to: startOfDay(first.add(LENGTHS[period]), timeZone),
});

const zoned = (at: Date, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);

/** Where clocks skip midnight, the instant they skip to; where they repeat it, the first. */
const startOfDay = (date: Temporal.PlainDate, timeZone: string): Date => new Date(date.toZonedDateTime(timeZone).epochMilliseconds);

/** Times on the clocks of a time zone. */
import { Temporal } from 'temporal-polyfill';

/** A time on the clocks of a time zone (an IANA name). */
export const zoned = (at: Date, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);

/** The date of `at` in a time zone, such as '2026-11-20'. */
export const localDate = (at: Date, timeZone: string): string => zoned(at, timeZone).toPlainDate().toString();

/** The time of day of `at` in a time zone, such as '09:30'. */
export const localTime = (at: Date, timeZone: string): string => zoned(at, timeZone).toPlainTime().toString({ smallestUnit: 'minute' });

/** The day of `at` in a time zone, such as 'Nov 20'. */
export const monthAndDay = (at: Date, timeZone: string): string =>
  new Intl.DateTimeFormat('en-US', { timeZone, month: 'short', day: 'numeric' }).format(at);

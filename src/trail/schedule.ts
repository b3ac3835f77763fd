/** When something is due: a cron pattern of five fields, in a time zone. */
import { Temporal } from 'temporal-polyfill';
import { zoned } from './local-time.ts';
import { DAY_MS } from './time-window.ts';

/** The values that each field of a pattern allows. */
interface Schedule {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  isDay(date: Temporal.PlainDate): boolean;
  /** True when every hour is allowed: then a clock hour that occurs twice counts twice. */
  readonly isHourly: boolean;
}

/**
 * The times in (after, until] at which a pattern is due, in order. Where clocks are put forward, a time that they skip is due as much
 * later; where they are put back, a time that occurs twice is due the first time.
 *
 * @throws Error for a pattern that is not five fields of numbers, ranges, lists and steps.
 */
export function dueTimes(pattern: string, timeZone: string, after: Date, until: Date): Date[] {
  const { minutes, hours, isDay, isHourly } = parseSchedule(pattern);
  const dateIn = (at: Date): Temporal.PlainDate => zoned(at, timeZone).toPlainDate();
  // A skipped time is due up to a day later, where a time zone leaves out a whole date.
  const [first, last] = [dateIn(after).subtract({ days: 1 }), dateIn(until)];
  const due = new Set<number>();
  for (let date = first; Temporal.PlainDate.compare(date, last) <= 0; date = date.add({ days: 1 })) {
    if (!isDay(date)) continue;
    for (const hour of hours)
      for (const minute of minutes) {
        const local = date.toPlainDateTime({ hour, minute });
        due.add(local.toZonedDateTime(timeZone).epochMilliseconds);
        if (isHourly) due.add(local.toZonedDateTime(timeZone, { disambiguation: 'later' }).epochMilliseconds);
      }
  }
  return [...due]
    .filter((at) => after.getTime() < at && at <= until.getTime())
    .sort((a, b) => a - b)
    .map((at) => new Date(at));
}

/** So many days include each date that a pattern can name, such as 29 February. */
const MAX_DAYS_AHEAD = 8 * 366;

/** The next time after `after` at which a pattern is due; undefined for one that never is, such as 30 February. */
export function nextDueTime(pattern: string, timeZone: string, after: Date): Date | undefined {
  for (let days = 2, from = after; days <= MAX_DAYS_AHEAD; days *= 4) {
    const until = new Date(after.getTime() + days * DAY_MS);
    const [next] = dueTimes(pattern, timeZone, from, until);
    if (next) return next;
    from = until;
  }
  return undefined;
}

function parseSchedule(pattern: string): Schedule {
  const [minute = '', hour = '', day = '', month = '', weekday = '', ...rest] = pattern.trim().split(/\s+/);
  if (weekday === '' || rest.length > 0) throw new Error(`The schedule “${pattern}” does not have five fields.`);
  const days = allowed(day, 1, 31, pattern);
  const months = allowed(month, 1, 12, pattern);
  // Sunday is 0 or 7 in cron, and 7 in ISO 8601.
  const weekdays = allowed(weekday, 0, 7, pattern).map((each) => (each === 0 ? 7 : each));
  // As in every cron: where both kinds of days are given, either one is enough.
  const isEither = day !== '*' && weekday !== '*';
  return {
    minutes: allowed(minute, 0, 59, pattern),
    hours: allowed(hour, 0, 23, pattern),
    isHourly: hour === '*',
    isDay(date) {
      const [isDayOfMonth, isWeekday] = [days.includes(date.day), weekdays.includes(date.dayOfWeek)];
      return months.includes(date.month) && (isEither ? isDayOfMonth || isWeekday : isDayOfMonth && isWeekday);
    },
  };
}

/** The values of a field, such as `5`, `1-5`, `0,30` or `*` in steps, as in cron. */
function allowed(field: string, min: number, max: number, pattern: string): number[] {
  return field.split(',').flatMap((part) => {
    const [, star, from, to, step] = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    const first = star ? min : Number(from);
    const last = star || (step && to === undefined) ? max : Number(to ?? from);
    const isValid = (star ?? from) !== undefined && min <= first && first <= last && last <= max && step !== '0';
    if (!isValid) throw new Error(`The schedule “${pattern}” has a field that cannot be read: ${part}`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((each) => (each - first) % Number(step ?? 1) === 0);
  });
}

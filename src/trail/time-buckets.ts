/** Intervals for counts over time, as `every:15m` asks for: each event belongs to the interval in which it happened. */
import { isoSecond } from './events.ts';
import { raw, type Sql } from './sql.ts';
import { type TimeRange, UNIT_MS, type Window } from './time-window.ts';

/** The length of an interval. Minutes must divide an hour and hours a day, so that intervals start at round times. */
export interface Interval {
  readonly count: number;
  readonly unit: 'm' | 'h' | 'd';
}

const UNITS_PER_PARENT = { m: 60, h: 24, d: 1 } as const;

/** True for lengths that divide an hour or a day: 15m, 6h, 1d, but not 7m. */
export const isValidInterval = ({ count, unit }: Interval): boolean => count > 0 && UNITS_PER_PARENT[unit] % count === 0;

/**
 * The start of the interval of a row of activity as text that sorts, such as 2026-11-20T14:15 for 15 minutes. It uses the remainder,
 * because the engines divide integers differently. A row of activity is within one hour; shorter intervals need the events themselves.
 */
export function intervalStart({ count, unit }: Interval): Sql {
  if (!isValidInterval({ count, unit })) throw new RangeError(`Not a valid interval: ${count}${unit}`);
  const floor = (digits: string) =>
    count === 1 ? digits : `lpad(cast(cast(${digits} as integer) - cast(${digits} as integer) % ${count} as varchar), 2, '0')`;
  // Many rows have the same hour, and an engine with a dictionary of a column computes the text once for each.
  const text = {
    m: `substr(eventtime, 1, 14) || ${floor('substr(eventtime, 15, 2)')}`,
    h: `substr(hour, 1, 11) || ${floor('substr(hour, 12, 2)')} || ':00'`,
    d: `substr(hour, 1, 10)`,
  }[unit];
  return raw(text);
}

const UNIT_WORDS = { m: 'minute', h: 'hour', d: 'day' } as const;

/** An interval in words, singular and plural: "hour" and "hours", "interval of 15 minutes" and "intervals of 15 minutes". */
export function intervalName({ count, unit }: Interval): { readonly one: string; readonly many: string } {
  const word = UNIT_WORDS[unit];
  return count === 1 ? { one: word, many: `${word}s` } : { one: `interval of ${count} ${word}s`, many: `intervals of ${count} ${word}s` };
}

/** How many intervals a range touches. */
export function countIntervals({ from, to }: TimeRange, { count, unit }: Interval): number {
  const width = count * UNIT_MS[unit];
  return Math.ceil(to.getTime() / width) - Math.floor(from.getTime() / width);
}

/** When an interval starts, in ms since 1970: of text from `intervalStart`, a date or a date with hour and minute, in UTC. */
export const startOfInterval = (start: string): number => Date.parse(start.length > 10 ? `${start}Z` : start);

/** The start of an interval as the label of a chart, in UTC: `11-29`, or `11-29 13:45` for intervals shorter than a day. */
export function intervalLabel(start: Date, { count, unit }: Interval): string {
  const text = isoSecond(start);
  return count * UNIT_MS[unit] >= UNIT_MS.d ? text.slice(5, 10) : `${text.slice(5, 10)} ${text.slice(11, 16)}`;
}

/**
 * The window of the interval that starts at `start`, which is text from `intervalStart`, cut to `range`: the events that were counted
 * for it. Undefined for other text.
 */
export function intervalWindow(start: string, { count, unit }: Interval, range: TimeRange): Window | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/.test(start)) return undefined;
  const begin = startOfInterval(start);
  const from = Math.max(begin, range.from.getTime());
  const to = Math.min(begin + count * UNIT_MS[unit], range.to.getTime());
  if (!(from < to)) return undefined;
  const [first, end] = [from, to].map((at) => isoSecond(new Date(at)).replace(/(:00)?Z$/, '')) as [string, string];
  const isDay = from % UNIT_MS.d === 0 && to - from === UNIT_MS.d;
  return isDay ? { kind: 'between', from: first.slice(0, 10), to: first.slice(0, 10) } : { kind: 'between', from: first, to: end };
}

/** Steps of time: the start of the step that an event falls in, as text that sorts. */
import { isoSecond } from './events.ts';
import { raw, type Sql } from './sql.ts';
import type { TimeRange, Window } from './time-window.ts';

/** The width of a step. Minutes divide an hour and hours a day, so that steps begin where people expect. */
export interface Interval {
  readonly count: number;
  readonly unit: 'm' | 'h' | 'd';
}

const WHOLE = { m: 60, h: 24, d: 1 } as const;

/** True where `every` is a step that days are made of: every:15m, every:6h, every:1d, but not every:7m. */
export const isValidInterval = ({ count, unit }: Interval): boolean => count > 0 && WHOLE[unit] % count === 0;

/** The step of `eventtime`, such as 2026-11-20T14:15 for a quarter of an hour. By the remainder, for engines divide integers differently. */
export function intervalStart({ count, unit }: Interval): Sql {
  if (!isValidInterval({ count, unit })) throw new RangeError(`Not a step: ${count}${unit}`);
  const number = (start: number) => `cast(substr(eventtime, ${start}, 2) as integer)`;
  const floor = (start: number) => `lpad(cast(${number(start)} - ${number(start)} % ${count} as varchar), 2, '0')`;
  const text = {
    m: `substr(eventtime, 1, 14) || ${floor(15)}`,
    h: `substr(eventtime, 1, 11) || ${floor(12)} || ':00'`,
    d: `substr(eventtime, 1, 10)`,
  }[unit];
  return raw(text);
}

const WORDS = { m: 'minute', h: 'hour', d: 'day' } as const;

/** A step in words, alone and as several: "hour" and "hours", "step of 15 minutes" and "steps of 15 minutes". */
export function intervalName({ count, unit }: Interval): { readonly one: string; readonly many: string } {
  const word = WORDS[unit];
  return count === 1 ? { one: word, many: `${word}s` } : { one: `step of ${count} ${word}s`, many: `steps of ${count} ${word}s` };
}

/** How many steps a range has a part of. */
export function countIntervals({ from, to }: TimeRange, { count, unit }: Interval): number {
  const width = count * MS[unit];
  return Math.ceil(to.getTime() / width) - Math.floor(from.getTime() / width);
}

const MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * The step that begins at `start`, as `intervalStart` writes it, as far as it lies in `range`: the time of the events that were
 * counted for it. Undefined for text that is no such start.
 */
export function intervalWindow(start: string, { count, unit }: Interval, range: TimeRange): Window | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d)?$/.test(start)) return undefined;
  const begin = Date.parse(start.length > 10 ? `${start}Z` : start);
  const from = Math.max(begin, range.from.getTime());
  const to = Math.min(begin + count * MS[unit], range.to.getTime());
  if (!(from < to)) return undefined;
  const [first, end] = [from, to].map((at) => isoSecond(new Date(at)).replace(/(:00)?Z$/, '')) as [string, string];
  const isDay = from % MS.d === 0 && to - from === MS.d;
  return isDay ? { kind: 'between', from: first.slice(0, 10), to: first.slice(0, 10) } : { kind: 'between', from: first, to: end };
}

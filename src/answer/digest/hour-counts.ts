/** Counts of each hour, to know when an hour had more or fewer events than usual: of each service, and of all that was denied. */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { bandedSeries, type Episode, episodesOf } from '../../analysis/outside-band.ts';
import { isoSecond } from '../../trail/events.ts';
import { DAY_MS, type TimeRange, UNIT_MS } from '../../trail/time-window.ts';

/** How far back hours are compared: the most that a band looks back. */
export const HOUR_PAST_DAYS = 42;
/** What is denied is counted under this name, all events under the empty one, and a service under its event source. */
export const DENIED = 'denied';
const ALL_EVENTS = '';
/** A service with fewer events in all these days is taken as having none: a single call is no series. */
const MIN_KEPT_EVENTS = 100;
const UNKNOWN_HOUR = -1;

/** By name and date (UTC), the events of each hour of the day; -1 for an hour that is not known. Services without an event on a known date are left out. */
export const hourCountsSchema = z.record(z.string(), z.record(z.string(), z.array(z.number())));
export type HourCounts = z.output<typeof hourCountsSchema>;

/** The events of a name in an hour, which is the start of an eventTime: `2026-11-20T14`. */
export interface HourCount {
  readonly name: string;
  readonly hour: string;
  readonly events: number;
}

const utcHour = (at: number): string => isoSecond(new Date(at)).slice(0, 13);

/** Counts with those of a range after them. An hour of which two ranges have a part is added up. */
export function withHours(counts: HourCounts, added: readonly HourCount[], { from, to }: TimeRange): HourCounts {
  const all: Record<string, Record<string, number[]>> = Object.fromEntries(
    Object.entries(counts).map(([name, days]) => [name, Object.fromEntries(Object.entries(days).map(([date, hours]) => [date, [...hours]]))]),
  );
  const add = (name: string, hour: string, events: number): void => {
    const date = hour.slice(0, 10);
    const at = Number(hour.slice(11, 13));
    all[name] ??= {};
    all[name][date] ??= new Array<number>(24).fill(UNKNOWN_HOUR);
    const hours = all[name][date];
    hours[at] = Math.max(0, hours[at] ?? 0) + events;
  };
  for (let at = Math.floor(from.getTime() / UNIT_MS.h) * UNIT_MS.h; at < to.getTime(); at += UNIT_MS.h) add(ALL_EVENTS, utcHour(at), 0);
  for (const { name, hour, events } of added) {
    add(name, hour, events);
    if (name !== DENIED) add(ALL_EVENTS, hour, events);
  }
  return all;
}

/** Counts without what is older than they are compared with, and without services that have too few events to compare. */
export function recentHours(counts: HourCounts, until: Date): HourCounts {
  const oldest = isoSecond(new Date(until.getTime() - HOUR_PAST_DAYS * DAY_MS)).slice(0, 10);
  return Object.fromEntries(
    Object.entries(counts)
      .map(([name, days]) => [name, Object.fromEntries(Object.entries(days).filter(([date]) => date >= oldest))] as const)
      .filter(([name, days]) => name === ALL_EVENTS || name === DENIED || eventsIn(days) >= MIN_KEPT_EVENTS),
  );
}

const eventsIn = (days: Readonly<Record<string, readonly number[]>>): number =>
  Object.values(days).reduce((sum, hours) => sum + hours.reduce((total, count) => total + Math.max(0, count), 0), 0);

/** Hours in a row outside the band of a name. Times are ISO text in UTC. */
export interface UnusualHours {
  readonly name: string;
  readonly direction: 'above' | 'below';
  readonly from: string;
  readonly to: string;
  readonly actual: number;
  readonly usual: number;
  readonly deviations: number;
}

/**
 * Of so many series each day, only what is far outside is worth a finding: more deviations than for one that somebody watches, and enough
 * events that a person would call it unusual.
 */
const DIGEST_LIMIT = 6;
const MIN_MORE_EVENTS = 30;
const MIN_TIMES_MORE = 3;
const MIN_USUAL_EVENTS = 60;
const MAX_PART_LEFT = 0.25;

/** What is unusual in a day, most first. `counts` has the day and those before it. */
export async function unusualHours(counts: HourCounts, { from, to }: TimeRange, timeZone: string): Promise<readonly UnusualHours[]> {
  const start = Math.floor(from.getTime() / UNIT_MS.h) * UNIT_MS.h;
  // An hour of which the day has a part is not over.
  const end = Math.floor(to.getTime() / UNIT_MS.h) * UNIT_MS.h;
  const begin = Math.max(start - HOUR_PAST_DAYS * DAY_MS, firstHour(counts) ?? start);
  const size = Math.round((end - begin) / UNIT_MS.h);
  const first = Math.round((start - begin) / UNIT_MS.h);
  if (first <= 0) return [];
  const isKnown = Array.from({ length: size }, (_, i) => (countAt(counts[ALL_EVENTS], begin + i * UNIT_MS.h) ?? UNKNOWN_HOUR) >= 0);
  const found: UnusualHours[] = [];
  for (const [name, days] of Object.entries(counts)) {
    if (name === ALL_EVENTS) continue;
    // Bands take milliseconds each, in which nobody else is answered.
    await setImmediate();
    const series = {
      from: new Date(begin),
      intervalMs: UNIT_MS.h,
      counts: isKnown.map((known, i) => (known ? Math.max(0, countAt(days, begin + i * UNIT_MS.h) ?? 0) : undefined)),
    };
    const episodes = episodesOf(bandedSeries(series, { timeZone, first, limit: DIGEST_LIMIT })).filter(isFarOutside);
    for (const { direction, from: begun, to: over, actual, usual, deviations } of episodes)
      found.push({ name, direction, from: isoSecond(begun), to: isoSecond(over), actual, usual: Math.round(usual), deviations });
  }
  return found.sort((a, b) => b.deviations - a.deviations || (a.name < b.name ? -1 : 1));
}

const isFarOutside = ({ direction, actual, usual }: Episode): boolean =>
  direction === 'above'
    ? actual - usual >= MIN_MORE_EVENTS && actual >= MIN_TIMES_MORE * usual
    : usual >= MIN_USUAL_EVENTS && actual <= MAX_PART_LEFT * usual;

const countAt = (days: Readonly<Record<string, readonly number[]>> | undefined, at: number): number | undefined => {
  const hour = utcHour(at);
  return days?.[hour.slice(0, 10)]?.[Number(hour.slice(11, 13))];
};

function firstHour(counts: HourCounts): number | undefined {
  const [date] = Object.keys(counts[ALL_EVENTS] ?? {}).sort();
  return date === undefined ? undefined : Date.parse(date);
}

/**
 * What was seen in the 90 days before a day, to know what is new or rare in it. It is read from activity where the engine keeps it, and
 * remembered from digest to digest, so that the past is not read again.
 */
import { z } from 'zod';
import { dayFolder, isoSecond } from '../../trail/events.ts';
import type { KeptDays } from '../../trail/kept-days.ts';
import { DAY_MS, type TimeRange } from '../../trail/time-window.ts';
import type { ReportContext } from '../report.ts';
import { type DayGroup, MAX_DAY_GROUPS, type SeenKind, seenGroups } from './day-groups.ts';

/** How far back a value counts as seen, and how many days must be known before anything is called new or rare. */
const PAST_DAYS = 90;
export const MIN_PAST_DAYS = 14;

const seenSchema = z.object({
  /** eventTimes of the first and the last event. */
  first: z.string(),
  last: z.string(),
  /** How many days had such an event. */
  days: z.number(),
  events: z.number(),
});
/** How often a value was seen. */
type Seen = z.output<typeof seenSchema>;

const pastSchema = z.object({
  /** What is known is [since, through), as ISO text in UTC. */
  since: z.string(),
  through: z.string(),
  values: z.record(z.string(), z.record(z.string(), seenSchema)),
});
type StoredPast = z.output<typeof pastSchema>;

/** What was seen before a day. */
export interface Past {
  /** How many of the last 90 days are known. */
  readonly days: number;
  seen(kind: SeenKind, value: readonly string[]): Seen | undefined;
  /** The number of events on each known day. */
  readonly events: readonly number[];
}

const seenKey = (value: readonly string[]): string => JSON.stringify(value);
const memoryName = (through: Date): string => `past-${isoSecond(through)}`;

/** What was seen before a range; and afterwards, with the groups of the range, it is remembered for the next digest. */
export async function pastBefore({ from, to }: TimeRange, groups: readonly DayGroup[], { ask, kept, extent, memory }: ReportContext): Promise<Past> {
  const earliest = new Date(from.getTime() - PAST_DAYS * DAY_MS);
  const remembered = pastSchema.safeParse(await memory.read(memoryName(from))).data;
  const stored = remembered ?? (await readPast());
  // Without it, the next digest reads the past again, or learns anew.
  await memory.write(memoryName(to), merged(stored, groups, to)).catch(() => undefined);
  const since = Math.max(Date.parse(stored.since), earliest.getTime());
  return {
    days: Math.max(0, Math.round((from.getTime() - since) / DAY_MS)),
    seen: (kind, value) => stored.values[kind]?.[seenKey(value)],
    events: Object.values(stored.values.day ?? {}).map(({ events }) => events),
  };

  async function readPast(): Promise<StoredPast> {
    const nothing: StoredPast = { since: isoSecond(from), through: isoSecond(from), values: {} };
    const { first } = await extent();
    if (first === null || first >= isoSecond(from)) return nothing;
    const start = new Date(Math.max(earliest.getTime(), Date.parse(first), keptSince(from, kept)));
    if (start >= from) return nothing;
    const found = await ask(seenGroups({ from: start, to: from }, kept));
    // Of a part of the values nothing can be said: any other may have been seen.
    if (found.length >= MAX_DAY_GROUPS) return nothing;
    return merged({ since: isoSecond(start), through: isoSecond(start), values: {} }, found, from);
  }
}

/** Since when activity is kept without a gap before a time, in ms; the time itself when it is not kept there. */
function keptSince(to: Date, kept: KeptDays): number {
  if (kept === 'all') return Number.NEGATIVE_INFINITY;
  const lastDay = dayFolder(new Date(to.getTime() - 1));
  const range = kept.find(({ first, last }) => first <= lastDay && lastDay <= last);
  return range ? Date.parse(range.first.replaceAll('/', '-')) : to.getTime();
}

/** What is known through a time, with groups of events until then. What was last seen more than 90 days before is forgotten. */
function merged(past: StoredPast, groups: readonly DayGroup[], through: Date): StoredPast {
  const oldest = isoSecond(new Date(through.getTime() - PAST_DAYS * DAY_MS));
  const values: Record<string, Record<string, Seen>> = {};
  const add = (kind: string, key: string, { first, last, days, events }: Seen): void => {
    values[kind] ??= {};
    const known = values[kind][key];
    values[kind][key] = known
      ? {
          first: later(known.first, first) === first ? known.first : first,
          last: later(known.last, last),
          days: known.days + days,
          events: known.events + events,
        }
      : { first, last, days, events };
  };
  for (const [kind, seen] of Object.entries(past.values))
    for (const [key, each] of Object.entries(seen)) if (each.last >= oldest) add(kind, key, each);
  for (const { kind, value, ...each } of groups) if (kind !== 'risk' && kind !== 'outcome' && kind !== 'signIn') add(kind, seenKey(value), each);
  return { since: later(past.since, oldest), through: isoSecond(through), values };
}

/** The later of two times as ISO text. */
const later = (one: string, other: string): string => (one < other ? other : one);

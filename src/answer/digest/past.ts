/**
 * What was seen in the 90 days before a day, to know what is new or rare in it. It is read from activity where the engine keeps it, and
 * remembered from digest to digest, so that the past is not read again. Nothing of it is shown, so hashes of the values are kept. Only the
 * sign-ins of the day before are kept as they are: a password that was guessed before midnight may be used after it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { SignInEvent } from '../../analysis/sign-in-events.ts';
import { dayFolder, isoSecond } from '../../trail/events.ts';
import type { KeptDays } from '../../trail/kept-days.ts';
import { DAY_MS, type TimeRange } from '../../trail/time-window.ts';
import type { ClassOf } from '../actor-classes.ts';
import type { ReportContext } from '../report.ts';
import {
  type DayGroup,
  folderLasts,
  hourCountsIn,
  hourGroups,
  isSeenKind,
  LATE_DAYS,
  MAX_SEEN_GROUPS,
  recentGroups,
  type SeenKind,
  seenGroups,
  signInEvents,
} from './day-groups.ts';
import { FOLDER_PAST_DAYS, type FolderEnds, folderEndsSchema, withFolderEnds } from './folder-ends.ts';
import { HOUR_PAST_DAYS, type HourCounts, hourCountsSchema, recentHours, withHours } from './hour-counts.ts';

/** How far back a value counts as seen, and how many days must be known before anything is called new or rare. */
const PAST_DAYS = 90;
export const MIN_PAST_DAYS = 14;

/** The sign-ins before a day that are kept, the newest of them. */
const SIGN_IN_PAST_MS = DAY_MS;
const MAX_PAST_SIGN_INS = 2000;

/**
 * Days and events of a value, by ten days of a month: `2026-11-1` is from 10 to 19 November. What is older than 90 days is forgotten ten
 * days at a time.
 */
const spansSchema = z.record(z.string(), z.tuple([z.number(), z.number()]));
const pastSchema = z.object({
  /** What happened before this time is in it, as ISO text in UTC. */
  through: z.string(),
  /** The number of events of each day that is known, by date. */
  days: z.record(z.string(), z.number()),
  /** By kind and by hash of the value. */
  values: z.record(z.string(), z.record(z.string(), spansSchema)),
  hours: hourCountsSchema,
  /** Hashes of the calls that carry a risk in the last reports, by their periods: what they did not have came late. */
  told: z.array(z.object({ from: z.string(), to: z.string(), calls: z.array(z.string()) })),
  /** The values of groups of sign-ins, each with its eventTime. */
  signIns: z.array(z.tuple([z.string(), z.array(z.string())])),
  ends: folderEndsSchema,
});
type StoredPast = z.output<typeof pastSchema>;

/** How often a value was seen: on how many days, in how many events. */
interface Seen {
  readonly days: number;
  readonly events: number;
}

/**
 * What can be seen besides the groups of a day, and is made of them: a call by the class of who made it (source, name, class; empty for an
 * actor whose class was not known), and an actor that was denied anything. Their days are added up over actors and calls.
 */
type MadeKind = 'callByClass' | 'deniedActor';

/** What was seen before a day. */
export interface Past {
  /** How many of the last 90 days are known. */
  readonly days: number;
  seen(kind: SeenKind | MadeKind, value: readonly string[]): Seen | undefined;
  /** The classes of actors, as far as they are known. */
  readonly classOf: ClassOf;
  /** The number of events on each known day. */
  readonly events: readonly number[];
  /** The events of each hour, as far back as hours are compared. */
  readonly hours: HourCounts;
  /** When folders had their last events on the days before. */
  readonly ends: FolderEnds;
  /** The sign-ins of the day before. */
  readonly signIns: readonly SignInEvent[];
  /** Whether a call of a day before was in the report of its day; undefined where there was none. */
  wasTold(call: DayGroup): boolean | undefined;
}

/** What was seen before a range. With the groups of the range, `remember` keeps it for the next digest. */
export async function pastBefore(
  { from, to }: TimeRange,
  context: ReportContext,
  classOf: ClassOf,
): Promise<Past & { remember(groups: readonly DayGroup[]): Promise<void> }> {
  const { ask, kept, extent, memory } = context;
  const earliest = new Date(from.getTime() - PAST_DAYS * DAY_MS);
  const stored = await knownBefore();
  return {
    days: Object.keys(stored.days).length,
    events: Object.values(stored.days),
    hours: stored.hours,
    ends: stored.ends,
    signIns: signInEvents(stored.signIns.map(([first, value]) => ({ kind: 'signIn', value, first }))),
    wasTold({ value, first }) {
      const report = stored.told.find(({ from: begin, to: end }) => begin <= first && first < end);
      return report?.calls.includes(valueHash(value));
    },
    classOf,
    seen(kind, value) {
      const spans = Object.values(stored.values[kind]?.[valueHash(value)] ?? {});
      return spans.length === 0
        ? undefined
        : { days: sumOfNumbers(spans.map(([days]) => days)), events: sumOfNumbers(spans.map(([, events]) => events)) };
    },
    remember: (groups) => memory.write(to, withTold(withGroups(stored, groups, { from, to }, classOf), groups, { from, to })),
  };

  /** What is remembered, and what activity has since then; or only what activity has, where that is more. */
  async function knownBefore(): Promise<StoredPast> {
    const remembered = pastSchema.safeParse(await memory.newestUntil(from)).data;
    const { first } = await extent();
    const start = new Date(Math.max(earliest.getTime(), first === null ? from.getTime() : Date.parse(first), keptSince(from, kept)));
    const nothing: StoredPast = { through: isoSecond(start), days: {}, values: {}, hours: {}, told: [], signIns: [], ends: {} };
    const reachesBack = remembered && (Object.keys(remembered.days).sort()[0] ?? '~') <= isoSecond(new Date(start.getTime() + DAY_MS)).slice(0, 10);
    // Days between two reports that no activity is kept of stay unknown.
    const isContinued = remembered && (remembered.through >= isoSecond(start) || start >= from);
    const base = remembered && isContinued && (reachesBack || start >= from) ? remembered : nothing;
    const since = new Date(Math.max(Date.parse(base.through), start.getTime()));
    if (since >= from) return withoutOld(base, earliest);
    const found = await ask(seenGroups({ from: since, to: from }, context));
    // Of a part of the values nothing can be said: any other may have been seen.
    if (found.length >= MAX_SEEN_GROUPS) return withoutOld(base, earliest);
    const hoursFrom = new Date(Math.max(since.getTime(), from.getTime() - HOUR_PAST_DAYS * DAY_MS));
    const hours = await ask(hourGroups({ from: hoursFrom, to: from }, context));
    const added = hours.length >= MAX_SEEN_GROUPS ? base.hours : withHours(base.hours, hourCountsIn(hours), { from: hoursFrom, to: from });
    const recent = await ask(recentGroups({ from: daysBefore(from, FOLDER_PAST_DAYS, since), to: from }, daysBefore(from, 1, since), context));
    const signIns = withSignIns(base.signIns, recent, from);
    return withoutOld(
      { ...withGroups(base, found, { from: since, to: from }, classOf), hours: added, signIns, ends: endsOf(recent, from) },
      earliest,
    );
  }
}

/** When folders had their last events on the days before a day. */
function endsOf(recent: readonly DayGroup[], from: Date): FolderEnds {
  let ends: FolderEnds = {};
  for (let daysAgo = FOLDER_PAST_DAYS; daysAgo >= 1; daysAgo -= 1) {
    const lasts = folderLasts(recent, daysAgo);
    if (lasts.size > 0) ends = withFolderEnds(ends, lasts, daysBefore(from, daysAgo - 1));
  }
  return ends;
}

const daysBefore = (at: Date, days: number, earliest = new Date(0)): Date => new Date(Math.max(at.getTime() - days * DAY_MS, earliest.getTime()));

/** Since when activity is kept without a gap before a time, in ms; the time itself when it is not kept there. */
function keptSince(to: Date, kept: KeptDays): number {
  if (kept === 'all') return Number.NEGATIVE_INFINITY;
  const lastDay = dayFolder(new Date(to.getTime() - 1));
  const range = kept.find(({ first, last }) => first <= lastDay && lastDay <= last);
  return range ? Date.parse(range.first.replaceAll('/', '-')) : to.getTime();
}

/** A past with the groups of a range after it. */
function withGroups(past: StoredPast, groups: readonly DayGroup[], { from, to }: TimeRange, classOf: ClassOf): StoredPast {
  const days = { ...past.days };
  const isOneDay = to.getTime() - from.getTime() < 2 * DAY_MS;
  const counted = groups.filter(({ kind }) => kind === 'day');
  // A local day has hours of two dates, and is one.
  if (isOneDay) days[isoSecond(from).slice(0, 10)] = sumOfNumbers(counted.map(({ events }) => events));
  else {
    for (let at = from.getTime(); at < to.getTime(); at += DAY_MS) days[isoSecond(new Date(at)).slice(0, 10)] = 0;
    // Local days have hours of one date more, which is no day of its own.
    for (const {
      value: [date = ''],
      events,
    } of counted)
      if (date in days) days[date] = events;
  }
  const values: Record<string, Record<string, z.output<typeof spansSchema>>> = Object.fromEntries(
    Object.entries(past.values).map(([kind, seen]) => [kind, { ...seen }]),
  );
  for (const group of groups) {
    const { first, days: own, events } = group;
    for (const [kind, value] of seenIn(group, classOf)) {
      values[kind] ??= {};
      const hash = valueHash(value);
      const spans = values[kind][hash] ?? {};
      const span = first.slice(0, SPAN_LENGTH);
      const [knownDays, knownEvents] = spans[span] ?? [0, 0];
      values[kind][hash] = { ...spans, [span]: [knownDays + (isOneDay ? Math.min(own, 1) : own), knownEvents + events] };
    }
  }
  const hours = isOneDay ? withHours(past.hours, hourCountsIn(groups), { from, to }) : past.hours;
  return {
    through: isoSecond(to),
    days,
    values,
    hours: recentHours(hours, to),
    told: past.told,
    signIns: withSignIns(past.signIns, groups, to),
    ends: isOneDay ? withFolderEnds(past.ends, folderLasts(groups), to) : past.ends,
  };
}

/** A past with the calls that carry a risk in a report. */
const withTold = (past: StoredPast, groups: readonly DayGroup[], { from, to }: TimeRange): StoredPast => ({
  ...past,
  told: [
    ...past.told,
    { from: isoSecond(from), to: isoSecond(to), calls: groups.filter(({ kind }) => kind === 'risk').map(({ value }) => valueHash(value)) },
  ].slice(-LATE_DAYS),
});

/** The sign-ins before a time, the newest last, with those of some groups. */
const withSignIns = (signIns: StoredPast['signIns'], groups: readonly DayGroup[], until: Date): StoredPast['signIns'] => {
  const since = isoSecond(new Date(until.getTime() - SIGN_IN_PAST_MS));
  const added = groups.flatMap(({ kind, first, value }): StoredPast['signIns'] =>
    kind === 'signIn' || kind === 'lateSignIn' ? [[first, value]] : [],
  );
  return [...signIns, ...added]
    .filter(([first]) => first >= since)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(-MAX_PAST_SIGN_INS);
};

/** What a group adds to what was seen. */
function seenIn({ kind, value }: DayGroup, classOf: ClassOf): (readonly [kind: SeenKind | MadeKind, value: readonly string[]])[] {
  if (!isSeenKind(kind) || kind === 'day') return [];
  const [actor = '', actorkind = '', eventsource = '', eventname = ''] = value;
  if (kind === 'ownCall')
    return [
      [kind, value],
      ['callByClass', [eventsource, eventname, classOf(actor, actorkind) ?? '']],
    ];
  if (kind === 'denial')
    return [
      [kind, value],
      ['deniedActor', [actor, actorkind]],
    ];
  return [[kind, value]];
}

/** A past without what is older than a time. */
function withoutOld({ through, days, values, hours, told, signIns, ends }: StoredPast, earliest: Date): StoredPast {
  const date = isoSecond(earliest).slice(0, 10);
  const keep = <Value>(record: Readonly<Record<string, Value>>, isKept: (name: string) => boolean): Record<string, Value> =>
    Object.fromEntries(Object.entries(record).filter(([name]) => isKept(name)));
  const recent = Object.entries(values).map(([kind, seen]) => {
    const kept = Object.entries(seen)
      .map(([hash, spans]) => [hash, keep(spans, (span) => span >= date.slice(0, SPAN_LENGTH))] as const)
      .filter(([, spans]) => Object.keys(spans).length > 0);
    return [kind, Object.fromEntries(kept)] as const;
  });
  return { through, days: keep(days, (day) => day >= date), values: Object.fromEntries(recent), hours, told, signIns, ends };
}

/** The length of `2026-11-1`. */
const SPAN_LENGTH = 9;

const valueHash = (value: readonly string[]): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 12);
/** The sum of some numbers; 0 of none. */
export const sumOfNumbers = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

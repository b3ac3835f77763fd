/** Reads a week for a digest: how it compares with the week before, what was denied every day, changes by hand, and what is new. */
import { z } from 'zod';
import type { ActorClass } from '../../analysis/actor-class.ts';
import { activityDuring, eventCount } from '../../trail/activity.ts';
import { isoSecond } from '../../trail/events.ts';
import { matching } from '../../trail/filter.ts';
import { joinParts, splitParts } from '../../trail/joined-parts.ts';
import { localDate } from '../../trail/local-time.ts';
import { isRoutine } from '../../trail/routine-calls.ts';
import { limit, type Query, query, raw, type Sql } from '../../trail/sql.ts';
import { DAY_MS, type TimeRange } from '../../trail/time-window.ts';
import { DIMENSIONS, kindOfGroup } from '../dimensions.ts';
import type { ReportContext } from '../report.ts';
import { classesBefore } from './day-classes.ts';
import { type KeptFinding, keptFindings } from './finding-history.ts';
import { sumOfNumbers } from './past.ts';

const IS_CHANGED = `(actorkind <> 'service' and readlike <> 'true' and outcome = 'ok' and eventsource <> 'signin.amazonaws.com' and not ${isRoutine.text})`;

/** What is counted, as fixed SQL; null where an event does not count. */
const WEEK_VALUES = {
  hour: joinParts('hour', 'outcome'),
  denial: `case when actorkind <> 'service' and outcome = 'denied' then ${joinParts(DIMENSIONS.actor.value, 'actorkind', 'eventsource', 'eventname')} end`,
  change: `case when ${IS_CHANGED} and via in ('console', 'terraform', 'cdk', 'cloudformation')
    then ${joinParts('recipientaccountid', `case when via = 'console' then 'hand' else 'code' end`)} end`,
} as const;

const weekRow = z.object({
  kind: z.enum(['hour', 'denial', 'change']),
  value: z.string().transform(splitParts),
  events: z.coerce.number(),
  days: z.coerce.number(),
});

/** More groups of a kind would be no week that somebody reads. */
const MAX_WEEK_GROUPS = 20_000;
/** A call that was denied on so many of seven days is chronic. */
const CHRONIC_DAYS = 5;

/** A number of a week, and of the week before; null while the trail does not reach back. */
interface Compared {
  readonly now: number;
  readonly before: number | null;
}

interface ChronicDenial {
  readonly actor: string;
  readonly actorkind: string;
  /** Null where it is not clear. */
  readonly actorClass: ActorClass | null;
  readonly eventsource: string;
  readonly eventname: string;
  readonly events: number;
  readonly days: number;
}

interface AccountChanges {
  readonly account: string;
  readonly byHand: number;
  readonly byCode: number;
}

/** Counts of a day; null where the trail does not have it. */
interface DayOfWeek {
  readonly date: string;
  readonly events: number | null;
  readonly denied: number | null;
  readonly eventsBefore: number | null;
}

interface DigestWeek {
  readonly events: Compared;
  readonly denied: Compared;
  /** By local date, in order. */
  readonly days: readonly DayOfWeek[];
  readonly chronic: readonly ChronicDenial[];
  readonly changes: readonly AccountChanges[];
  readonly byHand: Compared;
  readonly byCode: Compared;
  /** New accounts and regions that the daily reports of the week found. */
  readonly news: readonly { readonly account: string | null; readonly value: string; readonly found: string }[];
  readonly attention: Attention;
  /** A sentence for each rule for classes that cannot be read. */
  readonly problems: readonly string[];
  /** True when the week has more than was read of it. */
  readonly isCut: boolean;
  /** When new log files were loaded last, as ISO text in UTC, where they could not be loaded since. */
  readonly loadedAt: string | null;
}

/** What the digests of a week asked of their readers. */
interface Attention {
  /** The days whose findings are kept. */
  readonly days: number;
  readonly shown: number;
  readonly opened: number;
  readonly snoozed: number;
  readonly expected: number;
  /** The kinds of findings that were shown most, with an actor. */
  readonly most: { readonly actor: string; readonly shown: number } | null;
}

/** Reads a week, [from, to), and the week before it. */
export async function readDigestWeek(week: TimeRange, context: ReportContext): Promise<DigestWeek> {
  const { ask, history, timeZone, extent } = context;
  const before: TimeRange = { from: new Date(week.from.getTime() - 7 * DAY_MS), to: week.from };
  const { first, last, loadedAt = null } = await extent();
  const isKnown = (date: string): boolean =>
    first !== null && last !== null && localDate(new Date(first), timeZone) <= date && date <= localDate(new Date(last), timeZone);
  const reachesBack = first !== null && first <= isoSecond(before.from);
  const [groups, groupsBefore] = [await ask(weekGroups(week, context)), reachesBack ? await ask(weekGroups(before, context)) : undefined];
  const datesOf = ({ from }: TimeRange): string[] =>
    Array.from({ length: 7 }, (_, i) => localDate(new Date(from.getTime() + i * DAY_MS + DAY_MS / 2), timeZone));
  const [dates, datesBefore] = [datesOf(week), datesOf(before)];
  const ofDays = countByDate(groups, timeZone);
  const ofDaysBefore = groupsBefore && countByDate(groupsBefore, timeZone);
  const sumOf = (counts: ReturnType<typeof countByDate> | undefined, what: 'events' | 'denied'): number | null =>
    counts ? sumOfNumbers([...counts.values()].map((each) => each[what])) : null;
  const changes = changesByAccount(groups);
  const changesBefore = groupsBefore && changesByAccount(groupsBefore);
  const { classOf, problems } = await classesBefore(week.to, context);
  const kept = history ? await keptFindings(history, dates[0] ?? '', dates.at(-1) ?? '') : [];
  return {
    events: { now: sumOf(ofDays, 'events') ?? 0, before: sumOf(ofDaysBefore, 'events') },
    denied: { now: sumOf(ofDays, 'denied') ?? 0, before: sumOf(ofDaysBefore, 'denied') },
    days: dates.map((date, i) => ({
      date,
      // What is not there yet, or was not there yet, is not known.
      ...(ofDays.get(date) ?? (isKnown(date) ? { events: 0, denied: 0 } : { events: null, denied: null })),
      eventsBefore: ofDaysBefore ? (ofDaysBefore.get(datesBefore[i] ?? '')?.events ?? 0) : null,
    })),
    chronic: groups
      .filter(({ kind, days }) => kind === 'denial' && days >= CHRONIC_DAYS)
      .map(({ value: [actor = '', actorkind = '', eventsource = '', eventname = ''], events, days }) => ({
        ...{ actor, actorkind, actorClass: classOf(actor, actorkind), eventsource, eventname },
        // The local days of a week are parts of eight dates in UTC.
        ...{ events, days: Math.min(days, 7) },
      })),
    changes,
    byHand: comparedChanges(changes, changesBefore, 'byHand'),
    byCode: comparedChanges(changes, changesBefore, 'byCode'),
    news: kept.flatMap(({ date, findings }) => findings.flatMap((finding) => newPlace(finding, date))),
    attention: await attentionOf(kept, dates, context),
    problems,
    isCut: groups.length >= MAX_WEEK_GROUPS,
    loadedAt,
  };
}

/** Events are counted once, as in the groups of a day. */
function weekGroups(range: TimeRange, { kept, filters, foldersOf }: ReportContext): Query<z.output<typeof weekRow>> {
  const names = Object.keys(WEEK_VALUES);
  const column = (name: string): string => `value_${name}`;
  const columns = names.map(column);
  const expressions: Sql = raw(
    Object.entries(WEEK_VALUES)
      .map(([name, value]) => `${value} as ${column(name)}`)
      .join(', '),
  );
  const where = matching(filters);
  return query(weekRow)`
    select ${kindOfGroup(names, column)} as kind, coalesce(${raw(columns.join(', '))}) as value, ${eventCount()} as events,
      cast(count(distinct substr(first, 1, 10)) as bigint) as days
    from (
      select ${expressions}, singleid, events, first
      from ${activityDuring(range, { kept, uses: [expressions, where], folders: foldersOf(filters) })}
      where ${where}
    ) as valued
    group by grouping sets (${raw(columns.map((name) => `(${name})`).join(', '))})
    having coalesce(${raw(columns.join(', '))}) is not null
    order by case kind when 'hour' then 0 when 'change' then 1 else 2 end, days desc, events desc, value
    ${limit(MAX_WEEK_GROUPS)}
  `;
}

type WeekGroups = readonly z.output<typeof weekRow>[];

/** Events and denials of each local date. */
function countByDate(groups: WeekGroups, timeZone: string): Map<string, { events: number; denied: number }> {
  const dates = new Map<string, { events: number; denied: number }>();
  for (const { kind, value, events } of groups) {
    if (kind !== 'hour') continue;
    const [hour = '', outcome] = value;
    const date = localDate(new Date(`${hour}:00:00Z`), timeZone);
    const counts = dates.get(date) ?? { events: 0, denied: 0 };
    counts.events += events;
    if (outcome === 'denied') counts.denied += events;
    dates.set(date, counts);
  }
  return dates;
}

/** Changes of each account, those with most by hand first. */
function changesByAccount(groups: WeekGroups): AccountChanges[] {
  const accounts = Map.groupBy(
    groups.filter(({ kind }) => kind === 'change'),
    ({ value: [account = ''] }) => account,
  );
  const countOf = (own: WeekGroups, how: string): number => sumOfNumbers(own.filter(({ value }) => value[1] === how).map(({ events }) => events));
  return [...accounts]
    .map(([account, own]) => ({ account, byHand: countOf(own, 'hand'), byCode: countOf(own, 'code') }))
    .sort((a, b) => b.byHand - a.byHand || b.byCode - a.byCode);
}

const comparedChanges = (now: readonly AccountChanges[], before: readonly AccountChanges[] | undefined, how: 'byHand' | 'byCode'): Compared => ({
  now: sumOfNumbers(now.map((each) => each[how])),
  before: before ? sumOfNumbers(before.map((each) => each[how])) : null,
});

/** A new account or region, which a finding names. */
const newPlace = ({ newKind, newValue, account }: KeptFinding, date: string): DigestWeek['news'][number][] =>
  newValue !== null && (newKind === 'account' || newKind === 'region')
    ? [{ account: newKind === 'account' ? null : account, value: newValue, found: date }]
    : [];

async function attentionOf(
  kept: readonly { readonly findings: readonly KeptFinding[] }[],
  dates: readonly string[],
  { opened }: ReportContext,
): Promise<Attention> {
  const findings = kept.flatMap((day) => day.findings);
  const shown = findings.filter(({ isShown }) => isShown);
  const byActor = [...Map.groupBy(shown, ({ actor }) => actor)].sort(([, a], [, b]) => b.length - a.length);
  const [actor, own] = byActor.find(([name]) => name !== null) ?? [];
  return {
    days: kept.length,
    shown: shown.length,
    opened: await opened(dates[0] ?? '', dates.at(-1) ?? ''),
    snoozed: findings.filter(({ hiddenBy }) => hiddenBy !== null && hiddenBy !== 'expected').length,
    expected: findings.filter(({ hiddenBy }) => hiddenBy === 'expected').length,
    most: actor && own && own.length > 1 ? { actor, shown: own.length } : null,
  };
}

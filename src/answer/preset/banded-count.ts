/** A count over time beside what is usual for it: `events … every:1h band:14d`. It says what is outside, and who makes the difference. */
import { z } from 'zod';
import { bandedSeries, type Episode, episodesOf } from '../../analysis/outside-band.ts';
import type { CountSeries } from '../../analysis/season.ts';
import { UserError } from '../../errors.ts';
import { exactFilter } from '../../question/line.ts';
import { activityDuring, eventCount } from '../../trail/activity.ts';
import { fromWhere } from '../../trail/event-query.ts';
import { dayFolder, isoSecond, readDays } from '../../trail/events.ts';
import type { Filter } from '../../trail/filter.ts';
import { isKeptWhole, type KeptDays } from '../../trail/kept-days.ts';
import { findPlaces } from '../../trail/places.ts';
import { join, limit, query, raw, type Sql, sql } from '../../trail/sql.ts';
import { type Interval, intervalLabel, intervalName, intervalStart, intervalWindow, startOfInterval } from '../../trail/time-buckets.ts';
import { DAY_MS, type TimeRange, UNIT_MS } from '../../trail/time-window.ts';
import type { Chart, Finding, Next, OutsideEpisode, Row } from '../answer.ts';
import type { Question } from '../command.ts';
import type { Context, KnownRows } from '../context.ts';
import { DIMENSIONS, kindOfGroup } from '../dimensions.ts';
import { type Preset, type PresetQuestion, presetQuestion } from './preset-question.ts';

/** More would be no chart or table that somebody reads, and the time that bands take grows with it. */
const MAX_INTERVALS = 20_000;
const MAX_EPISODES_SHOWN = 5;
const MAX_CONTRIBUTORS = 3;
/** An hour without any event is a hole where so many are usual at that time. */
const BUSY_HOUR = 10;

/** Counts the events of each interval, with those before as what is usual. @throws UserError for too many intervals */
export async function countWithBand<Words extends z.ZodRawShape>(
  declared: Preset<Words>,
  asked: Question<Words>,
  context: Context,
): Promise<Finding> {
  const { band = 0, every = { count: 1, unit: 'h' }, window } = asked;
  const intervalMs = every.count * UNIT_MS[every.unit];
  const start = Math.floor(window.from.getTime() / intervalMs) * intervalMs;
  const history: TimeRange = { from: new Date(start - Math.round((band * DAY_MS) / intervalMs) * intervalMs), to: window.to };
  const size = Math.ceil((window.to.getTime() - history.from.getTime()) / intervalMs);
  if (size > MAX_INTERVALS)
    throw new UserError(
      `These are ${size.toLocaleString('en-US')} intervals, and a band takes at most ${MAX_INTERVALS.toLocaleString('en-US')}. Ask about longer intervals, or a shorter time.`,
    );
  const { band: _, ...unbanded } = asked;
  const question = presetQuestion(declared, unbanded);
  const { series, found } = await countSeries(
    (window) => presetQuestion(declared, { ...unbanded, window }),
    { every, intervalMs, size, start: new Date(start), band },
    history,
    context,
  );
  const first = Math.round((start - history.from.getTime()) / intervalMs);
  const banded = bandedSeries(series, { timeZone: context.timeZone, first });
  const episodes = episodesOf(banded).filter(({ to }) => to.getTime() > start);
  const worst = episodes.toSorted((a, b) => b.deviations - a.deviations)[0];
  const spike = worst && (await contributorsOf(declared, unbanded, worst, { history, band }, context));
  const indexes = Array.from({ length: size - first }, (_, i) => first + i);
  const known = indexes.filter((index) => series.counts[index] !== undefined && banded.bands[index]);
  const lastKnown = known.at(-1);
  const { one, many } = intervalName(every);
  return {
    template: 'banded-count',
    data: {
      caption: question.caption.replace(/, newest first$/, '').toLowerCase(),
      events: indexes.reduce((sum, index) => sum + (found[index] ?? 0), 0),
      intervals: indexes.length,
      unknown: indexes.filter((index) => series.counts[index] === undefined).length,
      known: known.length,
      one,
      many,
      days: band,
      episodes: episodes
        .toSorted((a, b) => b.deviations - a.deviations)
        .slice(0, MAX_EPISODES_SHOWN)
        .map((episode) => ({ ...plainEpisode(episode), times: timesUsual(episode), peak: { ...episode.peak, at: isoSecond(episode.peak.at) } })),
      moreEpisodes: Math.max(0, episodes.length - MAX_EPISODES_SHOWN),
      outside: episodes.length,
      spike: spike ?? null,
    },
    outside: {
      knownTo: lastKnown === undefined ? null : isoSecond(new Date(history.from.getTime() + (lastKnown + 1) * intervalMs)),
      episodes: episodes.map(plainEpisode),
    },
    charts: chartOf(series, banded.bands, indexes, worst, every),
    table: {
      caption: `${question.caption.replace(/, newest first$/, '')} and what is usual`,
      columns: [
        { name: 'step', label: 'From (UTC)', kind: 'time' },
        { name: 'events', label: 'events', kind: 'count' },
        { name: 'usual', label: 'usual', kind: 'count' },
        { name: 'lower', label: 'usual at least', kind: 'count' },
        { name: 'upper', label: 'usual at most', kind: 'count' },
        { name: 'outside', label: 'outside', kind: 'text' },
      ],
      // What is outside comes first, and what is not known last.
      rows: indexes
        .map((index) => rowOf(index, { series, bands: banded.bands, episodes }, question, every))
        .toReversed()
        .toSorted((a, b) => sortPlace(a) - sortPlace(b)),
    },
    next: [
      ...(worst
        ? [
            { label: 'List the events', line: question.line({ sort: 'time', window: windowOfEpisode(worst) }) },
            ...spikeFollowUps(spike, worst, question),
          ]
        : []),
      { label: 'Without a band', line: question.line({ every }) },
    ],
  };
}

const countRow = z.object({ step: z.string(), events: z.coerce.number(), total: z.coerce.number() });
type CountRow = z.output<typeof countRow>;

/** What is known of each interval, and the events that were found in it, known or not. */
interface CountedSeries {
  readonly series: CountSeries;
  readonly found: readonly number[];
}

interface SeriesShape {
  readonly every: Interval;
  readonly intervalMs: number;
  readonly size: number;
  /** Where what is asked begins: all before it is only to compare. */
  readonly start: Date;
  /** How many days before it are compared. */
  readonly band: number;
}

/** Of what is only compared, what ended so long ago is read again once a day: files come late, and a few hours late is what most are. */
const SETTLED_MS = 2 * DAY_MS;
const KNOWN_MS = DAY_MS;
const isRecent = ({ readAt }: KnownRows<unknown>, { now }: Context): boolean => now.getTime() - readAt.getTime() < KNOWN_MS;

/**
 * The counts of all intervals. Those that are not over, or of which the trail has nothing yet, are not known; nor are those of a busy trail
 * that have no event at all, whatever it is. That needs a count of all events, which is made where activity has it.
 */
async function countSeries(
  questionOf: (window: TimeRange) => PresetQuestion,
  { every, intervalMs, size, start, band }: SeriesShape,
  range: TimeRange,
  context: Context,
): Promise<CountedSeries> {
  const hasTotals = isMostlyKept(range, context.kept);
  const key = JSON.stringify([questionOf(range).line({ every, window: KEY_WINDOW }), band, hasTotals]);
  const known = context.known?.find<CountRow>(key);
  const isUsable = known && known.from <= range.from && known.to > range.from && isRecent(known, context);
  // What is asked is read each time.
  const knownTo = isUsable ? Math.min(known.to.getTime(), start.getTime()) : range.from.getTime();
  const isKnownStep = ({ step }: { readonly step: string }): boolean =>
    startOfInterval(step) >= range.from.getTime() && startOfInterval(step) < knownTo;
  const unread: TimeRange = { from: new Date(knownTo), to: range.to };
  const rows = [
    ...(isUsable ? known.rows.filter(isKnownStep) : []),
    ...(await countByStep(questionOf(unread), { every, hasTotals }, unread, context)),
  ];
  const settled = Math.min(start.getTime(), Math.floor((context.now.getTime() - SETTLED_MS) / intervalMs) * intervalMs);
  if (settled > range.from.getTime()) {
    const isSettled = ({ step }: { readonly step: string }): boolean => startOfInterval(step) < settled;
    const readAt = isUsable ? known.readAt : context.now;
    context.known?.store(key, { from: range.from, to: new Date(settled), rows: rows.filter(isSettled), readAt });
  }
  const { first, last } = await context.extent();
  const knownFrom = first === null ? Number.POSITIVE_INFINITY : Date.parse(first);
  const deliveredTo = Math.min(last === null ? Number.NEGATIVE_INFINITY : Date.parse(last), range.to.getTime());
  const counts = new Array<number | undefined>(size).fill(undefined);
  for (const index of counts.keys()) {
    const at = range.from.getTime() + index * intervalMs;
    if (at > knownFrom - intervalMs && at + intervalMs <= deliveredTo + SECOND_MS) counts[index] = 0;
  }
  const found = new Array<number>(size).fill(0);
  const ofHours = new Map<number, number>();
  for (const { step, events, total } of rows) {
    const at = startOfInterval(step);
    const index = Math.floor((at - range.from.getTime()) / intervalMs);
    found[index] = (found[index] ?? 0) + events;
    if (counts[index] !== undefined) counts[index] += events;
    if (total > 0) ofHours.set(at, total);
  }
  const withHolesKnown = hasTotals ? withoutHoles(counts, { from: range.from, intervalMs }, ofHours) : counts;
  return { series: { from: range.from, intervalMs, counts: withHolesKnown }, found };
}

/** Stands for the window in the key of a count, since that moves on. */
const KEY_WINDOW = { kind: 'ago', count: 1, unit: 'd' } as const;

/** The events of each interval of a range that has any; with totals also those of each hour, whatever they are. */
async function countByStep(
  question: PresetQuestion,
  { every, hasTotals }: { readonly every: Interval; readonly hasTotals: boolean },
  range: TimeRange,
  context: Context,
): Promise<CountRow[]> {
  const start = intervalStart(every);
  const uses = [start, eventCount()];
  const readsEvents = question.readsEvents(uses);
  const places = readsEvents ? await findPlaces(readDays(range), question.countPlaces, context) : undefined;
  const source = question.countSource(context, uses, places);
  const counted = sql`select ${start} as step, ${eventCount()} as events, cast(0 as bigint) as total
      ${fromWhere(source)}${source.hidesRoutine ? sql` where not routine` : sql``}
      group by 1`;
  const all = sql`select ${intervalStart({ count: 1, unit: 'h' })} as step, cast(0 as bigint) as events, ${eventCount()} as total
      from ${activityDuring(range, { kept: context.kept, uses: [], folders: context.foldersOf(question.filters) })}
      group by 1`;
  return context.ask(query(countRow)`
    select step, cast(sum(events) as bigint) as events, cast(sum(total) as bigint) as total
    from (${join(hasTotals ? [counted, all] : [counted], ' union all ')}) as counted
    group by step
    order by step
    ${limit(2 * MAX_INTERVALS)}
  `);
}

/**
 * Counts without the intervals that are in a hole of the trail: hours without any event, whatever it is, at a time at which most weeks have
 * many; at a time of the day at which most days have, in less than three weeks.
 */
function withoutHoles(
  counts: readonly (number | undefined)[],
  { from, intervalMs }: Pick<CountSeries, 'from' | 'intervalMs'>,
  ofHours: ReadonlyMap<number, number>,
): (number | undefined)[] {
  const begin = Math.floor(from.getTime() / UNIT_MS.h) * UNIT_MS.h;
  const end = from.getTime() + counts.length * intervalMs;
  const slots = end - begin >= 21 * DAY_MS ? 7 * 24 : 24;
  const slotOf = (at: number): number => Math.floor(at / UNIT_MS.h) % slots;
  const byTime = Array.from({ length: slots }, (): number[] => []);
  for (let at = begin; at < end; at += UNIT_MS.h) byTime[slotOf(at)]?.push(ofHours.get(at) ?? 0);
  const isBusy = byTime.map((totals) => (totals.sort((a, b) => a - b)[Math.floor(totals.length / 2)] ?? 0) >= BUSY_HOUR);
  return counts.map((count, index) => {
    const [first, over] = [from.getTime() + index * intervalMs, from.getTime() + (index + 1) * intervalMs];
    for (let at = Math.floor(first / UNIT_MS.h) * UNIT_MS.h; at < over; at += UNIT_MS.h) if (isBusy[slotOf(at)] && !ofHours.has(at)) return undefined;
    return count;
  });
}

/** Whether activity is kept of a range, but for its last days: then counting all of its events costs little. */
const isMostlyKept = ({ from, to }: TimeRange, kept: KeptDays): boolean =>
  kept === 'all' || isKeptWhole({ first: dayFolder(from), last: dayFolder(new Date(Math.max(from.getTime(), to.getTime() - 2 * DAY_MS))) }, kept);

/** An event is within the last second of what is known. */
const SECOND_MS = 1000;

const plainEpisode = ({ direction, from, to, actual, usual, deviations }: Episode): OutsideEpisode => ({
  direction,
  from: isoSecond(from),
  to: isoSecond(to),
  actual,
  usual: Math.round(usual),
  deviations: Math.round(deviations * 10) / 10,
});

/** “8 times as many”, “none instead” are for the template; this is the number of times, to one decimal where it is small. */
const timesUsual = ({ actual, usual }: Episode): string | null =>
  usual >= 1 && actual > usual ? (actual / usual >= 10 ? String(Math.round(actual / usual)) : (actual / usual).toFixed(1)) : null;

const windowOfEpisode = ({ from, to }: Episode) => ({ kind: 'between', from: isoSecond(from).slice(0, 16), to: isoSecond(to).slice(0, 16) }) as const;

/** All intervals, with the band; the peak of the worst episode is what to look at. */
function chartOf(
  { counts, from, intervalMs }: CountSeries,
  bands: ReturnType<typeof bandedSeries>['bands'],
  indexes: readonly number[],
  worst: Episode | undefined,
  every: Interval,
): Chart[] {
  const isKnown = (index: number): boolean => counts[index] !== undefined && bands[index] !== undefined;
  if (indexes.filter(isKnown).length < 2) return [];
  const label = (index: number): string => intervalLabel(new Date(from.getTime() + index * intervalMs), every);
  const line = (name: string, pick: (index: number) => number | undefined) => ({
    name,
    values: indexes.map((index) => pick(index) ?? null),
  });
  const peak = worst && indexes.indexOf(Math.round((worst.peak.at.getTime() - from.getTime()) / intervalMs));
  return [
    {
      title: 'Events and what is usual (UTC)',
      kind: 'line',
      categories: indexes.map(label),
      series: [
        line('events', (index) => counts[index]),
        line('usual', (index) => rounded(bands[index]?.usual)),
        { ...line('most that is usual', (index) => rounded(bands[index]?.upper)), limit: 'upper' },
        { ...line('least that is usual', (index) => rounded(bands[index]?.lower)), limit: 'lower' },
      ],
      ...(peak !== undefined && peak >= 0 && { focus: peak }),
    },
  ];
}

const rounded = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.round(value * 10) / 10);

const sortPlace = ({ cells }: Row): number => (cells.outside !== null ? 0 : cells.events !== null ? 1 : 2);

function rowOf(
  index: number,
  {
    series,
    bands,
    episodes,
  }: { readonly series: CountSeries; readonly bands: ReturnType<typeof bandedSeries>['bands']; readonly episodes: readonly Episode[] },
  question: PresetQuestion,
  every: Interval,
): Row {
  const at = new Date(series.from.getTime() + index * series.intervalMs);
  const band = bands[index];
  const episode = episodes.find(({ from, to }) => from <= at && at < to);
  const window = intervalWindow(isoSecond(at).slice(0, every.unit === 'd' ? 10 : 16), every, question.range);
  return {
    cells: {
      step: isoSecond(at).slice(0, every.unit === 'd' ? 10 : 16),
      events: series.counts[index] ?? null,
      usual: rounded(band?.usual) ?? null,
      lower: rounded(band?.lower) ?? null,
      upper: rounded(band?.upper) ?? null,
      outside: episode?.direction ?? null,
    },
    ...(window && { next: { label: isoSecond(at).slice(0, 16).replace('T', ' '), line: question.line({ sort: 'time', window }) } }),
  };
}

// --- Who makes the difference ---------------------------------------------------------------------------------------------

/** By what the events of an episode are compared with those before: the name of the filter, and SQL of its value. */
const CONTRIBUTIONS = {
  user: DIMENSIONS.actor.value,
  event: `eventname`,
  ip: `sourceipaddress`,
  account: `recipientaccountid`,
} as const;
type ContributionKind = keyof typeof CONTRIBUTIONS;
const KINDS = Object.keys(CONTRIBUTIONS);

const contributionRow = z.object({
  kind: z.enum(['user', 'event', 'ip', 'account']),
  value: z.string(),
  events: z.coerce.number(),
});

type ContributionRow = z.output<typeof contributionRow>;

/** Who or what has more events in an episode than usual, or fewer. `more` is the difference; `share` its part of the whole, in percent. */
interface Contributor {
  readonly kind: ContributionKind;
  readonly value: string;
  readonly events: number;
  readonly more: number;
  readonly share: number;
}

const MAX_CONTRIBUTION_ROWS = 5000;

/** What contributes most to an episode, compared with the days before it: the same events, by user, call, address and account. */
async function contributorsOf<Words extends z.ZodRawShape>(
  declared: Preset<Words>,
  asked: Question<Words>,
  { from, to, actual, usual, direction }: Episode,
  { history, band }: { readonly history: TimeRange; readonly band: number },
  context: Context,
): Promise<readonly Contributor[]> {
  const count = async (range: TimeRange): Promise<ContributionRow[]> => {
    const question = presetQuestion(declared, { ...asked, window: range });
    const columns = Object.keys(CONTRIBUTIONS).map((kind) => `value_${kind}`);
    const expressions: Sql = raw(
      Object.entries(CONTRIBUTIONS)
        .map(([kind, value]) => `${value} as value_${kind}`)
        .join(', '),
    );
    const uses = [expressions, eventCount()];
    const places = question.readsEvents(uses) ? await findPlaces(readDays(range), question.countPlaces, context) : undefined;
    const source = question.countSource(context, uses, places);
    return context.ask(query(contributionRow)`
      select ${kindOfGroup(Object.keys(CONTRIBUTIONS), (kind) => `value_${kind}`)} as kind, coalesce(${raw(columns.join(', '))}) as value, ${eventCount()} as events
      from (select ${expressions}, singleid, events ${fromWhere(source)}${source.hidesRoutine ? sql` where not routine` : sql``}) as valued
      group by grouping sets (${join(
        columns.map((column) => raw(`(${column})`)),
        ', ',
      )})
      having coalesce(${raw(columns.join(', '))}) is not null
      order by events desc, kind, value
      ${limit(MAX_CONTRIBUTION_ROWS)}
    `);
  };
  const before: TimeRange = { from: history.from, to: from };
  const key = JSON.stringify(['contributions', presetQuestion(declared, asked).line({ window: KEY_WINDOW }), from, band]);
  const known = context.known?.find<ContributionRow>(key);
  const isKnown = known && isRecent(known, context);
  const [now, then] = [await count({ from, to }), isKnown ? known.rows : before.from < before.to ? await count(before) : []];
  if (!isKnown) context.known?.store(key, { ...before, rows: then, readAt: context.now });
  const compared = isKnown ? known : before;
  const part = (to.getTime() - from.getTime()) / Math.max(1, compared.to.getTime() - compared.from.getTime());
  const usualOf = new Map(then.map(({ kind, value, events }) => [`${kind} ${value}`, events * part]));
  const seen = new Set(now.map(({ kind, value }) => `${kind} ${value}`));
  const gone = then.filter(({ kind, value }) => !seen.has(`${kind} ${value}`)).map((row) => ({ ...row, events: 0 }));
  const sign = direction === 'above' ? 1 : -1;
  const whole = Math.max(1, Math.abs(actual - usual));
  return [...now, ...gone]
    .map(({ kind, value, events }) => {
      const more = events - (usualOf.get(`${kind} ${value}`) ?? 0);
      return { kind, value, events, more: Math.round(more), share: Math.min(100, Math.round((100 * Math.abs(more)) / whole)), size: sign * more };
    })
    .filter(({ size, share }) => size >= 1 && share >= MIN_SHARE)
    .sort((a, b) => b.size - a.size || KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
    .slice(0, MAX_CONTRIBUTORS)
    .map(({ size: __, ...contributor }) => contributor);
}

/** A part of less than this is not who makes the difference, in percent. */
const MIN_SHARE = 20;

function spikeFollowUps(spike: readonly Contributor[] | undefined, episode: Episode, { line, filters }: PresetQuestion): Next[] {
  const filterOf = ({ kind, value }: Contributor): Filter =>
    kind === 'user' ? (DIMENSIONS.actor.filters(value)[0] as Filter) : exactFilter(kind, value);
  return (spike ?? [])
    .filter(({ events }) => events > 0)
    .map((each) => ({ label: each.value, line: line({ sort: 'time', filters: [...filters, filterOf(each)], window: windowOfEpisode(episode) }) }));
}

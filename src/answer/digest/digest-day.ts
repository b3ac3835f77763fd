/** Reads a day for a digest: its findings, and how it compares with the days before. */
import { isoSecond } from '../../trail/events.ts';
import { localDate } from '../../trail/local-time.ts';
import type { TimeRange } from '../../trail/time-window.ts';
import type { HidingRule, ReportContext } from '../report.ts';
import { dayClasses } from './day-classes.ts';
import { type DayGroup, dayGroups, folderLasts, hourCountsIn, MAX_DAY_GROUPS } from './day-groups.ts';
import { keepFindings, keptFindings } from './finding-history.ts';
import { type DigestFinding, findingsOf, MIN_SHOWN_SCORE } from './findings.ts';
import { type MissingFolders, missingFolders } from './folder-ends.ts';
import { type HiddenFinding, hideFindings, hidingOfFinding, isLoud, printHiding } from './hiding.ts';
import { unusualHours, withHours } from './hour-counts.ts';
import { MIN_PAST_DAYS, pastBefore, sumOfNumbers } from './past.ts';

/** A finding, and the filters that hide it and others like it. */
interface HideableDigestFinding extends DigestFinding {
  readonly hidingFilters: string;
}

/** What a digest knows of a day. */
interface DigestDay {
  /** What people have hidden of them. */
  readonly hidden: HiddenFindings;
  /** What somebody should look at, the worst first; and what is only worth a line in the details. */
  readonly findings: readonly HideableDigestFinding[];
  readonly minor: readonly DigestFinding[];
  /** The least points of `findings`. */
  readonly minScore: number;
  readonly totals: DayTotals;
  /** Set while too few days are known to call anything new or rare. */
  readonly learning: { readonly days: number; readonly needed: number } | null;
  /** True when the day has more than was read of it. */
  readonly isCut: boolean;
  /** When new log files were loaded last, as ISO text in UTC, where they could not be loaded since: the day may have more. */
  readonly loadedAt: string | null;
  /** The folders of which log files of the day are missing; null when none are known to be. */
  readonly missing: MissingFolders | null;
}

/** What rules hide of a day's findings, and what must be said of it. */
interface HiddenFindings {
  /** By rule, those that hide most first. */
  readonly rules: readonly (HidingRule & { readonly total: number })[];
  /** What root did, and what makes somebody see less. */
  readonly loud: readonly HiddenFinding[];
  /** Snoozes that ended on the day, and how many findings each hid. */
  readonly ended: readonly (HidingRule & { readonly total: number })[];
  /** Why some rules hide nothing: sentences. */
  readonly problems: readonly string[];
  readonly all: readonly HiddenFinding[];
}

interface DayTotals {
  readonly events: number;
  /** The events of a usual day; null while that is not known. */
  readonly usual: number | null;
  readonly denied: number;
  readonly users: number;
  readonly accounts: number;
}

/** Reads a day, [from, to), once; and the days before it, where they are not remembered. `maxShown` findings are in the message. */
export async function readDigestDay(day: TimeRange, context: ReportContext, maxShown: number): Promise<DigestDay> {
  const groups = await context.ask(dayGroups(day, context));
  const { classOf, problems: classProblems } = await dayClasses(day, groups, context);
  const past = await pastBefore(day, context, classOf);
  const isLearning = past.days < MIN_PAST_DAYS;
  const isCut = groups.length >= MAX_DAY_GROUPS;
  const { loadedAt = null, last } = await context.extent();
  // Hours after the newest event are not known: the trail may have a hole.
  const knownTo = new Date(Math.min(day.to.getTime(), last === null ? day.from.getTime() : Date.parse(last)));
  const hours = withHours(past.hours, hourCountsIn(groups), { from: day.from, to: knownTo });
  // Of some filters there may be no events up to midnight.
  const missing = context.filters.length > 0 ? undefined : missingFolders(past.ends, folderLasts(groups), day.to, context.now);
  const isWhole = !isCut && loadedAt === null && !missing?.areAwaited;
  const unusual = isLearning || !isWhole ? [] : await unusualHours(hours, day, context.timeZone);
  const outside = await instancesOutside(groups, context);
  const { shown: findings, hidden, problems } = await withoutHidden(findingsOf(groups, past, unusual, outside.groups), context);
  // What was not read is not known, and the next digest reads it again where it can.
  if (isWhole) {
    await past.remember(groups).catch(() => undefined);
    const shownCount = Math.min(maxShown, findings.filter(({ score }) => score >= MIN_SHOWN_SCORE).length);
    const date = localDate(day.from, context.timeZone);
    if (context.history) await keepFindings(context.history, date, { shown: findings, hidden, shownCount }).catch(() => undefined);
  }
  return {
    hidden: await hiddenOf(day, hidden, [...problems, ...classProblems, ...outside.problems], context),
    findings: findings
      .filter(({ score }) => score >= MIN_SHOWN_SCORE)
      .map((finding) => ({ ...finding, hidingFilters: printHiding(hidingOfFinding(finding)) })),
    minor: findings.filter(({ score }) => score < MIN_SHOWN_SCORE),
    minScore: MIN_SHOWN_SCORE,
    totals: { ...dayTotals(groups), usual: isLearning ? null : middle(past.events) },
    learning: isLearning ? { days: past.days, needed: MIN_PAST_DAYS } : null,
    isCut,
    loadedAt,
    missing: missing ?? null,
  };
}

/** The calls with the credentials of an instance that came from no address of AWS, and from no trusted one. */
async function instancesOutside(
  groups: readonly DayGroup[],
  { networks }: ReportContext,
): Promise<{ readonly groups: readonly DayGroup[]; readonly problems: readonly string[] }> {
  const calls = groups.filter(({ kind }) => kind === 'instance');
  if (calls.length === 0) return { groups: [], problems: [] };
  const { trusted } = networks;
  const { has, asOf, fault } = await networks.aws();
  const isKnown = ({ value: [, , address = ''] }: DayGroup): boolean => has(address) || trusted?.has(address) === true;
  if (asOf !== null) return { groups: calls.filter((call) => !isKnown(call)), problems: [] };
  const problem = 'The address ranges of AWS could not be read, so credentials of instances that are used from elsewhere were not looked for.';
  return { groups: [], problems: fault === null ? [] : [problem] };
}

async function withoutHidden(findings: readonly DigestFinding[], { hiding, now }: ReportContext) {
  const { rules, problems } = await hiding(now);
  const split = hideFindings(findings, rules);
  return { ...split, problems: [...problems, ...split.problems] };
}

async function hiddenOf(
  { from, to }: TimeRange,
  all: readonly HiddenFinding[],
  problems: readonly string[],
  { hiding, history, now }: ReportContext,
): Promise<HiddenFindings> {
  const rules = [...Map.groupBy(all, ({ rule }) => rule)].map(([rule, own]) => ({ ...rule, total: own.length })).sort((a, b) => b.total - a.total);
  const ended = (await hiding(now)).endedDuring(isoSecond(from), isoSecond(to));
  const days = ended.length > 0 && history ? await keptFindings(history, '', isoSecond(to).slice(0, 10)) : [];
  const hiddenBy = (id: string | null): number => sumOfNumbers(days.map(({ findings }) => findings.filter((each) => each.hiddenBy === id).length));
  return {
    rules,
    loud: all.filter(({ finding }) => isLoud(finding)),
    ended: ended.map((rule) => ({ ...rule, total: hiddenBy(rule.id) })),
    problems,
    all,
  };
}

function dayTotals(groups: readonly DayGroup[]): Omit<DayTotals, 'usual'> {
  const outcomes = groups.filter(({ kind }) => kind === 'outcome');
  const countOf = (some: readonly DayGroup[]): number => some.reduce((sum, { events }) => sum + events, 0);
  return {
    events: countOf(outcomes),
    denied: countOf(outcomes.filter(({ value }) => value[1] === 'denied')),
    users: groups.filter(({ kind, value }) => kind === 'actor' && (value[1] === 'human' || value[1] === 'user')).length,
    accounts: groups.filter(({ kind }) => kind === 'account').length,
  };
}

/** The middle of some numbers; 0 of none. */
const middle = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

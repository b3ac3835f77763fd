/** Reads a day for a digest: its findings, and how it compares with the days before. */
import type { TimeRange } from '../../trail/time-window.ts';
import type { ReportContext } from '../report.ts';
import { type DayGroup, dayGroups, MAX_DAY_GROUPS } from './day-groups.ts';
import { type DigestFinding, findingsOf, MIN_SHOWN_SCORE } from './findings.ts';
import { MIN_PAST_DAYS, pastBefore } from './past.ts';

/** What a digest knows of a day. */
interface DigestDay {
  /** What somebody should look at, the worst first; and what is only worth a line in the details. */
  readonly findings: readonly DigestFinding[];
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
}

interface DayTotals {
  readonly events: number;
  /** The events of a usual day; null while that is not known. */
  readonly usual: number | null;
  readonly denied: number;
  readonly users: number;
  readonly accounts: number;
}

/** Reads a day, [from, to), once; and the days before it, where they are not remembered. */
export async function readDigestDay(day: TimeRange, context: ReportContext): Promise<DigestDay> {
  const groups = await context.ask(dayGroups(day, context));
  const past = await pastBefore(day, context);
  const isLearning = past.days < MIN_PAST_DAYS;
  const findings = findingsOf(groups, past);
  const isCut = groups.length >= MAX_DAY_GROUPS;
  const { loadedAt = null } = await context.extent();
  // What was not read is not known, and the next digest reads it again where it can.
  if (!isCut && loadedAt === null) await past.remember(groups).catch(() => undefined);
  return {
    findings: findings.filter(({ score }) => score >= MIN_SHOWN_SCORE),
    minor: findings.filter(({ score }) => score < MIN_SHOWN_SCORE),
    minScore: MIN_SHOWN_SCORE,
    totals: { ...dayTotals(groups), usual: isLearning ? null : middle(past.events) },
    learning: isLearning ? { days: past.days, needed: MIN_PAST_DAYS } : null,
    isCut,
    loadedAt,
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

/** What the channel is told of a report that is late, that failed, or that was missed. */
import type { Answer } from '../answer/answer.ts';
import type { Period } from '../answer/report.ts';
import { localTime, monthAndDay } from '../trail/local-time.ts';
import type { SlotFailure } from './slot-runner.ts';

/** A report and the period that it covers, from `from` on. */
export interface ReportPeriod {
  readonly report: string;
  readonly period: Period | 'moment';
  readonly from: Date;
  readonly timeZone: string;
}

/** `wasAsked`: there was an answer, but it could not be posted in time. */
export interface MissedReport extends ReportPeriod {
  readonly wasAsked: boolean;
}

export const failedReport = (report: ReportPeriod, failure: SlotFailure): Answer => ({
  template: 'no-report',
  data: { missed: [], failed: { ...titleOf(report), periods: periodName(report), message: null, reference: null, ...failure } },
});

/** One sentence for each report and reason. */
export function missedReports(missed: readonly MissedReport[]): Answer {
  const groups = Map.groupBy(
    missed.toSorted((a, b) => a.from.getTime() - b.from.getTime()),
    ({ report, wasAsked }) => `${report} ${wasAsked}`,
  );
  const sentences = [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ ...titleOf(first), periods: listOf(group.map(periodName)), wasAsked: first.wasAsked }] : [];
  });
  return { template: 'no-report', data: { missed: sentences, failed: null } };
}

export function delayedAnswer(answer: Answer, due: Date, timeZone: string): Answer {
  const note = `Posted late: due at ${localTime(due, timeZone)} on ${monthAndDay(due, timeZone)} (${timeZone}).`;
  return { ...answer, note: answer.note === undefined ? note : `${answer.note} ${note}` };
}

/** The name of a report, or the line of a question. */
const titleOf = ({ report, period }: ReportPeriod): object => ({ report, isQuestion: period === 'moment' });

/** "Nov 20", "the week of Nov 16", "November 2026", "Nov 20 at 09:00" */
function periodName({ period, from, timeZone }: ReportPeriod): string {
  if (period === 'month') return new Intl.DateTimeFormat('en-US', { timeZone, month: 'long', year: 'numeric' }).format(from);
  if (period === 'moment') return `${monthAndDay(from, timeZone)} at ${localTime(from, timeZone)}`;
  return period === 'week' ? `the week of ${monthAndDay(from, timeZone)}` : monthAndDay(from, timeZone);
}

/** Names listed; the rest are counted. */
const MAX_PERIODS = 8;

function listOf(names: readonly string[]): string {
  const rest = names.length - MAX_PERIODS;
  const listed = rest > 0 ? [...names.slice(0, MAX_PERIODS), `${rest} more`] : names;
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(listed);
}

/** `npm run compact`: fills the compacted copy and prints how far it is. */
import { daysOf } from '../../athena/compacted.ts';
import { isoDay } from '../../athena/days.ts';
import { type CompactionRun, runCompaction } from '../clock/compaction.ts';
import { UserError } from '../errors.ts';
import { formatCount, formatDollars, formatSeconds } from '../text/format.ts';
import type { Days } from '../trail/sql.ts';

/** The options of `npm run compact`. */
export interface CompactArguments {
  readonly since?: string | undefined;
  readonly again?: string | undefined;
  readonly 'max-usd'?: string | undefined;
  readonly tidy?: boolean | undefined;
}

/** @throws UserError for an invalid option. */
export function readCompactArguments({
  since,
  again,
  tidy,
  'max-usd': most,
}: CompactArguments): Pick<CompactionRun, 'since' | 'again' | 'maxDollars' | 'tidies'> {
  const folderOf = (name: string, day: string): string => {
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || new Date(day).toISOString().slice(0, 10) !== day)
      throw new UserError(`--${name} ${day} is not a day. Write it as 2026-11-20.`);
    return day.replaceAll('-', '/');
  };
  const maxDollars = most === undefined ? undefined : Number(most);
  if (maxDollars !== undefined && !(maxDollars > 0)) throw new UserError(`--max-usd ${most} is not an amount. Write it as 20.`);
  return {
    ...(since !== undefined && { since: folderOf('since', since) }),
    ...(again !== undefined && { again: again.split(',').map((day) => folderOf('again', day)) }),
    ...(maxDollars !== undefined && { maxDollars }),
    ...(tidy && { tidies: true }),
  };
}

/** Fills the copy, and prints each day as it is complete. */
export async function runCompact(run: Omit<CompactionRun, 'onPlan' | 'onDay' | 'onSkip'>, print: (words: string) => void): Promise<void> {
  const result = await runCompaction({
    ...run,
    onPlan({ days, missing, files, estimate }) {
      print(`Compacted ${describeDays(days)}`);
      if (run.again) return;
      const price =
        estimate && files !== undefined
          ? `: ${formatCount(Math.round(files), 'log file')}, about ${formatDollars(estimate.dollars)} and ${formatSeconds(estimate.seconds)}`
          : '';
      print(missing.length === 0 ? 'Missing   no day that is over' : `Missing   ${formatCount(missing.length, 'day')}${price}`);
    },
    onSkip: (day, reason) => print(`${isoDay(day)}  ${reason}`),
    onDay: (day, events, left) => print(`${isoDay(day)}  ${formatCount(events, 'event')}${left > 0 ? `, ${formatCount(left, 'day')} left` : ''}`),
  });
  if (result.stopped !== undefined) print(`\nStopped. ${result.stopped}`);
  print(`\nCompacted ${describeDays(result.days)}, for ${formatDollars(result.dollars)}`);
}

/** Days that are compacted, in words. */
export function describeDays(ranges: readonly Days[]): string {
  const count = daysOf(ranges).length;
  if (count === 0) return 'no day';
  const spans = ranges.toReversed().map(({ first, last }) => (first === last ? isoDay(first) : `${isoDay(first)} to ${isoDay(last)}`));
  return `${formatCount(count, 'day')}: ${spans.slice(0, 5).join(', ')}${spans.length > 5 ? ', …' : ''}`;
}

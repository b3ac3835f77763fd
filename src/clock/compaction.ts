/** Fills the compacted copy within the budgets, and writes down what it costs. The command line and the clock call it. */
import { randomUUID } from 'node:crypto';
import { type CompactionState, type CompactOptions, compactAgain, compactTrail, readCompaction, tidyCopy } from '../../athena/compact.ts';
import { daysOf, fillReads } from '../../athena/compacted.ts';
import { isoDay } from '../../athena/days.ts';
import { readTable } from '../../athena/glue-tables.ts';
import { findNewAccounts } from '../../athena/new-accounts.ts';
import { estimateOf, USD_PER_LIST } from '../../athena/prices.ts';
import type { SetupOptions } from '../../athena/setup.ts';
import { readTrailFolders } from '../../athena/trail-folders.ts';
import { listDay, openSizes, type SizeCache } from '../../athena/trail-sizes.ts';
import { UserError } from '../errors.ts';
import type { Ledger } from '../state/ledger.ts';
import { formatDollars } from '../text/format.ts';
import type { Cost, Estimate } from '../trail/engine.ts';
import { dayFolder } from '../trail/events.ts';
import type { Reading } from '../trail/sql.ts';
import { DAY_MS } from '../trail/time-window.ts';

export interface CompactionRun extends SetupOptions {
  readonly ledger: Ledger;
  readonly sizeCache: SizeCache;
  /** The budget of everyone together for a UTC day, in dollars. */
  readonly dailyBudget: number | undefined;
  /** The most that this run may cost, in dollars. */
  readonly maxDollars?: number | undefined;
  /** The oldest day to fill, 'yyyy/MM/dd'. */
  readonly since?: string | undefined;
  /** Days to fill anew, instead of those that are missing. */
  readonly again?: readonly string[] | undefined;
  /** Joins small files, and removes old ones, afterwards. */
  readonly tidies?: boolean;
  /** Called once, before anything is filled. */
  onPlan?(plan: CompactionPlan): void;
  /** Called when a day is complete. */
  onDay?(day: string, events: number, left: number): void;
  /** Called when a day stays in the log files, with the reason as a sentence. */
  onSkip?(day: string, reason: string): void;
}

/** What there is to fill. */
interface CompactionPlan extends CompactionState {
  /** Of all missing days together; undefined when the trail could not be measured. */
  readonly estimate: Estimate | undefined;
  /** The log files of these days, if they are known. */
  readonly files: number | undefined;
}

export interface CompactionResult extends CompactionState {
  readonly dollars: number;
  /** Why it stopped before all days were filled, as a sentence. */
  readonly stopped: string | undefined;
}

/** @throws UserError when there is no copy to fill, or a day cannot be filled. */
export async function runCompaction(run: CompactionRun): Promise<CompactionResult> {
  const { settings, clients, clock, signal, ledger, sizeCache, dailyBudget, maxDollars, since, again, tidies } = run;
  const { database, table, workGroup, usdPerTb } = settings;
  if (settings.copyLocation === undefined)
    throw new UserError('TRAILBOT_BUCKET is not set. Set it to a bucket of trailbot’s own, such as s3://my-trailbot, and run: npm run setup');
  const trail = async () => readTrailFolders((await readTable(clients.athena, database, table, workGroup, signal))?.properties ?? {});
  const sizes = openSizes({ s3: clients.s3, folders: trail, cache: sizeCache, clock, signal });
  const estimate = async (reads: readonly Reading[]): Promise<Estimate | undefined> => {
    const size = await sizes.sizeOf(reads);
    return size && estimateOf(size, usdPerTb);
  };
  if (again) refuseOpenDays(again, await readCompaction({ ...run, archivedThrough: undefined }));
  // A folder that the table does not list yet would be missing from its days for ever.
  const { accounts, regions, folders, isApplied } = await findNewAccounts({ settings, clients, clock, signal }, { apply: true });
  if (!isApplied && accounts.length + regions.length + folders.length > 0)
    throw new UserError('The bucket has accounts, regions or folders that the table does not list. Run npm run setup -- --apply first.');
  const known = await trail();
  const all = await estimate([]);
  const archivedThrough = sizes.archivedThrough();
  const state = await readCompaction({ ...run, since, archivedThrough });
  const start = { first: state.closed.first, copied: state.days, missing: state.missing };
  const files = all && state.missing.length > 0 ? (await estimate(state.missing.map((day) => ({ first: day, last: day }))))?.files : undefined;
  run.onPlan?.({ ...state, files, estimate: all && (await estimate(fillReads(state.missing, start))) });

  const id = randomUUID();
  let [dollars, allowed] = [0, 0];
  let stopped: string | undefined;
  const entries: Promise<void>[] = [];
  const options: CompactOptions = {
    ...run,
    since,
    archivedThrough,
    estimate,
    async listDay(day) {
      const lists = known.folders.length;
      options.onBilled({ ms: 0, dollars: lists * USD_PER_LIST });
      return listDay(clients.s3, known, day, signal);
    },
    onSkip: (day, reason) => run.onSkip?.(day, reason),
    async mayGoOn(day) {
      const expected = (await estimate(fillReads([day], start)))?.dollars;
      await Promise.all(entries);
      const today = new Date(`${clock().toISOString().slice(0, 10)}T00:00:00Z`);
      const spent = dailyBudget === undefined ? 0 : sumOfDollars(await ledger.during(today, new Date(today.getTime() + DAY_MS)));
      // Days that are being filled will cost what is expected.
      const pending = Math.max(0, allowed - dollars);
      if (expected === undefined) {
        if (maxDollars !== undefined || dailyBudget !== undefined) stopped = 'The log files could not be listed, so what a day costs is not known.';
      } else if (maxDollars !== undefined && dollars + pending + expected > maxDollars)
        stopped = `The next day costs ${formatDollars(expected)}, and ${formatDollars(dollars + pending)} of ${formatDollars(maxDollars)} is spent.`;
      else if (dailyBudget !== undefined && spent + pending + expected > dailyBudget)
        stopped = `The next day costs ${formatDollars(expected)}, and ${formatDollars(spent + pending)} of today’s shared ${formatDollars(dailyBudget)} budget (TEAM_DAILY_BUDGET_USD) is spent. Run npm run compact again tomorrow.`;
      if (stopped === undefined) allowed += expected ?? 0;
      return stopped === undefined;
    },
    onBilled({ ms, bytes = 0, dollars: cost = 0, queryId }: Cost) {
      dollars += cost;
      const entry = {
        at: clock().toISOString(),
        requester: null,
        kind: 'report' as const,
        name: 'compact',
        question: id,
        ms: Math.round(ms),
        bytes,
        dollars: cost,
        queryId: queryId ?? null,
      };
      entries.push(ledger.add(entry));
    },
    onDay: (day, events, left) => run.onDay?.(day, events, left),
  };
  try {
    const after = again ? await compactAgain(again, options) : await compactTrail(options);
    if (tidies && stopped === undefined) await tidyCopy(daysOf(after.days).slice(-DAYS_TO_TIDY), options);
    return { ...after, dollars, stopped };
  } finally {
    await Promise.all(entries);
  }
}

/** Only days that are over and have been in the bucket can be filled anew. */
function refuseOpenDays(days: readonly string[], { closed: { first, last } }: CompactionState): void {
  const wrong = days.find((day) => day < first || day > last);
  if (wrong !== undefined)
    throw new UserError(`${isoDay(wrong)} is not a day of the trail that is over: these are from ${isoDay(first)} to ${isoDay(last)}.`);
}

/** Days whose files are joined, at most. */
const DAYS_TO_TIDY = 8;

/** Cron: when the folders of the day before are closed. */
export const COMPACT_SCHEDULE = { schedule: '30 2 * * *', timeZone: 'UTC' } as const;

/** Adds the days that were closed since the last one of the copy; older days are left to a person, since they cost more. Tidies on Sundays. */
export async function compactNewDays(run: Omit<CompactionRun, 'since' | 'again' | 'tidies'>): Promise<CompactionResult> {
  const { days } = await readCompaction({ ...run, archivedThrough: undefined });
  const yesterday = dayFolder(new Date(run.clock().getTime() - DAY_MS));
  return runCompaction({ ...run, since: days.at(-1)?.last ?? yesterday, tidies: run.clock().getUTCDay() === 0 });
}

const sumOfDollars = (entries: readonly { readonly dollars: number }[]): number => entries.reduce((sum, { dollars }) => sum + dollars, 0);

/** What the clock does: reports on schedule, accounts and regions that are new in an Athena trail, and the compacted copy of the day before. */
import { openClients } from '../../athena/clients.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import type { Answer } from '../answer/answer.ts';
import { errorAnswer } from '../answer/error-answer.ts';
import { UserError } from '../errors.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { type ClockJob, type ClockOptions, startClock } from './clock.ts';
import { COMPACT_SCHEDULE, type CompactionRun, compactNewDays } from './compaction.ts';
import { NEW_ACCOUNTS_SCHEDULE, newAccountsAnswer } from './new-accounts.ts';
import { periodBefore } from './period.ts';

export interface DigestOptions extends Pick<ClockOptions, 'reports' | 'timeZone' | 'clock' | 'log' | 'claim'> {
  /** The trail's settings when Athena answers. */
  readonly athena: AthenaSettings | undefined;
  /** Adds new accounts and regions to the table when only its properties have to change. */
  readonly appliesNewAccounts: boolean;
  /** Where costs are written down and limited, and sizes are stored, of a trail on Athena. */
  readonly compacting: Pick<CompactionRun, 'ledger' | 'sizeCache' | 'dailyBudget'> | undefined;
  /** Posts yesterday's daily report at the start, instead of the reports that came due while the process was down. */
  readonly postsAtStart: boolean;
  /** Aborted when the process stops. */
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Runs a report over a period, [from, to) in UTC. */
  ask(name: string, period: TimeRange, options: { readonly now: Date; readonly signal: AbortSignal }): Promise<Answer>;
  post(answer: Answer): Promise<void>;
}

/** Starts the clock and posts what is due now. Returns a function that stops the clock. */
export async function startDigests(options: DigestOptions): Promise<() => Promise<void>> {
  const { athena, reports, timeZone, clock, log, claim, appliesNewAccounts: apply, compacting, postsAtStart, signal, post } = options;
  const announceNewAccounts = async (settings: AthenaSettings): Promise<void> => {
    const clients = openClients(settings);
    const answer = await newAccountsAnswer({ settings, clients, clock, signal, apply, claim }).finally(() => clients.close());
    if (answer) await post(answer);
  };
  const compactYesterday = async (settings: AthenaSettings, compacting: NonNullable<DigestOptions['compacting']>): Promise<void> => {
    const clients = openClients(settings);
    const { days, stopped } = await compactNewDays({ ...compacting, settings, clients, clock, signal }).finally(() => clients.close());
    log.info({ days, stopped }, 'compacted');
  };
  const jobs = new Map<string, ClockJob>();
  if (athena) jobs.set('new-accounts', { ...NEW_ACCOUNTS_SCHEDULE, run: () => announceNewAccounts(athena) });
  if (athena?.copyLocation !== undefined && compacting) jobs.set('compact', { ...COMPACT_SCHEDULE, run: () => compactYesterday(athena, compacting) });
  const started = startClock({
    reports,
    jobs,
    timeZone,
    clock,
    log,
    claim,
    post: (name, period) => postReport(name, period, options),
  });
  try {
    if (postsAtStart) await postReport('daily', periodBefore('day', clock(), timeZone), options);
    else await started.catchUp();
  } catch (error) {
    await started.stop();
    throw error;
  }
  return () => started.stop();
}

/** Runs a report and posts its answer; a report that fails with a UserError posts why there is none. */
async function postReport(name: string, period: TimeRange, { ask, post, clock, timeoutMs, signal: stopping }: DigestOptions): Promise<void> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]);
  const answer = await ask(name, period, { now: clock(), signal }).catch((error: unknown) => {
    if (!(error instanceof UserError) || signal.aborted) throw error;
    return errorAnswer(new UserError(`There is no ${name} report today. ${error.message}`), '');
  });
  await post(answer);
}

/** What the clock does: reports on schedule, accounts and regions that are new in an Athena trail, and the compacted copy of the day before. */
import { openClients } from '../../athena/clients.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import type { Answer } from '../answer/answer.ts';
import type { Report } from '../answer/report.ts';
import type { VersionedFiles } from '../state/versioned-files.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { openAnnouncements } from './announcements.ts';
import { type ClockOptions, type ScheduledTask, startClock } from './clock.ts';
import { COMPACT_SCHEDULE, type CompactionRun, compactNewDays } from './compaction.ts';
import { NEW_ACCOUNTS_SCHEDULE, newAccountsAnswer } from './new-accounts.ts';
import { localDate, periodBefore } from './period.ts';

export interface DigestOptions extends Omit<ClockOptions, 'tasks' | 'catchesUp'> {
  readonly reports: ReadonlyMap<string, Report>;
  /** Where it is written down which accounts were announced. */
  readonly announced: VersionedFiles;
  /** The trail's settings when Athena answers. */
  readonly athena: AthenaSettings | undefined;
  /** Adds new accounts and regions to the table when only its properties have to change. */
  readonly appliesNewAccounts: boolean;
  /** Where costs are written down and limited, and sizes are stored, of a trail on Athena. */
  readonly compacting: Pick<CompactionRun, 'ledger' | 'sizeCache' | 'dailyBudget'> | undefined;
  /** Posts yesterday's daily report at the start, instead of the reports that came due while the process was down. */
  readonly postsAtStart: boolean;
  readonly timeoutMs: number;
  /** Runs a report over a period, [from, to) in UTC. */
  ask(name: string, period: TimeRange, options: { readonly now: Date; readonly signal: AbortSignal; readonly timeZone: string }): Promise<Answer>;
}

/** Starts the clock, and posts what is due. Returns a function that stops the clock. */
export async function startDigests(options: DigestOptions): Promise<() => Promise<void>> {
  const { athena, reports, timeZone, clock, log, appliesNewAccounts: apply, compacting, postsAtStart, timeoutMs } = options;
  const announcements = openAnnouncements(options.announced, options.files);
  const askReport = (name: string, period: TimeRange, signal: AbortSignal): Promise<Answer> =>
    options.ask(name, period, { now: clock(), timeZone, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
  const announceNewAccounts = async (settings: AthenaSettings, slot: string, signal: AbortSignal): Promise<Answer | undefined> => {
    const clients = openClients(settings);
    const isUnannounced = (name: string): Promise<boolean> => announcements.add(name, slot);
    return newAccountsAnswer({ settings, clients, clock, signal, apply, isUnannounced }).finally(() => clients.close());
  };
  const compactYesterday = async (
    settings: AthenaSettings,
    compacting: NonNullable<DigestOptions['compacting']>,
    signal: AbortSignal,
  ): Promise<undefined> => {
    const clients = openClients(settings);
    const { days, stopped } = await compactNewDays({ ...compacting, settings, clients, clock, signal }).finally(() => clients.close());
    log.info({ days, stopped }, 'compacted');
  };
  const tasks = new Map<string, ScheduledTask>(
    [...reports].map(([name, { schedule, period }]) => [name, { schedule, period, ask: (slot, signal) => askReport(name, slot.period, signal) }]),
  );
  if (athena) tasks.set('new-accounts', { ...NEW_ACCOUNTS_SCHEDULE, ask: ({ name }, signal) => announceNewAccounts(athena, name, signal) });
  if (athena?.copyLocation !== undefined && compacting)
    tasks.set('compact', { ...COMPACT_SCHEDULE, ask: (_, signal) => compactYesterday(athena, compacting, signal) });
  if (postsAtStart) {
    const period = periodBefore('day', clock(), timeZone);
    await askReport('daily', period, options.signal)
      .then((answer) => options.channelOf(undefined).post(answer, `start-${localDate(period.from, timeZone)}`))
      .catch((error: unknown) => log.error({ err: error }, 'the daily report at the start failed'));
  }
  const started = startClock({ ...options, tasks: async () => tasks, catchesUp: !postsAtStart });
  return () => started.stop();
}

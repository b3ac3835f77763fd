/** What the clock does: reports on schedule, accounts and regions that are new in an Athena trail, and the compacted copy of the day before. */
import { openClients } from '../../athena/clients.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import type { Answer } from '../answer/answer.ts';
import { periodBefore } from '../answer/period.ts';
import type { VersionedFiles } from '../state/versioned-files.ts';
import { localDate } from '../trail/local-time.ts';
import { readSchedule } from '../trail/schedule-words.ts';
import { MINUTE_MS, type TimeRange } from '../trail/time-window.ts';
import { openAnnouncements } from './announcements.ts';
import { type ClockOptions, type KnownTasks, type ScheduledTask, startClock } from './clock.ts';
import { COMPACT_SCHEDULE, type CompactionRun, compactNewDays } from './compaction.ts';
import { NEW_ACCOUNTS_SCHEDULE, newAccountsAnswer } from './new-accounts.ts';
import { keepIncomplete, REVISION_SCHEDULE, type RevisionOptions, reviseReports } from './revisions.ts';
import { type SubscribedOptions, subscribedTasks } from './subscribed.ts';

export interface DigestOptions extends Omit<ClockOptions, 'tasks' | 'catchesUp'>, SubscribedOptions, RevisionOptions {
  /** False where no channel for the digests is set: then only what is subscribed to is posted. */
  readonly postsReports: boolean;
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
    options.postsReports
      ? [...reports].map(([name, { schedule, period }]) => [
          name,
          {
            schedule: cronOf(schedule, timeZone),
            period,
            ask: async (slot, signal) => keepIncomplete(await askReport(name, slot.period, signal), slot, { report: name, timeZone }, options),
          },
        ])
      : [],
  );
  if (athena) tasks.set('new-accounts', { ...NEW_ACCOUNTS_SCHEDULE, ask: ({ name }, signal) => announceNewAccounts(athena, name, signal) });
  if (athena?.copyLocation !== undefined && compacting)
    tasks.set('compact', { ...COMPACT_SCHEDULE, ask: (_, signal) => compactYesterday(athena, compacting, signal) });
  const revisionTask = async (): Promise<[string, ScheduledTask][]> => {
    const names = await options.incomplete.names().catch((error: unknown) => {
      log.error({ err: error }, 'reports that are not whole cannot be read, and are not made again until they can');
      return [];
    });
    if (names.length === 0) return [];
    const since = new Date(clock().getTime() - REVISION_LOOK_BACK_MS);
    const ask: ScheduledTask['ask'] = (_, signal) => reviseReports(options, signal).then(() => undefined);
    return [['revise', { schedule: REVISION_SCHEDULE, since, ask }]];
  };
  const allTasks = async (): Promise<KnownTasks> => {
    try {
      return { tasks: new Map([...tasks, ...(await revisionTask()), ...(await subscribedTasks(options))]), isComplete: true };
    } catch (error) {
      log.error({ err: error }, 'subscriptions cannot be read; until they can, only the digests of the settings are posted');
      return { tasks, isComplete: false };
    }
  };
  if (postsAtStart) {
    const period = periodBefore('day', clock(), timeZone);
    await askReport('daily', period, options.signal)
      .then((answer) => options.channelOf(undefined).post(answer, `start-${localDate(period.from, timeZone)}`))
      .catch((error: unknown) => log.error({ err: error }, 'the daily report at the start failed'));
  }
  const started = startClock({ ...options, tasks: allTasks, catchesUp: !postsAtStart });
  return () => started.stop();
}

/** Looks for what came late that were due longer ago are not worth a record each. */
const REVISION_LOOK_BACK_MS = 20 * MINUTE_MS;

/** @throws Error for words that are no schedule */
function cronOf(words: string, timeZone: string): string {
  const schedule = readSchedule(words.split(' '), timeZone);
  if (!schedule) throw new Error(`“${words}” is not a schedule`);
  return schedule.cron;
}

/** Runs reports and daily jobs on schedule: node-cron in the configured time zone. Each slot is claimed before it runs. */
import cron from 'node-cron';
import type { Logger } from 'pino';
import type { Period, Report } from '../answer/report.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { localDate, periodBefore } from './period.ts';

/** A job that is not a report. */
export interface ClockJob {
  /** Cron with five fields, as in a report. */
  readonly schedule: string;
  /** The zone of the schedule and of its days. Default: the clock's. */
  readonly timeZone?: string;
  /** True for a job that runs each hour. Default: once a day. */
  readonly isHourly?: boolean;
  run(): Promise<void>;
}

/** A report or a job, with the period that it covers. */
interface Task extends Pick<ClockJob, 'schedule' | 'timeZone' | 'isHourly'> {
  readonly name: string;
  readonly period: Period;
  run(range: TimeRange): Promise<void>;
}

export interface ClockOptions {
  readonly reports: ReadonlyMap<string, Report>;
  readonly jobs?: ReadonlyMap<string, ClockJob>;
  readonly timeZone: string;
  readonly clock: () => Date;
  readonly log: Logger;
  /** True for the first caller that claims a slot. */
  claim(slot: string): Promise<boolean>;
  /** Runs a report and posts it. */
  post(name: string, period: TimeRange): Promise<void>;
}

export interface Clock {
  /** Runs what came due in the last six hours, while the process was down. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

// node-cron does not catch up on the time that a process was down. A digest of the morning is useful at noon, not at night.
const CATCH_UP_MS = 6 * 3_600_000;
const MAX_CRON_STOP_MS = 5000;

/** Starts the clock. A failure is logged, and later runs are not affected. */
export function startClock({ reports, jobs = new Map(), timeZone, clock, log, claim, post }: ClockOptions): Clock {
  const runDue = async ({ name, period, timeZone: own = timeZone, isHourly = false, run }: Task, at: Date): Promise<void> => {
    const range = periodBefore(period, at, own);
    const slot = isHourly ? `${name}-${at.toISOString().slice(0, 13)}` : `${name}-${localDate(range.from, own)}`;
    try {
      if (await claim(slot)) await run(range);
    } catch (error) {
      log.error({ err: error, slot }, 'a scheduled report or job failed');
    }
  };
  const allTasks: Task[] = [
    ...[...reports].map(([name, { schedule, period }]) => ({ name, schedule, period, run: (range: TimeRange) => post(name, range) })),
    ...[...jobs].map(([name, job]) => ({ ...job, name, period: 'day' as const })),
  ];
  const scheduled = allTasks.map((task) => ({
    task,
    cronTask: cron.schedule(task.schedule, () => runDue(task, clock()), { name: task.name, timezone: task.timeZone ?? timeZone, noOverlap: true }),
  }));
  return {
    async catchUp() {
      const now = clock();
      for (const { task, cronTask } of scheduled) {
        const since = now.getTime() - CATCH_UP_MS;
        const missed = minutesBack(now, since).find((minute) => cronTask.match(minute));
        if (missed) await runDue(task, missed);
      }
    },
    async stop() {
      await cron.shutdown(MAX_CRON_STOP_MS);
    },
  };
}

/** The minutes from `now` back to `since`, latest first. */
function minutesBack(now: Date, since: number): Date[] {
  const minutes: Date[] = [];
  for (let at = Math.floor(now.getTime() / 60_000) * 60_000; at >= since; at -= 60_000) minutes.push(new Date(at));
  return minutes;
}

/** The clock that asks reports and does what else is due daily: node-cron in the configured time zone, each slot claimed before. */
import cron from 'node-cron';
import type { Logger } from 'pino';
import type { Period, Report } from '../answer/report.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { localDate, periodBefore } from './period.ts';

/** What is done at its hour, beside reports. */
interface Job {
  /** Cron of five fields, as a report's. */
  readonly schedule: string;
  run(): Promise<void>;
}

/** A report or a job, with what it looks back on. */
interface Task extends Pick<Job, 'schedule'> {
  readonly name: string;
  readonly period: Period;
  run(range: TimeRange): Promise<void>;
}

export interface ClockOptions {
  readonly reports: ReadonlyMap<string, Report>;
  readonly jobs?: ReadonlyMap<string, Job>;
  readonly timeZone: string;
  readonly clock: () => Date;
  readonly log: Logger;
  /** True for the first who claims a slot. */
  claim(slot: string): Promise<boolean>;
  /** Asks a report and posts it. */
  post(name: string, period: TimeRange): Promise<void>;
}

export interface Clock {
  /** Does what came due while nobody was there, if that was not long ago. */
  catchUp(): Promise<void>;
  stop(): Promise<void>;
}

// node-cron knows nothing of the time that a process was down. A digest of this morning is welcome at noon, not at night.
const CATCH_UP_MS = 6 * 3_600_000;
const STOP_PATIENCE_MS = 5000;

/** Starts the clock. What fails is logged and does not keep the next from its hour. */
export function startClock({ reports, jobs = new Map(), timeZone, clock, log, claim, post }: ClockOptions): Clock {
  const due = async ({ name, period, run }: Task, at: Date): Promise<void> => {
    const range = periodBefore(period, at, timeZone);
    const slot = `${name}-${localDate(range.from, timeZone)}`;
    try {
      if (await claim(slot)) await run(range);
    } catch (error) {
      log.error({ err: error, slot }, 'what was due could not be done');
    }
  };
  const all: Task[] = [
    ...[...reports].map(([name, { schedule, period }]) => ({ name, schedule, period, run: (range: TimeRange) => post(name, range) })),
    ...[...jobs].map(([name, { schedule, run }]) => ({ name, schedule, period: 'day' as const, run })),
  ];
  const tasks = all.map((task) => ({
    task,
    cronTask: cron.schedule(task.schedule, () => due(task, clock()), { name: task.name, timezone: timeZone, noOverlap: true }),
  }));
  return {
    async catchUp() {
      const now = clock();
      for (const { task, cronTask } of tasks) {
        const since = now.getTime() - CATCH_UP_MS;
        const missed = minutesBack(now, since).find((minute) => cronTask.match(minute));
        if (missed) await due(task, missed);
      }
    },
    async stop() {
      await cron.shutdown(STOP_PATIENCE_MS);
    },
  };
}

/** The minutes from `now` back to `since`, latest first. */
function minutesBack(now: Date, since: number): Date[] {
  const minutes: Date[] = [];
  for (let at = Math.floor(now.getTime() / 60_000) * 60_000; at >= since; at -= 60_000) minutes.push(new Date(at));
  return minutes;
}

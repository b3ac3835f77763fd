/** The clock that asks reports and does what else is due daily: node-cron in the configured time zone, each slot claimed before. */
import cron from 'node-cron';
import type { Logger } from 'pino';
import type { Report } from '../report.ts';
import type { TimeRange } from '../trail/window.ts';
import { dayBefore, localDate } from './day.ts';

/** What is done at its hour, beside reports. */
interface Job {
  /** Cron of five fields, as a report's. */
  readonly schedule: string;
  run(): Promise<void>;
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
  post(name: string, day: TimeRange): Promise<void>;
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
  const due = async (name: string, run: (day: TimeRange) => Promise<void>, at: Date): Promise<void> => {
    const day = dayBefore(at, timeZone);
    const slot = `${name}-${localDate(day.from, timeZone)}`;
    try {
      if (await claim(slot)) await run(day);
    } catch (error) {
      log.error({ err: error, slot }, 'what was due could not be done');
    }
  };
  const all = [
    ...[...reports].map(([name, { schedule }]) => ({ name, schedule, run: (day: TimeRange) => post(name, day) })),
    ...[...jobs].map(([name, { schedule, run }]) => ({ name, schedule, run })),
  ];
  const tasks = all.map(({ name, schedule, run }) => ({
    name,
    run,
    task: cron.schedule(schedule, () => due(name, run, clock()), { name, timezone: timeZone, noOverlap: true }),
  }));
  return {
    async catchUp() {
      const now = clock();
      for (const { name, run, task } of tasks) {
        const since = now.getTime() - CATCH_UP_MS;
        const missed = minutesBack(now, since).find((minute) => task.match(minute));
        if (missed) await due(name, run, missed);
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

/** A scheduled digest: a question that the clock asks, one file in reports/. */
import type { TimeRange } from '../trail/time-window.ts';
import type { Finding } from './answer.ts';
import type { Context } from './context.ts';

/** What a report looks back on: the last whole day, week (from Monday) or month of the configured time zone. */
export type Period = 'day' | 'week' | 'month';

/** Keeps values between digests by name, such as `past-2026-11-20T00:00:00Z`. */
export interface DigestMemory {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}

/** What a report can use: all that a command can, and what was remembered of earlier reports. */
export interface ReportContext extends Context {
  readonly memory: DigestMemory;
}

/** reports/daily.ts is posted through templates/daily.hbs. */
export interface Report {
  readonly summary: string;
  readonly period: Period;
  /** When it is posted: cron of five fields, in the configured time zone. */
  readonly schedule: string;
  /** `range` is the period before the report is posted, [from, to) in UTC. It is what the footer says was covered, and is read once. */
  answer(range: TimeRange, context: ReportContext): Promise<Finding>;
}

/** Declares a report. */
export const report = (declared: Report): Report => declared;

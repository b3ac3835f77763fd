/** A question the clock asks, one file in reports/. */
import type { Context, Finding } from './answer.ts';
import type { TimeRange } from './trail/window.ts';

/** reports/daily.ts is posted through templates/daily.hbs. */
export interface Report {
  readonly summary: string;
  /** When it is posted: cron of five fields, in the configured time zone. */
  readonly schedule: string;
  /** How often it reads its day, which its price depends on: once, if it does not say. */
  readonly reads?: number;
  /** It looks back on one whole day of the configured time zone, the one before it is posted: [from, to) in UTC. */
  answer(day: TimeRange, context: Context): Promise<Finding>;
}

/** Declares a report. */
export const report = (declared: Report): Report => declared;

/** A scheduled digest: a question that the clock asks, one file in reports/. */
import type { ActorClass } from '../analysis/actor-class.ts';
import type { Filter } from '../trail/filter.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Finding } from './answer.ts';
import type { Context } from './context.ts';

/** What a report looks back on: the last whole day, week (from Monday) or month of the configured time zone. */
export type Period = 'day' | 'week' | 'month';

/** Keeps what is known from one digest to the next. */
export interface DigestMemory {
  /** The newest value that was written for a time until `at`; undefined when there is none. */
  newestUntil(at: Date): Promise<unknown>;
  /** Keeps what is known of the time before `through`. What is kept for that time already stays. */
  write(through: Date, value: unknown): Promise<void>;
}

/** The findings of the reports of the last months, by the date of their day. */
export interface FindingHistory {
  /** Keeps the findings of a day, as JSON. What is kept of it already stays. */
  write(date: string, value: unknown): Promise<void>;
  /** What is kept of the days from `first` to `last`, in order. What is damaged is left out. */
  between(first: string, last: string): Promise<readonly { readonly date: string; readonly value: unknown }[]>;
}

/** What is hidden, by whom and why. Times are ISO text in UTC. */
export interface HidingRule {
  /** The number of a snooze; null for what is expected. */
  readonly id: string | null;
  /** As they are printed. */
  readonly filters: string;
  /** The end of a snooze; null for what is expected. */
  readonly until: string | null;
  readonly by: string | null;
  readonly reason: string | null;
}

/** The rules at a time. */
export interface HidingRules {
  readonly rules: readonly HidingRule[];
  /** Snoozes that ended in a range of time. */
  endedDuring(from: string, to: string): readonly HidingRule[];
  /** A sentence for each rule that cannot be read. */
  readonly problems: readonly string[];
}

/** A class that people gave to the actors which match some filters. */
export interface ClassRule {
  /** Its number. */
  readonly id: string;
  readonly actorClass: ActorClass;
  /** As they are printed. */
  readonly filters: string;
}

/** The classes that people gave, in the order in which they did. */
export interface ClassRules {
  readonly rules: readonly ClassRule[];
  /** A sentence for each rule that cannot be read. */
  readonly problems: readonly string[];
}

/** What a report can use: all that a command can, and what was remembered of earlier reports. */
export interface ReportContext extends Context {
  readonly memory: DigestMemory;
  /** What was learned of actors, for their classes. */
  readonly learned: DigestMemory;
  /** Undefined for a report with filters, and for one that is only shown. */
  readonly history: FindingHistory | undefined;
  /** How many findings of digests readers opened from one day to another: each counts once for a message. */
  opened(firstDate: string, lastDate: string): Promise<number>;
  /** What people have hidden, at a time. */
  hiding(at: Date): Promise<HidingRules>;
  /** The classes that people gave to actors. */
  classRules(): Promise<ClassRules>;
  /** The report is about the events that match them. */
  readonly filters: readonly Filter[];
}

/** reports/daily.ts is posted through templates/daily.hbs. */
export interface Report {
  readonly summary: string;
  readonly period: Period;
  /** When it is posted, in the configured time zone: `daily 08:00`, `mon 08:30`, or cron of five fields. */
  readonly schedule: string;
  /** How many times as much as its period it reads, for the cost estimate. Default: 1. */
  readonly reads?: number;
  /** `range` is the period before the report is posted, [from, to) in UTC. It is what the footer says was covered, and is read once. */
  answer(range: TimeRange, context: ReportContext): Promise<Finding>;
}

/** Declares a report. */
export const report = (declared: Report): Report => declared;

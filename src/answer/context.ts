/** What a command or a report may draw on: the trail, the time, whose addresses are whose, and what was spent. */
import type { Extent } from '../trail/engine.ts';
import type { Query } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Finding } from './answer.ts';

/** A set of IP addresses. */
export interface AddressSet {
  has(address: string): boolean;
}

/** The addresses that AWS publishes: those of its services and those that its customers rent. */
interface AwsAddresses extends AddressSet {
  /** When AWS published them, as ISO text in UTC; null when they could not be read. */
  readonly asOf: string | null;
  /** Why they are not the newest, or not there at all. */
  readonly fault: RangesFault | null;
}

/** Why AWS's published ranges could not be read. */
interface RangesFault {
  /** The URL or file. */
  readonly source: string;
  /** What is wrong with it, as a sentence continues after its name. */
  readonly why: string;
}

/** Whose an address is. */
export interface Networks {
  /** The organisation's own networks, when the settings name any. */
  readonly trusted?: AddressSet;
  aws(): Promise<AwsAddresses>;
}

/** Nothing is known of any address: none is trusted, and none belongs to AWS. */
export const unknownNetworks: Networks = {
  aws: async () => ({ has: () => false, asOf: null, fault: null }),
};

/** One query that was paid for. */
export interface BilledQuery {
  /** ISO text in UTC. */
  readonly at: string;
  /** The Slack user; null for a scheduled report. */
  readonly requester: string | null;
  readonly kind: 'command' | 'report';
  readonly name: string;
  /** The same for all queries of one question. */
  readonly question: string;
  readonly bytes: number;
  readonly dollars: number;
}

/** All that a command or a report may use. */
export interface Context {
  ask<Row>(query: Query<Row>): Promise<Row[]>;
  readonly now: Date;
  readonly networks: Networks;
  /**
   * The parts in which to search a window when the newest rows may be enough: newest first and longer and longer where
   * reading costs money; elsewhere the window as it is.
   */
  parts(window: TimeRange): readonly TimeRange[];
  /** Shows partial results while events before `until` are still being searched. */
  showPartial(found: Finding, until: Date): void;
  /** What the trail is known to hold, without a query. */
  extent(): Promise<Extent>;
  /** The queries that were paid for in a window, oldest first; undefined where queries are free. */
  billed(window: TimeRange): Promise<readonly BilledQuery[] | undefined>;
}

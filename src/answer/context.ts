/** What a command or a report can use: the trail, the time, known networks, and the queries that were billed. */
import type { Extent } from '../trail/engine.ts';
import type { Filter } from '../trail/filter.ts';
import type { Folders } from '../trail/folders.ts';
import type { KeptDays } from '../trail/kept-days.ts';
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
  /** Why they are outdated or missing. */
  readonly fault: RangesFault | null;
}

/** Why AWS's published ranges could not be read. */
interface RangesFault {
  /** The URL or file. */
  readonly source: string;
  /** The error, as a sentence that continues after the source. */
  readonly why: string;
}

/** The networks that are known to be trusted or AWS's. */
export interface Networks {
  /** The networks in the setting TRUSTED_CIDRS, if it is set. */
  readonly trusted?: AddressSet;
  aws(): Promise<AwsAddresses>;
}

/** Knows no addresses: none is trusted, and none belongs to AWS. */
export const unknownNetworks: Networks = {
  aws: async () => ({ has: () => false, asOf: null, fault: null }),
};

/** Rows that were read of a range, and when. */
export interface KnownRows<Row> extends TimeRange {
  readonly rows: readonly Row[];
  readonly readAt: Date;
}

/** Remembers rows about days that are over, by a key for what is counted. */
export interface RowMemory {
  find<Row>(key: string): KnownRows<Row> | undefined;
  store<Row>(key: string, known: KnownRows<Row>): void;
}

/** One query that cost money. */
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

/** Everything that a command or a report can use. */
export interface Context {
  ask<Row>(query: Query<Row>): Promise<Row[]>;
  /**
   * Reads all rows of a query without a limit: the first `count` at once, the others as they are printed. Only in an export, for which
   * the rows of a table are not limited.
   */
  readonly askAll?: <Row>(query: Query<Row>, count: number) => Promise<{ readonly rows: Row[]; readonly rest?: AsyncIterable<Row> }>;
  readonly now: Date;
  /** The requester's zone, an IANA name. Times in data are in UTC; it says which hours are of one day or one week. */
  readonly timeZone: string;
  readonly networks: Networks;
  /** The days of delivery of which the engine keeps `activity` and `mentions`, so that a question need not read their events. */
  readonly kept: KeptDays;
  /** The folders that can have events which match all filters of a line; undefined for all, or on an engine that reads no folders. */
  foldersOf(filters: readonly Filter[]): Folders | undefined;
  /**
   * The parts in which to search a window when the newest rows may be enough: newest first and longer and longer where
   * reading costs money; elsewhere the window as it is.
   */
  parts(window: TimeRange): readonly TimeRange[];
  /** What need not be read again; undefined where reading costs nothing. */
  readonly known?: RowMemory;
  /** Shows partial results while events before `until` are still being searched. */
  showPartial(found: Finding, until: Date): void;
  /** The accounts, regions and times that the trail is known to have, without a query. */
  extent(): Promise<Extent>;
  /** The billed queries in a window, oldest first; undefined when queries are free. */
  billed(window: TimeRange): Promise<readonly BilledQuery[] | undefined>;
}

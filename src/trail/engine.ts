/** The interface of a query engine: Athena in production, DuckDB on a laptop and in tests. */
import type { KnownFolders } from './folders.ts';
import type { KeptDays } from './kept-days.ts';
import type { Query, Reading, Sql } from './sql.ts';

/** A row as an engine returns it. Athena returns every cell as text or null, so every engine does. */
export type RawRow = Readonly<Record<string, string | null>>;

/** What a statement cost. Everything but the time is missing from engines that do not know it. */
export interface Cost {
  readonly ms: number;
  readonly bytes?: number;
  readonly dollars?: number;
  readonly queryId?: string;
  /** True for a query that should read log files and found none. */
  readonly readNothing?: true;
}

/** The parts of an expected cost, in dollars. */
export interface CostParts {
  /** The engine's own price for the bytes scanned. */
  readonly scan: number;
  /** Opening files. */
  readonly gets: number;
  /** Listing folders. */
  readonly lists: number;
  /** Reading from the storage classes that charge for it. */
  readonly retrieval: number;
  /** Decrypting each file with KMS. */
  readonly keys: number;
}

/** What a query is expected to read and cost. */
export interface Estimate {
  readonly bytes: number;
  /** The sum of its parts. */
  readonly dollars: number;
  readonly parts: CostParts;
  /** The log files that it opens. */
  readonly files: number;
  /** The folders of a day that it lists. */
  readonly folders: number;
  /** How long it takes. */
  readonly seconds: number;
}

/** The most that one query may read. Undefined for no limit, or one that is not known. */
export interface QueryLimits {
  /** The engine stops a query here, which is billed nevertheless. */
  readonly bytes?: number | undefined;
  /** Folders of a day. The engine refuses a query with more. */
  readonly folders?: number | undefined;
  /** Nobody waits longer than this for a query. */
  readonly seconds?: number | undefined;
}

/** What the trail covers, as far as the engine knows. */
export interface Extent {
  /** Null when counting them would cost a scan. */
  readonly events: number | null;
  /** eventTime of the oldest and of the newest event, ISO text in UTC; null for an empty trail. */
  readonly first: string | null;
  readonly last: string | null;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Files and events that could not be read and were skipped. */
  readonly skippedFiles: number;
  readonly skippedEvents: number;
  /** The days whose files are in an archive and cannot be read, as times in [from, to), ISO text in UTC. */
  readonly archived?: { readonly from: string; readonly to: string };
  /** Set when new files could not be loaded: when all files were loaded last, ISO text in UTC. */
  readonly loadedAt?: string;
}

/** The progress of a running statement. */
export interface QueryProgress {
  /** Its position in the queue, from 1; 0 once it runs. */
  readonly queuePosition: number;
  readonly ms: number;
  readonly bytes: number;
}

/** How to run a statement. It is stopped when the signal is aborted. */
export interface Execution {
  readonly signal: AbortSignal;
  /** Who asks. An engine with a limit on concurrent statements shares it fairly between requesters. */
  readonly requester?: string;
  /**
   * Names the work: a statement with the same token runs once, whoever starts it. Only on Athena. When it failed before this start, the
   * error is an `EarlierFailure`.
   */
  readonly token?: string;
  /** Called now and then by engines that report progress. */
  onProgress?(progress: QueryProgress): void;
  /** Called with the cost of each query that is billed, including failed and stopped ones. */
  onBilled?(cost: Cost): void;
}

/** Runs a query and returns its rows, typed. */
export type Ask = <Row>(query: Query<Row>) => Promise<Row[]>;

/** Called with each row as the engine returned it. */
type OnRow = (row: RawRow) => void;

/** Runs SQL over the relation `events`. */
export interface QueryEngine {
  /** Runs one statement. Rejects with the signal's reason once that is aborted. */
  execute(statement: Sql, execution: Execution): Promise<{ readonly rows: RawRow[]; readonly cost: Cost }>;
  /** The same for a result of any size: its rows are read as they are used. The cost is known before the first row. */
  stream(statement: Sql, execution: Execution): Promise<{ readonly rows: AsyncIterable<RawRow>; readonly cost: Cost }>;
  extent(): Promise<Extent>;
  /** The days of delivery of which it keeps `activity` and `mentions`. An engine without the method computes them from `events`. */
  kept?(): Promise<KeptDays>;
  /** The folders of the trail. An engine without the method reads all of them for every question. */
  folders?(): Promise<KnownFolders>;
  /** The estimated cost of reading these days; undefined when it is not known. Engines that cost nothing do not have the method. */
  estimate?(reads: readonly Reading[]): Promise<Estimate | undefined>;
  /** The limits for one query. Engines without any do not have the method. */
  limits?(): Promise<QueryLimits>;
  close(): Promise<void>;
}

/**
 * Runs a query and parses its rows; a row of another shape throws. CloudTrail may deliver an event twice ("you may receive log
 * files that contain one or more duplicate events", CloudTrail User Guide), so of rows with the same `eventid` only the first is
 * returned.
 */
export async function runQuery<Row>(
  engine: QueryEngine,
  query: Query<Row>,
  execution: Execution,
  onRow: OnRow = () => undefined,
): Promise<{ readonly rows: Row[]; readonly cost: Cost }> {
  const { rows, cost } = await engine.execute(query, execution);
  for (const row of rows) onRow(row);
  const seen = new Set<string>();
  const isRepeated = ({ eventid }: RawRow): boolean => {
    if (eventid === null || eventid === undefined) return false;
    const repeated = seen.has(eventid);
    seen.add(eventid);
    return repeated;
  };
  return { rows: rows.filter((row) => !isRepeated(row)).map((row) => query.row.parse(row)), cost };
}

/**
 * The same for a result of any size. A repeated event is found only next to the first one, where it is in every list of events: they
 * are ordered by time and id.
 */
export async function streamQuery<Row>(
  engine: QueryEngine,
  query: Query<Row>,
  execution: Execution,
  onRow: OnRow = () => undefined,
): Promise<{ readonly rows: AsyncGenerator<Row>; readonly cost: Cost }> {
  const { rows, cost } = await engine.stream(query, execution);
  async function* parsed() {
    let last: string | null | undefined;
    for await (const row of rows) {
      const { eventid } = row;
      onRow(row);
      if (eventid === null || eventid === undefined || eventid !== last) yield query.row.parse(row);
      last = eventid;
    }
  }
  return { rows: parsed(), cost };
}

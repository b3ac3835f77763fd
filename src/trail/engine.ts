/** The seam between asking and answering: Athena in production, DuckDB on a laptop and in tests. */
import type { Days, Query, Sql } from './sql.ts';

/** A row as it comes off the wire. Athena sends every cell as text or nothing, so every engine does. */
export type RawRow = Readonly<Record<string, string | null>>;

/** What a statement took. All but the time is given by engines that know it. */
export interface Cost {
  readonly ms: number;
  readonly bytes?: number;
  readonly dollars?: number;
  readonly queryId?: string;
}

/** What reading is expected to take. */
export interface Estimate {
  readonly bytes: number;
  readonly dollars: number;
}

/** What the trail holds, as far as the engine knows: the ground an answer stands on. */
export interface Extent {
  /** Null where to count them would cost a scan. */
  readonly events: number | null;
  /** eventTime of the oldest and of the newest event, ISO text in UTC; null for an empty trail. */
  readonly first: string | null;
  readonly last: string | null;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Files and events that could not be read and were left out. */
  readonly asideFiles: number;
  readonly asideEvents: number;
}

/** How far a statement is. */
export interface QueryProgress {
  /** Its place among those that wait for a turn, from 1; 0 once it has one. */
  readonly queuePosition: number;
  readonly ms: number;
  readonly bytes: number;
}

/** How a statement is run: until the signal says that nobody waits for it any more. */
export interface Execution {
  readonly signal: AbortSignal;
  /** Who asks. An engine that takes only so many statements at once gives requesters their turns one after the other. */
  readonly requester?: string;
  /** Told now and then, by engines that can tell. */
  onProgress?(progress: QueryProgress): void;
  /** Told what each query took that is paid for: those that failed or were stopped, too. */
  onBilled?(cost: Cost): void;
}

/** Something that can run SQL over the relation `events`. */
export interface QueryEngine {
  /** Runs one statement. Rejects with the signal's reason once that is aborted. */
  execute(statement: Sql, execution: Execution): Promise<{ readonly rows: RawRow[]; readonly cost: Cost }>;
  extent(): Promise<Extent>;
  /** What it would take to read these days; undefined when nobody knows. An engine that costs nothing does not have it. */
  estimate?(reads: readonly Days[]): Promise<Estimate | undefined>;
  /** A statement that reads more bytes is stopped by the engine, and paid for; undefined where there is no such limit. */
  scanLimitBytes?(): Promise<number | undefined>;
  close(): Promise<void>;
}

/**
 * Runs a query and gives its rows their types. A row of another shape is our bug, and throws. CloudTrail may deliver an
 * event twice ("you may receive log files that contain one or more duplicate events", CloudTrail User Guide): of rows that
 * are events, each is there once.
 */
export async function runQuery<Row>(
  engine: QueryEngine,
  query: Query<Row>,
  execution: Execution,
): Promise<{ readonly rows: Row[]; readonly cost: Cost }> {
  const { rows, cost } = await engine.execute(query, execution);
  const seen = new Set<string>();
  const isRepeated = ({ eventid }: RawRow): boolean => {
    if (eventid === null || eventid === undefined) return false;
    const repeated = seen.has(eventid);
    seen.add(eventid);
    return repeated;
  };
  return { rows: rows.filter((row) => !isRepeated(row)).map((row) => query.row.parse(row)), cost };
}

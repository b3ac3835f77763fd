/** The embedded engine: runs Athena's SQL over a store, in a DuckDB without access to anything else. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, type DuckDBDataChunk, DuckDBInstance, type DuckDBResult, type DuckDBValue } from '@duckdb/node-api';
import { UserError } from '../src/errors.ts';
import { DISTINCT_SINGLES } from '../src/trail/activity.ts';
import type { Cost, Execution, Extent, QueryEngine, RawRow } from '../src/trail/engine.ts';
import { distinctEventCount } from '../src/trail/events.ts';
import type { Sql } from '../src/trail/sql.ts';
import { readLog, type StoreState } from './commit-log.ts';
import { DamagedStore, explainFailure } from './damage.ts';
import { KEPT_SHAPE, keptRelations } from './keep.ts';
import { loadedFolder } from './store-folder.ts';
import { macros, readParquet, SCHEMA_PART, skippedFilesQuery } from './store-schema.ts';

export interface EngineOptions {
  /** The most memory that its queries may use together, as DuckDB writes it. Default: 512MB. */
  readonly memory?: string;
  /** A folder for what does not fit into memory; no other engine may use it. Default: one in the store. */
  readonly spill?: string;
}

/** More rows than any question lists. DuckDB reads the other columns only for the rows that are returned. */
const LATE_MATERIALIZATION_ROWS = 20_000;

/** Each thread needs some of the memory. */
const MAX_THREADS = 4;
/** DuckDB's default is nine tenths of the free disk, which other things need. */
const MAX_SPILL = '4GB';

/** A new folder for what does not fit into memory. DuckDB makes it when it is needed. */
export const spillFolder = (store: string): string => join(store, `${SPILL_PREFIX}${randomUUID()}`);
export const SPILL_PREFIX = 'query-spill-';

/** Opens an engine in this process over a store that was loaded at least once. Later loads are visible too. */
export async function openDuckDB(folder: string, { memory = '512MB', spill }: EngineOptions = {}): Promise<QueryEngine> {
  const store = loadedFolder(folder);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(Math.min(availableParallelism(), MAX_THREADS)),
    memory_limit: memory,
    max_temp_directory_size: MAX_SPILL,
    temp_directory: spill ?? spillFolder(folder),
  });
  const setup = await instance.connect();
  // As in Athena: integer division, and UTC.
  await setup.run(`${macros}; set global integer_division = true; set global TimeZone = 'UTC'; set global parquet_metadata_cache = true`);
  await setup.run(`set global late_materialization_max_rows = ${LATE_MATERIALIZATION_ROWS}`);
  await setup.run(`set allowed_directories = ['${store.replaceAll("'", "''")}/']; set enable_external_access = false; set lock_configuration = true`);
  let state: StoreState | undefined;
  let skipped: SkippedCounts = { skippedFiles: 0, skippedEvents: 0 };

  /** Makes events visible that were loaded since the last call. */
  async function refresh(): Promise<StoreState> {
    const newest = await readLog(store);
    if (newest.version === state?.version) return state;
    try {
      const { activity, mentions } = keptRelations(store, newest);
      await setup.run(`create or replace view events as ${eventsRelation(store, newest)};
        create or replace view activity as ${activity}; create or replace view mentions as ${mentions}`);
      skipped = await countSkipped(setup, store, newest);
    } catch (error) {
      throw await explainFailure(error, store, newest);
    }
    state = newest;
    return newest;
  }
  // A damaged store does not keep trailbot from starting: each question says it.
  await refresh().catch((error: unknown) => {
    if (!(error instanceof DamagedStore)) throw error;
  });

  return {
    execute: (statement, execution) => onNewestParts(execution, () => run(statement, execution)),
    stream: (statement, execution) => onNewestParts(execution, () => runStream(statement, execution)),
    async kept() {
      return (await refresh()).kept === KEPT_SHAPE ? 'all' : [];
    },
    async extent() {
      return { ...storeExtent(await refresh()), ...skipped };
    },
    async close() {
      setup.closeSync();
      instance.closeSync();
    },
  };

  /** Runs a query; once more when another process merged and deleted the parts during it. */
  async function onNewestParts<Result>({ signal }: Execution, query: () => Promise<Result>): Promise<Result> {
    const { version } = await refresh();
    try {
      return await query();
    } catch (error) {
      if (signal.aborted) throw error;
      if ((await refresh()).version === version) throw await explainFailure(error, store, state);
      return await query().catch(async (again: unknown) => Promise.reject(await explainFailure(again, store, state)));
    }
  }

  async function run(statement: Sql, execution: Execution): Promise<{ rows: RawRow[]; cost: Cost }> {
    const started = performance.now();
    const { rows } = await runStream(statement, execution);
    const all: RawRow[] = [];
    for await (const row of rows) all.push(row);
    return { rows: all, cost: { ms: performance.now() - started } };
  }

  /** Runs a query up to its first rows. */
  async function runStream({ text, values }: Sql, { signal }: Execution): Promise<{ rows: AsyncGenerator<RawRow>; cost: Cost }> {
    signal.throwIfAborted();
    const connection = await instance.connect();
    const stop = () => connection.interrupt();
    signal.addEventListener('abort', stop);
    const close = () => {
      signal.removeEventListener('abort', stop);
      connection.closeSync();
    };
    const started = performance.now();
    try {
      // A store has each event once, so the distinct count is a plain count.
      const plain = text.replaceAll(distinctEventCount.text, 'count(*)').replaceAll(DISTINCT_SINGLES.text, 'count(singleid)');
      const result = await connection.stream(plain, [...values]);
      const first = await result.fetchChunk();
      return { rows: rowsFrom(result, first), cost: { ms: performance.now() - started } };
    } catch (error) {
      close();
      signal.throwIfAborted();
      throw withAdvice(error, memory);
    }

    async function* rowsFrom(result: DuckDBResult, first: DuckDBDataChunk | null): AsyncGenerator<RawRow> {
      const names = result.deduplicatedColumnNames();
      try {
        for (let chunk = first; chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          for (const row of chunk.getRowObjects(names)) yield textRow(row);
        }
      } catch (error) {
        signal.throwIfAborted();
        throw withAdvice(await explainFailure(error, store, state), memory);
      } finally {
        close();
      }
    }
  }
}

/** What to do about a query that needs too much memory; other errors unchanged. */
const withAdvice = (error: unknown, memory: string): unknown =>
  /^Out of Memory/i.test(error instanceof Error ? error.message : '')
    ? new UserError(
        `This question needs more memory than the ${memory} it may use. Ask about a shorter time, or with more filters or fewer fields in by:.`,
      )
    : error;

const textRow = (row: Readonly<Record<string, DuckDBValue>>): RawRow =>
  Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell === null ? null : String(cell)]));

function eventsRelation(store: string, { parts }: StoreState): string {
  const files = [SCHEMA_PART, ...parts.map(({ file }) => file)];
  return `select *, arns_of(resourcesjson) as resources, json_extract_string(tlsdetails, '$.tlsVersion') as tlsversion, account || '/CloudTrail/' || region as folder from ${readParquet(store, files, ', hive_partitioning = true, hive_types_autocast = false')}`;
}

type SkippedCounts = Pick<Extent, 'skippedFiles' | 'skippedEvents'>;

async function countSkipped(connection: DuckDBConnection, store: string, { files }: StoreState): Promise<SkippedCounts> {
  if (files.length === 0) return { skippedFiles: 0, skippedEvents: 0 };
  const reader = await connection.runAndReadAll(
    `select count(distinct path), coalesce(sum(skipped), 0)::bigint from (${skippedFilesQuery(store, files)})`,
  );
  const [skippedFiles = 0, skippedEvents = 0] = (reader.getRows()[0] ?? []).map(Number);
  return { skippedFiles, skippedEvents };
}

function storeExtent({ parts, accounts, regions }: StoreState): Omit<Extent, keyof SkippedCounts> {
  const events = parts.reduce((sum, { rows }) => sum + rows, 0);
  const first = parts.reduce<string | null>((least, part) => (least === null || part.first < least ? part.first : least), null);
  const last = parts.reduce<string | null>((most, part) => (most === null || part.last > most ? part.last : most), null);
  return { events, first, last, accounts, regions };
}

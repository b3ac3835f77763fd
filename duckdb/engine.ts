/** The embedded engine: answers Athena's SQL from a store, in a DuckDB that can reach nothing else. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Cost, Execution, Extent, QueryEngine, RawRow } from '../src/trail/engine.ts';
import { distinctEventCount } from '../src/trail/events.ts';
import type { Sql } from '../src/trail/sql.ts';
import { readLog, type StoreState } from './commit-log.ts';
import { asideIn, macros, parquet, SCHEMA_PART } from './shape.ts';

const MEMORY = '512MB';
/** More rows than any question lists. */
const MOST_ROWS_LATE = 20_000;

/** Opens the engine over a store that was loaded at least once. It sees what is loaded later, too. */
export async function openDuckDB(folder: string): Promise<QueryEngine> {
  const store = resolve(folder);
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(availableParallelism()),
    memory_limit: MEMORY,
    temp_directory: join(store, 'query-spill'),
  });
  const setup = await instance.connect();
  // What Athena does: integers divide to integers, time is UTC.
  await setup.run(`${macros}; set global integer_division = true; set global TimeZone = 'UTC'; set global parquet_metadata_cache = true`);
  // A list's other columns are read for the rows that are listed, not for all that were looked at.
  await setup.run(`set global late_materialization_max_rows = ${MOST_ROWS_LATE}`);
  await setup.run(`set allowed_directories = ['${store.replaceAll("'", "''")}/']; set enable_external_access = false; set lock_configuration = true`);
  let state: StoreState | undefined;
  let aside: Aside = { asideFiles: 0, asideEvents: 0 };

  /** Takes up what was loaded since. */
  async function refresh(): Promise<StoreState> {
    const newest = await readLog(store);
    if (newest.version === state?.version) return state;
    await setup.run(`create or replace view events as ${relation(store, newest)}`);
    aside = await countAside(setup, store, newest);
    state = newest;
    return newest;
  }
  await refresh();

  return {
    async execute(statement, execution) {
      const { version } = await refresh();
      try {
        return await run(statement, execution);
      } catch (error) {
        // Another process may have made one part of many while we read them, and removed the many: then we ask again.
        if (execution.signal.aborted || (await refresh()).version === version) throw error;
        return await run(statement, execution);
      }
    },
    async extent() {
      return { ...extentOf(await refresh()), ...aside };
    },
    async close() {
      setup.closeSync();
      instance.closeSync();
    },
  };

  async function run({ text, values }: Sql, { signal }: Execution): Promise<{ rows: RawRow[]; cost: Cost }> {
    signal.throwIfAborted();
    const connection = await instance.connect();
    const stop = () => connection.interrupt();
    signal.addEventListener('abort', stop);
    const started = performance.now();
    try {
      // A store holds each event once, so there is nothing to tell apart.
      const rows = await read(connection, text.replaceAll(distinctEventCount.text, 'count(*)'), values);
      return { rows, cost: { ms: performance.now() - started } };
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      connection.closeSync();
    }
  }
}

async function read(connection: DuckDBConnection, text: string, values: readonly (string | number)[]): Promise<RawRow[]> {
  const reader = await connection.runAndReadAll(text, [...values]);
  return reader
    .getRowObjects()
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell === null ? null : String(cell)])));
}

function relation(store: string, { parts }: StoreState): string {
  const files = [SCHEMA_PART, ...parts.map(({ file }) => file)];
  return `select *, arns_of(resourcesjson) as resources, json_extract_string(tlsdetails, '$.tlsVersion') as tlsversion from ${parquet(store, files, ', hive_partitioning = true, hive_types_autocast = false')}`;
}

type Aside = Pick<Extent, 'asideFiles' | 'asideEvents'>;

async function countAside(connection: DuckDBConnection, store: string, { files }: StoreState): Promise<Aside> {
  if (files.length === 0) return { asideFiles: 0, asideEvents: 0 };
  const reader = await connection.runAndReadAll(`select count(distinct path), coalesce(sum(aside), 0)::bigint from (${asideIn(store, files)})`);
  const [asideFiles = 0, asideEvents = 0] = (reader.getRows()[0] ?? []).map(Number);
  return { asideFiles, asideEvents };
}

function extentOf({ parts, accounts, regions }: StoreState): Omit<Extent, keyof Aside> {
  const events = parts.reduce((sum, { rows }) => sum + rows, 0);
  const first = parts.reduce<string | null>((least, part) => (least === null || part.first < least ? part.first : least), null);
  const last = parts.reduce<string | null>((most, part) => (most === null || part.last > most ? part.last : most), null);
  return { events, first, last, accounts, regions };
}

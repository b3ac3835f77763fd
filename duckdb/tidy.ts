/** Makes one of many: what frequent loads leave behind is small parts and a long log, and both cost every later question. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Part, type StoreState, settle, writeCommit } from './commit-log.ts';
import { PART_FORMAT, PART_ORDER, parquet, partFile, quoted, SCHEMA_PART } from './shape.ts';

/** A day with more small parts than this, and a log of more commits, are made one. */
const MOST_SMALL_PARTS_A_DAY = 6;
/** Parts with fewer rows are small. Larger ones stay: making one of them would cost much memory and gain little. */
const SMALL_ROWS = 8192;
const MOST_COMMITS = 24;
/** Files that no commit names are swept up when nobody can be reading them any more. */
const SWEEP_AFTER_MS = 10 * 60_000;

/** Tidies a store whose state is `state`, when it needs it. The commit it makes replaces all before it. */
export async function tidy(store: string, state: StoreState, connection: DuckDBConnection): Promise<void> {
  const small = state.parts.filter(({ rows }) => rows < SMALL_ROWS);
  const crowded = [...Map.groupBy(small, ({ day }) => day)].filter(([, parts]) => parts.length > MOST_SMALL_PARTS_A_DAY);
  if (crowded.length === 0 && state.since < MOST_COMMITS) return;
  const name = `tidy-${process.pid}-${Date.now().toString(36)}`;
  const going = new Set(crowded.flatMap(([, several]) => several));
  const parts = state.parts.filter((part) => !going.has(part));
  for (const [day, several] of crowded) parts.push(await merged(store, connection, day, several, name));
  const { accounts, regions } = state;
  const files = await rewritten(store, connection, state.files, `files/${name}.parquet`);
  const ids = await rewritten(store, connection, state.ids, `ids/${name}.parquet`);
  const next = { base: true, parts: parts.sort((a, b) => (a.file < b.file ? -1 : 1)), files, ids, accounts, regions };
  const made = [...parts.map(({ file }) => file), ...files, ...ids].filter((file) => file.includes(name));
  await settle(store, made);
  await writeCommit(store, state.version + 1, next);
  await sweep(store, new Set([SCHEMA_PART, ...next.parts.map(({ file }) => file), ...files, ...ids]));
}

async function merged(store: string, connection: DuckDBConnection, day: string, several: readonly Part[], name: string): Promise<Part> {
  const file = partFile(day, name);
  const from = parquet(
    store,
    several.map((part) => part.file),
    ', hive_partitioning = false',
  );
  await connection.run(`copy (select * from ${from} order by ${PART_ORDER}) to ${quoted(join(store, file))} (${PART_FORMAT})`);
  const times = several.flatMap(({ first, last }) => [first, last]).sort();
  return {
    file,
    day,
    rows: several.reduce((sum, { rows }) => sum + rows, 0),
    bytes: (await stat(join(store, file))).size,
    first: times[0] as string,
    last: times.at(-1) as string,
  };
}

async function rewritten(store: string, connection: DuckDBConnection, from: readonly string[], file: string): Promise<string[]> {
  if (from.length < 2) return [...from];
  await connection.run(`copy (select * from ${parquet(store, from)}) to ${quoted(join(store, file))} (format parquet, compression zstd)`);
  return [file];
}

async function sweep(store: string, named: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.parquet')) continue;
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(store.length + 1).replaceAll('\\', '/');
    if (!named.has(file) && Date.now() - (await stat(path)).mtimeMs > SWEEP_AFTER_MS) await rm(path, { force: true });
  }
}

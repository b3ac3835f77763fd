/** Merges the small parts and the long log that frequent loads leave, because both slow down every later question. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { type Part, type StoreState, writeCommit } from './commit-log.ts';
import { findDamage } from './damage.ts';
import { syncToDisk } from './durable-file.ts';
import { mergeKept } from './keep.ts';
import { checkRows, countRows, PART_FORMAT, PART_ORDER, partFile, readParquet, SCHEMA_PART, sqlQuoted } from './store-schema.ts';

/** A day with more small parts than this is merged. */
const MAX_SMALL_PARTS_PER_DAY = 6;
/** Parts with fewer rows are small. Merging larger ones would need much memory and gain little. */
const SMALL_ROWS = 8192;
/** A log with more commits since the last base is merged. */
const MAX_COMMITS = 24;
/** Files without a commit are deleted after this time, when no reader can still use them. */
const REMOVE_AFTER_MS = 10 * 60_000;

/** Merges parts and commits of a store if there are too many. Its commit replaces all commits before it. Then removes files without a commit. */
export async function compact(store: string, state: StoreState, connection: DuckDBConnection): Promise<void> {
  const small = state.parts.filter(({ rows }) => rows < SMALL_ROWS);
  const crowded = [...Map.groupBy(small, ({ day }) => day)].filter(([, parts]) => parts.length > MAX_SMALL_PARTS_PER_DAY);
  if (crowded.length === 0 && state.commitsSinceBase < MAX_COMMITS) {
    await removeUnreferenced(store, [...state.parts.map(({ file }) => file), ...state.files, ...state.ids, ...state.activity, ...state.mentions]);
    return;
  }
  const replaced = new Set(crowded.flatMap(([, dayParts]) => dayParts));
  // A damaged file is left as it is: merged, nothing would show the damage any more.
  if ((await findDamage(store, { ...state, parts: [...replaced] })).length > 0) return;
  const name = `compact-${process.pid}-${Date.now().toString(36)}`;
  const parts = state.parts.filter((part) => !replaced.has(part));
  const merged: Part[] = [];
  for (const [day, dayParts] of crowded) merged.push(await mergeParts(store, connection, day, dayParts, name));
  await checkRows(store, connection, Object.fromEntries(merged.map(({ file, rows }) => [file, rows])));
  const { accounts, regions, kept } = state;
  const files = await mergeFiles(store, connection, state.files, `files/${name}.parquet`);
  const ids = await mergeFiles(store, connection, state.ids, `ids/${name}.parquet`);
  const { activity, mentions } = await mergeKept(store, connection, state, name);
  const all = [...parts, ...merged].sort((a, b) => (a.file < b.file ? -1 : 1));
  const named = [...all.map(({ file }) => file), ...files, ...ids, ...activity, ...mentions];
  const created = await syncToDisk(
    store,
    named.filter((file) => file.includes(name)),
  );
  const sums = Object.fromEntries(named.map((file) => [file, created[file] ?? (state.sums[file] as number)]));
  await writeCommit(store, state.version + 1, { base: true, parts: all, files, ids, activity, mentions, kept, sums, accounts, regions });
  await removeUnreferenced(store, named);
}

async function mergeParts(store: string, connection: DuckDBConnection, day: string, dayParts: readonly Part[], name: string): Promise<Part> {
  const file = partFile(day, name);
  const from = readParquet(
    store,
    dayParts.map((part) => part.file),
    ', hive_partitioning = false',
  );
  await connection.run(`copy (select * from ${from} order by ${PART_ORDER}) to ${sqlQuoted(join(store, file))} (${PART_FORMAT})`);
  const times = dayParts.flatMap(({ first, last }) => [first, last]).sort();
  return {
    file,
    day,
    rows: dayParts.reduce((sum, { rows }) => sum + rows, 0),
    bytes: (await stat(join(store, file))).size,
    first: times[0] as string,
    last: times.at(-1) as string,
  };
}

async function mergeFiles(store: string, connection: DuckDBConnection, from: readonly string[], file: string): Promise<string[]> {
  if (from.length < 2) return [...from];
  await connection.run(`copy (select * from ${readParquet(store, from)}) to ${sqlQuoted(join(store, file))} (format parquet, compression zstd)`);
  const [before, after] = await Promise.all([from, [file]].map((files) => countRows(store, connection, files)));
  if (before !== after) throw new Error(`${file} has ${after} rows instead of ${before}`);
  return [file];
}

/** Removes what stopped loads, merges and mended stores left. */
async function removeUnreferenced(store: string, named: readonly string[]): Promise<void> {
  const referenced = new Set([SCHEMA_PART, ...named]);
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.parquet')) continue;
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(store.length + 1).replaceAll('\\', '/');
    if (!referenced.has(file) && Date.now() - (await stat(path)).mtimeMs > REMOVE_AFTER_MS) await rm(path, { force: true });
  }
}

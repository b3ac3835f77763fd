/**
 * The embedded store: log files loaded into Parquet, each file once, one folder per day, sorted by service and call so that
 * questions read little. It stores all columns of `events`, including derived ones.
 */
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import pLimit, { type LimitFunction } from 'p-limit';
import { UserError } from '../src/errors.ts';
import { readLog } from './commit-log.ts';
import { groupIgnored, type IgnoredGroup, readIgnored } from './ignored-paths.ts';
import { type LoadResult, runLoad } from './load.ts';
import { readParquet, SHAPE, skippedFilesQuery } from './store-schema.ts';

export type { IgnoredGroup } from './ignored-paths.ts';
export type { LoadResult } from './load.ts';

export interface LoadOptions {
  /** Folder of the trail, and a folder for the store only. */
  readonly trail: string;
  readonly store: string;
  readonly signal: AbortSignal;
  /** Called with the bytes of new log files read so far, and in total. */
  onProgress?(done: number, total: number): void;
}

/** A skipped file, or a file with skipped events. `events` is 0 when the whole file was skipped. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
  readonly events: number;
}

/**
 * Loads new files of a trail. When a load is stopped or killed, the next one continues after the last commit.
 *
 * @throws UserError when the trail's folder does not exist, or the store belongs to another trail.
 */
export async function loadTrail({ trail, store, signal, onProgress }: LoadOptions): Promise<LoadResult> {
  const root = await realpath(trail).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory()) {
    throw new UserError(`The folder ${trail} does not exist. Set TRAIL_PATH to a copy of a trail's bucket.`);
  }
  const home = resolve(store);
  if (home.includes('='))
    throw new UserError(`The store cannot be in ${home}: DuckDB reads “=” in a path as a partition. Set STORE_PATH to another folder.`);
  await mkdir(home, { recursive: true });
  return loadsOf(home)(async () => {
    const lock = await lockStore(home, signal);
    try {
      await prepare(home, root);
      return await runLoad({ root, store: home, signal, onProgress });
    } finally {
      for (const folder of TEMPORARY_FOLDERS) await rm(join(home, folder), { recursive: true, force: true });
      lock.closeSync();
    }
  });
}

const queues = new Map<string, LimitFunction>();

/** The queue of this process for loads of one store: the file lock keeps out other processes only. */
function loadsOf(store: string): LimitFunction {
  const queue = queues.get(store) ?? pLimit(1);
  queues.set(store, queue);
  return queue;
}

/** Lists files that were skipped as a whole, then files with skipped events. */
export async function listSkipped(store: string): Promise<SkippedFile[]> {
  const { files } = await readLog(store);
  if (files.length === 0) return [];
  const rows = await queryStore(`${skippedFilesQuery(resolve(store), files)} order by skipped, path, reason`);
  return rows.map((row) => ({ path: String(row.path), reason: String(row.reason), events: Number(row.skipped) }));
}

/** What a trail's folder has besides log files, by reason. */
export async function listIgnored(store: string): Promise<IgnoredGroup[]> {
  const { files } = await readLog(store);
  const rows = files.length === 0 ? [] : await queryStore(`${skippedFilesQuery(resolve(store), files, { isOther: true })} order by reason, path`);
  return [...groupIgnored(rows.map((row) => ({ path: String(row.path), reason: String(row.reason) }))), ...(await readIgnored(store))];
}

/** Runs one query in a temporary DuckDB. */
async function queryStore(statement: string) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(statement)).getRowObjects();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const LOCK_RETRY_MS = 200;

/**
 * Keeps other processes from loading the same store at the same time. It is DuckDB's lock on a database file, which the
 * operating system releases when the process ends, however it ends.
 */
async function lockStore(store: string, signal: AbortSignal): Promise<DuckDBInstance> {
  const file = join(store, 'writer.duckdb');
  for (;;) {
    signal.throwIfAborted();
    try {
      return await DuckDBInstance.create(file);
    } catch (error) {
      if (/could not set lock/i.test(String(error))) await sleep(LOCK_RETRY_MS, undefined, { signal });
      // A process killed while creating the file leaves an incomplete, unlocked one.
      else if (/not a valid duckdb database/i.test(String(error))) await rm(file, { force: true });
      else throw error;
    }
  }
}

const STORE_FOLDERS = ['log', 'events', 'files', 'ids'] as const;
/** Folders of a running load. Files found in them are left from a killed load. */
const TEMPORARY_FOLDERS = ['stage', 'spill'] as const;

/** The contents of store.json. */
interface Label {
  readonly shape: string;
  /** The folder of the trail at the last load. */
  readonly trail: string;
}

/**
 * Creates the folders of a store, and empties a store with another schema.
 *
 * @throws UserError when the store belongs to another trail.
 */
async function prepare(store: string, trail: string): Promise<void> {
  const file = join(store, 'store.json');
  // Without a complete label the store is rebuilt.
  const label = (await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined)) as Label | undefined;
  // A store that cannot be read, such as one with an older schema, may belong to another trail.
  if (label && label.trail !== trail && !(await hasLoadedFiles(trail, store).catch(() => false))) {
    throw new UserError(
      `The store ${store} belongs to the trail ${label.trail}, and its log files are not in ${trail}. Set STORE_PATH to another folder, or delete the store to load it again.`,
    );
  }
  if (label?.shape !== SHAPE) {
    for (const folder of STORE_FOLDERS) await rm(join(store, folder), { recursive: true, force: true });
  }
  if (label?.shape !== SHAPE || label.trail !== trail) {
    await writeFile(`${file}.new`, JSON.stringify({ shape: SHAPE, trail } satisfies Label), { flush: true });
    await rename(`${file}.new`, file);
  }
  for (const folder of TEMPORARY_FOLDERS) await rm(join(store, folder), { recursive: true, force: true });
  for (const folder of [...STORE_FOLDERS, ...TEMPORARY_FOLDERS]) await mkdir(join(store, folder), { recursive: true });
}

/** Number of files of the newest load that are compared. */
const COMPARED_FILES = 100;

/**
 * True when a trail has the files of the store's newest load: it is the same trail, moved or copied. Older files may have
 * expired. An empty store fits any trail.
 */
async function hasLoadedFiles(trail: string, store: string): Promise<boolean> {
  const { files } = await readLog(store);
  if (files.length === 0) return true;
  const loaded = await queryStore(`with loaded as (select path, size, load from ${readParquet(store, files)} where reason is null)
    select path, size from loaded where load = (select max(load) from loaded) order by path desc limit ${COMPARED_FILES}`);
  const isInTrail = async ({ path, size }: (typeof loaded)[number]) => {
    const found = await stat(join(trail, String(path))).catch(() => undefined);
    return found?.size === Number(size);
  };
  return loaded.length > 0 && (await Promise.all(loaded.map(isInTrail))).every(Boolean);
}

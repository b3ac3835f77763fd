/**
 * The embedded store: log files loaded into Parquet, each file once, one folder per day, sorted by service and call so that
 * questions read little. It stores all columns of `events`, including derived ones.
 */
import { mkdir, realpath, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import pLimit, { type LimitFunction } from 'p-limit';
import { UserError } from '../src/errors.ts';
import { readLog } from './commit-log.ts';
import { type DamagedFile, explainFailure, findDamage } from './damage.ts';
import { groupIgnored, type IgnoredGroup, readIgnored } from './ignored-paths.ts';
import { type LoadResult, runLoad } from './load.ts';
import { storeFault } from './store-fault.ts';
import { ensurePrivateFolder, findLabel, loadedFolder, readLastLoad, removeUnused, writeLabel, writeLastLoad } from './store-folder.ts';
import { lockStore } from './store-lock.ts';
import { readParquet, skippedFilesQuery } from './store-schema.ts';

export type { IgnoredGroup } from './ignored-paths.ts';
export type { LoadResult } from './load.ts';

export interface LoadOptions {
  /** Folder of the trail, and a folder for the store only. */
  readonly trail: string;
  readonly store: string;
  readonly signal: AbortSignal;
  /** Called with the bytes of new log files read so far, and in total. */
  onProgress?(done: number, total: number): void;
  /** Reads the whole trail again and replaces what was loaded, in one step at the end. Default: false. */
  readonly isRebuild?: boolean;
  /** How long another process may keep the lock of a store that was loaded before, in ms. */
  readonly maxLockWaitMs?: number;
}

/** A skipped file, or a file with skipped events. `events` is 0 when the whole file was skipped. */
export interface SkippedFile {
  readonly path: string;
  readonly reason: string;
  readonly events: number;
}

/** Another process loads new files in this time. */
const MAX_LOCK_WAIT_MS = 30_000;

/** The store belongs to another trail, so that its events would be answers about the wrong trail. */
export class OtherTrail extends UserError {}

/**
 * Loads new files of a trail. When a load is stopped or killed, the next one continues after the last commit.
 *
 * @throws OtherTrail when the store belongs to another trail.
 * @throws UserError when the trail cannot be read, or the store cannot be written or is damaged.
 */
export async function loadTrail({
  trail,
  store,
  signal,
  onProgress,
  isRebuild = false,
  maxLockWaitMs = MAX_LOCK_WAIT_MS,
}: LoadOptions): Promise<LoadResult> {
  const root = await realpath(trail).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory()) {
    throw new UserError(`The folder ${trail} does not exist. Set TRAIL_PATH to a copy of a trail's bucket.`);
  }
  const home = resolve(store);
  if (home.includes('='))
    throw new UserError(`The store cannot be in ${home}: DuckDB reads “=” in a path as a partition. Set STORE_PATH to another folder.`);
  const folder = loadedFolder(home);
  return loadsOf(home)(async () => {
    try {
      await ensurePrivateFolder(home);
      await ensurePrivateFolder(folder);
      // Until the first load has ended there is nothing to answer from, so it is waited for.
      const maxWaitMs = readLastLoad(home) === null ? Number.POSITIVE_INFINITY : maxLockWaitMs;
      const lock = await lockStore(folder, { signal, maxWaitMs });
      try {
        await prepare(home, root);
        const loaded = await runLoad({ root, store: folder, signal, onProgress, isRebuild });
        await writeLastLoad(home, new Date());
        await removeUnused(home, new Date(), signal);
        return loaded;
      } finally {
        for (const name of TEMPORARY_FOLDERS) await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
        lock.release();
      }
    } catch (error) {
      signal.throwIfAborted();
      const state = await readLog(folder).catch(() => undefined);
      throw storeFault(await explainFailure(error, folder, state), home);
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

/** When all files of the trail were loaded last, as ISO text in UTC; null for a store whose first load has not ended. */
export const lastLoadOf = (store: string): string | null => readLastLoad(store);

/** Lists files that were skipped as a whole, then files with skipped events. */
export async function listSkipped(store: string): Promise<SkippedFile[]> {
  const folder = loadedFolder(store);
  const { files } = await readLog(folder);
  if (files.length === 0) return [];
  const rows = await queryStore(`${skippedFilesQuery(folder, files)} order by skipped, path, reason`);
  return rows.map((row) => ({ path: String(row.path), reason: String(row.reason), events: Number(row.skipped) }));
}

/** What a trail's folder has besides log files, by reason. */
export async function listIgnored(store: string): Promise<IgnoredGroup[]> {
  const folder = loadedFolder(store);
  const { files } = await readLog(folder);
  const rows = files.length === 0 ? [] : await queryStore(`${skippedFilesQuery(folder, files, { isOther: true })} order by reason, path`);
  return [...groupIgnored(rows.map((row) => ({ path: String(row.path), reason: String(row.reason) }))), ...(await readIgnored(folder))];
}

/**
 * Reads the whole store, and lists the files that are not as they were written.
 *
 * @throws DamagedStore when a commit cannot be read.
 */
export async function listDamaged(store: string): Promise<DamagedFile[]> {
  const folder = loadedFolder(store);
  return findDamage(folder, await readLog(folder));
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

const STORE_FOLDERS = ['log', 'events', 'files', 'ids', 'activity', 'mentions'] as const;
/** Folders of a running load. Files found in them are left from a killed load. */
const TEMPORARY_FOLDERS = ['stage', 'spill'] as const;

/**
 * Creates the folders of a store.
 *
 * @throws OtherTrail when the store belongs to another trail.
 */
async function prepare(home: string, trail: string): Promise<void> {
  const label = await findLabel(home);
  const folder = loadedFolder(home);
  // A folder that cannot be read, such as one of a much older version, may belong to another trail.
  if (label && label.trail !== trail && !(await isOf(trail, label.folder))) {
    throw new OtherTrail(
      `The store ${home} belongs to the trail ${label.trail}, and its log files are not in ${trail}. Set STORE_PATH to another folder, or delete the store to load it again.`,
    );
  }
  // Without its own label, nobody knows of which trail it is.
  if (label?.folder !== folder && !(await isOf(trail, folder))) {
    throw new OtherTrail(
      `The store ${home} has log files that are not in ${trail}, and does not say of which trail. Set STORE_PATH to another folder, or delete the store to load it again.`,
    );
  }
  if (label?.folder !== folder || label.trail !== trail) await writeLabel(home, trail);
  for (const name of TEMPORARY_FOLDERS) await rm(join(folder, name), { recursive: true, force: true });
  for (const name of [...STORE_FOLDERS, ...TEMPORARY_FOLDERS]) await mkdir(join(folder, name), { recursive: true });
}

/** True when a folder with a loaded trail has files of this trail. One that cannot be read may be of another. */
const isOf = (trail: string, folder: string): Promise<boolean> => hasLoadedFiles(trail, folder).catch(() => false);

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

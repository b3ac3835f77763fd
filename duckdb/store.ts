/**
 * The embedded store: the files of a trail, loaded once each into Parquet, one folder a day, sorted by service and call
 * so that a later question reads little. `events` lies there with all of its columns, the derived ones too.
 */
import { mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../src/errors.ts';
import { readLog } from './commit-log.ts';
import { type Loaded, load } from './load.ts';
import { asideIn, parquet, SHAPE } from './shape.ts';

export type { Loaded } from './load.ts';

export interface LoadOptions {
  /** Folder of the trail, and folder that the store may have for itself. */
  readonly trail: string;
  readonly store: string;
  readonly signal: AbortSignal;
  /** Bytes of trail files read so far, of those that are new. */
  onProgress?(done: number, total: number): void;
}

/** A file, or events of a file, that could not be loaded. `events` is 0 when the whole file was set aside. */
export interface Aside {
  readonly path: string;
  readonly reason: string;
  readonly events: number;
}

/**
 * Loads what is new in a trail. Stopped or killed at any moment, the next load goes on where the last commit was.
 *
 * @throws UserError when the trail is not there, or the store holds another trail.
 */
export async function loadTrail({ trail, store, signal, onProgress }: LoadOptions): Promise<Loaded> {
  const root = await realpath(trail).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory()) {
    throw new UserError(`There is no folder ${trail}. Set TRAIL_PATH to a copy of a trail's bucket.`);
  }
  const home = resolve(store);
  if (home.includes('='))
    throw new UserError(`The store cannot be at ${home}: DuckDB reads “=” in a path as a partition. Set STORE_PATH to another folder.`);
  await mkdir(home, { recursive: true });
  return afterOthers(home, async () => {
    await using _lock = await lockStore(home, signal);
    await prepare(home, root);
    try {
      return await load({ root, store: home, signal, onProgress });
    } finally {
      for (const folder of WORK) await rm(join(home, folder), { recursive: true, force: true });
    }
  });
}

const loading = new Map<string, Promise<unknown>>();

/** Runs `work` after what this process already does with the same store: a lock between processes does not part those of one. */
function afterOthers<T>(store: string, work: () => Promise<T>): Promise<T> {
  const result = (loading.get(store) ?? Promise.resolve()).then(work);
  const ended = result.catch(() => undefined);
  loading.set(store, ended);
  return result.finally(() => loading.get(store) === ended && loading.delete(store));
}

/** What was set aside: whole files first, then files of which some events were. */
export async function listAside(store: string): Promise<Aside[]> {
  const { files } = await readLog(store);
  if (files.length === 0) return [];
  const rows = await rowsOf(`${asideIn(resolve(store), files)} order by aside, path, reason`);
  return rows.map((row) => ({ path: String(row.path), reason: String(row.reason), events: Number(row.aside) }));
}

/** The rows of one statement, in a DuckDB of its own. */
async function rowsOf(statement: string) {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(statement)).getRowObjects();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const LOOK_AGAIN_MS = 200;

/**
 * Keeps other processes from loading the same store at once. The lock is DuckDB's own on a database file: the system
 * lets go of it when a process ends, however it ends, so none is ever left behind.
 */
async function lockStore(store: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const file = join(store, 'writer.duckdb');
  for (;;) {
    signal.throwIfAborted();
    try {
      const instance = await DuckDBInstance.create(file);
      return { [Symbol.asyncDispose]: async () => instance.closeSync() };
    } catch (error) {
      if (/could not set lock/i.test(String(error))) await sleep(LOOK_AGAIN_MS, undefined, { signal });
      // A process that was killed as it made the file leaves half of one, which nobody holds.
      else if (/not a valid duckdb database/i.test(String(error))) await rm(file, { force: true });
      else throw error;
    }
  }
}

const KEPT = ['log', 'events', 'files', 'ids'] as const;
/** Folders of a load at work. What is found in them is of one that was killed. */
const WORK = ['stage', 'spill'] as const;

/** What a store says of itself. */
interface Label {
  readonly shape: string;
  /** Where the trail was when the store was loaded last. */
  readonly trail: string;
}

/** Makes the folders of a store; clears one of another shape; refuses one of another trail. */
async function prepare(store: string, trail: string): Promise<void> {
  const file = join(store, 'store.json');
  // A label that is not there or not whole is none: the store is built anew.
  const label = (await readFile(file, 'utf8')
    .then(JSON.parse)
    .catch(() => undefined)) as Label | undefined;
  // A store that cannot be read, as of an older shape, is not known to be of this trail.
  if (label && label.trail !== trail && !(await holdsWhatWasLoaded(trail, store).catch(() => false))) {
    throw new UserError(
      `The store ${store} holds the trail ${label.trail}, and the files that it was loaded from are not in ${trail}. Set STORE_PATH to another folder, or remove the store to load it anew.`,
    );
  }
  if (label?.shape !== SHAPE) {
    for (const folder of KEPT) await rm(join(store, folder), { recursive: true, force: true });
  }
  if (label?.shape !== SHAPE || label.trail !== trail) {
    await writeFile(`${file}.new`, JSON.stringify({ shape: SHAPE, trail } satisfies Label), { flush: true });
    await rename(`${file}.new`, file);
  }
  for (const folder of WORK) await rm(join(store, folder), { recursive: true, force: true });
  for (const folder of [...KEPT, ...WORK]) await mkdir(join(store, folder), { recursive: true });
}

/** So many files of the newest load tell whether a trail is the one that was loaded. */
const COMPARED_FILES = 100;

/**
 * Whether a trail has the files that the store was loaded from last: then it is the same trail in another place, moved
 * or copied. Older files may have expired meanwhile. A store that holds nothing may be of any trail.
 */
async function holdsWhatWasLoaded(trail: string, store: string): Promise<boolean> {
  const { files } = await readLog(store);
  if (files.length === 0) return true;
  const loaded = await rowsOf(`with loaded as (select path, size, load from ${parquet(store, files)} where reason is null)
    select path, size from loaded where load = (select max(load) from loaded) order by path desc limit ${COMPARED_FILES}`);
  const isThere = async ({ path, size }: (typeof loaded)[number]) => {
    const found = await stat(join(trail, String(path))).catch(() => undefined);
    return found?.size === Number(size);
  };
  return loaded.length > 0 && (await Promise.all(loaded.map(isThere))).every(Boolean);
}

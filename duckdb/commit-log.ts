/**
 * The store's commit log: one small JSON file per commit, written under a temporary name and renamed. Only files named in a
 * commit belong to the store; others are left from a stopped loader. So killing a load at any moment neither loses nor
 * duplicates an event, and readers need no lock.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const part = z.object({ file: z.string(), day: z.string(), rows: z.number(), bytes: z.number(), first: z.string(), last: z.string() });
/** A Parquet file with events of one day. `file` is relative to the store; `first` and `last` are eventTimes. */
export type Part = z.output<typeof part>;

const commit = z.object({
  /** True for a base, which replaces all earlier commits. */
  base: z.boolean(),
  parts: z.array(part),
  /** Parquet files with the log files that were read, and with the ids of the events in `parts`. */
  files: z.array(z.string()),
  ids: z.array(z.string()),
  accounts: z.array(z.string()),
  regions: z.array(z.string()),
});
export type Commit = z.output<typeof commit>;

/** The state of a store after all its commits. */
export interface StoreState extends Commit {
  /** The number of the newest commit, 0 for none. */
  readonly version: number;
  readonly commitsSinceBase: number;
}

const EMPTY: StoreState = { base: true, parts: [], files: [], ids: [], accounts: [], regions: [], version: 0, commitsSinceBase: 0 };

const logFolder = (store: string): string => join(store, 'log');
const commitFileName = (version: number): string => `${String(version).padStart(8, '0')}.json`;

/** Reads all commits of a store. A store that does not exist has none. */
export async function readLog(store: string): Promise<StoreState> {
  for (;;) {
    try {
      return await readCommits(store);
    } catch (error) {
      // tmp
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function readCommits(store: string): Promise<StoreState> {
  const names = (await readdir(logFolder(store)).catch(() => [])).filter((name) => /^\d{8}\.json$/.test(name)).sort();
  let state = EMPTY;
  for (const name of names) {
    const next = commit.parse(JSON.parse(await readFile(join(logFolder(store), name), 'utf8')));
    state = { ...applyCommit(state, next), version: Number.parseInt(name, 10) };
  }
  return state;
}

/** The state of a store after one more commit. */
export function applyCommit(state: StoreState, next: Commit): StoreState {
  const before = next.base ? EMPTY : state;
  return {
    base: next.base,
    parts: [...before.parts, ...next.parts],
    files: [...before.files, ...next.files],
    ids: [...before.ids, ...next.ids],
    accounts: [...new Set([...before.accounts, ...next.accounts])].sort(),
    regions: [...new Set([...before.regions, ...next.regions])].sort(),
    version: state.version + 1,
    commitsSinceBase: next.base ? 0 : state.commitsSinceBase + 1,
  };
}

/** Writes a commit. Its files must be on disk already (`syncToDisk`). A base deletes the commits before it. */
export async function writeCommit(store: string, version: number, next: Commit): Promise<void> {
  const folder = logFolder(store);
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${commitFileName(version)}.new`);
  await writeFile(temporary, JSON.stringify(next), { flush: true });
  await rename(temporary, join(folder, commitFileName(version)));
  if (!next.base) return;
  for (const name of await readdir(folder)) if (name < commitFileName(version)) await rm(join(folder, name), { force: true });
}

/** Flushes files of the store to disk. */
export async function syncToDisk(store: string, files: readonly string[]): Promise<void> {
  const one = async (file: string): Promise<void> => {
    const handle = await open(join(store, file), 'r+');
    await handle.sync();
    await handle.close();
  };
  await Promise.all(files.map(one));
}

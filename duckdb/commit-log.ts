/**
 * The store's log: one small JSON file a commit, written aside and renamed into place. What a commit names is in the
 * store, everything else in its folders is the remains of a loader that was stopped; so a kill at any moment neither
 * loses nor doubles an event. Readers need no lock: a commit is there whole or not at all.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const part = z.object({ file: z.string(), day: z.string(), rows: z.number(), bytes: z.number(), first: z.string(), last: z.string() });
/** A Parquet file of events of one day, relative to the store. `first` and `last` are eventTimes. */
export type Part = z.output<typeof part>;

const commit = z.object({
  /** A base says everything anew: earlier commits no longer count. */
  base: z.boolean(),
  parts: z.array(part),
  /** Parquet files of the trail files that were read, and of the ids of the events in `parts`. */
  files: z.array(z.string()),
  ids: z.array(z.string()),
  accounts: z.array(z.string()),
  regions: z.array(z.string()),
});
export type Commit = z.output<typeof commit>;

/** The state of a store: all of its commits, taken together. */
export interface StoreState extends Commit {
  /** The number of the newest commit, 0 for none; and how many have been since the last base. */
  readonly version: number;
  readonly since: number;
}

const EMPTY: StoreState = { base: true, parts: [], files: [], ids: [], accounts: [], regions: [], version: 0, since: 0 };

const logFolder = (store: string): string => join(store, 'log');
const nameOf = (version: number): string => `${String(version).padStart(8, '0')}.json`;

/** Reads all commits of a store. A store that is not there has none. */
export async function readLog(store: string): Promise<StoreState> {
  for (;;) {
    try {
      return await readCommits(store);
    } catch (error) {
      // Between listing and reading, a base took the place of the commits before it: it is read instead.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function readCommits(store: string): Promise<StoreState> {
  const names = (await readdir(logFolder(store)).catch(() => [])).filter((name) => /^\d{8}\.json$/.test(name)).sort();
  let state = EMPTY;
  for (const name of names) {
    const next = commit.parse(JSON.parse(await readFile(join(logFolder(store), name), 'utf8')));
    state = { ...added(state, next), version: Number.parseInt(name, 10) };
  }
  return state;
}

/** The state of a store after one more commit. */
export function added(state: StoreState, next: Commit): StoreState {
  const before = next.base ? EMPTY : state;
  return {
    base: next.base,
    parts: [...before.parts, ...next.parts],
    files: [...before.files, ...next.files],
    ids: [...before.ids, ...next.ids],
    accounts: [...new Set([...before.accounts, ...next.accounts])].sort(),
    regions: [...new Set([...before.regions, ...next.regions])].sort(),
    version: state.version + 1,
    since: next.base ? 0 : state.since + 1,
  };
}

/** Makes a commit. What it names must be settled already. A base makes the log before it superfluous, and removes it. */
export async function writeCommit(store: string, version: number, next: Commit): Promise<void> {
  const folder = logFolder(store);
  await mkdir(folder, { recursive: true });
  const aside = join(folder, `${nameOf(version)}.new`);
  await writeFile(aside, JSON.stringify(next), { flush: true });
  await rename(aside, join(folder, nameOf(version)));
  if (!next.base) return;
  for (const name of await readdir(folder)) if (name < nameOf(version)) await rm(join(folder, name), { force: true });
}

/** Waits until files of the store are on the disk and not only on their way there. */
export async function settle(store: string, files: readonly string[]): Promise<void> {
  const one = async (file: string): Promise<void> => {
    const handle = await open(join(store, file), 'r+');
    await handle.sync();
    await handle.close();
  };
  await Promise.all(files.map(one));
}

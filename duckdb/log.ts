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
  /** How much was set aside, and how many events were there already. */
  asideFiles: z.number(),
  asideEvents: z.number(),
  duplicates: z.number(),
});
export type Commit = z.output<typeof commit>;

/** The state of a store: all of its commits, taken together. */
export interface StoreState extends Commit {
  /** The number of the newest commit, 0 for none; and how many have been since the last base. */
  readonly version: number;
  readonly since: number;
}

const EMPTY: StoreState = {
  base: true,
  parts: [],
  files: [],
  ids: [],
  accounts: [],
  regions: [],
  asideFiles: 0,
  asideEvents: 0,
  duplicates: 0,
  version: 0,
  since: 0,
};

const logFolder = (store: string): string => join(store, 'log');
const nameOf = (version: number): string => `${String(version).padStart(8, '0')}.json`;

/** Reads all commits of a store. A store that is not there has none. */
export async function readLog(store: string): Promise<StoreState> {
  const names = (await readdir(logFolder(store)).catch(() => [])).filter((name) => /^\d{8}\.json$/.test(name)).sort();
  let state = EMPTY;
  for (const name of names) {
    const next = commit.parse(JSON.parse(await readFile(join(logFolder(store), name), 'utf8')));
    const version = Number.parseInt(name, 10);
    state = next.base ? { ...next, version, since: 0 } : { ...added(state, next), version, since: state.since + 1 };
  }
  return state;
}

function added(state: StoreState, next: Commit): Commit {
  return {
    base: false,
    parts: [...state.parts, ...next.parts],
    files: [...state.files, ...next.files],
    ids: [...state.ids, ...next.ids],
    accounts: [...new Set([...state.accounts, ...next.accounts])].sort(),
    regions: [...new Set([...state.regions, ...next.regions])].sort(),
    asideFiles: state.asideFiles + next.asideFiles,
    asideEvents: state.asideEvents + next.asideEvents,
    duplicates: state.duplicates + next.duplicates,
  };
}

/** Makes a commit. What it names must be on disk already. A base makes the log before it superfluous, and removes it. */
export async function writeCommit(store: string, version: number, next: Commit): Promise<void> {
  const folder = logFolder(store);
  await mkdir(folder, { recursive: true });
  for (const file of [...next.parts.map((each) => each.file), ...next.files, ...next.ids]) await settle(join(store, file));
  const aside = join(folder, `${nameOf(version)}.new`);
  await writeFile(aside, JSON.stringify(next), { flush: true });
  await rename(aside, join(folder, nameOf(version)));
  if (!next.base) return;
  for (const name of await readdir(folder)) if (name < nameOf(version)) await rm(join(folder, name), { force: true });
}

/** Waits until a file is on the disk and not only on its way there. */
async function settle(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.sync();
  await handle.close();
}

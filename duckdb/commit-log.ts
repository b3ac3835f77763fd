/**
 * The store's commit log: one small JSON file per commit, written under a temporary name and renamed. Only files named in a
 * commit belong to the store; others are left from a stopped loader. So killing a load at any moment neither loses nor
 * duplicates an event, and readers need no lock.
 *
 * What is trusted: a commit counts only with all commits before it, up to a base or to the first. No crash leaves an unreadable
 * one, but a disk or a person may:
 *
 * - Readers then answer nothing, because events would be missing in silence.
 * - An unreadable newest commit counts as not written: its log files are not known as read, so the next load reads them again.
 * - Any other means that nobody knows what the store has: the next load builds it anew, and its one commit replaces all. It does not
 *   when a log file that was loaded is no longer there.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { damagedStore } from './damage.ts';
import { syncFolder, writeAside } from './durable-file.ts';

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
  /** Parquet files with the activity and the mentions of the events in `parts`, and the checksum of how they were made. Older stores have none. */
  activity: z.array(z.string()).default([]),
  mentions: z.array(z.string()).default([]),
  kept: z.string().default(''),
  /** The CRC-32 of each of these files. */
  sums: z.record(z.string(), z.number()),
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

const EMPTY: StoreState = {
  base: true,
  parts: [],
  files: [],
  ids: [],
  activity: [],
  mentions: [],
  kept: '',
  sums: {},
  accounts: [],
  regions: [],
  version: 0,
  commitsSinceBase: 0,
};

/** A store without anything, whose next commit comes after all that were written before. */
export const emptyState = (version: number): StoreState => ({ ...EMPTY, version });

const LOG = 'log';
const logFolder = (store: string): string => join(store, LOG);
const commitFileName = (version: number): string => `${String(version).padStart(8, '0')}.json`;

/**
 * Reads all commits of a store. A store that does not exist has none.
 *
 * @throws DamagedStore when a commit cannot be read.
 */
export async function readLog(store: string): Promise<StoreState> {
  const { state, fault } = await inspectLog(store);
  if (fault) throw damagedStore(store, [{ file: `${LOG}/${fault.name}`, reason: 'cannot be read' }]);
  return state;
}

/** A commit that cannot be read, or that is missing. */
interface LogFault {
  readonly name: string;
  /** True for the newest commit, with all commits before it in order. */
  readonly isNewest: boolean;
  /** The number of the newest commit. */
  readonly newest: number;
}

/** The state of a store up to the first commit that cannot be read. */
async function inspectLog(store: string): Promise<{ readonly state: StoreState; readonly fault?: LogFault }> {
  for (;;) {
    const names = await commitNames(store);
    const read = await readCommits(store, names);
    // A base may have replaced the commits after they were listed.
    if (!read.fault || isSame(names, await commitNames(store))) return read;
    await sleep(READ_AGAIN_MS);
  }
}

const READ_AGAIN_MS = 20;
const isSame = (a: readonly string[], b: readonly string[]): boolean => a.join() === b.join();

async function commitNames(store: string): Promise<string[]> {
  const names = await readdir(logFolder(store)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => /^\d{8}\.json$/.test(name)).sort();
}

async function readCommits(store: string, names: readonly string[]): Promise<{ state: StoreState; fault?: LogFault }> {
  const newest = Number.parseInt(names.at(-1) ?? '0', 10);
  let state = EMPTY;
  let fault: LogFault | undefined;
  for (const name of names) {
    const version = Number.parseInt(name, 10);
    const next = await readCommit(join(logFolder(store), name));
    // A base needs none of the commits before it, some of which may be deleted already.
    if (next?.base) fault = undefined;
    else if (!next) fault ??= { name, isNewest: state.version > 0 && version === state.version + 1 && version === newest, newest };
    else if (version !== state.version + 1) fault ??= { name: commitFileName(version - 1), isNewest: false, newest };
    if (next && !fault) state = { ...applyCommit(state, next), version };
  }
  return { state, ...(fault && { fault }) };
}

/** A commit; undefined when the file is not a whole one. */
async function readCommit(file: string): Promise<Commit | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  try {
    return commit.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The state of a store for a loader that has its lock. An unreadable newest commit is removed; when another cannot be read,
 * `isLost` is true, and the store must be built anew.
 */
export async function recoverLog(store: string): Promise<{ readonly state: StoreState; readonly isLost: boolean }> {
  const { state, fault } = await inspectLog(store);
  if (!fault) return { state, isLost: false };
  if (!fault.isNewest) return { state: emptyState(fault.newest), isLost: true };
  await rm(join(logFolder(store), fault.name), { force: true });
  return { state, isLost: false };
}

/** The state of a store after one more commit. */
export function applyCommit(state: StoreState, next: Commit): StoreState {
  const before = next.base ? EMPTY : state;
  return {
    base: next.base,
    parts: [...before.parts, ...next.parts],
    files: [...before.files, ...next.files],
    ids: [...before.ids, ...next.ids],
    activity: [...before.activity, ...next.activity],
    mentions: [...before.mentions, ...next.mentions],
    kept: next.kept,
    sums: { ...before.sums, ...next.sums },
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
  await writeAside(join(folder, commitFileName(version)), JSON.stringify(next));
  if (!next.base) return;
  for (const name of await readdir(folder)) if (name < commitFileName(version)) await rm(join(folder, name), { force: true });
  await syncFolder(folder);
}

/**
 * The folders of a store. What is loaded lies in one folder for each schema, so that two versions of trailbot may share a store:
 * neither reads or deletes what the other loaded. Beside these folders lies what does not depend on the schema, such as saved
 * questions.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../src/errors.ts';
import { writeAside } from './durable-file.ts';
import { lockStore } from './store-lock.ts';
import { SHAPE } from './store-schema.ts';

const LOADED_PREFIX = 'loaded-';
const REMOVED_PREFIX = 'removed-';

/** The folder with what this version of trailbot loads into a store. */
export const loadedFolder = (store: string): string => join(resolve(store), `${LOADED_PREFIX}${SHAPE}`);

/** What else trailbot keeps in a store: saved questions, slots of reports, and so on. */
const STATE = /^(?:sizes|aws-ranges)\.json|^(?:saved|slots|announced|spent)$|^query-spill-/;

const isOwn = (name: string): boolean => name.startsWith(LOADED_PREFIX) || name.startsWith(REMOVED_PREFIX) || STATE.test(name);

/** Only the owner may enter. */
const PRIVATE = 0o700;

/** Creates a folder of a store, or closes it to others when it exists and has nothing but a store in it. */
export async function ensurePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: PRIVATE }).catch((error: NodeJS.ErrnoException) => {
    // On a disk that is mounted for reading, Node.js says ENOENT.
    if (error.code === 'ENOSPC') throw error;
    throw new UserError(`The folder ${folder} cannot be made (${error.code}). Name a folder that trailbot may write to: STORE_PATH=…`);
  });
  const { mode, uid } = await stat(folder);
  if (process.platform === 'win32' || (mode & 0o077) === 0 || uid !== process.getuid?.()) return;
  // STORE_PATH may be a folder of other things, such as /var/lib, that others need.
  if ((await readdir(folder)).every(isOwn)) await chmod(folder, PRIVATE);
}

const LABEL = 'store.json';

/** The trail that a folder was loaded from. Without a whole label, it may be any. */
async function trailOf(folder: string): Promise<string | undefined> {
  try {
    const { trail } = JSON.parse(await readFile(join(folder, LABEL), 'utf8'));
    return typeof trail === 'string' ? trail : undefined;
  } catch {
    return undefined;
  }
}

/** A folder with a loaded trail, and which trail it is. */
interface LabeledFolder {
  readonly folder: string;
  readonly trail: string;
}

/** The newest folder of a store that says which trail it has: that of this version, else of another. */
export async function findLabel(store: string): Promise<LabeledFolder | undefined> {
  const own = loadedFolder(store);
  const others = await otherFolders(store);
  const used = new Map(await Promise.all(others.map(async (folder) => [folder, await lastUsed(folder)] as const)));
  for (const folder of [own, ...others.sort((a, b) => (used.get(b) ?? 0) - (used.get(a) ?? 0))]) {
    const trail = await trailOf(folder);
    if (trail !== undefined) return { folder, trail };
  }
  return undefined;
}

export const writeLabel = (store: string, trail: string): Promise<void> => writeAside(join(loadedFolder(store), LABEL), JSON.stringify({ trail }));

const LAST_LOAD = 'loaded.json';

/** Notes that all files of the trail were loaded at a time. */
export const writeLastLoad = (store: string, at: Date): Promise<void> =>
  writeAside(join(loadedFolder(store), LAST_LOAD), JSON.stringify({ at: at.toISOString() }));

/** When all files of the trail were loaded last, as ISO text in UTC; null for a store whose first load has not ended. */
export function readLastLoad(store: string): string | null {
  try {
    const { at } = JSON.parse(readFileSync(join(loadedFolder(store), LAST_LOAD), 'utf8'));
    return typeof at === 'string' ? at : null;
  } catch {
    return null;
  }
}

/** Folders of a store that other versions loaded. */
async function otherFolders(store: string): Promise<string[]> {
  const names = await readdir(resolve(store));
  const loaded = names.filter((name) => name.startsWith(LOADED_PREFIX)).map((name) => join(resolve(store), name));
  return loaded.filter((folder) => folder !== loadedFolder(store));
}

/** When a version of trailbot last looked for new files: in ms, by the file that each load writes. */
async function lastUsed(folder: string): Promise<number> {
  for (const file of [LAST_LOAD, 'ignored.json', LABEL, ''])
    try {
      return (await stat(join(folder, file))).mtimeMs;
    } catch {
      // It has none.
    }
  return Date.now();
}

/** What another version loaded is kept for so long after its last use, for a way back. */
const KEEP_UNUSED_MS = 7 * 24 * 3_600_000;

/** Removes what other versions loaded when none of them has used it for 7 days. This version's folder must be whole. */
export async function removeUnused(store: string, now: Date, signal: AbortSignal): Promise<void> {
  for (const folder of await otherFolders(store)) {
    if (now.getTime() - (await lastUsed(folder)) < KEEP_UNUSED_MS) continue;
    // The lock tells that the other version does not load now. One that begins later makes the folder anew.
    const lock = await lockStore(folder, { signal, maxWaitMs: 0 }).catch(() => undefined);
    if (!lock) continue;
    lock.release();
    const removed = join(store, `${REMOVED_PREFIX}${randomUUID()}`);
    await rename(folder, removed);
  }
  for (const name of await readdir(store)) if (name.startsWith(REMOVED_PREFIX)) await rm(join(store, name), { recursive: true, force: true });
}

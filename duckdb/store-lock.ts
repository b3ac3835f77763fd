/** The lock of a store: keeps other processes from loading it at the same time. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../src/errors.ts';

const LOCK_FOLDER = 'lock';
const LOCK_FILE = 'writer.duckdb';
const LOCK_RETRY_MS = 200;

export interface StoreLock {
  release(): void;
}

interface LockOptions {
  readonly signal: AbortSignal;
  /** After this time of waiting for another process, it is an error. */
  readonly maxWaitMs: number;
}

/**
 * Takes the lock of a store's folder. It is DuckDB's lock on a database file, which the operating system releases when the process
 * ends, however it ends. So the file is never deleted: another process may hold the lock on it, however it looks.
 *
 * @throws UserError when another process keeps it for longer than `maxWaitMs`, or the file is damaged.
 */
export async function lockStore(folder: string, { signal, maxWaitMs }: LockOptions): Promise<StoreLock> {
  const file = join(folder, LOCK_FOLDER, LOCK_FILE);
  const giveUpAt = performance.now() + maxWaitMs;
  await ensureLockFile(folder);
  for (;;) {
    signal.throwIfAborted();
    try {
      const instance = await DuckDBInstance.create(file);
      return { release: () => instance.closeSync() };
    } catch (error) {
      if (/not a valid duckdb database/i.test(String(error)))
        throw new UserError(`The lock file ${file} is damaged. Stop every trailbot that uses this store, and delete the file.`);
      if (!/could not set lock/i.test(String(error))) throw error;
    }
    if (performance.now() >= giveUpAt)
      throw new UserError(`Another process has been loading the store ${folder} for ${Math.round(maxWaitMs / 1000)} seconds.`);
    await sleep(LOCK_RETRY_MS, undefined, { signal });
  }
}

/**
 * Makes the lock file once. DuckDB writes a new database in several steps, and a process that sees it half written cannot open it; so
 * it is made in a folder aside. Renaming that folder into place is atomic on every file system, and fails when another process was
 * first, because a folder cannot replace one with a file in it.
 */
async function ensureLockFile(folder: string): Promise<void> {
  const place = join(folder, LOCK_FOLDER);
  if (existsSync(join(place, LOCK_FILE))) return;
  const aside = `${place}.${randomUUID()}`;
  await mkdir(aside, { recursive: true });
  try {
    const made = await DuckDBInstance.create(join(aside, LOCK_FILE));
    made.closeSync();
    await rename(aside, place).catch((error: unknown) => {
      if (!existsSync(join(place, LOCK_FILE))) throw error;
    });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

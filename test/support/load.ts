/**
 * A process of its own that loads a trail: node test/support/load.ts <trail> <store> [<folder> <files> | at <time>]. Tests start it.
 * With a folder of the store it kills itself, as the system would, as soon as so many new files have been seen there. With a time,
 * in ms since 1970, it begins then, so that several begin at once.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { loadTrail } from '../../duckdb/store.ts';
import { loadedFolder } from '../../duckdb/store-folder.ts';

const [, , trail = '', store = '', folder, most] = process.argv;

function filesIn(within: string): string[] {
  try {
    const entries = readdirSync(within, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch {
    // It is not there yet, or is being removed.
    return [];
  }
}

/** Looks whenever the load waits for anything, as it does while files are being written. */
function watch(within: string, isOver: () => boolean): void {
  const old = new Set(filesIn(within));
  const fresh = new Set<string>();
  const look = () => {
    for (const file of filesIn(within)) if (!old.has(file)) fresh.add(file);
    if (fresh.size >= Number(most)) process.kill(process.pid, 'SIGKILL');
    if (!isOver()) setImmediate(look);
  };
  look();
}

let hasEnded = false;
if (folder === 'at') await setTimeout(Math.max(0, Number(most) - Date.now()));
else if (folder) watch(join(loadedFolder(store), folder), () => hasEnded);
await loadTrail({ trail, store, signal: new AbortController().signal });
hasEnded = true;

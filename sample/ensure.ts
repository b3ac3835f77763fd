/** The sample trail of a first start: generated into a folder that later starts find, and again when it is old. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateSample } from './generate.ts';

export interface EnsureSampleOptions {
  /** The folder that AWSLogs/ goes into. */
  readonly out: string;
  /** Everyday events of the whole trail; those of the scenarios are added to them. */
  readonly events: number;
  /** Where the trail ends, exclusive. */
  readonly end: Date;
  readonly signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** Six months, with some days to spare: questions look back that far. */
const SAMPLE_DAYS = 184;

/** A sample whose newest day is longer ago than yesterday has nothing for “24h” and for the report of yesterday. */
const MAX_AGE_MS = 2 * 86_400_000;

/**
 * Generates the sample unless the folder has one that is not older than a day. It is written to a temporary folder first, so an aborted run
 * leaves `out` as it was. Returns true when it replaced an older one.
 */
export async function ensureSample({ out, events, end, signal, onProgress }: EnsureSampleOptions): Promise<boolean> {
  const newest = await newestDay(out);
  const isOld = newest !== undefined && end.getTime() - Date.parse(newest.replaceAll('/', '-')) > MAX_AGE_MS;
  if (existsSync(out) && !isOld) return false;
  // Not named after the process id: two containers that share the folder may both be process 1.
  const unfinished = `${out}.making-${randomUUID()}`;
  const replaced = `${out}.old-${randomUUID()}`;
  await mkdir(dirname(out), { recursive: true });
  try {
    await generateSample({ out: unfinished, end, eventsPerDay: Math.ceil(events / SAMPLE_DAYS), days: SAMPLE_DAYS, signal, onProgress });
    if (isOld) await rename(out, replaced).catch(ignoreMissing);
    await rename(unfinished, out).catch((error: unknown) => {
      // Another process finished first: its sample is used.
      if (!existsSync(out)) throw error;
    });
    return isOld;
  } finally {
    for (const folder of [unfinished, replaced]) await rm(folder, { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}

/** The newest day below a folder, `2026/11/20`: of folders that are numbers, only the last is looked into. Undefined without any. */
async function newestDay(folder: string): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
  const last = names.at(-1);
  if (last === undefined) return undefined;
  if (/^\d{4}$/.test(last)) {
    const month = (await readdir(join(folder, last))).sort().at(-1) ?? '';
    const day = (await readdir(join(folder, last, month))).sort().at(-1) ?? '';
    return `${last}/${month}/${day}`;
  }
  const days = await Promise.all(names.map((name) => newestDay(join(folder, name))));
  return days
    .filter((day) => day !== undefined)
    .sort()
    .at(-1);
}

/** Opens the trail that the settings name: the user's own files, or a sample that is made the first time. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { openDuckDB } from '../duckdb/engine.ts';
import { type Loaded, loadTrail } from '../duckdb/store.ts';
import { generateSample } from '../sample/generate.ts';
import type { Config } from './config.ts';
import type { QueryEngine } from './trail/engine.ts';

/** Where a trail lies, and where its store does. */
export interface Place {
  readonly trail: string;
  readonly store: string;
  readonly isSample: boolean;
}

/** Hears how far a step has come: `done` of `total` of its own unit. */
export type Progress = (step: 'Making a sample trail' | 'Loading the trail', done: number, total: number) => void;

/** The folders that the settings mean. Each trail has a store of its own, wherever none is named. */
export function placeOf({ TRAIL_PATH, STORE_PATH }: Pick<Config, 'TRAIL_PATH' | 'STORE_PATH'>, root: string): Place {
  const isSample = TRAIL_PATH === undefined;
  const trail = resolve(root, TRAIL_PATH ?? '.trail/sample');
  const own = isSample ? 'sample-store' : `store-${createHash('sha256').update(trail).digest('hex').slice(0, 12)}`;
  return { trail, store: resolve(root, STORE_PATH ?? `.trail/${own}`), isSample };
}

/** Makes the sample trail unless it is there: aside first, so that one half made is never taken for whole. */
export async function ensureSample({ trail }: Place, events: number, end: Date, signal: AbortSignal, onProgress: Progress): Promise<void> {
  if (existsSync(trail)) return;
  // A process id would not do: two containers over one folder may both be process 1.
  const making = `${trail}.making-${randomUUID()}`;
  await mkdir(dirname(trail), { recursive: true });
  try {
    await generateSample({
      out: making,
      end,
      eventsPerDay: Math.ceil(events / SAMPLE_DAYS),
      days: SAMPLE_DAYS,
      signal,
      onProgress: (done, total) => onProgress('Making a sample trail', done, total),
    });
    await rename(making, trail).catch((error: unknown) => {
      // Another process was quicker: its sample is as good.
      if (!existsSync(trail)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** Six months and a little: as far as the questions look back. */
const SAMPLE_DAYS = 184;

/** Loads what is new in a trail, and opens the engine over it. */
export async function openTrail(
  place: Place,
  signal: AbortSignal,
  onProgress: Progress,
): Promise<{ readonly engine: QueryEngine; readonly loaded: Loaded }> {
  const loaded = await loadNew(place, signal, onProgress);
  return { engine: await openDuckDB(place.store), loaded };
}

export const loadNew = ({ trail, store }: Place, signal: AbortSignal, onProgress?: Progress): Promise<Loaded> =>
  loadTrail({
    trail,
    store,
    signal,
    ...(onProgress && { onProgress: (done: number, total: number) => onProgress('Loading the trail', done, total) }),
  });

/**
 * Writes a realistic CloudTrail trail of a fictional organization, as AWS would deliver it.
 *
 * Days are independent of each other, so each worker takes the next day until none is left. The same options give the same
 * bytes, whichever worker generates a day.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DAY } from './calendar.ts';
import type { Delivered } from './delivery.ts';
import { writeDigestsAndInsights } from './digests-and-insights.ts';

export interface SampleOptions {
  /** The folder that AWSLogs/ goes into. */
  readonly out: string;
  readonly seed?: number;
  readonly days?: number;
  /** Everyday events; those of the scenarios are added to them. With the default, 184 days have about 200,000 events. */
  readonly eventsPerDay?: number;
  /** The end of the trail, exclusive: usually now. */
  readonly end: Date;
  onProgress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/** Each worker's input. `shared` holds the next day to generate, and whether to stop. */
export interface WorkerInput {
  readonly out: string;
  readonly seed: number;
  readonly start: number;
  readonly end: number;
  readonly total: number;
  readonly shared: Int32Array;
}

const MAX_WORKERS = 4;
/** A worker holds one hour of events. Without a limit, V8 would use hundreds of megabytes. */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 160 };

export async function generateSample({ out, seed = 1, days = 184, eventsPerDay = 1075, end, onProgress, signal }: SampleOptions): Promise<Delivered> {
  signal?.throwIfAborted();
  if (!(Number.isInteger(days) && days > 0)) throw new Error(`The number of days must be a whole number, at least 1, not ${days}.`);
  if (!(eventsPerDay >= 0)) throw new Error(`The number of events a day must be 0 or more, not ${eventsPerDay}.`);
  if (Number.isNaN(end.getTime())) throw new Error('The end of the sample is not a valid time.');

  const shared = new Int32Array(new SharedArrayBuffer(8));
  const total = Math.round(days * eventsPerDay);
  const work: WorkerInput = { out, seed, start: end.getTime() - days * DAY, end: end.getTime(), total, shared };
  const stop = () => void Atomics.store(shared, 1, 1);
  signal?.addEventListener('abort', stop);

  let [events, files, bytes] = [0, 0, 0];
  const workers = Array.from({ length: Math.min(days, availableParallelism(), MAX_WORKERS) }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: work, execArgv: [], resourceLimits: WORKER_MEMORY });
    worker.on('message', (day: Delivered) => {
      [events, files, bytes] = [events + day.events, files + day.files, bytes + day.bytes];
      onProgress?.(Math.min(events, total), total);
    });
    return new Promise<void>((resolve, reject) => {
      worker.once('error', (error) => {
        stop();
        reject(error);
      });
      worker.once('exit', () => resolve());
    });
  });
  try {
    // Wait for all workers, so that none still writes when this returns or throws.
    const ends = await Promise.allSettled(workers);
    for (const each of ends) if (each.status === 'rejected') throw new Error('A day of the sample could not be written.', { cause: each.reason });
    signal?.throwIfAborted();
    writeDigestsAndInsights(out, seed, end.getTime());
    return { events, files, bytes };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

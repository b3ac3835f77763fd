/**
 * Writes a realistic CloudTrail trail, as AWS would have delivered it, of an organisation that does not exist.
 *
 * Days are independent of each other, so each processor takes the next day until none is left. The same options give the
 * same bytes, whoever makes which day.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { DAY } from './calendar.ts';
import { putNeighbours } from './neighbours.ts';

export interface SampleOptions {
  /** The folder that AWSLogs/ goes into. */
  readonly out: string;
  readonly seed?: number;
  readonly days?: number;
  /** Everyday events; what the stories tell comes on top. The default makes 184 days about 200,000 events. */
  readonly eventsPerDay?: number;
  /** Where the trail ends, exclusive: usually now. */
  readonly end: Date;
  onProgress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/** What was written. An event delivered twice counts twice; bytes are those of the zipped files. */
export interface Sample {
  readonly events: number;
  readonly files: number;
  readonly bytes: number;
}

/** What each worker is given. `shared` holds the next day to make, and whether to stop. */
export interface Work {
  readonly out: string;
  readonly seed: number;
  readonly start: number;
  readonly end: number;
  readonly total: number;
  readonly shared: Int32Array;
}

const MOST_WORKERS = 4;
/** An hour of events is all a worker holds; left alone, V8 would let it grow to hundreds of megabytes. */
const WORKER_MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 160 };

export async function generateSample({ out, seed = 1, days = 184, eventsPerDay = 1075, end, onProgress, signal }: SampleOptions): Promise<Sample> {
  signal?.throwIfAborted();
  if (!(Number.isInteger(days) && days > 0)) throw new Error(`A sample has a whole number of days, at least one; not ${days}.`);
  if (!(eventsPerDay >= 0)) throw new Error(`A sample has some number of events a day; not ${eventsPerDay}.`);
  if (Number.isNaN(end.getTime())) throw new Error('A sample ends at a time that exists.');

  const shared = new Int32Array(new SharedArrayBuffer(8));
  const total = Math.round(days * eventsPerDay);
  const work: Work = { out, seed, start: end.getTime() - days * DAY, end: end.getTime(), total, shared };
  const stop = () => void Atomics.store(shared, 1, 1);
  signal?.addEventListener('abort', stop);

  let [events, files, bytes] = [0, 0, 0];
  const workers = Array.from({ length: Math.min(days, availableParallelism(), MOST_WORKERS) }, () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: work, execArgv: [], resourceLimits: WORKER_MEMORY });
    worker.on('message', (day: Sample) => {
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
    // Every worker is heard out, so that none still writes when the caller is told.
    const ends = await Promise.allSettled(workers);
    for (const each of ends) if (each.status === 'rejected') throw new Error('A day of the sample could not be written.', { cause: each.reason });
    signal?.throwIfAborted();
    putNeighbours(out, seed, end.getTime());
    return { events, files, bytes };
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

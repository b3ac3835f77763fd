/** The sample trail of a first start: generated once, into a folder that later starts find. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
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

/** Generates the sample unless the folder exists. It is written to a temporary folder first, so an aborted run leaves nothing at `out`. */
export async function ensureSample({ out, events, end, signal, onProgress }: EnsureSampleOptions): Promise<void> {
  if (existsSync(out)) return;
  // Not named after the process id: two containers that share the folder may both be process 1.
  const unfinished = `${out}.making-${randomUUID()}`;
  await mkdir(dirname(out), { recursive: true });
  try {
    await generateSample({ out: unfinished, end, eventsPerDay: Math.ceil(events / SAMPLE_DAYS), days: SAMPLE_DAYS, signal, onProgress });
    await rename(unfinished, out).catch((error: unknown) => {
      // Another process finished first: its sample is used.
      if (!existsSync(out)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

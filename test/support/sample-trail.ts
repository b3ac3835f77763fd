/** One sample trail and its store for all tests, made before the first of them and removed after the last. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadTrail } from '../../duckdb/store.ts';
import { generateSample } from '../../sample/generate.ts';

/** When the tests' sample trail ends: its "now". */
export const SAMPLE_END = '2026-11-21T00:00:00Z';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folders of the sample trail and of its store. Neither is written to by a test. */
    sampleTrail: string;
    sampleStore: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-sample-'));
  const trail = join(folder, 'trail');
  const store = join(folder, 'store');
  await generateSample({ out: trail, end: new Date(SAMPLE_END), eventsPerDay: 150 });
  await loadTrail({ trail, store, signal: new AbortController().signal });
  project.provide('sampleTrail', trail);
  project.provide('sampleStore', store);
  return () => rm(folder, { recursive: true, force: true });
}

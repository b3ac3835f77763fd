/**
 * The sample trail and its store for all tests, in node_modules/.cache. They are generated once, and again when the code,
 * the packages or the options that generate them change.
 */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { loadTrail } from '../../duckdb/store.ts';
import { generateSample } from '../../sample/generate.ts';

/** When the tests' sample trail ends: its "now". */
export const SAMPLE_END = '2026-11-21T00:00:00Z';

const OPTIONS = { end: new Date(SAMPLE_END), eventsPerDay: 150 };

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folders of the sample trail and of its store. Neither is written to by a test. */
    sampleTrail: string;
    sampleStore: string;
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = join(root, 'node_modules/.cache/trailbot-tests');

export default async function setup(project: TestProject): Promise<void> {
  const folder = join(cache, `sample-${await digest()}`);
  if (!existsSync(folder)) await make(folder);
  const now = new Date();
  await utimes(folder, now, now);
  await removeUnused();
  project.provide('sampleTrail', join(folder, 'trail'));
  project.provide('sampleStore', join(folder, 'store'));
}

/** Generates the sample in another folder and renames that, so that an incomplete sample is never used. */
async function make(folder: string): Promise<void> {
  const making = join(cache, `making-${randomUUID()}`);
  const [trail, store] = [join(making, 'trail'), join(making, 'store')];
  try {
    await mkdir(making, { recursive: true });
    await generateSample({ out: trail, ...OPTIONS });
    await loadTrail({ trail, store, signal: new AbortController().signal });
    await rename(making, folder).catch((error: unknown) => {
      // Another run finished first, with the same sample.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** A digest of the code, packages and options that generate the sample and its store. */
async function digest(): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(OPTIONS)).update(process.version);
  await digestFile('package-lock.json', hash);
  for (const folder of ['sample', 'duckdb', 'src/trail']) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(root.length));
    for (const file of files.toSorted()) await digestFile(file, hash);
  }
  return hash.digest('hex').slice(0, 16);
}

async function digestFile(file: string, hash: Hash): Promise<void> {
  const content = await readFile(join(root, file));
  hash.update(`\n${file} ${content.length}\n`).update(content);
}

/** Removed after a day, since another run may still read one that was made by other code. */
const UNUSED_MS = 24 * 3_600_000;

async function removeUnused(): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name);
    const used = await stat(folder).catch(() => undefined);
    if (used && Date.now() - used.mtimeMs > UNUSED_MS) await rm(folder, { recursive: true, force: true });
  }
}

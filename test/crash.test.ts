import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTrail } from '../duckdb/store.ts';
import { type Fields, openStore, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const FILES = 200;
const EVENTS_A_FILE = 100;
const loader = fileURLToPath(new URL('support/load.ts', import.meta.url));

let folder: TrailFolder;
let truth: string[];
/** How long a load takes here when nobody kills it, from the start of its process to the end. */
let wholeMs: number;

beforeAll(async () => {
  folder = await trailFolder();
  const list: Fields[] = [];
  // Plain files of 100 KB, so that a load is several batches, and so several commits.
  for (let n = 0; n < FILES; n += 1) {
    const day = `2026/04/${String(1 + (n % 28)).padStart(2, '0')}`;
    const some = records(EVENTS_A_FILE, (i) => ({ eventTime: `${day.replaceAll('/', '-')}T10:00:${String(i % 60).padStart(2, '0')}Z` }));
    list.push(...some);
    await folder.deliver(some, { day, plain: true });
  }
  truth = list.map(({ eventID }) => String(eventID)).sort();
  const started = performance.now();
  const [code] = await once(start(join(folder.root, 'whole')), 'exit');
  expect(code).toBe(0);
  wholeMs = performance.now() - started;
});
afterAll(() => folder[Symbol.asyncDispose]());

const start = (store: string) => spawn(process.execPath, [loader, folder.trail, store], { stdio: 'ignore' });

/** Starts a load in a process of its own and kills it after `ms`, or lets it end if it is faster. */
async function killed(store: string, ms: number): Promise<'killed' | 'ended'> {
  const child = start(store);
  const timer = setTimeout(() => child.kill('SIGKILL'), ms);
  const [, signal] = await once(child, 'exit');
  clearTimeout(timer);
  return signal === 'SIGKILL' ? 'killed' : 'ended';
}

async function held(store: string): Promise<string[]> {
  await using open = await openStore(store);
  return (await open.rows('select eventid from events order by eventid')).map(({ eventid }) => String(eventid));
}

const load = (store: string) => loadTrail({ trail: folder.trail, store, signal: new AbortController().signal });

// mulberry32, seeded, so that the moments are the same share of a load every time.
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('A loader that is killed', () => {
  test('at any moment leaves a store that the next load makes whole, with every event once', { timeout: 60_000 }, async () => {
    const share = random(11);
    let kills = 0;
    for (let n = 0; n < 6; n += 1) {
      const store = join(folder.root, `store-${n}`);
      // The first tenth of a process is Node starting.
      if ((await killed(store, wholeMs * (0.1 + 0.85 * share()))) === 'killed') kills += 1;
      if (n % 2 === 0) await killed(store, wholeMs * (0.1 + 0.85 * share()));
      await load(store);
      const ids = await held(store);
      expect(ids).toHaveLength(truth.length);
      expect(ids).toEqual(truth);
    }
    expect(kills).toBeGreaterThan(0);
  });

  test('again and again gets on with every load, and none of its events is there twice meanwhile', { timeout: 60_000 }, async () => {
    const store = join(folder.root, 'store-again');
    for (const share of [0.3, 0.5, 0.7, 0.8]) {
      await killed(store, wholeMs * share);
      const ids = await held(store).catch(() => []);
      expect(new Set(ids).size).toBe(ids.length);
    }
    await load(store);
    expect(await held(store)).toEqual(truth);
    expect(await load(store)).toMatchObject({ files: 0 });
  });

  test('leaves half-written files that no later load takes for real', async () => {
    const store = join(folder.root, 'store-torn');
    await cp(join(folder.root, 'whole'), store, { recursive: true });
    // As though it had been killed before its last commit: that commit is gone, its files are there, one of them torn.
    const log = (await readdir(join(store, 'log'))).sort();
    expect(log.length).toBeGreaterThan(1);
    const last = log.at(-1) as string;
    const { default: commit } = await import(join(store, 'log', last), { with: { type: 'json' } });
    const torn: readonly string[] = [commit.parts?.[0]?.file, commit.files?.[0], commit.ids?.[0]].filter((file) => file !== undefined);
    const { rm } = await import('node:fs/promises');
    await rm(join(store, 'log', last));
    await writeFile(join(store, 'log', `${last}.new`), '{"base":false,"parts":[');
    for (const file of torn) await truncate(join(store, file), 100);
    expect((await held(store)).length).toBeLessThan(truth.length);
    await load(store);
    expect(await held(store)).toEqual(truth);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTrail } from '../duckdb/store.ts';
import { loadedFolder } from '../duckdb/store-folder.ts';
import { type Fields, openStore, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const FILES = 120;
const EVENTS_A_FILE = 100;
const loader = fileURLToPath(new URL('support/load.ts', import.meta.url));

let folder: TrailFolder;
let truth: string[];

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
});
afterAll(() => folder[Symbol.asyncDispose]());

/** A moment of a load: when so many new files have been seen in a folder of the store. */
type Moment = readonly [folder: 'stage' | 'events' | 'ids' | 'files' | 'log', files: number];

/** Loads in a process of its own, which is killed at a moment. */
async function killed(store: string, [within, files]: Moment): Promise<void> {
  const child = spawn(process.execPath, [loader, folder.trail, store, within, String(files)], { stdio: 'ignore' });
  const [, signal] = await once(child, 'exit');
  expect(signal).toBe('SIGKILL');
}

async function held(store: string): Promise<string[]> {
  await using open = await openStore(store);
  return (await open.rows('select eventid from events order by eventid')).map(({ eventid }) => String(eventid));
}

const load = (store: string) => loadTrail({ trail: folder.trail, store, signal: new AbortController().signal });

describe('A loader that is killed', () => {
  test.each<[string, ...Moment[]]>([
    ['while it unpacks', ['stage', 1]],
    ['while it unpacks and writes', ['stage', 4]],
    ['while it writes its first events', ['events', 2]],
    ['between the days of a batch', ['events', 12]],
    ['while it writes the event ids', ['ids', 1]],
    ['while it writes the list of files', ['files', 1]],
    ['at its first commit', ['log', 1]],
    ['in the middle', ['events', 15]],
    ['repeatedly', ['log', 1], ['ids', 3], ['events', 5], ['log', 4]],
  ])('%s leaves a store that the next load completes, with every event once', async (_, ...moments) => {
    const store = join(await mkdtemp(join(folder.root, 'killed-')), 'store');
    for (const moment of moments) {
      await killed(store, moment);
      // No event is stored twice meanwhile.
      const ids = await held(store).catch(() => []);
      expect(new Set(ids).size).toBe(ids.length);
    }
    await load(store);
    expect(await held(store)).toEqual(truth);
    expect(await load(store)).toMatchObject({ files: 0 });
  });

  test('leaves incomplete files that later loads ignore', async () => {
    const store = join(folder.root, 'store-torn');
    const loaded = loadedFolder(store);
    await load(store);
    // As though it had been killed before its last commit: that commit is gone, its files are there, one of them torn.
    const log = (await readdir(join(loaded, 'log'))).sort();
    expect(log.length).toBeGreaterThan(1);
    const last = log.at(-1) as string;
    const { default: commit } = await import(join(loaded, 'log', last), { with: { type: 'json' } });
    const torn: readonly string[] = [commit.parts?.[0]?.file, commit.files?.[0], commit.ids?.[0]].filter((file) => file !== undefined);
    await rm(join(loaded, 'log', last));
    await writeFile(join(loaded, 'log', `${last}.new`), '{"base":false,"parts":[');
    for (const file of torn) await truncate(join(loaded, file), 100);
    expect((await held(store)).length).toBeLessThan(truth.length);
    await load(store);
    expect(await held(store)).toEqual(truth);
  });
});

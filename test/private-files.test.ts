/** Who else on the machine can read what trailbot writes down. The process has the usual umask, 022, which lets everyone read. */
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openDigestMemory } from '../src/state/digest-memory.ts';
import { jsonFile } from '../src/state/json-file.ts';
import { openLedger } from '../src/state/ledger.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';

const now = new Date('2026-11-20T08:00:00Z');
const entry = {
  at: now.toISOString(),
  requester: 'U0ALICE',
  kind: 'command',
  name: 'rare',
  question: 'q1',
  ms: 1,
  bytes: 1,
  dollars: 1,
  queryId: null,
} as const;

const fail = (error: unknown): never => {
  throw error;
};

/** Everything that keeps state, in a folder. */
async function writeAll(folder: string): Promise<void> {
  await openVersionFolder(join(folder, 'slots')).add('daily-2026-11-20', 0, { step: 'claimed' });
  await jsonFile(join(folder, 'caches', 'sizes.json')).write({ a: 1 });
  await openDigestMemory(openVersionFolder(join(folder, 'digests'))).write(new Date('2026-11-20T00:00:00Z'), {});
  await openLedger((month) => openVersionFolder(join(folder, `spent-${month}`)), fail).add(entry);
  await openVersionFolder(join(folder, 'saved')).add('week', 0, { line: 'rare 7d' });
}

/** The permissions of what is in a folder: `700 claims`. */
async function permissionsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true })).sort();
  const named = (name: string): string => name.replace(/-[0-9a-f]{8}-1[.]json$/, '-writer-1.json');
  return Promise.all(names.map(async (name) => `${((await stat(join(folder, name))).mode & 0o777).toString(8)} ${named(name)}`));
}

const CLOSED = [
  '700 caches',
  '600 caches/sizes.json',
  '700 digests',
  '600 digests/000001-past-2026-11-20T000000.json',
  '700 saved',
  '600 saved/000001-week.json',
  '700 slots',
  '600 slots/000001-daily-2026-11-20.json',
  '700 spent-2026-11',
  '600 spent-2026-11/000001-2026-11-20-writer-1.json',
];

describe.skipIf(process.platform === 'win32')('state is for its own user only', () => {
  test('from the first file on, and the folder above it', async () => {
    await using open = await temporary();
    expect(process.umask()).toBe(0o022);
    await writeAll(join(open.root, 'store'));
    expect((await stat(join(open.root, 'store'))).mode & 0o777).toBe(0o700);
    expect(await permissionsIn(join(open.root, 'store'))).toEqual(CLOSED);
  });

  test('also in folders that were open, and a store folder that someone else made keeps its permissions', async () => {
    await using open = await temporary();
    const store = join(open.root, 'store');
    await mkdir(store);
    await chmod(store, 0o750);
    for (const name of ['slots', 'saved', 'spent-2026-11']) await mkdir(join(store, name));
    await writeFile(join(store, 'sizes.json'), '{}');
    await jsonFile(join(store, 'sizes.json')).write({ a: 1 });
    await writeAll(store);
    expect((await stat(store)).mode & 0o777).toBe(0o750);
    expect(await permissionsIn(store)).toEqual([...CLOSED, '600 sizes.json'].toSorted((a, b) => (a.slice(4) < b.slice(4) ? -1 : 1)));
  });
});

async function temporary() {
  const root = await mkdtemp(join(tmpdir(), 'trailbot-private-'));
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

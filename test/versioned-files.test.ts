/** Versioned values: the same rules in a folder, in a bucket and in memory. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, test, vi } from 'vitest';
import { openState } from '../src/state/open-state.ts';
import { openVersionBucket } from '../src/state/version-bucket.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { openVersions, UnreadableFile, type VersionedFiles, type VersionStore } from '../src/state/versioned-files.ts';
import { BUCKET_ENV, pocketBucket } from './support/bucket.ts';
import { DisposalStack } from './support/disposal-stack.ts';

/** The same values, opened by two processes. */
interface Place {
  readonly files: VersionedFiles;
  readonly other: VersionedFiles;
  /** The files there are, without their folder. */
  names(): Promise<readonly string[]>;
}

type Open = (stack: DisposalStack) => Promise<Place>;

const inFolder: Open = async (stack) => {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-versions-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const values = join(folder, 'values');
  return { files: openVersionFolder(values), other: openVersionFolder(values), names: async () => (await readdir(values)).sort() };
};

const inBucket: Open = async (stack) => {
  const conflicts = new Set<string>();
  // Of each object, the first write meets another one.
  const bucket = stack.use(
    await pocketBucket(['state/other/000001.json'], {
      isWritable: true,
      failsToWrite: (file) => (conflicts.has(file) ? undefined : conflicts.add(file) && 'conflict'),
    }),
  );
  const open = () => openVersionBucket(bucket.client(), `s3://${bucket.name}/state/values/`);
  const names = async () => {
    const { Contents = [] } = await bucket.client().send(new ListObjectsV2Command({ Bucket: bucket.name, Prefix: 'state/values/' }));
    return Contents.map(({ Key = '' }) => Key.slice('state/values/'.length));
  };
  return { files: open(), other: open(), names };
};

const inMemory: Open = async () => {
  const files = openVersionMemory();
  return { files, other: files, names: async () => [] };
};

describe.each([
  ['a folder', inFolder],
  ['a bucket', inBucket],
  ['memory', inMemory],
])('Values in %s', (_, open) => {
  test('are read in their newest version, by every process', async () => {
    await using stack = new DisposalStack();
    const { files, other } = await open(stack);
    expect(await files.read('week')).toMatchObject({ version: 0, value: undefined });
    expect(await files.names()).toEqual([]);
    expect((await files.readAll()).size).toBe(0);
    expect(await files.add('week', 0, { line: 'rare 7d' })).toBe(true);
    expect(await other.add('week', 1, { line: 'rare 30d' })).toBe(true);
    expect(await files.read('week')).toMatchObject({ version: 2, value: { line: 'rare 30d' } });
    // A name that begins with another one.
    expect(await files.add('week-2', 0, 'two')).toBe(true);
    expect(await other.read('week')).toMatchObject({ version: 2 });
    const all = await other.readAll();
    expect([...all].map(([name, found]) => [name, found instanceof UnreadableFile ? 'unreadable' : found.value])).toEqual([
      ['week', { line: 'rare 30d' }],
      ['week-2', 'two'],
    ]);
    expect(await other.names()).toEqual(['week', 'week-2']);
  });

  test('are changed by one process only, when several try at once', async () => {
    await using stack = new DisposalStack();
    const { files, other } = await open(stack);
    for (const version of [0, 1]) {
      const tries = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? files : other).add('slot', version, { by: n })));
      expect(tries.filter(Boolean)).toHaveLength(1);
      expect((await files.read('slot')).value).toEqual({ by: tries.indexOf(true) });
    }
    expect(await files.add('slot', 0, 'late')).toBe(false);
  });

  test('are removed with all their versions', async () => {
    await using stack = new DisposalStack();
    const { files, other } = await open(stack);
    for (const version of [0, 1, 2]) await files.add('old', version, version);
    await files.add('old-2', 0, 'stays');
    await other.remove('old');
    expect(await files.names()).toEqual(['old-2']);
    expect(await files.read('old')).toMatchObject({ version: 0 });
  });

  test('keep five versions, and refuse a process that has slept over more', async () => {
    await using stack = new DisposalStack();
    const { files, other, names } = await open(stack);
    for (let version = 0; version < 12; version += 1) expect(await files.add('slot', version, version)).toBe(true);
    // Version 3 is gone, so its number is free.
    expect(await other.add('slot', 2, 'asleep')).toBe(false);
    expect(await files.read('slot')).toMatchObject({ version: 12, value: 11 });
    expect(await files.add('slot', 12, 12)).toBe(true);
    expect(await files.read('slot')).toMatchObject({ version: 13, value: 12 });
    if (open !== inMemory) expect(await names()).toHaveLength(5);
  });
});

test('A value that was deleted between the list and the read has a newer one', async () => {
  let lists = 0;
  const store: VersionStore = {
    location: 'test',
    fileOf: ({ version }) => String(version),
    async list() {
      lists += 1;
      return [{ name: 'slot', version: lists }];
    },
    get: async ({ version }) => (version < 3 ? undefined : '"newest"'),
    create: async () => true,
    delete: async () => undefined,
  };
  expect(await openVersions(store).read('slot')).toMatchObject({ version: 3, value: 'newest' });
  lists = -10;
  await expect(openVersions(store).read('slot')).rejects.toThrow('cannot be read');
  lists = -10;
  expect((await openVersions(store).readAll()).get('slot')).toBeInstanceOf(UnreadableFile);
});

test('A damaged file in a folder has its version, so that it can be replaced', async () => {
  await using stack = new DisposalStack();
  const { files } = await inFolder(stack);
  await files.add('slot', 0, 1);
  await writeFile(join(files.location, '000007-slot.json'), '');
  await expect(files.read('slot')).rejects.toMatchObject({ version: 7, code: undefined });
  expect(await files.add('slot', 7, 8)).toBe(true);
  expect(await files.read('slot')).toMatchObject({ version: 8, value: 8 });
});

describe('Values in a bucket', () => {
  test('are added once when the answer to a write is lost, and the request is sent again', async () => {
    const lost = new Set<string>();
    const failsToWrite = (file: string) => (lost.has(file) ? undefined : lost.add(file) && ('lost' as const));
    await using bucket = await pocketBucket([], { isWritable: true, failsToWrite });
    const open = () => openVersionBucket(bucket.client(), `s3://${bucket.name}/`);
    expect(await open().add('slot', 0, 'first')).toBe(true);
    expect(await open().add('slot', 0, 'second')).toBe(false);
    expect(await open().read('slot')).toMatchObject({ version: 1, value: 'first', file: `s3://${bucket.name}/slot/000001.json` });
  });

  test('are opened by the location of TRAILBOT_STATE', async () => {
    await using bucket = await pocketBucket([], { isWritable: true });
    const { protocol, hostname, port } = (await bucket.client().config.endpoint?.()) ?? {};
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `${protocol}//${hostname}:${port}`);
    for (const [name, value] of Object.entries(BUCKET_ENV)) vi.stubEnv(name, value);
    try {
      const open = openState(`s3://${bucket.name}/state/`, { forcePathStyle: true });
      expect(await open('saved').add('week', 0, 'rare 7d')).toBe(true);
      expect(await open('saved').read('week')).toMatchObject({ value: 'rare 7d', file: `s3://${bucket.name}/state/saved/week/000001.json` });
      expect(await open('slots').names()).toEqual([]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('of more names than a page of the list are all read', async () => {
    const files = Array.from({ length: 1200 }, (_, n) => `name-${n}/000001.json`);
    await using bucket = await pocketBucket(files, { content: () => Buffer.from('1') });
    expect(await openVersionBucket(bucket.client(), `s3://${bucket.name}/`).names()).toHaveLength(1200);
  });

  test('that S3 denies have its code', async () => {
    await using bucket = await pocketBucket(['slot/000001.json'], {
      isWritable: true,
      denies: () => 's3:GetObject',
      allows: (prefix) => prefix !== '',
    });
    const files = openVersionBucket(bucket.client(), `s3://${bucket.name}/`);
    await expect(files.read('slot')).rejects.toMatchObject({ code: 'AccessDenied', file: `s3://${bucket.name}/slot/000001.json` });
    await expect(files.names()).rejects.toMatchObject({ code: 'AccessDenied', file: `s3://${bucket.name}/` });
    await expect(openVersionBucket(bucket.client(), 's3://example-missing/').add('slot', 0, 1)).rejects.toMatchObject({ code: 'NoSuchBucket' });
  });
});

/** The layout of a trail in moto's S3 is that of the same trail in the tests' own bucket, which the other tests use. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { foldersOfLayout, readLayout } from '../../athena/bucket-layout.ts';
import type { ClientsWithSts, Closable } from '../../athena/clients.ts';
import { UserError } from '../../src/errors.ts';
import { pocketBucket } from '../support/bucket.ts';
import { fillBucket, openMoto } from './bucket.ts';

const url = inject('moto') as string;
const signal = new AbortController().signal;
const TODAY = new Date('2026-12-31T12:00:00Z');
const [ACCOUNT, OTHER, ORGANIZATION] = ['111122223333', '444455556666', 'o-exampleorg1'];

/** A log file as CloudTrail names it. */
function logFile(root: string, { account = ACCOUNT, region = 'eu-central-1', day = '2026/05/01', folder = 'CloudTrail' } = {}): string {
  const stamp = `${day.replaceAll('/', '')}T1005Z_AbCdEfGhIjKlMnOp`;
  return `${root}${account}/${folder}/${region}/${day}/${account}_${folder}_${region}_${stamp}.json.gz`;
}

describe.skipIf(!url)('The layout of a trail on moto', () => {
  let clients: ClientsWithSts & Closable;
  beforeAll(() => {
    clients = openMoto(url);
  });
  afterAll(() => {
    clients.close();
    vi.unstubAllEnvs();
  });

  /** The layout, or what the reader is told. */
  const read = (s3: ClientsWithSts['s3'], bucket: string, more: Partial<Parameters<typeof readLayout>[0]>) =>
    readLayout({ s3, bucket, today: TODAY, signal, ...more }).catch((error: unknown) => {
      if (error instanceof UserError) return error.message;
      throw error;
    });

  /** Reads the layout of a bucket with these files from moto, and expects the same from the tests' own bucket. */
  async function layoutOf(name: string, files: readonly string[], more: Partial<Parameters<typeof readLayout>[0]> = {}) {
    await fillBucket(clients, name, files);
    await using pocket = await pocketBucket(files, { name });
    const layout = await read(clients.s3, name, more);
    expect(layout).toEqual(await read(pocket.client(), name, more));
    return layout;
  }

  test('of the sample’s organization is the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-moto-sample-'));
    try {
      const { generateSample } = await import('../../sample/generate.ts');
      await generateSample({ out: folder, end: new Date('2026-11-21T00:00:00Z'), days: 3, eventsPerDay: 100 });
      const paths = (await readdir(folder, { recursive: true })).map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.gz'));
      const content = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path))] as const)));
      await fillBucket(clients, 'trail-of-sample', paths, { contentOf: (path) => content.get(path) as Buffer });
      await using pocket = await pocketBucket(paths, { name: 'trail-of-sample' });
      const layout = await readLayout({ s3: clients.s3, bucket: 'trail-of-sample', today: TODAY, signal });
      expect(layout).toEqual(await readLayout({ s3: pocket.client(), bucket: 'trail-of-sample', today: TODAY, signal }));
      expect(layout).toMatchObject({ organization: 'o-a1b2c3d4e5', otherFolders: ['CloudTrail-Digest', 'CloudTrail-Insight'] });
      expect(layout.accounts.length).toBeGreaterThan(2);
      expect(layout.regions.length).toBeGreaterThan(2);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const root = `AWSLogs/${ORGANIZATION}/`;
  test.each([
    [
      'two-accounts',
      [
        ...['2025/12/31', '2026/05/01', '2026/05/02'].map((day) => logFile(root, { day })),
        ...['eu-central-1', 'us-east-1'].map((region) => logFile(root, { account: OTHER, region, day: '2026/04/30' })),
      ],
      {
        organization: ORGANIZATION,
        accounts: [
          { id: ACCOUNT, regions: ['eu-central-1'] },
          { id: OTHER, regions: ['eu-central-1', 'us-east-1'] },
        ],
        firstDay: '2025/12/31',
        lastDay: '2026/05/02',
      },
    ],
    [
      'prefix-to-encode',
      [logFile('logs/prod/cloud trail+(1)/AWSLogs/'), 'athena-results/2026/05/01/a.csv'],
      { prefix: 'logs/prod/cloud trail+(1)/', organization: null },
    ],
    ['control-tower', [logFile(`${ORGANIZATION}/${root}`)], { prefix: `${ORGANIZATION}/` }],
    [
      'older-trails',
      [logFile('AWSLogs/', { day: '2019/01/01' }), logFile(root), logFile('old/AWSLogs/')],
      { organization: ORGANIZATION, otherTrails: ['s3://older-trails/AWSLogs/', 's3://older-trails/old/AWSLogs/'] },
    ],
    [
      'account-without-logs',
      [logFile('AWSLogs/'), `AWSLogs/${OTHER}/CloudTrail/`, logFile('AWSLogs/', { day: '2027/01/01' })],
      { accounts: [{ id: ACCOUNT }, { id: OTHER, regions: [] }], lastDay: '2026/05/01' },
    ],
    [
      'hostile-names',
      [
        ...["'; drop table events; --", `\${account}`, '%2e%2e', '<Prefix>&amp;', '😀', '"`', '１１１１２２２２３３３３', 'a+b c%'].flatMap(
          (name) => [
            logFile(`${name}/AWSLogs/`),
            logFile('AWSLogs/', { account: name }),
            logFile('AWSLogs/', { region: name }),
            logFile('AWSLogs/', { day: `2014/01/${name}` }),
          ],
        ),
        logFile('AWSLogs/'),
      ],
      { accounts: [{ id: ACCOUNT, regions: ['eu-central-1'] }], firstDay: '2026/05/01' },
    ],
  ])('is the same in the bucket %s', async (name, files, expected) => {
    expect(await layoutOf(name, files)).toMatchObject(expected);
  });

  test('is the same below a prefix that is given', async () => {
    const files = [logFile('AWSLogs/'), logFile('logs/prod/AWSLogs/', { account: OTHER })];
    expect(await layoutOf('two-prefixes', files, { prefix: 'logs/prod' })).toMatchObject({ accounts: [{ id: OTHER }] });
  });

  test('is read past 1,000 accounts, and past 1,000 files at the top', async () => {
    const accounts = Array.from({ length: 1005 }, (_, n) => String(100_000_000_000 + n * 7));
    // Most have no trail, since moto goes through all names for each list request.
    const folderOf = (n: number) => (n < 1000 ? 'CloudTrail-Digest' : 'CloudTrail');
    const files = accounts.map((account, n) => logFile(root, { account, folder: folderOf(n) }));
    expect(await layoutOf('many-accounts', files)).toMatchObject({ accounts: accounts.slice(1000).map((id) => ({ id })) });
    const flat = Array.from({ length: 1005 }, (_, n) => `2026-05-01-access-log-${n}`);
    expect(await layoutOf('many-files', [...flat, logFile('trail/AWSLogs/')])).toMatchObject({ prefix: 'trail/' });
  });

  test('that is known is read again with its new folders only', async () => {
    const files = [logFile(root), logFile(root, { account: OTHER })];
    await fillBucket(clients, 'known-trail', files);
    const known = await readLayout({ s3: clients.s3, bucket: 'known-trail', today: TODAY, signal });
    const folders = foldersOfLayout(known).slice(1);
    const again = await readLayout({
      s3: clients.s3,
      bucket: 'known-trail',
      today: TODAY,
      signal,
      known: { root: known.root, folders, firstDay: known.firstDay },
    });
    expect(again).toEqual({ ...known, lastDay: '2026/12/31' });
  });

  test.each([
    ['is empty', 'empty-bucket', [], 'The bucket empty-bucket is empty.'],
    ['has no AWSLogs/ folder', 'no-logs', ['a/b.txt'], 'There is no AWSLogs/ folder in the bucket no-logs '],
    ['has digests only', 'digests-only', [logFile('AWSLogs/', { folder: 'CloudTrail-Digest' })], 'only CloudTrail-Digest/.'],
    ['has no log files yet', 'new-trail', [`AWSLogs/${ACCOUNT}/CloudTrail/`], 'There are no log files under s3://new-trail/AWSLogs/ yet.'],
  ])('that %s is the same message', async (_, name, files, sentence) => {
    expect(await layoutOf(name, files)).toContain(sentence);
  });

  test('in a bucket that does not exist is a message', async () => {
    expect(await read(clients.s3, 'no-such-bucket', {})).toContain('There is no bucket no-such-bucket.');
  });

  test.each([
    ['at a host by name, with the bucket in the path', 'localhost', true],
    ['at an address, where the bucket is in the path anyway', '127.0.0.1', false],
  ])('is the same %s', async (_, host, forcePathStyle) => {
    const bucket = `at-${host.replaceAll('.', '-')}`;
    await fillBucket(clients, bucket, [logFile(root)]);
    const other = openMoto(url.replace('127.0.0.1', host), { forcePathStyle });
    const asked = new Set<string>();
    other.s3.middlewareStack.add(
      (next) => (args) => {
        const { hostname, path } = args.request as { readonly hostname: string; readonly path: string };
        asked.add(`${hostname}${path}`);
        return next(args);
      },
      { step: 'finalizeRequest' },
    );
    const layout = await readLayout({ s3: other.s3, bucket, today: TODAY, signal });
    other.close();
    expect(layout).toEqual(await readLayout({ s3: clients.s3, bucket, today: TODAY, signal }));
    expect([...asked]).toEqual([`${host}/${bucket}/`]);
  });
});

/** Finds the trail in a bucket, with the real SDK over HTTP. */
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createEmulator } from 'emulate';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type BucketLayout, foldersOfLayout, readLayout } from '../athena/bucket-layout.ts';
import { UserError } from '../src/errors.ts';
import { type PocketBucket, pocketBucket } from './support/bucket.ts';
import { until } from './support/until.ts';

const ACCOUNT = '111122223333';
const OTHER = '444455556666';
const ORGANIZATION = 'o-exampleorg1';
const signal = new AbortController().signal;
const TODAY = new Date('2026-12-31T12:00:00Z');

/** A log file as CloudTrail would name it. */
function log(root: string, { account = ACCOUNT, region = 'eu-central-1', day = '2026/05/01', folder = 'CloudTrail' } = {}): string {
  const stamp = `${day.replaceAll('/', '')}T1005Z_AbCdEfGhIjKlMnOp`;
  return `${root}${account}/${folder}/${region}/${day}/${account}_${folder}_${region}_${stamp}.json.gz`;
}

const read = (bucket: PocketBucket, more: Partial<Parameters<typeof readLayout>[0]> = {}): Promise<BucketLayout> =>
  readLayout({ s3: bucket.client(), bucket: bucket.name, today: TODAY, signal, ...more });

const accountIds = (count: number): string[] => Array.from({ length: count }, (_, n) => String(100_000_000_000 + n * 7));

/** The layout of a bucket with these files. */
async function layoutOf(files: Iterable<string>, prefix?: string): Promise<BucketLayout> {
  await using bucket = await pocketBucket(files);
  return await read(bucket, { prefix });
}

/** The message of the UserError. */
async function messageOf(layout: Promise<unknown>): Promise<string> {
  const error = await layout.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
}

describe('The layout of a bucket', () => {
  test('of one account has its regions and its first and last day', async () => {
    const days = ['2024/11/30', '2025/01/01', '2026/05/01', '2026/04/30'];
    const files = [...days.map((day) => log('AWSLogs/', { day })), log('AWSLogs/', { region: 'us-east-1', day: '2026/05/02' })];
    expect(await layoutOf(files)).toEqual({
      bucket: 'example-trail',
      prefix: '',
      organization: null,
      root: 's3://example-trail/AWSLogs/',
      accounts: [{ id: ACCOUNT, regions: ['eu-central-1', 'us-east-1'] }],
      regions: ['eu-central-1', 'us-east-1'],
      firstDay: '2024/11/30',
      lastDay: '2026/05/02',
      firstFolder: `${ACCOUNT}/CloudTrail/eu-central-1`,
      otherFolders: [],
    });
  });

  test('of an organization has its ID in the root, and accounts with different regions', async () => {
    const root = `AWSLogs/${ORGANIZATION}/`;
    const files = [log(root), log(root, { account: OTHER, region: 'us-gov-west-1' }), log(root, { account: OTHER, region: 'eusc-de-east-1' })];
    expect(await layoutOf(files)).toMatchObject({
      prefix: '',
      organization: ORGANIZATION,
      root: `s3://example-trail/AWSLogs/${ORGANIZATION}/`,
      accounts: [
        { id: ACCOUNT, regions: ['eu-central-1'] },
        { id: OTHER, regions: ['eusc-de-east-1', 'us-gov-west-1'] },
      ],
      regions: ['eu-central-1', 'eusc-de-east-1', 'us-gov-west-1'],
    });
  });

  test('of Control Tower has the organization ID twice', async () => {
    expect(await layoutOf([log(`${ORGANIZATION}/AWSLogs/${ORGANIZATION}/`)])).toMatchObject({
      prefix: `${ORGANIZATION}/`,
      organization: ORGANIZATION,
      root: `s3://example-trail/${ORGANIZATION}/AWSLogs/${ORGANIZATION}/`,
    });
  });

  test('of Control Tower before landing zone 3.0 has it once, as the prefix', async () => {
    expect(await layoutOf([log(`${ORGANIZATION}/AWSLogs/`)])).toMatchObject({ prefix: `${ORGANIZATION}/`, organization: null });
  });

  test.each(['logs/', 'logs/prod/', 'logs/prod/cloud trail+(1)/'])('is found below a prefix: %s', async (prefix) => {
    expect(await layoutOf([log(`${prefix}AWSLogs/`), 'athena-results/2026/05/01/a.csv'])).toMatchObject({
      prefix,
      root: `s3://example-trail/${prefix}AWSLogs/`,
    });
  });

  test.each(['logs/prod', '/logs/prod/', 'logs//prod'])('accepts a prefix with extra or missing slashes: %s', async (prefix) => {
    const files = [log('AWSLogs/'), log('logs/prod/AWSLogs/', { account: OTHER })];
    expect(await layoutOf(files, prefix)).toMatchObject({ prefix: 'logs/prod/', accounts: [{ id: OTHER }] });
  });

  test('lists other CloudTrail folders without reading them', async () => {
    const files = ['CloudTrail', 'CloudTrail-Digest', 'CloudTrail-Insight', 'Config', 'elasticloadbalancing'].map((folder) =>
      log('AWSLogs/', { folder }),
    );
    const more = log('AWSLogs/', { account: OTHER, folder: 'CloudTrail-NetworkActivity', region: 'us-west-2', day: '2020/01/01' });
    expect(await layoutOf([...files, more])).toMatchObject({
      accounts: [{ id: ACCOUNT }],
      regions: ['eu-central-1'],
      firstDay: '2026/05/01',
      otherFolders: ['CloudTrail-Digest', 'CloudTrail-Insight', 'CloudTrail-NetworkActivity'],
    });
  });

  test('ends today, even with folders of future days', async () => {
    const days = ['2026/05/01', '2026/05/02', '2026/05/03', '2026/06/01', '2027/01/01', '2099/12/31'];
    await using bucket = await pocketBucket(days.map((day) => log('AWSLogs/', { day })));
    expect(await read(bucket, { today: new Date('2026-05-02T23:59:59Z') })).toMatchObject({ firstDay: '2026/05/01', lastDay: '2026/05/02' });
    await expect(read(bucket, { today: new Date('2026-04-30T12:00:00Z') })).rejects.toThrow('There are no log files');
  });

  test('includes an account without deliveries', async () => {
    expect((await layoutOf([log('AWSLogs/'), `AWSLogs/${OTHER}/CloudTrail/`])).accounts).toContainEqual({ id: OTHER, regions: [] });
  });

  test('is the same with another S3 emulator', async () => {
    const emulator = await createEmulator({ service: 'aws', port: 0 });
    const s3 = new S3Client({
      endpoint: emulator.url,
      forcePathStyle: true,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
    });
    try {
      await s3.send(new CreateBucketCommand({ Bucket: 'example-trail' }));
      // It does not encode names.
      const root = `logs+(1)/AWSLogs/${ORGANIZATION}/`;
      const files = [log(root), log(root, { day: '2025/12/31' }), log(root, { account: OTHER, region: 'us-east-1' }), '100%/notes.txt'];
      for (const file of files) await s3.send(new PutObjectCommand({ Bucket: 'example-trail', Key: file, Body: 'x' }));
      expect(await readLayout({ s3, bucket: 'example-trail', today: TODAY, signal })).toEqual(await layoutOf(files));
    } finally {
      s3.destroy();
      await emulator.close();
    }
  });
});

describe('Of several trails in a bucket', () => {
  test('the organization’s is read, and the others are listed', async () => {
    const old = log(`${ORGANIZATION}/AWSLogs/`, { day: '2021/01/01' });
    const older = log('AWSLogs/', { day: '2019/01/01' });
    expect(await layoutOf([old, older, log(`${ORGANIZATION}/AWSLogs/${ORGANIZATION}/`)])).toMatchObject({
      root: `s3://example-trail/${ORGANIZATION}/AWSLogs/${ORGANIZATION}/`,
      firstDay: '2026/05/01',
      otherTrails: ['s3://example-trail/AWSLogs/', `s3://example-trail/${ORGANIZATION}/AWSLogs/`],
    });
  });

  test('the one with more accounts is read, then the most recently written', async () => {
    expect((await layoutOf([log('a/AWSLogs/'), log('b/AWSLogs/', { account: OTHER }), log('b/AWSLogs/')])).prefix).toBe('b/');
    expect((await layoutOf([log('a/AWSLogs/'), log('b/AWSLogs/', { day: '2026/05/02' })])).prefix).toBe('b/');
    expect((await layoutOf([log('a/AWSLogs/', { day: '2026/05/02' }), log('b/AWSLogs/')])).prefix).toBe('a/');
    expect((await layoutOf([log('a/AWSLogs/'), log('b/AWSLogs/')])).prefix).toBe('a/');
  });

  test('one without deliveries is not listed', async () => {
    const layout = await layoutOf([log('AWSLogs/'), `AWSLogs/${ORGANIZATION}/${ACCOUNT}/CloudTrail/`]);
    expect(layout).toMatchObject({ organization: null });
    expect(layout).not.toHaveProperty('otherTrails');
  });

  test('an AWSLogs/ folder of load balancers or flow logs does not count', async () => {
    const layout = await layoutOf([
      log('AWSLogs/', { folder: 'elasticloadbalancing' }),
      log('trail/AWSLogs/'),
      log('vpc/AWSLogs/', { folder: 'vpcflowlogs' }),
    ]);
    expect(layout).toMatchObject({ prefix: 'trail/' });
    expect(layout).not.toHaveProperty('otherTrails');
  });
});

describe('A bucket of any size', () => {
  const REGIONS = ['ap-southeast-2', 'eu-central-1', 'us-east-1'];
  const root = `AWSLogs/${ORGANIZATION}/`;
  const accounts = accountIds(1100);
  /** A few have several, so that not all of the many requests are for the same. */
  const regionsOf = (n: number): string[] => (n < 200 ? REGIONS : ['eu-central-1']);
  /** Every account joined on a day of its own and is written to until today, but some were closed. */
  const organization = accounts.flatMap((account, n) => {
    const joined = `20${14 + (n % 12)}/${String(1 + (n % 11)).padStart(2, '0')}/${String(1 + (n % 27)).padStart(2, '0')}`;
    const days = [joined, '2026/02/28', '2026/04/30', n % 5 === 0 ? '2026/05/01' : '2026/05/02'];
    return regionsOf(n).flatMap((region) => days.map((day) => log(root, { account, region, day })));
  });

  test('with 1,100 accounts needs two list requests per account and region, at most 16 at a time, and lists no pages of log files', async () => {
    await using bucket = await pocketBucket(organization);
    const progress: [done: number, total: number][] = [];
    const layout = await read(bucket, { onProgress: (done, total) => progress.push([done, total]) });

    expect(layout).toMatchObject({ organization: ORGANIZATION, regions: REGIONS, firstDay: '2014/01/01', lastDay: '2026/05/02' });
    expect(layout.accounts).toEqual(accounts.map((id, n) => ({ id, regions: regionsOf(n) })));
    expect(bucket.maxConcurrentLists).toBeLessThanOrEqual(16);
    expect(progress).toEqual(accounts.map((_, n) => [n + 1, 1100]));

    // Two for an account and for a region, a page for each thousand accounts, and some to find the last day.
    const regions = accounts.reduce((sum, _, n) => sum + regionsOf(n).length, 0);
    expect(bucket.listings.length).toBeLessThan(2 * accounts.length + 2 * regions + 60);
    for (const { delimiter, maxKeys } of bucket.listings) expect(delimiter === '/' || maxKeys === 1).toBe(true);
    expect(bucket.listings.filter(({ prefix }) => prefix === root).map(({ keyCount, truncated }) => [keyCount, truncated])).toEqual([
      [1000, true],
      [100, false],
    ]);
  });

  test('of a known trail is listed only for new folders, and their days only', async () => {
    await using bucket = await pocketBucket(organization);
    const known = await read(bucket);
    const before = bucket.listings.length;
    const folders = foldersOfLayout(known).slice(1);
    const again = await read(bucket, { known: { root: known.root, folders, firstDay: known.firstDay } });
    expect(again).toEqual({ ...known, lastDay: expect.any(String) });
    expect(bucket.listings.length - before).toBeLessThan(2 * accounts.length + 20);
  });

  test('is listed only where a day could be earlier or later than those already found', async () => {
    const alike = accounts.slice(0, 100).flatMap((account) => ['2020/01/01', '2023/07/15', '2026/12/31'].map((day) => log(root, { account, day })));
    await using bucket = await pocketBucket(alike);
    await read(bucket);
    const months = bucket.listings.filter(({ prefix }) => /\/\d{4}\/$/.test(prefix));
    expect(months.length).toBeLessThan(2 * 16 + 1);
    expect(months.filter(({ prefix }) => prefix.endsWith('/2023/'))).toEqual([]);
  });

  test('reports progress evenly', async () => {
    await using bucket = await pocketBucket(organization.slice(0, 1200));
    const listed: number[] = [];
    await read(bucket, { onProgress: (done) => (done === 50 ? listed.push(bucket.listings.length) : undefined) });
    expect(listed[0]).toBeLessThan(bucket.listings.length / 2 + 120);
  });

  test.each(['', 'access/'])('with many files in “%s” has only the first pages of them listed', async (prefix) => {
    const flat = Array.from({ length: 9000 }, (_, n) => `${prefix}2026-05-01-access-log-${n}`);
    await using bucket = await pocketBucket([...flat, log(`${prefix}AWSLogs/`)]);
    expect(await read(bucket)).toMatchObject({ prefix });
    expect(bucket.listings.filter((listing) => listing.prefix === prefix)).toHaveLength(3);
    expect(bucket.listings.find((listing) => listing.prefix === `${prefix}AWSLogs/`)?.maxKeys).toBe(1);
  });

  test('is searched three folders deep and 200 folders per level', async () => {
    const wide = Array.from({ length: 1500 }, (_, n) => `team-${n}/a/b/c/d/e.txt`);
    await using bucket = await pocketBucket(wide);
    expect(await messageOf(read(bucket))).toContain(
      'There is no AWSLogs/ folder in the bucket example-trail (searched 3 folders deep, 200 per level).',
    );
    expect(bucket.listings.length).toBeLessThan(2 + 3 * 200 + 1);
  });
});

describe('An aborted signal', () => {
  test('ends the search before the first request', async () => {
    await using bucket = await pocketBucket([log('AWSLogs/')]);
    const reason = new UserError('Stopped.');
    await expect(read(bucket, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(bucket.listings).toEqual([]);
  });

  test('ends the search while 16 requests are open, and sends no more', async () => {
    const files = accountIds(200).map((account) => log('AWSLogs/', { account }));
    await using bucket = await pocketBucket(files, { withholds: (prefix) => prefix.endsWith('/CloudTrail/') });
    const controller = new AbortController();
    const reason = new UserError('Stopped.');
    const layout = read(bucket, { signal: controller.signal });
    await until(() => expect(bucket.maxConcurrentLists).toBe(16));
    controller.abort(reason);
    await expect(layout).rejects.toBe(reason);
    await until(() => expect(bucket.openNow).toBe(0));
    expect(bucket.maxConcurrentLists).toBe(16);
    expect(bucket.listings.length).toBeLessThan(40);
  });
});

describe('Without a trail, the message says', () => {
  test('that the bucket is empty', async () => {
    expect(await messageOf(layoutOf([]))).toBe(
      'The bucket example-trail is empty. Is the trail new, or does it write to another bucket? The CloudTrail console shows it under “Trail log location”.',
    );
  });

  test('that there are only digests', async () => {
    expect(await messageOf(layoutOf([log('AWSLogs/', { folder: 'CloudTrail-Digest' })]))).toContain(
      'No account under s3://example-trail/AWSLogs/ has a CloudTrail/ folder, only CloudTrail-Digest/.',
    );
  });

  test('that nothing was delivered yet', async () => {
    expect(await messageOf(layoutOf([`AWSLogs/${ACCOUNT}/CloudTrail/`]))).toContain('There are no log files under s3://example-trail/AWSLogs/ yet.');
  });

  test.each([
    ['there are no accounts under the prefix', 'logs', 'There are no accounts under s3://example-trail/logs/AWSLogs/. Check the prefix'],
    ['the prefix cannot be part of a location', `x'\${account}`, `The prefix “x'\${account}” has characters`],
  ])('that %s', async (_, prefix, sentence) => {
    expect(await messageOf(layoutOf([log('AWSLogs/')], prefix))).toContain(sentence);
  });
});

describe('A bucket that cannot be listed gives a message with a fix', () => {
  let bucket: PocketBucket;
  beforeEach(async () => {
    bucket = await pocketBucket([log('AWSLogs/')]);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await bucket[Symbol.asyncDispose]();
  });

  test('when it does not exist', async () => {
    expect(await messageOf(read(bucket, { bucket: 'example-trial' }))).toContain('There is no bucket example-trial.');
  });

  test.each(['eu-west-1', 'us-east-1'])('when it is in another region than %s', async (region) => {
    expect(await messageOf(read(bucket, { s3: bucket.client({ region }) }))).toBe(
      'The bucket example-trail is in eu-central-1. Set AWS_REGION=eu-central-1; queries run in Athena there, too.',
    );
  });

  test('when AWS rejects the credentials', async () => {
    const s3 = bucket.client({ credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'example' } });
    expect(await messageOf(read(bucket, { s3 }))).toContain('AWS rejected the credentials (InvalidAccessKeyId).');
  });

  test('when there are no credentials', async () => {
    const none = { AWS_EC2_METADATA_DISABLED: 'true', AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
    const unset = [
      'AWS_PROFILE',
      'AWS_ACCESS_KEY_ID',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
      'AWS_ROLE_ARN',
    ];
    for (const [name, value] of Object.entries(none)) vi.stubEnv(name, value);
    for (const name of unset) vi.stubEnv(name, undefined);
    const { endpoint } = bucket.client().config;
    const { hostname, port } = (await endpoint?.()) ?? {};
    await using s3 = clientWithout(`http://${hostname}:${port}`);
    expect(await messageOf(read(bucket, { s3: s3.client }))).toContain('No AWS credentials were found. Use a role (ECS, EKS, EC2)');
  });

  test('when S3 throttles the request and its retry', async () => {
    let requests = 0;
    const slows = () => {
      requests += 1;
      return true;
    };
    await using busy = await pocketBucket([log('AWSLogs/')], { slows });
    const reading = read(busy, { s3: busy.client({ maxAttempts: 2 }), prefix: '' });
    expect(await messageOf(reading)).toBe('S3 is throttling requests to the bucket example-trail. Try again in a minute.');
    expect(requests).toBe(2);
  });

  test('when S3 cannot be reached', async () => {
    const s3 = bucket.client({ endpoint: 'http://127.0.0.1:1', maxAttempts: 1 });
    expect(await messageOf(read(bucket, { s3 }))).toContain('S3 cannot be reached (ECONNREFUSED).');
  });

  test('when the bucket is in the name of a host that is not AWS’s', async () => {
    const s3 = bucket.client({ endpoint: 'http://s3.invalid', forcePathStyle: false, maxAttempts: 1 });
    expect(await messageOf(read(bucket, { s3 }))).toMatch(
      /^S3 cannot be reached \((ENOTFOUND|EAI_AGAIN)\): the host example-trail[.]s3[.]invalid is not found[.] Check AWS_ENDPOINT_URL, and set S3_FORCE_PATH_STYLE=true: /,
    );
    const inPath = bucket.client({ endpoint: 'http://s3.invalid', maxAttempts: 1 });
    expect(await messageOf(read(bucket, { s3: inPath }))).toMatch(/^S3 cannot be reached \((ENOTFOUND|EAI_AGAIN)\)[.] Check the network: /);
  });

  test.each([
    ['eu-central-1', 'arn:aws:s3:::example-trail'],
    ['us-gov-west-1', 'arn:aws-us-gov:s3:::example-trail'],
    ['cn-north-1', 'arn:aws-cn:s3:::example-trail'],
  ])('when access is denied in %s', async (region, arn) => {
    await using denied = await pocketBucket([log('AWSLogs/')], { region, allows: () => false });
    for (const prefix of [undefined, '']) {
      expect(await messageOf(read(denied, { prefix }))).toContain(
        `Access denied: trailbot’s role cannot list the bucket example-trail. Allow s3:ListBucket on ${arn} in the role’s policy`,
      );
    }
  });

  test('when one of its accounts cannot be listed, and no further requests are sent', async () => {
    const accounts = accountIds(1000);
    const files = accounts.map((account) => log('AWSLogs/', { account }));
    await using denied = await pocketBucket(files, { allows: (prefix) => !prefix.includes(accounts[0]!) });
    expect(await messageOf(read(denied))).toContain('Allow s3:ListBucket');
    await until(() => expect(denied.openNow).toBe(0));
    expect(denied.listings.length).toBeLessThan(60);
  });

  test('but not when the policy allows AWSLogs/ only', async () => {
    const files = [log('AWSLogs/'), 'secret/a.txt'];
    for (const allows of [(prefix: string) => prefix.startsWith('AWSLogs/'), (prefix: string) => prefix === '' || prefix.startsWith('AWSLogs/')]) {
      await using some = await pocketBucket(files, { allows });
      expect(await read(some)).toMatchObject({ root: 's3://example-trail/AWSLogs/' });
    }
  });
});

describe('A hostile folder name', () => {
  const HOSTILE = [
    "'; drop table events; --",
    `\${account}`,
    'a\u0001\u0000b',
    '%2e%2e',
    '<Prefix>&amp;',
    '😀',
    '\\',
    '"`',
    '111122223333\n',
    '１１１１２２２２３３３３',
  ];

  test('is never in the layout, at any level', async () => {
    const files = HOSTILE.flatMap((name) => [
      log(`${name}/AWSLogs/`),
      log(`AWSLogs/${name}/`),
      log('AWSLogs/', { account: name }),
      log('AWSLogs/', { folder: `CloudTrail${name}` }),
      log('AWSLogs/', { region: name }),
      log('AWSLogs/', { region: `us-east-1${name}` }),
      log('AWSLogs/', { day: name }),
      log('AWSLogs/', { day: `2014/${name}/01` }),
      log('AWSLogs/', { day: `2014/01/${name}` }),
    ]);
    expect(await layoutOf([...files, log('AWSLogs/')])).toEqual(await layoutOf([log('AWSLogs/')]));
  });

  test.each(['0000/01/01', '2012/12/31', '2026/00/10', '2026/02/30', '2026/13/01', '2026/12/32', '9999/12/31'])(
    'that is not a real day is ignored: %s',
    async (day) => {
      expect(await layoutOf([log('AWSLogs/'), log('AWSLogs/', { day })])).toMatchObject({ firstDay: '2026/05/01', lastDay: '2026/05/01' });
    },
  );
});

/** A client without configured credentials. */
function clientWithout(endpoint: string): AsyncDisposable & { readonly client: S3Client } {
  const client = new S3Client({ endpoint, forcePathStyle: true, region: 'eu-central-1' });
  return { client, [Symbol.asyncDispose]: async () => client.destroy() };
}

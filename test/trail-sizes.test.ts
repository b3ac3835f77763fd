/** Estimates the sizes of a trail, over a loopback S3 in which every file has one byte. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { priceOf, secondsFor } from '../athena/prices.ts';
import { openSizes, type SizeCache } from '../athena/trail-sizes.ts';
import { jsonFile } from '../src/state/json-file.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { pocketBucket } from './support/bucket.ts';
import { until } from './support/until.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const signal = new AbortController().signal;
const dayBack = (days: number): string => new Date(NOW.getTime() - days * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '/');

const filesOf = (account: string, region: string, day: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `AWSLogs/${account}/CloudTrail/${region}/${day}/${account}_CloudTrail_${region}_${i}.json.gz`);

const nothingKept = (): SizeCache & { value: unknown } => ({
  value: undefined,
  async read() {
    return this.value;
  },
  async write(value) {
    this.value = value;
  },
});

interface Place {
  readonly files: readonly string[];
  readonly accounts: readonly string[];
  readonly regions?: readonly string[];
  readonly firstDay?: string;
  readonly kept?: SizeCache;
  readonly clock?: () => Date;
  readonly allows?: () => boolean;
  readonly classOf?: (file: string) => string;
  readonly content?: () => Buffer;
}

async function sizesOf({
  files,
  accounts,
  regions = ['eu-central-1'],
  firstDay = '2026/01/01',
  kept = nothingKept(),
  clock = () => NOW,
  ...manner
}: Place) {
  const bucket = await pocketBucket(files, manner);
  const all = accounts.flatMap((account) => regions.map((region) => ({ account, region })));
  const folders = async () => ({
    bucket: bucket.name,
    root: 'AWSLogs/',
    folders: all,
    accounts,
    regions,
    firstDay,
    proved: { accounts: true, regions: true },
  });
  const sizes = openSizes({ s3: bucket.client(), folders, cache: kept, clock, signal });
  const sizeOf = async (first: string, last = first, of?: readonly string[]) => sizes.sizeOf([{ first, last, ...(of && { folders: of }) }]);
  const bytesOf = async (first: string, last = first) => (await sizeOf(first, last))?.bytes;
  return { bucket, sizes, sizeOf, bytesOf, [Symbol.asyncDispose]: () => bucket[Symbol.asyncDispose]() };
}

const accounts = ['111122223333', '444455556666'];

describe('the bytes of a day', () => {
  test('are those of its files in all accounts and regions, if it was sampled', async () => {
    const files = accounts.flatMap((account, i) => [
      ...filesOf(account, 'eu-central-1', dayBack(1), 3 + i),
      ...filesOf(account, 'us-east-1', dayBack(1), 2),
      // A Wednesday.
      ...filesOf(account, 'eu-central-1', dayBack(31), 1),
    ]);
    await using place = await sizesOf({ files, accounts, regions: ['eu-central-1', 'us-east-1'] });
    expect(await place.bytesOf(dayBack(1))).toBe(11);
    expect(await place.bytesOf(dayBack(31))).toBe(2);
    expect(await place.bytesOf(dayBack(3))).toBe(0);
  });

  test('are those of the nearest sampled weekday or weekend day, and several days are added', async () => {
    // Friday 20 and Sunday 15 November, and Wednesday 20 May.
    const counts = [
      [1, 10],
      [6, 3],
      [185, 4],
    ] as const;
    const files = counts.flatMap(([back, count]) => filesOf('111122223333', 'eu-central-1', dayBack(back), count));
    await using place = await sizesOf({ files, accounts: ['111122223333'] });
    expect(await place.bytesOf(dayBack(0))).toBe(3);
    expect(await place.bytesOf(dayBack(190))).toBe(4);
    // Tuesday 12 to Monday 18 May: five working days, and a weekend without files.
    expect(await place.bytesOf(dayBack(193), dayBack(187))).toBe(20);
  });

  test('are 0 before the first day and after today', async () => {
    const files = filesOf('111122223333', 'eu-central-1', dayBack(1), 10);
    await using place = await sizesOf({ files, accounts: ['111122223333'], firstDay: dayBack(1) });
    expect(await place.bytesOf('2013/01/01', dayBack(2))).toBe(0);
    expect(await place.bytesOf(dayBack(-1), dayBack(-30))).toBe(0);
    expect(await place.bytesOf('2013/01/01', dayBack(-30))).toBe(20);
  });

  test('of thousands of folders are estimated from one day of all and the other days of some, also when a few have nearly everything', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => String(100_000_000_000 + i));
    // As in real organizations: a few large accounts, and most with a file a day or none.
    const countOf = (i: number): number => (i % 600 === 7 ? 900 : i % 3 === 0 ? 2 : i % 3 === 1 ? 1 : 0);
    const days = [dayBack(1), dayBack(3)];
    const files = days.flatMap((day) => many.flatMap((account, i) => filesOf(account, 'eu-central-1', day, countOf(i))));
    const total = files.length / days.length;
    await using place = await sizesOf({ files, accounts: many, regions: ['eu-central-1', 'us-east-1'] });
    expect(await place.bytesOf(dayBack(1))).toBe(total);
    const other = (await place.bytesOf(dayBack(3))) ?? 0;
    expect(Math.abs(other / total - 1)).toBeLessThan(0.02);
    expect(place.bucket.listings.length).toBeLessThan(6000 + 128 * 13 + 10);
    expect(place.bucket.maxConcurrentLists).toBeLessThanOrEqual(16);
  });

  test('of some folders are their part of the trail, with their own partitions', async () => {
    const files = [...filesOf('111122223333', 'eu-central-1', dayBack(1), 30), ...filesOf('444455556666', 'eu-central-1', dayBack(1), 10)];
    await using place = await sizesOf({ files, accounts });
    expect(await place.sizeOf(dayBack(1))).toMatchObject({ files: 40, bytes: 40, partitions: 2 });
    expect(await place.sizeOf(dayBack(1), dayBack(1), ['444455556666/CloudTrail/eu-central-1'])).toMatchObject({
      files: 10,
      bytes: 10,
      partitions: 1,
    });
    expect(await place.sizeOf(dayBack(1), dayBack(1), ['999900001111/CloudTrail/eu-central-1'])).toMatchObject({ files: 0, bytes: 0 });
  });

  test('are 0 for days in an archive that Athena does not read, of which the last is found', async () => {
    const days = Array.from({ length: 200 }, (_, i) => dayBack(i + 1));
    const files = days.flatMap((day) => filesOf('111122223333', 'eu-central-1', day, 1));
    const last = dayBack(101);
    const classOf = (file: string) =>
      file.slice(file.indexOf('eu-central-1/') + 'eu-central-1/'.length).slice(0, 10) <= last ? 'DEEP_ARCHIVE' : 'STANDARD_IA';
    await using place = await sizesOf({ files, accounts: ['111122223333'], classOf });
    expect(await place.bytesOf(dayBack(190), dayBack(150))).toBe(0);
    expect(place.sizes.archivedThrough()).toBe(last);
    expect((await place.sizeOf(dayBack(7), dayBack(1)))?.classes).toEqual({ STANDARD_IA: [7, 7] });
  });

  test('follow what queries really scan', async () => {
    const files = filesOf('111122223333', 'eu-central-1', dayBack(1), 2);
    await using place = await sizesOf({ files, accounts: ['111122223333'], content: () => Buffer.alloc(10_000_000) });
    const reads = [{ first: dayBack(1), last: dayBack(1) }];
    expect(await place.bytesOf(dayBack(1))).toBe(20e6);
    for (let i = 0; i < 30; i += 1) await place.sizes.correct(reads, 10e6);
    expect((await place.bytesOf(dayBack(1))) ?? 0).toBeCloseTo(10e6, -5);
    expect(await place.sizeOf(dayBack(1))).toMatchObject({ files: 2 });
  });
});

describe('the price of a query', () => {
  const size = { bytes: 100e9, files: 41e6, partitions: 928_000, classes: { STANDARD: [41e6, 100e9] as const }, hasKeyRequests: false };

  test('has the requests for each file and each folder besides the bytes', () => {
    // Six months of 300 accounts: a share of a dollar to scan, and twenty for the requests.
    const { scan, gets, lists } = priceOf(size, 5);
    expect(scan).toBeCloseTo(0.5);
    expect(gets).toBeCloseTo(16.4);
    expect(lists).toBeCloseTo(4.6 + 0.2, 1);
    expect(secondsFor(size)).toBeGreaterThan(2 * 3600);
  });

  test('has a request to KMS for each file without a bucket key, and the retrieval of storage classes that charge for it', () => {
    expect(priceOf({ ...size, hasKeyRequests: true }, 5).keys).toBeCloseTo(123);
    const instant = priceOf({ ...size, classes: { GLACIER_IR: [41e6, 100e9] } }, 5);
    expect(instant.gets).toBeCloseTo(410);
    expect(instant.retrieval).toBeCloseTo(3);
  });
});

describe('the measurement', () => {
  test('is stored for the next start, and repeated in the background after a day', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-sizes-'));
    const kept = jsonFile(join(folder, 'state', 'sizes.json'));
    const files = filesOf('111122223333', 'eu-central-1', dayBack(1), 10);
    await using first = await sizesOf({ files, accounts: ['111122223333'], kept });
    expect(await first.bytesOf(dayBack(1))).toBe(10);
    await using next = await sizesOf({ files: [], accounts: ['111122223333'], kept });
    expect(await next.bytesOf(dayBack(1))).toBe(10);
    expect(next.bucket.listings).toEqual([]);
    const tomorrow = new Date(NOW.getTime() + DAY_MS + 1);
    await using later = await sizesOf({ files: [], accounts: ['111122223333'], kept, clock: () => tomorrow });
    expect(await later.bytesOf(dayBack(1))).toBe(10);
    await until(async () => expect(await later.bytesOf(dayBack(1))).toBe(0));
    await rm(folder, { recursive: true });
  });

  test('is repeated when the stored one is of another trail or invalid', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-sizes-'));
    const file = join(folder, 'sizes.json');
    const files = filesOf('111122223333', 'eu-central-1', dayBack(1), 10);
    for (const kept of [
      '{"at"',
      JSON.stringify({ at: NOW.toISOString(), bucket: 'other', root: 'AWSLogs/', accounts: 1, days: [{ day: dayBack(1), regions: { a: 7 } }] }),
    ]) {
      await writeFile(file, kept);
      await using place = await sizesOf({ files, accounts: ['111122223333'], kept: jsonFile(file) });
      expect(await place.bytesOf(dayBack(1))).toBe(10);
    }
    await rm(folder, { recursive: true });
  });

  test('is undefined when folders cannot be listed, and is tried again after ten minutes', async () => {
    let now = NOW;
    let isAllowed = false;
    const files = filesOf('111122223333', 'eu-central-1', dayBack(1), 10);
    await using place = await sizesOf({ files, accounts: ['111122223333'], clock: () => now, allows: () => isAllowed });
    expect(await place.bytesOf(dayBack(1))).toBeUndefined();
    isAllowed = true;
    expect(await place.bytesOf(dayBack(1))).toBeUndefined();
    now = new Date(NOW.getTime() + 10 * 60_000);
    expect(await place.bytesOf(dayBack(1))).toBe(10);
  });
});

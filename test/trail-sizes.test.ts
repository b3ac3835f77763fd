/** Estimates the sizes of a trail, over a loopback S3 in which every file has one byte. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
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
}

async function sizesOf({
  files,
  accounts,
  regions = ['eu-central-1'],
  firstDay = '2026/01/01',
  kept = nothingKept(),
  clock = () => NOW,
  allows,
}: Place) {
  const bucket = await pocketBucket(files, allows ? { allows } : {});
  const folders = async () => ({ bucket: bucket.name, root: 'AWSLogs/', accounts, regions, firstDay });
  const sizes = openSizes({ s3: bucket.client(), folders, cache: kept, clock, signal });
  const bytesOf = (first: string, last = first) => sizes.bytesOf([{ first, last }]);
  return { bucket, bytesOf, [Symbol.asyncDispose]: () => bucket[Symbol.asyncDispose]() };
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

  test('of thousands of accounts are estimated from some accounts per region, with few list requests', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => String(100_000_000_000 + i));
    const files = many.flatMap((account) => filesOf(account, 'eu-central-1', dayBack(1), 2));
    await using place = await sizesOf({ files, accounts: many, regions: ['eu-central-1', 'us-east-1'] });
    expect(await place.bytesOf(dayBack(1))).toBeCloseTo(6000);
    expect(place.bucket.listings.length).toBe(32 * 2 * 13);
    expect(place.bucket.maxConcurrentLists).toBeLessThanOrEqual(16);
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

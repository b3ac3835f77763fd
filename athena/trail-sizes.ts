/**
 * Estimates the bytes of the trail's log files per day, to price a question before it runs. Athena reads whole files, so a
 * question scans every file in the folders of its days. Listing all folders would take hours, so a sample is listed.
 */
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { dayFolder } from '../src/trail/events.ts';
import type { Days } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { dayStartMs } from './days.ts';
import type { TrailFolders } from './trail-folders.ts';

/** Stores the measurement between restarts. */
export interface SizeCache {
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

export interface SizesOptions {
  readonly s3: S3Client;
  readonly folders: () => Promise<TrailFolders>;
  readonly cache: SizeCache;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

export interface Sizes {
  /** Bytes of the files of these days in all accounts and regions; undefined when they could not be measured. */
  bytesOf(reads: readonly Days[]): Promise<number | undefined>;
}

const isSameTrail = (one: Pick<TrailFolders, 'bucket' | 'root'>, other: Pick<TrailFolders, 'bucket' | 'root'>): boolean =>
  one.bucket === other.bucket && one.root === other.root;

/** Besides the last week, a Wednesday and a Sunday about this many days ago are sampled, because trails grow. */
const OLDER_SAMPLES_DAYS = [30, 90, 180, 365];
/** Accounts sampled per region. With no more accounts than this, the size of a sampled day is exact. */
const MAX_SAMPLED_ACCOUNTS = 32;
/** List requests at a time, as in athena/bucket-layout.ts. */
const CONCURRENT_LISTS = 16;
/** Sizes are measured again after a day, or ten minutes after a failure. */
const MEASUREMENT_MAX_AGE_MS = DAY_MS;
const RETRY_AFTER_MS = 10 * 60_000;

const measurementSchema = z.object({
  at: z.string(),
  bucket: z.string(),
  root: z.string(),
  accounts: z.number(),
  /** For each sampled day, oldest first: the average bytes per account in each region. */
  days: z.array(z.object({ day: z.string(), regions: z.record(z.string(), z.number()) })).min(1),
});
type SizeMeasurement = z.output<typeof measurementSchema>;

/** Opens the sizes of a trail. They are measured on first use; old sizes stay in use while new ones are measured. */
export function openSizes({ s3, folders, cache, clock, signal }: SizesOptions): Sizes {
  let known: SizeMeasurement | undefined;
  let measuring: Promise<SizeMeasurement | undefined> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const isCurrent = (measurement: SizeMeasurement, now: TrailFolders): boolean =>
    isSameTrail(measurement, now) &&
    measurement.accounts === now.accounts.length &&
    clock().getTime() - Date.parse(measurement.at) < MEASUREMENT_MAX_AGE_MS;

  async function remeasure(now: TrailFolders): Promise<SizeMeasurement | undefined> {
    try {
      known = await measure(s3, now, clock(), signal);
      // If it cannot be stored, it is measured again after the next start.
      await cache.write(known).catch(() => undefined);
      return known;
    } catch {
      // Questions run without an estimate; doctor reports the error.
      failedAt = clock().getTime();
      return undefined;
    } finally {
      measuring = undefined;
    }
  }

  return {
    async bytesOf(reads) {
      const now = await folders();
      known ??= measurementSchema.safeParse(await cache.read()).data;
      if (!(known && isCurrent(known, now)) && clock().getTime() - failedAt >= RETRY_AFTER_MS) measuring ??= remeasure(now);
      const measurement = known && isSameTrail(known, now) ? known : await measuring;
      return measurement && reads.reduce((sum, days) => sum + bytesOf(days, measurement, now.firstDay, clock()), 0);
    },
  };
}

/** Lists the folders of the sampled days and accounts in every region. */
async function measure(
  s3: S3Client,
  { bucket, root, accounts, regions, firstDay }: TrailFolders,
  now: Date,
  signal: AbortSignal,
): Promise<SizeMeasurement> {
  const wanted = sampledDays(now).filter((day) => day >= firstDay);
  const sampledAccounts = sampleEvenly(accounts, MAX_SAMPLED_ACCOUNTS);
  const days = (wanted.length > 0 ? wanted : [dayFolder(now)]).map((day) => ({
    day,
    regions: Object.fromEntries(regions.map((region) => [region, 0])),
  }));
  const folders = days.flatMap((day) => regions.flatMap((region) => sampledAccounts.map((account) => ({ day, region, account }))));
  const worker = async () => {
    for (let next = folders.pop(); next; next = folders.pop()) {
      const { day: sample, region, account } = next;
      const bytes = await folderBytes(s3, bucket, `${root}${account}/CloudTrail/${region}/${sample.day}/`, signal);
      sample.regions[region] = (sample.regions[region] ?? 0) + bytes / sampledAccounts.length;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_LISTS }, worker));
  return { at: now.toISOString(), bucket, root, accounts: accounts.length, days: days.reverse() };
}

/** The days to sample, newest first. */
function sampledDays(now: Date): string[] {
  const daysAgo = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
  const lastWeek = [1, 2, 3, 4, 5, 6, 7].map(daysAgo);
  const older = OLDER_SAMPLES_DAYS.flatMap((days) =>
    [SUNDAY, WEDNESDAY].map((weekday) => daysAgo(days + ((daysAgo(days).getUTCDay() - weekday + 7) % 7))),
  );
  return [...lastWeek, ...older].map(dayFolder);
}

const SUNDAY = 0;
const WEDNESDAY = 3;

async function folderBytes(s3: S3Client, bucket: string, folder: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  let next: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, ContinuationToken: next }), { abortSignal: signal });
    for (const { Size = 0 } of page.Contents ?? []) bytes += Size;
    next = page.NextContinuationToken;
  } while (next);
  return bytes;
}

/** Each day counts as the nearest sampled day of its kind, weekday or weekend. Days before the first or after today count as 0. */
function bytesOf({ first, last }: Days, { days, accounts }: SizeMeasurement, firstDay: string, now: Date): number {
  const totals = days.map(({ day, regions }) => ({
    at: dayStartMs(day),
    bytes: accounts * Object.values(regions).reduce((sum, bytes) => sum + bytes, 0),
  }));
  const [from, to] = [Math.max(dayStartMs(first), dayStartMs(firstDay)), Math.min(dayStartMs(last), dayStartMs(dayFolder(now)))];
  let bytes = 0;
  for (let at = from; at <= to; at += DAY_MS) {
    const alike = totals.filter((each) => isOnWeekend(each.at) === isOnWeekend(at));
    const [newest, ...others] = alike.length > 0 ? alike : totals;
    const near = others.reduce((best, each) => (best && Math.abs(best.at - at) < Math.abs(each.at - at) ? best : each), newest);
    bytes += near?.bytes ?? 0;
  }
  return bytes;
}

const isOnWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getUTCDay());

/** At most `max` items of a list, evenly spaced. */
const sampleEvenly = <T>(list: readonly T[], max: number): readonly T[] =>
  list.length <= max ? list : Array.from({ length: max }, (_, i) => list[Math.floor((i * list.length) / max)] as T);

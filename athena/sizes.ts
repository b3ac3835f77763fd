/**
 * How many bytes the trail has for each day, so that it can be said what a question costs before it runs. Athena reads the
 * log files of a folder whole, so a question takes what the files of its folders have. To list all of them would take
 * hours: some folders of some days are, and the rest is reckoned from them.
 */
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { dayFolder } from '../src/trail/events.ts';
import type { Days } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';

/** Where a trail's folders are, and which there are. */
export interface Folders {
  readonly bucket: string;
  /** What stands before the accounts, with its closing slash: `AWSLogs/o-a1b2c3d4e5/`. */
  readonly root: string;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** The first day of delivery, 'yyyy/MM/dd'. */
  readonly firstDay: string;
}

/** Keeps one value from one start to the next. */
export interface Kept {
  read(): Promise<unknown>;
  write(value: unknown): Promise<void>;
}

export interface SizesOptions {
  readonly s3: S3Client;
  readonly folders: () => Promise<Folders>;
  readonly kept: Kept;
  readonly clock: () => Date;
  readonly signal: AbortSignal;
}

export interface Sizes {
  /** Bytes of the files of these days, in all accounts and regions; undefined where they could not be measured. */
  bytesOf(reads: readonly Days[]): Promise<number | undefined>;
}

const isSame = (one: Pick<Folders, 'bucket' | 'root'>, other: Pick<Folders, 'bucket' | 'root'>): boolean =>
  one.bucket === other.bucket && one.root === other.root;

/** So many days back, a working day and a Sunday are looked at, for trails grow; and all days of the last week. */
const LONG_AGO = [30, 90, 180, 365];
/** Accounts of each region that are looked at. Up to so many, what is said of a day that was looked at is exact. */
const MOST_ACCOUNTS = 32;
/** Lists under way at once, as in athena/bucket-layout.ts. */
const AT_ONCE = 16;
/** Measured anew after a day, and after a failure in ten minutes. */
const FRESH_MS = DAY_MS;
const AGAIN_MS = 10 * 60_000;

const measured = z.object({
  at: z.string(),
  bucket: z.string(),
  root: z.string(),
  accounts: z.number(),
  /** For each day that was looked at, oldest first, the bytes of an account in each region, on average. */
  days: z.array(z.object({ day: z.string(), regions: z.record(z.string(), z.number()) })).min(1),
});
type Measured = z.output<typeof measured>;

/** Opens what is known of a trail's sizes. It is measured when it is first asked for, and while that is old, it is used until it is new. */
export function openSizes({ s3, folders, kept, clock, signal }: SizesOptions): Sizes {
  let known: Measured | undefined;
  let measuring: Promise<Measured | undefined> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const isFresh = ({ at, accounts, ...place }: Measured, now: Folders): boolean =>
    isSame(place, now) && accounts === now.accounts.length && clock().getTime() - Date.parse(at) < FRESH_MS;

  async function renew(now: Folders): Promise<Measured | undefined> {
    try {
      known = await measure(s3, now, clock(), signal);
      // Where it cannot be kept, it is measured again at the next start.
      await kept.write(known).catch(() => undefined);
      return known;
    } catch {
      // Without an estimate questions run as they did before there were any; the doctor says why there is none.
      failedAt = clock().getTime();
      return undefined;
    } finally {
      measuring = undefined;
    }
  }

  return {
    async bytesOf(reads) {
      const now = await folders();
      known ??= measured.safeParse(await kept.read()).data;
      if (!(known && isFresh(known, now)) && clock().getTime() - failedAt >= AGAIN_MS) measuring ??= renew(now);
      const ground = known && isSame(known, now) ? known : await measuring;
      return ground && reads.reduce((sum, days) => sum + bytesOf(days, ground, now.firstDay, clock()), 0);
    },
  };
}

/** Lists the folders of some days and accounts of every region. */
async function measure(s3: S3Client, { bucket, root, accounts, regions, firstDay }: Folders, now: Date, signal: AbortSignal): Promise<Measured> {
  const days = lookedAt(now).filter((day) => day >= firstDay);
  const spread = evenly(accounts, MOST_ACCOUNTS);
  const found = (days.length > 0 ? days : [dayFolder(now)]).map((day) => ({
    day,
    regions: Object.fromEntries(regions.map((region) => [region, 0])),
  }));
  const folders = found.flatMap((each) => regions.flatMap((region) => spread.map((account) => ({ each, region, account }))));
  const lane = async () => {
    for (let next = folders.pop(); next; next = folders.pop()) {
      const { each, region, account } = next;
      const bytes = await bytesIn(s3, bucket, `${root}${account}/CloudTrail/${region}/${each.day}/`, signal);
      each.regions[region] = (each.regions[region] ?? 0) + bytes / spread.length;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { at: now.toISOString(), bucket, root, accounts: accounts.length, days: found.reverse() };
}

/** The days that are looked at, newest first. */
function lookedAt(now: Date): string[] {
  const back = (days: number): Date => new Date(now.getTime() - days * DAY_MS);
  const lastWeek = [1, 2, 3, 4, 5, 6, 7].map(back);
  const before = LONG_AGO.flatMap((days) => [SUNDAY, WEDNESDAY].map((weekday) => back(days + ((back(days).getUTCDay() - weekday + 7) % 7))));
  return [...lastWeek, ...before].map(dayFolder);
}

const SUNDAY = 0;
const WEDNESDAY = 3;

async function bytesIn(s3: S3Client, bucket: string, folder: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  let next: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, ContinuationToken: next }), { abortSignal: signal });
    for (const { Size = 0 } of page.Contents ?? []) bytes += Size;
    next = page.NextContinuationToken;
  } while (next);
  return bytes;
}

/** Each day has what the nearest day of its kind has that was looked at: weekends are quiet. Before the first day and after today there is nothing. */
function bytesOf({ first, last }: Days, { days, accounts }: Measured, firstDay: string, now: Date): number {
  const totals = days.map(({ day, regions }) => ({
    at: timeOf(day),
    bytes: accounts * Object.values(regions).reduce((sum, bytes) => sum + bytes, 0),
  }));
  const [from, to] = [Math.max(timeOf(first), timeOf(firstDay)), Math.min(timeOf(last), timeOf(dayFolder(now)))];
  let bytes = 0;
  for (let at = from; at <= to; at += DAY_MS) {
    const alike = totals.filter((each) => isWeekend(each.at) === isWeekend(at));
    const [newest, ...others] = alike.length > 0 ? alike : totals;
    const near = others.reduce((best, each) => (best && Math.abs(best.at - at) < Math.abs(each.at - at) ? best : each), newest);
    bytes += near?.bytes ?? 0;
  }
  return bytes;
}

const isWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getUTCDay());

/** At most `most` of a list, as far apart as can be. */
const evenly = <T>(list: readonly T[], most: number): readonly T[] =>
  list.length <= most ? list : Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)] as T);

const timeOf = (day: string): number => Date.parse(`${day.replaceAll('/', '-')}T00:00:00Z`);

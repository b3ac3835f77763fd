/**
 * Estimates the log files of a trail per day, their number and their bytes, to price a question before it runs. Athena opens and reads
 * whole files, so a question reads every file in the folders of its days. Listing all of them would take hours. So one day is listed in
 * all folders, which tells how large each is; other days only in the largest and in some of the others.
 */
import { HeadObjectCommand, ListObjectsV2Command, type S3Client, type _Object as S3Object } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { z } from 'zod';
import { dayFolder } from '../src/trail/events.ts';
import { folderName } from '../src/trail/folders.ts';
import type { Days, Reading } from '../src/trail/sql.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { dayStartMs } from './days.ts';
import { isArchived, type ReadSize, type StorageClasses } from './prices.ts';
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
  /** What is read of these days and folders; undefined when the trail could not be measured. */
  sizeOf(reads: readonly Reading[]): Promise<ReadSize | undefined>;
  /** Corrects later estimates by what a query really scanned, in bytes. */
  correct(reads: readonly Reading[], bytes: number): Promise<void>;
  /** The last day whose files are in an archive that Athena does not read, 'yyyy/MM/dd'; undefined when none is, and before the first measurement. */
  archivedThrough(): string | undefined;
}

const isSameTrail = (one: Pick<TrailFolders, 'bucket' | 'root'>, other: Pick<TrailFolders, 'bucket' | 'root'>): boolean =>
  one.bucket === other.bucket && one.root === other.root;

/** Besides the last week, a Wednesday and a Sunday about this many days ago are sampled, because trails grow. */
const OLDER_SAMPLES_DAYS = [30, 90, 180, 365, 730, 1460, 2555];
/** More folders than these are not all listed, even for one day. A list request costs $0.000005. */
const MAX_FOLDERS_OF_A_DAY = 20_000;
/** Folders listed for each other day: the largest, and as many of the others, from all sizes. With no more folders than these, sizes are exact. */
const MAX_LARGEST = 64;
const MAX_OTHERS = 64;
/** List requests at a time, as in athena/bucket-layout.ts. */
const CONCURRENT_LISTS = 16;
/** Sizes are measured again after a day, or ten minutes after a failure. */
const MEASUREMENT_MAX_AGE_MS = DAY_MS;
const RETRY_AFTER_MS = 10 * 60_000;
/** Small reads say little about large ones. */
const MIN_BYTES_TO_LEARN_FROM = 10e6;
const LEARNING_RATE = 0.2;
const MAX_CORRECTION = 5;

/** Files and bytes. */
const sizeSchema = z.tuple([z.number(), z.number()]).readonly();
type FilesAndBytes = z.output<typeof sizeSchema>;
const classesSchema = z.record(z.string(), sizeSchema).readonly();

const measurementSchema = z.object({
  at: z.string(),
  bucket: z.string(),
  root: z.string(),
  /** How many folders the trail has. */
  folderCount: z.number(),
  /** The size of each folder on one day, without those that have no files. */
  folders: z.record(z.string(), sizeSchema),
  /** The size of the trail on each sampled day, by storage class; oldest first. */
  days: z.array(z.object({ day: z.string(), classes: classesSchema })).min(1),
  archivedThrough: z.string().optional(),
  hasKeyRequests: z.boolean(),
  /** What queries really read, as a part of what was expected. */
  correction: z.number().positive().default(1),
});
type SizeMeasurement = z.output<typeof measurementSchema>;

/** Opens the sizes of a trail. They are measured on first use; old sizes stay in use while new ones are measured. */
export function openSizes({ s3, folders, cache, clock, signal }: SizesOptions): Sizes {
  let known: SizeMeasurement | undefined;
  let measuring: Promise<SizeMeasurement | undefined> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  const isCurrent = (measurement: SizeMeasurement, now: TrailFolders): boolean =>
    isSameTrail(measurement, now) &&
    measurement.folderCount === now.folders.length &&
    clock().getTime() - Date.parse(measurement.at) < MEASUREMENT_MAX_AGE_MS;

  // If it cannot be stored, it is measured again after the next start.
  const store = () => cache.write(known).catch(() => undefined);

  async function remeasure(now: TrailFolders): Promise<SizeMeasurement | undefined> {
    try {
      known = await measure(s3, now, clock(), signal);
      await store();
      return known;
    } catch {
      // Questions run without an estimate; doctor reports the error.
      failedAt = clock().getTime();
      return undefined;
    } finally {
      measuring = undefined;
    }
  }

  async function sizeOfReads(reads: readonly Reading[]): Promise<ReadSize | undefined> {
    const now = await folders();
    known ??= measurementSchema.safeParse(await cache.read()).data;
    if (!(known && isCurrent(known, now)) && clock().getTime() - failedAt >= RETRY_AFTER_MS) measuring ??= remeasure(now);
    const measurement = known && isSameTrail(known, now) ? known : await measuring;
    return measurement && sumOf(reads.map((reading) => sizeOf(reading, measurement, now, clock())));
  }

  return {
    sizeOf: sizeOfReads,
    async correct(reads, bytes) {
      const expected = await sizeOfReads(reads);
      if (!known || !expected || expected.bytes < MIN_BYTES_TO_LEARN_FROM) return;
      const really = (bytes / expected.bytes) * known.correction;
      const correction = Math.min(MAX_CORRECTION, Math.max(1 / MAX_CORRECTION, known.correction + LEARNING_RATE * (really - known.correction)));
      known = { ...known, correction };
      await store();
    },
    archivedThrough: () => known?.archivedThrough,
  };
}

// --- Measuring -----------------------------------------------------------------------------------------------------------

/** Lists one day in every folder, and the sampled days in the largest folders and some others. */
async function measure(s3: S3Client, trail: TrailFolders, now: Date, signal: AbortSignal): Promise<SizeMeasurement> {
  const { bucket, root, folders, firstDay } = trail;
  const limited = pLimit(CONCURRENT_LISTS);
  const list = (folder: string, day: string): Promise<StorageClasses> => limited(() => folderSize(s3, bucket, `${root}${folder}/${day}/`, signal));
  const listAll = (names: readonly string[], day: string) => Promise.all(names.map(async (name) => [name, await list(name, day)] as const));

  const days = [...new Set([...sampledDays(now).filter((day) => day >= firstDay), ...(firstDay === '' ? [] : [firstDay])])];
  const [wholeDay = dayFolder(now)] = days.filter((day) => !isOnWeekend(dayStartMs(day)));
  const names = folders.map(folderName);
  const listed = await listAll(sampleEvenly(names, MAX_FOLDERS_OF_A_DAY), wholeDay);
  const largestFirst = listed.map(([name, classes]) => ({ name, bytes: totalOf(classes)[1] })).sort((a, b) => b.bytes - a.bytes);
  const largest = largestFirst.slice(0, MAX_LARGEST);
  const rest = largestFirst.slice(MAX_LARGEST);
  const others = sampleEvenly(rest, MAX_OTHERS);
  const restFactor = factorOf(rest, others);

  const measured = await Promise.all(
    (days.length > 0 ? days : [wholeDay]).map(async (day) => {
      if (day === wholeDay) return { day, classes: scaled(sumOfClasses(listed.map(([, classes]) => classes)), names.length / listed.length) };
      const [ofLargest, ofOthers] = await Promise.all(
        [largest, others].map((some) =>
          listAll(
            some.map(({ name }) => name),
            day,
          ),
        ),
      );
      const sum = (found: typeof ofLargest = []) => sumOfClasses(found.map(([, classes]) => classes));
      return { day, classes: scaled(sumOfClasses([sum(ofLargest), scaled(sum(ofOthers), restFactor)]), names.length / Math.max(1, listed.length)) };
    }),
  );
  const sorted = measured.sort((a, b) => (a.day < b.day ? -1 : 1));
  const archivedThrough = await findLastArchivedDay(sorted, (day) =>
    listAll(
      largest.slice(0, 5).map(({ name }) => name),
      day,
    ),
  );
  return {
    at: now.toISOString(),
    bucket,
    root,
    folderCount: folders.length,
    folders: Object.fromEntries(listed.map(([name, classes]) => [name, totalOf(classes)] as const).filter(([, [files]]) => files > 0)),
    days: sorted,
    ...(archivedThrough !== undefined && { archivedThrough }),
    hasKeyRequests: await needsKeyRequests(s3, bucket, `${root}${largest[0]?.name}/${wholeDay}/`, signal),
    correction: 1,
  };
}

/** How much more all folders have than the sampled ones: by bytes where these are known to have any, by number elsewhere. */
function factorOf(all: readonly { readonly bytes: number }[], some: readonly { readonly bytes: number }[]): number {
  if (some.length === 0) return 0;
  const bytesOf = (folders: readonly { readonly bytes: number }[]): number => folders.reduce((sum, { bytes }) => sum + bytes, 0);
  return bytesOf(some) > 0 ? bytesOf(all) / bytesOf(some) : all.length / some.length;
}

/** The last day that has files in an archive, found between the sampled days; undefined when there is none. */
async function findLastArchivedDay(
  days: SizeMeasurement['days'],
  list: (day: string) => Promise<readonly (readonly [string, StorageClasses])[]>,
): Promise<string | undefined> {
  const at = days.findLastIndex(({ classes }) => hasArchived(classes));
  const [archived, next] = [days[at], days[at + 1]];
  if (!archived || !next) return archived?.day;
  let [low, high] = [dayStartMs(archived.day), dayStartMs(next.day)];
  while (high - low > DAY_MS) {
    const middle = low + Math.floor((high - low) / DAY_MS / 2) * DAY_MS;
    const classes = sumOfClasses((await list(dayFolder(new Date(middle)))).map(([, found]) => found));
    if (hasArchived(classes)) low = middle;
    else high = middle;
  }
  return dayFolder(new Date(low));
}

const hasArchived = (classes: StorageClasses): boolean => archivedOf(classes) > 0;

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

/** The files of a folder, by storage class. */
async function folderSize(s3: S3Client, bucket: string, folder: string, signal: AbortSignal): Promise<StorageClasses> {
  const files: S3Object[] = [];
  let next: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, ContinuationToken: next }), { abortSignal: signal });
    files.push(...(page.Contents ?? []));
    next = page.NextContinuationToken;
  } while (next);
  return sumOfClasses(files.map(({ StorageClass = 'STANDARD', Size: bytes = 0 }) => ({ [StorageClass]: [1, bytes] as const })));
}

/** Whether each file of a folder needs a request to KMS, by its first file: it is encrypted with a KMS key, and the bucket has no key of its own. */
async function needsKeyRequests(s3: S3Client, bucket: string, folder: string, signal: AbortSignal): Promise<boolean> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, MaxKeys: 1 }), { abortSignal: signal });
  const [file] = Contents;
  if (!file) return false;
  // Without permission to read the file there is no question to price.
  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: file.Key }), { abortSignal: signal }).catch(() => undefined);
  return head?.ServerSideEncryption?.startsWith('aws:kms') === true && head.BucketKeyEnabled !== true;
}

/** The log files of a day in all folders, and how many of them are archived. */
export async function listDay(
  s3: S3Client,
  { bucket, root, folders }: TrailFolders,
  day: string,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly archived: number }> {
  const limited = pLimit(CONCURRENT_LISTS);
  const listed = await Promise.all(folders.map((folder) => limited(() => folderSize(s3, bucket, `${root}${folderName(folder)}/${day}/`, signal))));
  const classes = sumOfClasses(listed);
  return { files: totalOf(classes)[0], archived: archivedOf(classes) };
}

const archivedOf = (classes: StorageClasses): number => totalOf(Object.fromEntries(Object.entries(classes).filter(([name]) => isArchived(name))))[0];

// --- Estimating ----------------------------------------------------------------------------------------------------------

/** Each day counts as the nearest sampled day of its kind, weekday or weekend. Days before the first or after today count as 0. */
function sizeOf({ first, last, folders }: Reading, measurement: SizeMeasurement, { firstDay, folders: all }: TrailFolders, now: Date): ReadSize {
  const share = folders ? shareOf(folders, measurement) : { files: 1, bytes: 1 };
  const days = daysIn({ first, last }, firstDay, now);
  const classes = sumOfClasses(days.map((at) => classesOn(at, measurement)));
  const read = Object.fromEntries(
    Object.entries(classes)
      .filter(([name]) => !isArchived(name))
      .map(([name, [files, bytes]]) => [name, [files * share.files, bytes * share.bytes * measurement.correction] as const]),
  );
  const [files, bytes] = totalOf(read);
  return { files, bytes, partitions: days.length * (folders?.length ?? all.length), classes: read, hasKeyRequests: measurement.hasKeyRequests };
}

function classesOn(at: number, { days }: SizeMeasurement): StorageClasses {
  const sampled = days.map(({ day, classes }) => ({ at: dayStartMs(day), classes }));
  const alike = sampled.filter((each) => isOnWeekend(each.at) === isOnWeekend(at));
  const [newest, ...others] = (alike.length > 0 ? alike : sampled).toReversed();
  const near = others.reduce((best, each) => (best && Math.abs(best.at - at) <= Math.abs(each.at - at) ? best : each), newest);
  return near?.classes ?? {};
}

/** What part of the trail some folders are. */
function shareOf(names: readonly string[], { folders, folderCount }: SizeMeasurement): { readonly files: number; readonly bytes: number } {
  const sizes = Object.values(folders);
  const sum = (list: readonly FilesAndBytes[], i: 0 | 1): number => list.reduce((total, each) => total + each[i], 0);
  const own = names.map((name) => folders[name] ?? ([0, 0] as FilesAndBytes));
  const part = (i: 0 | 1): number => (sum(sizes, i) > 0 ? sum(own, i) / sum(sizes, i) : names.length / Math.max(1, folderCount));
  return { files: part(0), bytes: part(1) };
}

/** The days of a range in which the trail has folders, as midnights. */
function daysIn({ first, last }: Days, firstDay: string, now: Date): number[] {
  const [from, to] = [
    Math.max(dayStartMs(first), firstDay === '' ? 0 : dayStartMs(firstDay)),
    Math.min(dayStartMs(last), dayStartMs(dayFolder(now))),
  ];
  return from > to ? [] : Array.from({ length: (to - from) / DAY_MS + 1 }, (_, i) => from + i * DAY_MS);
}

const isOnWeekend = (at: number): boolean => [0, 6].includes(new Date(at).getUTCDay());

// --- Sums ----------------------------------------------------------------------------------------------------------------

const totalOf = (classes: StorageClasses): FilesAndBytes =>
  Object.values(classes).reduce<FilesAndBytes>(([files, bytes], each) => [files + each[0], bytes + each[1]], [0, 0]);

function sumOfClasses(all: readonly StorageClasses[]): StorageClasses {
  const sum: Record<string, FilesAndBytes> = {};
  for (const classes of all) {
    for (const [name, [files, bytes]] of Object.entries(classes)) {
      const [moreFiles, moreBytes] = sum[name] ?? [0, 0];
      sum[name] = [files + moreFiles, bytes + moreBytes];
    }
  }
  return sum;
}

const scaled = (classes: StorageClasses, factor: number): StorageClasses =>
  Object.fromEntries(Object.entries(classes).map(([name, [files, bytes]]) => [name, [files * factor, bytes * factor] as const]));

/** What several reads are together. */
export const sumOf = (sizes: readonly ReadSize[]): ReadSize => ({
  files: sizes.reduce((sum, { files }) => sum + files, 0),
  bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
  partitions: sizes.reduce((sum, { partitions }) => sum + partitions, 0),
  classes: sumOfClasses(sizes.map(({ classes }) => classes)),
  hasKeyRequests: sizes.some(({ hasKeyRequests }) => hasKeyRequests),
});

/** At most `max` items of a list, evenly spaced. */
export const sampleEvenly = <T>(list: readonly T[], max: number): readonly T[] =>
  list.length <= max ? list : Array.from({ length: max }, (_, i) => list[Math.floor((i * list.length) / max)] as T);

/**
 * Finds the KMS keys that the log files of a trail are encrypted with. A trail whose key was changed needs the old keys too: S3 never
 * encrypts existing objects again. No API lists the keys of objects, so some files are looked at: the oldest and the newest, and between
 * them always one in the middle of the longest time between two others, first where these two have different keys.
 */
import { HeadObjectCommand, ListObjectsV2Command, S3ServiceException } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { UserError } from '../src/errors.ts';
import { dayFolder } from '../src/trail/events.ts';
import { folderName } from '../src/trail/folders.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type BucketLayout, foldersOfLayout } from './bucket-layout.ts';
import { dayStartMs, nextDay } from './days.ts';
import type { BucketAccess } from './newest-log.ts';
import { sampleEvenly } from './trail-sizes.ts';

/** The KMS keys of a trail, and the files they were read from. */
export interface TrailKeys {
  /** ARNs, sorted; none when no file is encrypted with a KMS key. */
  readonly keys: readonly string[];
  /** The number of files whose key was read, and of their accounts. */
  readonly files: number;
  readonly accounts: number;
  /** The first and the last day of these files, 'yyyy/MM/dd'. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** The longest time between two files, or after the last, in days. A key that was in use for less can be missing. */
  readonly gapDays: number;
  /** The number of other files, whose key could not be read, and why. */
  readonly unreadable: number;
  readonly error: unknown;
}

/** At most this many files are looked at, a HEAD request each. */
const MAX_FILES = 60;
/** Without an organization's trail, each account can have a trail and a key of its own: so many accounts are looked at. */
const MAX_ACCOUNTS_SAMPLED = 20;
/** So many folders are searched for files. A list request costs $0.000005. */
const MAX_FOLDERS_SEARCHED = 60;
/** The newest file is searched for from so many days before the last day of the trail: some folders are idle for days. */
const NEWEST_DAYS_AGO = [0, 1, 7, 30] as const;
const CONCURRENT_REQUESTS = 8;

interface FolderPath {
  readonly account: string;
  /** Its path in the bucket, with a trailing slash. */
  readonly path: string;
}

/** A folder that has log files. */
interface FolderWithFiles extends FolderPath {
  readonly first: FoundFile;
}

interface FoundFile {
  /** Its name in the bucket. */
  readonly name: string;
  /** 'yyyy/MM/dd' */
  readonly day: string;
}

/** A file that was looked at. */
interface KeySample extends FoundFile {
  readonly folder: FolderWithFiles;
  /** An ARN, or why there is none. S3 gives the ARN of the key also where the object was written with an alias. */
  readonly key: string | 'none' | 'unreadable';
  /** Why it is unreadable. */
  readonly error?: unknown;
}

/** The time between two files that were looked at, or after the newest. */
interface KeyGap {
  /** The folders to search. */
  readonly folders: readonly FolderWithFiles[];
  readonly from: KeySample;
  readonly to: KeySample | undefined;
  /** The day that files must be before. */
  readonly until: string;
}

/**
 * Looks at up to 60 files, with up to 540 list requests for finding them.
 * @throws UserError when there is no log file, or when none can be read.
 */
export async function findTrailKeys(
  layout: BucketLayout,
  access: BucketAccess,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<TrailKeys> {
  const search = openSearch(access, onProgress);
  let gaps = (await Promise.all(groupsOf(layout).map((folders) => findFirstGaps(folders, layout, search)))).flat();
  let attempts = search.samples.length;
  for (let round = gapsToHalve(gaps, MAX_FILES - attempts); round.length > 0; round = gapsToHalve(gaps, MAX_FILES - attempts)) {
    attempts += round.length;
    const halves = await Promise.all(round.map((gap, i) => halve(gap, attempts + i, search)));
    gaps = [...gaps.filter((gap) => !round.includes(gap)), ...halves.flat()];
  }
  return summarizeKeys(search.samples, gaps, layout);
}

/** The requests of a search, and what they found. */
interface KeySearch {
  readonly samples: readonly KeySample[];
  /** The first log file of a folder from a day on and before another. */
  find(path: string, days: { readonly from: string; readonly until: string }): Promise<FoundFile | undefined>;
  /** Reads the key of a file. */
  look(file: FoundFile, folder: FolderWithFiles): Promise<KeySample>;
}

function openSearch(access: BucketAccess, onProgress: (done: number, total: number) => void): KeySearch {
  const limited = pLimit(CONCURRENT_REQUESTS);
  const samples: KeySample[] = [];
  return {
    samples,
    find: (path, days) => limited(() => findFile(path, days, access)),
    async look(file, folder) {
      const sample = { ...file, folder, ...(await limited(() => readObjectKey(file, access))) };
      samples.push(sample);
      onProgress(samples.length, MAX_FILES);
      return sample;
    },
  };
}

/** Looks at the oldest and the newest file of some folders. */
async function findFirstGaps(paths: readonly FolderPath[], { firstDay, lastDay }: BucketLayout, { find, look }: KeySearch): Promise<KeyGap[]> {
  const until = nextDay(lastDay);
  const found = await Promise.all(
    paths.map(async (folder) => {
      const first = await find(folder.path, { from: firstDay, until });
      return first ? [{ ...folder, first }] : [];
    }),
  );
  const folders = found.flat();
  const [oldest] = folders.toSorted((a, b) => daysApart(b.first.day, a.first.day));
  if (!oldest) return [];
  const from = await look(oldest.first, oldest);
  const lasts = await Promise.all(
    folders.map(async (folder) => {
      for (const days of NEWEST_DAYS_AGO) {
        const file = await find(folder.path, { from: addDays(lastDay, -days), until });
        if (file) return [{ folder, file }];
      }
      return [];
    }),
  );
  const [newest] = lasts.flat().sort((a, b) => daysApart(a.file.day, b.file.day));
  if (!newest || newest.file.name === from.name) return [{ folders, from, to: undefined, until }];
  const to = await look(newest.file, newest.folder);
  return [
    { folders, from, to, until: to.day },
    { folders, from: to, to: undefined, until },
  ];
}

/** The gaps to halve next, at most `left`: those between different keys, or if there are none, the longest. */
function gapsToHalve(gaps: readonly KeyGap[], left: number): readonly KeyGap[] {
  const open = gaps.filter((gap) => widthOf(gap) > 1).sort((a, b) => widthOf(b) - widthOf(a));
  const changed = open.filter(({ from, to }) => to && from.key !== to.key);
  return (changed.length > 0 ? changed : open).slice(0, Math.min(CONCURRENT_REQUESTS, left));
}

/** Looks at a file of the second half of a gap; where there is none, the first half is left. */
async function halve(gap: KeyGap, turn: number, { find, look }: KeySearch): Promise<KeyGap[]> {
  const middle = addDays(gap.from.day, Math.floor(widthOf(gap) / 2));
  for (const folder of foldersToTry(gap, turn)) {
    const file = await find(folder.path, { from: middle, until: gap.until });
    if (!file) continue;
    const sample = await look(file, folder);
    return [
      { ...gap, to: sample, until: sample.day },
      { ...gap, from: sample },
    ];
  }
  return [{ ...gap, until: middle }];
}

function summarizeKeys(samples: readonly KeySample[], gaps: readonly KeyGap[], { root }: BucketLayout): TrailKeys {
  const read = samples.filter(({ key }) => key !== 'unreadable');
  const error = samples.find(({ key }) => key === 'unreadable')?.error;
  if (samples.length === 0) throw new UserError(`There is no log file (….json.gz) under ${root} yet.`);
  if (read.length === 0) throw error;
  const days = read.map(({ day }) => day).sort();
  return {
    keys: [...new Set(read.map(({ key }) => key))].filter((key) => key !== 'none').sort(),
    files: read.length,
    accounts: new Set(read.map(({ folder }) => folder.account)).size,
    firstDay: days.at(0) as string,
    lastDay: days.at(-1) as string,
    gapDays: Math.max(1, ...lengthsOf(gaps)),
    unreadable: samples.length - read.length,
    error,
  };
}

/** The days between two files whose keys were read, or before the first and after the last of them, one number for each such time. */
function lengthsOf(gaps: readonly KeyGap[]): readonly number[] {
  const byFolders = Map.groupBy(gaps, ({ folders }) => folders);
  return [...byFolders.values()].flatMap((own) => {
    const lengths: number[] = [];
    let days = 0;
    for (const { from, to, until } of own.toSorted((a, b) => daysApart(b.from.day, a.from.day))) {
      if (days > 0 && from.key !== 'unreadable') {
        lengths.push(days);
        days = 0;
      }
      days += daysApart(from.day, to?.day ?? until);
    }
    return [...lengths, days];
  });
}

/** The folders to search, in groups that can have different keys: the whole trail of an organization, or each of some accounts. */
function groupsOf(layout: BucketLayout): readonly (readonly FolderPath[])[] {
  const root = layout.root.slice(`s3://${layout.bucket}/`.length);
  const folders = foldersOfLayout(layout).map((folder) => ({ account: folder.account, path: `${root}${folderName(folder)}/` }));
  const groups = layout.organization === null ? [...Map.groupBy(folders, ({ account }) => account).values()] : [folders];
  const some = sampleEvenly(groups, MAX_ACCOUNTS_SAMPLED);
  return some.map((group) => {
    const sampled = sampleEvenly(group, Math.floor(MAX_FOLDERS_SEARCHED / some.length));
    const first = group.filter(({ path }) => path === `${root}${layout.firstFolder}/` && !sampled.some((each) => each.path === path));
    return [...first, ...sampled];
  });
}

/** Two folders in turn, then those of the files at both ends, which have files at that time. */
function foldersToTry({ folders, from, to, until }: KeyGap, turn: number): ReadonlySet<FolderWithFiles> {
  const old = folders.filter(({ first }) => first.day < until);
  const inTurn = [turn, turn + 1].flatMap((i) => old[i % old.length] ?? []);
  return new Set([...inTurn, from.folder, ...(to ? [to.folder] : [])]);
}

/** As in `KeySearch`; undefined when there is none. One request. */
async function findFile(
  path: string,
  { from, until }: { readonly from: string; readonly until: string },
  { s3, bucket, signal }: BucketAccess,
): Promise<FoundFile | undefined> {
  const request = { Bucket: bucket, Prefix: path, MaxKeys: MAX_NAMES_LISTED, StartAfter: `${path}${from}/` };
  const { Contents = [] } = await s3.send(new ListObjectsV2Command(request), { abortSignal: signal });
  const name = Contents.find(({ Key }) => Key?.endsWith('.json.gz'))?.Key;
  const day = name?.slice(path.length, path.length + 'yyyy/MM/dd'.length) ?? '';
  const isDay = /^\d{4}\/\d\d\/\d\d$/.test(day) && !Number.isNaN(dayStartMs(day));
  return name !== undefined && isDay && day < until ? { name, day } : undefined;
}

/** The first names of a folder can be empty objects for its days, which tools create. */
const MAX_NAMES_LISTED = 10;

/** The KMS key of a file. A file that was deleted meanwhile, or that another account owns, is unreadable. */
async function readObjectKey({ name }: FoundFile, { s3, bucket, signal }: BucketAccess): Promise<Pick<KeySample, 'key' | 'error'>> {
  try {
    const { SSEKMSKeyId } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: name }), { abortSignal: signal });
    return { key: SSEKMSKeyId ?? 'none' };
  } catch (cause) {
    const status = cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
    if (status !== 403 && status !== 404) throw cause;
    const what = status === 403 ? 'S3 denies s3:GetObject on' : 'S3 no longer has';
    return { key: 'unreadable', error: Object.assign(new UserError(`${what} the log file s3://${bucket}/${name}.`), { cause }) };
  }
}

const addDays = (day: string, count: number): string => dayFolder(new Date(dayStartMs(day) + count * DAY_MS));
const daysApart = (first: string, last: string): number => (dayStartMs(last) - dayStartMs(first)) / DAY_MS;
/** The days of a gap that files are searched in, and one more. */
const widthOf = ({ from, until }: KeyGap): number => daysApart(from.day, until);

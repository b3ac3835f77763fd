/**
 * Finds the trail in a bucket: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/`. It lists folders only,
 * never the log files, of which a large organization has many millions.
 */
import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';
import { dayFolder } from '../src/trail/events.ts';
import { type Folders, folderName } from '../src/trail/folders.ts';
import { CHECK_BUCKET, explainS3Error } from './s3-error.ts';

/** A trail in a bucket. Lists are sorted, so the same bucket always gives the same layout. */
export interface BucketLayout {
  readonly bucket: string;
  /** The path before `AWSLogs/`, with a trailing slash; '' when `AWSLogs/` is at the top. */
  readonly prefix: string;
  /** `o-…` when the accounts are in an organization's folder. */
  readonly organization: string | null;
  /** The parent folder of the accounts, with a trailing slash: `s3://bucket/prefix/AWSLogs/o-…/`. */
  readonly root: string;
  /** Accounts that have a `CloudTrail/` folder. */
  readonly accounts: readonly AccountFolder[];
  /** Region folders of all accounts. A single-region trail stores global events under its own region. */
  readonly regions: readonly string[];
  /** The first and the last delivery day that has a folder, 'yyyy/MM/dd'. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** The folder of the first day, such as `111122223333/CloudTrail/us-east-1`, the first by name of several; undefined when it was not looked for. */
  readonly firstFolder?: string | undefined;
  /** Other CloudTrail folders of the accounts. They are not read. */
  readonly otherFolders: readonly OtherFolder[];
  /** Roots of other trails in the bucket, usually older than the organization's trail. They are not read. */
  readonly otherTrails?: readonly string[];
}

/** An account of the trail. It has no regions until the first delivery. */
interface AccountFolder {
  readonly id: string;
  readonly regions: readonly string[];
}

/** The folders of all accounts. */
export const foldersOfLayout = ({ accounts }: Pick<BucketLayout, 'accounts'>): Folders =>
  accounts.flatMap(({ id, regions }) => regions.map((region) => ({ account: id, region })));

const OTHER_FOLDERS = ['CloudTrail-Aggregated', 'CloudTrail-Digest', 'CloudTrail-Insight', 'CloudTrail-NetworkActivity'] as const;
/** Folders without management or data events: aggregates, digests of log files, Insights, network activity. */
type OtherFolder = (typeof OTHER_FOLDERS)[number];

/** What is known of a trail: its root as in a layout, its folders and its first day. */
interface KnownTrail {
  readonly root: string;
  readonly folders: Folders;
  readonly firstDay: string;
}

interface LayoutRequest {
  readonly s3: S3Client;
  readonly bucket: string;
  /** The path before `AWSLogs/`, with or without outer slashes; '' for none. When it is undefined, it is searched for. */
  readonly prefix?: string | undefined;
  /** Folders of later days are ignored: they are mistakes. */
  readonly today: Date;
  readonly signal: AbortSignal;
  /** The folders of a trail that is known. Of these, days are not looked for. */
  readonly known?: KnownTrail | undefined;
  /** Called after each account. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Thrown when the bucket has no trail with log files. */
export class NoTrailError extends UserError {
  /** The prefix of the trails without log files; undefined when there is none, or when they have different ones. */
  readonly prefix: string | undefined;

  constructor(message: string, trails: readonly FoundTrail[]) {
    super(message);
    const prefixes = new Set(trails.filter(({ accounts }) => accounts.length > 0).map(({ folder }) => folder.prefix));
    this.prefix = prefixes.size === 1 ? [...prefixes][0] : undefined;
  }
}

/** @throws UserError when the bucket cannot be listed, and NoTrailError when it has no trail with log files. */
export async function readLayout({ s3, bucket, prefix, today, signal, known, onProgress }: LayoutRequest): Promise<BucketLayout> {
  const failed = new AbortController();
  const lister = openFolderLister(s3, bucket, AbortSignal.any([signal, failed.signal]));
  try {
    const prefixes = prefix === undefined ? await findPrefixes(lister, bucket) : [normalizePrefix(prefix)];
    const accountsFolders = (await Promise.all(prefixes.map((found) => findAccountsFolders(lister, found)))).flat();
    const trails = await readTrails(lister, accountsFolders, { today: dayFolder(today), known, bucket, onProgress });
    const [chosen, ...others] = trails.filter(hasDays).sort(byPrecedence);
    if (!chosen) throw new NoTrailError(noTrailMessage(bucket, prefixes, trails), trails);
    const { folder, accounts, otherFolders, span } = chosen;
    return {
      bucket,
      prefix: folder.prefix,
      organization: folder.organization,
      root: `s3://${bucket}/${folder.root}`,
      accounts,
      regions: [...new Set(accounts.flatMap(({ regions }) => regions))].sort(),
      firstDay: span.first,
      lastDay: span.last,
      ...(span.firstPath !== undefined && { firstFolder: span.firstPath.slice(folder.root.length, -1) }),
      otherFolders,
      ...(others.length > 0 && { otherTrails: others.map((other) => `s3://${bucket}/${other.folder.root}`).sort() }),
    };
  } catch (error) {
    signal.throwIfAborted();
    failed.abort();
    throw await explainS3Error(error, s3, bucket);
  }
}

// --- Account folders -----------------------------------------------------------------------------------------------------

/** A folder whose children are accounts. */
interface AccountsFolder {
  readonly prefix: string;
  readonly organization: string | null;
  /** Its path in the bucket, with a trailing slash. */
  readonly root: string;
  readonly accountIds: readonly string[];
}

const ACCOUNT_FOLDER = /^\d{12}$/;
const ORGANIZATION_FOLDER = /^o-[a-z0-9]{10,32}$/;
/** Characters allowed in a prefix. It becomes part of a table's location, where `${` would be a placeholder and a quote would end the string. */
const SAFE_NAME = /^[\w .!=+@:,()~-]+$/;

/** The search for a prefix goes this deep and lists this many folders per level. */
const MAX_PREFIX_DEPTH = 3;
const MAX_FOLDERS_PER_LEVEL = 200;
/** A folder full of files, such as S3 access logs, fills many pages; the search reads only this many. */
const MAX_PAGES = 3;

/** Every prefix in the bucket with an `AWSLogs/` folder. Load balancers and flow logs write there too. */
async function findPrefixes(lister: FolderLister, bucket: string): Promise<string[]> {
  const found: string[] = [];
  let denial: unknown;
  let level = [''];
  for (let depth = 0; depth <= MAX_PREFIX_DEPTH; depth += 1) {
    const deeper = level.slice(0, MAX_FOLDERS_PER_LEVEL).map(async (folder) => {
      // A policy may allow only some prefixes. AWSLogs/ may be one of them, so it is listed by name below.
      const listed = await lister.first(folder, MAX_PAGES).catch((error: unknown) => {
        if (!isAccessDenied(error)) throw error;
        denial ??= error;
        return { names: [] as string[], isAll: false, isEmpty: false };
      });
      if (listed.isEmpty && folder === '') throw new UserError(`The bucket ${bucket} is empty. ${CHECK_BUCKET}`);
      const hasLogs = listed.names.includes('AWSLogs') || (!listed.isAll && (await lister.has(`${folder}AWSLogs/`).catch(falseIfDenied)));
      if (hasLogs) found.push(folder);
      return listed.names.filter((name) => name !== 'AWSLogs' && SAFE_NAME.test(name)).map((name) => `${folder}${name}/`);
    });
    level = (await Promise.all(deeper)).flat();
  }
  if (found.length === 0 && denial) throw denial;
  return found.sort();
}

const isAccessDenied = (error: unknown): boolean => error instanceof S3ServiceException && error.name === 'AccessDenied';
const falseIfDenied = (error: unknown): false => {
  if (isAccessDenied(error)) return false;
  throw error;
};

function normalizePrefix(prefix: string): string {
  const names = prefix.split('/').filter(Boolean);
  if (!names.every((name) => SAFE_NAME.test(name))) {
    throw new UserError(
      `The prefix “${prefix}” has characters that are not allowed in a table location. Write it exactly as it appears before AWSLogs/.`,
    );
  }
  return names.map((name) => `${name}/`).join('');
}

/** The account folders below a prefix: in AWSLogs/ itself, in an organization's folder, or, after a migration, in both. */
async function findAccountsFolders(lister: FolderLister, prefix: string): Promise<AccountsFolder[]> {
  const logs = `${prefix}AWSLogs/`;
  const names = await lister.all(logs);
  const accountsFolder = (organization: string | null, root: string, children: readonly string[]): AccountsFolder => ({
    prefix,
    organization,
    root,
    accountIds: children.filter((name) => ACCOUNT_FOLDER.test(name)),
  });
  const organizations = names.filter((name) => ORGANIZATION_FOLDER.test(name));
  const below = organizations.map(async (name) => accountsFolder(name, `${logs}${name}/`, await lister.all(`${logs}${name}/`)));
  return [accountsFolder(null, logs, names), ...(await Promise.all(below))];
}

// --- Regions and days ----------------------------------------------------------------------------------------------------

/** A candidate: the accounts and days below one folder. */
interface FoundTrail {
  readonly folder: AccountsFolder;
  readonly accounts: readonly AccountFolder[];
  readonly otherFolders: readonly OtherFolder[];
  readonly span: Readonly<DaySpan>;
}

/** The first and last day found so far. Initially `first` sorts after every day and `last` before. */
interface DaySpan {
  first: string;
  last: string;
  /** The path of the folder that has the first day, with a trailing slash; the first by name of several. */
  firstPath?: string;
}

const REGION = /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/;
/** Names of year, month and day folders. CloudTrail began in 2013. */
const DATE_FOLDERS = [/^20(1[3-9]|[2-9]\d)$/, /^(0[1-9]|1[0-2])$/, /^(0[1-9]|[12]\d|3[01])$/] as const;

async function readTrails(
  lister: FolderLister,
  accountsFolders: readonly AccountsFolder[],
  { today, known, bucket, onProgress }: Pick<LayoutRequest, 'known' | 'bucket' | 'onProgress'> & { readonly today: string },
): Promise<FoundTrail[]> {
  const total = accountsFolders.reduce((sum, { accountIds }) => sum + accountIds.length, 0);
  let done = 0;
  const trails = accountsFolders.map(async (folder): Promise<FoundTrail> => {
    const isKnownTrail = known?.root === `s3://${bucket}/${folder.root}`;
    const span: DaySpan = isKnownTrail ? { first: known.firstDay, last: today } : { first: '~', last: '' };
    const knownNames = new Set(isKnownTrail ? known.folders.map(folderName) : []);
    const accounts = folder.accountIds.map(async (id) => {
      const names = await lister.all(`${folder.root}${id}/`);
      const account = names.includes('CloudTrail')
        ? {
            id,
            regions: await readRegions(lister, `${folder.root}${id}/CloudTrail/`, span, today, (region) =>
              knownNames.has(folderName({ account: id, region })),
            ),
          }
        : null;
      done += 1;
      onProgress?.(done, total);
      return { account, otherFolders: OTHER_FOLDERS.filter((name) => names.includes(name)) };
    });
    const read = await Promise.all(accounts);
    return {
      folder,
      accounts: read.flatMap(({ account }) => account ?? []),
      otherFolders: OTHER_FOLDERS.filter((name) => read.some(({ otherFolders }) => otherFolders.includes(name))),
      span,
    };
  });
  return Promise.all(trails);
}

/** The regions below an account's `CloudTrail/`. Widens the span by their days, but for the folders that are known. */
async function readRegions(
  lister: FolderLister,
  path: string,
  span: DaySpan,
  today: string,
  isKnown: (region: string) => boolean,
): Promise<string[]> {
  const regions = (await lister.all(path)).filter((name) => REGION.test(name));
  await Promise.all(regions.filter((region) => !isKnown(region)).map((region) => widenSpan(span, lister, `${path}${region}/`, today)));
  return regions;
}

/**
 * Widens the span by the days of one region of one account. The first file of a folder tells its first day, and the first after the last
 * day found so far whether there are later ones, so that a folder takes two requests, and one when another has files of today.
 */
async function widenSpan(span: DaySpan, lister: FolderLister, region: string, today: string): Promise<void> {
  const lists = new Map<string, Promise<string[]>>();
  const below = (path: string): Promise<string[]> => {
    const list = lists.get(path) ?? childrenOf(lister, region, path, today);
    lists.set(path, list);
    return list;
  };
  const noteFirst = (day: string): void => {
    if (day > span.first || (day === span.first && (span.firstPath ?? '~') < region)) return;
    span.first = day;
    span.firstPath = region;
  };
  const seekFirst = async (path: string): Promise<void> => {
    for (const next of await below(path)) {
      if (`${next}${'/01/01'.slice(next.length - 4)}` > span.first) return;
      if (isDay(next)) noteFirst(next);
      else await seekFirst(next);
    }
  };
  const seekLast = async (path: string): Promise<void> => {
    for (const next of (await below(path)).toReversed()) {
      if (`${next}${'/12/31'.slice(next.length - 4)}` <= span.last) return;
      if (isDay(next)) span.last = next;
      else await seekLast(next);
    }
  };
  const firstFile = await lister.firstFile(region);
  if (firstFile === undefined) return;
  const first = DAY_OF_FILE.exec(firstFile.slice(region.length))?.[1];
  if (first === undefined || first > today || !isInCalendar(first)) await seekFirst('');
  else noteFirst(first);
  // `0` sorts after the slash, so this is after all files of that day.
  if (span.last < today && (await lister.firstFile(region, `${region}${span.last}0`)) !== undefined) await seekLast('');
}

/** The day of a file below a region's folder. */
const DAY_OF_FILE = /^(20(?:1[3-9]|[2-9]\d)\/(?:0[1-9]|1[0-2])\/(?:0[1-9]|[12]\d|3[01]))\//;

/** The children of a date folder up to today: '' gives years ('2026'), '2026' gives months ('2026/05'), '2026/05' gives days. */
async function childrenOf(lister: FolderLister, region: string, path: string, today: string): Promise<string[]> {
  const above = path === '' ? [] : path.split('/');
  const part = DATE_FOLDERS[above.length];
  const names = await lister.all(`${region}${above.map((name) => `${name}/`).join('')}`);
  const paths = names.filter((name) => part?.test(name)).map((name) => [...above, name].join('/'));
  return paths.filter((next) => next <= today.slice(0, next.length) && (!isDay(next) || isInCalendar(next)));
}

const isDay = (path: string): boolean => path.length === 'yyyy/MM/dd'.length;
/** False for 2026/02/30, which Date reads as 2 March. */
const isInCalendar = (day: string): boolean => new Date(day.replaceAll('/', '-')).getUTCDate() === Number(day.slice(-2));
const hasDays = ({ span }: FoundTrail): boolean => span.last !== '';

/**
 * Which of several trails to read: an organization's first, then the one with the most accounts, then the most recently
 * written. Older paths remain after an organization trail or Control Tower's landing zone 3.0 changes the path.
 */
function byPrecedence(a: FoundTrail, b: FoundTrail): number {
  return (
    Number(b.folder.organization !== null) - Number(a.folder.organization !== null) ||
    b.accounts.length - a.accounts.length ||
    (a.span.last < b.span.last ? 1 : a.span.last > b.span.last ? -1 : 0) ||
    (a.folder.root < b.folder.root ? -1 : 1)
  );
}

// --- Listing -------------------------------------------------------------------------------------------------------------

/** Lists the folders of a bucket. Paths end in a slash, or are '' for the bucket itself; names have no slash. */
interface FolderLister {
  all(path: string): Promise<string[]>;
  /** The folders on the first pages. `isAll`: there are no more pages. `isEmpty`: there is no folder and no file. */
  first(path: string, pages: number): Promise<{ readonly names: readonly string[]; readonly isAll: boolean; readonly isEmpty: boolean }>;
  has(path: string): Promise<boolean>;
  /** The first file below a folder, after a name if there is one, by its whole name; undefined when there is none. */
  firstFile(path: string, after?: string): Promise<string | undefined>;
}

/** List requests at a time. S3 allows thousands per second; this protects the machine trailbot runs on. */
const MAX_CONCURRENT_LISTS = 16;

function openFolderLister(s3: S3Client, bucket: string, signal: AbortSignal): FolderLister {
  const limited = limitLastInFirstOut(MAX_CONCURRENT_LISTS);

  function send(request: Omit<ListObjectsV2CommandInput, 'Bucket' | 'EncodingType'>) {
    // A control character in a name would make the XML unreadable, so names are requested URL-encoded.
    const command = new ListObjectsV2Command({ Bucket: bucket, EncodingType: 'url', ...request });
    return limited(() => {
      signal.throwIfAborted();
      return s3.send(command, { abortSignal: signal });
    });
  }

  async function page(path: string, more: { readonly MaxKeys?: number; readonly ContinuationToken?: string | undefined }) {
    const answer = await send({ Prefix: path, Delimiter: '/', ...more });
    const names = (answer.CommonPrefixes ?? []).map(({ Prefix = '' }) => decodeName(Prefix, answer).slice(path.length, -1));
    return { names, next: answer.NextContinuationToken, isEmpty: names.length === 0 && !answer.Contents?.length };
  }

  async function first(path: string, pages: number) {
    const names: string[] = [];
    let next: string | undefined;
    let isEmpty = true;
    for (let i = 0; i < pages; i += 1) {
      const listed = await page(path, { ContinuationToken: next });
      names.push(...listed.names);
      next = listed.next;
      isEmpty &&= listed.isEmpty;
      if (next === undefined) break;
    }
    return { names, isAll: next === undefined, isEmpty };
  }

  return {
    first,
    all: async (path) => (await first(path, Number.POSITIVE_INFINITY)).names,
    has: async (path) => !(await page(path, { MaxKeys: 1 })).isEmpty,
    async firstFile(path, after) {
      const answer = await send({ Prefix: path, MaxKeys: 1, StartAfter: after });
      const [file] = answer.Contents ?? [];
      return file?.Key === undefined ? undefined : decodeName(file.Key, answer);
    },
  };
}

/** A name in an answer. URL-encoded, a space is a plus; hosts that are not AWS's may not encode names, and then do not say so. */
const decodeName = (name: string, { EncodingType }: Pick<ListObjectsV2CommandOutput, 'EncodingType'>): string =>
  EncodingType === 'url' ? decodeURIComponent(name.replaceAll('+', ' ')) : name;

/** Limits concurrent work. The newest task goes first, so one account is finished before the next starts and progress is even. */
function limitLastInFirstOut(concurrency: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = concurrency;
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.pop();
      if (next) next();
      else free += 1;
    }
  };
}

// --- Error messages ------------------------------------------------------------------------------------------------------

function noTrailMessage(bucket: string, prefixes: readonly string[], trails: readonly FoundTrail[]): string {
  const logs = prefixes.map((prefix) => `s3://${bucket}/${prefix}AWSLogs/`).join(', ');
  const accounts = trails.reduce((sum, trail) => sum + trail.folder.accountIds.length, 0);
  if (prefixes.length === 0) {
    return `There is no AWSLogs/ folder in the bucket ${bucket} (searched ${MAX_PREFIX_DEPTH} folders deep, ${MAX_FOLDERS_PER_LEVEL} per level). If the trail has a prefix, add it to TRAIL_BUCKET: s3://${bucket}/prefix. ${CHECK_BUCKET}`;
  }
  if (accounts === 0) return `There are no accounts under ${logs}. Check the prefix, which is the path before AWSLogs/. ${CHECK_BUCKET}`;
  if (trails.some((trail) => trail.accounts.length > 0)) {
    return `There are no log files under ${logs} yet. CloudTrail delivers about every 5 minutes once logging is on. Try again then.`;
  }
  const otherFolders = OTHER_FOLDERS.filter((name) => trails.some((trail) => trail.otherFolders.includes(name))).map((name) => `${name}/`);
  const only = otherFolders.length > 0 ? `, only ${otherFolders.join(', ')}` : '';
  return `No account under ${logs} has a CloudTrail/ folder${only}. ${CHECK_BUCKET}`;
}

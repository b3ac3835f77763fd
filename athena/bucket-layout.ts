/**
 * What a trail's bucket looks like: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/`. It is learnt from
 * folders alone. Log files are many millions; none of them is ever listed.
 */
import { ListObjectsV2Command, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { UserError } from '../src/errors.ts';
import { dayFolder } from '../src/trail/events.ts';

/** A trail in a bucket. Lists are in the order of their text, so that the same bucket always gives the same layout. */
export interface Layout {
  readonly bucket: string;
  /** What stands before `AWSLogs/`, with its closing slash; '' when nothing does. */
  readonly prefix: string;
  /** `o-…` when the accounts lie in an organization's folder. */
  readonly organization: string | null;
  /** The folder whose children are accounts, with its closing slash: `s3://bucket/prefix/AWSLogs/o-…/`. */
  readonly root: string;
  /** Accounts that have a folder `CloudTrail/`. */
  readonly accounts: readonly AccountFolder[];
  /** The regions of all accounts. They are those of folders: a single-region trail keeps global events in its own. */
  readonly regions: readonly string[];
  /** The first and the last day of delivery that has a folder, 'yyyy/MM/dd'. */
  readonly firstDay: string;
  readonly lastDay: string;
  /** What else lies beside `CloudTrail/`, and is not read. */
  readonly neighbours: readonly Neighbour[];
  /** Roots of other trails in the bucket, where there are any. They are not read; most often they date from before an organization. */
  readonly others?: readonly string[];
}

/** An account of the trail. A trail without any delivery there yet has no regions. */
interface AccountFolder {
  readonly id: string;
  readonly regions: readonly string[];
}

const NEIGHBOURS = ['CloudTrail-Aggregated', 'CloudTrail-Digest', 'CloudTrail-Insight', 'CloudTrail-NetworkActivity'] as const;
/** Folders whose files hold no events of ours: aggregates, digests of log files, Insights, network activity. */
type Neighbour = (typeof NEIGHBOURS)[number];

interface Question {
  readonly s3: S3Client;
  readonly bucket: string;
  /** What stands before `AWSLogs/`, in any spelling of its slashes; '' for nothing. It is searched for when it is not given. */
  readonly prefix?: string | undefined;
  /** Folders of later days are not looked at: a day to come, in a bucket, is somebody's mistake. */
  readonly today: Date;
  readonly signal: AbortSignal;
  /** Told after each account. */
  onProgress?(done: number, total: number): void;
}

/** @throws UserError where the bucket cannot be listed, or holds no trail. */
export async function readLayout({ s3, bucket, prefix, today, signal, onProgress }: Question): Promise<Layout> {
  const failed = new AbortController();
  const folders = openFolders(s3, bucket, AbortSignal.any([signal, failed.signal]));
  try {
    const prefixes = prefix === undefined ? await findPrefixes(folders, bucket) : [tidied(prefix)];
    const places = (await Promise.all(prefixes.map((found) => placesIn(folders, found)))).flat();
    const trails = await readTrails(folders, places, dayFolder(today), onProgress);
    const [chosen, ...others] = trails.filter(hasDays).sort(byPrecedence);
    if (!chosen) throw new UserError(whyNone(bucket, prefixes, trails));
    const { place, accounts, neighbours, span } = chosen;
    return {
      bucket,
      prefix: place.prefix,
      organization: place.organization,
      root: `s3://${bucket}/${place.root}`,
      accounts,
      regions: [...new Set(accounts.flatMap(({ regions }) => regions))].sort(),
      firstDay: span.first,
      lastDay: span.last,
      neighbours,
      ...(others.length > 0 && { others: others.map((other) => `s3://${bucket}/${other.place.root}`).sort() }),
    };
  } catch (error) {
    signal.throwIfAborted();
    failed.abort();
    throw await mended(error, s3, bucket);
  }
}

// --- Where accounts are --------------------------------------------------------------------------------------------------

/** A folder whose children are accounts. */
interface Place {
  readonly prefix: string;
  readonly organization: string | null;
  /** Its path in the bucket, with its closing slash. */
  readonly root: string;
  readonly ids: readonly string[];
}

const ACCOUNT = /^\d{12}$/;
const ORGANIZATION = /^o-[a-z0-9]{10,32}$/;
/** What a prefix may be made of: it becomes part of a table's location, where `${` would be a hole and a quote would end the text. */
const PLAIN = /^[\w .!=+@:,()~-]+$/;

/** How many folders deep a prefix is searched for, and how many folders of each depth are looked into. */
const DEEPEST = 3;
const WIDEST = 200;
/** Files that lie flat in a folder (S3's own access logs, for instance) fill its listing; past so many pages we stop looking. */
const MOST_PAGES = 3;

/** Every prefix in the bucket that has a folder `AWSLogs/`, whoever's: load balancers and flow logs write there too. */
async function findPrefixes(folders: Folders, bucket: string): Promise<string[]> {
  const found: string[] = [];
  let denial: unknown;
  let level = [''];
  for (let depth = 0; depth <= DEEPEST; depth += 1) {
    const deeper = level.slice(0, WIDEST).map(async (folder) => {
      // A policy may allow some prefixes alone. AWSLogs/ itself may be among them, and is asked for by name.
      const seen = await folders.first(folder, MOST_PAGES).catch((error: unknown) => {
        if (!isDenial(error)) throw error;
        denial ??= error;
        return { names: [] as string[], isAll: false, isEmpty: false };
      });
      if (seen.isEmpty && folder === '') throw new UserError(`The bucket ${bucket} is empty. ${ANOTHER_BUCKET}`);
      const hasLogs = seen.names.includes('AWSLogs') || (!seen.isAll && (await folders.has(`${folder}AWSLogs/`).catch(deniedIsNo)));
      if (hasLogs) found.push(folder);
      return seen.names.filter((name) => name !== 'AWSLogs' && PLAIN.test(name)).map((name) => `${folder}${name}/`);
    });
    level = (await Promise.all(deeper)).flat();
  }
  if (found.length === 0 && denial) throw denial;
  return found.sort();
}

const isDenial = (error: unknown): boolean => error instanceof S3ServiceException && error.name === 'AccessDenied';
const deniedIsNo = (error: unknown): false => {
  if (isDenial(error)) return false;
  throw error;
};

function tidied(prefix: string): string {
  const names = prefix.split('/').filter(Boolean);
  if (!names.every((name) => PLAIN.test(name))) {
    throw new UserError(`The prefix “${prefix}” has characters that a table’s location cannot have. Give it as it stands before AWSLogs/.`);
  }
  return names.map((name) => `${name}/`).join('');
}

/** Where the accounts are below a prefix: in AWSLogs/ itself, in the folder of an organization, or, after a move, in both. */
async function placesIn(folders: Folders, prefix: string): Promise<Place[]> {
  const logs = `${prefix}AWSLogs/`;
  const names = await folders.all(logs);
  const place = (organization: string | null, root: string, children: readonly string[]): Place => ({
    prefix,
    organization,
    root,
    ids: children.filter((name) => ACCOUNT.test(name)),
  });
  const organizations = names.filter((name) => ORGANIZATION.test(name));
  const below = organizations.map(async (name) => place(name, `${logs}${name}/`, await folders.all(`${logs}${name}/`)));
  return [place(null, logs, names), ...(await Promise.all(below))];
}

// --- What lies there -----------------------------------------------------------------------------------------------------

/** What was found at a place. */
interface Trail {
  readonly place: Place;
  readonly accounts: readonly AccountFolder[];
  readonly neighbours: readonly Neighbour[];
  readonly span: Readonly<Span>;
}

/** The days that are known so far; before there are any, `first` is after every day and `last` before. */
interface Span {
  first: string;
  last: string;
}

const REGION = /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/;
/** A year, a month, a day. CloudTrail began in 2013. */
const PARTS_OF_A_DAY = [/^20(1[3-9]|[2-9]\d)$/, /^(0[1-9]|1[0-2])$/, /^(0[1-9]|[12]\d|3[01])$/] as const;

async function readTrails(folders: Folders, places: readonly Place[], today: string, onProgress: Question['onProgress']): Promise<Trail[]> {
  const total = places.reduce((sum, { ids }) => sum + ids.length, 0);
  let done = 0;
  const trails = places.map(async (place): Promise<Trail> => {
    const span: Span = { first: '~', last: '' };
    const accounts = place.ids.map(async (id) => {
      const names = await folders.all(`${place.root}${id}/`);
      const account = names.includes('CloudTrail')
        ? { id, regions: await readRegions(folders, `${place.root}${id}/CloudTrail/`, span, today) }
        : null;
      done += 1;
      onProgress?.(done, total);
      return { account, neighbours: NEIGHBOURS.filter((name) => names.includes(name)) };
    });
    const read = await Promise.all(accounts);
    return {
      place,
      accounts: read.flatMap(({ account }) => account ?? []),
      neighbours: NEIGHBOURS.filter((name) => read.some(({ neighbours }) => neighbours.includes(name))),
      span,
    };
  });
  return Promise.all(trails);
}

/** The regions below an account's `CloudTrail/`; the span is widened by their days. */
async function readRegions(folders: Folders, path: string, span: Span, today: string): Promise<string[]> {
  const regions = (await folders.all(path)).filter((name) => REGION.test(name));
  await Promise.all(regions.map((region) => widen(span, folders, `${path}${region}/`, today)));
  return regions;
}

/**
 * Widens the span by the days of one region of an account, from year to month to day at both ends. A year or a month is
 * looked into only where it could hold a day beyond those that are known, which spares most of the lists of a large organization.
 */
async function widen(span: Span, folders: Folders, region: string, today: string): Promise<void> {
  const lists = new Map<string, Promise<string[]>>();
  const below = (path: string): Promise<string[]> => {
    const list = lists.get(path) ?? childrenOf(folders, region, path, today);
    lists.set(path, list);
    return list;
  };
  const seekFirst = async (path: string): Promise<void> => {
    for (const next of await below(path)) {
      if (`${next}${'/01/01'.slice(next.length - 4)}` >= span.first) return;
      if (isDay(next)) span.first = next;
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
  await seekFirst('');
  await seekLast('');
}

/** The years of a region until today, the months of '2026' as '2026/05', the days of '2026/05' as '2026/05/01'. */
async function childrenOf(folders: Folders, region: string, path: string, today: string): Promise<string[]> {
  const above = path === '' ? [] : path.split('/');
  const part = PARTS_OF_A_DAY[above.length];
  const names = await folders.all(`${region}${above.map((name) => `${name}/`).join('')}`);
  const paths = names.filter((name) => part?.test(name)).map((name) => [...above, name].join('/'));
  return paths.filter((next) => next <= today.slice(0, next.length) && (!isDay(next) || isInCalendar(next)));
}

const isDay = (path: string): boolean => path.length === 'yyyy/MM/dd'.length;
/** False for 2026/02/30, which a date makes the second of March. */
const isInCalendar = (day: string): boolean => new Date(day.replaceAll('/', '-')).getUTCDate() === Number(day.slice(-2));
const hasDays = ({ span }: Trail): boolean => span.last !== '';

/**
 * Which of several trails is the bucket's: the one of an organization, then the one with the most accounts, then the one
 * that was written to last. Buckets keep what was delivered before an organization, or Control Tower's landing zone 3.0, changed the path.
 */
function byPrecedence(a: Trail, b: Trail): number {
  return (
    Number(b.place.organization !== null) - Number(a.place.organization !== null) ||
    b.accounts.length - a.accounts.length ||
    (a.span.last < b.span.last ? 1 : a.span.last > b.span.last ? -1 : 0) ||
    (a.place.root < b.place.root ? -1 : 1)
  );
}

// --- Listing -------------------------------------------------------------------------------------------------------------

/** The folders of a bucket. A path ends in a slash, or is '' for the bucket itself; names come without slashes. */
interface Folders {
  all(path: string): Promise<string[]>;
  /** Those of the first pages: `isAll` tells whether there are more, `isEmpty` whether there is neither a folder nor a file. */
  first(path: string, pages: number): Promise<{ readonly names: readonly string[]; readonly isAll: boolean; readonly isEmpty: boolean }>;
  has(path: string): Promise<boolean>;
}

/** Lists that are under way at once. S3 takes thousands a second; this is for the sake of the machine that we run on. */
const AT_ONCE = 16;

function openFolders(s3: S3Client, bucket: string, signal: AbortSignal): Folders {
  const inTurn = turns(AT_ONCE);

  async function page(path: string, more: { readonly MaxKeys?: number; readonly ContinuationToken?: string | undefined }) {
    // In XML a name with a control character could not be read at all, so S3 is told to encode names.
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: path, Delimiter: '/', EncodingType: 'url', ...more });
    const answer = await inTurn(() => {
      signal.throwIfAborted();
      return s3.send(command, { abortSignal: signal });
    });
    const names = (answer.CommonPrefixes ?? []).map(({ Prefix = '' }) => decoded(Prefix).slice(path.length, -1));
    return { names, next: answer.NextContinuationToken, isEmpty: names.length === 0 && !answer.Contents?.length };
  }

  async function first(path: string, pages: number) {
    const names: string[] = [];
    let next: string | undefined;
    let isEmpty = true;
    for (let i = 0; i < pages; i += 1) {
      const seen = await page(path, { ContinuationToken: next });
      names.push(...seen.names);
      next = seen.next;
      isEmpty &&= seen.isEmpty;
      if (next === undefined) break;
    }
    return { names, isAll: next === undefined, isEmpty };
  }

  return {
    first,
    all: async (path) => (await first(path, Number.POSITIVE_INFINITY)).names,
    has: async (path) => !(await page(path, { MaxKeys: 1 })).isEmpty,
  };
}

/** What S3 makes of a name with `encoding-type=url`: a space is a plus, as in a form. */
const decoded = (name: string): string => decodeURIComponent(name.replaceAll('+', ' '));

/** Lets so much work be done at once. Who comes last goes first: an account is finished before the next is begun, and progress is even. */
function turns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = atOnce;
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

// --- What is said where it fails -----------------------------------------------------------------------------------------

const ANOTHER_BUCKET = 'Is the trail new, or does it write to another bucket? The CloudTrail console shows it under “Trail log location”.';

function whyNone(bucket: string, prefixes: readonly string[], trails: readonly Trail[]): string {
  const logs = prefixes.map((prefix) => `s3://${bucket}/${prefix}AWSLogs/`).join(', ');
  const accounts = trails.reduce((sum, trail) => sum + trail.place.ids.length, 0);
  if (prefixes.length === 0) {
    return `I find no AWSLogs/ in the bucket ${bucket}, ${DEEPEST} folders deep and ${WIDEST} wide. If the trail has a prefix, give it: what stands before AWSLogs/. ${ANOTHER_BUCKET}`;
  }
  if (accounts === 0) return `There are no accounts under ${logs}. Check the prefix: what stands before AWSLogs/. ${ANOTHER_BUCKET}`;
  if (trails.some((trail) => trail.accounts.length > 0)) {
    return `There are no log files under ${logs} yet. CloudTrail delivers about every 5 minutes once a trail is on; try again then.`;
  }
  const neighbours = NEIGHBOURS.filter((name) => trails.some((trail) => trail.neighbours.includes(name))).map((name) => `${name}/`);
  const only = neighbours.length > 0 ? `, only ${neighbours.join(', ')}` : '';
  return `No account under ${logs} has a folder CloudTrail/${only}. ${ANOTHER_BUCKET}`;
}

const NOT_ACCEPTED = new Set(['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'ExpiredToken', 'InvalidToken']);
const ELSEWHERE = new Set(['PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException']);
const UNREACHABLE = new Set(['TimeoutError', 'ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** A failure of S3, or of the way to it, in words where it can be mended, or as it is. */
export async function mended(cause: unknown, s3: S3Client, bucket: string): Promise<unknown> {
  if (!(cause instanceof Error) || cause instanceof UserError) return cause;
  const sentence = cause instanceof S3ServiceException ? await refusal(cause, s3, bucket) : obstacle(cause);
  return sentence ? Object.assign(new UserError(sentence), { cause }) : cause;
}

/** What S3 answered. */
async function refusal({ name, message, $metadata, $response }: S3ServiceException, s3: S3Client, bucket: string): Promise<string | undefined> {
  if (name === 'NoSuchBucket') return `There is no bucket ${bucket}. ${ANOTHER_BUCKET}`;
  if (ELSEWHERE.has(name) || $metadata.httpStatusCode === 301) {
    // AuthorizationHeaderMalformed: "the region 'us-east-1' is wrong; expecting 'eu-central-1'". It may come without the header.
    const region = $response?.headers['x-amz-bucket-region'] ?? /expecting '([a-z0-9-]+)'/.exec(message)?.[1];
    return region
      ? `The bucket ${bucket} is in ${region}. Set AWS_REGION=${region}; Athena is asked there, too.`
      : `The bucket ${bucket} is in another region. Set AWS_REGION to the one that S3 shows in the bucket’s properties; Athena is asked there, too.`;
  }
  if (name === 'AccessDenied') {
    const arn = `arn:${partitionOf(await s3.config.region())}:s3:::${bucket}`;
    return `I may not list the bucket ${bucket}. Allow s3:ListBucket on ${arn} in my role’s policy, and in the bucket’s own when it belongs to another account.`;
  }
  if (name === 'SlowDown') return `S3 asks for fewer requests to the bucket ${bucket} than it gets just now. Try again in a minute.`;
  return NOT_ACCEPTED.has(name) ? `AWS does not accept my credentials (${name}). Sign in again, or set others.` : undefined;
}

/** What kept us from asking S3. */
function obstacle(error: Error): string | undefined {
  if (error.name === 'CredentialsProviderError' || error.name === 'TokenProviderError') {
    return `I have no AWS credentials. Give them by a role (ECS, EKS, EC2), or on a laptop by AWS_PROFILE. The SDK says: ${error.message}`;
  }
  if (error.message === 'Region is missing') return 'I do not know which AWS region the bucket is in. Set AWS_REGION.';
  const code = 'code' in error ? String(error.code) : error.name;
  return UNREACHABLE.has(code)
    ? `I cannot reach S3 (${code}). Is there a way out, a VPC endpoint, or a proxy to set (NODE_USE_ENV_PROXY=1)?`
    : undefined;
}

/** The part of AWS that a region is in, as ARNs name it. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  if (region.startsWith('us-gov-')) return 'aws-us-gov';
  return region.startsWith('eusc-') ? 'aws-eusc' : 'aws';
}

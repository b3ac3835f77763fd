/**
 * Finds the log files in a trail's folder: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/*.json.gz`, with
 * Control Tower's organization id twice, or files in any other folders.
 */
import { isUtf8 } from 'node:buffer';
import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { UserError } from '../src/errors.ts';

/**
 * A log file, or a file or folder that cannot be read, with the reason: events may be missing with it. `path` is relative to the trail's
 * folder, with slashes; day, account and region are from the path.
 */
export interface TrailFile {
  readonly path: string;
  readonly size: number;
  /** Times in ms. A copy may have the time of modification of its original, but never that of the change. */
  readonly modified: number;
  readonly changed: number;
  readonly fault?: string;
  /** The day of delivery, 'yyyy/MM/dd'. */
  readonly day: string | null;
  readonly account: string | null;
  readonly region: string | null;
}

/** Folders beside CloudTrail's without management or data events: digests of log files, Insights, network activity, aggregates. */
const OTHER_CLOUDTRAIL_FOLDER = /^CloudTrail-(Digest|Insight|NetworkActivity|Aggregated)$/;
/** Folders in which other services of AWS write their logs, beside the folder CloudTrail of an account. */
const OTHER_SERVICE_FOLDER =
  /(?:^|\/)\d{12}\/(Config|elasticloadbalancing|vpcflowlogs|vpcdnsquerylogs|WAFLogs|GuardDuty|network-firewall|redshift|s3-access-logs)$/;
const LOG_PATH = /(?:^|\/)(\d{12})\/CloudTrail\/([a-z0-9-]+)\/(\d{4}\/\d\d\/\d\d)\/[^/]+$/;

/** A file or folder that is not read, and why. */
export interface IgnoredPath {
  readonly path: string;
  readonly reason: string;
}

/** A folder to read. `linksFrom` are the real folders in which links lead to it. */
interface OpenFolder {
  readonly path: string;
  readonly linksFrom: readonly string[];
}

/**
 * Yields every file under `folder` that may be a log file, folder by folder, so that a trail of any size needs little memory. A
 * file's contents tell whether it is one, not its name. A folder is read synchronously, which is many times faster than one
 * request per file; other work runs between folders. What cannot be read is yielded with the reason, and the walk goes on.
 *
 * @throws UserError when the folder itself cannot be read.
 */
export async function* walkLogFiles(
  folder: string,
  signal: AbortSignal,
  { onIgnored = () => undefined }: { onIgnored?(ignored: IgnoredPath): void } = {},
): AsyncGenerator<TrailFile> {
  const linked = new Set<string>();
  // The next folder is the last one, so that folders come in order and below each other.
  const open: OpenFolder[] = [{ path: '', linksFrom: [] }];
  for (let next = open.pop(); next; next = open.pop()) {
    await setImmediate();
    signal.throwIfAborted();
    const within = next;
    const entries = readFolder(join(folder, within.path));
    if (!Array.isArray(entries)) {
      if (within.path === '') throw new UserError(`The folder ${folder} ${entries.fault}. Allow trailbot to read it, or set TRAIL_PATH.`);
      if (entries.fault === VANISHED) onIgnored({ path: within.path, reason: VANISHED });
      else yield unreadable(within.path, entries.fault);
      continue;
    }
    const folders: OpenFolder[] = [];
    for (const { entry, hasBadName } of entries) {
      const path = within.path === '' ? entry.name : `${within.path}/${entry.name}`;
      const found = hasBadName ? { fault: BAD_NAME } : lookAt(folder, path, entry, within.linksFrom, linked);
      if ('fault' in found) yield unreadable(path, found.fault);
      else if ('ignored' in found) onIgnored({ path, reason: found.ignored });
      else if ('linksFrom' in found) folders.push({ path, linksFrom: found.linksFrom });
      else {
        const { size, mtimeMs, ctimeMs } = found.file;
        yield { path, size, modified: Math.floor(mtimeMs), changed: Math.floor(ctimeMs), ...parseLogPath(path) };
      }
    }
    open.push(...folders.reverse());
  }
}

const unreadable = (path: string, fault: string): TrailFile => ({ path, size: 0, modified: 0, changed: 0, fault, ...parseLogPath(path) });

type Found = { readonly file: Stats } | Pick<OpenFolder, 'linksFrom'> | { readonly ignored: string } | { readonly fault: string };

/** What an entry of a folder is: a file, a folder to read, or a reason not to. */
function lookAt(folder: string, path: string, entry: Dirent, linksFrom: readonly string[], linked: Set<string>): Found {
  const { name } = entry;
  if (name.startsWith('.')) return { ignored: 'has a name that begins with a dot' };
  const isFolder = entry.isDirectory();
  const found = isFolder ? undefined : statOf(join(folder, path));
  if (found instanceof Error) {
    const { code } = found as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ELOOP') return { fault: `cannot be read (${code})` };
    return { ignored: entry.isSymbolicLink() ? 'is a link to nothing' : VANISHED };
  }
  if (!isFolder && !found?.isDirectory()) return found?.isFile() ? { file: found } : { ignored: 'is not a file' };
  if (OTHER_CLOUDTRAIL_FOLDER.test(name)) return { ignored: 'has no management or data events' };
  if (OTHER_SERVICE_FOLDER.test(path)) return { ignored: 'has the logs of another service' };
  return isFolder ? { linksFrom } : followLink(join(folder, path), linksFrom, linked);
}

/** A link to a folder is followed once, and not when it leads to a folder that it is in, by itself or by other links. */
function followLink(link: string, linksFrom: readonly string[], linked: Set<string>): Found {
  try {
    const [from, to] = [realpathSync(dirname(link)), realpathSync(link)];
    if ([from, ...linksFrom].some((each) => `${each}/`.startsWith(`${to}/`))) return { ignored: 'is a link to a folder above it' };
    if (linked.has(to)) return { ignored: 'is a link to a folder that another link leads to' };
    linked.add(to);
    return { linksFrom: [from, ...linksFrom] };
  } catch (error) {
    return { fault: `cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

const VANISHED = 'vanished while the folder was read';
const BAD_NAME = 'has a name that is not UTF-8';
/** What Node.js puts into a name for bytes that are no UTF-8. No path leads to such a file. */
const NO_UTF8 = '\ufffd';

/** An entry of a folder. With a bad name, it can be listed, but not opened. */
interface NamedEntry {
  readonly entry: Dirent;
  readonly hasBadName: boolean;
}

/** The entries of a folder, in order; otherwise why it cannot be read. */
function readFolder(path: string): NamedEntry[] | { readonly fault: string } {
  try {
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    const badNames = entries.some(({ name }) => name.includes(NO_UTF8)) ? badNamesIn(path) : [];
    return entries.map((entry) => {
      // Another file may be called the same, with this very letter: it has the same text for a name, and one of the two is good.
      const at = badNames.indexOf(entry.name);
      if (at !== -1) badNames.splice(at, 1);
      return { entry, hasBadName: at !== -1 };
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { fault: code === 'ENOENT' ? VANISHED : `cannot be read (${code})` };
  }
}

/** The names in a folder that are no UTF-8, as Node.js reads them. */
function badNamesIn(path: string): string[] {
  const names = readdirSync(path, { encoding: 'buffer' });
  return names.filter((name) => !isUtf8(name)).map((name) => name.toString());
}

/** Stats of a path, with links followed; otherwise the error. */
function statOf(path: string): Stats | Error {
  try {
    return statSync(path);
  } catch (error) {
    return error as Error;
  }
}

/** Day, account and region of a log file's path; null where the path has no such folder. */
export function parseLogPath(path: string): Pick<TrailFile, 'day' | 'account' | 'region'> {
  const [, account = null, region = null, day = null] = LOG_PATH.exec(path) ?? [];
  return { day, account, region };
}

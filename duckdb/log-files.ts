/**
 * Finds the log files in a trail's folder: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/*.json.gz`, with
 * Control Tower's organization id twice, or files in any other folders.
 */
import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** A log file. `path` is relative to the trail's folder, with slashes; day, account and region are from the path. */
export interface TrailFile {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
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

/**
 * Yields every file under `folder` that may be a log file, folder by folder, so that a trail of any size needs little memory. A
 * file's contents tell whether it is one, not its name. A folder is read synchronously, which is many times faster than one
 * request per file; other work runs between folders.
 */
export async function* walkLogFiles(
  folder: string,
  signal: AbortSignal,
  { within = '', onIgnored }: { readonly within?: string; onIgnored?(ignored: IgnoredPath): void } = {},
): AsyncGenerator<TrailFile> {
  await setImmediate();
  signal.throwIfAborted();
  const folders: string[] = [];
  const ignore = (path: string, reason: string): void => onIgnored?.({ path, reason });
  for (const entry of readdirSync(join(folder, within), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    const path = within === '' ? name : `${within}/${name}`;
    if (name.startsWith('.')) {
      ignore(path, 'has a name that begins with a dot');
      continue;
    }
    const found = entry.isDirectory() ? undefined : statIfExists(join(folder, path));
    if (entry.isDirectory() || found?.isDirectory()) {
      if (found && isCircularLink(join(folder, path))) ignore(path, 'is a link to a folder above it');
      else if (OTHER_CLOUDTRAIL_FOLDER.test(name)) ignore(path, 'has no management or data events');
      else if (OTHER_SERVICE_FOLDER.test(path)) ignore(path, 'has the logs of another service');
      else folders.push(path);
    } else if (found?.isFile()) yield { path, size: found.size, modified: Math.floor(found.mtimeMs), ...parseLogPath(path) };
    else ignore(path, found ? 'is not a file' : 'is a link to nothing');
  }
  for (const path of folders) yield* walkLogFiles(folder, signal, { within: path, ...(onIgnored && { onIgnored }) });
}

/** Stats of a path, with links followed; undefined when it does not exist or a link is broken or circular. */
function statIfExists(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** True for a link to a folder that contains it. */
const isCircularLink = (link: string): boolean => `${realpathSync(dirname(link))}/`.startsWith(`${realpathSync(link)}/`);

/** Day, account and region of a log file's path; null where the path has no such folder. */
export function parseLogPath(path: string): Pick<TrailFile, 'day' | 'account' | 'region'> {
  const [, account = null, region = null, day = null] = LOG_PATH.exec(path) ?? [];
  return { day, account, region };
}

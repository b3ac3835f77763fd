/**
 * Finds the log files in a trail's folder: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/*.json.gz`, with
 * Control Tower's organization id twice, or files without that layout.
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

/** Folders without management or data events: digests of log files, Insights, network activity, aggregates. */
const IGNORED_FOLDERS = /^CloudTrail-(Digest|Insight|NetworkActivity|Aggregated)$/;
const LOG_PATH = /(?:^|\/)(\d{12})\/CloudTrail\/([a-z0-9-]+)\/(\d{4}\/\d\d\/\d\d)\/[^/]+$/;
const LOG_FILE = /\.json(\.gz)?$/i;

/**
 * Yields every log file under `folder`, folder by folder, so that a trail of any size needs little memory. A folder is read
 * synchronously, which is many times faster than one request per file; other work runs between folders.
 */
export async function* walkLogFiles(folder: string, signal: AbortSignal, within = ''): AsyncGenerator<TrailFile> {
  await setImmediate();
  signal.throwIfAborted();
  const folders: string[] = [];
  for (const entry of readdirSync(join(folder, within), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = within === '' ? name : `${within}/${name}`;
    const found = entry.isDirectory() ? undefined : statIfExists(join(folder, path));
    if (entry.isDirectory() || (found?.isDirectory() && !isCircularLink(join(folder, path)))) {
      if (!IGNORED_FOLDERS.test(name)) folders.push(path);
    } else if (LOG_FILE.test(name)) {
      if (found?.isFile()) yield { path, size: found.size, modified: Math.floor(found.mtimeMs), ...parseLogPath(path) };
    }
  }
  for (const path of folders) yield* walkLogFiles(folder, signal, path);
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

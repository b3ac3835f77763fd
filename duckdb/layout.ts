/**
 * What a trail's folder looks like: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/*.json.gz`, with
 * Control Tower's organization id twice, or files that lie about without any such layout.
 */
import { readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** A file of the trail. `path` is relative to the trail's folder, with slashes; the rest is what its folders tell. */
export interface TrailFile {
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  /** 'yyyy/MM/dd', the day it was delivered. */
  readonly day: string | null;
  readonly account: string | null;
  readonly region: string | null;
}

/** Folders beside CloudTrail/ whose files hold no events of ours: digests of log files, Insights, network activity, aggregates. */
const NEIGHBOURS = /^CloudTrail-(Digest|Insight|NetworkActivity|Aggregated)$/;
const LAID_OUT = /(?:^|\/)(\d{12})\/CloudTrail\/([a-z0-9-]+)\/(\d{4}\/\d\d\/\d\d)\/[^/]+$/;
const LOG_FILE = /\.json(\.gz)?$/i;

/**
 * Every log file under `folder`, folder by folder, so that a trail of any size is walked in little memory. A folder is
 * read at one go, which is many times faster than asking for each file in turn; others get their turn in between.
 */
export async function* listTrail(folder: string, signal: AbortSignal, within = ''): AsyncGenerator<TrailFile> {
  await setImmediate();
  signal.throwIfAborted();
  const folders: string[] = [];
  for (const entry of readdirSync(join(folder, within), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = within === '' ? name : `${within}/${name}`;
    const found = entry.isDirectory() ? undefined : seen(join(folder, path));
    if (entry.isDirectory() || (found?.isDirectory() && !isAbove(join(folder, path)))) {
      if (!NEIGHBOURS.test(name)) folders.push(path);
    } else if (LOG_FILE.test(name)) {
      if (found?.isFile()) yield { path, size: found.size, modified: Math.floor(found.mtimeMs), ...place(path) };
    }
  }
  for (const path of folders) yield* listTrail(folder, signal, path);
}

/** What stands at a path, links followed; undefined when nothing does, or a link leads nowhere or in a circle. */
function seen(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** True for a link to a folder that it stands in: it would be followed for ever. */
const isAbove = (link: string): boolean => `${realpathSync(dirname(link))}/`.startsWith(`${realpathSync(link)}/`);

/** What the folders of a path say. */
export function place(path: string): Pick<TrailFile, 'day' | 'account' | 'region'> {
  const [, account = null, region = null, day = null] = LAID_OUT.exec(path) ?? [];
  return { day, account, region };
}

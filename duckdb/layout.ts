/**
 * What a trail's folder looks like: `[prefix/]AWSLogs/[o-xxxx/]ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/*.json.gz`, with
 * Control Tower's organization id twice, or files that lie about without any such layout.
 */
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';

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

/** Every log file under `folder`, folder by folder, so that a trail of any size is walked in little memory. */
export async function* listTrail(folder: string, signal: AbortSignal, within = ''): AsyncGenerator<TrailFile> {
  const folders: string[] = [];
  const files: string[] = [];
  for await (const entry of await opendir(join(folder, within))) {
    if (entry.isDirectory() && !NEIGHBOURS.test(entry.name) && !entry.name.startsWith('.')) folders.push(entry.name);
    else if ((entry.isFile() || entry.isSymbolicLink()) && LOG_FILE.test(entry.name) && !entry.name.startsWith('.')) files.push(entry.name);
  }
  signal.throwIfAborted();
  for (const name of files.sort()) {
    const path = within === '' ? name : `${within}/${name}`;
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.isFile()) yield { path, size: found.size, modified: Math.floor(found.mtimeMs), ...place(path) };
  }
  for (const name of folders.sort()) yield* listTrail(folder, signal, within === '' ? name : `${within}/${name}`);
}

/** What the folders of a path say. */
export function place(path: string): Pick<TrailFile, 'day' | 'account' | 'region'> {
  const [, account = null, region = null, day = null] = LAID_OUT.exec(path) ?? [];
  return { day, account, region };
}

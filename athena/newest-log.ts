/** The newest log files of a trail: they tell whether it is still being written, with which key, and whether it can be read. */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { Layout } from './bucket-layout.ts';

/** A bucket, and how it is reached. */
export interface Shelf {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

export interface LogFile {
  readonly key: string;
  readonly at: Date;
}

/** The newest file of the given day's folders, 'yyyy/MM/dd', and in how many of them it was looked for. */
export interface Newest {
  readonly file: LogFile | undefined;
  readonly looked: number;
  readonly folders: number;
}

interface Folder {
  readonly region: string;
  readonly path: string;
}

/** Folders that are looked into, or a few more: enough to see that a trail is alive, for it writes every few minutes somewhere. */
const MOST_FOLDERS = 32;

/** Looks for the newest file of a day. Of many folders, some are looked into. */
export async function newestOn(day: string, { root, accounts }: Pick<Layout, 'root' | 'accounts'>, shelf: Shelf): Promise<Newest> {
  const path = root.replace(/^s3:\/\/[^/]+\//, '');
  const folders = accounts.flatMap(({ id, regions }) => regions.map((region) => ({ region, path: `${path}${id}/CloudTrail/${region}/${day}/` })));
  const looked = scattered(folders);
  const files = (await Promise.all(looked.map((folder) => filesIn(folder.path, shelf)))).flat();
  return { file: newestOf(files), looked: looked.length, folders: folders.length };
}

/** As many folders of each region, and of other accounts in each: some regions are silent for hours, and some accounts for ever. */
function scattered(folders: readonly Folder[]): readonly Folder[] {
  if (folders.length <= MOST_FOLDERS) return folders;
  const regions = [...Map.groupBy(folders, ({ region }) => region).values()];
  const share = Math.ceil(MOST_FOLDERS / regions.length);
  return regions.flatMap((list, nth) =>
    list.length <= share
      ? list
      : Array.from({ length: share }, (_, i) => list[Math.floor(((i + nth / regions.length) * list.length) / share)] as Folder),
  );
}

/** Lists that are made at most to find a file at all. */
const MOST_LISTS = 60;

/** One of a trail's last log files, found by going from folder to folder; undefined when none is soon found. */
export async function lastFile(prefix: string, shelf: Shelf): Promise<LogFile | undefined> {
  let lists = 0;
  const below = async (path: string, levels: readonly RegExp[]): Promise<LogFile | undefined> => {
    const [level, ...deeper] = levels;
    if (level === undefined) return newestOf(await filesIn(path, shelf));
    lists += 1;
    const { CommonPrefixes = [] } = await list({ prefix: path, delimiter: '/' }, shelf);
    const names = CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(path.length, -1));
    for (const name of names.filter((each) => level.test(each)).toReversed()) {
      if (lists > MOST_LISTS) return undefined;
      // The folder of an organization holds accounts, as AWSLogs/ itself may.
      const found = await below(`${path}${name}/`, name.startsWith('o-') ? levels : deeper);
      if (found) return found;
    }
    return undefined;
  };
  return below(`${prefix}AWSLogs/`, LEVELS);
}

/** From AWSLogs/ down: an account, CloudTrail, a region, a year, a month, a day. */
const LEVELS = [/^(\d{12}|o-[a-z0-9]{10,32})$/, /^CloudTrail$/, /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/, /^\d{4}$/, /^\d\d$/, /^\d\d$/] as const;

async function filesIn(folder: string, shelf: Shelf): Promise<LogFile[]> {
  const files: LogFile[] = [];
  let token: string | undefined;
  do {
    const page = await list({ prefix: folder, token }, shelf);
    for (const { Key, LastModified } of page.Contents ?? [])
      if (Key?.endsWith('.json.gz') && LastModified) files.push({ key: Key, at: LastModified });
    token = page.NextContinuationToken;
  } while (token);
  return files;
}

const list = (
  { prefix, delimiter, token }: { readonly prefix: string; readonly delimiter?: string; readonly token?: string | undefined },
  { s3, bucket, signal }: Shelf,
): Promise<ListObjectsV2CommandOutput> =>
  s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: delimiter, ContinuationToken: token }), { abortSignal: signal });

const newestOf = (files: readonly LogFile[]): LogFile | undefined => files.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];

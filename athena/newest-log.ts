/** Finds the newest log files of a trail, to check that it is logging, can be read, and with which KMS key. */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { BucketLayout } from './bucket-layout.ts';

/** A bucket and the client to read it with. */
export interface BucketAccess {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly signal: AbortSignal;
}

export interface LogFile {
  readonly key: string;
  readonly at: Date;
}

/** The newest file of a day. In a large organization only some folders are checked. */
export interface NewestLogFile {
  readonly file: LogFile | undefined;
  readonly foldersChecked: number;
  readonly foldersTotal: number;
}

interface DayFolder {
  readonly region: string;
  readonly path: string;
}

/** About this many folders are checked, enough to see that a trail is logging: it writes to some folder every few minutes. */
const MAX_FOLDERS_CHECKED = 32;

/** Finds the newest file of a day, 'yyyy/MM/dd'. */
export async function findNewestLogFile(
  day: string,
  { root, accounts }: Pick<BucketLayout, 'root' | 'accounts'>,
  access: BucketAccess,
): Promise<NewestLogFile> {
  const path = root.replace(/^s3:\/\/[^/]+\//, '');
  const folders = accounts.flatMap(({ id, regions }) => regions.map((region) => ({ region, path: `${path}${id}/CloudTrail/${region}/${day}/` })));
  const checked = sampleFolders(folders);
  const files = (await Promise.all(checked.map((folder) => listLogFiles(folder.path, access)))).flat();
  return { file: newestFile(files), foldersChecked: checked.length, foldersTotal: folders.length };
}

/** The same number of folders per region, from different accounts: some regions are idle for hours, some accounts always. */
function sampleFolders(folders: readonly DayFolder[]): readonly DayFolder[] {
  if (folders.length <= MAX_FOLDERS_CHECKED) return folders;
  const regions = [...Map.groupBy(folders, ({ region }) => region).values()];
  const share = Math.ceil(MAX_FOLDERS_CHECKED / regions.length);
  return regions.flatMap((ofRegion, nth) =>
    ofRegion.length <= share
      ? ofRegion
      : Array.from({ length: share }, (_, i) => ofRegion[Math.floor(((i + nth / regions.length) * ofRegion.length) / share)] as DayFolder),
  );
}

/** The search for a file stops after this many list requests. */
const MAX_LISTS = 60;

/** A recent log file of a trail; undefined when none is found within the limit. */
export async function findLastLogFile(prefix: string, access: BucketAccess): Promise<LogFile | undefined> {
  let lists = 0;
  const below = async (path: string, levels: readonly RegExp[]): Promise<LogFile | undefined> => {
    const [level, ...deeper] = levels;
    if (level === undefined) return newestFile(await listLogFiles(path, access));
    lists += 1;
    const { CommonPrefixes = [] } = await listPage({ prefix: path, delimiter: '/' }, access);
    const names = CommonPrefixes.map(({ Prefix = '' }) => Prefix.slice(path.length, -1));
    for (const name of names.filter((each) => level.test(each)).toReversed()) {
      if (lists > MAX_LISTS) return undefined;
      // An organization's folder has the same levels below it as AWSLogs/.
      const found = await below(`${path}${name}/`, name.startsWith('o-') ? levels : deeper);
      if (found) return found;
    }
    return undefined;
  };
  return below(`${prefix}AWSLogs/`, FOLDER_LEVELS);
}

/** Folder names below AWSLogs/: account or organization, CloudTrail, region, year, month, day. */
const FOLDER_LEVELS = [/^(\d{12}|o-[a-z0-9]{10,32})$/, /^CloudTrail$/, /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/, /^\d{4}$/, /^\d\d$/, /^\d\d$/] as const;

async function listLogFiles(folder: string, access: BucketAccess): Promise<LogFile[]> {
  const files: LogFile[] = [];
  let token: string | undefined;
  do {
    const page = await listPage({ prefix: folder, token }, access);
    for (const { Key, LastModified } of page.Contents ?? [])
      if (Key?.endsWith('.json.gz') && LastModified) files.push({ key: Key, at: LastModified });
    token = page.NextContinuationToken;
  } while (token);
  return files;
}

const listPage = (
  { prefix, delimiter, token }: { readonly prefix: string; readonly delimiter?: string; readonly token?: string | undefined },
  { s3, bucket, signal }: BucketAccess,
): Promise<ListObjectsV2CommandOutput> =>
  s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, Delimiter: delimiter, ContinuationToken: token }), { abortSignal: signal });

const newestFile = (files: readonly LogFile[]): LogFile | undefined => files.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];

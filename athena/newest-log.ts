/** Finds the newest log files of a trail, to check that it is logging and can be read. */
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

async function listLogFiles(folder: string, { s3, bucket, signal }: BucketAccess): Promise<LogFile[]> {
  const files: LogFile[] = [];
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: folder, ContinuationToken: token }), {
      abortSignal: signal,
    });
    for (const { Key, LastModified } of page.Contents ?? [])
      if (Key?.endsWith('.json.gz') && LastModified) files.push({ key: Key, at: LastModified });
    token = page.NextContinuationToken;
  } while (token);
  return files;
}

const newestFile = (files: readonly LogFile[]): LogFile | undefined => files.toSorted((a, b) => b.at.getTime() - a.at.getTime())[0];

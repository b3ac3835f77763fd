/** What the trail holds: accounts, regions, the first day and the time of the newest log file. */
import type { S3Client } from '@aws-sdk/client-s3';
import type { Extent } from '../src/trail/engine.ts';
import { dayFolder, isoSecond } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { isoDay } from './days.ts';
import { findNewestLogFile } from './newest-log.ts';
import { explainS3Error } from './s3-error.ts';
import type { TrailFolders } from './trail-folders.ts';

/**
 * Reads the extent from the folders and from S3. `last` is null when there is no file of today or yesterday.
 *
 * @throws UserError when the bucket cannot be listed.
 */
export async function readExtent(folders: TrailFolders, s3: S3Client, now: Date, signal: AbortSignal): Promise<Extent> {
  const { bucket, accounts, regions, firstDay } = folders;
  try {
    const newest = await newestFileTime(folders, s3, now, signal);
    return {
      events: null,
      first: firstDay === '' ? null : `${isoDay(firstDay)}T00:00:00Z`,
      last: newest ? isoSecond(newest) : null,
      accounts,
      regions,
      skippedFiles: 0,
      skippedEvents: 0,
    };
  } catch (error) {
    signal.throwIfAborted();
    throw await explainS3Error(error, s3, bucket);
  }
}

async function newestFileTime(
  { bucket, root, accounts, regions }: TrailFolders,
  s3: S3Client,
  now: Date,
  signal: AbortSignal,
): Promise<Date | undefined> {
  const layout = { root, accounts: accounts.map((id) => ({ id, regions })) };
  for (const at of [now, new Date(now.getTime() - DAY_MS)]) {
    const { file } = await findNewestLogFile(dayFolder(at), layout, { s3, bucket, signal });
    if (file) return file.at;
  }
  return undefined;
}

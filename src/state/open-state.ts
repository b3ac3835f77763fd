/** Where trailbot keeps what must outlive it, such as slots and saved questions: a folder, or a bucket that several replicas share. */
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { openVersionBucket } from './version-bucket.ts';
import { openVersionFolder } from './version-folder.ts';
import type { VersionedFiles } from './versioned-files.ts';

const TIMEOUTS_MS = { connectionTimeout: 5000, requestTimeout: 10_000 } as const;

/** `location` is a folder, or `s3://bucket/prefix/`. Returns a function that opens the files of one kind, such as `saved`. */
export function openState(location: string, { forcePathStyle }: { readonly forcePathStyle: boolean }): (kind: string) => VersionedFiles {
  if (!location.startsWith('s3://')) return (kind) => openVersionFolder(join(location, kind));
  const s3 = new S3Client({ forcePathStyle, followRegionRedirects: true, requestHandler: TIMEOUTS_MS });
  return (kind) => openVersionBucket(s3, `${location}${kind}/`);
}

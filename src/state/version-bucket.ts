/**
 * Versioned values in a bucket, as objects such as `week/000002.json`, for replicas that share no folder. S3 writes an object only if there
 * is none (`If-None-Match: *`), and lists what was written before.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { openVersions, type VersionedFiles, type VersionId } from './versioned-files.ts';

/** Two requests for one key at a moment: S3 refuses one with 409, and it can be sent again. */
const CONFLICT_WAITS_MS = [50, 100, 200, 400, 800];

/** `location` is such as `s3://my-trailbot/state/saved/`. */
export function openVersionBucket(s3: S3Client, location: string): VersionedFiles {
  const [bucket = '', ...path] = location.slice('s3://'.length).split('/');
  const prefix = path.join('/');
  const keyOf = ({ name, version }: VersionId): string => `${prefix}${name}/${String(version).padStart(6, '0')}.json`;
  const objectOf = (id: VersionId) => ({ Bucket: bucket, Key: keyOf(id) });

  /** Writes an object if there is none. `writer` is in its metadata. */
  async function putNew(id: VersionId, text: string, writer: string): Promise<boolean> {
    for (const waitMs of [...CONFLICT_WAITS_MS, undefined])
      try {
        const metadata = { ContentType: 'application/json', Metadata: { writer } };
        await s3.send(new PutObjectCommand({ ...objectOf(id), ...metadata, Body: text, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        if (statusOf(error) === 412) return false;
        if (statusOf(error) !== 409 || waitMs === undefined) throw error;
        await setTimeout(waitMs);
      }
    return false;
  }

  return openVersions({
    location,
    fileOf: (id) => `s3://${bucket}/${keyOf(id)}`,
    list: (only) =>
      coded(async () => {
        const ids: VersionId[] = [];
        let token: string | undefined;
        do {
          const Prefix = only === undefined ? prefix : `${prefix}${only}/`;
          const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix, ContinuationToken: token }));
          for (const { Key = '' } of page.Contents ?? []) {
            const [, name, version] = /^([a-zA-Z0-9-]+)\/(\d{6,})[.]json$/.exec(Key.slice(prefix.length)) ?? [];
            if (name !== undefined) ids.push({ name, version: Number(version) });
          }
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return ids;
      }),
    get: (id) =>
      coded(async () => {
        const found = await s3.send(new GetObjectCommand(objectOf(id))).catch(missingOnly);
        return found?.Body?.transformToString();
      }),
    create: (id, text) =>
      coded(async () => {
        const writer = randomUUID();
        if (await putNew(id, text, writer)) return true;
        // The SDK sends a request again when its answer was lost, and then finds what it has written itself.
        const found = await s3.send(new HeadObjectCommand(objectOf(id))).catch(missingOnly);
        return found?.Metadata?.writer === writer;
      }),
    delete: (id) =>
      coded(async () => {
        await s3.send(new DeleteObjectCommand(objectOf(id)));
      }),
  });
}

const statusOf = (error: unknown): number | undefined => (error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined);

function missingOnly(error: unknown): undefined {
  if (statusOf(error) !== 404 || (error as S3ServiceException).name === 'NoSuchBucket') throw error;
}

/** S3's errors have their code as their name. */
async function coded<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const { name, message } = error as Error;
    throw Object.assign(new Error(`${name}: ${message}`, { cause: error }), { code: name });
  }
}

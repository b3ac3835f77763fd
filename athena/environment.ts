/**
 * What a policy must know of the place it is for, as far as AWS tells it: the account, the region, whose the bucket is, the
 * key that the log files are encrypted with, and where results go. Any of it may be told instead, before there are credentials.
 */
import { HeadObjectCommand, ListObjectsV2Command, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { partitionOf } from './bucket-layout.ts';
import { askCaller, type ClientsAndCaller } from './caller.ts';
import { lastFile } from './newest-log.ts';
import type { AthenaSettings } from './open.ts';
import type { Ground } from './policy.ts';
import { isManaged, lookAtWorkGroup } from './workgroup.ts';

/** What is told by whoever asks for the policy, and so need not be learnt. */
export interface Told {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly key?: string | undefined;
}

/** What could not be learnt, and the error that says why. */
export type Gap = 'account' | 'region' | 'owner' | 'logs' | 'key' | 'workgroup';

export interface Surroundings {
  readonly ground: Ground;
  /** Whether the bucket is another account's; undefined when that could not be learnt. */
  readonly isElsewhere: boolean | undefined;
  readonly gaps: ReadonlyMap<Gap, unknown>;
}

/** They stand in a policy for what is not known. IAM refuses both, so that neither is taken for a name. */
const UNKNOWN = { account: 'YOUR-ACCOUNT', region: 'YOUR-REGION' } as const;

/** Learns what can be learnt. Of what cannot, `gaps` tells why; it never rejects for that. */
export async function lookAround(
  settings: AthenaSettings,
  told: Told,
  { athena, s3, sts }: ClientsAndCaller,
  signal: AbortSignal,
): Promise<Surroundings> {
  const { bucket, prefix = '', workGroup, database, table } = settings;
  const gaps = new Map<Gap, unknown>();
  const learn = async <T>(gap: Gap, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      gaps.set(gap, error);
      return undefined;
    }
  };

  const region = told.region ?? (await learn('region', () => s3.config.region()));
  const caller = told.account === undefined ? await learn('account', () => askCaller(sts, signal)) : undefined;
  const account = told.account ?? caller?.account;
  const [isElsewhere, key, group] = await Promise.all([
    account === undefined ? undefined : learn('owner', () => isOfAnother(account, { s3, bucket, prefix, signal })),
    told.key ?? learn('key', () => keyOfLogs({ s3, bucket, prefix, signal })),
    learn('workgroup', () => lookAtWorkGroup(athena, workGroup, signal)),
  ]);
  if (key === undefined && !gaps.has('key')) gaps.set('logs', undefined);
  const { OutputLocation, EncryptionConfiguration } = group?.Configuration?.ResultConfiguration ?? {};
  const ofGroup = group && (isManaged(group) ? undefined : OutputLocation);
  return {
    ground: {
      database,
      table,
      bucket,
      prefix,
      workGroup,
      partition: caller?.partition ?? (region === undefined ? 'aws' : partitionOf(region)),
      account: account ?? UNKNOWN.account,
      region: region ?? UNKNOWN.region,
      key: key === 'none' ? undefined : key,
      results: tidied(group ? ofGroup : settings.results),
      resultsKey: ofGroup === undefined ? undefined : EncryptionConfiguration?.KmsKey,
    },
    isElsewhere,
    gaps,
  };
}

interface Place {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/**
 * S3 refuses a list from whoever expects another owner than the bucket has. (Its HeadBucket does so, too, but is itself
 * refused to a role that may list below AWSLogs/ alone.)
 */
async function isOfAnother(account: string, { s3, bucket, prefix, signal }: Place): Promise<boolean> {
  const list = (owner: string | undefined) =>
    s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}AWSLogs/`, MaxKeys: 1, ExpectedBucketOwner: owner }), {
      abortSignal: signal,
    });
  await list(undefined);
  try {
    await list(account);
    return false;
  } catch (error) {
    if (error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403) return true;
    throw error;
  }
}

/** The key of one of the last log files; 'none' when it is encrypted without one, undefined when there is no log file. */
async function keyOfLogs({ s3, bucket, prefix, signal }: Place): Promise<string | undefined> {
  const file = await lastFile(prefix, { s3, bucket, signal });
  if (!file) return undefined;
  const { SSEKMSKeyId = 'none' } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: file.key }), { abortSignal: signal });
  return SSEKMSKeyId;
}

const tidied = (place: string | undefined): string | undefined => place && `${place.replace(/\/+$/, '')}/`;

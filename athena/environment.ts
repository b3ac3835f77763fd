/**
 * Reads from AWS what the IAM policy needs: account, region, the owner of the bucket, the KMS key of the log files and the
 * result location. Account, region and key may be given instead, so that the policy can be printed without credentials.
 */
import { HeadObjectCommand, ListObjectsV2Command, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { getCaller } from './caller.ts';
import type { ClientsWithSts } from './clients.ts';
import { findLastLogFile } from './newest-log.ts';
import type { AwsContext } from './policy.ts';
import { partitionOf } from './s3-error.ts';
import type { AthenaSettings } from './settings.ts';
import { hasManagedResults, readWorkGroup } from './workgroup.ts';

/** Values given on the command line. They are not read from AWS. */
export interface KnownValues {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly key?: string | undefined;
}

/** A value that could not be read from AWS. `logs`: there is no log file to read the key from. */
export type MissingValue = 'account' | 'region' | 'owner' | 'logs' | 'key' | 'workgroup';

export interface Environment {
  readonly context: AwsContext;
  /** True when another account owns the bucket; undefined when the owner is unknown. */
  readonly isOtherAccount: boolean | undefined;
  /** Values that could not be read, with the errors. */
  readonly missing: ReadonlyMap<MissingValue, unknown>;
}

/** Placeholders in the policy for unknown values. IAM rejects both, so they cannot be used by mistake. */
const PLACEHOLDERS = { account: 'YOUR-ACCOUNT', region: 'YOUR-REGION' } as const;

/** Reads the environment. Values that cannot be read are in `missing`; it rejects only when the signal is aborted. */
export async function inspectEnvironment(
  settings: AthenaSettings,
  known: KnownValues,
  { athena, s3, sts }: ClientsWithSts,
  signal: AbortSignal,
): Promise<Environment> {
  const { bucket, prefix = '', workGroup, database, table } = settings;
  const missing = new Map<MissingValue, unknown>();
  const find = async <T>(name: MissingValue, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      missing.set(name, error);
      return undefined;
    }
  };

  const region = known.region ?? (await find('region', () => s3.config.region()));
  const caller = known.account === undefined ? await find('account', () => getCaller(sts, signal)) : undefined;
  const account = known.account ?? caller?.account;
  const [isOtherAccount, key, group] = await Promise.all([
    account === undefined ? undefined : find('owner', () => isOwnedByOther(account, { s3, bucket, prefix, signal })),
    known.key ?? find('key', () => findLogKey({ s3, bucket, prefix, signal })),
    find('workgroup', () => readWorkGroup(athena, workGroup, signal)),
  ]);
  if (key === undefined && !missing.has('key')) missing.set('logs', undefined);
  const { OutputLocation, EncryptionConfiguration } = group?.Configuration?.ResultConfiguration ?? {};
  const ofGroup = group && (hasManagedResults(group) ? undefined : OutputLocation);
  return {
    context: {
      database,
      table,
      bucket,
      prefix,
      workGroup,
      partition: caller?.partition ?? (region === undefined ? 'aws' : partitionOf(region)),
      account: account ?? PLACEHOLDERS.account,
      region: region ?? PLACEHOLDERS.region,
      key: key === 'none' ? undefined : key,
      results: withTrailingSlash(group ? ofGroup : settings.outputLocation),
      copyLocation: settings.copyLocation,
      resultsKey: ofGroup === undefined ? undefined : EncryptionConfiguration?.KmsKey,
    },
    isOtherAccount,
    missing,
  };
}

interface TrailBucket {
  readonly s3: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly signal: AbortSignal;
}

/**
 * S3 denies a list request whose expected bucket owner is wrong. (HeadBucket checks the owner too, but a role that may list
 * only below AWSLogs/ cannot call it.)
 */
async function isOwnedByOther(account: string, { s3, bucket, prefix, signal }: TrailBucket): Promise<boolean> {
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

/** The KMS key of a recent log file; 'none' when it has none, undefined when there is no log file. */
async function findLogKey({ s3, bucket, prefix, signal }: TrailBucket): Promise<string | undefined> {
  const file = await findLastLogFile(prefix, { s3, bucket, signal });
  if (!file) return undefined;
  const { SSEKMSKeyId = 'none' } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: file.key }), { abortSignal: signal });
  return SSEKMSKeyId;
}

const withTrailingSlash = (location: string | undefined): string | undefined => location && `${location.replace(/\/+$/, '')}/`;

/**
 * Reads from AWS what the IAM policy needs: account, region, the trail in the bucket, the owner of the bucket, the KMS keys of the log
 * files and the result location. Account, region and keys may be given instead, so that the policy can be printed without credentials.
 */
import { ListObjectsV2Command, S3ServiceException } from '@aws-sdk/client-s3';
import { type BucketLayout, NoTrailError, readLayout } from './bucket-layout.ts';
import { getCaller } from './caller.ts';
import type { ClientsWithSts } from './clients.ts';
import type { BucketAccess } from './newest-log.ts';
import type { AwsContext } from './policy.ts';
import { explainS3Error, partitionOf } from './s3-error.ts';
import type { AthenaSettings } from './settings.ts';
import { findTrailKeys, type TrailKeys } from './trail-keys.ts';
import { hasManagedResults, readWorkGroup } from './workgroup.ts';

/** Values given on the command line. Account and region are then not read from AWS; keys are added to those of the log files. */
export interface KnownValues {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly keys?: readonly string[] | undefined;
}

/** A value that could not be read from AWS. */
export type MissingValue = 'account' | 'region' | 'owner' | 'trail' | 'keys' | 'workgroup';

export interface Environment {
  readonly context: AwsContext;
  /** The trail in the bucket; undefined when none was found. */
  readonly trail: BucketLayout | undefined;
  /** The KMS keys of the log files and how they were found; undefined when no log file could be looked at. */
  readonly trailKeys: TrailKeys | undefined;
  /** True when another account owns the bucket; undefined when the owner is unknown. */
  readonly isOtherAccount: boolean | undefined;
  /** Values that could not be read, with the errors. */
  readonly missing: ReadonlyMap<MissingValue, unknown>;
}

/** Placeholders in the policy for unknown values. IAM rejects both, so they cannot be used by mistake. */
const PLACEHOLDERS = { account: 'YOUR-ACCOUNT', region: 'YOUR-REGION' } as const;

/** The values that the S3 client reads. */
const FROM_S3: ReadonlySet<MissingValue> = new Set(['region', 'owner', 'trail', 'keys']);

interface InspectOptions {
  readonly now: Date;
  readonly signal: AbortSignal;
  /** Called while the bucket is read, with the name of the step. */
  onProgress?(step: string, done: number, total: number): void;
}

/** Reads the environment. Values that cannot be read are in `missing`; it rejects only when the signal is aborted. */
export async function inspectEnvironment(
  settings: AthenaSettings,
  known: KnownValues,
  { athena, s3, sts }: ClientsWithSts,
  { now, signal, onProgress = () => undefined }: InspectOptions,
): Promise<Environment> {
  const { bucket, workGroup, database, table } = settings;
  const missing = new Map<MissingValue, unknown>();
  const find = async <T>(name: MissingValue, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      missing.set(name, FROM_S3.has(name) ? await explainS3Error(error, s3, bucket) : error);
      return undefined;
    }
  };
  const access: BucketAccess = { s3, bucket, signal };

  const region = known.region ?? (await find('region', () => s3.config.region()));
  const caller = known.account === undefined ? await find('account', () => getCaller(sts, signal)) : undefined;
  const account = known.account ?? caller?.account;
  const trail = await find('trail', () =>
    readLayout({
      s3,
      bucket,
      prefix: settings.prefix,
      today: now,
      signal,
      onProgress: (done, total) => onProgress('Looking at the bucket', done, total),
    }),
  );
  const noTrail = missing.get('trail');
  const prefix = trail?.prefix ?? (noTrail instanceof NoTrailError ? noTrail.prefix : undefined) ?? settings.prefix ?? '';
  const [isOtherAccount, trailKeys, group] = await Promise.all([
    account === undefined ? undefined : find('owner', () => isOwnedByOther(account, prefix, access)),
    trail && find('keys', () => findTrailKeys(trail, access, (done, total) => onProgress('Looking for KMS keys', done, total))),
    find('workgroup', () => readWorkGroup(athena, workGroup, signal)),
  ]);
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
      keys: [...new Set([...(trailKeys?.keys ?? []), ...(known.keys ?? [])])],
      results: withTrailingSlash(group ? ofGroup : settings.outputLocation),
      copyLocation: settings.copyLocation,
      stateLocation: settings.stateLocation,
      resultsKey: ofGroup === undefined ? undefined : EncryptionConfiguration?.KmsKey,
    },
    trail,
    trailKeys,
    isOtherAccount,
    missing,
  };
}

/**
 * S3 denies a list request whose expected bucket owner is wrong. (HeadBucket checks the owner too, but a role that may list
 * only below AWSLogs/ cannot call it.)
 */
async function isOwnedByOther(account: string, prefix: string, { s3, bucket, signal }: BucketAccess): Promise<boolean> {
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

const withTrailingSlash = (location: string | undefined): string | undefined => location && `${location.replace(/\/+$/, '')}/`;

/**
 * The permissions that trailbot needs, and no more, as an IAM policy with the real names in it. docs/aws.md explains every
 * statement; a test holds the two to each other. Actions and resource types are those of AWS's Service Authorization Reference.
 */
import { type Names, VIEW } from './tables.ts';

/** Where the policy is to hold. */
export interface Ground extends Names {
  readonly partition: string;
  /** The account that trailbot and Athena run in. */
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  /** What stands before `AWSLogs/`, with its closing slash; '' when nothing does. */
  readonly prefix: string;
  /** ARN of the KMS key that the log files are encrypted with, when there is one. */
  readonly key: string | undefined;
  readonly workGroup: string;
  /** Where the workgroup keeps results, such as `s3://my-results/athena/`; undefined when Athena keeps them itself. */
  readonly results: string | undefined;
  /** ARN of the KMS key that results in S3 are encrypted with, when there is one. */
  readonly resultsKey?: string | undefined;
}

/** A statement of a policy. One that stands at a bucket or a key names who it is for. */
export interface Statement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal?: { readonly AWS: string };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

interface Policy {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
}

/** The policy of trailbot's role. */
export function policyOf(ground: Ground): Policy {
  const { key, results, resultsKey } = ground;
  return {
    Version: '2012-10-17',
    Statement: [
      ...readTheTrail(ground),
      ...(key === undefined ? [] : [useKey('DecryptTheTrail', ['kms:Decrypt'], key, ground)]),
      ...ask(ground),
      ...(results === undefined ? [] : keepResults(results, ground)),
      ...(resultsKey === undefined ? [] : [useKey('EncryptResults', ['kms:GenerateDataKey', 'kms:Decrypt'], resultsKey, ground)]),
      ...setUp(ground),
    ],
  };
}

/** What the bucket's policy must allow as well, when the bucket is another account's. */
export const bucketStatements = (ground: Ground, role: string): Statement[] =>
  readTheTrail(ground).map(({ Sid, ...statement }) => ({ Sid: `Trailbot${Sid}`, ...forRole(role, statement) }));

/** What the key's policy must allow as well, when the key is another account's. */
export function keyStatements(ground: Ground, role: string): Statement[] {
  if (ground.key === undefined) return [];
  const { Sid, ...statement } = useKey('DecryptTheTrail', ['kms:Decrypt'], ground.key, ground);
  return [{ Sid: `Trailbot${Sid}`, ...forRole(role, statement) }];
}

const forRole = (role: string, { Effect, ...rest }: Omit<Statement, 'Sid'>): Omit<Statement, 'Sid'> => ({
  Effect,
  Principal: { AWS: role },
  ...rest,
});

function readTheTrail({ partition, bucket, prefix }: Ground): Statement[] {
  const arn = `arn:${partition}:s3:::${bucket}`;
  return [
    allow('ReadTheTrail', ['s3:GetObject'], [`${arn}/${prefix}AWSLogs/*`]),
    allow('SeeTheFoldersOfTheTrail', ['s3:ListBucket'], [arn], { StringLike: { 's3:prefix': [`${prefix}AWSLogs`, `${prefix}AWSLogs/*`] } }),
    // Apart, for a request for the location has no s3:prefix, and the condition would deny it.
    allow('FindTheBucketOfTheTrail', ['s3:GetBucketLocation'], [arn]),
  ];
}

function ask(ground: Ground): Statement[] {
  const { partition, account, region } = ground;
  return [
    allow(
      'AskQuestions',
      ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:StopQueryExecution', 'athena:GetWorkGroup'],
      [workGroupOf(ground)],
    ),
    allow(
      'SeeWhatTablesThereAre',
      ['athena:GetDatabase', 'athena:GetTableMetadata'],
      [`arn:${partition}:athena:${region}:${account}:datacatalog/AwsDataCatalog`],
    ),
    // Athena asks for the database `default` whatever database is asked (Athena User Guide, "Configure access to databases and tables").
    allow(
      'ReadTheCatalog',
      ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'],
      [...tablesOf(ground), `arn:${partition}:glue:${region}:${account}:database/default`],
    ),
  ];
}

function keepResults(place: string, { partition }: Ground): Statement[] {
  const arn = `arn:${partition}:s3:::${place.slice('s3://'.length)}`;
  return [
    allow('KeepResults', ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], [`${arn}*`]),
    allow('FindTheBucketOfResults', ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [arn.replace(/\/.*$/, '')]),
  ];
}

/** DROP TABLE asks for partitions, too, of a table that has partition columns, though none of ours is registered (same page). */
function setUp(ground: Ground): Statement[] {
  return [
    allow(
      'MakeTheTablesForSetupOnly',
      ['glue:CreateDatabase', 'glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable', 'glue:GetPartition', 'glue:DeletePartition'],
      tablesOf(ground),
    ),
    allow('MakeTheWorkgroupForSetupOnly', ['athena:CreateWorkGroup', 'athena:TagResource'], [workGroupOf(ground)]),
  ];
}

/** Domains of services as KMS knows them. Where it is not written down which of two is meant, either is accepted: both are S3. */
const DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'aws-cn': ['amazonaws.com.cn', 'amazonaws.com'],
  'aws-eusc': ['amazonaws.eu', 'amazonaws.com'],
};

/** The key, but only through S3: whoever stole the role could not use the key on anything else. */
const useKey = (sid: string, actions: readonly string[], key: string, { partition, region }: Ground): Statement =>
  allow(sid, actions, [key], {
    StringEquals: { 'kms:ViaService': (DOMAINS[partition] ?? ['amazonaws.com']).map((domain) => `s3.${region}.${domain}`) },
  });

const workGroupOf = ({ partition, region, account, workGroup }: Ground): string =>
  `arn:${partition}:athena:${region}:${account}:workgroup/${workGroup}`;

/** What Glue asks permission for when one of our tables is meant: the table, its database, and the catalog above it. */
function tablesOf({ partition, region, account, database, table }: Ground): string[] {
  const glue = `arn:${partition}:glue:${region}:${account}`;
  return [`${glue}:catalog`, `${glue}:database/${database}`, `${glue}:table/${database}/${table}`, `${glue}:table/${database}/${VIEW}`];
}

const allow = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Statement['Condition']): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});

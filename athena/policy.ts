/**
 * The least-privilege IAM policy of trailbot, with the real resource names. docs/aws.md explains every statement; a test
 * compares the two. Actions and resource types follow AWS's Service Authorization Reference.
 */
import { RELATIONS } from '../src/trail/relations.ts';
import { compactedTable, RAW_EVENTS, type TableNames } from './tables.ts';

/** The AWS resources that the policy is for. */
export interface AwsContext extends TableNames {
  readonly partition: string;
  /** The account that trailbot and Athena run in. */
  readonly account: string;
  readonly region: string;
  readonly bucket: string;
  /** The path before `AWSLogs/`, with a trailing slash; '' for none. */
  readonly prefix: string;
  /** ARNs of the KMS keys of the log files; none when they have none. */
  readonly keys: readonly string[];
  readonly workGroup: string;
  /** The workgroup's result location, such as `s3://my-results/athena/`; undefined for managed query results. */
  readonly results: string | undefined;
  /** ARN of the KMS key of results in S3, if any. */
  readonly resultsKey?: string | undefined;
  /** Where the compacted copy lies, such as `s3://my-trailbot/`; undefined without one. */
  readonly copyLocation?: string | undefined;
  /** Where trailbot keeps its state, such as `s3://my-trailbot/state/`; undefined in a folder. */
  readonly stateLocation?: string | undefined;
}

/** A policy statement. Statements of a bucket or key policy have a principal. */
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
export function policyOf(context: AwsContext): Policy {
  const { keys, results, resultsKey } = context;
  return {
    Version: '2012-10-17',
    Statement: [
      ...trailStatements(context),
      ...(keys.length === 0 ? [] : [kmsStatement('DecryptTrail', ['kms:Decrypt'], keys, context)]),
      ...queryStatements(context),
      ...(results === undefined ? [] : resultStatements(results, context)),
      ...(resultsKey === undefined ? [] : [kmsStatement('EncryptResults', ['kms:GenerateDataKey', 'kms:Decrypt'], [resultsKey], context)]),
      ...(context.copyLocation === undefined ? [] : copyStatements(context.copyLocation, context)),
      ...(context.stateLocation === undefined ? [] : stateStatements(context.stateLocation, context)),
      ...nameStatements(),
      ...setupStatements(context),
    ],
  };
}

/** The action has no resource types. Organizations allows it to the management account and to delegated administrators only. */
const nameStatements = (): Statement[] => [allowStatement('ListAccountNames', ['organizations:ListAccounts'], ['*'])];

/** Statements for the bucket policy, needed when another account owns the bucket. */
export const bucketStatements = (context: AwsContext, role: string): Statement[] =>
  trailStatements(context).map(({ Sid, ...statement }) => ({ Sid: `Trailbot${Sid}`, ...forRole(role, statement) }));

/** Statements for the policy of one key, needed when another account owns it. */
export function keyStatements(key: string, context: AwsContext, role: string): Statement[] {
  const { Sid, ...statement } = kmsStatement('DecryptTrail', ['kms:Decrypt'], [key], context);
  return [{ Sid: `Trailbot${Sid}`, ...forRole(role, statement) }];
}

const forRole = (role: string, { Effect, ...rest }: Omit<Statement, 'Sid'>): Omit<Statement, 'Sid'> => ({
  Effect,
  Principal: { AWS: role },
  ...rest,
});

function trailStatements({ partition, bucket, prefix }: AwsContext): Statement[] {
  const arn = `arn:${partition}:s3:::${bucket}`;
  return [
    allowStatement('ReadTrail', ['s3:GetObject'], [`${arn}/${prefix}AWSLogs/*`]),
    allowStatement('ListTrailFolders', ['s3:ListBucket'], [arn], { StringLike: { 's3:prefix': [`${prefix}AWSLogs`, `${prefix}AWSLogs/*`] } }),
    // A separate statement: location requests have no s3:prefix, so the condition would deny them.
    allowStatement('LocateTrailBucket', ['s3:GetBucketLocation'], [arn]),
  ];
}

function queryStatements(context: AwsContext): Statement[] {
  const { partition, account, region } = context;
  return [
    allowStatement(
      'RunQueries',
      ['athena:StartQueryExecution', 'athena:GetQueryExecution', 'athena:GetQueryResults', 'athena:StopQueryExecution', 'athena:GetWorkGroup'],
      [workGroupArn(context)],
    ),
    allowStatement(
      'ReadTableMetadata',
      ['athena:GetDatabase', 'athena:GetTableMetadata'],
      [`arn:${partition}:athena:${region}:${account}:datacatalog/AwsDataCatalog`],
    ),
    // Athena always reads the database `default` too (Athena User Guide, "Configure access to databases and tables").
    allowStatement('ReadGlueCatalog', ['glue:GetDatabase', 'glue:GetTable', 'glue:GetPartitions'], [...glueArns(context), defaultDatabase(context)]),
    // Needed by everyone who queries a registered location (Athena User Guide, "Manage Lake Formation and Athena user permissions"). It
    // has no resource types. Whether a location is registered is known to Lake Formation only; elsewhere the action is never used.
    allowStatement('UseLakeFormationWhereRegistered', ['lakeformation:GetDataAccess'], ['*']),
  ];
}

function resultStatements(location: string, { partition }: AwsContext): Statement[] {
  const arn = `arn:${partition}:s3:::${location.slice('s3://'.length)}`;
  return [
    allowStatement('StoreResults', ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], [`${arn}*`]),
    allowStatement('LocateResultsBucket', ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [arn.replace(/\/.*$/, '')]),
  ];
}

/** What the daily job needs to fill the copy: its files, the definitions of its tables, and those of the views over them. */
function copyStatements(location: string, context: AwsContext): Statement[] {
  const { partition } = context;
  const [bucket = '', ...path] = location.slice('s3://'.length).split('/').filter(Boolean);
  const arn = `arn:${partition}:s3:::${bucket}`;
  const files = [arn, ...path, '*'].join('/');
  return [
    allowStatement(
      'StoreCopy',
      ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
      [files],
    ),
    allowStatement('LocateCopyBucket', ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], [arn]),
    allowStatement('UpdateTablesOfCopy', ['glue:UpdateTable'], glueArns(context)),
  ];
}

/** Where trailbot may list its state, S3 says of a missing object that it is missing; elsewhere it denies it. */
function stateStatements(location: string, { partition }: AwsContext): Statement[] {
  const [bucket = '', ...path] = location.slice('s3://'.length).split('/').filter(Boolean);
  const arn = `arn:${partition}:s3:::${bucket}`;
  const files = [...path, '*'].join('/');
  return [
    allowStatement('StoreState', ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'], [`${arn}/${files}`]),
    allowStatement('ListState', ['s3:ListBucket'], [arn], { StringLike: { 's3:prefix': [files] } }),
  ];
}

/** DROP TABLE needs the partition permissions even though no partition is registered (same page). */
function setupStatements(context: AwsContext): Statement[] {
  return [
    allowStatement(
      'CreateTablesForSetupOnly',
      ['glue:CreateDatabase', 'glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable', 'glue:GetPartition', 'glue:DeletePartition'],
      // Where Athena was never used, its first statement creates the database `default`.
      [...glueArns(context), defaultDatabase(context)],
    ),
    allowStatement('CreateWorkgroupForSetupOnly', ['athena:CreateWorkGroup', 'athena:TagResource'], [workGroupArn(context)]),
  ];
}

/** S3 domains for kms:ViaService. Where AWS does not document which of two applies, both are allowed. */
const S3_DOMAINS: Readonly<Record<string, readonly string[]>> = {
  'aws-cn': ['amazonaws.com.cn', 'amazonaws.com'],
  'aws-eusc': ['amazonaws.eu', 'amazonaws.com'],
};

/** Allows keys only through S3, so that a stolen role cannot use them for anything else. They are in the region of the bucket, as S3 requires. */
const kmsStatement = (sid: string, actions: readonly string[], keys: readonly string[], { partition, region }: AwsContext): Statement =>
  allowStatement(sid, actions, keys, {
    StringEquals: { 'kms:ViaService': (S3_DOMAINS[partition] ?? ['amazonaws.com']).map((domain) => `s3.${region}.${domain}`) },
  });

const workGroupArn = ({ partition, region, account, workGroup }: AwsContext): string =>
  `arn:${partition}:athena:${region}:${account}:workgroup/${workGroup}`;

const defaultDatabase = ({ partition, region, account }: AwsContext): string => `arn:${partition}:glue:${region}:${account}:database/default`;

/** The resources Glue checks for access to trailbot's tables: the tables, the database and the catalog. */
function glueArns({ partition, region, account, database, table, copyLocation }: AwsContext): string[] {
  const glue = `arn:${partition}:glue:${region}:${account}`;
  const ofCopy = copyLocation === undefined ? [] : [RAW_EVENTS, ...RELATIONS.map(compactedTable)];
  return [`${glue}:catalog`, `${glue}:database/${database}`, ...[table, ...RELATIONS, ...ofCopy].map((name) => `${glue}:table/${database}/${name}`)];
}

const allowStatement = (Sid: string, Action: readonly string[], Resource: readonly string[], Condition?: Statement['Condition']): Statement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition && { Condition }),
});

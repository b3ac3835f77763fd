/**
 * The APIs of everyday traffic, with requestParameters and responseElements in the field names that AWS logs.
 *
 * An API that is not listed is a read without parameters: CloudTrail then writes null for both fields.
 */
import { HOUR, isoSeconds, longDate } from './calendar.ts';
import type { CallerSession } from './callers.ts';
import {
  BUCKETS,
  FUNCTIONS,
  groupOf,
  hexId,
  instancesOf,
  kmsKeysOf,
  LOG_BUCKET,
  LOG_GROUPS,
  PARAMETERS,
  PEOPLE,
  SECRETS,
  subnetOf,
  TABLES,
  uniqueId,
  vpcOf,
} from './organization.ts';
import type { Random } from './random.ts';
import type { CallContent } from './record.ts';

/** When and where a call is made, and by which session. */
export interface CallContext {
  readonly at: number;
  readonly region: string;
  readonly session: CallerSession;
  readonly random: Random;
}
type ContentOf = (context: CallContext) => CallContent;

const arn = ({ region, session }: CallContext, service: string, rest: string) => `arn:aws:${service}:${region}:${session.account}:${rest}`;
const items = (...things: readonly unknown[]) => ({ items: things });
const anyInstance = ({ session, random }: CallContext) => random.pick(instancesOf(session.account));

export function bucketNames(account: string) {
  return BUCKETS.map((name) => `${name}-${account.slice(0, 4)}`);
}
const anyBucket = ({ session, random }: CallContext) => random.pick(bucketNames(session.account));

/** The additionalEventData of S3's events. */
export function s3EventData(random: Random, bytes: { readonly in: number; readonly out: number }, method = 'AuthHeader') {
  return {
    SignatureVersion: 'SigV4',
    CipherSuite: 'TLS_AES_128_GCM_SHA256',
    bytesTransferredIn: bytes.in,
    AuthenticationMethod: method,
    'x-amz-id-2': `${random.alphanumeric(75)}=`,
    bytesTransferredOut: bytes.out,
  };
}

const bucketResource = (bucket: string, account: string) => ({ accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucket}` });

function aboutBucket(word: string): ContentOf {
  return (context) => {
    const own = anyBucket(context);
    const bucket = context.session.ip === 'cloudtrail.amazonaws.com' ? LOG_BUCKET : own;
    const host = `${bucket}.s3.${context.region}.amazonaws.com`;
    return {
      request: { bucketName: bucket, Host: host, [word]: '' },
      additional: s3EventData(context.random, { in: 0, out: 200 + context.random.int(900) }),
      resources: [bucketResource(bucket, context.session.account)],
      host,
    };
  };
}

export function s3Object(context: CallContext, bucket: string, key: string, { writes = false, method = 'AuthHeader', query = {} } = {}): CallContent {
  const { random, region, session } = context;
  const host = `${bucket}.s3.${region}.amazonaws.com`;
  const size = 500 + Math.floor(random.next() ** 4 * 40_000_000);
  return {
    request: { ...query, bucketName: bucket, Host: host, key },
    response: writes ? { 'x-amz-server-side-encryption': 'AES256' } : null,
    additional: {
      ...s3EventData(random, writes ? { in: size, out: 0 } : { in: 0, out: size }, method),
      ...(writes ? { SSEApplied: 'Default_SSE_S3' } : {}),
    },
    resources: [{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucket}/${key}` }, bucketResource(bucket, session.account)],
    isData: true,
    host,
  };
}

const FOLDERS = ['orders', 'invoices', 'exports', 'thumbnails', 'logs', 'models', 'raw/clicks', 'curated/shipments'];
export const anyObjectKey = ({ random, at }: CallContext) =>
  `${random.pick(FOLDERS)}/${isoSeconds(at).slice(0, 10).replaceAll('-', '/')}/${random.hex(12)}.${random.pick(['json', 'parquet', 'pdf', 'png', 'csv.gz'])}`;

function keyUse(context: CallContext, more: object): CallContent {
  const { random, session } = context;
  const key = arn(context, 'kms', `key/${random.pick(kmsKeysOf(session.account))}`);
  const encryptionContext = random.chance(0.5)
    ? { 'aws:lambda:FunctionArn': arn(context, 'lambda', `function:${random.pick(FUNCTIONS)}`) }
    : random.chance(0.5)
      ? { 'aws:s3:arn': `arn:aws:s3:::${anyBucket(context)}` }
      : { PARAMETER_ARN: arn(context, 'ssm', `parameter${random.pick(PARAMETERS)}`) };
  return { request: { encryptionContext, ...more }, resources: [{ accountId: session.account, type: 'AWS::KMS::Key', ARN: key }] };
}

/** An AssumeRole with its response, including the session token, which CloudTrail logs. */
export function assumedRole(context: CallContext, account: string, role: string, sessionName: string, lasts = HOUR): CallContent {
  const { random, at, session } = context;
  const roleArn = `arn:aws:iam::${account}:role/${role}`;
  return {
    request: { roleArn, roleSessionName: sessionName, ...(session.byAws ? {} : { durationSeconds: lasts / 1000 }) },
    response: {
      credentials: {
        accessKeyId: `ASIA${random.upper(16)}`,
        sessionToken: `IQoJb3JpZ2luX2VjE${random.alphanumeric(331)}==`,
        expiration: longDate(at + lasts),
      },
      assumedRoleUser: {
        assumedRoleId: `${uniqueId('AROA', `${account}/${role}`)}:${sessionName}`,
        arn: `arn:aws:sts::${account}:assumed-role/${role}/${sessionName}`,
      },
    },
    resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: roleArn }],
  };
}

export interface Launch {
  readonly instances: readonly string[];
  readonly type: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly clientToken?: string;
  readonly keyName?: string;
}

/** RunInstances with one response for all its instances. */
export function runInstances({ at, region, session, random }: CallContext, { instances, type, tags, clientToken, keyName }: Launch): CallContent {
  const image = hexId('ami-0', `image/${region}`, 16);
  const [subnetId, vpcId, groupId] = [subnetOf(session.account, region), vpcOf(session.account, region), groupOf(session.account, region)];
  const tagItems = Object.entries(tags).map(([key, value]) => ({ key, value }));
  const count = instances.length;
  return {
    request: {
      instancesSet: items({ imageId: image, minCount: count, maxCount: count, keyName }),
      groupSet: items({ groupId }),
      subnetId,
      instanceType: type,
      blockDeviceMapping: {},
      monitoring: { enabled: false },
      disableApiTermination: false,
      disableApiStop: false,
      clientToken: clientToken ?? random.uuid(),
      ebsOptimized: true,
      ...(tagItems.length ? { tagSpecificationSet: items({ resourceType: 'instance', tags: tagItems }) } : {}),
      metadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 2, httpEndpoint: 'enabled' },
    },
    response: {
      requestId: random.uuid(),
      reservationId: `r-0${random.hex(16)}`,
      ownerId: session.account,
      groupSet: {},
      instancesSet: items(
        ...instances.map((instanceId, n) => {
          const privateIpAddress = `10.20.${random.int(4)}.${10 + random.int(200)}`;
          const privateDnsName = `ip-${privateIpAddress.replaceAll('.', '-')}.${region}.compute.internal`;
          return {
            instanceId,
            imageId: image,
            instanceState: { code: 0, name: 'pending' },
            privateDnsName,
            keyName,
            amiLaunchIndex: n,
            productCodes: {},
            instanceType: type,
            launchTime: Math.floor(at / 1000) * 1000,
            placement: { availabilityZone: `${region}a`, tenancy: 'default' },
            monitoring: { state: 'disabled' },
            subnetId,
            vpcId,
            privateIpAddress,
            stateReason: { code: 'pending', message: 'pending' },
            architecture: 'x86_64',
            rootDeviceType: 'ebs',
            rootDeviceName: '/dev/xvda',
            blockDeviceMapping: {},
            virtualizationType: 'hvm',
            hypervisor: 'xen',
            ...(tagItems.length ? { tagSet: items(...tagItems) } : {}),
            groupSet: items({ groupId, groupName: 'default' }),
            sourceDestCheck: true,
            ebsOptimized: true,
            enaSupport: true,
            cpuOptions: { coreCount: 1, threadsPerCore: 2 },
            metadataOptions: { state: 'pending', httpTokens: 'required', httpPutResponseHopLimit: 2, httpEndpoint: 'enabled' },
          };
        }),
      ),
    },
  };
}

const STATES = { pending: 0, running: 16, 'shutting-down': 32, stopping: 64, stopped: 80 } as const;
type State = keyof typeof STATES;
const state = (name: State) => ({ code: STATES[name], name });

/** StopInstances, StartInstances or TerminateInstances, which differ only in the states. */
export function changeInstances({ random }: CallContext, instances: readonly string[], from: State, to: State): CallContent {
  return {
    request: { instancesSet: items(...instances.map((instanceId) => ({ instanceId }))), ...(to === 'stopping' ? { force: false } : {}) },
    response: {
      requestId: random.uuid(),
      instancesSet: items(...instances.map((instanceId) => ({ instanceId, currentState: state(to), previousState: state(from) }))),
    },
  };
}

/** UpdateFunctionCode, whose response is the whole configuration of the function. */
export function updatedFunction(context: CallContext, functionName: string): CallContent {
  const { random, at } = context;
  const functionArn = arn(context, 'lambda', `function:${functionName}`);
  return {
    request: {
      functionName,
      s3Bucket: bucketNames(context.session.account)[3],
      s3Key: `functions/${functionName}/${random.hex(8)}.zip`,
      publish: true,
      dryRun: false,
    },
    response: {
      functionName,
      functionArn,
      runtime: 'nodejs22.x',
      role: `arn:aws:iam::${context.session.account}:role/${functionName}-role`,
      handler: 'index.handler',
      codeSize: 20_000 + random.int(4_000_000),
      description: '',
      timeout: 30,
      memorySize: 512,
      lastModified: isoSeconds(at).replace('Z', '.000+0000'),
      codeSha256: `${random.alphanumeric(43)}=`,
      version: String(1 + random.int(200)),
      tracingConfig: { mode: 'Active' },
      revisionId: random.uuid(),
      state: 'Active',
      lastUpdateStatus: 'InProgress',
      lastUpdateStatusReason: 'The function is being created.',
      lastUpdateStatusReasonCode: 'Creating',
      packageType: 'Zip',
      architectures: ['arm64'],
      ephemeralStorage: { size: 512 },
      snapStart: { applyOn: 'None', optimizationStatus: 'Off' },
      loggingConfig: { logFormat: 'JSON', logGroup: `/aws/lambda/${functionName}` },
    },
  };
}

/** CreateKey; a key with origin EXTERNAL waits for its material to be imported. */
export function createdKey(context: CallContext, keyId: string, origin: 'AWS_KMS' | 'EXTERNAL', description: string): CallContent {
  const keyArn = arn(context, 'kms', `key/${keyId}`);
  const isExternal = origin === 'EXTERNAL';
  return {
    request: {
      multiRegion: false,
      keyUsage: 'ENCRYPT_DECRYPT',
      origin,
      keySpec: 'SYMMETRIC_DEFAULT',
      customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      description,
      bypassPolicyLockoutSafetyCheck: false,
    },
    response: {
      keyMetadata: {
        aWSAccountId: context.session.account,
        keyId,
        arn: keyArn,
        creationDate: longDate(context.at),
        enabled: !isExternal,
        description,
        keyUsage: 'ENCRYPT_DECRYPT',
        keyState: isExternal ? 'PendingImport' : 'Enabled',
        origin,
        keyManager: 'CUSTOMER',
        customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        keySpec: 'SYMMETRIC_DEFAULT',
        encryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        multiRegion: false,
      },
    },
    resources: [{ accountId: context.session.account, type: 'AWS::KMS::Key', ARN: keyArn }],
  };
}

const ASSUMABLE: Readonly<Record<string, (context: CallContext) => readonly [role: string, sessionName: string]>> = {
  'lambda.amazonaws.com': ({ random }) => {
    const name = random.pick(FUNCTIONS);
    return [`${name}-role`, name];
  },
  'ec2.amazonaws.com': (context) => ['web-server', anyInstance(context)],
  'config.amazonaws.com': () => ['aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig', 'ConfigResourceCompositionSession'],
  'autoscaling.amazonaws.com': () => ['aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling', 'AutoScaling'],
};
const byCaller = (context: CallContext) =>
  (
    ASSUMABLE[context.session.ip] ??
    (({ random }: CallContext) => [random.pick(['deploy', 'terraform', 'read-config', 'artifact-reader']), `run-${random.hex(8)}`] as const)
  )(context);
const filter = (name: string, value: string) => ({ filterSet: items({ name, valueSet: items({ value }) }) });
const withName =
  (key: string, from: readonly string[]): ContentOf =>
  ({ random }) => ({ request: { [key]: random.pick(from) } });
const ROLES = [...FUNCTIONS.map((name) => `${name}-role`), 'web-server', 'deploy', 'terraform', 'security-scanner'];
const CLUSTERS = ['web', 'jobs'];
const STACKS = ['network', 'orders', 'web', 'data-lake', 'observability'];
const loadBalancer = (context: CallContext) => arn(context, 'elasticloadbalancing', `loadbalancer/app/web/${hexId('', context.region, 16)}`);
const targetGroup = (context: CallContext) => arn(context, 'elasticloadbalancing', `targetgroup/web/${hexId('', `${context.region}tg`, 16)}`);
const container = { containersPerTask: 1, image: 'web' };

const BUCKET_READS: Readonly<Record<string, string>> = {
  GetBucketAcl: 'acl',
  GetBucketPolicy: 'policy',
  GetBucketLocation: 'location',
  GetBucketVersioning: 'versioning',
  GetBucketTagging: 'tagging',
  GetBucketLogging: 'logging',
  GetBucketEncryption: 'encryption',
  GetBucketLifecycle: 'lifecycle',
  GetBucketCors: 'cors',
  GetBucketWebsite: 'website',
  GetBucketNotification: 'notification',
  GetBucketReplication: 'replication',
  GetBucketPublicAccessBlock: 'publicAccessBlock',
  GetBucketRequestPayment: 'requestPayment',
  GetBucketPolicyStatus: 'policyStatus',
  GetBucketObjectLockConfiguration: 'object-lock',
  GetAccelerateConfiguration: 'accelerate',
  GetBucketOwnershipControls: 'ownershipControls',
  GetIntelligentTieringConfiguration: 'intelligent-tiering',
  HeadBucket: 'head',
  GetInventoryConfiguration: 'inventory',
  GetAnalyticsConfiguration: 'analytics',
};

export const API_CONTENTS: Readonly<Record<string, ContentOf>> = {
  ...Object.fromEntries(Object.entries(BUCKET_READS).map(([name, word]) => [`s3:${name}`, aboutBucket(word)])),
  's3:ListBuckets': ({ random, region }) => ({
    request: { Host: `s3.${region}.amazonaws.com` },
    additional: s3EventData(random, { in: 0, out: 2400 }),
  }),
  's3:GetObject': (context) => s3Object(context, anyBucket(context), anyObjectKey(context)),
  's3:HeadObject': (context) => s3Object(context, anyBucket(context), anyObjectKey(context)),
  's3:PutObject': (context) => s3Object(context, anyBucket(context), anyObjectKey(context), { writes: true }),
  's3:ListObjects': (context) => {
    const bucket = anyBucket(context);
    const host = `${bucket}.s3.${context.region}.amazonaws.com`;
    return {
      request: { 'list-type': '2', prefix: `${context.random.pick(FOLDERS)}/`, bucketName: bucket, 'encoding-type': 'url', Host: host },
      additional: s3EventData(context.random, { in: 0, out: 900 + context.random.int(20_000) }),
      resources: [{ type: 'AWS::S3::Object', ARNPrefix: `arn:aws:s3:::${bucket}/` }, bucketResource(bucket, context.session.account)],
      isData: true,
      host,
    };
  },
  's3:PutBucketTagging': (context) => ({ ...aboutBucket('tagging')(context) }),
  's3:PutBucketLifecycle': (context) => ({ ...aboutBucket('lifecycle')(context) }),

  'kms:Decrypt': (context) => keyUse(context, { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }),
  'kms:GenerateDataKey': (context) => {
    const shape = keyUse(context, { keySpec: 'AES_256' });
    const [key] = shape.resources as [{ ARN: string }];
    return { ...shape, request: { keyId: key.ARN, ...(shape.request as object) } };
  },
  'kms:Encrypt': (context) => keyUse(context, { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }),
  'kms:DescribeKey': ({ session, random }) => ({ request: { keyId: random.pick(kmsKeysOf(session.account)) } }),
  'kms:GetKeyPolicy': ({ session, random }) => ({ request: { keyId: random.pick(kmsKeysOf(session.account)), policyName: 'default' } }),
  'kms:GetKeyRotationStatus': ({ session, random }) => ({ request: { keyId: random.pick(kmsKeysOf(session.account)) } }),
  'kms:ListResourceTags': ({ session, random }) => ({ request: { keyId: random.pick(kmsKeysOf(session.account)) } }),
  'kms:ListGrants': ({ session, random }) => ({ request: { keyId: random.pick(kmsKeysOf(session.account)) } }),
  'kms:CreateGrant': (context) => ({
    request: {
      keyId: arn(context, 'kms', `key/${context.random.pick(kmsKeysOf(context.session.account))}`),
      granteePrincipal: `autoscaling.${context.region}.amazonaws.com`,
      operations: ['Decrypt', 'CreateGrant'],
    },
    response: { grantId: context.random.hex(64) },
  }),

  'sts:GetCallerIdentity': () => ({}),
  'sts:AssumeRole': (context) => assumedRole(context, context.session.account, ...byCaller(context)),

  'logs:CreateLogStream': ({ random, at }) => ({
    request: {
      logGroupName: random.pick(LOG_GROUPS),
      logStreamName: `${isoSeconds(at).slice(0, 10).replaceAll('-', '/')}/[$LATEST]${random.hex(32)}`,
    },
    apiVersion: '20140328',
  }),
  'logs:CreateLogGroup': ({ random }) => ({ request: { logGroupName: random.pick(LOG_GROUPS) }, apiVersion: '20140328' }),
  'logs:PutRetentionPolicy': ({ random }) => ({ request: { logGroupName: random.pick(LOG_GROUPS), retentionInDays: 30 }, apiVersion: '20140328' }),
  'logs:DescribeLogGroups': ({ random }) => ({ request: { logGroupNamePrefix: random.pick(LOG_GROUPS), limit: 50 }, apiVersion: '20140328' }),
  'logs:DescribeLogStreams': ({ random }) => ({
    request: { logGroupName: random.pick(LOG_GROUPS), orderBy: 'LastEventTime', descending: true, limit: 50 },
    apiVersion: '20140328',
  }),
  'logs:FilterLogEvents': ({ random, at }) => ({
    request: { logGroupName: random.pick(LOG_GROUPS), startTime: at - HOUR, filterPattern: 'ERROR', limit: 100 },
    apiVersion: '20140328',
  }),
  'logs:StartQuery': ({ random, at }) => ({
    request: { logGroupName: random.pick(LOG_GROUPS), startTime: at - HOUR, endTime: at, queryString: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
    response: { queryId: random.uuid() },
    apiVersion: '20140328',
  }),

  'ssm:GetParameter': ({ random }) => ({ request: { name: random.pick(PARAMETERS), withDecryption: true } }),
  'ssm:GetParameters': ({ random }) => ({ request: { names: [random.pick(PARAMETERS), random.pick(PARAMETERS)], withDecryption: false } }),
  'ssm:GetParametersByPath': () => ({ request: { path: '/orders/', recursive: true, withDecryption: true } }),
  'ssm:DescribeParameters': () => ({ request: { maxResults: 50 } }),
  'ssm:PutParameter': ({ random }) => ({
    request: { name: random.pick(PARAMETERS), type: 'SecureString', value: 'HIDDEN_DUE_TO_SECURITY_REASONS', overwrite: true },
    response: { version: 1 + random.int(40), tier: 'Standard' },
  }),
  'ssm:UpdateInstanceInformation': (context) => ({
    request: {
      instanceId: anyInstance(context),
      agentVersion: '3.3.2299.0',
      agentStatus: 'Active',
      platformType: 'Linux',
      platformName: 'Amazon Linux',
      platformVersion: '2023',
      iPAddress: '10.20.1.15',
      computerName: 'ip-10-20-1-15.eu-central-1.compute.internal',
      agentName: 'amazon-ssm-agent',
    },
    isReadOnly: false,
  }),
  'ssm:ListInstanceAssociations': (context) => ({ request: { instanceId: anyInstance(context), maxResults: 20 } }),
  'ssm:PutInventory': (context) => ({
    request: {
      instanceId: anyInstance(context),
      items: [{ typeName: 'AWS:InstanceInformation', schemaVersion: '1.0', contentHash: context.random.hex(32) }],
    },
  }),
  'ssm:UpdateInstanceAssociationStatus': (context) => ({
    request: {
      associationId: context.random.uuid(),
      instanceId: anyInstance(context),
      executionResult: { executionDate: isoSeconds(context.at), executionSummary: '1 out of 1 plugin processed, 1 success', status: 'Success' },
    },
    response: {},
  }),
  'ssm:StartSession': (context) => ({
    request: { target: anyInstance(context) },
    response: {
      sessionId: `${context.random.pick(PEOPLE).email}-${context.random.hex(17)}`,
      streamUrl: `wss://ssmmessages.${context.region}.amazonaws.com/v1/data-channel`,
      tokenValue: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    },
  }),
  'ssm:SendCommand': (context) => ({
    request: {
      documentName: 'AWS-RunShellScript',
      instanceIds: [anyInstance(context)],
      parameters: 'HIDDEN_DUE_TO_SECURITY_REASONS',
      timeoutSeconds: 600,
    },
    response: { command: { commandId: context.random.uuid(), documentName: 'AWS-RunShellScript', status: 'Pending', targetCount: 1 } },
  }),
  'secretsmanager:GetSecretValue': (context) => ({
    request: { secretId: arn(context, 'secretsmanager', `secret:${context.random.pick(SECRETS)}-AbCdEf`) },
  }),
  'secretsmanager:DescribeSecret': withName('secretId', SECRETS),
  'secretsmanager:PutSecretValue': (context) => ({
    request: { secretId: context.random.pick(SECRETS), clientRequestToken: context.random.uuid() },
    response: { arn: arn(context, 'secretsmanager', `secret:${SECRETS[0]}-AbCdEf`) },
  }),

  'ec2:DescribeInstances': (context) => ({
    request: { maxResults: 1000, instancesSet: {}, ...(context.random.chance(0.5) ? filter('instance-state-name', 'running') : { filterSet: {} }) },
  }),
  'ec2:DescribeInstanceStatus': (context) => ({
    request: {
      instancesSet: items({ instanceId: anyInstance(context) }, { instanceId: anyInstance(context) }),
      filterSet: {},
      includeAllInstances: true,
    },
  }),
  'ec2:DescribeInstanceAttribute': (context) => ({ request: { instanceId: anyInstance(context), attribute: 'userData' } }),
  'ec2:DescribeVolumes': () => ({ request: { volumeSet: {}, filterSet: {} } }),
  'ec2:DescribeSnapshots': ({ session }) => ({
    request: { maxResults: 100, snapshotSet: {}, ownersSet: items({ owner: session.account }), sharedUsersSet: {}, filterSet: {} },
  }),
  'ec2:DescribeImages': () => ({ request: { executableBySet: {}, imagesSet: {}, ownersSet: items({ owner: 'self' }), filterSet: {} } }),
  'ec2:DescribeSubnets': ({ session, region }) => ({ request: { subnetSet: {}, ...filter('vpc-id', vpcOf(session.account, region)) } }),
  'ec2:DescribeVpcs': () => ({ request: { vpcSet: {}, filterSet: {} } }),
  'ec2:DescribeRouteTables': ({ session, region }) => ({ request: { routeTableIdSet: {}, ...filter('vpc-id', vpcOf(session.account, region)) } }),
  'ec2:DescribeSecurityGroups': () => ({ request: { securityGroupSet: {}, securityGroupIdSet: {}, filterSet: {} } }),
  'ec2:DescribeNetworkInterfaces': ({ session, region }) => ({
    request: { networkInterfaceIdSet: {}, ...filter('subnet-id', subnetOf(session.account, region)) },
  }),
  'ec2:DescribeAddresses': () => ({ request: { publicIpsSet: {}, filterSet: {}, allocationIdsSet: {} } }),
  'ec2:DescribeTags': (context) => ({ request: filter('resource-id', anyInstance(context)) }),
  'ec2:DescribeRegions': () => ({ request: { regionSet: {}, allRegions: true } }),
  'ec2:DescribeAccountAttributes': () => ({ request: { accountAttributeNameSet: items({ attributeName: 'supported-platforms' }), filterSet: {} } }),
  'ec2:DescribeNatGateways': () => ({ request: { DescribeNatGatewaysRequest: '' } }),
  'ec2:DescribeLaunchTemplates': () => ({ request: { DescribeLaunchTemplatesRequest: { MaxResults: 100 } } }),
  'ec2:CreateTags': (context) => ({
    request: {
      resourcesSet: items({ resourceId: anyInstance(context) }),
      tagSet: items({ key: 'owner', value: context.random.pick(['web', 'data', 'platform']) }),
    },
    response: { requestId: context.random.uuid(), _return: true },
  }),
  'ec2:CreateSnapshot': (context) => {
    const volumeId = hexId('vol-0', `${context.session.account}${context.random.int(12)}`, 16);
    return {
      request: {
        volumeId,
        description: 'nightly backup',
        tagSpecificationSet: items({ resourceType: 'snapshot', tags: [{ key: 'made-by', value: 'backup' }] }),
      },
      response: {
        requestId: context.random.uuid(),
        snapshotId: `snap-0${context.random.hex(16)}`,
        volumeId,
        status: 'pending',
        startTime: context.at,
        ownerId: context.session.account,
        volumeSize: '100',
        description: 'nightly backup',
        encrypted: true,
        storageTier: 'standard',
      },
    };
  },
  'ec2:DeleteSnapshot': ({ random }) => ({
    request: { snapshotId: `snap-0${random.hex(16)}` },
    response: { requestId: random.uuid(), _return: true },
  }),
  'ec2:RunInstances': (context) =>
    runInstances(context, {
      instances: [`i-0${context.random.hex(16)}`],
      type: context.random.pick(['t3.medium', 'c7g.large', 'm7i.xlarge']),
      tags: { Name: 'build-runner' },
    }),
  'ec2:TerminateInstances': (context) => changeInstances(context, [`i-0${context.random.hex(16)}`], 'running', 'shutting-down'),
  'ec2:StopInstances': (context) => changeInstances(context, [anyInstance(context)], 'running', 'stopping'),
  'ec2:StartInstances': (context) => changeInstances(context, [anyInstance(context)], 'stopped', 'pending'),
  'ec2:AuthorizeSecurityGroupIngress': (context) => ({
    request: {
      groupId: groupOf(context.session.account, context.region),
      ipPermissions: items({
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
        groups: {},
        ipRanges: items({ cidrIp: '198.51.100.0/24', description: 'office' }),
        ipv6Ranges: {},
        prefixListIds: {},
      }),
    },
    response: {
      requestId: context.random.uuid(),
      _return: true,
      securityGroupRuleSet: items({
        securityGroupRuleId: `sgr-0${context.random.hex(16)}`,
        isEgress: false,
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
        cidrIpv4: '198.51.100.0/24',
      }),
    },
  }),
  'ec2:CreateNetworkInterface': (context) => {
    const subnetId = subnetOf(context.session.account, context.region);
    return {
      // Lambda creates it with the function's role.
      agent: 'awslambda-worker/1.0 rusoto/0.48.0 rust/1.83.0 linux',
      request: {
        subnetId,
        description: `AWS Lambda VPC ENI-orders-api-${context.random.uuid()}`,
        groupSet: items({ groupId: groupOf(context.session.account, context.region) }),
        privateIpAddressesSet: {},
      },
      response: {
        requestId: context.random.uuid(),
        networkInterface: {
          networkInterfaceId: `eni-0${context.random.hex(16)}`,
          subnetId,
          vpcId: vpcOf(context.session.account, context.region),
          availabilityZone: `${context.region}a`,
          ownerId: context.session.account,
          status: 'pending',
        },
      },
    };
  },

  'iam:GetUser': withName('userName', ['ci-deploy', 'backup', 'mailer', 'reporting']),
  'iam:GetRole': withName('roleName', ROLES),
  'iam:ListAttachedRolePolicies': withName('roleName', ROLES),
  'iam:ListRolePolicies': withName('roleName', ROLES),
  'iam:GetRolePolicy': ({ random }) => ({ request: { roleName: random.pick(ROLES), policyName: 'inline' } }),
  'iam:GetPolicy': ({ session }) => ({ request: { policyArn: `arn:aws:iam::${session.account}:policy/boundary` } }),
  'iam:GetPolicyVersion': ({ session, random }) => ({
    request: { policyArn: `arn:aws:iam::${session.account}:policy/boundary`, versionId: `v${1 + random.int(5)}` },
  }),
  'iam:ListAccessKeys': withName('userName', ['ci-deploy', 'backup', 'mailer', 'reporting']),
  'iam:ListMFADevices': withName('userName', ['ci-deploy', 'backup', 'mailer', 'reporting']),
  'iam:ListRoles': () => ({ request: { maxItems: 1000 } }),
  'iam:ListUsers': () => ({ request: { maxItems: 1000 } }),
  'iam:GetAccessKeyLastUsed': ({ session }) => ({ request: { accessKeyId: uniqueId('AKIA', `${session.account}/ci-deploy`, 16) } }),
  'iam:CreateRole': ({ session, random, at }) => {
    const roleName = `temporary-${random.hex(6)}`;
    return {
      request: {
        roleName,
        assumeRolePolicyDocument:
          '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
      },
      response: {
        role: {
          path: '/',
          roleName,
          roleId: uniqueId('AROA', roleName),
          arn: `arn:aws:iam::${session.account}:role/${roleName}`,
          createDate: longDate(at),
        },
      },
    };
  },
  'iam:AttachRolePolicy': ({ random }) => ({
    request: { roleName: random.pick(ROLES), policyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole' },
  }),
  'iam:TagRole': ({ random }) => ({ request: { roleName: random.pick(ROLES), tags: [{ key: 'owner', value: 'platform' }] } }),

  'lambda:Invoke': (context) => {
    const functionName = arn(context, 'lambda', `function:${context.random.pick(FUNCTIONS)}`);
    return {
      request: { functionName, invocationType: context.random.chance(0.4) ? 'Event' : 'RequestResponse' },
      additional: { functionVersion: `${functionName}:$LATEST` },
      resources: [{ accountId: context.session.account, type: 'AWS::Lambda::Function', ARN: functionName }],
      isData: true,
      isReadOnly: false,
    };
  },
  'lambda:UpdateFunctionCode20150331v2': (context) => updatedFunction(context, context.random.pick(FUNCTIONS)),
  'lambda:GetFunction20150331v2': withName('functionName', FUNCTIONS),
  'lambda:GetFunctionConfiguration20150331v2': withName('functionName', FUNCTIONS),
  'lambda:GetPolicy20150331v2': withName('functionName', FUNCTIONS),
  'lambda:ListVersionsByFunction20150331': withName('functionName', FUNCTIONS),
  'lambda:ListTags20170331': (context) => ({ request: { resource: arn(context, 'lambda', `function:${context.random.pick(FUNCTIONS)}`) } }),

  'ecr:GetAuthorizationToken': () => ({}),
  'ecr:BatchGetImage': ({ session, random }) => ({
    request: {
      registryId: session.account,
      repositoryName: random.pick(CLUSTERS),
      imageIds: [{ imageTag: `build-${random.int(900)}` }],
      acceptedMediaTypes: ['application/vnd.oci.image.manifest.v1+json', 'application/vnd.docker.distribution.manifest.v2+json'],
    },
    resources: [{ accountId: session.account, ARN: `arn:aws:ecr:eu-central-1:${session.account}:repository/web` }],
  }),
  'ecr:GetDownloadUrlForLayer': ({ session, random }) => ({
    request: { registryId: session.account, repositoryName: 'web', layerDigest: `sha256:${random.hex(64)}` },
  }),
  'ecr:BatchCheckLayerAvailability': ({ session, random }) => ({
    request: { registryId: session.account, repositoryName: 'web', layerDigests: [`sha256:${random.hex(64)}`] },
  }),
  'ecr:PutImage': ({ session, random }) => ({
    request: {
      registryId: session.account,
      repositoryName: 'web',
      imageTag: `build-${random.int(900)}`,
      imageManifest: 'HIDDEN_DUE_TO_SECURITY_REASONS',
    },
    response: {
      image: {
        registryId: session.account,
        repositoryName: 'web',
        imageId: { imageDigest: `sha256:${random.hex(64)}`, imageTag: `build-${random.int(900)}` },
      },
    },
  }),
  'ecs:RegisterTaskDefinition': (context) => ({
    request: {
      family: 'web',
      networkMode: 'awsvpc',
      cpu: '512',
      memory: '1024',
      containerDefinitions: [
        {
          name: 'web',
          image: `${context.session.account}.dkr.ecr.${context.region}.amazonaws.com/web:build-${context.random.int(900)}`,
          essential: true,
        },
      ],
    },
    response: {
      taskDefinition: {
        taskDefinitionArn: arn(context, 'ecs', `task-definition/web:${context.random.int(900)}`),
        family: 'web',
        status: 'ACTIVE',
        compatibilities: ['EC2', 'FARGATE'],
      },
    },
  }),
  'ecs:UpdateService': (context) => ({
    request: { cluster: 'web', service: 'web', taskDefinition: `web:${context.random.int(900)}`, forceNewDeployment: false },
    response: {
      service: {
        serviceName: 'web',
        clusterArn: arn(context, 'ecs', 'cluster/web'),
        status: 'ACTIVE',
        desiredCount: 4,
        runningCount: 4,
        ...container,
      },
    },
  }),
  'ecs:DescribeServices': ({ random }) => ({ request: { cluster: random.pick(CLUSTERS), services: ['web'] } }),
  'ecs:DescribeTasks': (context) => ({ request: { cluster: 'jobs', tasks: [arn(context, 'ecs', `task/jobs/${context.random.hex(32)}`)] } }),
  'ecs:RunTask': (context) => ({
    request: { cluster: 'jobs', taskDefinition: 'nightly', launchType: 'FARGATE', count: 1, enableExecuteCommand: false },
    response: {
      tasks: [
        {
          taskArn: arn(context, 'ecs', `task/jobs/${context.random.hex(32)}`),
          clusterArn: arn(context, 'ecs', 'cluster/jobs'),
          lastStatus: 'PROVISIONING',
          desiredStatus: 'RUNNING',
          launchType: 'FARGATE',
        },
      ],
      failures: [],
    },
  }),
  'elasticloadbalancing:DescribeTargetHealth': (context) => ({ request: { targetGroupArn: targetGroup(context) }, apiVersion: '2015-12-01' }),
  'elasticloadbalancing:DescribeLoadBalancers': () => ({ request: { pageSize: 400 }, apiVersion: '2015-12-01' }),
  'elasticloadbalancing:DescribeTargetGroups': (context) => ({ request: { loadBalancerArn: loadBalancer(context) }, apiVersion: '2015-12-01' }),
  'elasticloadbalancing:RegisterTargets': (context) => ({
    request: { targetGroupArn: targetGroup(context), targets: [{ id: anyInstance(context) }] },
    apiVersion: '2015-12-01',
  }),
  'elasticloadbalancing:DescribeTags': (context) => ({ request: { resourceArns: [loadBalancer(context)] }, apiVersion: '2015-12-01' }),
  'autoscaling:DescribeAutoScalingGroups': () => ({ request: { maxRecords: 100 } }),
  'autoscaling:DescribeScalingActivities': () => ({ request: { autoScalingGroupName: 'web-asg' } }),
  'autoscaling:SetDesiredCapacity': ({ random }) => ({
    request: { autoScalingGroupName: 'web-asg', desiredCapacity: 2 + random.int(6), honorCooldown: true },
  }),
  'cloudformation:DescribeStacks': withName('stackName', STACKS),
  'cloudformation:DescribeStackEvents': withName('stackName', STACKS),
  'cloudformation:ListStackResources': withName('stackName', STACKS),
  'cloudformation:GetTemplate': ({ random }) => ({ request: { stackName: random.pick(STACKS), templateStage: 'Original' } }),
  'cloudformation:UpdateStack': (context) => {
    const name = context.random.pick(STACKS);
    return {
      request: { stackName: name, capabilities: ['CAPABILITY_IAM'], usePreviousTemplate: false, tags: [] },
      response: { stackId: arn(context, 'cloudformation', `stack/${name}/${context.random.uuid()}`) },
    };
  },
  'monitoring:DescribeAlarms': () => ({ request: { maxRecords: 100 } }),
  'monitoring:GetMetricData': ({ at }) => ({
    request: {
      startTime: isoSeconds(at - HOUR),
      endTime: isoSeconds(at),
      metricDataQueries: [{ id: 'm1', metricStat: { metric: { namespace: 'AWS/Lambda', metricName: 'Errors' }, period: 60, stat: 'Sum' } }],
    },
  }),
  'monitoring:ListMetrics': () => ({ request: { namespace: 'AWS/EC2', recentlyActive: 'PT3H' } }),
  'monitoring:PutMetricAlarm': ({ random }) => ({
    request: {
      alarmName: `${random.pick(FUNCTIONS)}-errors`,
      metricName: 'Errors',
      namespace: 'AWS/Lambda',
      statistic: 'Sum',
      period: 60,
      evaluationPeriods: 5,
      threshold: 1,
      comparisonOperator: 'GreaterThanThreshold',
    },
  }),
  'sns:GetTopicAttributes': (context) => ({ request: { topicArn: arn(context, 'sns', 'alarms') } }),
  'sns:ListTagsForResource': (context) => ({ request: { resourceArn: arn(context, 'sns', 'alarms') } }),
  'sns:ListSubscriptionsByTopic': (context) => ({ request: { topicArn: arn(context, 'sns', 'alarms') } }),
  'sqs:GetQueueAttributes': (context) => ({
    request: { queueUrl: `https://sqs.${context.region}.amazonaws.com/${context.session.account}/orders`, attributeNames: ['All'] },
  }),
  'dynamodb:DescribeTable': ({ random, session, region }) => {
    const tableName = random.pick(TABLES);
    return {
      request: { tableName },
      resources: [
        { accountId: session.account, type: 'AWS::DynamoDB::Table', ARN: `arn:aws:dynamodb:${region}:${session.account}:table/${tableName}` },
      ],
      apiVersion: '2012-08-10',
    };
  },
  'dynamodb:DescribeContinuousBackups': ({ random }) => ({ request: { tableName: random.pick(TABLES) }, apiVersion: '2012-08-10' }),
  'rds:DescribeDBInstances': () => ({ request: { maxRecords: 100 } }),
  'rds:DescribeDBSnapshots': () => ({ request: { dBInstanceIdentifier: 'orders-db', snapshotType: 'automated' } }),
  'rds:CreateDBSnapshot': (context) => {
    const id = `orders-db-${isoSeconds(context.at).slice(0, 10)}`;
    return {
      request: { dBInstanceIdentifier: 'orders-db', dBSnapshotIdentifier: id },
      response: {
        dBSnapshotIdentifier: id,
        dBInstanceIdentifier: 'orders-db',
        engine: 'postgres',
        status: 'creating',
        dBSnapshotArn: arn(context, 'rds', `snapshot:${id}`),
        encrypted: true,
      },
    };
  },
  'athena:StartQueryExecution': ({ random }) => ({
    request: {
      queryString: 'HIDDEN_DUE_TO_SECURITY_REASONS',
      clientRequestToken: random.uuid(),
      queryExecutionContext: { database: 'lake' },
      workGroup: 'analysts',
    },
    response: { queryExecutionId: random.uuid() },
  }),
  'athena:GetQueryExecution': ({ random }) => ({ request: { queryExecutionId: random.uuid() } }),
  'athena:GetQueryResults': ({ random }) => ({ request: { queryExecutionId: random.uuid(), maxResults: 1000 } }),
  'glue:GetTable': ({ random }) => ({ request: { databaseName: 'lake', name: random.pick(TABLES) } }),
  'glue:GetPartitions': ({ random }) => ({
    request: { databaseName: 'lake', tableName: random.pick(TABLES), expression: "day >= '2026-01-01'", excludeColumnSchema: true },
  }),
  'glue:GetDatabase': () => ({ request: { name: 'lake' } }),
  'glue:BatchCreatePartition': ({ random }) => ({
    request: { databaseName: 'lake', tableName: random.pick(TABLES), partitionInputList: 'HIDDEN_DUE_TO_SECURITY_REASONS' },
    response: {},
  }),
  'config:PutEvaluations': ({ random }) => ({
    request: {
      evaluations: [{ complianceResourceType: 'AWS::S3::Bucket', complianceType: 'COMPLIANT', orderingTimestamp: 'HIDDEN' }],
      resultToken: random.alphanumeric(60),
      testMode: false,
    },
    response: { failedEvaluations: [] },
  }),
  'config:GetResourceConfigHistory': ({ random }) => ({
    request: { resourceType: 'AWS::EC2::Instance', resourceId: `i-0${random.hex(16)}`, limit: 10 },
  }),
  'cloudtrail:LookupEvents': () => ({ request: { maxResults: 50 } }),
  'cloudtrail:GetTrailStatus': ({ session }) => ({
    request: { name: `arn:aws:cloudtrail:eu-central-1:${session.account}:trail/organization-trail` },
  }),
  'cloudtrail:GetEventSelectors': () => ({ request: { trailName: 'organization-trail' } }),
  'route53:ListResourceRecordSets': () => ({ request: { hostedZoneId: 'Z0EXAMPLE1ABCDEF', maxItems: '300' } }),
  'route53:ChangeResourceRecordSets': ({ at, random }) => ({
    request: {
      hostedZoneId: 'Z0EXAMPLE1ABCDEF',
      changeBatch: {
        changes: [
          { action: 'UPSERT', resourceRecordSet: { name: 'web.example.com', type: 'A', tTL: 60, resourceRecords: [{ value: '203.0.113.80' }] } },
        ],
      },
    },
    response: { changeInfo: { id: `/change/C${random.upper(13)}`, status: 'PENDING', submittedAt: longDate(at) } },
  }),
  'organizations:DescribeAccount': ({ session }) => ({ request: { accountId: session.account } }),
  'ce:GetCostAndUsage': ({ at }) => ({
    request: {
      timePeriod: { start: isoSeconds(at - 30 * 24 * HOUR).slice(0, 10), end: isoSeconds(at).slice(0, 10) },
      granularity: 'DAILY',
      metrics: ['UnblendedCost'],
    },
  }),
  'sagemaker:DescribeNotebookInstance': () => ({ request: { notebookInstanceName: 'forecast-lab' } }),
  'signin:ConsoleLogin': () => ({
    response: { ConsoleLogin: 'Success' },
    additional: {
      LoginTo: 'https://eu-central-1.console.aws.amazon.com/console/home?region=eu-central-1&hashArgs=%23&isauthcode=true',
      MobileVersion: 'No',
      MFAUsed: 'No',
    },
    host: 'eu-central-1.signin.aws.amazon.com',
    isReadOnly: false,
  }),
};

/** An error that is normal for an API: its share of the calls, code and message. */
export interface UsualError {
  readonly share: number;
  readonly code: string;
  readonly message: string;
}

export const USUAL_ERRORS: Readonly<Record<string, UsualError>> = {
  's3:GetBucketPolicy': { share: 0.45, code: 'NoSuchBucketPolicy', message: 'The bucket policy does not exist' },
  's3:GetBucketPolicyStatus': { share: 0.4, code: 'NoSuchBucketPolicy', message: 'The bucket policy does not exist' },
  's3:GetBucketLifecycle': { share: 0.5, code: 'NoSuchLifecycleConfiguration', message: 'The lifecycle configuration does not exist' },
  's3:GetBucketTagging': { share: 0.3, code: 'NoSuchTagSet', message: 'The TagSet does not exist' },
  's3:GetBucketCors': { share: 0.8, code: 'NoSuchCORSConfiguration', message: 'The CORS configuration does not exist' },
  's3:GetBucketWebsite': { share: 0.8, code: 'NoSuchWebsiteConfiguration', message: 'The specified bucket does not have a website configuration' },
  's3:GetBucketReplication': { share: 0.8, code: 'ReplicationConfigurationNotFoundError', message: 'The replication configuration was not found' },
  's3:GetBucketObjectLockConfiguration': {
    share: 0.8,
    code: 'ObjectLockConfigurationNotFoundError',
    message: 'Object Lock configuration does not exist for this bucket',
  },
  's3:GetBucketPublicAccessBlock': {
    share: 0.1,
    code: 'NoSuchPublicAccessBlockConfiguration',
    message: 'The public access block configuration was not found',
  },
  's3:HeadObject': { share: 0.1, code: 'NoSuchKey', message: 'The specified key does not exist.' },
  's3:GetObject': { share: 0.01, code: 'NoSuchKey', message: 'The specified key does not exist.' },
  'logs:CreateLogGroup': { share: 0.6, code: 'ResourceAlreadyExistsException', message: 'The specified log group already exists' },
  'logs:CreateLogStream': { share: 0.04, code: 'ResourceAlreadyExistsException', message: 'The specified log stream already exists' },
  'ssm:GetParameter': { share: 0.06, code: 'ParameterNotFound', message: 'Parameter was not found.' },
  'iam:GetRolePolicy': { share: 0.2, code: 'NoSuchEntityException', message: 'The role policy with name inline cannot be found.' },
  'lambda:GetPolicy20150331v2': { share: 0.4, code: 'ResourceNotFoundException', message: 'The resource you requested does not exist.' },
  'cloudformation:DescribeStacks': { share: 0.05, code: 'ValidationException', message: 'Stack with id preview does not exist' },
  'cloudformation:UpdateStack': { share: 0.3, code: 'ValidationException', message: 'No updates are to be performed.' },
  'ec2:DeleteSnapshot': { share: 0.1, code: 'Client.InvalidSnapshot.NotFound', message: 'The snapshot does not exist.' },
  'dynamodb:DescribeTable': { share: 0.03, code: 'ResourceNotFoundException', message: 'Requested resource not found: Table: preview not found' },
};

/** The error code and message of a denied call, as its service writes them. */
export function deniedContent(api: string, session: CallerSession, resource = '*') {
  const [service = '', name = ''] = api.split(':');
  const who = `User: ${session.identity.arn ?? session.ip}`;
  const action = `${service}:${name.replace(/\d{8}(?:v\d)?$/, '')}`;
  if (service === 'ec2')
    return {
      errorCode: 'Client.UnauthorizedOperation',
      errorMessage: `You are not authorized to perform this operation. ${who} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
    };
  const errorCode = ['kms', 'ssm', 'logs', 'secretsmanager', 'dynamodb', 'lambda', 'ecs', 'athena', 'glue'].includes(service)
    ? 'AccessDeniedException'
    : 'AccessDenied';
  return {
    errorCode,
    errorMessage: `${who} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  };
}

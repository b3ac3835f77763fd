/** Questions about changes: what each finds, and similar events that it must not find. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type Fields, record, records, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const write = (eventName: string, more: Fields = {}) => record({ eventName, readOnly: false, ...more });
const byService = { userIdentity: { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' }, sourceIPAddress: 'lambda.amazonaws.com' };
const refused = { errorCode: 'AccessDenied', errorMessage: 'no' };

describe('Routine calls of machines', () => {
  const bucket = write('CreateBucket', { eventSource: 's3.amazonaws.com', requestParameters: { bucketName: 'shop' } });
  const streams = records(3, () => ({ eventName: 'CreateLogStream', readOnly: false }));
  const interfaces = [
    write('CreateNetworkInterface', byService),
    write('CreateNetworkInterface', { userIdentity: session('orders-role', 'orders'), userAgent: 'awslambda-worker/1.0' }),
  ];
  const grant = write('CreateGrant', byService);
  const objects = write('CreateMultipartUpload', { eventSource: 's3.amazonaws.com', eventCategory: 'Data', managementEvent: false });
  const byHand = [write('CreateNetworkInterface'), write('CreateGrant')];

  test('are left out of `created` and counted; the same calls by hand are listed', async () => {
    await using open = await trailOf(bucket, ...streams, ...interfaces, grant, objects, ...byHand);
    const answer = await open.ask(`created ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => cells.eventid).sort()).toEqual(idsOf(bucket, ...byHand));
    expect(toText(answer, templates)).toMatch(/^3 calls by 1 actor created something; the latest is .*[.] 6 routine calls are left out[.]$/);
  });

  test('are shown by a follow-up, and another follow-up hides them again', async () => {
    await using open = await trailOf(bucket, ...streams, ...interfaces, grant, objects, ...byHand);
    const answer = await open.ask(`created ${DAY}`);
    const show = answer.next?.find(({ label }) => label === 'Show routine calls too');
    expect(show?.line).toBe(`created all ${DAY}`);
    const shown = await open.ask(show?.line ?? '');
    expect(shown.table?.rows).toHaveLength(9);
    expect(toText(shown, templates)).not.toContain('left out');
    expect(shown.next?.find(({ label }) => label === 'Without routine calls')?.line).toBe(`created ${DAY}`);
  });

  test('are left out of counts too, and counted once when they were delivered twice', async () => {
    await using open = await trailOf(bucket, ...streams, ...streams, grant, ...byHand);
    const answer = await open.ask(`created by:event top:2 ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.event, cells.events])).toEqual([
      ['CreateBucket', 1],
      ['CreateGrant', 1],
    ]);
    expect(answer.table?.more).toBe(true);
    expect(answer.data).toMatchObject({ hidden: 4 });
    expect(await open.ids(answer.table?.rows[1]?.next?.line ?? '')).toEqual(idsOf(byHand[1] as Fields));
  });

  test('are offered first when there are no other calls', async () => {
    await using open = await trailOf(...streams);
    const answer = await open.ask(`created ${DAY}`);
    expect(toText(answer, templates)).toMatch(
      /^Nothing was created from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.] 3 routine calls are left out[.]/,
    );
    expect(answer.next?.[0]?.line).toBe(`created all ${DAY}`);
  });

  test('are asked for with the word `all`; any other word is refused with a suggestion', async () => {
    await using open = await trailOf(bucket);
    await expect(open.ask(`created bucket ${DAY}`)).rejects.toMatchObject({ suggestion: `created text:bucket ${DAY}` });
  });
});

describe('created', () => {
  test('lists create calls, counts failed attempts apart, and leaves out reads and changes', async () => {
    const made = [
      write('CreateUser', { eventSource: 'iam.amazonaws.com' }),
      write('RunInstances'),
      write('AllocateAddress'),
      write('ImportKeyPair'),
      write('RestoreDBInstanceFromDBSnapshot'),
    ];
    const tried = [write('CreateRole', refused), write('RunInstances', { errorCode: 'Client.DryRunOperation' })];
    const not = [
      record({ eventName: 'DescribeCreateAccountStatus' }),
      write('ModifyVpcAttribute'),
      write('RunQuery'),
      write('CreateTags'),
      write('RegisterTargets'),
      record({ eventName: 'CreateReport' }),
    ];
    await using open = await trailOf(...made, ...tried, ...not);
    expect(await open.ids(`created ${DAY}`)).toEqual(idsOf(...made, ...tried));
    expect(toText(await open.ask(`created ${DAY}`), templates)).toMatch(
      /^5 calls by 1 actor created something, and 2 attempts failed; the latest is /,
    );
  });
});

describe('A record without readOnly', () => {
  const browser = { userAgent: 'Mozilla/5.0 (X11)' };
  const old = (eventName: string, readOnly?: string) => record({ eventName, readOnly, ...browser });
  const changes = [old('CreateVolume'), old('DeleteVolume', 'false'), old('CreateBucket')];
  const reads = [old('GetUser'), old('DescribeVolumes', 'true'), old('ListDeletedThings'), old('CreateReport', 'true')];

  test('is a read or a write by the name of its call; readOnly as text counts too', async () => {
    await using open = await trailOf(...changes, ...reads);
    expect(await open.ids(`created ${DAY}`)).toEqual(idsOf(changes[0] as Fields, changes[2] as Fields));
    expect(await open.ids(`destructive ${DAY}`)).toEqual(idsOf(changes[1] as Fields));
    expect(await open.cells(`clickops ${DAY}`)).toMatchObject([{ events: 3, byhand: 3 }]);
    expect(await open.ids(`events reads:false ${DAY}`)).toEqual(idsOf(...changes));
  });

  test('is listed among the changes of an actor that count it', async () => {
    await using open = await trailOf(...changes, ...reads);
    const { data, next } = await open.ask(`user alice ${DAY}`);
    expect(data).toMatchObject({ writes: 3 });
    expect(await open.ids(next?.find(({ label }) => label === 'What it changed')?.line ?? '')).toEqual(idsOf(...changes));
  });
});

describe('deleted and destructive', () => {
  const gone = write('DeleteBucket', {
    eventSource: 's3.amazonaws.com',
    requestParameters: { bucketName: 'old' },
    eventTime: '2026-05-01T12:00:00Z',
  });
  const notEmpty = write('DeleteBucket', { eventSource: 's3.amazonaws.com', errorCode: 'BucketNotEmpty', eventTime: '2026-05-01T13:00:00Z' });
  const planned = write('ScheduleKeyDeletion', {
    eventSource: 'kms.amazonaws.com',
    requestParameters: { keyId: 'key-1', pendingWindowInDays: 7 },
    responseElements: { deletionDate: 'May 8, 2026, 12:00:00 AM' },
  });
  const objects = records(3, () => ({
    eventSource: 's3.amazonaws.com',
    eventName: 'DeleteObject',
    readOnly: false,
    eventCategory: 'Data',
    managementEvent: false,
  }));

  test('tell deletions from failed attempts and from scheduled deletions', async () => {
    await using open = await trailOf(gone, notEmpty, planned, ...objects);
    for (const name of ['deleted', 'destructive']) {
      const answer = await open.ask(`${name} ${DAY}`);
      expect(answer.table?.rows.map(({ cells }) => cells.eventid).sort()).toEqual(idsOf(gone, notEmpty, planned));
      expect(answer.data).toMatchObject({ succeeded: 2, attempts: 1, hidden: 3, latest: { eventid: gone.eventID } });
      expect(toTerminal(answer, templates, 160)).toContain(
        '\n• key-1: deletion scheduled for 2026-05-08; alice called ScheduleKeyDeletion 2026-05-01 10:00:00 UTC',
      );
    }
    expect(toTerminal(await open.ask(`destructive ${DAY}`), templates, 160)).toMatch(
      /^2 calls by 1 actor deleted .*, and 1 attempt failed; .*\n.*\n• alice tried DeleteBucket on — .*: BucketNotEmpty\n/s,
    );
  });

  test('leave out deletions of objects, which are data events, count them, and show them with `all`', async () => {
    const many = write('DeleteObjects', { eventSource: 's3.amazonaws.com', eventCategory: 'Data', managementEvent: false });
    const kept = write('PutObject', { eventSource: 's3.amazonaws.com', eventCategory: 'Data', managementEvent: false });
    await using open = await trailOf(...objects, many, kept, gone);
    for (const name of ['deleted', 'destructive']) {
      expect((await open.ask(`${name} ${DAY}`)).data).toMatchObject({ count: 1, hidden: 4 });
      expect(await open.ids(`${name} all ${DAY}`)).toEqual(idsOf(...objects, many, gone));
    }
  });

  test('say so when only attempts were found', async () => {
    await using open = await trailOf(notEmpty);
    expect(toText(await open.ask(`deleted ${DAY}`), templates)).toMatch(
      /^Nothing was deleted from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC: 1 attempt failed, the latest DeleteBucket/,
    );
    expect(await open.ids(`destructive outcome:ok ${DAY}`)).toEqual([]);
  });

  test('include settings that delete later, but not similar harmless ones', async () => {
    const rules = (rule: Fields) =>
      write('PutBucketLifecycle', {
        eventSource: 's3.amazonaws.com',
        requestParameters: { bucketName: 'b', LifecycleConfiguration: { Rule: rule } },
      });
    const versions = (Status: string) =>
      write('PutBucketVersioning', { eventSource: 's3.amazonaws.com', requestParameters: { bucketName: 'b', VersioningConfiguration: { Status } } });
    const database = (deletionProtection: boolean) =>
      write('ModifyDBInstance', { eventSource: 'rds.amazonaws.com', requestParameters: { dBInstanceIdentifier: 'shop', deletionProtection } });
    const bad = [
      rules({ Status: 'Enabled', Expiration: { Days: 1 } }),
      rules({ Status: 'Enabled', NoncurrentVersionExpiration: { NoncurrentDays: 1 } }),
      versions('Suspended'),
      database(false),
    ];
    const harmless = [
      rules({ Status: 'Enabled', Transition: { Days: 30, StorageClass: 'GLACIER' } }),
      rules({ Status: 'Disabled', Expiration: { Days: 1 } }),
      versions('Enabled'),
      database(true),
      write('ModifyDBInstance', { eventSource: 'rds.amazonaws.com', requestParameters: { dBInstanceIdentifier: 'shop', multiAZ: false } }),
    ];
    await using open = await trailOf(...bad, ...harmless);
    expect(await open.ids(`destructive ${DAY}`)).toEqual(idsOf(...bad));
  });
});

describe('destructive', () => {
  const asks = (api: string, requestParameters: unknown = null): Fields => {
    const [service, eventName = ''] = api.split(':');
    return write(eventName, { eventSource: `${service}.amazonaws.com`, requestParameters });
  };

  test('finds what switches off a protection, of any service, and not what switches it on', async () => {
    const off = [
      asks('ec2:DisableEbsEncryptionByDefault'),
      asks('ec2:DisableImageDeregistrationProtection'),
      asks('ec2:ModifyInstanceAttribute', { instanceId: 'i-1', disableApiTermination: { value: false } }),
      asks('s3:PutBucketVersioning', { bucketName: 'b', VersioningConfiguration: { Status: 'Enabled', MfaDelete: 'Disabled' } }),
      asks('cloudformation:UpdateTerminationProtection', { stackName: 'shop', enableTerminationProtection: false }),
      asks('elasticloadbalancing:ModifyLoadBalancerAttributes', { attributes: [{ key: 'deletion_protection.enabled', value: 'false' }] }),
      asks('dynamodb:UpdateTable', { tableName: 't', deletionProtectionEnabled: false }),
      asks('dynamodb:UpdateContinuousBackups', { pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: false } }),
      asks('cognito-idp:UpdateUserPool', { deletionProtection: 'INACTIVE' }),
      asks('elasticmapreduce:SetTerminationProtection', { jobFlowIds: ['j-1'], terminationProtected: false }),
      asks('rds:ModifyDBCluster', { dBClusterIdentifier: 'shop', backupRetentionPeriod: 0 }),
      asks('kms:DisableKeyRotation', { keyId: 'key-1' }),
      asks('backup:DeleteBackupPlan', { backupPlanId: 'daily' }),
      asks('workspaces:RebuildWorkspaces', { rebuildWorkspaceRequests: [{ workspaceId: 'ws-1' }] }),
      asks('route53:ChangeResourceRecordSets', {
        hostedZoneId: 'Z1',
        changeBatch: { changes: [{ action: 'DELETE', resourceRecordSet: { name: 'a.' } }] },
      }),
      asks('backup:DeleteBackupVaultLockConfiguration', { backupVaultName: 'vault' }),
      asks('iam:DeactivateMFADevice', { serialNumber: 'x' }),
    ];
    const on = [
      asks('ec2:EnableEbsEncryptionByDefault'),
      asks('ec2:ModifyInstanceAttribute', { instanceId: 'i-1', disableApiTermination: { value: true } }),
      asks('cloudformation:UpdateTerminationProtection', { stackName: 'shop', enableTerminationProtection: true }),
      asks('elasticloadbalancing:ModifyLoadBalancerAttributes', { attributes: [{ key: 'deletion_protection.enabled', value: 'true' }] }),
      asks('dynamodb:UpdateTable', { tableName: 't', deletionProtectionEnabled: true }),
      asks('rds:ModifyDBCluster', { dBClusterIdentifier: 'shop', backupRetentionPeriod: 30 }),
      asks('ec2:DisableFastLaunch', { imageId: 'ami-1' }),
      asks('route53:ChangeResourceRecordSets', {
        hostedZoneId: 'Z1',
        changeBatch: { changes: [{ action: 'UPSERT', resourceRecordSet: { name: 'a.' } }] },
      }),
    ];
    await using open = await trailOf(...off, ...on);
    expect(await open.ids(`destructive ${DAY}`)).toEqual(idsOf(...off));
  });
});

describe('trail-tampering', () => {
  test('finds the trail’s key and bucket in a short window too, from CloudTrail’s calls in the days before', async () => {
    const CLOUDTRAIL = { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' };
    const delivery = record({
      eventTime: '2026-04-29T12:00:00Z',
      userIdentity: CLOUDTRAIL,
      sourceIPAddress: 'cloudtrail.amazonaws.com',
      eventSource: 'kms.amazonaws.com',
      eventName: 'GenerateDataKey',
      requestParameters: { keyId: '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001' },
    });
    const policy = (keyId: string, eventTime = '2026-05-01T12:00:00Z') =>
      record({ eventTime, eventSource: 'kms.amazonaws.com', eventName: 'PutKeyPolicy', readOnly: false, requestParameters: { keyId } });
    const [ofTrail, other, before] = [
      policy('0e7e4a1c-ee11-4c0d-9abc-e7e41a100001'),
      policy('0e7e4a1c-ee11-4c0d-9abc-e7e41a100002'),
      policy('0e7e4a1c-ee11-4c0d-9abc-e7e41a100001', '2026-04-30T12:00:00Z'),
    ];
    await using open = await trailOf(delivery, ofTrail, other, before);
    expect(await open.ids(`trail-tampering ${DAY}`)).toEqual(idsOf(ofTrail));
  });

  const trail = (eventName: string, more: Fields = {}) => write(eventName, { eventSource: 'cloudtrail.amazonaws.com', ...more });
  const s3 = (eventName: string, bucketName: string, more: Fields = {}) =>
    write(eventName, { eventSource: 's3.amazonaws.com', requestParameters: { bucketName }, ...more });
  const delivering = [
    record({
      eventSource: 's3.amazonaws.com',
      eventName: 'GetBucketAcl',
      userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
      sourceIPAddress: 'cloudtrail.amazonaws.com',
      requestParameters: { bucketName: 'acme-records' },
    }),
    record({
      eventSource: 'kms.amazonaws.com',
      eventName: 'GenerateDataKey',
      userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
      sourceIPAddress: 'cloudtrail.amazonaws.com',
      requestParameters: { keyId: 'arn:aws:kms:eu-central-1:111122223333:key/0aa50000-1111' },
    }),
  ];

  test('finds changes to trails and flow logs, with failed attempts; reads of a trail are not changes', async () => {
    const changes = [trail('StopLogging'), trail('DeleteTrail', refused), trail('PutEventSelectors'), write('DeleteFlowLogs')];
    const not = [trail('CreateTrail'), record({ eventSource: 'cloudtrail.amazonaws.com', eventName: 'LookupEvents' }), write('CreateFlowLogs')];
    await using open = await trailOf(...changes, ...not);
    expect(await open.ids(`trail-tampering ${DAY}`)).toEqual(idsOf(...changes));
    expect(toTerminal(await open.ask(`trail-tampering ${DAY}`), templates, 160)).toMatch(
      /^3 calls by 1 actor changed trails or logs, and 1 attempt failed; .*\n.*• alice called DeleteTrail on — .* from 203.0.113.7: denied, AccessDenied/s,
    );
  });

  test('finds the trail’s bucket and key by CloudTrail’s use of them, and leaves out other buckets and keys', async () => {
    const changes = [
      s3('PutBucketLifecycle', 'acme-records'),
      s3('DeleteObjects', 'acme-records', { eventCategory: 'Data' }),
      s3('PutBucketPolicy', 'aws-cloudtrail-logs-1', { eventTime: '2026-05-01T11:00:00Z' }),
      write('ScheduleKeyDeletion', { eventSource: 'kms.amazonaws.com', requestParameters: { keyId: '0aa50000-1111' } }),
    ];
    const not = [
      s3('PutBucketLifecycle', 'shop'),
      s3('DeleteObjects', 'acme-records-2', { eventCategory: 'Data' }),
      s3('PutObject', 'acme-records', { eventCategory: 'Data' }),
      write('ScheduleKeyDeletion', { eventSource: 'kms.amazonaws.com', requestParameters: { keyId: '0aa50000-2222' } }),
      record({ eventSource: 's3.amazonaws.com', eventName: 'GetBucketPolicy', requestParameters: { bucketName: 'acme-records' } }),
    ];
    await using open = await trailOf(...delivering, ...changes, ...not);
    expect(await open.ids(`trail-tampering ${DAY}`)).toEqual(idsOf(...changes));
    expect(await open.cells(`trail-tampering by:source ${DAY}`)).toMatchObject([
      { source: 's3.amazonaws.com', events: 3 },
      { source: 'kms.amazonaws.com', events: 1 },
    ]);
  });

  test('finds changes to other logs, but not other settings or log groups that a service deletes', async () => {
    const of = (service: string, eventName: string, more: Fields = {}) => write(eventName, { eventSource: `${service}.amazonaws.com`, ...more });
    const changes = [
      of('logs', 'DeleteLogGroup'),
      of('logs', 'DeleteLogStream', refused),
      of('route53resolver', 'DisassociateResolverQueryLogConfig'),
      of('config', 'StopConfigurationRecorder', refused),
      of('guardduty', 'DeleteDetector'),
      of('guardduty', 'UpdateDetector', { requestParameters: { detectorId: 'd', enable: false } }),
      of('s3', 'PutBucketLogging', { requestParameters: { bucketName: 'shop', BucketLoggingStatus: { xmlns: 'x' } } }),
      of('organizations', 'LeaveOrganization', refused),
      of('rds', 'StopActivityStream'),
      of('bedrock', 'DeleteModelInvocationLoggingConfiguration'),
      of('inspector2', 'Disable'),
      of('securityhub', 'DisableSecurityHub'),
      of('securityhub', 'BatchDisableStandards'),
      of('macie2', 'DisableMacie'),
      of('access-analyzer', 'DeleteAnalyzer'),
      of('access-analyzer', 'CreateArchiveRule'),
      of('config', 'PutConfigurationRecorder'),
      of('guardduty', 'UpdateFilter'),
      of('macie2', 'CreateFindingsFilter'),
      of('guardduty', 'UpdateMemberDetectors'),
      of('securityhub', 'DisableImportFindingsForProduct'),
      of('macie2', 'UpdateMacieSession', { requestParameters: { status: 'PAUSED' } }),
      of('guardduty', 'DisassociateFromAdministratorAccount'),
      of('config', 'DeleteConfigRule'),
      of('wafv2', 'DeleteLoggingConfiguration'),
      of('route53', 'DeleteQueryLoggingConfig'),
      of('redshift', 'DisableLogging'),
      of('monitoring', 'DeleteAlarms'),
      of('oam', 'DeleteLink'),
      of('securityhub', 'BatchUpdateStandardsControlAssociations'),
      of('guardduty', 'UpdateDetector', { requestParameters: { detectorId: 'd', features: [{ name: 'S3_DATA_EVENTS', status: 'DISABLED' }] } }),
      of('logs', 'DeleteSubscriptionFilter'),
      of('securitylake', 'DeleteAwsLogSource'),
      of('elasticloadbalancing', 'ModifyLoadBalancerAttributes', {
        requestParameters: { attributes: [{ key: 'access_logs.s3.enabled', value: 'false' }] },
      }),
      of('eks', 'UpdateClusterConfig', { requestParameters: { name: 'shop', logging: { clusterLogging: [{ types: ['audit'], enabled: false }] } } }),
    ];
    const not = [
      of('logs', 'DeleteLogGroup', byService),
      of('logs', 'CreateLogGroup'),
      of('route53resolver', 'DeleteResolverRule'),
      of('config', 'StartConfigurationRecorder'),
      of('guardduty', 'DeleteFilter'),
      of('guardduty', 'ArchiveFindings'),
      of('macie2', 'DeleteFindingsFilter'),
      of('macie2', 'UpdateMacieSession', { requestParameters: { status: 'ENABLED' } }),
      of('rds', 'StartActivityStream'),
      of('monitoring', 'DeleteAlarms', byService),
      of('securityhub', 'BatchImportFindings'),
      of('wafv2', 'DeleteWebACL'),
      of('elasticloadbalancing', 'ModifyLoadBalancerAttributes', {
        requestParameters: { attributes: [{ key: 'access_logs.s3.enabled', value: 'true' }] },
      }),
      of('eks', 'UpdateClusterConfig', { requestParameters: { name: 'shop', logging: { clusterLogging: [{ types: ['audit'], enabled: true }] } } }),
      of('guardduty', 'UpdateDetector', { requestParameters: { detectorId: 'd', enable: true } }),
      of('s3', 'PutBucketLogging', { requestParameters: { bucketName: 'shop', BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'logs' } } } }),
      of('organizations', 'ListAccounts'),
    ];
    await using open = await trailOf(...changes, ...not);
    expect(await open.ids(`trail-tampering ${DAY}`)).toEqual(idsOf(...changes));
  });

  test('says so when no trail or log was changed', async () => {
    await using open = await trailOf(...delivering);
    expect(toText(await open.ask(`trail-tampering ${DAY}`), templates)).toMatch(
      /^No trail or log was changed from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
  });
});

describe('access-changes', () => {
  const iam = (eventName: string) => write(eventName, { eventSource: 'iam.amazonaws.com' });
  const rds = (requestParameters: Fields) => write('ModifyDBInstance', { eventSource: 'rds.amazonaws.com', requestParameters });
  const port = (cidrIp: string) =>
    write('AuthorizeSecurityGroupIngress', {
      requestParameters: { groupId: 'sg-1', ipPermissions: { items: [{ ipProtocol: 'tcp', fromPort: 22, ipRanges: { items: [{ cidrIp }] } }] } },
    });

  const changes: [what: string, change: Fields][] = [
    ['user', iam('CreateUser')],
    ['key', iam('CreateAccessKey')],
    ['password', iam('UpdateLoginProfile')],
    ['MFA', iam('DeactivateMFADevice')],
    ['trust', iam('UpdateAssumeRolePolicy')],
    ['trust', write('CreateTrustAnchor', { eventSource: 'rolesanywhere.amazonaws.com' })],
    ['organization', write('LeaveOrganization', { eventSource: 'organizations.amazonaws.com' })],
    ['policy', iam('AttachRolePolicy')],
    ['policy', write('PutBucketPolicy', { eventSource: 's3.amazonaws.com' })],
    ['policy', write('PutKeyPolicy', { eventSource: 'kms.amazonaws.com' })],
    ['group', iam('AddUserToGroup')],
    ['role', iam('AddRoleToInstanceProfile')],
    ['share', write('ModifySnapshotAttribute')],
    ['share', write('AddPermission20150331v2', { eventSource: 'lambda.amazonaws.com' })],
    ['share', write('CreateResourceShare', { eventSource: 'ram.amazonaws.com' })],
    ['Identity Center', write('CreateAccountAssignment', { eventSource: 'sso.amazonaws.com' })],
    ['password', write('PasswordUpdated', { eventSource: 'signin.amazonaws.com' })],
    ['password', rds({ masterUserPassword: '****' })],
    ['share', write('PutObjectAcl', { eventSource: 's3.amazonaws.com', requestParameters: { 'x-amz-acl': ['public-read'] } })],
    ['open port', rds({ publiclyAccessible: true })],
    ['open port', port('0.0.0.0/0')],
    ['open port', port('::/0')],
    // /0 ignores the address before it.
    ['open port', port('10.0.0.0/0')],
    ['key', write('SendSSHPublicKey', { eventSource: 'ec2-instance-connect.amazonaws.com' })],
    [
      'policy',
      write('SetQueueAttributes', {
        eventSource: 'sqs.amazonaws.com',
        requestParameters: { attributes: { Policy: '{"Statement":[]}' }, queueUrl: 'q' },
      }),
    ],
    [
      'policy',
      write('SetTopicAttributes', {
        eventSource: 'sns.amazonaws.com',
        requestParameters: { attributeName: 'Policy', attributeValue: '{"Statement":[]}' },
      }),
    ],
    ['policy', write('CreateKey', { eventSource: 'kms.amazonaws.com', requestParameters: { policy: '{"Statement":[]}' } })],
    ['open port', write('CreateNetworkAclEntry', { requestParameters: { networkAclId: 'acl-1', ruleAction: 'allow', cidrBlock: '0.0.0.0/0' } })],
    ['open port', write('AuthorizeDBSecurityGroupIngress', { eventSource: 'rds.amazonaws.com', requestParameters: { cIDRIP: '0.0.0.0/0' } })],
    [
      'open port',
      write('AuthorizeClusterSecurityGroupIngress', { eventSource: 'redshift.amazonaws.com', requestParameters: { cIDRIP: '0.0.0.0/0' } }),
    ],
    [
      'open port',
      write('RestoreDBInstanceFromDBSnapshot', {
        eventSource: 'rds.amazonaws.com',
        requestParameters: { dBInstanceIdentifier: 'copy', dBSnapshotIdentifier: 'old' },
        responseElements: { dBInstanceIdentifier: 'copy', publiclyAccessible: true },
      }),
    ],
    [
      'password of another user',
      write('UpdateLoginProfile', { eventSource: 'iam.amazonaws.com', userIdentity: user('mallory'), requestParameters: { userName: 'carol' } }),
    ],
    [
      'password',
      write('UpdateLoginProfile', { eventSource: 'iam.amazonaws.com', userIdentity: user('carol'), requestParameters: { userName: 'carol' } }),
    ],
    ['key', write('CreateApiKey', { eventSource: 'apigateway.amazonaws.com' })],
    ['key', write('CreateKeysAndCertificate', { eventSource: 'iot.amazonaws.com' })],
    ['trust', write('CreateTrust', { eventSource: 'ds.amazonaws.com' })],
    ['trust', write('AcceptVpcPeeringConnection')],
    ['open port', write('ModifyVpcBlockPublicAccessOptions')],
    ['share', write('ModifyDocumentPermission', { eventSource: 'ssm.amazonaws.com' })],
    ['policy', write('PutRegistryPolicy', { eventSource: 'ecr.amazonaws.com' })],
    ['policy', write('PutDomainPermissionsPolicy', { eventSource: 'codeartifact.amazonaws.com' })],
    ['policy', write('UpdateAccessPolicy', { eventSource: 'aoss.amazonaws.com' })],
    ['role', write('AssociateIamInstanceProfile')],
    ['role', write('CreatePodIdentityAssociation', { eventSource: 'eks.amazonaws.com' })],
    ['open port', write('OpenInstancePublicPorts', { eventSource: 'lightsail.amazonaws.com' })],
    ['organization', write('MoveAccount', { eventSource: 'organizations.amazonaws.com' })],
    ['organization', iam('EnableOrganizationsRootSessions')],
    ['Identity Center', write('AssociateDirectory', { eventSource: 'sso.amazonaws.com' })],
    ['password', write('ResetUserPassword', { eventSource: 'ds.amazonaws.com' })],
    ['password', write('AcceptPrimaryEmailUpdate', { eventSource: 'account.amazonaws.com' })],
    ['policy', write('UpdateDashboardPermissions', { eventSource: 'quicksight.amazonaws.com' })],
  ];
  const open = trailForAll(...changes.map(([, change]) => change));

  test.each(changes)('finds a change of %s', async (what, change) => {
    const found = await open().cells(`access-changes ${DAY} top:100`);
    expect(found).toHaveLength(changes.length);
    expect(found.filter(({ eventid }) => eventid === change.eventID)).toMatchObject([{ what }]);
  });

  test('finds no access change in reads, tags, reports, and ports opened to a private network', async () => {
    const not = [
      record({ eventSource: 'iam.amazonaws.com', eventName: 'GetPolicy' }),
      iam('TagRole'),
      iam('GenerateCredentialReport'),
      port('10.0.0.0/8'),
      write('AuthorizeSecurityGroupIngress', {
        requestParameters: {
          groupId: 'sg-1',
          ipPermissions: { items: [{ ipRanges: { items: [{ cidrIp: '10.0.0.0/8', description: 'floor 3/0' }] } }] },
        },
      }),
      write('SetQueueAttributes', { eventSource: 'sqs.amazonaws.com', requestParameters: { attributes: { DelaySeconds: '5' }, queueUrl: 'q' } }),
      write('SetTopicAttributes', {
        eventSource: 'sns.amazonaws.com',
        requestParameters: { attributeName: 'DisplayName', attributeValue: 'Policy news' },
      }),
      write('CreateKey', { eventSource: 'kms.amazonaws.com', requestParameters: { keyUsage: 'ENCRYPT_DECRYPT' } }),
      rds({ publiclyAccessible: false }),
      write('PutObjectAcl', { eventSource: 's3.amazonaws.com', requestParameters: { 'x-amz-acl': ['bucket-owner-full-control'] } }),
      write('PutScalingPolicy', { eventSource: 'autoscaling.amazonaws.com' }),
      write('CreateNetworkAclEntry', { requestParameters: { networkAclId: 'acl-1', ruleAction: 'deny', cidrBlock: '0.0.0.0/0' } }),
      write('CreateNetworkAclEntry', { requestParameters: { networkAclId: 'acl-1', ruleAction: 'allow', cidrBlock: '10.0.0.0/8' } }),
      write('RestoreDBInstanceFromDBSnapshot', { eventSource: 'rds.amazonaws.com', responseElements: { publiclyAccessible: false } }),
      write('CreateUser', { eventSource: 'transfer.amazonaws.com' }),
      record({ eventSource: 'rolesanywhere.amazonaws.com', eventName: 'ListTrustAnchors' }),
    ];
    await using open = await trailOf(...not);
    const answer = await open.ask(`access-changes ${DAY}`);
    expect(answer.table?.rows).toEqual([]);
    expect(toText(answer, templates)).toMatch(/^No access was changed from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/);
  });
});

describe('clickops', () => {
  const [browser, terraform] = ['Mozilla/5.0 (X11)', 'APN/1.0 HashiCorp/1.0 Terraform/1.13.3'];
  const byHand = records(3, () => ({ eventName: 'CreateSecurityGroup', readOnly: false, userAgent: browser }));
  const byCode = write('CreateSecurityGroup', { userAgent: terraform, recipientAccountId: '444455556666' });
  const not = [
    record({ userAgent: browser }),
    write('CreateVolume', { userAgent: 'aws-cli/2.17.32' }),
    write('ConsoleLogin', { eventSource: 'signin.amazonaws.com', userAgent: browser, responseElements: { ConsoleLogin: 'Success' } }),
    write('CreateVpc', { userAgent: browser, ...refused }),
    write('Authenticate', {
      eventSource: 'sso.amazonaws.com',
      eventType: 'AwsServiceEvent',
      userIdentity: { type: 'Unknown', userName: 'eve' },
      userAgent: browser,
    }),
    write('CreateVpc', {
      userAgent: 'console.amazonaws.com',
      userIdentity: session('AWSServiceRoleForX', 'x', { path: 'aws-service-role/x.amazonaws.com/' }),
    }),
  ];

  test('counts changes by hand and by code, by account, without reads, sign-ins and denied calls', async () => {
    await using open = await trailOf(...byHand, byCode, ...not);
    const answer = await open.ask(`clickops ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.account, cells.events, cells.byhand, cells.bycode])).toEqual([
      ['111122223333', 3, 3, 0],
      ['444455556666', 1, 0, 1],
    ]);
    expect(toText(answer, templates)).toBe(
      '75% of 4 changes were made by hand in the console (3), the others by infrastructure code (1); most by hand in 111122223333, 3 of 3.',
    );
    expect(await open.ids(answer.table?.rows[0]?.next?.line ?? '')).toEqual(idsOf(...byHand));
  });

  test('counts people in the console through a role, but not a program in the same role', async () => {
    const inConsole = write('CreateVpc', {
      userIdentity: session('admins', 'jdoe'),
      sessionCredentialFromConsole: 'true',
      userAgent: 'aws-sdk-java/2.20',
    });
    const program = write('CreateVpc', { userIdentity: session('admins', 'jdoe'), userAgent: 'aws-sdk-java/2.20' });
    await using open = await trailOf(inConsole, program);
    expect(await open.ids(`clickops sort:time ${DAY}`)).toEqual(idsOf(inConsole));
  });

  test('recognizes console work in old records by its session: by another call, the sign-in or keys that change', async () => {
    const sdk = 'aws-sdk-java/1.11.666';
    const inSession = (name: string, creationDate: string, fields: Fields = {}, accessKeyId = 'ASIAEXAMPLEEXAMPLE01') =>
      write('CreateVpc', {
        eventVersion: '1.05',
        userAgent: sdk,
        userIdentity: {
          ...user(name),
          principalId: `AIDAEXAMPLE${name}`,
          accessKeyId,
          sessionContext: { attributes: { creationDate, mfaAuthenticated: 'true' } },
        },
        ...fields,
      });
    const [at, then, later] = ['2026-05-01T08:00:00Z', '2026-05-01T08:30:00Z', '2026-05-01T09:00:00Z'];
    const read = inSession('ann', at, { eventName: 'DescribeVpcs', readOnly: true, userAgent: 'console.ec2.amazonaws.com' });
    const [besideIt, otherSession] = [inSession('ann', at), inSession('ann', later)];
    const signIn = record({
      eventVersion: '1.05',
      eventTime: then,
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      userAgent: browser,
      userIdentity: { ...user('ben'), principalId: 'AIDAEXAMPLEben', accessKeyId: '' },
      responseElements: { ConsoleLogin: 'Success' },
    });
    const [afterIt, before] = [inSession('ben', then), inSession('ben', at)];
    const keys = ['ASIAEXAMPLEEXAMPLE01', 'ASIAEXAMPLEEXAMPLE02'].map((key) => inSession('eva', at, {}, key));
    const oneKey = [inSession('kim', at), inSession('kim', at)];
    // Copies of a function, and the command line in the console's own shell.
    const copies = ['ASIAEXAMPLEEXAMPLE03', 'ASIAEXAMPLEEXAMPLE04'].map((accessKeyId) =>
      write('CreateVpc', { eventVersion: '1.05', userAgent: sdk, userIdentity: { ...session('orders', 'orders'), accessKeyId } }),
    );
    const shell = inSession('ann', at, { userAgent: 'aws-cli/2.1 exec-env/CloudShell' });
    const newer = [inSession('eva', later, { eventVersion: '1.11' }, 'ASIAEXAMPLEEXAMPLE05'), inSession('eva', later, { eventVersion: '1.11' })];
    await using open = await trailOf(read, besideIt, otherSession, signIn, afterIt, before, ...keys, ...oneKey, ...copies, shell, ...newer);
    expect(await open.ids(`clickops sort:time ${DAY}`)).toEqual(idsOf(besideIt, afterIt, ...keys));
    expect(await open.ids(`clickops via:console sort:time ${DAY}`)).toEqual(idsOf(besideIt, afterIt, ...keys));
    expect(await open.cells(`clickops by:user ${DAY}`)).toMatchObject([
      { user: 'eva', byhand: 2 },
      { user: 'ann', byhand: 1 },
      { user: 'ben', byhand: 1 },
    ]);
  });

  test('lists the changes, and counts them again', async () => {
    await using open = await trailOf(...byHand, byCode, ...not);
    const list = await open.ask(`clickops sort:time ${DAY}`);
    expect(list.table?.rows).toHaveLength(4);
    const back = list.next?.find(({ label }) => label === 'Count them');
    expect(back?.line).toBe(`clickops ${DAY}`);
  });
});

describe('a call whose request CloudTrail left out', () => {
  const leftOut = { reason: 'requestParameters too large', omitted: true, originalSize: 131_072 };
  const change = (eventName: string, requestParameters: unknown, more: Fields = {}) =>
    record({ eventName, readOnly: false, requestParameters, ...more });
  const opened = change('AuthorizeSecurityGroupIngress', { ipPermissions: { items: [{ ipRanges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] } });
  const closed = change('AuthorizeSecurityGroupIngress', { ipPermissions: { items: [{ ipRanges: { items: [{ cidrIp: '10.0.0.0/8' }] } }] } });
  const unknown = change('AuthorizeSecurityGroupIngress', leftOut);
  const detector = change('UpdateDetector', leftOut, { eventSource: 'guardduty.amazonaws.com' });
  const protection = change('ModifyDBInstance', leftOut, { eventSource: 'rds.amazonaws.com' });
  const parameter = change('GetParameter', leftOut, { eventSource: 'ssm.amazonaws.com', readOnly: true });
  // A request that only mentions it, and a call that no question reads.
  const alike = change('AuthorizeSecurityGroupIngress', { groupName: 'too large "omitted"', omitted: 'false' });
  const other = change('TagRole', leftOut, { eventSource: 'iam.amazonaws.com' });
  const open = trailForAll(opened, closed, unknown, detector, protection, parameter, alike, other);
  const ids = (...list: readonly Fields[]) => list.map(({ eventID }) => eventID).sort();

  test.each([
    ['access-changes', [opened, unknown, protection]],
    ['trail-tampering', [detector]],
    ['destructive', [protection]],
    ['secrets sort:time', [parameter]],
    ['events requestParameters.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0/0', [opened, unknown, detector, protection, parameter, other]],
    // What may match is not excluded.
    ['events event:Auth* -requestParameters.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0/0', [closed, unknown, alike]],
    ['events event:Auth* NOT (requestParameters.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0/0 reads:false)', [closed, unknown, alike]],
  ] as const)('is listed where it may matter: %s', async (line, expected) => {
    expect(await open().ids(`${line} ${DAY}`)).toEqual(ids(...expected));
  });

  test('is said to be so', async () => {
    const sentence = 'CloudTrail left out the request of 1 call, because it was too large: that call may belong here or not.';
    expect(toText(await open().ask(`trail-tampering ${DAY}`), templates)).toContain(`1 call by 1 actor may have changed trails or logs`);
    expect(toTerminal(await open().ask(`trail-tampering ${DAY}`), templates, 160)).toContain(sentence);
    expect(toText(await open().ask(`access-changes ${DAY}`), templates)).toContain('3 calls by 1 actor changed access');
    expect(toTerminal(await open().ask(`events event:Auth* ${DAY}`), templates, 160)).not.toContain('left out');
    const counted = await open().ask(`access-changes by:event ${DAY}`);
    expect(toTerminal(counted, templates, 160)).toContain('CloudTrail left out the request or response of 2 calls');
    expect(counted.table?.rows.map(({ cells }) => [cells.event, cells.events, cells.leftout])).toEqual([
      ['AuthorizeSecurityGroupIngress', 2, 1],
      ['ModifyDBInstance', 1, 1],
    ]);
    const whole = await open().ask(`access-changes event:Put* by:event ${DAY}`);
    expect(whole.table?.columns.map(({ name }) => name)).not.toContain('leftout');
    expect(toTerminal(await open().ask(`event ${unknown.eventID} ${DAY}`), templates, 160)).toContain('CloudTrail left out the request, because');
    expect(toTerminal(await open().ask(`event ${alike.eventID} ${DAY}`), templates, 160)).not.toContain('CloudTrail left out');
  });
});

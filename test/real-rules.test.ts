/**
 * Published detection rules and attack techniques, each with its events: what one of our questions says of the same is the
 * same. Of the other rules, some compare what one record says with another, or with what was before; and one with what a
 * condition within a policy comes to.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type OpenTrail, openFolder, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const LABELS = fileURLToPath(new URL('../../shared/data/labels/rules-dev.jsonl', import.meta.url));
const TECHNIQUE_LABELS = fileURLToPath(new URL('../../shared/data/labels/techniques.jsonl', import.meta.url));
const TECHNIQUE_TRAIL = fileURLToPath(new URL('../../shared/data/trails/stratus', import.meta.url));
const DAY = '2026-05-01';

const labelled = z.object({ rule_title: z.string(), expected: z.boolean(), event: z.record(z.string(), z.unknown()) });
/** A technique, its accounts, and the outcome in each. */
const technique = z.object({
  technique: z.string(),
  accounts: z.array(z.string()),
  events: z.array(z.object({ eventID: z.string(), eventName: z.string() })),
});

/** The rules that a command covers, with the filters that make it as narrow as the rule. */
const COVERED = {
  'AWS EC2 Many Password Read Attempts': 'secrets sort:time event:GetPasswordData',
  'AWS Secrets Manager Batch Retrieve Secrets': 'secrets sort:time event:BatchGetSecretValue',
  'AWS Decrypt SSM Parameters': 'secrets sort:time source:ssm',
  'S3 Bucket Deleted': 'deleted event:DeleteBucket',
  'S3 Bucket Replication Deleted': 'deleted event:DeleteBucketReplication outcome:ok target:*',
  'S3 Public Access Block Deleted': 'access-changes event:Delete*PublicAccessBlock outcome:ok target:*',
  'AWS RDS Instance or Cluster Deleted': 'deleted event:DeleteDBInstance,DeleteDBCluster outcome:ok',
  'AWS RDS Master Password Updated': 'access-changes event:ModifyDB*',
  'AWS RDS Instance Modified to be Publicly Accessible': 'access-changes source:rds outcome:ok',
  'AWS VPC Flow Logs Removed': 'trail-tampering event:DeleteFlowLogs',
  'AWS Config Service Disabled': 'destructive source:config outcome:ok',
  'A CloudTrail Was Created or Updated': 'created source:cloudtrail outcome:ok',
  'IAM User Created': 'created source:iam event:CreateUser',
  'IAM Role Created': 'created source:iam event:CreateRole',
  'IAM Change': 'access-changes outcome:ok',
  'New IAM Credentials Updated': 'access-changes outcome:ok -event:*MFADevice',
  'IAM Administrator Role Policy Attached': 'access-changes event:AttachRolePolicy text:AdministratorAccess',
  'Root Password Changed': 'access-changes responseElements.PasswordUpdated:Success',
  'AWS Potential Backdoor Lambda Function Through Resource-Based Policy': 'access-changes source:lambda event:AddPermission* outcome:ok',
  'cloudtrail put object acl public': 'access-changes event:PutObjectAcl -target:example-bucket-to-ignore',
  'CodeBuild Project made Public': 'access-changes requestParameters.projectVisibility:PUBLIC_READ outcome:ok',
  'AWS S3 Bucket Policy Modified': 'access-changes source:s3 outcome:ok',
  'EC2 VPC Modified': 'created event:CreateVpc outcome:ok',
  'Monitor Unauthorized API Calls': 'denied sort:time -ip:*.amazonaws.com',
  'VPC Endpoint Access Denied': 'denied sort:time error:VpceAccessDenied',
  'Root Console Login': 'logins kind:root outcome:ok',
  'AWS Unsuccessful MFA attempt': 'signin-failures sort:time',
  'Brute Force By IP': 'signin-failures sort:time',
  'Brute Force By User': 'signin-failures sort:time',
  'CloudTrail Event Selectors Disabled': 'trail-tampering requestParameters.eventSelectors[0].includeManagementEvents:false',
  'AWS CloudTrail Retention Lifecycle Too Short':
    'trail-tampering requestParameters.LifecycleConfiguration.Rule.Expiration.Days:?,?? requestParameters.LifecycleConfiguration.Rule.Status:Enabled',
  'Account Security Configuration Changed': 'trail-tampering outcome:ok',
  'AWS RDS Deletion Protection Disabled': 'destructive requestParameters.deletionProtection:false outcome:ok',
  'AWS EC2 Multi Instance Connect': 'access-changes event:SendSSHPublicKey outcome:ok',
  'Root Account Access Key Created': 'access-changes kind:root event:CreateAccessKey -requestParameters.userName:*',
  'AWS EC2 Vulnerable XZ Image Launched': 'created event:RunInstances text:ami-020a359780bc6f835,ami-092e3b17e435e5e58',
  'Write made by hand in the console': 'clickops sort:time',
  'Unused AWS Region': 'outside-regions us-west-2 readonly:false sort:time',
  'IAM Role Policy Updated to Allow Internet Access': String.raw`access-changes event:UpdateAssumeRolePolicy text:"Principal\\\":\\\"*\\\""`,
} as const;

/** The rules that `events` covers with filters only. */
const LISTED = {
  'Lambda Configuration Updated with Layers by User': 'events event:UpdateFunctionConfiguration* kind:human,user responseElements.layers[0].arn:*',
  'Lambda Code Updated by User': 'events event:UpdateFunctionCode* kind:human,user',
  'AWS CloudTrail SES Check Send Quota': 'events event:GetSendQuota -kind:service',
  'AWS CloudTrail SES Check SES Sending Enabled': 'events event:GetAccountSendingEnabled',
  'AWS.CloudTrail.UserAccessKeyAuth': 'events key:AKIA* outcome:ok',
  'AWS Config Service Created': 'events event:PutConfigurationRecorder,PutDeliveryChannel outcome:ok',
  'SIGNAL - AWS Console SSO Sign-In': 'events source:sso event:Authenticate',
  'SIGNAL - Retrieve SSO access token': 'events source:sso event:CreateToken',
  'EC2 Network Gateway Modified': 'events event:*InternetGateway,*CustomerGateway outcome:ok',
  'EC2 Route Table Modified': 'events event:*Route,*RouteTable,*RouteTableAssociation outcome:ok',
  'AWS EC2 Traffic Mirroring': 'events event:*TrafficMirror* -event:Describe*',
  'AWS ECR Events': 'events source:ecr (-region:us-west-2 OR -account:123456789012)',
  'IAM Assume Role Blocklist Ignored': 'events event:AssumeRole target:FullAdminRole outcome:ok',
  'AWS IMDS Credential Usage Outside Expected Services':
    'events principal:*:i-* -ip:10.0.0.0/8,172.16.0.0/12,192.168.0.0/16 -via:service -source:ssm,ssmmessages,ec2messages',
  'AWS Macie Disabled/Updated': 'events source:macie,macie2 -event:List*,Get*,Describe*',
  'AWS RDS Cluster Failover Initiated': 'events source:rds event:Failover* outcome:ok',
  'AWS RDS Instance or Cluster Rebooted': 'events event:RebootDB* outcome:ok',
  'AWS RDS Log File Downloaded': 'events event:DownloadDBLogFilePortion,DownloadCompleteDBLogFile outcome:ok',
  'AWS RDS Snapshot Enumeration with Public or Shared Flag':
    'events event:DescribeDB*Snapshots (requestParameters.includePublic:true OR requestParameters.includeShared:true) outcome:ok',
  'AWS RDS Snapshot Exported to S3': 'events source:rds event:StartExportTask outcome:ok',
  'Root Account Activity': 'events kind:root reads:false outcome:ok -event:CreateServiceLinkedRole',
  'AWS S3 Copy Object with Client-Side Encryption': 'events event:CopyObject x-amz-server-side-encryption-customer-algorithm outcome:ok',
  'AWS S3 Security Control Disabling':
    'events source:s3 outcome:ok ((event:PutBucketLogging -LoggingEnabled) OR requestParameters.VersioningConfiguration.Status:Suspended,Disabled OR requestParameters.VersioningConfiguration.MfaDelete:Disabled)',
  'AWS SecurityHub Finding Evasion': 'events source:securityhub event:Delete*,Update*,BatchUpdate*',
  'AWS Software Discovery': 'events event:DescribeSecurityGroup*,DescribeConfigurationRecorder*,DescribeStandards*,ListDetectors',
  'AWS STS GetCallerIdentity via TruffleHog': 'events event:GetCallerIdentity agent:TruffleHog*,trufflehog*',
  'AWS WAF Disassociation': 'events event:DisassociateWebACL outcome:ok',
  'cloudtrail critical api calls':
    'events event:Delete*,StopLogging,UpdateTrail,StopConfigurationRecorder OR (event:UpdateDetector requestParameters.enable:false) OR (event:Put*PublicAccessBlock requestParameters.PublicAccessBlockConfiguration.BlockPublicPolicy:false)',
  'cloudtrail ec2 image creation':
    'events (event:CreateImage requestParameters.blockDeviceMapping.items[0].ebs.encrypted:false) OR (event:ModifyImageAttribute requestParameters.launchPermission.add.items[0].group:all)',
} as const;

/** Attack techniques run on real accounts, one per account: the command that finds the attack, but not its preparation. */
const TECHNIQUES = {
  'aws.credential-access.ec2-get-password-data': ['secrets sort:time', 'GetPasswordData'],
  'aws.credential-access.secretsmanager-batch-retrieve-secrets': ['secrets sort:time', 'BatchGetSecretValue'],
  'aws.credential-access.secretsmanager-retrieve-secrets': ['secrets sort:time', 'GetSecretValue'],
  'aws.credential-access.ssm-retrieve-securestring-parameters': ['secrets sort:time', 'GetParameters'],
  'aws.defense-evasion.cloudtrail-delete': ['trail-tampering', 'DeleteTrail'],
  'aws.defense-evasion.cloudtrail-event-selectors': ['trail-tampering', 'PutEventSelectors'],
  'aws.defense-evasion.cloudtrail-stop': ['trail-tampering', 'StopLogging'],
  'aws.defense-evasion.dns-delete-logs': ['trail-tampering', 'DeleteResolverQueryLogConfig'],
  'aws.defense-evasion.organizations-leave': ['trail-tampering', 'LeaveOrganization'],
  'aws.defense-evasion.vpc-remove-flow-logs': ['trail-tampering', 'DeleteFlowLogs'],
  'aws.execution.ec2-launch-unusual-instances': ['created', 'RunInstances'],
  'aws.exfiltration.ec2-security-group-open-port-22-ingress': ['access-changes', 'AuthorizeSecurityGroupIngress'],
  'aws.exfiltration.ec2-share-ami': ['access-changes', 'ModifyImageAttribute'],
  'aws.exfiltration.ec2-share-ebs-snapshot': ['access-changes', 'ModifySnapshotAttribute'],
  'aws.exfiltration.rds-share-snapshot': ['access-changes', 'ModifyDBSnapshotAttribute'],
  'aws.initial-access.console-login-without-mfa': ['logins', 'ConsoleLogin'],
  'aws.lateral-movement.ec2-instance-connect': ['access-changes', 'SendSSHPublicKey'],
  'aws.lateral-movement.ec2-serial-console-send-ssh-public-key': ['access-changes', 'SendSerialConsoleSSHPublicKey'],
  'aws.persistence.iam-backdoor-role': ['access-changes', 'UpdateAssumeRolePolicy'],
  'aws.persistence.iam-backdoor-user': ['access-changes', 'CreateAccessKey'],
  'aws.persistence.iam-create-admin-user': ['access-changes', 'AttachUserPolicy', 'CreateUser', 'CreateAccessKey'],
  'aws.persistence.iam-create-backdoor-role': ['access-changes', 'AttachRolePolicy', 'CreateRole'],
  'aws.persistence.iam-create-user-login-profile': ['access-changes', 'CreateLoginProfile', 'DeleteLoginProfile'],
  'aws.persistence.lambda-backdoor-function': ['access-changes', 'AddPermission20150331v2'],
  'aws.persistence.rolesanywhere-create-trust-anchor': ['access-changes', 'CreateTrustAnchor', 'CreateProfile'],
  'aws.privilege-escalation.iam-update-user-login-profile': ['access-changes', 'UpdateLoginProfile'],
} as const;

describe('Of the events of a published rule', () => {
  const events = linesOf(LABELS).map((line, i) => ({ ...labelled.parse(line), id: `rule-${i}` }));
  let folder: TrailFolder;
  let open: OpenTrail;

  beforeAll(async () => {
    folder = await trailFolder();
    await folder.deliver(events.map(({ event, id }) => ({ ...event, eventID: id, eventTime: `${DAY}T10:00:00Z` })));
    open = await openFolder(folder);
  });
  afterAll(async () => {
    await open[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  test.each(Object.entries({ ...COVERED, ...LISTED }))('%s, “%s” finds all that it should and none of the others', async (rule, line) => {
    const own = events.filter(({ rule_title }) => rule_title === rule);
    const found = new Set(await open.ids(`${line} ${DAY}`));
    expect(own.filter(({ id }) => found.has(id)).map(({ id }) => id)).toEqual(own.filter(({ expected }) => expected).map(({ id }) => id));
  });

  test('the share that a command covers is printed', () => {
    const rules = new Set(events.map(({ rule_title }) => rule_title));
    const [covered, listed] = [Object.keys(COVERED), Object.keys(LISTED)];
    expect([...covered, ...listed].filter((rule) => !rules.has(rule))).toEqual([]);
    expect(covered.filter((rule) => Object.hasOwn(LISTED, rule))).toEqual([]);
    console.info(
      `Questions cover ${covered.length + listed.length} of ${rules.size} rules, ${listed.length} of them by the filters of a list of events alone.`,
    );
  });
});

describe('Of a technique of attack', () => {
  const techniques = linesOf(TECHNIQUE_LABELS).flatMap((line) => {
    const read = technique.safeParse(line);
    return read.success ? [read.data] : [];
  });
  let store: string;
  let open: OpenTrail;

  beforeAll(async () => {
    store = await mkdtemp(join(tmpdir(), 'trailbot-techniques-'));
    open = await openFolder({ trail: TECHNIQUE_TRAIL, store: join(store, 'store') });
  });
  afterAll(async () => {
    await open?.[Symbol.asyncDispose]();
    await rm(store, { recursive: true, force: true });
  });

  test.each(Object.entries(TECHNIQUES))('%s, %j finds each event that is it, and none that led to it', async (name, [line, ...calls]) => {
    const { accounts, events } = techniques.find((each) => each.technique === name) ?? { accounts: [], events: [] };
    const meant = events.filter(({ eventName }) => (calls as readonly string[]).includes(eventName));
    expect(meant.length).toBeGreaterThan(0);
    expect(await open.ids(`${line} account:${accounts.join()} 2024-07-01..2024-12-31`)).toEqual(meant.map(({ eventID }) => eventID).sort());
  });

  test('the share that a command is written for is printed', () => {
    console.info(`Questions are made for ${Object.keys(TECHNIQUES).length} of ${techniques.length} techniques.`);
    expect(Object.keys(TECHNIQUES).filter((name) => !techniques.some(({ technique: known }) => known === name))).toEqual([]);
  });
});

function linesOf(file: string): unknown[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

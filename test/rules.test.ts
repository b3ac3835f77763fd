/** Published detection rules, each with events that it must find and must not: what one of our questions says of the same is the same. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type OpenTrail, openFolder, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const LABELS = fileURLToPath(new URL('../../shared/data/labels/rules-dev.jsonl', import.meta.url));
const DAY = '2026-05-01';

const labelled = z.object({ rule_title: z.string(), expected: z.boolean(), event: z.record(z.string(), z.unknown()) });

/** The rules that a question of ours claims to cover. */
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
  'IAM Administrator Role Policy Attached': 'access-changes event:AttachRolePolicy AdministratorAccess',
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
} as const;

describe.skipIf(!existsSync(LABELS))('Of the events of a published rule', () => {
  const events = existsSync(LABELS)
    ? readFileSync(LABELS, 'utf8')
        .trim()
        .split('\n')
        .map((line, i) => ({ ...labelled.parse(JSON.parse(line)), id: `rule-${i}` }))
    : [];
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

  test.each(Object.entries(COVERED))('%s, “%s” finds all that it should and none of the others', async (rule, line) => {
    const own = events.filter(({ rule_title }) => rule_title === rule);
    const found = new Set(await open.ids(`${line} ${DAY}`));
    expect(own.filter(({ id }) => found.has(id)).map(({ id }) => id)).toEqual(own.filter(({ expected }) => expected).map(({ id }) => id));
  });

  test('the share that a question of ours covers is told', () => {
    const rules = new Set(events.map(({ rule_title }) => rule_title));
    const covered = Object.keys(COVERED);
    expect(covered.filter((rule) => !rules.has(rule))).toEqual([]);
    console.info(`Questions cover ${covered.length} of ${rules.size} rules.`);
  });
});

/** Nothing that a record names is missed: every spelling of a name, parts, calls in several steps, busy calls, delayed deletions. */
import { describe, expect, test } from 'vitest';
import { classifyAction } from '../src/analysis/resource-actions.ts';
import { readResourceId } from '../src/analysis/resource-id.ts';
import { toText } from '../src/message/message.ts';
import { ACCOUNT, type Fields, type OpenTrail, record, trailOf, user, writeAt } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const templates = new URL('../templates/', import.meta.url);
const sentenceOf = async (open: OpenTrail, line: string, now?: string): Promise<string> => toText(await open.ask(line, now), templates);
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();

const arn = (service: string, resource: string): string => `arn:aws:${service}:eu-central-1:${ACCOUNT}:${resource}`;

describe('A deletion is found by each spelling of a name', () => {
  test.each([
    [
      'a stack',
      writeAt('cloudformation:DeleteStack', '10:00', { stackName: arn('cloudformation', 'stack/net/57ac0000-1111-2222-3333-444455550042') }),
      ['net', '57ac0000-1111-2222-3333-444455550042', arn('cloudformation', 'stack/net/57ac0000-1111-2222-3333-444455550042')],
    ],
    [
      'a load balancer',
      writeAt('elasticloadbalancing:DeleteLoadBalancer', '10:00', {
        loadBalancerArn: arn('elasticloadbalancing', 'loadbalancer/app/front/50dc6c495c0c9188'),
      }),
      ['front', arn('elasticloadbalancing', 'loadbalancer/app/front/50dc6c495c0c9188')],
    ],
    [
      'a target group',
      writeAt('elasticloadbalancing:DeleteTargetGroup', '10:00', {
        targetGroupArn: arn('elasticloadbalancing', 'targetgroup/blue/73e2d6bc24d8a067'),
      }),
      ['blue'],
    ],
    [
      'an MSK cluster',
      writeAt('kafka:DeleteCluster', '10:00', { clusterArn: arn('kafka', 'cluster/clicks/0e7e4a1c-ee11-4c0d-9abc-e7e41a100001-3') }),
      ['clicks'],
    ],
    [
      'a queue',
      writeAt('sqs:DeleteQueue', '10:00', { queueUrl: `https://sqs.eu-central-1.amazonaws.com/${ACCOUNT}/jobs` }),
      ['jobs', `https://sqs.eu-central-1.amazonaws.com/${ACCOUNT}/jobs`, arn('sqs', 'jobs')],
    ],
    [
      'a secret',
      writeAt('secretsmanager:DeleteSecret', '10:00', { secretId: arn('secretsmanager', 'secret:prod/db-AbCdEf'), forceDeleteWithoutRecovery: true }),
      ['prod/db', arn('secretsmanager', 'secret:prod/db-AbCdEf')],
    ],
    [
      'an encoded ARN',
      writeAt('wafv2:DeleteWebACL', '10:00', { aRN: 'arn%3Aaws%3Awafv2%3Aeu-central-1%3A111122223333%3Aregional%2Fwebacl%2Fshield', name: 'shield' }),
      ['shield'],
    ],
    ['an alias', writeAt('kms:DeleteAlias', '10:00', { aliasName: 'alias/orders' }), ['orders', 'alias/orders', arn('kms', 'alias/orders')]],
    [
      'an object',
      writeAt('s3:DeleteObject', '10:00', { bucketName: 'reports', key: '2026/03.csv' }, null, { eventCategory: 'Data', managementEvent: false }),
      ['2026/03.csv', 's3://reports/2026/03.csv', 'arn:aws:s3:::reports/2026/03.csv'],
    ],
    ['a database, in another case', writeAt('rds:DeleteDBInstance', '10:00', { dBInstanceIdentifier: 'Orders-DB' }), ['orders-db', 'ORDERS-DB']],
    ['a hosted zone', writeAt('route53:DeleteHostedZone', '10:00', { id: '/hostedzone/Z0123456789ABCDEFGHIJ' }), ['Z0123456789ABCDEFGHIJ']],
    [
      'a function with a date in its call',
      writeAt('lambda:DeleteFunction20150331', '10:00', { functionName: arn('lambda', 'function:resize') }),
      ['resize', arn('lambda', 'function:resize')],
    ],
    [
      'one of a list in a wrapper',
      writeAt('ec2:DeleteFlowLogs', '10:00', {
        DeleteFlowLogsRequest: {
          FlowLogId: [
            { tag: 1, content: 'fl-0abc1234def567890' },
            { tag: 2, content: 'fl-0abc1234def567891' },
          ],
        },
      }),
      ['fl-0abc1234def567891'],
    ],
    [
      'by the log alone, of an object',
      writeAt('s3:DeleteObjects', '10:00', { bucketName: 'reports', delete: '' }, null, {
        resources: [{ type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::reports/a.txt' }],
      }),
      ['s3://reports/a.txt'],
    ],
    ['an account that was closed', writeAt('organizations:CloseAccount', '10:00', { accountId: '444455556666' }), ['444455556666']],
  ])('%s', async (_, event, names) => {
    await using open = await trailOf(event);
    for (const name of names) expect([name, await open.ids(`who-deleted ${name} ${DAY}`)]).toEqual([name, idsOf(event)]);
  });

  test.each([
    [
      'an object that only ends so',
      writeAt('s3:DeleteObject', '10:00', { bucketName: 'reports', key: 'old/2026/03.csv' }),
      's3://reports/2026/03.csv',
    ],
    ['an object of another bucket', writeAt('s3:DeleteObject', '10:00', { bucketName: 'drafts', key: '2026/03.csv' }), 's3://reports/2026/03.csv'],
    [
      'a listener of the load balancer',
      writeAt('elasticloadbalancing:DeleteListener', '10:00', {
        listenerArn: arn('elasticloadbalancing', 'listener/app/front/50dc6c495c0c9188/f2f7dc8efc522ab2'),
      }),
      'front',
    ],
    ['a table in another case, which DynamoDB tells apart', writeAt('dynamodb:DeleteTable', '10:00', { tableName: 'Orders' }), 'orders'],
    [
      'an older stack of the name',
      writeAt('cloudformation:DeleteStack', '10:00', { stackName: arn('cloudformation', 'stack/net/57ac0000-1111-2222-3333-444455550042') }),
      arn('cloudformation', 'stack/net/57ac0000-1111-2222-3333-444455550043'),
    ],
    ['a policy of the bucket', writeAt('s3:DeleteBucketPolicy', '10:00', { bucketName: 'reports' }), 'reports'],
    [
      'a target that is only deregistered',
      writeAt('elasticloadbalancing:DeregisterTargets', '10:00', { targetGroupArn: 'x', targets: [{ id: 'i-0abc1234def567890' }] }),
      'i-0abc1234def567890',
    ],
  ])('and is not %s', async (_, event, name) => {
    await using open = await trailOf(event);
    expect(await open.ids(`who-deleted ${name} ${DAY}`)).toEqual([]);
  });
});

describe('A part', () => {
  test.each([
    [
      'a route',
      writeAt(
        'ec2:CreateRoute',
        '10:00',
        { routeTableId: 'rtb-0abc1234def567890', destinationCidrBlock: '10.9.0.0/16', gatewayId: 'igw-0abc1234def567890' },
        { _return: true },
      ),
      'rtb-0abc1234def567890',
      undefined,
    ],
    [
      'an entry',
      writeAt('ec2:DeleteNetworkAclEntry', '10:00', { networkAclId: 'acl-0abc1234def567890', ruleNumber: 10, egress: false }),
      'acl-0abc1234def567890',
      undefined,
    ],
    [
      'a rule',
      writeAt(
        'ec2:AuthorizeSecurityGroupIngress',
        '10:00',
        { groupId: 'sg-0abc1234def567890' },
        { securityGroupRuleSet: { items: [{ securityGroupRuleId: 'sgr-0abc1234def567890' }] } },
      ),
      'sg-0abc1234def567890',
      undefined,
    ],
    [
      'a grant',
      writeAt('kms:CreateGrant', '10:00', { keyId: '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001' }, { grantId: 'grant-number-one' }),
      '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001',
      'grant-number-one',
    ],
    ['an inline policy', writeAt('iam:PutRolePolicy', '10:00', { roleName: 'orders', policyName: 'read-all' }), 'orders', 'read-all'],
    [
      'a tag',
      writeAt('ec2:CreateTags', '10:00', {
        resourcesSet: { items: [{ resourceId: 'vol-0abc1234def567890' }] },
        tagSet: { items: [{ key: 'a', value: 'b' }] },
      }),
      'vol-0abc1234def567890',
      undefined,
    ],
    [
      'a tag of any service',
      writeAt('dynamodb:TagResource', '10:00', { resourceArn: arn('dynamodb', 'table/orders'), tags: [] }),
      'orders',
      undefined,
    ],
    [
      'an access key',
      writeAt('iam:CreateAccessKey', '10:00', { userName: 'carol' }, { accessKey: { userName: 'carol', accessKeyId: 'AKIAEXAMPLEEXAMPLE01' } }),
      'carol',
      'AKIAEXAMPLEEXAMPLE01',
    ],
  ])('%s is a change of what it belongs to, and is found by its own name', async (_, event, whole, own) => {
    await using open = await trailOf(event);
    expect(await open.ids(`who-changed ${whole} ${DAY}`)).toEqual(idsOf(event));
    expect(await open.ids(`who-created ${whole} ${DAY}`)).toEqual([]);
    if (own) expect(await open.ids(`who-created ${own} ${DAY}`)).toEqual(idsOf(event));
  });
});

describe('who-created', () => {
  const stack = (clock: string, name: string, more: object) =>
    writeAt(`cloudformation:${name}`, clock, { stackName: 'shop', changeSetName: 'first', ...more });

  test('finds the execution of the change set that created a stack, and not of one that changed it', async () => {
    const planned = stack('09:00', 'CreateChangeSet', { changeSetType: 'CREATE' });
    const made = {
      ...stack('09:05', 'ExecuteChangeSet', { changeSetName: arn('cloudformation', 'changeSet/first/0e7e4a1c-ee11-4c0d-9abc-e7e41a100001') }),
      userIdentity: user('grace'),
    };
    const later = [
      stack('11:00', 'CreateChangeSet', { changeSetType: 'UPDATE', changeSetName: 'second' }),
      stack('11:05', 'ExecuteChangeSet', { changeSetName: 'second' }),
    ];
    await using open = await trailOf(planned, made, ...later);
    expect(await open.ids(`who-created shop ${DAY}`)).toEqual(idsOf(made));
    expect(await sentenceOf(open, `who-created shop ${DAY}`)).toMatch(/^shop was created by grace .* with ExecuteChangeSet /);
    await using changed = await trailOf(...later);
    expect(await changed.ids(`who-created shop ${DAY}`)).toEqual([]);
  });

  test('finds a creation behind more calls of another kind than it reads of one', async () => {
    const made = writeAt('s3:CreateBucket', '08:00', { bucketName: 'busy' });
    const puts = Array.from({ length: 1200 }, (_, n) =>
      writeAt('s3:PutObject', '10:00', { bucketName: 'busy', key: `${n}` }, null, { eventCategory: 'Data', managementEvent: false }),
    );
    await using open = await trailOf(made, ...puts);
    expect((await open.ask(`who-created busy ${DAY}`)).data).toMatchObject({ creation: { eventid: made.eventID } });
  });
});

test('A request that is cut off is read as far as it goes', () => {
  const cutOff = { eventsource: 'iam.amazonaws.com', readlike: 'false', errormessage: null, resourcesjson: null, response: null };
  const request = String.raw`{"roleName":"orders","path":"/team/","assumeRolePolicyDocument":"{\"Vers`;
  const actionOn = (name: string, eventname: string) => classifyAction({ ...cutOff, eventname, request }, readResourceId(name)).action;
  expect(['CreateRole', 'DeleteRole', 'UpdateAssumeRolePolicy'].map((eventname) => actionOn('orders', eventname))).toEqual([
    'created',
    'deleted',
    'changed',
  ]);
  expect(actionOn('/team/', 'CreateRole')).toBe('used');
});

describe('A name that only a tag gives', () => {
  const launch = writeAt(
    'ec2:RunInstances',
    '10:00',
    {
      tagSpecificationSet: {
        items: [
          {
            resourceType: 'instance',
            tags: [
              { key: 'Name', value: 'web-1' },
              { key: 'Team', value: 'shop' },
            ],
          },
        ],
      },
    },
    { instancesSet: { items: [{ instanceId: 'i-0abc1234def567890' }] } },
  );

  test('is found where the tag is Name, and not by another tag', async () => {
    await using open = await trailOf(launch);
    expect(await open.ids(`who-created web-1 ${DAY}`)).toEqual(idsOf(launch));
    expect(await open.ids(`who-created shop ${DAY}`)).toEqual([]);
  });
});

describe('A deletion of objects whose record names none', () => {
  const batch = (bucketName: string) =>
    writeAt('s3:DeleteObjects', '10:00', { bucketName, delete: '' }, null, { eventCategory: 'Data', managementEvent: false });

  test('is told for an object of its bucket', async () => {
    await using open = await trailOf(batch('reports'), batch('reports'), batch('drafts'));
    expect(await open.ids(`who-deleted s3://reports/a.txt ${DAY}`)).toEqual([]);
    expect(await sentenceOf(open, `who-deleted s3://reports/a.txt ${DAY}`)).toContain(
      'DeleteObjects was called 2 times on the bucket, and its records do not name objects.',
    );
  });
});

describe('What was deleted and came back', () => {
  const deleted = writeAt('ec2:DeleteSnapshot', '09:00', { snapshotId: 'snap-0abc1234def567890' });
  const restored = writeAt(
    'ec2:RestoreSnapshotFromRecycleBin',
    '10:00',
    { RestoreSnapshotFromRecycleBinRequest: { SnapshotId: 'snap-0abc1234def567890' } },
    null,
    {
      userIdentity: user('grace'),
    },
  );
  const stack = (name: string, clock: string, who: string) =>
    writeAt(`cloudformation:${name}`, clock, { stackName: 'net' }, null, { userIdentity: user(who) });

  test('is said to be restored', async () => {
    await using open = await trailOf(deleted, restored);
    expect(await sentenceOf(open, `who-deleted snap-0abc1234def567890 ${DAY}`)).toMatch(
      /was deleted by alice .* It was restored by grace 2026-05-01 10:00:00 UTC[.]/,
    );
    expect(await sentenceOf(open, `history snap-0abc1234def567890 ${DAY}`)).toContain(', and restored by grace 2026-05-01 10:00:00 UTC');
  });

  test('is told in the order in which it happened', async () => {
    await using open = await trailOf(stack('DeleteStack', '09:00', 'alice'), stack('CreateStack', '12:00', 'bob'));
    expect(await sentenceOf(open, `history net ${DAY}`)).toMatch(
      /^net was deleted by alice 2026-05-01 09:00:00 UTC, and created again by bob 2026-05-01 12:00:00 UTC[.]/,
    );
  });
});

describe('A request that CloudTrail left out', () => {
  const leftOut = { omitted: true, originalSize: 131072, reason: 'requestParameters too large' };

  test('is told where no other call answers, and is no answer', async () => {
    const gone = writeAt('cloudformation:DeleteStack', '10:00', leftOut);
    const read = record({ eventName: 'DescribeStacks', eventSource: 'cloudformation.amazonaws.com', requestParameters: leftOut });
    await using open = await trailOf(gone, read);
    expect(await open.ids(`who-deleted net ${DAY}`)).toEqual([]);
    expect(await sentenceOf(open, `who-deleted net ${DAY}`)).toContain(
      'CloudTrail left out the request of 1 call, because it was too large: that call may belong here or not.',
    );
    expect(await sentenceOf(open, `who-created net ${DAY}`)).not.toContain('left out');
  });

  test('is found by what the response names', async () => {
    const made = writeAt('cloudformation:CreateStack', '10:00', leftOut, {
      stackId: arn('cloudformation', 'stack/net/57ac0000-1111-2222-3333-444455550042'),
    });
    await using open = await trailOf(made);
    expect(await open.ids(`who-created net ${DAY}`)).toEqual(idsOf(made));
  });
});

describe('A deletion that takes effect later', () => {
  const KEY = '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001';
  const schedule = (clock: string) =>
    writeAt(
      'kms:ScheduleKeyDeletion',
      clock,
      { keyId: KEY, pendingWindowInDays: 7 },
      { keyId: arn('kms', `key/${KEY}`), deletionDate: 'May 8, 2026, 9:00:00 AM' },
    );
  const cancel = writeAt('kms:CancelKeyDeletion', '10:00', { keyId: KEY }, { keyId: arn('kms', `key/${KEY}`) }, { userIdentity: user('bob') });
  const ca = writeAt('acm-pca:DeleteCertificateAuthority', '09:00', {
    certificateAuthorityArn: arn('acm-pca', 'certificate-authority/11'),
    permanentDeletionTimeInDays: 14,
  });

  const statesIn = async (open: OpenTrail, name: string, now?: string) =>
    (await open.ask(`${name} ${DAY}`, now)).table?.rows.map(({ cells }) => [cells.due, cells.state]);

  test.each([
    [
      'scheduled',
      [schedule('09:00')],
      '2026-05-02T00:00:00Z',
      'is not deleted yet, but due for deletion 2026-05-08 09:00:00 UTC: alice scheduled that',
      'scheduled for 2026-05-08',
    ],
    [
      'due',
      [schedule('09:00')],
      '2026-06-01T00:00:00Z',
      'was due for deletion 2026-05-08 09:00:00 UTC, and no call from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC cancelled it',
      'due 2026-05-08, now past',
    ],
    ['cancelled', [schedule('09:00'), cancel], '2026-06-01T00:00:00Z', 'was not deleted: bob cancelled the deletion', 'cancelled by bob'],
    ['scheduled again', [schedule('09:00'), cancel, schedule('11:00')], '2026-05-02T00:00:00Z', 'is not deleted yet', 'scheduled for 2026-05-08'],
  ])('is %s, the same in every question', async (_, events, now, words, state) => {
    await using open = await trailOf(...events);
    expect(await sentenceOf(open, `who-deleted ${KEY} ${DAY}`, now)).toContain(words);
    expect((await statesIn(open, 'deleted', now))?.[0]).toEqual(['2026-05-08T09:00:00Z', state]);
    expect((await statesIn(open, 'destructive', now))?.[0]).toEqual(['2026-05-08T09:00:00Z', state]);
  });

  test('without a date in the response counts the days that the request names', async () => {
    await using open = await trailOf(ca);
    expect(await statesIn(open, 'deleted')).toEqual([['2026-05-15T09:00:00Z', 'scheduled for 2026-05-15']]);
  });

  test('is at once when the request forces it', async () => {
    const forced = writeAt('secretsmanager:DeleteSecret', '09:00', { secretId: 'prod/api', forceDeleteWithoutRecovery: true }, { name: 'prod/api' });
    await using open = await trailOf(forced);
    expect(await sentenceOf(open, `who-deleted prod/api ${DAY}`)).toMatch(/^prod\/api was deleted by alice /);
    expect(await statesIn(open, 'deleted')).toEqual([[null, null]]);
  });

  test('is not counted as a deletion when only its cancellation is in the time', async () => {
    await using open = await trailOf(cancel);
    expect(await sentenceOf(open, `who-deleted ${KEY} ${DAY}`)).toContain('was not deleted: bob cancelled its deletion');
    expect(await statesIn(open, 'deleted')).toEqual([]);
  });
});

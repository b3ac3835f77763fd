/** Who created, changed and deleted a resource, its history, and who made a call: for each trap a match and a similar event that must not match. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { ACCOUNT, type Fields, type OpenTrail, record, session, trailForAll, trailOf, user, writeAt } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const templates = new URL('../templates/', import.meta.url);
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const sentenceOf = async (open: OpenTrail, line: string): Promise<string> => toText(await open.ask(line), templates);

describe('who-created', () => {
  const SG = 'sg-0abc1234def567890';
  const VOLUME = 'vol-0abc1234def567890';

  test('finds the call whose response has the id, and not one that only uses it', async () => {
    const made = writeAt('ec2:CreateSecurityGroup', '08:00', { groupName: 'web', vpcId: 'vpc-0abc1234def567890' }, { groupId: SG });
    const interfaceMade = writeAt(
      'ec2:CreateNetworkInterface',
      '09:00',
      { groupSet: { items: [{ groupId: SG }] } },
      { networkInterface: { groupSet: { items: [{ groupId: SG }] } } },
    );
    const other = writeAt('ec2:CreateSecurityGroup', '10:00', { groupName: 'db' }, { groupId: `${SG.slice(0, -1)}1` });
    await using open = await trailOf(made, interfaceMade, other);
    expect(await open.ids(`who-created ${SG} ${DAY}`)).toEqual(idsOf(made));
    expect(await sentenceOf(open, `who-created arn:aws:ec2:eu-central-1:${ACCOUNT}:security-group/${SG} ${DAY}`)).toMatch(
      /^The security group sg-0abc1234def567890 was created by alice .*with CreateSecurityGroup in account 111122223333[.]$/,
    );
  });

  test('tells a volume from a snapshot of it, and finds it in the launch that created it too', async () => {
    const snapshot = writeAt('ec2:CreateSnapshot', '11:00', { volumeId: VOLUME }, { volumeId: VOLUME, snapshotId: 'snap-0abc1234def567890' });
    const made = writeAt('ec2:CreateVolume', '08:00', { size: '10' }, { volumeId: VOLUME });
    await using open = await trailOf(snapshot, made);
    expect(await open.ids(`who-created ${VOLUME} ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created snap-0abc1234def567890 ${DAY}`)).toEqual(idsOf(snapshot));
  });

  test('finds a resource by its name, but not the parts that are created for it later', async () => {
    const made = writeAt('iam:CreateUser', '08:00', { userName: 'carol' });
    const parts = [
      writeAt('iam:CreateLoginProfile', '09:00', { userName: 'carol' }),
      writeAt('iam:CreateAccessKey', '09:01', { userName: 'carol' }, { accessKey: { userName: 'carol', accessKeyId: 'AKIAEXAMPLEEXAMPLE01' } }),
    ];
    const longer = writeAt('iam:CreateUser', '10:00', { userName: 'carol-admin' });
    const [key] = [parts[1] as Fields];
    await using open = await trailOf(made, ...parts, longer);
    expect(await open.ids(`who-created carol ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created arn:aws:iam::${ACCOUNT}:user/team/carol ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created AKIAEXAMPLEEXAMPLE01 ${DAY}`)).toEqual(idsOf(key));
    expect(await open.ids(`who-changed carol ${DAY}`)).toEqual(idsOf(...parts));
  });

  test('tells an attempt from a creation', async () => {
    const failed = writeAt('s3:CreateBucket', '09:00', { bucketName: 'example-logs' }, null, { errorCode: 'BucketAlreadyExists' });
    await using open = await trailOf(failed);
    expect(await sentenceOf(open, `who-created example-logs ${DAY}`)).toBe(
      'Nobody created example-logs from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC: every attempt failed.',
    );
    expect(await open.cells(`who-created "s3://example-logs/" ${DAY}`)).toMatchObject([{ effect: 'attempt: BucketAlreadyExists' }]);
  });

  test('shows the newest of several creations under one name', async () => {
    const [first, second] = ['08:00', '12:00'].map((clock) => writeAt('s3:CreateBucket', clock, { bucketName: 'example-logs' }));
    await using open = await trailOf(first as Fields, second as Fields);
    expect((await open.ask(`who-created example-logs ${DAY}`)).data).toMatchObject({ creation: { eventid: second?.eventID } });
  });

  test('shows who first set a resource that a Put call creates', async () => {
    const put = (clock: string, who: string) =>
      writeAt('ssm:PutParameter', clock, { name: '/web/flags' }, { version: 1 }, { userIdentity: user(who) });
    await using open = await trailOf(put('08:00', 'alice'), put('12:00', 'bob'));
    expect(await sentenceOf(open, `who-created /web/flags ${DAY}`)).toMatch(/^\/web\/flags was first set by alice /);
  });

  test.each([
    [
      'a stack',
      { tags: [{ key: 'aws:cloudformation:stack-name', value: 'web' }] },
      'cloudformation:CreateStack',
      { stackName: 'web' },
      null,
      'CloudFormation stack',
      'web',
    ],
    [
      'a map of tags',
      { tags: { 'aws:cloudformation:stack-name': 'web' } },
      'cloudformation:CreateStack',
      { stackName: 'web' },
      null,
      'CloudFormation stack',
      'web',
    ],
    [
      'a cluster',
      { tagSpecificationSet: { items: [{ tags: [{ key: 'kubernetes.io/cluster/shop', value: 'owned' }] }] } },
      'eks:CreateCluster',
      { name: 'shop' },
      null,
      'EKS cluster',
      'shop',
    ],
    [
      'a StackSet',
      { tags: [{ key: 'aws:cloudformation:stack-name', value: 'StackSet-baseline-0e7e4a1c-ee11-4c0d-9abc-e7e41a100001' }] },
      'cloudformation:CreateStackInstances',
      { stackSetName: 'baseline' },
      null,
      'StackSet',
      'baseline',
    ],
  ])('follows a service’s call back through %s', async (_, tagged, api, asked, answered, what, name) => {
    const maker = writeAt(api, '08:00', asked, answered, { userIdentity: user('grace') });
    const made = writeAt(
      'ec2:CreateSecurityGroup',
      '09:00',
      { groupName: 'x', ...tagged },
      { groupId: SG },
      {
        userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' },
      },
    );
    await using open = await trailOf(maker, made, writeAt(api, '08:30', { stackName: 'webber', name: 'shopper' }));
    expect((await open.ask(`who-created ${SG} ${DAY}`)).data).toMatchObject({
      origin: { what, name, by: { eventid: maker.eventID, actor: 'grace' } },
    });
  });

  test('follows an automation session back to the person who started it', async () => {
    const id = '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001';
    const start = writeAt(
      'ssm:StartAutomationExecution',
      '08:00',
      { documentName: 'x' },
      { automationExecutionId: id },
      { userIdentity: user('grace') },
    );
    const made = writeAt(
      'ec2:CreateSecurityGroup',
      '09:00',
      { groupName: 'x' },
      { groupId: SG },
      { userIdentity: session('automation', `Automation-${id}`) },
    );
    await using open = await trailOf(start, made);
    expect(await sentenceOf(open, `who-created ${SG} ${DAY}`)).toContain(
      'on behalf of grace, who called StartAutomationExecution for the SSM automation',
    );
  });
});

describe('who-changed', () => {
  test('finds changes of a resource, but not calls that only mention it', async () => {
    const put = writeAt('iam:PutRolePolicy', '08:00', { roleName: 'orders', policyName: 'x' });
    const trust = writeAt('iam:UpdateAssumeRolePolicy', '09:00', { roleName: 'orders' }, null, { userIdentity: user('bob') });
    const mention = writeAt('lambda:UpdateFunctionConfiguration20150331v2', '10:00', {
      functionName: 'api',
      role: `arn:aws:iam::${ACCOUNT}:role/orders`,
    });
    const read = record({ eventName: 'GetRole', requestParameters: { roleName: 'orders' } });
    const refused = writeAt('iam:AttachRolePolicy', '11:00', null, null, {
      errorCode: 'AccessDenied',
      errorMessage: `User: arn:aws:iam::${ACCOUNT}:user/mallory is not authorized to perform: iam:AttachRolePolicy on resource: role orders`,
    });
    const refusedToo = writeAt('iam:PutRolePolicy', '11:30', null, null, {
      errorCode: 'AccessDenied',
      errorMessage: `User: x is not authorized to perform: iam:PutRolePolicy on resource: arn:aws:iam::${ACCOUNT}:role/orders because no identity-based policy allows it`,
    });
    await using open = await trailOf(put, trust, mention, read, refused, refusedToo);
    expect(await open.ids(`who-changed orders ${DAY}`)).toEqual(idsOf(put, trust, refused, refusedToo));
    expect(await sentenceOf(open, `who-changed orders ${DAY}`)).toMatch(
      /^orders was changed 2 times by 2 actors, last by bob with UpdateAssumeRolePolicy /,
    );
    expect((await open.ask(`who-changed orders ${DAY}`)).data).toMatchObject({ tries: 2 });
  });

  test('counts all changes, whatever `top:` says, and says so when there are more than it reads', async () => {
    const changes = (count: number): Fields[] =>
      Array.from({ length: count }, (_, n) => writeAt('iam:PutRolePolicy', `${10 + (n % 10)}:00`, { roleName: 'orders', policyName: `p${n}` }));
    await using few = await trailOf(...changes(5));
    const answer = await few.ask(`who-changed orders top:2 ${DAY}`);
    expect(answer.data).toMatchObject({ changes: 5, more: false });
    expect(answer.table).toMatchObject({ more: true, rows: [{}, {}] });
    await using many = await trailOf(...changes(1200));
    expect(await sentenceOf(many, `who-changed orders ${DAY}`)).toMatch(/^orders was changed more than 1,000 times, last by alice /);
  });

  test('leaves out routine calls, counts them, and shows them with `all`', async () => {
    const policy = writeAt('s3:PutBucketPolicy', '08:00', { bucketName: 'invoices' });
    const objects = [1, 2, 3].map((n) =>
      writeAt('s3:PutObject', `09:0${n}`, { bucketName: 'invoices', key: `${n}` }, null, { eventCategory: 'Data', managementEvent: false }),
    );
    const grant = writeAt('kms:CreateGrant', '10:00', { keyId: 'invoices' });
    await using open = await trailOf(policy, ...objects, grant);
    const line = `who-changed invoices ${DAY}`;
    expect(await open.ids(line)).toEqual(idsOf(policy, grant));
    expect(await sentenceOf(open, line)).toMatch(/^invoices was changed 2 times.* 3 routine calls are left out\.$/);
    const all = (await open.ask(line)).next?.find(({ label }) => label === 'Show routine calls too')?.line;
    expect(all).toBe(`who-changed invoices all ${DAY}`);
    expect(await open.ids(all ?? '')).toEqual(idsOf(policy, grant, ...objects));
    expect((await open.ask(all ?? '')).next).toContainEqual({ label: 'Without routine calls', line });
    expect(await open.ids(`history invoices ${DAY}`)).toEqual(idsOf(policy, grant));
    expect(await sentenceOf(open, `history invoices ${DAY}`)).toContain(' 3 routine calls are left out.');
    expect(await sentenceOf(open, `history invoices all ${DAY}`)).not.toContain('left out');
  });

  test('tells resources of the same name apart by account', async () => {
    const ours = writeAt('iam:PutRolePolicy', '08:00', { roleName: 'orders', policyName: 'x' });
    const theirs = writeAt('iam:PutRolePolicy', '09:00', { roleName: 'orders', policyName: 'x' }, null, { recipientAccountId: '444455556666' });
    await using open = await trailOf(ours, theirs);
    for (const name of ['who-changed', 'history']) {
      expect(await open.ids(`${name} orders ${DAY}`)).toEqual(idsOf(ours, theirs));
      expect(await open.ids(`${name} orders account:${ACCOUNT} ${DAY}`)).toEqual(idsOf(ours));
    }
    const { next = [] } = await open.ask(`who-deleted orders account:${ACCOUNT} 1h`);
    expect(next.find(({ label }) => label.startsWith('The same, '))?.line).toMatch(/^who-deleted orders account:111122223333 \d+[hd]$/);
  });

  describe('of an ARN with an account', () => {
    const OTHER = '444455556666';
    const there = { recipientAccountId: OTHER };
    const arn = (account: string) => `arn:aws:iam::${account}:role/orders`;
    const policy = (more: Fields = {}, document: unknown = {}) =>
      writeAt('iam:PutRolePolicy', '08:00', { roleName: 'orders', policyDocument: JSON.stringify(document) }, null, more);

    test('is about the resource in that account, not about one of the same name', async () => {
      const [ours, theirs] = [policy(), policy(there)];
      await using open = await trailOf(ours, theirs);
      for (const name of ['who-changed', 'history', 'who PutRolePolicy', 'resource']) {
        for (const [account, event] of [
          [ACCOUNT, ours],
          [OTHER, theirs],
        ] as const) {
          const { table } = await open.ask(`${name} ${arn(account)} ${DAY}`);
          const found =
            table?.rows[0]?.cells.eventid === undefined
              ? await open.ids(table?.rows[0]?.next?.line ?? '')
              : await open.ids(`${name} ${arn(account)} ${DAY}`);
          expect(found).toEqual(idsOf(event));
        }
      }
    });

    test('finds it in the log of the calling account, by ARN or by account id', async () => {
      const lambda = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:api`;
      const byArn = writeAt('lambda:UpdateFunctionCode20150331v2', '09:00', { functionName: lambda }, null, there);
      const shorter = writeAt('lambda:TagResource20170331v2', '09:01', { resource: `${ACCOUNT}:function:api` }, null, there);
      const theirs = writeAt('lambda:UpdateFunctionCode20150331v2', '09:02', { functionName: 'api' }, null, there);
      const called = writeAt('lambda:UpdateFunctionCode20150331v2', '09:03', { functionName: lambda.replace(ACCOUNT, OTHER) });
      const refused = writeAt('lambda:DeleteFunctionConcurrency', '09:04', null, null, {
        ...there,
        errorCode: 'AccessDenied',
        errorMessage: `User: x is not authorized to perform: lambda:DeleteFunctionConcurrency on resource: ${lambda} because of that`,
      });
      const registry = writeAt('ecr:PutImageTagMutability', '09:05', { registryId: ACCOUNT, repositoryName: 'api' }, null, there);
      await using open = await trailOf(byArn, shorter, theirs, called, refused, registry);
      const found = await open.ids(`history ${lambda} ${DAY}`);
      expect(found).toEqual(idsOf(byArn, shorter, refused, registry));
      expect(await open.ids(`history ${lambda.replace(ACCOUNT, OTHER)} ${DAY}`)).toEqual(idsOf(theirs, called));
    });

    test('does not take a policy that mentions another resource of the same name for a change of it', async () => {
      const trust = { Statement: [{ Effect: 'Allow', Principal: { AWS: arn(OTHER) }, Action: 'sts:AssumeRole' }] };
      const ours = policy({}, trust);
      await using open = await trailOf(ours);
      expect(await open.ids(`who-changed ${arn(ACCOUNT)} ${DAY}`)).toEqual(idsOf(ours));
      expect(await open.ids(`who-changed ${arn(OTHER)} ${DAY}`)).toEqual([]);
    });

    test('needs no account for a bucket or an id, which are unique', async () => {
      const bucket = writeAt('s3:PutBucketPolicy', '08:00', { bucketName: 'invoices' }, null, there);
      const shared = writeAt('ec2:ModifySubnetAttribute', '08:00', { subnetId: 'subnet-0abc1234def567890' }, null, there);
      await using open = await trailOf(bucket, shared);
      expect(await open.ids(`who-changed arn:aws:s3:::invoices ${DAY}`)).toEqual(idsOf(bucket));
      expect(await open.ids(`who-changed arn:aws:ec2:eu-central-1:${ACCOUNT}:subnet/subnet-0abc1234def567890 ${DAY}`)).toEqual(idsOf(shared));
    });
  });

  test('says when several accounts use the name, and offers each of them', async () => {
    const calls = (more: Fields = {}) => [
      writeAt('iam:CreateRole', '07:00', { roleName: 'orders' }, null, more),
      writeAt('iam:PutRolePolicy', '08:00', { roleName: 'orders' }, null, more),
      writeAt('iam:DeleteRole', '09:00', { roleName: 'orders' }, null, more),
    ];
    const elsewhere = calls({ recipientAccountId: '444455556666' });
    await using open = await trailOf(...calls(), ...elsewhere);
    for (const [line, words] of [
      ['who-changed orders', 'orders was changed 2 times in 2 accounts, last by alice'],
      ['history orders', 'orders (in 2 accounts) was created by alice'],
      ['who PutRolePolicy orders', '1 actor called PutRolePolicy on orders (in 2 accounts), 2 times'],
      ['who-created orders', ' (and one of this name in 1 other account).'],
      ['who-deleted orders', ' (and one of this name in 1 other account).'],
    ] as const) {
      expect(await sentenceOf(open, `${line} ${DAY}`)).toContain(words);
      const { next = [] } = await open.ask(`${line} ${DAY}`);
      expect(next.slice(0, 2)).toEqual(
        [ACCOUNT, '444455556666'].map((account) => ({ label: `Only in ${account}`, line: `${line} account:${account} ${DAY}` })),
      );
      expect(await sentenceOf(open, next[1]?.line ?? '')).not.toMatch(/2 accounts|other account/);
    }
  });

  test('finds an id in the request, whatever the target is', async () => {
    const attach = writeAt('ec2:AttachVolume', '08:00', { volumeId: 'vol-0abc1234def567890', instanceId: 'i-0abc1234def567890' });
    const other = writeAt('ec2:AttachVolume', '09:00', { volumeId: 'vol-0abc1234def567891', instanceId: 'i-0abc1234def567890' });
    await using open = await trailOf(attach, other);
    expect(await open.ids(`who-changed vol-0abc1234def567890 ${DAY}`)).toEqual(idsOf(attach));
    expect(await open.ids(`who-changed i-0abc1234def567890 ${DAY}`)).toEqual(idsOf(attach, other));
  });
});

describe('who-deleted', () => {
  test('tells a deletion from attempts, from scheduled deletions and from the deletion of a part', async () => {
    const gone = writeAt('iam:DeleteRole', '12:00', { roleName: 'orders' });
    const tried = writeAt('iam:DeleteRole', '11:00', { roleName: 'orders' }, null, { errorCode: 'DeleteConflictException' });
    const part = writeAt('iam:DeleteRolePolicy', '11:30', { roleName: 'orders', policyName: 'x' });
    const planned = writeAt('kms:ScheduleKeyDeletion', '09:00', { keyId: '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001' });
    await using open = await trailOf(gone, tried, part, planned);
    expect(await open.ids(`who-deleted orders ${DAY}`)).toEqual(idsOf(gone, tried));
    expect(await sentenceOf(open, `who-deleted orders ${DAY}`)).toMatch(/^orders was deleted by alice /);
    expect(await sentenceOf(open, `who-deleted 0e7e4a1c-ee11-4c0d-9abc-e7e41a100001 ${DAY}`)).toMatch(
      / is not deleted yet, but due for deletion 2026-05-31 09:00:00 UTC: alice scheduled that /,
    );
  });

  test('says that a resource without a deletion may still exist', async () => {
    await using open = await trailOf(record());
    expect(await sentenceOf(open, `who-deleted orders ${DAY}`)).toContain('It may still exist');
    const { next = [] } = await open.ask('who-deleted orders 1h');
    expect(next.find(({ label }) => label.startsWith('The same, '))?.line).toMatch(/^who-deleted orders \d+[hd]$/);
  });
});

describe('history', () => {
  test('lists creation, changes, uses and deletion, newest first, with failed attempts', async () => {
    const id = 'i-0abc1234def567890';
    const set = { instancesSet: { items: [{ instanceId: id }] } };
    const life = [
      writeAt('ec2:RunInstances', '08:00', {}, set),
      writeAt('ec2:CreateTags', '08:01', { resourcesSet: { items: [{ resourceId: id }] } }),
      writeAt('ec2:StopInstances', '09:00', set, null, { errorCode: 'Client.UnauthorizedOperation' }),
      writeAt('ec2:CreateImage', '10:00', { instanceId: id }, { imageId: 'ami-0abc1234def567890' }),
      writeAt('ec2:TerminateInstances', '11:00', set),
    ];
    await using open = await trailOf(
      ...life,
      record({ requestParameters: set }),
      writeAt('ec2:StopInstances', '09:30', { instancesSet: { items: [{ instanceId: 'i-0abc1234def567891' }] } }),
    );
    expect((await open.cells(`history ${id} ${DAY}`)).map(({ eventname, effect }) => [eventname, effect])).toEqual([
      ['TerminateInstances', 'deleted it'],
      ['CreateImage', 'used it for something else'],
      ['StopInstances', 'attempt: Client.UnauthorizedOperation'],
      ['CreateTags', 'tagged it'],
      ['RunInstances', 'created it'],
    ]);
    expect(await sentenceOf(open, `history ${id} ${DAY}`)).toMatch(
      /^The EC2 instance .* was created by alice .*, was changed 1 time and was deleted by alice /,
    );
  });
});

describe('A name', () => {
  test('does not match the end of a longer name, nor an id the beginning of one', async () => {
    const ours = writeAt('lambda:UpdateFunctionCode20150331v2', '08:00', { functionName: 'api' });
    const byArn = writeAt('lambda:TagResource20170331v2', '08:30', { resource: `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:api` });
    const longer = writeAt('lambda:UpdateFunctionCode20150331v2', '09:00', { functionName: 'other-api' });
    const pattern = writeAt('lambda:UpdateFunctionCode20150331v2', '09:00', { functionName: 'a_i' });
    const old = writeAt('ec2:DeleteVolume', '10:00', { volumeId: 'vol-1a2b3c4d' });
    const young = writeAt('ec2:DeleteVolume', '10:00', { volumeId: 'vol-1a2b3c4d5e6f70819' });
    await using open = await trailOf(ours, byArn, longer, pattern, old, young);
    expect(await open.ids(`history arn:aws:lambda:eu-central-1:${ACCOUNT}:function:api ${DAY}`)).toEqual(idsOf(ours, byArn));
    expect(await open.ids(`history a_i ${DAY}`)).toEqual(idsOf(pattern));
    expect(await open.ids(`who-deleted vol-1a2b3c4d ${DAY}`)).toEqual(idsOf(old));
  });
});

describe('Wherever a record names a resource', () => {
  const named = (name: string): Readonly<Record<string, Fields>> => {
    const arn = `arn:aws:ec2:eu-central-1:${ACCOUNT}:volume/${name}`;
    const policy = { Statement: [{ Effect: 'Allow', Action: '*', Resource: [arn, '*'] }, { NotResource: arn }] };
    return {
      'the request': writeAt('ec2:ModifyVolume', '08:00', { volumeId: name, size: '20' }),
      'a list of lists in it': writeAt('dlm:CreateThing', '08:00', { items: [{ inner: [['other', name]] }, 'last'] }),
      'a tag': writeAt('ec2:CreateTags', '08:00', { resourcesSet: { items: [] }, tagSet: { items: [{ key: 'from', value: name }] } }),
      'the response': writeAt('ec2:CreateFleet', '08:00', null, { made: { list: [{ id: name }] } }),
      'an ARN in the response': writeAt('dlm:StartThing', '08:00', null, { arn }),
      'the resources': writeAt('dlm:StopThing', '08:00', null, null, {
        resources: [
          { ARN: 'arn:aws:s3:::example-logs', type: 'AWS::S3::Bucket' },
          { ARN: arn, type: 'AWS::EC2::Volume' },
        ],
      }),
      'an ARN in a policy': writeAt('iam:PutRolePolicy', '08:00', { roleName: 'api', policyDocument: JSON.stringify(policy) }),
      'an ARN in a policy of many lines': writeAt('iam:PutRolePolicy', '08:00', { policyDocument: JSON.stringify(policy, null, 2) }),
      'a name in a document': writeAt('ssm:PutParameter', '08:00', { value: JSON.stringify({ [name]: 1, other: [name] }) }),
      'a message of refusal': writeAt('ec2:DeleteVolume', '08:00', null, null, {
        errorCode: 'AccessDenied',
        errorMessage: `User: arn:aws:iam::${ACCOUNT}:user/alice is not authorized to perform: ec2:DeleteVolume on resource: ${arn} because`,
      }),
    };
  };

  test.each([
    ['an id', 'vol-0abc1234def567890', ['vol-0abc1234def567891', 'vol-0abc1234def5678901']],
    ['an old id', 'vol-1a2b3c4d', ['vol-1a2b3c4d5e6f70819', 'vol-1a2b3c4e']],
    ['a name', 'orders_api', ['orders_api_2', 'my-orders_api', 'ordersXapi', 'orders%api', 'orders_ap']],
  ])('%s is found, but nothing that is only similar', async (_what, name, alike) => {
    const ours = named(name);
    await using open = await trailOf(...Object.values(ours), ...alike.flatMap((other) => Object.values(named(other))));
    const found = await open.cells(`history ${name} ${DAY}`);
    const places = Object.entries(ours).filter(([, { eventID }]) => found.some(({ eventid }) => eventid === eventID));
    expect(places.map(([place]) => place)).toEqual(Object.keys(ours));
    expect(found).toHaveLength(places.length);
  });
});

describe('who', () => {
  test('counts the callers of an event, on one resource or on any, in any case', async () => {
    const put = (role: string, who: string, more: Fields = {}) =>
      writeAt('iam:PutRolePolicy', '08:00', { roleName: role }, null, { userIdentity: user(who), ...more });
    await using open = await trailOf(
      put('a', 'alice'),
      put('a', 'bob', { errorCode: 'AccessDenied' }),
      put('b', 'bob'),
      writeAt('iam:PutUserPolicy', '08:00', { userName: 'a' }),
    );
    expect(await open.cells(`who putrolepolicy a ${DAY}`)).toMatchObject([
      { actor: 'alice', calls: 1, failed: 0 },
      { actor: 'bob', calls: 1, failed: 1 },
    ]);
    expect(await sentenceOf(open, `who PutRolePolicy ${DAY}`)).toMatch(/^2 actors called PutRolePolicy, 3 times, 1 of them failed: /);
    expect(await open.cells(`who Put* ${DAY}`)).toHaveLength(3);
    expect(await sentenceOf(open, `who PutRole_olicy ${DAY}`)).toMatch(
      /^Nobody called PutRole_olicy from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
  });

  test('leads from each row to only the calls that it counts', async () => {
    const put = (role: string, userIdentity: Fields) => writeAt('iam:PutRolePolicy', '08:00', { roleName: role }, null, { userIdentity });
    // A session that is named like a person.
    await using open = await trailOf(
      put('a', user('alice')),
      put('b', user('alice')),
      put('b-2', user('alice')),
      put('a', session('deploy', 'alice')),
    );
    for (const line of ['who PutRolePolicy a', 'who PutRolePolicy b', 'who PutRolePolicy', `who PutRolePolicy arn:aws:iam::${ACCOUNT}:role/a`]) {
      const rows = (await open.ask(`${line} ${DAY}`)).table?.rows ?? [];
      expect(rows.length).toBeGreaterThan(0);
      for (const { cells, next } of rows) expect(await open.ids(next?.line ?? '')).toHaveLength(Number(cells.calls));
    }
  });
});

describe('An empty answer', () => {
  const open = trailForAll(
    writeAt('iam:PutRolePolicy', '08:00', { roleName: 'orders-api-role' }),
    record({ eventName: 'GetRole', requestParameters: { roleName: 'audit' } }),
    writeAt('ec2:ModifyVolume', '09:00', { volumeId: 'vol-0abc1234def567891' }),
  );

  test.each([
    ['who PutRolePolcy', 'who PutRolePolicy'],
    ['who PutRolePolcy orders-api-role', 'who PutRolePolicy orders-api-role'],
    ['who putrolepolicy orders-ap-role', 'who putrolepolicy orders-api-role'],
    ['who-changed orders-ap-role', 'who-changed orders-api-role'],
    ['who-created orders-ap-role', 'who-created orders-api-role'],
    ['who-deleted orders-ap-role', 'who-deleted orders-api-role'],
    ['history orders-ap-role account:111122223333', 'history orders-api-role account:111122223333'],
    ['resource orders-ap-role', 'resource orders-api-role'],
  ])('to %s first offers %s', async (line, meant) => {
    const { next } = await open().ask(`${line} ${DAY}`);
    expect(next?.[0]?.line).toBe(`${meant} ${DAY}`);
    expect(next?.[0]?.label).toMatch(/^Did you mean \S+\?$/);
  });

  test.each([
    ['a name that there is', 'who-deleted orders-api-role'],
    ['a call that there is', 'who PutRolePolicy user:bob'],
    ['an id, which another would only look like', 'who-changed vol-0abc1234def567890'],
    ['a name like no other', 'who-changed zzz'],
    ['any call that begins so', 'who PutX*'],
  ])('to %s offers no other name', async (_, line) => {
    const { next = [] } = await open().ask(`${line} ${DAY}`);
    expect(next.filter(({ label }) => label.startsWith('Did you mean'))).toEqual([]);
  });
});

describe('a part, and what it belongs to', () => {
  const FUNCTION = `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:parser`;
  const TABLE = `arn:aws:dynamodb:eu-central-1:${ACCOUNT}:table/carts`;
  const open = trailForAll(
    writeAt('lambda:CreateFunction20150331', '08:00', { functionName: 'parser' }, { functionArn: FUNCTION }),
    writeAt('lambda:CreateAlias20150331', '08:10', { functionName: 'parser', name: 'live' }, { aliasArn: `${FUNCTION}:live`, name: 'live' }),
    writeAt('lambda:DeleteFunction20150331', '08:20', { functionName: 'parser', qualifier: '3' }),
    writeAt('lambda:DeleteFunction20150331', '08:25', { functionName: `${FUNCTION}:4` }),
    writeAt(
      'lambda:PublishLayerVersion20181031',
      '08:30',
      { layerName: 'fonts' },
      { layerVersionArn: `${FUNCTION.replace('function:parser', 'layer:fonts')}:1` },
    ),
    writeAt(
      'dynamodb:CreateBackup',
      '09:00',
      { tableName: 'carts', backupName: 'nightly' },
      { backupDetails: { backupArn: `${TABLE}/backup/0148-b3` } },
    ),
    writeAt('dynamodb:DeleteBackup', '09:10', { backupArn: `${TABLE}/backup/0148-b3` }),
    writeAt('sns:Unsubscribe', '09:20', { subscriptionArn: `arn:aws:sns:eu-central-1:${ACCOUNT}:alarms:0e7e4a1c-ee11-4c0d-9abc-e7e41a100001` }),
    writeAt(
      'redshift:RestoreFromClusterSnapshot',
      '10:00',
      { clusterIdentifier: 'sales', snapshotIdentifier: 'sales-before' },
      { clusterIdentifier: 'sales' },
    ),
    writeAt(
      'rds:DeleteDBInstance',
      '10:10',
      { dBInstanceIdentifier: 'users', finalDBSnapshotIdentifier: 'users-last' },
      { dBInstanceIdentifier: 'users' },
    ),
    writeAt('events:PutTargets', '10:20', { rule: 'hourly', targets: [{ id: '1', arn: FUNCTION }] }),
    writeAt('elasticmapreduce:TerminateJobFlows', '10:30', { jobFlowIds: ['j-ABCDEFGHIJKL'] }),
    writeAt('ecs:RegisterTaskDefinition', '10:40', { family: 'web' }, { taskDefinition: { taskDefinitionArn: 'x' } }),
  );

  test.each([
    ['who-created parser', 'parser was created by alice 2026-05-01 08:00:00 UTC'],
    ['who-deleted parser', 'No deletion of parser'],
    ['who-created live', 'live was created by alice 2026-05-01 08:10:00 UTC'],
    ['who-created fonts', 'fonts was created'],
    ['who-created carts', 'No creation of carts'],
    ['who-deleted carts', 'No deletion of carts'],
    [`who-deleted ${TABLE}/backup/0148-b3`, 'The dynamodb backup 0148-b3 was deleted'],
    ['who-deleted alarms', 'No deletion of alarms'],
    ['who-created sales', 'sales was created'],
    ['who-created sales-before', 'No creation of sales-before'],
    ['who-created users-last', 'users-last was created by alice 2026-05-01 10:10:00 UTC'],
    ['who-deleted users-last', 'No deletion of users-last'],
    ['who-created hourly', 'No creation of hourly'],
    ['who-deleted j-ABCDEFGHIJKL', 'j-ABCDEFGHIJKL was deleted'],
    ['who-created web', 'web was created'],
  ])('%s: %s', async (line, begin) => {
    expect((await sentenceOf(open(), `${line} ${DAY}`)).slice(0, begin.length)).toBe(begin);
  });
});

describe('calls that make or delete by another word', () => {
  const records = (...changes: readonly [action: string, name: string][]) => ({
    hostedZoneId: 'Z0123456789ABCDEFGHI',
    changeBatch: { changes: changes.map(([action, name]) => ({ action, resourceRecordSet: { name, type: 'A' } })) },
  });
  const SNAPSHOT = 'snap-0abc1234def567891';
  const open = trailForAll(
    writeAt('route53:ChangeResourceRecordSets', '08:00', records(['CREATE', 'www.example.org.'], ['DELETE', 'old.example.org.'])),
    writeAt('route53:ChangeResourceRecordSets', '08:10', records(['UPSERT', 'api.example.org'])),
    writeAt(
      'ec2:AuthorizeSecurityGroupIngress',
      '09:00',
      { groupId: 'sg-0abc1234def567890' },
      { securityGroupRuleSet: { items: [{ securityGroupRuleId: 'sgr-0abc1234def567890' }] } },
    ),
    writeAt('ec2:RevokeSecurityGroupIngress', '09:10', {
      groupId: 'sg-0abc1234def567890',
      securityGroupRuleIds: { items: [{ securityGroupRuleId: 'sgr-0abc1234def567890' }] },
    }),
    writeAt('ec2:CancelCapacityReservation', '09:20', { CancelCapacityReservationRequest: { CapacityReservationId: 'cr-0abc1234def567890' } }),
    writeAt('secretsmanager:CancelRotateSecret', '09:30', { secretId: 'orders/key' }),
    writeAt('ec2:RestoreSnapshotFromRecycleBin', '09:40', { RestoreSnapshotFromRecycleBinRequest: { SnapshotId: SNAPSHOT } }),
    record({
      eventSource: 'organizations.amazonaws.com',
      eventName: 'CreateAccountResult',
      eventType: 'AwsServiceEvent',
      readOnly: false,
      userIdentity: { accountId: ACCOUNT, invokedBy: 'organizations.amazonaws.com' },
      serviceEventDetails: { createAccountStatus: { accountId: '444455556666', state: 'SUCCEEDED' } },
    }),
    writeAt('iam:DeleteRole', '10:00', null, null, {
      errorCode: 'AccessDenied',
      errorMessage: 'User: x is not authorized to perform: iam:DeleteRole on resource: role keeper because no identity-based policy allows it',
    }),
  );

  test.each([
    ['who-created www.example.org', 'www.example.org was created by alice 2026-05-01 08:00:00 UTC'],
    ['who-deleted www.example.org', 'No deletion of www.example.org'],
    ['who-deleted old.example.org', 'old.example.org was deleted'],
    ['who-created api.example.org', 'api.example.org was first set'],
    ['who-deleted Z0123456789ABCDEFGHI', 'No deletion of Z0123456789ABCDEFGHI'],
    ['who-created sgr-0abc1234def567890', 'The security group rule sgr-0abc1234def567890 was created'],
    ['who-deleted sgr-0abc1234def567890', 'The security group rule sgr-0abc1234def567890 was deleted'],
    ['who-created sg-0abc1234def567890', 'No creation of sg-0abc1234def567890'],
    ['who-deleted sg-0abc1234def567890', 'No deletion of sg-0abc1234def567890'],
    ['who-deleted cr-0abc1234def567890', 'cr-0abc1234def567890 was deleted'],
    ['who-deleted orders/key', 'No deletion of orders/key'],
    [`who-created ${SNAPSHOT}`, `No creation of ${SNAPSHOT}`],
    ['who-created 444455556666', 'The account 444455556666 was created by organizations.amazonaws.com'],
    ['who-deleted keeper', 'Nobody deleted keeper'],
  ])('%s: %s', async (line, begin) => {
    expect((await sentenceOf(open(), `${line} ${DAY}`)).slice(0, begin.length)).toBe(begin);
  });
});

describe('history of a key whose deletion is scheduled', () => {
  const KEY = '0e7e4a1c-ee11-4c0d-9abc-e7e41a100009';
  const request = { keyId: KEY, pendingWindowInDays: 7 };

  test('has the cancellation, and says when the key is due', async () => {
    const scheduled = writeAt('kms:ScheduleKeyDeletion', '08:00', request);
    const cancelled = writeAt('kms:CancelKeyDeletion', '09:00', { keyId: KEY });
    await using cancelledOnce = await trailOf(scheduled, cancelled);
    expect(await cancelledOnce.ids(`history ${KEY} ${DAY}`)).toEqual(idsOf(scheduled, cancelled));
    expect(await sentenceOf(cancelledOnce, `history ${KEY} ${DAY}`)).not.toMatch(/due/);
    await using scheduledAgain = await trailOf(scheduled, cancelled, writeAt('kms:ScheduleKeyDeletion', '10:00', request));
    expect(await sentenceOf(scheduledAgain, `history ${KEY} ${DAY}`)).toMatch(/ is due for deletion 2026-05-08 10:00:00 UTC: alice scheduled that /);
  });
});

test('says that a trail may have no events of objects, when it has no deletion of one', async () => {
  await using open = await trailOf(writeAt('s3:CreateBucket', '08:00', { bucketName: 'invoices' }));
  expect(await sentenceOf(open, `who-deleted s3://invoices/a.pdf ${DAY}`)).toMatch(/Calls on data, such as objects/);
  expect(await sentenceOf(open, `who-deleted s3://invoices ${DAY}`)).not.toMatch(/Calls on data/);
});

describe('what joins or belongs to things', () => {
  const ROLE = `arn:aws:iam::${ACCOUNT}:role/oncall`;
  const open = trailForAll(
    writeAt('eks:DeleteAccessEntry', '08:00', { name: 'prod', principalArn: ROLE }),
    writeAt('elasticfilesystem:DeleteReplicationConfiguration', '08:10', { sourceFileSystemId: 'fs-0abc1234def567890' }),
    writeAt('autoscaling:DeleteNotificationConfiguration', '08:20', {
      autoScalingGroupName: 'web',
      topicARN: `arn:aws:sns:eu-central-1:${ACCOUNT}:alarms`,
    }),
    writeAt('lambda:DeleteProvisionedConcurrencyConfig20190930', '08:30', { functionName: 'parser', qualifier: 'live' }),
    writeAt('lambda:DeleteLayerVersion20181031', '08:40', { layerName: 'fonts', versionNumber: 3 }),
    writeAt('elasticbeanstalk:DeleteApplicationVersion', '08:50', { applicationName: 'shop', versionLabel: 'shop-v1' }),
    writeAt('secretsmanager:PutSecretValue', '09:00', { secretId: 'orders/key' }, { name: 'orders/key', versionId: 'x' }),
    writeAt('sqs:DeleteMessage', '09:10', { queueUrl: `https://sqs.eu-central-1.amazonaws.com/${ACCOUNT}/jobs`, receiptHandle: 'AQEBsecret' }),
    writeAt('workmail:ResetPassword', '09:20', { organizationId: 'm-1', userId: 'u-1', password: 'hunter2' }),
  );

  test.each([
    ['who-deleted oncall', 'No deletion of oncall'],
    ['who-deleted prod', 'No deletion of prod'],
    ['who-changed prod', 'prod was changed 1 time'],
    ['who-deleted fs-0abc1234def567890', 'No deletion of fs-0abc1234def567890'],
    ['who-deleted alarms', 'No deletion of alarms'],
    ['who-deleted live', 'No deletion of live'],
    ['who-deleted fonts', 'No deletion of fonts'],
    ['who-deleted shop-v1', 'shop-v1 was deleted'],
    ['who-deleted shop', 'No deletion of shop'],
    ['who-created orders/key', 'No creation of orders/key'],
    ['who-changed orders/key', 'orders/key was changed 1 time'],
  ])('%s: %s', async (line, begin) => {
    expect((await sentenceOf(open(), `${line} ${DAY}`)).slice(0, begin.length)).toBe(begin);
  });

  test('is listed without secrets', async () => {
    const targets = (await open().cells(`events ${DAY}`)).map(({ target }) => target);
    expect(targets.filter((target) => /AQEB|hunter2/.test(String(target)))).toEqual([]);
  });
});

describe('A secret with the id of an instance as its name', () => {
  const SECRET = `arn:aws:secretsmanager:eu-central-1:${ACCOUNT}:secret:i-0abc1234def567890-AbCdEf`;

  test('is found by its ARN, and is not the instance', async () => {
    const changed = writeAt('secretsmanager:UpdateSecret', '08:00', { secretId: SECRET });
    const started = writeAt('ec2:StartInstances', '09:00', { instancesSet: { items: [{ instanceId: 'i-0abc1234def567890' }] } });
    await using open = await trailOf(changed, started);
    expect(await open.ids(`history ${SECRET} ${DAY}`)).toContain(changed.eventID);
    expect(await open.ids(`history i-0abc1234def567890 ${DAY}`)).toEqual(idsOf(started));
  });
});

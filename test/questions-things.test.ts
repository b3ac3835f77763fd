/** Who created, changed and deleted a thing, its life, and who made a call: a positive and a look-alike for each trap. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { ACCOUNT, type Fields, type OpenTrail, record, session, trailOf, user } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const templates = new URL('../templates/', import.meta.url);
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const said = async (open: OpenTrail, line: string): Promise<string> => toText(await open.ask(line), templates);

/** A write of a service at a time of day. */
const call = (api: string, clock: string, requestParameters: unknown, responseElements: unknown = null, more: Fields = {}): Fields => {
  const [service, eventName] = api.split(':');
  return record({
    eventSource: `${service}.amazonaws.com`,
    eventName,
    eventTime: `2026-05-01T${clock}:00Z`,
    readOnly: false,
    requestParameters,
    responseElements,
    ...more,
  });
};

describe('who-created', () => {
  const SG = 'sg-0abc1234def567890';
  const VOLUME = 'vol-0abc1234def567890';

  test('finds the call whose answer names the id, and not one that only uses it', async () => {
    const made = call('ec2:CreateSecurityGroup', '08:00', { groupName: 'web', vpcId: 'vpc-0abc1234def567890' }, { groupId: SG });
    const interfaceMade = call(
      'ec2:CreateNetworkInterface',
      '09:00',
      { groupSet: { items: [{ groupId: SG }] } },
      { networkInterface: { groupSet: { items: [{ groupId: SG }] } } },
    );
    const other = call('ec2:CreateSecurityGroup', '10:00', { groupName: 'db' }, { groupId: `${SG.slice(0, -1)}1` });
    await using open = await trailOf(made, interfaceMade, other);
    expect(await open.ids(`who-created ${SG} ${DAY}`)).toEqual(idsOf(made));
    expect(await said(open, `who-created arn:aws:ec2:eu-central-1:${ACCOUNT}:security-group/${SG} ${DAY}`)).toMatch(
      /^The security group sg-0abc1234def567890 was created by alice .*with CreateSecurityGroup in account 111122223333[.]$/,
    );
  });

  test('tells a volume from the snapshot that is made of it, and finds it in the launch that made it, too', async () => {
    const snapshot = call('ec2:CreateSnapshot', '11:00', { volumeId: VOLUME }, { volumeId: VOLUME, snapshotId: 'snap-0abc1234def567890' });
    const made = call('ec2:CreateVolume', '08:00', { size: '10' }, { volumeId: VOLUME });
    await using open = await trailOf(snapshot, made);
    expect(await open.ids(`who-created ${VOLUME} ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created snap-0abc1234def567890 ${DAY}`)).toEqual(idsOf(snapshot));
  });

  test('finds a thing by its name, and not the parts that are made for it later', async () => {
    const made = call('iam:CreateUser', '08:00', { userName: 'carol' });
    const parts = [
      call('iam:CreateLoginProfile', '09:00', { userName: 'carol' }),
      call('iam:CreateAccessKey', '09:01', { userName: 'carol' }, { accessKey: { userName: 'carol', accessKeyId: 'AKIAEXAMPLEEXAMPLE01' } }),
    ];
    const longer = call('iam:CreateUser', '10:00', { userName: 'carol-admin' });
    const [key] = [parts[1] as Fields];
    await using open = await trailOf(made, ...parts, longer);
    expect(await open.ids(`who-created carol ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created arn:aws:iam::${ACCOUNT}:user/team/carol ${DAY}`)).toEqual(idsOf(made));
    expect(await open.ids(`who-created AKIAEXAMPLEEXAMPLE01 ${DAY}`)).toEqual(idsOf(key));
    expect(await open.ids(`who-changed carol ${DAY}`)).toEqual(idsOf(...parts.slice(0, 1)));
  });

  test('tells an attempt from a deed', async () => {
    const failed = call('s3:CreateBucket', '09:00', { bucketName: 'example-logs' }, null, { errorCode: 'BucketAlreadyExists' });
    await using open = await trailOf(failed);
    expect(await said(open, `who-created example-logs ${DAY}`)).toBe('Nobody created example-logs in this time: every attempt failed.');
    expect(await open.cells(`who-created "s3://example-logs/key" ${DAY}`)).toMatchObject([{ effect: 'attempt: BucketAlreadyExists' }]);
  });

  test('tells the newest of several makings under one name', async () => {
    const [first, second] = ['08:00', '12:00'].map((clock) => call('s3:CreateBucket', clock, { bucketName: 'example-logs' }));
    await using open = await trailOf(first as Fields, second as Fields);
    expect((await open.ask(`who-created example-logs ${DAY}`)).data).toMatchObject({ making: { eventid: second?.eventID } });
  });

  test('tells who first set a thing that is made by setting it', async () => {
    const put = (clock: string, who: string) => call('ssm:PutParameter', clock, { name: '/web/flags' }, { version: 1 }, { userIdentity: user(who) });
    await using open = await trailOf(put('08:00', 'alice'), put('12:00', 'bob'));
    expect(await said(open, `who-created /web/flags ${DAY}`)).toMatch(/^\/web\/flags was first set by alice /);
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
  ])('follows what a service made back through %s', async (_, tagged, api, asked, answered, what, name) => {
    const maker = call(api, '08:00', asked, answered, { userIdentity: user('grace') });
    const made = call(
      'ec2:CreateSecurityGroup',
      '09:00',
      { groupName: 'x', ...tagged },
      { groupId: SG },
      {
        userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' },
      },
    );
    await using open = await trailOf(maker, made, call(api, '08:30', { stackName: 'webber', name: 'shopper' }));
    expect((await open.ask(`who-created ${SG} ${DAY}`)).data).toMatchObject({
      origin: { what, name, by: { eventid: maker.eventID, actor: 'grace' } },
    });
  });

  test('follows a session of an automation back to who started it', async () => {
    const id = '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001';
    const start = call(
      'ssm:StartAutomationExecution',
      '08:00',
      { documentName: 'x' },
      { automationExecutionId: id },
      { userIdentity: user('grace') },
    );
    const made = call(
      'ec2:CreateSecurityGroup',
      '09:00',
      { groupName: 'x' },
      { groupId: SG },
      { userIdentity: session('automation', `Automation-${id}`) },
    );
    await using open = await trailOf(start, made);
    expect(await said(open, `who-created ${SG} ${DAY}`)).toContain('on behalf of grace, who called StartAutomationExecution for the SSM automation');
  });
});

describe('who-changed', () => {
  test('finds changes of a thing, and not calls that only mention it', async () => {
    const put = call('iam:PutRolePolicy', '08:00', { roleName: 'orders', policyName: 'x' });
    const trust = call('iam:UpdateAssumeRolePolicy', '09:00', { roleName: 'orders' }, null, { userIdentity: user('bob') });
    const mention = call('lambda:UpdateFunctionConfiguration20150331v2', '10:00', {
      functionName: 'api',
      role: `arn:aws:iam::${ACCOUNT}:role/orders`,
    });
    const read = record({ eventName: 'GetRole', requestParameters: { roleName: 'orders' } });
    const refused = call('iam:AttachRolePolicy', '11:00', null, null, {
      errorCode: 'AccessDenied',
      errorMessage: `User: arn:aws:iam::${ACCOUNT}:user/mallory is not authorized to perform: iam:AttachRolePolicy on resource: role orders`,
    });
    const refusedToo = call('iam:PutRolePolicy', '11:30', null, null, {
      errorCode: 'AccessDenied',
      errorMessage: `User: x is not authorized to perform: iam:PutRolePolicy on resource: arn:aws:iam::${ACCOUNT}:role/orders because no identity-based policy allows it`,
    });
    await using open = await trailOf(put, trust, mention, read, refused, refusedToo);
    expect(await open.ids(`who-changed orders ${DAY}`)).toEqual(idsOf(put, trust, refusedToo));
    expect(await said(open, `who-changed orders ${DAY}`)).toMatch(
      /^orders was changed 2 times by 2 actors, last by bob with UpdateAssumeRolePolicy /,
    );
    expect((await open.ask(`who-changed orders ${DAY}`)).data).toMatchObject({ tries: 1 });
  });

  test('counts all changes, however few rows are asked for, and says so where there are more than it reads', async () => {
    const changes = (count: number): Fields[] =>
      Array.from({ length: count }, (_, n) => call('iam:PutRolePolicy', `${10 + (n % 10)}:00`, { roleName: 'orders', policyName: `p${n}` }));
    await using few = await trailOf(...changes(5));
    const answer = await few.ask(`who-changed orders top:2 ${DAY}`);
    expect(answer.data).toMatchObject({ changes: 5, more: false });
    expect(answer.table).toMatchObject({ more: true, rows: [{}, {}] });
    await using many = await trailOf(...changes(1200));
    expect(await said(many, `who-changed orders ${DAY}`)).toMatch(/^orders was changed more than 1,000 times, last by alice /);
  });

  test('finds an id in the request, whatever the target is called', async () => {
    const attach = call('ec2:AttachVolume', '08:00', { volumeId: 'vol-0abc1234def567890', instanceId: 'i-0abc1234def567890' });
    const other = call('ec2:AttachVolume', '09:00', { volumeId: 'vol-0abc1234def567891', instanceId: 'i-0abc1234def567890' });
    await using open = await trailOf(attach, other);
    expect(await open.ids(`who-changed vol-0abc1234def567890 ${DAY}`)).toEqual(idsOf(attach));
    expect(await open.ids(`who-changed i-0abc1234def567890 ${DAY}`)).toEqual(idsOf(attach, other));
  });
});

describe('who-deleted', () => {
  test('tells a deletion from attempts, from plans and from the deletion of a part', async () => {
    const gone = call('iam:DeleteRole', '12:00', { roleName: 'orders' });
    const tried = call('iam:DeleteRole', '11:00', { roleName: 'orders' }, null, { errorCode: 'DeleteConflictException' });
    const part = call('iam:DeleteRolePolicy', '11:30', { roleName: 'orders', policyName: 'x' });
    const planned = call('kms:ScheduleKeyDeletion', '09:00', { keyId: '0e7e4a1c-ee11-4c0d-9abc-e7e41a100001' });
    await using open = await trailOf(gone, tried, part, planned);
    expect(await open.ids(`who-deleted orders ${DAY}`)).toEqual(idsOf(gone, tried));
    expect(await said(open, `who-deleted orders ${DAY}`)).toMatch(/^orders was deleted by alice /);
    expect(await said(open, `who-deleted 0e7e4a1c-ee11-4c0d-9abc-e7e41a100001 ${DAY}`)).toMatch(/ was not deleted yet: alice planned it /);
  });

  test('says of a thing that nobody deleted that it may still be there', async () => {
    await using open = await trailOf(record());
    expect(await said(open, `who-deleted orders ${DAY}`)).toContain('It may still be there');
    expect((await open.ask(`who-deleted orders ${DAY}`)).next?.[0]?.line).toBe('who-deleted orders 30d');
  });
});

describe('history', () => {
  test('is a whole life, newest first, attempts said as such', async () => {
    const id = 'i-0abc1234def567890';
    const set = { instancesSet: { items: [{ instanceId: id }] } };
    const life = [
      call('ec2:RunInstances', '08:00', {}, set),
      call('ec2:CreateTags', '08:01', { resourcesSet: { items: [{ resourceId: id }] } }),
      call('ec2:StopInstances', '09:00', set, null, { errorCode: 'Client.UnauthorizedOperation' }),
      call('ec2:CreateImage', '10:00', { instanceId: id }, { imageId: 'ami-0abc1234def567890' }),
      call('ec2:TerminateInstances', '11:00', set),
    ];
    await using open = await trailOf(
      ...life,
      record({ requestParameters: set }),
      call('ec2:StopInstances', '09:30', { instancesSet: { items: [{ instanceId: 'i-0abc1234def567891' }] } }),
    );
    expect((await open.cells(`history ${id} ${DAY}`)).map(({ eventname, effect }) => [eventname, effect])).toEqual([
      ['TerminateInstances', 'deleted it'],
      ['CreateImage', 'used it for something else'],
      ['StopInstances', 'attempt: Client.UnauthorizedOperation'],
      ['CreateTags', 'changed it'],
      ['RunInstances', 'created it'],
    ]);
    expect(await said(open, `history ${id} ${DAY}`)).toMatch(
      /^The EC2 instance .* was created by alice .*, was changed 1 time and was deleted by alice /,
    );
  });
});

describe('A name', () => {
  test('is not found at the end of a longer one, nor an id at the beginning of one', async () => {
    const ours = call('lambda:UpdateFunctionCode20150331v2', '08:00', { functionName: 'api' });
    const byArn = call('lambda:TagResource20170331v2', '08:30', { resource: `arn:aws:lambda:eu-central-1:${ACCOUNT}:function:api` });
    const longer = call('lambda:UpdateFunctionCode20150331v2', '09:00', { functionName: 'other-api' });
    const pattern = call('lambda:UpdateFunctionCode20150331v2', '09:00', { functionName: 'a_i' });
    const old = call('ec2:DeleteVolume', '10:00', { volumeId: 'vol-1a2b3c4d' });
    const young = call('ec2:DeleteVolume', '10:00', { volumeId: 'vol-1a2b3c4d5e6f70819' });
    await using open = await trailOf(ours, byArn, longer, pattern, old, young);
    expect(await open.ids(`history arn:aws:lambda:eu-central-1:${ACCOUNT}:function:api ${DAY}`)).toEqual(idsOf(ours, byArn));
    expect(await open.ids(`history a_i ${DAY}`)).toEqual(idsOf(pattern));
    expect(await open.ids(`who-deleted vol-1a2b3c4d ${DAY}`)).toEqual(idsOf(old));
  });
});

describe('Wherever a record names a thing', () => {
  const named = (name: string): Readonly<Record<string, Fields>> => {
    const arn = `arn:aws:ec2:eu-central-1:${ACCOUNT}:volume/${name}`;
    const policy = { Statement: [{ Effect: 'Allow', Action: '*', Resource: [arn, '*'] }, { NotResource: arn }] };
    return {
      'the request': call('ec2:ModifyVolume', '08:00', { volumeId: name, size: '20' }),
      'a list of lists in it': call('dlm:CreateThing', '08:00', { items: [{ inner: [['other', name]] }, 'last'] }),
      'a tag': call('ec2:CreateTags', '08:00', { resourcesSet: { items: [] }, tagSet: { items: [{ key: 'from', value: name }] } }),
      'the response': call('ec2:CreateFleet', '08:00', null, { made: { list: [{ id: name }] } }),
      'an ARN in the response': call('dlm:StartThing', '08:00', null, { arn }),
      'the resources': call('dlm:StopThing', '08:00', null, null, {
        resources: [
          { ARN: 'arn:aws:s3:::example-logs', type: 'AWS::S3::Bucket' },
          { ARN: arn, type: 'AWS::EC2::Volume' },
        ],
      }),
      'an ARN in a policy': call('iam:PutRolePolicy', '08:00', { roleName: 'api', policyDocument: JSON.stringify(policy) }),
      'an ARN in a policy of many lines': call('iam:PutRolePolicy', '08:00', { policyDocument: JSON.stringify(policy, null, 2) }),
      'a name in a document': call('ssm:PutParameter', '08:00', { value: JSON.stringify({ [name]: 1, other: [name] }) }),
      'a message of refusal': call('ec2:DeleteVolume', '08:00', null, null, {
        errorCode: 'AccessDenied',
        errorMessage: `User: arn:aws:iam::${ACCOUNT}:user/alice is not authorized to perform: ec2:DeleteVolume on resource: ${arn} because`,
      }),
    };
  };

  test.each([
    ['an id', 'vol-0abc1234def567890', ['vol-0abc1234def567891', 'vol-0abc1234def5678901']],
    ['an old id', 'vol-1a2b3c4d', ['vol-1a2b3c4d5e6f70819', 'vol-1a2b3c4e']],
    ['a name', 'orders_api', ['orders_api_2', 'my-orders_api', 'ordersXapi', 'orders%api', 'orders_ap']],
  ])('%s is found, and none that is only alike', async (_what, name, alike) => {
    const ours = named(name);
    await using open = await trailOf(...Object.values(ours), ...alike.flatMap((other) => Object.values(named(other))));
    const found = await open.cells(`history ${name} ${DAY}`);
    const places = Object.entries(ours).filter(([, { eventID }]) => found.some(({ eventid }) => eventid === eventID));
    expect(places.map(([place]) => place)).toEqual(Object.keys(ours));
    expect(found).toHaveLength(places.length);
  });
});

describe('who', () => {
  test('counts the callers of a call, on one thing or on any, in whatever letters it is typed', async () => {
    const put = (role: string, who: string, more: Fields = {}) =>
      call('iam:PutRolePolicy', '08:00', { roleName: role }, null, { userIdentity: user(who), ...more });
    await using open = await trailOf(
      put('a', 'alice'),
      put('a', 'bob', { errorCode: 'AccessDenied' }),
      put('b', 'bob'),
      call('iam:PutUserPolicy', '08:00', { userName: 'a' }),
    );
    expect(await open.cells(`who putrolepolicy a ${DAY}`)).toMatchObject([
      { actor: 'alice', calls: 1, failed: 0 },
      { actor: 'bob', calls: 1, failed: 1 },
    ]);
    expect(await said(open, `who PutRolePolicy ${DAY}`)).toMatch(/^2 actors called PutRolePolicy, 3 times, 1 of them in vain: /);
    expect(await open.cells(`who Put* ${DAY}`)).toHaveLength(3);
    expect(await said(open, `who PutRole_olicy ${DAY}`)).toBe('Nobody called PutRole_olicy in this time.');
  });
});

/** Who started an instance: followed back through groups, schedules, functions, sessions and stacks to a user, and look-alikes. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { ACCOUNT, type Fields, record, session, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const ID = 'i-0abc1234def567890';

/** One call at a time of the day: `autoscaling:CreateAutoScalingGroup`. */
const call = (name: string, clock: string, requestParameters: unknown, more: Fields = {}) => {
  const [source, eventName] = name.split(':');
  return record({
    eventSource: `${source}.amazonaws.com`,
    eventName,
    eventTime: `${DAY}T${clock}:00Z`,
    readOnly: false,
    requestParameters,
    ...more,
  });
};
const by = (name: string): Fields => ({ userIdentity: user(name) });
const bySession = (role: string, name: string, more: Fields = {}): Fields => ({ userIdentity: session(role, name, more) });
const ofScaling: Fields = { userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } };
const launch = (clock: string, tags: readonly Fields[], more: Fields = ofScaling) =>
  call('ec2:RunInstances', clock, tags.length > 0 ? { tagSpecificationSet: { items: [{ resourceType: 'instance', tags }] } } : {}, {
    responseElements: { instancesSet: { items: [{ instanceId: ID }] } },
    ...more,
  });
const start = (clock: string, more: Fields) => call('ec2:StartInstances', clock, { instancesSet: { items: [{ instanceId: ID }] } }, more);
const group = (name: string, clock: string, who: string, more: Fields = {}) =>
  call(`autoscaling:${name}`, clock, { autoScalingGroupName: 'web', ...more }, by(who));
const inGroup = [{ key: 'aws:autoscaling:groupName', value: 'web' }];

async function originsOf(...list: readonly Fields[]) {
  await using open = await trailOf(...list);
  const answer = await open.ask(`who-started ${ID} ${DAY}`);
  const { origins, startOrigins } = answer.data as { origins: Found[]; startOrigins: Found[] };
  const short = (found: readonly Found[]) => found.map(({ what, name, by: cause }) => [what, name, cause?.eventname ?? null, cause?.actor ?? null]);
  return { origins: short(origins), startOrigins: short(startOrigins), said: toText(answer, templates), next: answer.next };
}
interface Found {
  readonly what: string;
  readonly name: string;
  readonly by: { readonly eventname: string; readonly actor: string } | null;
}

describe('a launch by an Auto Scaling group', () => {
  const created = group('CreateAutoScalingGroup', '01:00', 'ann');

  test('is found by the tags that the group wrote after the launch', async () => {
    const tagged = (clock: string, instance: string, name: string) =>
      call(
        'ec2:CreateTags',
        clock,
        { resourcesSet: { items: [{ resourceId: instance }] }, tagSet: { items: [{ key: 'aws:autoscaling:groupName', value: name }] } },
        ofScaling,
      );
    const found = await originsOf(created, launch('09:00', []), tagged('09:01', ID, 'web'), tagged('09:01', 'i-0abc1234def567891', 'api'));
    expect(found.origins).toEqual([['Auto Scaling group', 'web', 'CreateAutoScalingGroup', 'ann']]);
    expect(found.said).toContain('on behalf of ann, who called CreateAutoScalingGroup for the Auto Scaling group web');
    // Tags of a user’s own launch lead nowhere, and neither do those of much later.
    expect((await originsOf(created, launch('09:00', [], by('bob')), tagged('09:01', ID, 'web'))).origins).toEqual([]);
    expect((await originsOf(created, launch('09:00', []), tagged('11:00', ID, 'web'))).origins).toEqual([]);
  });

  test('leads to the user who set it to launch more just before, not earlier or later, and not to a program', async () => {
    const launched = launch('09:00', inGroup);
    const scale = (clock: string, who: string) => group('SetDesiredCapacity', clock, who, { desiredCapacity: 3 });
    const program = call('autoscaling:SetDesiredCapacity', '08:59', { autoScalingGroupName: 'web' }, bySession('cluster-autoscaler', 'pod-1'));
    const cause = async (...more: readonly Fields[]) => (await originsOf(created, launched, ...more)).origins[0]?.slice(2);
    expect(await cause(scale('08:58', 'bob'))).toEqual(['SetDesiredCapacity', 'bob']);
    expect(await cause(scale('08:58', 'bob'), program)).toEqual(['SetDesiredCapacity', 'bob']);
    expect(await cause(scale('05:00', 'bob'), scale('10:00', 'eve'), program)).toEqual(['CreateAutoScalingGroup', 'ann']);
    expect((await originsOf(launched, scale('02:00', 'bob'))).origins[0]?.slice(2)).toEqual(['SetDesiredCapacity', 'bob']);
  });

  test('leads to the scheduled action for that time', async () => {
    const schedule = (who: string, action: Fields) => group('PutScheduledUpdateGroupAction', '02:00', who, action);
    const cause = async (...more: readonly Fields[]) => (await originsOf(created, launch('09:03', inGroup), ...more)).origins[0]?.slice(2);
    expect(await cause(schedule('bob', { recurrence: '0 9 * * 1-5' }))).toEqual(['PutScheduledUpdateGroupAction', 'bob']);
    expect(await cause(schedule('bob', { startTime: '2026-05-01T09:00:00Z' }))).toEqual(['PutScheduledUpdateGroupAction', 'bob']);
    expect(await cause(schedule('bob', { recurrence: '0 18 * * 1-5' }))).toEqual(['CreateAutoScalingGroup', 'ann']);
    expect(await cause(schedule('bob', { startTime: '2026-06-01T09:00:00Z' }))).toEqual(['CreateAutoScalingGroup', 'ann']);
  });

  test('leads on from a group that a stack made to the last change of the stack', async () => {
    const service: Fields = { invokedBy: 'cloudformation.amazonaws.com', accessKeyId: undefined };
    const made = call(
      'autoscaling:CreateAutoScalingGroup',
      '03:00',
      { autoScalingGroupName: 'web', tags: [{ key: 'aws:cloudformation:stack-name', value: 'shop' }] },
      bySession('deploy', 'run-7', service),
    );
    const stack = (name: string, clock: string, who: string) =>
      call(`cloudformation:${name}`, clock, { stackName: 'shop', changeSetName: 'c1' }, by(who));
    const found = await originsOf(
      made,
      launch('09:00', inGroup),
      stack('CreateStack', '01:00', 'ann'),
      stack('CreateChangeSet', '02:50', 'eve'),
      stack('ExecuteChangeSet', '02:55', 'bob'),
      stack('UpdateStack', '05:00', 'kim'),
    );
    expect(found.origins).toEqual([
      ['Auto Scaling group', 'web', 'CreateAutoScalingGroup', 'deploy/run-7'],
      ['CloudFormation stack', 'shop', 'ExecuteChangeSet', 'bob'],
    ]);
    expect(found.next?.map(({ label }) => label)).toContain('Activity of bob');
  });
});

describe('a start', () => {
  test('by EventBridge Scheduler leads to the schedule of that role that names the instance', async () => {
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/office-hours`;
    const schedule = (who: string, target: Fields) => call('scheduler:CreateSchedule', '01:00', { name: who, target }, by(who));
    const found = await originsOf(
      start('09:00', {
        ...bySession('office-hours', 'a1b2c3', { invokedBy: 'scheduler.amazonaws.com' }),
        sourceIPAddress: 'scheduler.amazonaws.com',
      }),
      schedule('ann', { roleArn, input: `{"InstanceIds":["${ID}"]}` }),
      schedule('bob', { roleArn, input: '{"InstanceIds":["i-0abc1234def567891"]}' }),
      schedule('eve', { roleArn: `${roleArn}-2`, input: `{"InstanceIds":["${ID}"]}` }),
    );
    expect(found.startOrigins).toEqual([['EventBridge schedule', 'with the role office-hours', 'CreateSchedule', 'ann']]);
    expect(found.said).toMatch(/was started 1 time, last by office-hours\/a1b2c3 .*, on behalf of ann, who called CreateSchedule/);
  });

  test('by a scheduler in a function leads through its session, function and stack', async () => {
    const assumed = (key: string) => ({ responseElements: { credentials: { accessKeyId: key, expiration: 'x' } }, eventTime: `${DAY}T09:00:00Z` });
    const found = await originsOf(
      start('09:01', bySession('scheduler-role', 'scheduler-run', { accessKeyId: 'ASIAEXAMPLEEXAMPLE77' })),
      call(
        'sts:AssumeRole',
        '09:00',
        { roleArn: 'x', roleSessionName: 'scheduler-run' },
        {
          ...bySession('scheduler-function-role', 'scheduler-main', { accessKeyId: 'ASIAEXAMPLEEXAMPLE78' }),
          userAgent: 'Boto3/1.34 exec-env/AWS_Lambda_python3.12',
          ...assumed('ASIAEXAMPLEEXAMPLE77'),
        },
      ),
      call('sts:AssumeRole', '09:00', { roleArn: 'x' }, { ...by('eve'), ...assumed('ASIAEXAMPLEEXAMPLE79') }),
      call(
        'lambda:CreateFunction20150331',
        '02:00',
        { functionName: 'scheduler-main', tags: { 'aws:cloudformation:stack-name': 'scheduler' } },
        {
          ...bySession('deploy', 'run-7', { invokedBy: 'cloudformation.amazonaws.com' }),
        },
      ),
      call('cloudformation:CreateStack', '01:59', { stackName: 'scheduler' }, by('ann')),
    );
    expect(found.startOrigins).toEqual([
      ['role session', 'scheduler-role/scheduler-run', 'AssumeRole', 'scheduler-function-role/scheduler-main'],
      ['Lambda function', 'scheduler-main', 'CreateFunction20150331', 'deploy/run-7'],
      ['CloudFormation stack', 'scheduler', 'CreateStack', 'ann'],
    ]);
  });

  test('by a user leads no further, and by an unknown session neither', async () => {
    expect((await originsOf(start('09:00', by('bob')))).startOrigins).toEqual([]);
    const service = call(
      'sts:AssumeRole',
      '09:00',
      { roleArn: 'x' },
      {
        userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
        responseElements: { credentials: { accessKeyId: 'ASIAIOSFODNN7EXAMPLE' } },
      },
    );
    expect((await originsOf(start('09:00', bySession('web', 'x')), service)).startOrigins).toEqual([]);
  });
});

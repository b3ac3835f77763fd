/** Peculiarities of real trails, one by one, that a generated trail does not have. */
import { describe, expect, test } from 'vitest';
import { ACCOUNT, type Fields, openFolder, record, records, session, trailFolder, trailOf, user } from './support/trail-folder.ts';

const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const DAY = '2026-05-01';
const ROOT: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

describe('real trails', () => {
  test('1. contain an event twice when two trails write into one bucket, and it counts once', async () => {
    await using folder = await trailFolder();
    const list = records(10);
    const twin = { ...record(), eventID: list[0]?.eventID };
    await folder.deliver(list);
    await folder.deliver(list, { prefix: 'second-trail/' });
    await folder.deliver([{ ...list[0], eventTime: list[0]?.eventTime }, record({ eventName: 'Other' })], { account: '444455556666' });
    await using open = await openFolder(folder);
    expect(twin.eventID).toBe(list[0]?.eventID);
    expect(open.loaded).toMatchObject({ events: 11, duplicates: 11 });
    expect(await open.cells(`events by:event ${DAY}`)).toMatchObject([
      { event: 'DescribeInstances', events: 10 },
      { event: 'Other', events: 1 },
    ]);
  });

  test("2. have global events of us-east-1 in the folder of the trail's home region, and a filter by region finds them", async () => {
    await using folder = await trailFolder();
    const [created, local] = [
      record({ eventSource: 'iam.amazonaws.com', eventName: 'CreateUser', awsRegion: 'us-east-1', readOnly: false }),
      record({ awsRegion: 'eu-central-1' }),
    ];
    await folder.deliver([created, local], { region: 'eu-central-1' });
    await using open = await openFolder(folder);
    expect(await open.ids(`events region:us-east-1 ${DAY}`)).toEqual(idsOf(created));
    expect(await open.ids(`events region:eu-central-1 ${DAY}`)).toEqual(idsOf(local));
    expect(await open.ids(`events -region:eu-central-1 ${DAY}`)).toEqual(idsOf(created));
  });

  test('3. store an event under the day of delivery, and a question about the day it happened finds it', async () => {
    await using folder = await trailFolder();
    const [late, next] = [record({ eventTime: '2026-05-01T23:58:59Z' }), record({ eventTime: '2026-05-02T00:00:01Z' })];
    await folder.deliver([late, next], { day: '2026/05/02' });
    await using open = await openFolder(folder);
    expect(await open.ids('events 2026-05-01')).toEqual(idsOf(late));
    expect(await open.ids('events 2026-05-02')).toEqual(idsOf(next));
    expect(await open.ids('events 30m', '2026-05-02T00:10:00Z')).toEqual(idsOf(late, next));
    expect(await open.ids(`event ${late.eventID} 2026-05-01`)).toEqual(idsOf(late));
  });

  test('3. contain an event that was delivered weeks late, and the line of its own row finds it', async () => {
    await using folder = await trailFolder();
    const id = 'i-0123456789abcdef0';
    const group = record({
      eventSource: 'autoscaling.amazonaws.com',
      eventName: 'CreateAutoScalingGroup',
      eventTime: '2026-04-30T10:00:00Z',
      readOnly: false,
      requestParameters: { autoScalingGroupName: 'web' },
    });
    const late = record({
      eventName: 'RunInstances',
      eventTime: '2026-05-01T10:00:00Z',
      readOnly: false,
      requestParameters: { tagSpecificationSet: { items: [{ tags: [{ key: 'aws:autoscaling:groupName', value: 'web' }] }] } },
      responseElements: { instancesSet: { items: [{ instanceId: id }] } },
    });
    await folder.deliver([group], { day: '2026/04/30' });
    await folder.deliver([late], { day: '2026/05/29' });
    await using open = await openFolder(folder);
    const answer = await open.ask('events event:RunInstances 90d', '2026-06-10T00:00:00Z');
    const [row] = answer.table?.rows ?? [];
    expect(row?.next?.line).toContain('2026-05-01');
    const found = await open.ask(row?.next?.line ?? '', '2026-06-10T00:00:00Z');
    expect(found.table?.rows.map(({ cells }) => cells.eventid)).toEqual(idsOf(late));
    expect((await open.ask(`who-started ${id} 90d`, '2026-06-10T00:00:00Z')).data).toMatchObject({
      origin: { what: 'Auto Scaling group', name: 'web', by: { eventid: group.eventID } },
    });
  });

  test('4. contain failed console sign-ins without errorCode, and they do not count as successes', async () => {
    const signIn = (result: string, more: Fields = {}) =>
      record({
        userIdentity: { ...ROOT, accessKeyId: '' },
        eventSource: 'signin.amazonaws.com',
        eventName: 'ConsoleLogin',
        eventType: 'AwsConsoleSignIn',
        awsRegion: 'us-east-1',
        readOnly: false,
        responseElements: { ConsoleLogin: result },
        additionalEventData: { MFAUsed: 'No', LoginTo: 'https://console.aws.amazon.com', MobileVersion: 'No' },
        ...more,
      });
    const failed = signIn('Failure', { errorMessage: 'Failed authentication', eventTime: '2026-05-01T08:00:00Z' });
    const good = signIn('Success', { additionalEventData: { MFAUsed: 'YES' } });
    const silent = signIn('Success', { additionalEventData: undefined, eventTime: '2026-05-01T11:00:00Z' });
    const someoneElse = signIn('Failure', { userIdentity: { ...user('HIDDEN_DUE_TO_SECURITY_REASONS'), accessKeyId: '' } });
    await using open = await trailOf(failed, good, silent, someoneElse);
    expect(await open.ids(`events event:ConsoleLogin outcome:failed ${DAY}`)).toEqual(idsOf(failed, someoneElse));
    expect(await open.ids(`events event:ConsoleLogin outcome:ok ${DAY}`)).toEqual(idsOf(good, silent));
    const answer = await open.ask(`root-logins ${DAY}`);
    expect(answer.data).toMatchObject({ successes: 2, failures: 1, withoutMfa: null });
    expect(answer.table?.rows.map(({ cells }) => [cells.eventid, cells.outcome, cells.mfa])).toEqual([
      [silent.eventID, 'ok', null],
      [good.eventID, 'ok', 'yes'],
      [failed.eventID, 'failed', 'no'],
    ]);
  });

  test('5. contain failed attempts, and they are not shown as changes', async () => {
    const call = (eventName: string, errorCode?: string) =>
      record({ eventName, errorCode, readOnly: false, eventSource: 'cloudtrail.amazonaws.com' });
    const attempts = [call('StopLogging', 'AccessDenied'), call('DeleteTrail', 'TrailNotFoundException'), call('DeleteBucket', 'BucketNotEmpty')];
    const succeeded = [call('DeleteTrail'), call('ScheduleKeyDeletion')];
    await using open = await trailOf(...attempts, ...succeeded, call('CreateTrail'), record({ eventName: 'DescribeDeletions' }));
    expect(await open.ids(`events destructive:true ${DAY}`)).toEqual(idsOf(...attempts, ...succeeded));
    expect(await open.ids(`events destructive:true outcome:ok ${DAY}`)).toEqual(idsOf(...succeeded));
    const outcomes = await open.cells(`events destructive:true by:outcome ${DAY}`);
    expect(Object.fromEntries(outcomes.map(({ outcome, events }) => [outcome, events]))).toEqual({ ok: 2, failed: 2, denied: 1 });
  });

  test('6. contain denied AssumeRole calls that name the role only in errorMessage, and it is their target', async () => {
    const message = (resource: string) =>
      `User: arn:aws:iam::${ACCOUNT}:user/alice is not authorized to perform: sts:AssumeRole on resource: ${resource}`;
    const assume = (more: Fields) => record({ eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', ...more });
    const denied = assume({ errorCode: 'AccessDenied', errorMessage: message(`arn:aws:iam::${ACCOUNT}:role/production-admin`) });
    const withPath = assume({ errorCode: 'AccessDenied', errorMessage: message(`arn:aws:iam::${ACCOUNT}:role/team/production-admin`) });
    const assumed = assume({ requestParameters: { roleArn: `arn:aws:iam::${ACCOUNT}:role/production-admin`, roleSessionName: 'x' } });
    const other = assume({ errorCode: 'AccessDenied', errorMessage: message(`arn:aws:iam::${ACCOUNT}:role/production-admin-2`) });
    const vague = assume({ errorCode: 'AccessDenied', errorMessage: 'Access denied' });
    await using open = await trailOf(denied, withPath, assumed, other, vague);
    expect(await open.ids(`events event:AssumeRole target:production-admin ${DAY}`)).toEqual(idsOf(denied, withPath, assumed));
  });

  test('7. contain identities without type and ARN, and each has an actor', async () => {
    const rotated = record({
      userIdentity: { accountId: ACCOUNT, invokedBy: 'kms.amazonaws.com' },
      eventType: 'AwsServiceEvent',
      eventSource: 'kms.amazonaws.com',
      eventName: 'RotateKey',
    });
    const mfa = record({
      userIdentity: { accountId: ACCOUNT, accessKeyId: '', userName: 'grace' },
      eventSource: 'signin.amazonaws.com',
      eventName: 'CheckMfa',
      responseElements: { CheckMfa: 'Success' },
    });
    await using open = await trailOf(rotated, mfa, record());
    expect(await open.ids(`events user:kms.amazonaws.com kind:service ${DAY}`)).toEqual(idsOf(rotated));
    expect(await open.ids(`events user:grace kind:user ${DAY}`)).toEqual(idsOf(mfa));
    expect(await open.ids(`events kind:anonymous ${DAY}`)).toEqual([]);
  });

  test('8. log launches by Auto Scaling as "Root", and they are not shown as root activity', async () => {
    const launch = (instanceId: string) => ({
      eventName: 'RunInstances',
      readOnly: false,
      responseElements: { instancesSet: { items: [{ instanceId }] } },
    });
    const scaled = record({ ...launch('i-0aaaaaaaaaaaaaaa1'), userIdentity: { ...ROOT, invokedBy: 'autoscaling.amazonaws.com' } });
    const byRoot = record({ ...launch('i-0aaaaaaaaaaaaaaa2'), userIdentity: ROOT });
    await using open = await trailOf(scaled, byRoot);
    expect(await open.ids(`events kind:root ${DAY}`)).toEqual(idsOf(byRoot));
    expect(await open.ids(`events user:root ${DAY}`)).toEqual(idsOf(byRoot));
    expect(await open.cells(`who-started i-0aaaaaaaaaaaaaaa1 ${DAY}`)).toMatchObject([{ actor: 'autoscaling.amazonaws.com', actorkind: 'service' }]);
    expect(await open.cells(`who-started i-0aaaaaaaaaaaaaaa2 ${DAY}`)).toMatchObject([{ actor: 'root', actorkind: 'root' }]);
  });

  test('9. contain thousands of denials from one broken delivery, and the four that matter are visible', async () => {
    const noise = records(3000, (n) => ({
      userIdentity: { type: 'AWSService', invokedBy: 'delivery.logs.amazonaws.com' },
      sourceIPAddress: 'delivery.logs.amazonaws.com',
      eventSource: 's3.amazonaws.com',
      eventName: 'PutObject',
      errorCode: 'AccessDenied',
      eventTime: `2026-05-01T${String(n % 24).padStart(2, '0')}:00:00Z`,
    }));
    const attacker = ['ListUsers', 'GetCallerIdentity', 'ListBuckets', 'CreateUser'].map((eventName) =>
      record({ eventName, eventSource: 'iam.amazonaws.com', errorCode: 'AccessDenied', userIdentity: user('mallory') }),
    );
    await using open = await trailOf(...noise, ...attacker);
    expect(await open.ids(`events outcome:denied -kind:service ${DAY}`)).toEqual(idsOf(...attacker));
    const rarest = await open.cells(`events outcome:denied by:event sort:rare top:4 ${DAY}`);
    expect(rarest.map(({ event }) => event).sort()).toEqual(attacker.map(({ eventName }) => eventName).sort());
    expect(await open.cells(`events outcome:denied by:user ${DAY}`)).toMatchObject([
      { user: 'delivery.logs.amazonaws.com', events: 3000 },
      { user: 'mallory', events: 4 },
    ]);
  });

  test('10. contain API names with dates and several error codes for one failure, and a wildcard or an outcome finds them all', async () => {
    const lambda = ['ListFunctions20150331', 'ListFunctions20150331v2', 'ListFunctions'].map((eventName) => record({ eventName }));
    const look = [record({ eventName: 'UpdateFunctionCode20150331v2', readOnly: false }), record({ eventName: 'ListFunction_' })];
    const denied = ['AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation'].map((errorCode) =>
      record({ eventName: 'Denied', errorCode }),
    );
    const other = record({ eventName: 'Denied', errorCode: 'NoSuchBucket' });
    await using open = await trailOf(...lambda, ...look, ...denied, other);
    expect(await open.ids(`events event:ListFunctions* ${DAY}`)).toEqual(idsOf(...lambda));
    expect(await open.ids(`events event:UpdateFunctionCode* ${DAY}`)).toEqual(idsOf(look[0] as Fields));
    expect(await open.ids(`events event:ListFunction_* ${DAY}`)).toEqual(idsOf(look[1] as Fields));
    expect(await open.ids(`events outcome:denied ${DAY}`)).toEqual(idsOf(...denied));
  });

  test('11. contain user agents with and without brackets, and both are the same tool', async () => {
    const agents = (userAgent: string) => [record({ userAgent }), record({ userAgent: `[${userAgent}]` })];
    const [cli, browser, sdk] = [agents('aws-cli/1.18.136 Python/3.8'), agents('Mozilla/5.0 (X11)'), agents('aws-sdk-java/1.11.666')];
    const lookAlike = record({ userAgent: 'my-aws-client/1.0' });
    await using open = await trailOf(...cli, ...browser, ...sdk, lookAlike);
    expect(await open.ids(`events via:cli ${DAY}`)).toEqual(idsOf(...cli));
    expect(await open.ids(`events via:console ${DAY}`)).toEqual(idsOf(...browser));
    expect(await open.ids(`events via:sdk ${DAY}`)).toEqual(idsOf(...sdk));
    expect(await open.ids(`events via:other ${DAY}`)).toEqual(idsOf(lookAlike));
    expect(await open.ids(`events agent:*aws-cli/* ${DAY}`)).toEqual(idsOf(...cli));
  });

  test('12. contain paths that change type and names that differ only in case, and all are stored unchanged', async () => {
    const parameters = [
      { maxResults: 5 },
      { maxResults: '5' },
      { tags: [{ key: 'a' }] },
      { tags: { a: 'b' } },
      { ipPermissions: { items: [] } },
      { ipPermissions: [] },
      { Name: 'Upper', name: 'lower' },
      { instancesSet: { items: { instanceId: 'i-0b' } } },
      { n: 12345678901234567890123n.toString(), deep: [[[{ x: null }]]] },
    ];
    const list = parameters.map((requestParameters) => record({ requestParameters }));
    await using open = await trailOf(...list);
    expect(open.loaded).toMatchObject({ events: list.length, skippedEvents: 0 });
    for (const one of list) {
      const { data } = await open.ask(`event ${one.eventID} ${DAY}`);
      expect((data as { request: unknown }).request).toEqual(one.requestParameters);
    }
    expect(await open.ids(`events target:lower ${DAY}`)).toEqual(idsOf(list[6] as Fields));
    expect(await open.ids(`events target:Upper ${DAY}`)).toEqual([]);
  });

  test('13. contain role sessions with two addresses, and a session is one actor', async () => {
    const lambda = ['10.0.0.7', 'lambda.amazonaws.com'].map((sourceIPAddress) =>
      record({ userIdentity: session('orders-api-role', 'orders-api'), sourceIPAddress, eventName: 'Decrypt' }),
    );
    const stolen = ['198.51.100.9', '203.0.113.77'].map((sourceIPAddress) =>
      record({ userIdentity: session('web-role', 'i-0123456789abcdef0'), sourceIPAddress, eventName: 'ListBuckets' }),
    );
    await using open = await trailOf(...lambda, ...stolen);
    expect(await open.cells(`events by:user ${DAY}`)).toMatchObject([
      { user: 'orders-api-role/orders-api', events: 2 },
      { user: 'web-role/i-0123456789abcdef0', events: 2 },
    ]);
    expect(await open.ids(`events user:i-0123456789abcdef0 ip:198.51.100.9 ${DAY}`)).toEqual(idsOf(stolen[0] as Fields));
    expect((await open.cells(`events role:web-role by:ip ${DAY}`)).map(({ ip }) => ip)).toEqual(['198.51.100.9', '203.0.113.77']);
    expect((await open.cells(`events role:web-role by:ip kind:role via:service ${DAY}`)).map(({ ip }) => ip)).toEqual([]);
  });
});

describe('other peculiarities', () => {
  test('one call in two accounts is two events with one sharedEventID, and a filter by account finds either', async () => {
    await using folder = await trailFolder();
    const shared = { sharedEventID: '0f5e6a3c-0000-4000-8000-000000000001', eventName: 'AssumeRole', eventSource: 'sts.amazonaws.com' };
    const [here, there] = [record(shared), record({ ...shared, recipientAccountId: '444455556666' })];
    await folder.deliver([here]);
    await folder.deliver([there], { account: '444455556666' });
    await using open = await openFolder(folder);
    expect(await open.ids(`events event:AssumeRole ${DAY}`)).toEqual(idsOf(here, there));
    expect(await open.ids(`events event:AssumeRole account:444455556666 ${DAY}`)).toEqual(idsOf(there));
  });

  test('an instance is found in a launch of several, but not in a dry run, a denied launch or a longer id', async () => {
    const launch = (ids: readonly string[], more: Fields = {}) =>
      record({
        eventName: 'RunInstances',
        readOnly: false,
        responseElements: { instancesSet: { items: ids.map((instanceId) => ({ instanceId })) } },
        ...more,
      });
    const ours = launch(['i-0aa', 'i-0bb', 'i-0cc']);
    const longer = launch(['i-0bbb']);
    const start = record({
      eventName: 'StartInstances',
      readOnly: false,
      eventTime: '2026-05-01T12:00:00Z',
      userIdentity: user('bob'),
      requestParameters: { instancesSet: { items: [{ instanceId: 'i-0bb' }] } },
    });
    const dry = record({
      ...start,
      eventID: '0f5e6a3c-0000-4000-8000-000000000002',
      errorCode: 'Client.DryRunOperation',
      eventTime: '2026-05-01T11:00:00Z',
    });
    await using open = await trailOf(ours, longer, start, dry, launch([], { errorCode: 'Client.UnauthorizedOperation', responseElements: null }));
    expect(await open.ids(`who-started i-0bb ${DAY}`)).toEqual(idsOf(ours, start, dry));
    expect((await open.ask(`who-started i-0bb ${DAY}`)).data).toMatchObject({
      launch: { eventid: ours.eventID, actor: 'alice', siblings: 'i-0aa i-0cc' },
      starts: { count: 1, latest: { actor: 'bob' } },
    });
    expect((await open.cells(`who-started i-0bb ${DAY}`)).map(({ effect }) => effect)).toEqual(['started', 'dry run, nothing started', 'launched']);
  });

  test('a launch by an Auto Scaling group leads to the user who created the group, and not one with a longer name', async () => {
    const scaled = record({
      eventName: 'RunInstances',
      readOnly: false,
      userIdentity: session('AWSServiceRoleForAutoScaling', 'AutoScaling', {
        path: 'aws-service-role/autoscaling.amazonaws.com/',
        invokedBy: 'autoscaling.amazonaws.com',
      }),
      requestParameters: {
        tagSpecificationSet: { items: [{ resourceType: 'instance', tags: [{ key: 'aws:autoscaling:groupName', value: 'web' }] }] },
      },
      responseElements: { instancesSet: { items: [{ instanceId: 'i-0dd' }] } },
    });
    const group = (name: string, by: string, more: Fields = {}) =>
      record({
        eventSource: 'autoscaling.amazonaws.com',
        eventName: 'CreateAutoScalingGroup',
        readOnly: false,
        userIdentity: user(by),
        requestParameters: { autoScalingGroupName: name },
        eventTime: '2026-05-01T09:00:00Z',
        ...more,
      });
    const refused = group('web', 'eve', { errorCode: 'AccessDenied', eventTime: '2026-05-01T09:30:00Z' });
    await using open = await trailOf(scaled, group('web', 'maria'), group('web-2', 'jonas'), refused);
    expect((await open.ask(`who-started i-0dd ${DAY}`)).data).toMatchObject({
      origins: [{ what: 'Auto Scaling group', name: 'web', by: { actor: 'maria' } }],
    });
  });

  const made = (what: string, tag: string, name: string, eventName: string, fields: Fields) => ({ what, tag, name, eventName, fields });
  test.each([
    made('EC2 fleet', 'aws:ec2:fleet-id', 'fleet-0aaa1111-bbbb', 'CreateFleet', {
      responseElements: { CreateFleetResponse: { fleetId: 'fleet-0aaa1111-bbbb' } },
    }),
    made('Spot fleet request', 'aws:ec2spot:fleet-request-id', 'sfr-0aaa1111', 'RequestSpotFleet', {
      responseElements: { spotFleetRequestId: 'sfr-0aaa1111' },
    }),
    made('EMR cluster', 'aws:elasticmapreduce:job-flow-id', 'j-2AXXXXXXGAPLF', 'RunJobFlow', { responseElements: { jobFlowId: 'j-2AXXXXXXGAPLF' } }),
    made('Elastic Beanstalk environment', 'elasticbeanstalk:environment-name', 'shop', 'CreateEnvironment', {
      requestParameters: { environmentName: 'shop' },
    }),
    made('EKS node group', 'eks:nodegroup-name', 'workers', 'CreateNodegroup', { requestParameters: { nodegroupName: 'workers' } }),
    made('CloudFormation stack', 'aws:cloudformation:stack-name', 'web', 'CreateStack', { requestParameters: { stackName: 'web' } }),
  ])('a launch by $what leads to the user who created it, and not one of another name', async ({ what, tag, name, eventName, fields }) => {
    const launch = record({
      eventName: 'RunInstances',
      readOnly: false,
      userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
      responseElements: { instancesSet: { items: [{ instanceId: 'i-0ff', tagSet: { items: [{ key: tag, value: name }] } }] } },
    });
    const making = (userName: string, text: string, eventTime: string) =>
      record({
        eventName,
        readOnly: false,
        userIdentity: user(userName),
        eventTime,
        ...JSON.parse(JSON.stringify(fields).replace(`"${name}"`, `"${text}"`)),
      });
    const [maria, jonas] = [making('maria', name, '2026-05-01T09:00:00Z'), making('jonas', `${name}-2`, '2026-05-01T09:30:00Z')];
    const afterwards = making('eve', name, '2026-05-01T10:30:00Z');
    await using open = await trailOf(launch, maria, jonas, afterwards);
    expect((await open.ask(`who-started i-0ff ${DAY}`)).data).toMatchObject({
      origins: [{ what, name, by: { actor: 'maria', eventid: maria.eventID } }],
    });
  });

  test('the activity after a root sign-in is that of root in the same account until the next sign-in', async () => {
    const OTHER = '444455556666';
    const signIn = (eventTime: string, more: Fields = {}) =>
      record({
        userIdentity: ROOT,
        eventSource: 'signin.amazonaws.com',
        eventName: 'ConsoleLogin',
        eventType: 'AwsConsoleSignIn',
        eventTime,
        readOnly: false,
        responseElements: { ConsoleLogin: 'Success' },
        additionalEventData: { MFAUsed: 'Yes' },
        ...more,
      });
    const deed = (eventTime: string, eventName: string, readOnly: boolean, more: Fields = {}) =>
      record({ userIdentity: ROOT, eventTime, eventName, readOnly, ...more });
    const [first, second] = [signIn('2026-05-01T01:00:00Z'), signIn('2026-05-01T03:00:00Z')];
    await using open = await trailOf(
      first,
      deed('2026-05-01T01:10:00Z', 'GetBillingData', true),
      deed('2026-05-01T01:20:00Z', 'CreateAccessKey', false),
      deed('2026-05-01T01:21:00Z', 'DeleteTrail', false, { errorCode: 'AccessDenied' }),
      deed('2026-05-01T01:22:00Z', 'RunInstances', false, { userIdentity: { ...ROOT, invokedBy: 'autoscaling.amazonaws.com' } }),
      deed('2026-05-01T01:23:00Z', 'CreateUser', false, { recipientAccountId: OTHER }),
      deed('2026-05-01T01:24:00Z', 'CreateUser', false, { userIdentity: user('root') }),
      second,
      deed('2026-05-01T03:10:00Z', 'CloseAccount', false),
      deed('2026-05-01T23:10:00Z', 'CreateRole', false),
    );
    const rows = await open.cells(`root-logins ${DAY}`);
    expect(rows.map(({ eventid, did, reads }) => ({ eventid, did, reads }))).toEqual([
      { eventid: second.eventID, did: 'CloseAccount', reads: 0 },
      { eventid: first.eventID, did: 'CreateAccessKey, DeleteTrail (denied)', reads: 1 },
    ]);
  });

  test('an event with JSON that CloudTrail truncated is loaded and answered', async () => {
    const cut = record({ requestParameters: '{"tagSet":[{"key":"a","val', responseElements: '{"instancesSet":{"items":[{"instanceId":"i-0ee"}' });
    const launch = record({ eventName: 'RunInstances', responseElements: '{"instancesSet":{"items":[{"instanceId":"i-0ee"},{"insta' });
    await using open = await trailOf(cut, launch);
    expect(await open.ids(`events ${DAY}`)).toEqual(idsOf(cut, launch));
    await expect(open.ask(`who-started i-0ee ${DAY}`)).resolves.toBeDefined();
    expect((await open.ask(`event ${cut.eventID} ${DAY}`)).data).toMatchObject({ found: { eventid: cut.eventID } });
  });

  test('months are calendar months, and the end of a window is excluded', async () => {
    const at = (eventTime: string) => record({ eventTime });
    const [before, first, last, end] = [
      at('2025-11-01T23:59:59Z'),
      at('2025-11-02T00:00:00Z'),
      at('2026-05-01T23:59:59Z'),
      at('2026-05-02T00:00:00Z'),
    ];
    await using folder = await trailFolder();
    await folder.put('a.json', JSON.stringify({ Records: [before, first, last, end] }));
    await using open = await openFolder(folder);
    expect(await open.ids('events 6mo', '2026-05-02T00:00:00Z')).toEqual(idsOf(first, last));
    expect(await open.ids('events yesterday', '2026-05-02T10:00:00Z')).toEqual(idsOf(last));
    expect(await open.ids('events today', '2026-05-02T10:00:00Z')).toEqual(idsOf(end));
  });

  test('values with quotes, percent signs and underscores match only themselves', async () => {
    const on = (bucketName: string) => record({ eventName: 'GetBucketAcl', eventSource: 's3.amazonaws.com', requestParameters: { bucketName } });
    const names = ['a_b', 'axb', 'a%b', `a'b`, 'a"b', 'a*b', 'a!b', 'a;drop table events', 'ä b', '=1+1'];
    const list = names.map(on);
    await using open = await trailOf(...list);
    for (const [n, name] of names.entries()) {
      expect(await open.ids(`events target:"${name.replaceAll('"', '\\"')}" ${DAY}`), name).toEqual(idsOf(list[n] as Fields));
    }
    expect(await open.ids(`events target:a_* ${DAY}`)).toEqual(idsOf(list[0] as Fields));
    expect(await open.ids(`events target:a%* ${DAY}`)).toEqual(idsOf(list[2] as Fields));
    expect(await open.ids(`events target:a!* ${DAY}`)).toEqual(idsOf(list[6] as Fields));
  });

  test('a resource with a space in its name is one resource', async () => {
    const read = record({
      eventName: 'GetObject',
      eventSource: 's3.amazonaws.com',
      resources: [{ ARN: 'arn:aws:s3:::example/a b.txt' }, { ARN: 'arn:aws:s3:::example' }],
    });
    await using open = await trailOf(read);
    const { data } = await open.ask(`event ${read.eventID} ${DAY}`);
    expect((data as { record: Fields }).record.resources).toEqual([{ ARN: 'arn:aws:s3:::example/a b.txt' }, { ARN: 'arn:aws:s3:::example' }]);
  });
});

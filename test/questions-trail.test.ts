/** What the trail covers, what its records look like, and why a call was denied. */
import { describe, expect, test } from 'vitest';
import { tallyFields } from '../src/field-tally.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { allowing, readDenial } from '../src/trail/denial.ts';
import { ACCOUNT, type Fields, openFolder, record, records, trailFolder, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const OTHER = '444455556666';

describe('coverage', () => {
  test('tells days without events of an account as a whole, and not of a region that is idle', async () => {
    await using folder = await trailFolder();
    const on = (day: string, more: Fields = {}): Fields => record({ eventTime: `${day}T10:00:00Z`, ...more });
    await folder.deliver([on('2026-04-27'), on('2026-04-28', { awsRegion: 'us-east-1' })], { day: '2026/04/28' });
    await folder.deliver([on('2026-04-29'), on('2026-04-27', { recipientAccountId: OTHER }), on('2026-05-01', { recipientAccountId: OTHER })], {
      day: '2026/05/01',
    });
    await using open = await openFolder(folder);
    const answer = await open.ask('coverage 2026-04-27..2026-04-30');
    expect(answer.data).toMatchObject({
      events: 4,
      accounts: 2,
      regions: 2,
      holed: [{ account: OTHER, gaps: '2026-04-28..2026-04-29' }],
    });
    expect(answer.table?.rows.map(({ cells }) => [cells.account, cells.region, cells.days, cells.without])).toEqual([
      [ACCOUNT, 'eu-central-1', 2, 1],
      [ACCOUNT, 'us-east-1', 1, 0],
      [OTHER, 'eu-central-1', 1, 0],
    ]);
  });

  test('tells whether data events are in it, and of what', async () => {
    const read = record({ eventSource: 's3.amazonaws.com', eventName: 'GetObject', managementEvent: false, eventCategory: 'Data' });
    await using without = await trailOf(record({ eventSource: 's3.amazonaws.com', eventName: 'GetBucketAcl' }));
    await using open = await trailOf(record(), read);
    expect((await open.ask(`coverage ${DAY}`)).data).toMatchObject({ services: ['s3.amazonaws.com'], minutes: 840 });
    expect(toText(await open.ask(`coverage ${DAY}`), templates)).toContain(' 14 hours before its end');
    expect(toTerminal(await without.ask(`coverage ${DAY}`), templates, 160)).toContain('It holds no data events');
    expect(toText(await open.ask('coverage 2026-04-01'), templates)).toBe('The trail holds no events of this time.');
  });
});

describe('fields', () => {
  test('lists every path of a call with how often it is filled and its most common values, and of no other call', async () => {
    const run = (instanceType: string, more: object = {}): Fields =>
      record({
        eventName: 'RunInstances',
        requestParameters: { instanceType, ...more, instancesSet: { items: [{ minCount: 1 }, { minCount: 2 }] } },
      });
    await using open = await trailOf(
      run('m7i.large'),
      run('m7i.large', { dryRun: true }),
      run('t3.nano'),
      record({ requestParameters: { other: 1 } }),
    );
    const cells = await open.cells(`fields runinstances ${DAY}`);
    expect(cells).toContainEqual({ path: 'requestParameters.instanceType', filled: 100, records: 3, values: '2', top: 'm7i.large ×2, t3.nano' });
    expect(cells).toContainEqual({ path: 'requestParameters.dryRun', filled: 33.3, records: 1, values: '1', top: 'true' });
    expect(cells).toContainEqual({
      path: 'requestParameters.instancesSet.items[].minCount',
      filled: 100,
      records: 3,
      values: '2',
      top: '1 ×3, 2 ×3',
    });
    expect(cells.map(({ path }) => path)).not.toContain('requestParameters.other');
    expect(toText(await open.ask(`fields RunInstance ${DAY}`), templates)).toMatch(/^No record of RunInstance in this time[.] /);
  });

  test('takes more than a thousand paths', async () => {
    const wide = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`key${n}`, n]));
    await using open = await trailOf(...records(3, () => ({ requestParameters: wide })));
    const answer = await open.ask(`fields ${DAY} top:5000`);
    expect(answer.table?.rows.length).toBeGreaterThan(3000);
    expect((await open.ask(`fields ${DAY}`)).table).toMatchObject({ more: true });
  });

  test('shows no secret, and survives text that CloudTrail cut short', () => {
    const fields = tallyFields([
      [
        {
          name: 'responseElements',
          json: JSON.stringify({ credentials: { sessionToken: 'IQoJb3JpZ2lu', accessKeyId: 'ASIAIOSFODNN7EXAMPLE' }, masterUserPassword: 'hunter2' }),
        },
        { name: 'requestParameters', json: '{"cut": "sho' },
      ],
    ]);
    expect(fields.map(({ path }) => path)).toEqual([
      'responseElements.credentials.accessKeyId',
      'responseElements.credentials.sessionToken',
      'responseElements.masterUserPassword',
    ]);
    expect(JSON.stringify(fields)).not.toMatch(/IQoJ|hunter2|IOSFODNN/);
  });
});

describe('explain-denied', () => {
  const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/x`;
  const says = (because: string): string =>
    `User: ${SESSION} is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::example-logs/a ${because}`;
  const call = { eventsource: 's3.amazonaws.com', eventname: 'PutObject', arns: [] };

  test.each([
    ['because no identity-based policy allows the s3:PutObject action', 'identity-based policy', false],
    ['because no resource-based policy allows the s3:PutObject action', 'resource-based policy', false],
    ['because no permissions boundary allows the s3:PutObject action', 'permissions boundary', false],
    ['because no session policy allows the s3:PutObject action', 'session policy', false],
    ['because no service control policy allows the s3:PutObject action', 'service control policy', false],
    ['because no VPC endpoint policy allows the s3:PutObject action', 'VPC endpoint policy', false],
    ['with an explicit deny in a service control policy', 'service control policy', true],
    ['with an explicit deny in a resource control policy', 'resource control policy', true],
    ['with an explicit deny in an identity-based policy', 'identity-based policy', true],
    ['with an explicit deny', undefined, true],
    ['', undefined, false],
  ])('%s', (because, policy, isExplicit) => {
    expect(readDenial({ ...call, errormessage: says(because) })).toMatchObject({
      policy,
      isExplicit,
      principal: SESSION,
      action: 's3:PutObject',
      resource: 'arn:aws:s3:::example-logs/a',
    });
  });

  test('guesses permission and resource from a call whose message names neither', () => {
    const bare = (eventsource: string, eventname: string, arns: readonly string[] = []) =>
      readDenial({ eventsource, eventname, errormessage: 'Access Denied', arns });
    expect(bare('s3.amazonaws.com', 'HeadBucket', ['arn:aws:s3:::example-logs'])).toMatchObject({
      action: 's3:ListBucket',
      resource: 'arn:aws:s3:::example-logs',
      isToldAction: false,
    });
    expect(bare('lambda.amazonaws.com', 'UpdateFunctionCode20150331v2')).toMatchObject({ action: 'lambda:UpdateFunctionCode', resource: '*' });
    expect(bare('monitoring.amazonaws.com', 'PutMetricAlarm')).toMatchObject({ action: 'cloudwatch:PutMetricAlarm' });
  });

  test('lets the policy of a resource name whoever called, as a role', () => {
    expect(allowing(readDenial({ ...call, errormessage: says('because no resource-based policy allows the s3:PutObject action') }))).toEqual({
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/deploy` },
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::example-logs/a',
    });
  });

  test('says it of one event, offers no statement against an explicit deny, and takes no other failure for a denial', async () => {
    const denied = record({ errorCode: 'AccessDenied', errorMessage: says('because no identity-based policy allows the s3:PutObject action') });
    const forbidden = record({ errorCode: 'AccessDenied', errorMessage: says('with an explicit deny in a service control policy') });
    const failed = record({ errorCode: 'NoSuchBucket', errorMessage: 'The specified bucket does not exist', userIdentity: user('bob') });
    await using open = await trailOf(denied, forbidden, failed);
    const shown = async (event: Fields): Promise<string> => toTerminal(await open.ask(`explain-denied ${event.eventID} ${DAY}`), templates, 160);
    expect(await shown(denied)).toMatch(
      /no identity-based policy allows it[.]\n[\s\S]*In a policy of arn:aws:iam::111122223333:role\/deploy this would allow it:\n[\s\S]*"Action": "s3:PutObject"/,
    );
    expect(await shown(forbidden)).toMatch(/a service control policy denies it explicitly[.][\s\S]*No statement that allows can outdo it/);
    expect(await shown(forbidden)).not.toContain('"Effect"');
    expect(await shown(failed)).toContain('was not denied: DescribeInstances by bob ended failed.');
    expect(toText(await open.ask(`explain-denied nothing ${DAY}`), templates)).toMatch(/^No event nothing in this time[.]/);
  });
});

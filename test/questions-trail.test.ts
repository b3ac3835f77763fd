/** The commands coverage, fields and explain-denied. */
import { describe, expect, test } from 'vitest';
import { readDenial, statementAllowing } from '../commands/explain-denied/denial.ts';
import { countFields } from '../src/analysis/field-stats.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { ACCOUNT, type Fields, openFolder, record, records, trailFolder, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const OTHER = '444455556666';

describe('coverage', () => {
  test('shows days without events of a whole account, but not of an idle region', async () => {
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
      accountsWithGaps: [{ account: OTHER, gaps: '2026-04-28..2026-04-29' }],
    });
    expect(answer.table?.rows.map(({ cells }) => [cells.account, cells.region, cells.days, cells.without])).toEqual([
      [ACCOUNT, 'eu-central-1', 2, 1],
      [ACCOUNT, 'us-east-1', 1, 0],
      [OTHER, 'eu-central-1', 1, 0],
    ]);
  });

  test('shows which services have data events', async () => {
    const read = record({ eventSource: 's3.amazonaws.com', eventName: 'GetObject', managementEvent: false, eventCategory: 'Data' });
    await using without = await trailOf(record({ eventSource: 's3.amazonaws.com', eventName: 'GetBucketAcl' }));
    await using open = await trailOf(record(), read);
    expect((await open.ask(`coverage ${DAY}`)).data).toMatchObject({ services: ['s3.amazonaws.com'], minutes: 840 });
    expect(toText(await open.ask(`coverage ${DAY}`), templates)).toContain(' 14 hours before its end');
    expect(toTerminal(await without.ask(`coverage ${DAY}`), templates, 160)).toContain('It has no data events');
    expect(toText(await open.ask('coverage 2026-04-01'), templates)).toMatch(
      /^The trail has no events from 2026-04-01 00:00:00 UTC to 2026-04-02 00:00:00 UTC[.] The trail has no events at all in this time: it has those from 2026-0/,
    );
  });
});

describe('fields', () => {
  test('lists every path of a call with how often it is present and its most common values, and of no other call', async () => {
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
    expect(toText(await open.ask(`fields RunInstance ${DAY}`), templates)).toMatch(
      /^No record of RunInstance from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.] /,
    );
  });

  test('leads from each path to the events that have it, with a filter that can be read back', async () => {
    const run = (requestParameters: Fields): Fields => record({ eventName: 'RunInstances', requestParameters });
    await using open = await trailOf(
      run({ 'x-amz-id-2': 'a', tags: { 'aws:cloudformation:stack-name': 'web', 'kubernetes.io/role': '1' }, items: [{ id: 'i-1' }, { id: 'i-2' }] }),
      run({ items: [{ id: 'i-3', of: [1, 2] }], '2fa': false }),
      record({ requestParameters: { items: [{ id: 'i-3' }] }, resources: [{ ARN: 'arn:aws:s3:::example' }] }),
    );
    for (const line of ['fields runinstances', 'fields Run*', 'fields']) {
      const { table } = await open.ask(`${line} ${DAY}`);
      expect(table?.rows.length).toBeGreaterThan(10);
      for (const { cells, next } of table?.rows ?? []) {
        expect({ path: cells.path, events: (await open.ids(next?.line ?? '')).length }).toEqual({ path: cells.path, events: cells.records });
        expect((await open.ids(`events ${cells.path}:* ${DAY}`)).length).toBeGreaterThanOrEqual(Number(cells.records));
      }
    }
    const paths = (await open.cells(`fields ${DAY}`)).map(({ path }) => path);
    expect(paths).toContain('requestParameters.tags."aws:cloudformation:stack-name"');
    expect(paths).toContain('requestParameters.items[].of[]');
  });

  test('offers the nearest event name when there is none of that name', async () => {
    await using open = await trailOf(record({ eventName: 'RunInstances' }));
    const { next } = await open.ask(`fields RunInstnces ${DAY}`);
    expect(next?.[0]).toEqual({ label: 'Did you mean RunInstances?', line: `fields RunInstances ${DAY}` });
  });

  test('lists more than a thousand paths, each with the number of records that have it', async () => {
    const own = (n: number): Fields => Object.fromEntries(Array.from({ length: 700 }, (_, key) => [`own${n}_${key}`, key]));
    const shared = Object.fromEntries(Array.from({ length: 400 }, (_, key) => [`shared${key}`, { deep: [{ er: key }] }]));
    await using open = await trailOf(...records(3, (n) => ({ requestParameters: { ...shared, ...own(n) } })));
    const answer = await open.ask(`fields ${DAY} top:5000`);
    const filled = new Map(answer.table?.rows.map(({ cells }) => [cells.path, cells.filled]));
    const asked = [...filled].filter(([path]) => String(path).startsWith('requestParameters.'));
    expect(asked).toHaveLength(3 * 700 + 400);
    expect(filled.get('requestParameters.shared399.deep[].er')).toBe(100);
    expect(filled.get('requestParameters.own2_699')).toBe(33.3);
    expect(answer).toMatchObject({ data: { fields: filled.size }, table: { more: false } });
    // A thousand are shown unless more are asked for, and the answer says how many there are.
    const short = await open.ask(`fields ${DAY}`);
    expect(short).toMatchObject({ data: { fields: filled.size }, table: { more: true } });
    expect(short.table?.rows).toHaveLength(1000);
  });

  test('tells paths apart that differ only in case, and merges a path that is a number or a list', async () => {
    const asking = (requestParameters: Fields): Fields => record({ eventName: 'Odd', requestParameters });
    await using open = await trailOf(
      asking({ Name: 'A', maxResults: 5 }),
      asking({ name: 'b', maxResults: '5' }),
      asking({ maxResults: [{ of: 1 }] }),
    );
    const paths = new Map((await open.cells(`fields Odd ${DAY}`)).map(({ path, records: found }) => [path, found]));
    expect(paths.get('requestParameters.Name')).toBe(1);
    expect(paths.get('requestParameters.name')).toBe(1);
    expect(paths.get('requestParameters.maxResults')).toBe(2);
    expect(paths.get('requestParameters.maxResults[].of')).toBe(1);
  });

  test('shows no secrets, and survives truncated JSON', () => {
    const fields = countFields([
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

  test('derives permission and resource from the call when the message names neither', () => {
    const bare = (eventsource: string, eventname: string, arns: readonly string[] = []) =>
      readDenial({ eventsource, eventname, errormessage: 'Access Denied', arns });
    expect(bare('s3.amazonaws.com', 'HeadBucket', ['arn:aws:s3:::example-logs'])).toMatchObject({
      action: 's3:ListBucket',
      resource: 'arn:aws:s3:::example-logs',
      isActionNamed: false,
    });
    expect(bare('lambda.amazonaws.com', 'UpdateFunctionCode20150331v2')).toMatchObject({ action: 'lambda:UpdateFunctionCode', resource: '*' });
    expect(bare('monitoring.amazonaws.com', 'PutMetricAlarm')).toMatchObject({ action: 'cloudwatch:PutMetricAlarm' });
  });

  test('names the caller’s role in a statement for a resource-based policy', () => {
    expect(statementAllowing(readDenial({ ...call, errormessage: says('because no resource-based policy allows the s3:PutObject action') }))).toEqual(
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/deploy` },
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::example-logs/a',
      },
    );
  });

  test('explains one event, offers no statement against an explicit deny, and says when the call was not denied', async () => {
    const denied = record({ errorCode: 'AccessDenied', errorMessage: says('because no identity-based policy allows the s3:PutObject action') });
    const forbidden = record({ errorCode: 'AccessDenied', errorMessage: says('with an explicit deny in a service control policy') });
    const failed = record({ errorCode: 'NoSuchBucket', errorMessage: 'The specified bucket does not exist', userIdentity: user('bob') });
    await using open = await trailOf(denied, forbidden, failed);
    const shown = async (event: Fields): Promise<string> => toTerminal(await open.ask(`explain-denied ${event.eventID} ${DAY}`), templates, 160);
    expect(await shown(denied)).toMatch(
      /no identity-based policy allows it[.]\n[\s\S]*This statement in a policy of arn:aws:iam::111122223333:role\/deploy would allow it:\n[\s\S]*"Action": "s3:PutObject"/,
    );
    expect(await shown(forbidden)).toMatch(/a service control policy denies it explicitly[.][\s\S]*An explicit deny overrides any allow/);
    expect(await shown(forbidden)).not.toContain('"Effect"');
    expect(await shown(failed)).toContain('was not denied: DescribeInstances by bob ended failed.');
    expect(toText(await open.ask(`explain-denied nothing ${DAY}`), templates)).toMatch(
      /^No event nothing from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/,
    );
  });
});

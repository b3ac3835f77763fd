/** Questions about calls that did not succeed: what each finds, and similar events that it must not find. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type Fields, record, records, session, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const coded = (errorCode: string, more: Fields = {}) => record({ errorCode, ...more });

describe('denied, throttled and failed', () => {
  const denied = ['AccessDenied', 'Client.UnauthorizedOperation', 'VpceAccessDenied', 'NotAuthorizedException'].map((code) => coded(code));
  const throttled = ['Client.RequestLimitExceeded', 'ThrottlingException', 'SlowDown', 'TooManyRequestsException'].map((code) => coded(code));
  const failed = ['NoSuchBucket', 'Client.DryRunOperation', 'LimitExceededException'].map((code) => coded(code));

  test('together have every call that did not succeed, and no other', async () => {
    await using open = await trailOf(...denied, ...throttled, ...failed, record());
    expect(await open.ids(`denied sort:time ${DAY}`)).toEqual(idsOf(...denied));
    expect(await open.ids(`throttled sort:time ${DAY}`)).toEqual(idsOf(...throttled));
    expect(await open.ids(`failed sort:time ${DAY}`)).toEqual(idsOf(...failed));
  });

  test('count sign-ins that failed without an error code, but not responses that only say Failure', async () => {
    const signIn = record({
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      eventType: 'AwsConsoleSignIn',
      errorMessage: 'Failed authentication',
      responseElements: { ConsoleLogin: 'Failure' },
    });
    await using open = await trailOf(signIn, record({ eventName: 'PutReport', responseElements: { ConsoleLogin: 'Failure' } }));
    expect(await open.ids(`failed sort:time ${DAY}`)).toEqual(idsOf(signIn));
  });

  test('tell similar error codes apart', async () => {
    const codes = [
      'RequestThrottledException',
      'SlowDown',
      'PriorRequestNotComplete',
      'EC2ThrottledException',
      'UnauthorizedAccess',
      'AuthorizationError',
    ];
    const alike = ['SlowDownloadError', 'LimitExceededException', 'QuotaExceeded', 'InvalidAuthorizationMessageException', 'AccessPointNotFound'];
    await using open = await trailOf(...[...codes, ...alike].map((code) => coded(code)));
    const errorsOf = async (name: string) => (await open.cells(`${name} by:error ${DAY}`)).map(({ error }) => error).toSorted();
    expect(await errorsOf('throttled')).toEqual(codes.slice(0, 4).toSorted());
    expect(await errorsOf('denied')).toEqual(codes.slice(4).toSorted());
    expect(await errorsOf('failed')).toEqual(alike.toSorted());
  });

  test('say so when there are no such calls', async () => {
    await using open = await trailOf(record());
    const sentenceOf = async (line: string) => toText(await open.ask(line), templates);
    expect(await sentenceOf(`denied ${DAY}`)).toMatch(/^No denied call from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/);
    expect(await sentenceOf(`denied user:bob sort:time ${DAY}`)).toMatch(
      /^Nothing was denied from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC with user:bob[.]/,
    );
    expect(await sentenceOf(`throttled ${DAY}`)).toMatch(/^No throttled call from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/);
    expect(await sentenceOf(`failed ${DAY}`)).toMatch(/^No failed call from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC[.]/);
  });
});

describe('denied', () => {
  const chronic = records(24, (n) => ({
    userIdentity: session('geo-role', 'geo'),
    eventName: 'GetParameter',
    errorCode: 'AccessDenied',
    eventTime: `2026-05-01T${String(n).padStart(2, '0')}:10:00Z`,
  }));
  const burst = records(20, () => ({ userIdentity: user('mallory'), eventName: 'ListUsers', errorCode: 'AccessDenied' }));

  test('shows the highest totals and the highest means per hour, even when they differ', async () => {
    await using open = await trailOf(...chronic, ...burst, coded('AccessDenied', { userIdentity: user('bob') }));
    const answer = await open.ask(`denied top:1 ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.user, cells.events, cells.hours, cells.mean])).toEqual([
      ['geo-role/geo', 24, 24, 1],
      ['mallory', 20, 1, 20],
    ]);
    expect(answer.table?.more).toBe(true);
    expect(toTerminal(answer, templates, 160)).toContain('\n• mallory ListUsers: 20 an hour, in 1 hour of 1 day\n');
  });

  test('tells new denials and chronic denials from others', async () => {
    const on = (days: readonly string[], name: string) =>
      days.map((day) =>
        record({ userIdentity: user(name), eventName: 'ListUsers', errorCode: 'AccessDenied', eventTime: `2026-04-${day}T12:00:00Z` }),
      );
    await using open = await trailOf(
      ...on(['24', '25', '26', '27', '28', '29', '30'], 'chronic'),
      ...on(['24', '25', '26', '27', '30'], 'often'),
      ...on(['26', '27', '28', '29'], 'seldom'),
      ...on(['29', '30'], 'yesterday'),
      ...on(['30'], 'today'),
    );
    const shown = toTerminal(await open.ask('denied top:1 2026-04-24..2026-04-30'), templates, 160);
    expect(shown).toContain('\nFirst denied in the last day: today ListUsers 1\n');
    expect(shown).toContain('\nDenied on 5 or more of 7 days: chronic ListUsers 7, often ListUsers 5\n');
    expect(shown).toMatch(/^19 denied calls, by user and event \(5 rows\), 1 of them shown; most: chronic ListUsers with 7\./);
    const short = toTerminal(await open.ask('denied 2026-04-29..2026-04-30'), templates, 160);
    expect(short).not.toMatch(/\n(?:First denied in|Denied on)/);
  });

  test('leads from a group to its calls, and back to the counts', async () => {
    await using open = await trailOf(...chronic, ...burst);
    const answer = await open.ask(`denied ${DAY}`);
    const [pair] = answer.table?.rows ?? [];
    const list = await open.ask(pair?.next?.line ?? '');
    expect(list.table?.rows).toHaveLength(24);
    expect(list.table?.rows[0]?.next?.line).toMatch(/^event /);
    expect(list.next?.find(({ label }) => label === 'Count them')?.line).toMatch(/^denied actor:/);
  });

  test('is a series with every:, which is also a follow-up', async () => {
    await using open = await trailOf(...burst);
    const answer = await open.ask(`denied ${DAY}`);
    const series = answer.next?.find(({ label }) => label === 'Every hour');
    expect(series?.line).toBe(`denied every:1h ${DAY}`);
    expect(await open.cells(series?.line ?? '')).toMatchObject([{ step: '2026-05-01T10:00', events: 20 }]);
  });
});

describe('explain-denied', () => {
  test.each([
    ['quoted, as S3 does', '"arn:aws:s3:::shop-data/a b.jpeg"', 'arn:aws:s3:::shop-data/a b.jpeg'],
    ['quoted, as others do', '"arn:aws:sqs:eu-central-1:111122223333:jobs"', 'arn:aws:sqs:eu-central-1:111122223333:jobs'],
    ['without quotes', 'arn:aws:sqs:eu-central-1:111122223333:jobs', 'arn:aws:sqs:eu-central-1:111122223333:jobs'],
    ['that is all', '"*"', '*'],
  ])('names the resource of the message, %s', async (_, written, resource) => {
    const denied = coded('AccessDenied', {
      eventSource: 's3.amazonaws.com',
      eventName: 'GetObject',
      errorMessage: `User: arn:aws:sts::111122223333:assumed-role/app/app is not authorized to perform: s3:GetObject on resource: ${written} because no identity-based policy allows the s3:GetObject action`,
    });
    await using open = await trailOf(denied);
    const { data } = await open.ask(`explain-denied ${denied.eventID} ${DAY}`);
    expect(data).toMatchObject({ statement: { Effect: 'Allow', Action: 's3:GetObject', Resource: resource } });
    // The id of the request is what the caller saw.
    expect((await open.ask(`explain-denied ${denied.requestID} ${DAY}`)).data).toMatchObject({ isDenied: true });
    if (resource.includes('sqs')) expect(await open.cells(`denied by:target ${DAY}`)).toMatchObject([{ target: 'jobs' }]);
  });

  test('names the permission set for an Identity Center role, and otherwise the role', async () => {
    const denied = (role: string) =>
      coded('AccessDenied', {
        errorMessage: `User: arn:aws:sts::111122223333:assumed-role/${role}/dora is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::plans/a because no identity-based policy allows the s3:GetObject action`,
      });
    const [person, robot] = [denied('AWSReservedSSO_Data_Scientist_0123456789abcdef'), denied('crawler')];
    await using open = await trailOf(person, robot);
    const shown = async ({ eventID }: Fields) => toTerminal(await open.ask(`explain-denied ${eventID} ${DAY}`), templates, 160);
    expect(await shown(person)).toContain(
      'This statement in the IAM Identity Center permission set Data_Scientist would allow it (its role cannot be edited directly):',
    );
    expect(await shown(robot)).toContain('This statement in a policy of arn:aws:iam::111122223333:role/crawler would allow it:');
  });
});

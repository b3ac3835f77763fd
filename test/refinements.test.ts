/** Only this, exclude, group by: the lines that a list of events and an event offer. */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { NotPermitted } from '../src/errors.ts';
import { type Fields, type OpenTrail, record, session, trailForAll, user } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const KEY = 'AKIAIOSFODNN7EXAMPLE';
const byAlice = record({ eventName: 'DeleteBucket', eventSource: 's3.amazonaws.com', requestParameters: { bucketName: 'reports' } });
const byOps = record({ userIdentity: session('ops', 'ann@example.com'), sourceIPAddress: '198.51.100.7' });
const withSecret = record({
  eventName: 'PutParameter',
  eventSource: 'ssm.amazonaws.com',
  userIdentity: user('ci "deploy"'),
  requestParameters: { name: 'token', value: 'hunter2-hunter2', type: 'SecureString' },
});
const open = trailForAll(
  byAlice,
  record({ userIdentity: user('alice') }),
  byOps,
  withSecret,
  record({ userIdentity: user('hunter2-hunter2'), eventName: 'GetCallerIdentity', eventSource: 'sts.amazonaws.com' }),
  record({ userIdentity: user('bob'), eventName: 'DescribeVpcs', errorCode: 'AccessDenied', errorMessage: 'no' }),
);

const linesOf = ({ refinements = [] }: Answer, field?: string): string[] =>
  refinements.filter((each) => field === undefined || each.field === field).flatMap(({ next }) => next.map(({ line }) => line));
const event = async (trail: OpenTrail, { eventID }: Fields, openedFrom?: string): Promise<Answer> =>
  trail.desk.answer(`event ${eventID} ${DAY}`, {
    now: new Date('2026-05-02T00:00:00Z'),
    signal: new AbortController().signal,
    ...(openedFrom !== undefined && { openedFrom }),
  });

describe('A list of events', () => {
  test('offers to keep, to leave out and to count its most frequent values, where it has several', async () => {
    const answer = await open().ask(`events ${DAY}`);
    expect(linesOf(answer, 'user')).toEqual([`events user:alice ${DAY}`, `events -user:alice ${DAY}`, `events by:user ${DAY}`]);
    expect(linesOf(answer, 'event')[0]).toBe(`events event:DescribeInstances ${DAY}`);
    expect(linesOf(answer, 'error')).toEqual([`events error:AccessDenied ${DAY}`, `events -error:AccessDenied ${DAY}`, `events by:error ${DAY}`]);
    // All are of one account.
    expect(linesOf(answer, 'account')).toEqual([]);
    for (const line of linesOf(answer)) expect((await open().ask(line)).table?.rows.length, line).toBeGreaterThan(0);
  });

  test('keeps its other filters, its words and its time', async () => {
    const answer = await open().ask(`events source:ec2,s3,sts -event:DescribeVpcs text:eu-central ${DAY}`);
    expect(linesOf(answer, 'user')[0]).toBe(`events source:ec2,s3,sts -event:DescribeVpcs text:eu-central user:alice ${DAY}`);
    expect(linesOf(await open().ask(`who-deleted reports ${DAY}`), 'user')).toEqual([]);
  });

  test('is split by each value into the events that have it and all others', async () => {
    const line = `events -event:DescribeVpcs ${DAY}`;
    const all = await open().ids(line);
    const { refinements = [] } = await open().ask(line);
    expect(refinements.length).toBeGreaterThan(2);
    for (const { next } of refinements) {
      const [only = [], others = []] = await Promise.all(next.slice(0, 2).map((each) => open().ids(each.line)));
      expect(only.length).toBeGreaterThan(0);
      expect([...only, ...others].toSorted()).toEqual(all);
    }
  });

  test('that takes no filters offers none, and neither does one without events', async () => {
    for (const line of [`events by:user ${DAY}`, `coverage ${DAY}`, `events user:nobody ${DAY}`, 'cost 7d'])
      expect((await open().ask(line)).refinements, line).toBeUndefined();
  });
});

describe('An event', () => {
  test('changes the list that it was opened from, by each of its values', async () => {
    const { refinements = [] } = await event(open(), byOps, `events source:ec2 ${DAY} top:20`);
    expect(refinements.map(({ field }) => field)).toEqual(['user', 'event', 'source', 'ip', 'region', 'account', 'role', 'key']);
    expect(refinements.map(({ next }) => next[0]?.line)).toEqual([
      `events source:ec2 user:ann@example.com top:20 ${DAY}`,
      `events source:ec2 event:DescribeInstances top:20 ${DAY}`,
      // The list is about this service alone already.
      `events -source:ec2 top:20 ${DAY}`,
      `events source:ec2 ip:198.51.100.7 top:20 ${DAY}`,
      `events source:ec2 region:eu-central-1 top:20 ${DAY}`,
      `events source:ec2 account:111122223333 top:20 ${DAY}`,
      `events source:ec2 role:ops top:20 ${DAY}`,
      `events source:ec2 key:ASIAIOSFODNN7EXAMPLE top:20 ${DAY}`,
    ]);
    expect(refinements[0]?.next.map(({ label }) => label)).toEqual(['Only user:ann@example.com', 'Exclude user:ann@example.com', 'Group by user']);
    // As in every answer, the id of a key is whole only in a line.
    expect(refinements.at(-1)?.next[0]?.label).toBe('Only key:ASIA…MPLE');
  });

  test.each([
    // What the value decides is left out; what it does not stays.
    ['user', 'events user:alice,bob 1d', ['events user:alice 1d', 'events user:bob -user:alice 1d', 'events user:alice,bob by:user 1d']],
    [
      'user',
      'events user:al* -user:ci 1d',
      ['events -user:ci user:alice 1d', 'events user:al* -user:ci,alice 1d', 'events user:al* -user:ci by:user 1d'],
    ],
    ['user', 'events user:alice 1d', ['events -user:alice 1d', 'events user:alice by:user 1d']],
    [
      'user',
      'events (user:alice OR event:X) 1d',
      ['events (user:alice OR event:X) user:alice 1d', 'events (user:alice OR event:X) -user:alice 1d', 'events (user:alice OR event:X) by:user 1d'],
    ],
    [
      'event',
      'events event:DeleteBucket,CreateBucket 1d',
      ['events event:DeleteBucket 1d', 'events event:CreateBucket 1d', 'events event:DeleteBucket,CreateBucket by:event 1d'],
    ],
    [
      'event',
      'events event:Delete* -event:DeleteTrail 1d',
      [
        'events event:DeleteBucket 1d',
        'events event:Delete* -event:DeleteTrail,DeleteBucket 1d',
        'events event:Delete* -event:DeleteTrail by:event 1d',
      ],
    ],
    [
      'ip',
      'events ip:203.0.113.0/24,203.0.113.7 1d',
      ['events ip:203.0.113.7 1d', 'events ip:203.0.113.0/24 -ip:203.0.113.7 1d', 'events ip:203.0.113.0/24,203.0.113.7 by:ip 1d'],
    ],
    [
      'source',
      'events source:s3.amazonaws.com 1d spend:7',
      ['events source:s3 1d', 'events -source:s3 1d', 'events source:s3.amazonaws.com by:source 1d'],
    ],
    // A count has no columns of a list.
    [
      'region',
      'events cols:time,user sort:time 1d',
      ['events region:eu-central-1 sort:time cols:time,user 1d', 'events -region:eu-central-1 sort:time cols:time,user 1d', 'events by:region 1d'],
    ],
    // A question about one resource takes filters, and counts nothing.
    ['user', 'history reports 1d', ['history reports user:alice 1d', 'history reports -user:alice 1d']],
  ] as const)('by %s changes “%s”', async (field, list, lines) => {
    expect(linesOf(await event(open(), byAlice, list), field)).toEqual(lines);
  });

  test.each([undefined, 'who-started i-0abc 90d', 'no such question', 'audit 7d'])('opened from “%s” offers the events of its day', async (list) => {
    expect(linesOf(await event(open(), byAlice, list), 'user')).toEqual([
      `events user:alice ${DAY}`,
      `events -user:alice ${DAY}`,
      `events by:user ${DAY}`,
    ]);
  });

  test('has every value in quotes where it needs them, and each line can be asked', async () => {
    const answer = await event(open(), withSecret, `events ${DAY}`);
    expect(linesOf(answer, 'user')[0]).toBe(`events user:"ci \\"deploy\\"" ${DAY}`);
    for (const line of linesOf(answer)) await expect(open().ask(line), line).resolves.toHaveProperty('table');
    expect(await open().ids(linesOf(answer, 'user')[0] ?? '')).toEqual([withSecret.eventID]);
  });

  test('offers no line with a secret', async () => {
    const secret = await open().cells(`events event:PutParameter,GetCallerIdentity ${DAY}`);
    expect(secret).toHaveLength(2);
    const answer = await open().ask(`event ${withSecret.eventID} ${DAY}`);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(JSON.stringify(answer.refinements)).toContain(KEY);
  });

  test('offers nothing by a field that a policy hides, nor a question that it refuses', async () => {
    const answered = (ask: (question: string) => boolean) =>
      open().desk.answer(`event ${byAlice.eventID} ${DAY}`, {
        now: new Date('2026-05-02T00:00:00Z'),
        signal: new AbortController().signal,
        permit(question) {
          if (!ask(question)) throw new NotPermitted(`not ${question}`);
          return { hidden: ['ip', 'key'] };
        },
      });
    const fields = ({ refinements = [] }: Answer) => refinements.filter(({ next }) => next.length > 0).map(({ field }) => field);
    expect(fields(await answered(() => true))).toEqual(['user', 'event', 'source', 'target', 'region', 'account']);
    expect(fields(await answered((question) => question === 'event'))).toEqual([]);
  });
});

/** Questions about regions and volume: what each finds, and similar events that it must not find. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { type Fields, record, records, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();

describe('outside-regions', () => {
  const at = (awsRegion: string, more: Fields = {}) => record({ awsRegion, ...more });
  const outside = [
    at('ap-southeast-1', { eventTime: '2026-05-01T09:00:00Z', eventName: 'RunInstances', readOnly: false }),
    at('sa-east-1', { eventTime: '2026-05-01T11:00:00Z' }),
    at('us-west-2', { eventSource: 'sts.amazonaws.com', eventName: 'GetCallerIdentity', eventTime: '2026-05-01T08:00:00Z' }),
  ];
  const not = [
    at('eu-central-1'),
    at('us-east-1', { eventSource: 'iam.amazonaws.com', eventName: 'GetUser' }),
    at('us-east-1', { eventSource: 'sts.amazonaws.com', eventName: 'GetCallerIdentity' }),
    at('us-east-2', { eventSource: 'signin.amazonaws.com', eventName: 'ConsoleLogin' }),
  ];

  test('counts calls in other regions, the newest region first, without global services', async () => {
    await using open = await trailOf(...outside, ...not);
    const answer = await open.ask(`outside-regions eu-central-1 ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.region, cells.events, cells.users, cells.writes])).toEqual([
      ['sa-east-1', 1, 1, 0],
      ['ap-southeast-1', 1, 1, 1],
      ['us-west-2', 1, 1, 0],
    ]);
    expect(await open.ids(`outside-regions eu-central-1 sort:time ${DAY}`)).toEqual(idsOf(...outside));
  });

  test('needs no list of all regions', async () => {
    await using open = await trailOf(at('mx-central-1'), at('eusc-de-east-1'), at('eu-central-1'));
    expect((await open.cells(`outside-regions eu-central-1 ${DAY}`)).map(({ region }) => region)).toEqual(['eusc-de-east-1', 'mx-central-1']);
  });

  test('takes several regions in any case, and keeps them in rows and follow-ups', async () => {
    await using open = await trailOf(...outside, ...not);
    const answer = await open.ask(`outside-regions EU-central-1,us-west-2 ${DAY}`);
    const [newest] = answer.table?.rows ?? [];
    expect(await open.ids(newest?.next?.line ?? '')).toEqual(idsOf(outside[1] as Fields));
    for (const { line } of answer.next ?? []) expect((await open.ask(line)).table?.rows.length).toBeGreaterThan(0);
  });

  test('lists every region when none is allowed, the newest first, and names the home region', async () => {
    await using open = await trailOf(...outside, ...not, at('eu-central-1'));
    const answer = await open.ask(`outside-regions ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.region, cells.events])).toEqual([
      ['sa-east-1', 1],
      ['eu-central-1', 2],
      ['ap-southeast-1', 1],
      ['us-west-2', 1],
    ]);
    const [first] = toText(answer, templates).split('\n');
    expect(first).toBe('5 calls in regions, by region (4 rows); most: eu-central-1 with 2. The home region, with most of them, is eu-central-1.');
    for (const { line } of answer.next ?? []) expect((await open.ask(line)).table?.rows.length).toBeGreaterThan(0);
  });

  test('takes the regions by name, as in allow:eu-central-1', async () => {
    await using open = await trailOf(...outside, ...not);
    const answer = await open.ask(`outside-regions allow:eu-central-1,us-west-2 source:ec2 ${DAY}`);
    expect(answer.line).toBe(`outside-regions eu-central-1,us-west-2 source:ec2 ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => cells.region)).toEqual(['sa-east-1', 'ap-southeast-1']);
  });

  test('refuses an invalid region', async () => {
    await using open = await trailOf(record());
    await expect(open.ask(`outside-regions europe ${DAY}`)).rejects.toThrow('Name the allowed regions, as in allow:us-east-1,us-east-2.');
  });

  test('says so when all calls are in the allowed regions', async () => {
    await using open = await trailOf(...not);
    const answer = await open.ask('outside-regions eu-central-1 13h');
    expect(toText(answer, templates)).toMatch(/^No call in other regions than /);
    expect(answer.next?.map(({ line }) => line)).toEqual(['outside-regions eu-central-1 30d']);
  });
});

describe('top and volume', () => {
  const many = records(3, () => ({ eventTime: '2026-05-01T10:30:00Z' }));
  const one = record({
    eventSource: 'iam.amazonaws.com',
    eventName: 'ListUsers',
    userIdentity: user('bob'),
    errorCode: 'AccessDenied',
    eventTime: '2026-05-01T12:00:00Z',
  });

  test('top counts calls, most first', async () => {
    await using open = await trailOf(...many, one);
    expect(await open.cells(`top ${DAY}`)).toMatchObject([
      { source: 'ec2.amazonaws.com', event: 'DescribeInstances', events: 3 },
      { source: 'iam.amazonaws.com', event: 'ListUsers', events: 1 },
    ]);
    expect(await open.cells(`top sort:rare top:1 ${DAY}`)).toMatchObject([{ event: 'ListUsers' }]);
  });

  test('volume counts calls per hour, and keeps the interval with by:', async () => {
    await using open = await trailOf(...many, one);
    const answer = await open.ask(`volume ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.step, cells.events, cells.failed, cells.actors])).toEqual([
      ['2026-05-01T10:00', 3, 0, 1],
      ['2026-05-01T12:00', 1, 1, 1],
    ]);
    expect(toTerminal(answer, templates, 160)).toContain('4 calls, 1 failed, in 2 of 24 hours; most: 2026-05-01T10:00 with 3.');
    expect(await open.cells(`volume by:source every:6h ${DAY}`)).toMatchObject([
      { step: '2026-05-01T06:00', source: 'ec2.amazonaws.com', events: 3 },
      { step: '2026-05-01T12:00', source: 'iam.amazonaws.com', events: 1 },
    ]);
    expect(await open.cells(`volume by:source ${DAY}`)).toMatchObject([{ step: '2026-05-01T10:00' }, { step: '2026-05-01T12:00' }]);
  });
});

describe('rare', () => {
  test('lists the least common calls first, writes before reads, and tells the same name in two services apart', async () => {
    const usual = records(5, (n) => ({ userIdentity: user(n % 2 ? 'alice' : 'bob'), ...(n === 0 && { errorCode: 'AccessDenied' }) }));
    const once = [
      record({ eventSource: 'iam.amazonaws.com', eventName: 'ListUsers' }),
      record({ eventSource: 'iam.amazonaws.com', eventName: 'UpdateUser', readOnly: undefined, errorCode: 'AccessDenied' }),
      record({ eventSource: 'identitystore.amazonaws.com', eventName: 'ListUsers' }),
    ];
    await using open = await trailOf(...usual, ...once);
    expect((await open.cells(`rare ${DAY}`)).map(({ eventsource, eventname, calls, failed }) => [eventsource, eventname, calls, failed])).toEqual([
      ['iam.amazonaws.com', 'UpdateUser', 1, 1],
      ['iam.amazonaws.com', 'ListUsers', 1, 0],
      ['identitystore.amazonaws.com', 'ListUsers', 1, 0],
      ['ec2.amazonaws.com', 'DescribeInstances', 5, 1],
    ]);
    const [first] = (await open.ask(`rare ${DAY}`)).table?.rows ?? [];
    expect(await open.ids(first?.next?.line ?? '')).toEqual(idsOf(once[1] as Fields));
  });
});

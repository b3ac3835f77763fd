/** Questions about calls that did not succeed: what each finds, and what looks like it and is none. */
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

  test('share all that did not succeed among them, and nothing else', async () => {
    await using open = await trailOf(...denied, ...throttled, ...failed, record());
    expect(await open.ids(`denied sort:time ${DAY}`)).toEqual(idsOf(...denied));
    expect(await open.ids(`throttled sort:time ${DAY}`)).toEqual(idsOf(...throttled));
    expect(await open.ids(`failed sort:time ${DAY}`)).toEqual(idsOf(...failed));
  });

  test('say so where nothing was', async () => {
    await using open = await trailOf(record());
    const said = async (line: string) => toText(await open.ask(line), templates);
    expect(await said(`denied ${DAY}`)).toBe('No denied calls in this time.');
    expect(await said(`denied user:bob sort:time ${DAY}`)).toBe('Nothing was denied in this time that matches.');
    expect(await said(`throttled ${DAY}`)).toBe('No throttled calls in this time.');
    expect(await said(`failed ${DAY}`)).toBe('No failed calls in this time.');
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

  test('shows who is denied most and who is denied most in an hour, though neither is the other', async () => {
    await using open = await trailOf(...chronic, ...burst, coded('AccessDenied', { userIdentity: user('bob') }));
    const answer = await open.ask(`denied top:1 ${DAY}`);
    expect(answer.table?.rows.map(({ cells }) => [cells.user, cells.events, cells.hours, cells.mean])).toEqual([
      ['geo-role/geo', 24, 24, 1],
      ['mallory', 20, 1, 20],
    ]);
    expect(answer.table?.more).toBe(true);
    expect(toTerminal(answer, templates, 160)).toContain('\n• mallory ListUsers: 20 an hour, in 1 hour of 1 day\n');
  });

  test('leads from a pair to its calls, and from calls back to the counts', async () => {
    await using open = await trailOf(...chronic, ...burst);
    const answer = await open.ask(`denied ${DAY}`);
    const [pair] = answer.table?.rows ?? [];
    const list = await open.ask(pair?.next?.line ?? '');
    expect(list.table?.rows).toHaveLength(24);
    expect(list.table?.rows[0]?.next?.line).toMatch(/^event /);
    expect(list.next?.find(({ label }) => label === 'Count them')?.line).toMatch(/^denied user:/);
  });

  test('is a series with every:, which the answer offers', async () => {
    await using open = await trailOf(...burst);
    const answer = await open.ask(`denied ${DAY}`);
    const series = answer.next?.find(({ label }) => label === 'Every hour');
    expect(series?.line).toBe(`denied every:1h ${DAY}`);
    expect(await open.cells(series?.line ?? '')).toMatchObject([{ step: '2026-05-01T10:00', events: 20 }]);
  });
});

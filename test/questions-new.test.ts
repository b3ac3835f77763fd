/** What an account has for the first time, compared with the 30 days before. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { type Fields, type OpenTrail, openFolder, record, session, trailFolder, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const NOW = '2026-05-08T00:00:00Z';

/** A trail of records on days of their own. */
async function trailOn(...list: readonly Fields[]): Promise<OpenTrail & AsyncDisposable> {
  const folder = await trailFolder();
  for (const [day, each] of Map.groupBy(list, ({ eventTime }) => String(eventTime).slice(0, 10)))
    await folder.deliver(each, { day: day.replaceAll('-', '/') });
  const open = await openFolder(folder);
  return {
    ...open,
    async [Symbol.asyncDispose]() {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const earlier = (fields: Fields = {}): Fields => record({ eventTime: '2026-04-20T10:00:00Z', ...fields });
const now = (fields: Fields = {}): Fields => record({ eventTime: '2026-05-05T10:00:00Z', ...fields });
const found = async (open: OpenTrail, line = 'new 7d') => (await open.cells(line, NOW)).map(({ kind, value }) => `${kind} ${value}`);

describe('new', () => {
  test('lists only what the days before did not have', async () => {
    await using open = await trailOn(
      earlier(),
      now(),
      now({ eventName: 'RunInstances' }),
      now({ awsRegion: 'ap-southeast-1' }),
      now({ userIdentity: user('mallory') }),
      now({ sourceIPAddress: '198.51.100.7' }),
      now({ eventSource: 'kms.amazonaws.com' }),
      now({ userAgent: 'Boto3/1.40.50' }),
    );
    expect(await found(open)).toEqual([
      'region ap-southeast-1',
      'service kms.amazonaws.com',
      'call ec2.amazonaws.com RunInstances',
      'call kms.amazonaws.com DescribeInstances',
      'actor mallory',
      'address 198.51.100.7',
      'tool Boto3',
    ]);
    expect(toText(await open.ask('new 7d', NOW), templates)).toBe(
      'New, compared with the 30 days before: 1 region, 1 service, 2 calls, 1 actor, 1 address, 1 tool.',
    );
  });

  test('ignores new sessions of known roles, new versions of known tools, and services as addresses', async () => {
    await using open = await trailOn(
      earlier({ userIdentity: session('deploy', 'release-1') }),
      now({ userIdentity: session('deploy', 'release-2') }),
      now({ userIdentity: session('deploy', 'release-2'), userAgent: 'aws-cli/2.99.0' }),
      now({ userIdentity: session('deploy', 'release-2'), sourceIPAddress: 'cloudformation.amazonaws.com' }),
    );
    expect(await found(open)).toEqual([]);
    expect(toText(await open.ask('new 7d', NOW), templates)).toMatch(/^Nothing new from .* UTC, compared with the 30 days before it[.]/);
  });

  test('counts by account: a value known in one account is new in another, and a new account is listed alone', async () => {
    const other = { recipientAccountId: '444455556666' };
    await using open = await trailOn(
      earlier({ eventName: 'RunInstances' }),
      earlier(other),
      now({ ...other, eventName: 'RunInstances' }),
      now({ recipientAccountId: '777788889999', eventName: 'X' }),
    );
    expect((await open.cells('new 7d', NOW)).map(({ kind, value, account }) => [kind, value, account])).toEqual([
      ['account', '777788889999', '777788889999'],
      ['call', 'ec2.amazonaws.com RunInstances', '444455556666'],
    ]);
  });

  test('ignores what is older than the 30 days before', async () => {
    await using open = await trailOn(
      earlier({ eventTime: '2026-03-01T10:00:00Z', eventName: 'RunInstances' }),
      earlier(),
      now({ eventName: 'RunInstances' }),
    );
    expect(await found(open)).toEqual(['call ec2.amazonaws.com RunInstances']);
  });

  test('finds what is new among matching events, and does not call an account new that only lacks earlier matches', async () => {
    const other = { recipientAccountId: '444455556666' };
    const [bob, carol] = [{ userIdentity: user('bob') }, { userIdentity: user('carol') }];
    const first = now({ ...carol, sourceIPAddress: '192.0.2.250', eventTime: '2026-05-05T09:00:00Z', errorCode: 'AccessDenied' });
    await using open = await trailOn(
      earlier(),
      earlier(other),
      earlier(bob),
      now({ ...bob, eventName: 'RunInstances' }),
      now({ ...bob, ...other }),
      first,
      now({ sourceIPAddress: '192.0.2.250' }),
    );
    const sentenceOf = async (line: string) => toText(await open.ask(line, NOW), templates);
    // Carol called first, though Alice comes first.
    expect(await sentenceOf('new ip:192.0.2.250 7d')).toBe(
      'ip:192.0.2.250 was first seen in this time, and not in the 30 days before: 2 events, 1 failed, in 1 account.',
    );
    expect((await open.ask('new ip:192.0.2.250 7d', NOW)).data).toMatchObject({ kinds: [{ shown: [{ actor: 'carol' }] }] });
    expect(await sentenceOf('new user:bob 7d')).toBe('New for user:bob, compared with the 30 days before: 1 account, 1 call.');
    expect(await sentenceOf('new user:nobody 7d')).toMatch(/^Nothing new from .* UTC with user:nobody, compared with the 30 days before it[.]/);
    expect(await sentenceOf('new account:444455556666 7d')).toBe('New, compared with the 30 days before: 1 actor.');
  });

  test('leads from each row to its events, and applies filters to both periods', async () => {
    await using open = await trailOn(earlier(), now({ eventName: 'RunInstances' }), now({ eventName: 'StopInstances', userIdentity: user('bob') }));
    expect(await found(open, 'new user:alice 7d')).toEqual(['call ec2.amazonaws.com RunInstances']);
    const { table } = await open.ask('new 7d top:1', NOW);
    expect(table?.more).toBe(true);
    for (const row of table?.rows ?? []) expect((await open.cells(row.next?.line ?? '', NOW)).length).toBe(row.cells.events);
  });
});

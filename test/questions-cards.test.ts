/** What is known of a user, a role, a key, an address, an account, a region, a resource. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { ACCOUNT, type Fields, record, records, session, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const OTHER = '444455556666';

const LIST: readonly Fields[] = [
  ...records(3, () => ({ userIdentity: user('carol') })),
  record({
    userIdentity: user('carol'),
    eventName: 'RunInstances',
    readOnly: false,
    errorCode: 'Client.UnauthorizedOperation',
    sourceIPAddress: '198.51.100.9',
  }),
  record({ userIdentity: session('deploy', 'carol'), recipientAccountId: OTHER, awsRegion: 'us-east-1', eventTime: '2026-05-01T12:00:00Z' }),
  // A look-alike of each.
  record({ userIdentity: { ...user('carolina'), accessKeyId: 'AKIAEXAMPLEEXAMPLE02' }, sourceIPAddress: '203.0.113.77', awsRegion: 'eu-west-1' }),
  record({
    userIdentity: session('deployer', 'x', { accessKeyId: 'ASIAEXAMPLEEXAMPLE03' }),
    sourceIPAddress: '203.0.113.77',
    requestParameters: { roleName: 'carol-role' },
  }),
];

describe('A card', () => {
  test.each([
    ['user carol', 5, 'carol made 5 calls in 2 accounts, '],
    ['role deploy', 1, 'Sessions of the role deploy made 1 call in 1 account, '],
    [`role arn:aws:iam::${ACCOUNT}:role/team/deploy`, 1, 'Sessions of the role deploy made 1 call in 1 account, '],
    ['key AKIAIOSFODNN7EXAMPLE', 4, 'The access key AKIAIOSFODNN7EXAMPLE was used for 4 calls in 1 account, '],
    ['ip 203.0.113.77', 2, 'From 203.0.113.77 came 2 calls to 1 account, '],
    [`account ${OTHER}`, 1, `In the account ${OTHER} there was 1 call, `],
    ['region us-east-1', 1, 'In the region us-east-1 there was 1 call in 1 account, '],
    ['resource carol-role', 1, 'carol-role is named in 1 call in 1 account, '],
  ])('%s counts its own events alone', async (line, events, begins) => {
    await using open = await trailOf(...LIST);
    const answer = await open.ask(`${line} ${DAY}`);
    expect(answer.data).toMatchObject({ events });
    expect(toText(answer, templates).startsWith(begins)).toBe(true);
    for (const { next, cells } of answer.table?.rows ?? []) {
      if (!line.startsWith('resource') || cells.kind === 'call') expect((await open.cells(next?.line ?? '')).length).toBe(cells.events);
    }
    for (const lead of answer.next ?? []) await expect(open.ask(lead.line)).resolves.toBeDefined();
  });

  test('tells accounts, services, calls, addresses, keys and refusals', async () => {
    await using open = await trailOf(...LIST);
    const answer = await open.ask(`user carol ${DAY}`);
    expect(answer.data).toMatchObject({ writes: 1, failed: 1, denied: 1, first: '2026-05-01T10:00:00Z', last: '2026-05-01T12:00:00Z' });
    expect(toText(answer, templates)).toMatch(/: 1 write, 1 in vain \(1 refused\)[.]$/);
    const shown = toTerminal(answer, templates, 160);
    expect(shown).toContain('\nAccounts: 111122223333 4 (1 in vain), 444455556666 1');
    expect(shown).toContain('\nAddresses: 203.0.113.7 4, 198.51.100.9 1 (1 in vain)');
    expect(shown).toContain('\nErrors: Client.UnauthorizedOperation 1\n');
  });

  test('tells what is new of the last week about a subject that is older, and nothing of one that is not', async () => {
    const now = '2026-05-02T00:00:00Z';
    await using open = await trailOf(record({ eventTime: '2026-05-01T08:00:00Z' }), record({ eventName: 'RunInstances' }));
    expect((await open.ask(`user alice 1d`, now)).data).toMatchObject({ fresh: [] });
    await using older = await trailOf(
      record({ eventTime: '2026-04-30T23:00:00Z' }),
      record({ eventTime: '2026-05-07T23:00:00Z', eventName: 'RunInstances' }),
    );
    expect((await older.ask(`user alice 2026-04-30..2026-05-08`)).data).toMatchObject({
      fresh: [{ kind: 'call', value: 'ec2.amazonaws.com RunInstances' }],
    });
  });

  test('of nobody says so, and one that is none is refused with what it looks like', async () => {
    await using open = await trailOf(...LIST);
    const answer = await open.ask(`user nobody ${DAY}`);
    expect(toText(answer, templates)).toBe('Nobody called nobody did anything in this time.');
    expect(answer.next).toMatchObject([{ line: 'user nobody 30d' }]);
    for (const [line, message] of [
      ['key carol', 'An access key id looks like'],
      ['ip carol', 'An address looks like'],
      ['account 12', 'An account is twelve digits'],
      ['region europe', 'A region looks like'],
    ] as const) {
      await expect(open.ask(line)).rejects.toThrow(message);
    }
  });
});

/** Profiles of a user, a role, a key, an address, an account, a region and a resource. */
import { describe, expect, inject, test } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { ACCOUNT, type Fields, openStore, record, records, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

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
  // Similar names for each.
  record({ userIdentity: { ...user('carolina'), accessKeyId: 'AKIAEXAMPLEEXAMPLE02' }, sourceIPAddress: '203.0.113.77', awsRegion: 'eu-west-1' }),
  record({
    userIdentity: session('deployer', 'x', { accessKeyId: 'ASIAEXAMPLEEXAMPLE03' }),
    sourceIPAddress: '203.0.113.77',
    requestParameters: { roleName: 'carol-role' },
  }),
];
const whole = trailForAll(...LIST);

/** Rows of each profile to ask about: a dozen cover two of every kind. */
const MAX_PROFILE_ROWS = 14;

describe('A profile of the sample trail', () => {
  test.each([
    'user jonas.weber@example.com',
    'role orders-api-role',
    'key AKIAUKLSVEZN3I7SLQHX',
    'ip 192.0.2.250',
    'account 444455556666',
    'region eu-central-1',
    'resource orders-api',
    'resource arn:aws:iam::444455556666:role/orders-api-role',
  ])('%s leads from each row to as many events as it counts', async (line) => {
    await using open = await openStore(inject('sampleStore'));
    const rows = (await open.ask(`${line} top:2 30d`, SAMPLE_END)).table?.rows ?? [];
    expect(rows.length).toBeGreaterThan(3);
    for (const { cells, next } of rows.slice(0, MAX_PROFILE_ROWS)) {
      const groups = await open.cells(`${next?.line} by:account`, SAMPLE_END);
      const events = groups.reduce((sum, group) => sum + Number(group.events), 0);
      expect(`${next?.line}: ${events}`).toBe(`${next?.line}: ${cells.events}`);
    }
  });
});

describe('A profile', () => {
  test.each([
    ['user carol', 5, 'carol made 5 calls in 2 accounts, '],
    ['role deploy', 1, 'The role deploy made 1 call in 1 account, '],
    [`role arn:aws:iam::${ACCOUNT}:role/team/deploy`, 1, 'The role deploy made 1 call in 1 account, '],
    ['key AKIAIOSFODNN7EXAMPLE', 4, 'The access key AKIAIOSFODNN7EXAMPLE was used for 4 calls in 1 account, '],
    ['ip 203.0.113.77', 2, '2 calls came from 203.0.113.77 to 1 account, '],
    [`account ${OTHER}`, 1, `1 call in the account ${OTHER}, `],
    ['region us-east-1', 1, '1 call in the region us-east-1, in 1 account, '],
    ['resource carol-role', 1, '1 call in 1 account names carol-role, '],
  ])('%s counts only its own events', async (line, events, begins) => {
    const open = whole();
    const answer = await open.ask(`${line} ${DAY}`);
    expect(answer.data).toMatchObject({ events });
    expect(toText(answer, templates).startsWith(begins)).toBe(true);
    for (const { next, cells } of answer.table?.rows ?? []) {
      expect(await open.cells(next?.line ?? '')).toHaveLength(Number(cells.events));
    }
    for (const lead of answer.next ?? []) await expect(open.ask(lead.line)).resolves.toBeDefined();
  });

  test('shows accounts, services, calls, addresses, keys and denials', async () => {
    const open = whole();
    const answer = await open.ask(`user carol ${DAY}`);
    expect(answer.data).toMatchObject({ writes: 0, failed: 1, denied: 1, first: '2026-05-01T10:00:00Z', last: '2026-05-01T12:00:00Z' });
    expect(toText(answer, templates)).toMatch(/: 0 writes, 1 denied[.]$/);
    const shown = toTerminal(answer, templates, 160);
    expect(shown).toContain('\nAccounts: 111122223333 4 (1 failed), 444455556666 1');
    expect(shown).toContain('\nAddresses: 203.0.113.7 4, 198.51.100.9 1 (1 failed)');
    expect(shown).toContain('\nErrors: Client.UnauthorizedOperation 1\n');
  });

  test('shows what is new in the last week, but only for a subject that is older', async () => {
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

  test('says how many calls failed, and how many of them were denied', async () => {
    const ended = (errorCode?: string) => record({ errorCode });
    await using open = await trailOf(ended(), ended('AccessDenied'), ended('ThrottlingException'));
    expect(toText(await open.ask(`user alice ${DAY}`), templates)).toMatch(/: 0 writes, 2 failed, 1 of them denied[.]$/);
  });

  test('shows as many rows of a kind as `top:` allows, with the same totals', async () => {
    const accounts = [ACCOUNT, OTHER, '777788889999'];
    await using open = await trailOf(...accounts.map((recipientAccountId, n) => record({ recipientAccountId, eventName: `Describe${n}` })));
    const few = await open.ask(`user alice top:1 ${DAY}`);
    expect(few.data).toMatchObject({ events: 3, accounts: 3 });
    expect(few.table?.more).toBe(true);
    expect(few.table?.rows.filter(({ cells }) => cells.kind === 'account')).toHaveLength(1);
    expect((await open.ask(`user alice ${DAY}`)).table?.rows.filter(({ cells }) => cells.kind === 'account')).toHaveLength(3);
  });

  test('offers what it changed when a write succeeded; a sign-in is not a change', async () => {
    const signIn = record({
      eventSource: 'signin.amazonaws.com',
      eventName: 'ConsoleLogin',
      readOnly: false,
      responseElements: { ConsoleLogin: 'Success' },
    });
    const refused = record({ eventName: 'RunInstances', readOnly: false, errorCode: 'Client.UnauthorizedOperation' });
    const changed = record({ eventName: 'StopInstances', readOnly: false });
    const leadOf = async (list: readonly Fields[]) => {
      await using open = await trailOf(...list);
      const { data, next = [] } = await open.ask(`user alice ${DAY}`);
      const lead = next.find(({ label }) => label === 'What it changed');
      return { data, ids: lead && (await open.ids(lead.line)) };
    };
    expect(await leadOf([signIn])).toMatchObject({ data: { writes: 0 }, ids: undefined });
    expect(await leadOf([signIn, refused])).toMatchObject({ data: { writes: 0 }, ids: undefined });
    expect(await leadOf([signIn, refused, changed])).toMatchObject({ data: { writes: 1 }, ids: [changed.eventID] });
  });

  test.each([
    [`user carol ${DAY}`, ['session carol', 'rare user:carol', 'new user:carol', 'ip 203.0.113.7']],
    [`role deploy ${DAY}`, ['session deploy', 'rare role:deploy', 'who-changed deploy', 'ip 203.0.113.7']],
    [`key AKIAIOSFODNN7EXAMPLE ${DAY}`, ['session AKIAIOSFODNN7EXAMPLE', 'rare key:AKIAIOSFODNN7EXAMPLE', 'user carol']],
    [`ip 203.0.113.7 ${DAY}`, ['new ip:203.0.113.7', 'user carol', 'key AKIAIOSFODNN7EXAMPLE']],
    [`account ${OTHER} ${DAY}`, ['user deploy', 'ip 203.0.113.7']],
  ])('%s offers at most six follow-ups', async (line, leads) => {
    const open = whole();
    const { next = [] } = await open.ask(line);
    for (const lead of leads) expect(next.map(({ line: asked }) => asked.replace(` ${DAY}`, ''))).toContain(lead);
    expect(next.length).toBeLessThanOrEqual(6);
  });

  test.each([
    ['user caroll', 'user carol'],
    ['user deplyo', 'user deploy'],
    ['role deplyo', 'role deploy'],
    ['region eu-centrl-1', 'region eu-central-1'],
    ['account 111122223332', `account ${ACCOUNT}`],
    ['resource carol-rol', 'resource carol-role'],
  ])('without events, %s, offers the nearest name: %s', async (line, meant) => {
    const open = whole();
    const [first] = (await open.ask(`${line} ${DAY}`)).next ?? [];
    expect(first).toEqual({ label: `Did you mean ${meant.split(' ')[1]}?`, line: `${meant} ${DAY}` });
    expect((await open.ask(first?.line ?? '')).table?.rows).not.toEqual([]);
  });

  test('without events keeps its answer when the search for the nearest name would cost too much', async () => {
    const open = whole();
    let asked = 0;
    const dear: QueryEngine = {
      ...open.engine,
      async execute(statement, execution) {
        asked += 1;
        if (asked > 1) throw new UserError('To go on is dear.');
        return open.engine.execute(statement, execution);
      },
    };
    const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), dear);
    const { data, next } = await desk.answer(`user caroll ${DAY}`, { now: new Date('2026-05-02T00:00:00Z'), signal: new AbortController().signal });
    expect(asked).toBe(2);
    expect(data).toMatchObject({ events: 0 });
    expect(next?.filter(({ label }) => label.startsWith('Did you mean'))).toEqual([]);
  });

  test('without events offers no other name when its name is in the trail', async () => {
    const open = whole();
    const { next = [] } = await open.ask('region eu-central-1 2026-04-01');
    expect(next.filter(({ label }) => label.startsWith('Did you mean'))).toEqual([]);
  });

  test.each([
    ['100%_user', '100xyuser'],
    ["O'Brien", 'OBrien'],
    ['back`tick', 'backtick'],
    ['日本', '日本人'],
    ['=HYPERLINK("http://x")', 'HYPERLINK'],
  ])('of the hostile name %s matches no similar name', async (name, alike) => {
    await using open = await trailOf(
      record({ userIdentity: user(name) }),
      record({ userIdentity: user(alike), requestParameters: { userName: alike } }),
    );
    const answer = await open.ask(`user ${JSON.stringify(name)} ${DAY}`);
    expect(answer.data).toMatchObject({ events: 1, name });
    for (const { next } of answer.table?.rows ?? []) expect(await open.cells(next?.line ?? '')).toHaveLength(1);
    expect((await open.ask(`role ${JSON.stringify(name)} ${DAY}`)).data).toMatchObject({ events: 0 });
  });

  test('of an IPv6 address matches no longer address, and of a network matches only addresses', async () => {
    const from = (sourceIPAddress: string) => record({ sourceIPAddress });
    await using open = await trailOf(
      ...['2001:db8::1', '2001:db8::12', '10.0.1.5', '10.0.12.5', '10.0.1.5.amazonaws.com', 'AWS Internal', 'ec2.amazonaws.com'].map(from),
    );
    expect((await open.ask(`ip 2001:db8::1 ${DAY}`)).data).toMatchObject({ events: 1 });
    expect((await open.ask(`ip 2001:db8::/32 ${DAY}`)).data).toMatchObject({ events: 2 });
    expect((await open.ask(`ip 10.0.1.0/24 ${DAY}`)).data).toMatchObject({ events: 1 });
  });

  test('does not take a service for an address, but counts private addresses', async () => {
    const from = (sourceIPAddress: string) => record({ sourceIPAddress });
    await using open = await trailOf(...['cloudformation.amazonaws.com', 'AWS Internal', '10.0.1.5', '2001:db8::1'].map(from));
    const addresses = (await open.cells(`user alice ${DAY}`)).filter(({ kind }) => kind === 'address').map(({ value }) => value);
    expect(addresses.toSorted()).toEqual(['10.0.1.5', '2001:db8::1']);
  });

  test('of a resource leads to records that name it, even when their target is another', async () => {
    const attached = record({ eventName: 'AttachVolume', readOnly: false, requestParameters: { volumeId: 'vol-0aa', instanceId: 'i-0bb' } });
    const other = record({ eventName: 'AttachVolume', readOnly: false, requestParameters: { volumeId: 'vol-0cc', instanceId: 'i-0bbb' } });
    await using open = await trailOf(attached, other);
    for (const name of ['vol-0aa', 'i-0bb']) {
      const { data, table } = await open.ask(`resource ${name} ${DAY}`);
      expect(data).toMatchObject({ events: 1 });
      for (const { next } of table?.rows ?? []) expect(await open.ids(next?.line ?? '')).toContain(attached.eventID);
    }
  });

  test('of an unknown user says so, and an invalid subject is refused with an example', async () => {
    const open = whole();
    const answer = await open.ask(`user nobody ${DAY}`);
    expect(toText(answer, templates)).toMatch(/^No call by nobody from 2026/);
    expect((await open.ask('user nobody 1h')).next).toMatchObject([{ line: expect.stringMatching(/^user nobody \d+[hd]$/) }]);
    for (const [line, message] of [
      ['key carol', 'An access key id looks like'],
      ['ip carol', 'An address looks like'],
      ['account 12', 'An account has an id of 12 digits'],
      ['region europe', 'A region looks like'],
    ] as const) {
      await expect(open.ask(line)).rejects.toThrow(message);
    }
  });
});

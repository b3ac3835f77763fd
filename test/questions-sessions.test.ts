/** Sessions, followed from one to the next across accounts, and calls that belong to no session. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { ACCOUNT, type Fields, record, trailOf, user } from './support/trail-folder.ts';

const DAY = '2026-05-01';
const OTHER = '444455556666';
const templates = new URL('../templates/', import.meta.url);

interface Role {
  readonly role: string;
  readonly name: string;
  readonly key: string;
  readonly created: string;
  readonly account?: string;
}

const idOf = ({ role, name }: Pick<Role, 'role' | 'name'>): string =>
  `AROA${role
    .toUpperCase()
    .replace(/[^A-Z]/g, '')
    .padEnd(17, '0')}:${name}`;
const arnOf = ({ role, name, account = ACCOUNT }: Role): string => `arn:aws:sts::${account}:assumed-role/${role}/${name}`;

/** The identity of a role's session. */
const as = (session: Role): Fields => ({
  type: 'AssumedRole',
  principalId: idOf(session),
  arn: arnOf(session),
  accountId: session.account ?? ACCOUNT,
  accessKeyId: session.key,
  sessionContext: {
    sessionIssuer: {
      type: 'Role',
      principalId: idOf(session).split(':')[0],
      arn: `arn:aws:iam::${session.account ?? ACCOUNT}:role/${session.role}`,
      userName: session.role,
    },
    attributes: { creationDate: `2026-05-01T${session.created}Z`, mfaAuthenticated: 'false' },
  },
});

const at = (clock: string, userIdentity: Fields, more: Fields = {}): Fields => record({ eventTime: `2026-05-01T${clock}Z`, userIdentity, ...more });

const assume = (clock: string, userIdentity: Fields, into: Role, more: Fields = {}): Fields =>
  at(clock, userIdentity, {
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    requestParameters: { roleArn: `arn:aws:iam::${into.account ?? ACCOUNT}:role/${into.role}`, roleSessionName: into.name },
    responseElements: { credentials: { accessKeyId: into.key, sessionToken: 'x' }, assumedRoleUser: { assumedRoleId: idOf(into), arn: arnOf(into) } },
    ...more,
  });

const BUILD: Role = { role: 'build', name: 'run-1', key: 'ASIAEXAMPLEEXAMPLE01', created: '09:00:00' };
const DEPLOY: Role = { role: 'deploy', name: 'run-1', key: 'ASIAEXAMPLEEXAMPLE02', created: '09:01:00', account: OTHER };

describe('session', () => {
  test('follows a role chain across accounts from either end, and shows its length', async () => {
    const shared = { sharedEventID: '5ba7ed00-0000-4000-8000-00000000c0de' };
    const list = [
      at('08:59:00', user('ci')),
      assume('09:00:00', user('ci'), BUILD),
      at('09:00:30', as(BUILD)),
      assume('09:01:00', as(BUILD), DEPLOY, shared),
      // The account that owns the role sees an account number only.
      assume('09:01:00', { type: 'AWSAccount', principalId: idOf(BUILD), accountId: ACCOUNT }, DEPLOY, { ...shared, recipientAccountId: OTHER }),
      at('09:02:00', as(DEPLOY), { eventName: 'TerminateInstances', readOnly: false, recipientAccountId: OTHER }),
    ];
    const lookAlikes = [
      // Another run of the same role, and another session of the same name.
      at('11:00:00', as({ ...DEPLOY, name: 'run-2', key: 'ASIAEXAMPLEEXAMPLE03', created: '10:59:00' })),
      at('11:30:00', as({ ...BUILD, key: 'ASIAEXAMPLEEXAMPLE04', created: '11:29:00' })),
    ];
    await using open = await trailOf(...list, ...lookAlikes);
    // A user's calls with a long-term key belong to the user, not to a session that the user started.
    for (const [who, calls] of [
      [DEPLOY.key, 4],
      [BUILD.key, 4],
      ['ci', 5],
    ] as const) {
      const answer = await open.ask(`session ${who} ${DAY}`);
      expect(answer.data).toMatchObject({ calls, total: 3, accounts: 2, longest: 2, chain: ['ci', 'build/run-1', 'deploy/run-1'] });
      expect(answer.table?.rows.map(({ cells }) => cells.eventname)).toContain('TerminateInstances');
    }
    expect(toText(await open.ask(`session ${DEPLOY.key} ${DAY}`), templates)).toContain(
      'the longest chain has 2 steps: ci → build/run-1 → deploy/run-1',
    );
  });

  test('groups the many keys of a console session into one session, with its sign-in and role switch', async () => {
    const console = (clock: string, key: string): Fields =>
      at(clock, as({ ...BUILD, key }), { userAgent: 'Mozilla/5.0', sessionCredentialFromConsole: 'true' });
    const { sessionContext: _, accessKeyId: __, ...door } = as(BUILD);
    const switched = at('09:00:00', door, {
      eventSource: 'signin.amazonaws.com',
      eventName: 'SwitchRole',
      eventType: 'AwsConsoleSignIn',
      responseElements: { SwitchRole: 'Success' },
      additionalEventData: { SwitchFrom: `arn:aws:iam::${OTHER}:user/dora` },
    });
    const home = at('08:50:00', user('dora', OTHER), { recipientAccountId: OTHER });
    const later = at('12:00:00', as({ ...BUILD, key: 'ASIAEXAMPLEEXAMPLE09', created: '11:59:00' }));
    await using open = await trailOf(switched, console('09:00:10', 'ASIAEXAMPLEEXAMPLE05'), console('09:00:20', 'ASIAEXAMPLEEXAMPLE06'), home, later);
    const { data } = await open.ask(`session ASIAEXAMPLEEXAMPLE06 ${DAY}`);
    expect(data).toMatchObject({
      calls: 4,
      total: 2,
      chain: ['dora', 'build/run-1'],
      sessions: [{ actor: 'dora' }, { by: 'SwitchRole', calls: 3, hasSeveralNetworks: false }],
    });
    expect((await open.ask(`session build/run-1 ${DAY}`)).data).toMatchObject({ calls: 5, total: 3 });
  });

  test('leaves out other sessions of the same user, and sibling sessions', async () => {
    const { sessionContext: _, accessKeyId: __, ...door } = as(DEPLOY);
    const home = (created: string, key: string): Fields => as({ ...BUILD, name: 'dora', created, key });
    const switched = at('09:01:00', door, {
      eventSource: 'signin.amazonaws.com',
      eventName: 'SwitchRole',
      eventType: 'AwsConsoleSignIn',
      additionalEventData: { SwitchFrom: arnOf({ ...BUILD, name: 'dora' }) },
    });
    const sibling: Role = { role: 'audit', name: 'dora', key: 'ASIAEXAMPLEEXAMPLE08', created: '09:00:40' };
    await using open = await trailOf(
      at('09:00:30', home('09:00:00', 'ASIAEXAMPLEEXAMPLE06')),
      assume('09:00:40', home('09:00:00', 'ASIAEXAMPLEEXAMPLE06'), sibling),
      at('09:00:50', as(sibling), { eventName: 'ListUsers' }),
      switched,
      at('09:02:00', as(DEPLOY)),
      at('07:30:00', home('07:00:00', 'ASIAEXAMPLEEXAMPLE07')),
      at('15:30:00', home('15:00:00', 'ASIAEXAMPLEEXAMPLE07')),
    );
    expect((await open.ask(`session ${DEPLOY.key} ${DAY}`)).data).toMatchObject({ calls: 4, total: 2, chain: ['build/dora', 'deploy/run-1'] });
  });

  test('is a follow-up of AssumeRole, of SwitchRole and of a call in a role', async () => {
    const given = assume('09:00:00', user('ci'), BUILD);
    const within = at('09:00:30', as(BUILD));
    const plain = at('10:00:00', user('ci'));
    const onwards = assume('09:01:00', as(BUILD), DEPLOY);
    const console = at('11:00:00', { ...user('dora'), accessKeyId: 'ASIAEXAMPLEEXAMPLE20' });
    const service = at('12:00:00', { ...as(BUILD), invokedBy: 'athena.amazonaws.com' });
    await using open = await trailOf(given, within, plain, onwards, console, service);
    const leads = async (event: Fields) =>
      (await open.ask(`event ${event.eventID} ${DAY}`)).next?.flatMap(({ line }) => (line.startsWith('session ') ? line : []));
    expect(await leads(given)).toEqual([`session ${BUILD.key} ${DAY}`]);
    expect(await leads(within)).toEqual([`session ${BUILD.key} ${DAY}`]);
    expect(await leads(onwards)).toEqual([`session ${DEPLOY.key} ${DAY}`, `session ${BUILD.key} ${DAY}`]);
    // The console takes keys for a person, too.
    expect(await leads(console)).toEqual([`session ASIAEXAMPLEEXAMPLE20 ${DAY}`]);
    expect(await leads(service)).toEqual([`session ${BUILD.key} ${DAY}`]);
    expect(await leads(plain)).toEqual([]);
  });

  test('offers changes, profiles, denials and the calls before it', async () => {
    const ci = at('08:50:00', user('ci'), { sourceIPAddress: '198.51.100.4' });
    const bare = at('08:40:00', user('eve'), { eventName: 'StopLogging' });
    const list = [
      assume('09:00:00', user('ci'), BUILD),
      at('09:00:30', as(BUILD), { eventName: 'CreateKeyPair', readOnly: false, errorCode: 'Client.UnauthorizedOperation' }),
      assume('09:01:00', as(BUILD), DEPLOY),
      at('09:02:10', as(DEPLOY), { eventName: 'TerminateInstances', readOnly: false }),
    ];
    await using open = await trailOf(ci, bare, ...list);
    const next = (await open.ask(`session ${BUILD.key} ${DAY}`)).next ?? [];
    const span = '2026-05-01T09:00..2026-05-01T09:03';
    expect(next.map(({ label, line }) => `${line} (${label})`)).toEqual([
      'events actor:deploy/run-1 reads:false outcome:ok 2026-05-01T09:02..2026-05-01T09:03 (Changes by deploy/run-1)',
      `user ci ${span} (About ci)`,
      `ip 203.0.113.7 ${span} (About 203.0.113.7)`,
      `role build ${span} (About build)`,
      `denied actor:build/run-1 ${span} (Denials of build/run-1)`,
      'events 2026-05-01T08:45..2026-05-01T09:01 (15 minutes before it)',
      `count key:${BUILD.key} by:event ${DAY} (Count its calls)`,
    ]);
    for (const { line } of next) expect((await open.ask(line)).table?.rows.length, line).toBeGreaterThan(0);
    // With two addresses, no address is offered.
    const all = (await open.ask(`session ci ${DAY}`)).next?.map(({ line }) => line.split(' ')[0]);
    expect(all).not.toContain('ip');
    // Without changes and denials, neither is offered.
    expect((await open.ask(`session eve ${DAY}`)).next?.map(({ line }) => line.split(' ')[0])).toEqual(['user', 'ip', 'events', 'count']);
  });

  test('is counted with the filters that find it', async () => {
    await using open = await trailOf(at('09:00:30', as(BUILD)), at('09:00:40', as({ ...BUILD, name: 'run-2' })));
    for (const [who, filters, events] of [
      [BUILD.key, `key:${BUILD.key}`, 2],
      ['build', 'user:build', 2],
      ['build/run-1', 'role:build user:run-1', 1],
      [arnOf(BUILD), `user:${arnOf(BUILD)}`, 1],
      ['AROABUILD000000000000', 'principal:AROABUILD000000000000,AROABUILD000000000000:*', 2],
    ] as const) {
      const counts = (await open.ask(`session ${who} ${DAY}`)).next?.find(({ label }) => label === 'Count its calls')?.line ?? '';
      expect(counts).toBe(`count ${filters} by:event ${DAY}`);
      expect(await open.cells(counts), who).toMatchObject([{ events }]);
    }
  });

  test('applies filters to sessions: it shows whole sessions with a matching call', async () => {
    const later = { ...BUILD, key: 'ASIAEXAMPLEEXAMPLE21', created: '12:00:00' };
    const keyed = (clock: string, accessKeyId: string, more: Fields = {}): Fields => at(clock, { ...user('ci'), accessKeyId }, more);
    const abroad = { sourceIPAddress: '198.51.100.4' };
    await using open = await trailOf(
      at('09:00:30', as(BUILD)),
      at('09:00:40', as(BUILD), abroad),
      at('12:00:30', as(later)),
      keyed('10:00:00', 'AKIAEXAMPLEEXAMPLE01', abroad),
      keyed('10:01:00', 'AKIAEXAMPLEEXAMPLE01'),
      keyed('10:02:00', 'AKIAEXAMPLEEXAMPLE02'),
    );
    expect((await open.ask(`session build ${DAY}`)).data).toMatchObject({ calls: 3, total: 2 });
    expect((await open.ask(`session build ip:198.51.100.4 ${DAY}`)).data).toMatchObject({ calls: 2, total: 1 });
    expect((await open.ask(`session ci ip:198.51.100.4 ${DAY}`)).data).toMatchObject({ calls: 2, total: 1 });
    const none = await open.ask('session build ip:192.0.2.1 2026-05-01T08:30..2026-05-01T11:00');
    expect(toText(none, templates)).toMatch(/^No session of build from .* with /);
    expect(none.next?.map(({ line }) => line)).toContain('session build ip:192.0.2.1 30d');
  });

  test('says when a session is used from two networks; a service on its behalf is not one', async () => {
    const from = (clock: string, sourceIPAddress: string, more: Fields = {}): Fields => at(clock, { ...as(BUILD), ...more }, { sourceIPAddress });
    await using stolen = await trailOf(from('09:00:01', '203.0.113.7'), from('09:00:02', '198.51.100.9'));
    expect((await stolen.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({
      sessions: [{ hasSeveralNetworks: true, addresses: '203.0.113.7, 198.51.100.9', services: 0 }],
    });
    expect(toTerminal(await stolen.ask(`session ${BUILD.key} ${DAY}`), templates, 160)).toContain('Used from 2 networks');
    await using fine = await trailOf(
      from('09:00:01', '203.0.113.7'),
      from('09:00:02', '203.0.113.250'),
      from('09:00:03', 'cloudformation.amazonaws.com', { invokedBy: 'cloudformation.amazonaws.com' }),
    );
    expect((await fine.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({
      sessions: [{ hasSeveralNetworks: false, services: 1, service: 'cloudformation.amazonaws.com' }],
    });
  });

  test('finds who got a session by its key, when STS returns only credentials; two networks are usual for a Lambda function', async () => {
    const given = (service: string): Fields =>
      assume('09:00:00', { type: 'AWSService', invokedBy: service }, BUILD, {
        sourceIPAddress: service,
        responseElements: { credentials: { accessKeyId: BUILD.key, sessionToken: 'x' } },
      });
    const calls = ['203.0.113.7', '198.51.100.9'].map((sourceIPAddress, i) => at(`09:00:0${i + 1}`, as(BUILD), { sourceIPAddress }));
    const usual = '(usual for a Lambda function)';
    await using lambda = await trailOf(given('lambda.amazonaws.com'), ...calls);
    const answer = await lambda.ask(`session build ${DAY}`);
    expect(answer.data).toMatchObject({ total: 2, longest: 1, chain: ['lambda.amazonaws.com', 'build/run-1'] });
    expect(toTerminal(answer, templates, 160)).toContain(usual);
    await using instance = await trailOf(given('ec2.amazonaws.com'), ...calls);
    const stolen = toTerminal(await instance.ask(`session build ${DAY}`), templates, 160);
    expect(stolen).toContain('Used from 2 networks');
    expect(stolen).not.toContain(usual);
  });

  test('says that the caller chose the session name, unless Identity Center set it', async () => {
    const chosen = 'the caller chooses the part after the slash';
    const sso: Role = { ...BUILD, role: 'AWSReservedSSO_Admin_0123456789abcdef', name: 'alice@example.com', key: 'ASIAEXAMPLEEXAMPLE11' };
    const named: Role = { ...BUILD, name: 'alice@example.com', key: 'ASIAEXAMPLEEXAMPLE12' };
    await using open = await trailOf(at('09:00:30', as(sso)), at('09:00:30', as(named)));
    const shown = async (key: string) => toTerminal(await open.ask(`session ${key} ${DAY}`), templates, 160);
    expect(await shown(named.key)).toContain(chosen);
    expect(await shown(sso.key)).not.toContain(chosen);
    for (const [{ key }, basis] of [
      [named, 'session name, chosen by the caller'],
      [sso, 'IAM Identity Center'],
    ] as const) {
      const [row] = await open.cells(`events key:${key} ${DAY}`);
      expect((await open.ask(`event ${row?.eventid} ${DAY}`)).data).toMatchObject({ basis, found: { actor: 'alice@example.com' } });
    }
  });

  test('counts a call once that two accounts recorded', async () => {
    const shared = { sharedEventID: '5ba7ed00-0000-4000-8000-00000000c0de' };
    const both = [assume('09:01:00', as(BUILD), DEPLOY, shared), assume('09:01:00', as(BUILD), DEPLOY, { ...shared, recipientAccountId: OTHER })];
    const another = assume('09:01:00', as(BUILD), DEPLOY, { sharedEventID: '5ba7ed00-0000-4000-8000-00000000beef' });
    await using once = await trailOf(...both);
    expect((await once.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({ calls: 1 });
    await using twice = await trailOf(...both, another);
    expect((await twice.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({ calls: 2 });
  });

  test('shows no session for a denied AssumeRole, and explains how to write a session when it finds none', async () => {
    const denied = at('09:00:00', user('ci'), { eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', errorCode: 'AccessDenied' });
    await using open = await trailOf(denied, at('09:02:00', as(DEPLOY)));
    expect((await open.ask(`session ci ${DAY}`)).data).toMatchObject({ calls: 1, total: 1, failed: 1, longest: 0 });
    const none = await open.ask('session AKIAEXAMPLEEXAMPLE99 2026-05-01T09:01..2026-05-02');
    expect(toText(none, templates)).toMatch(/^No session of AKIAEXAMPLEEXAMPLE99 from 2026-05-01 09:01:00 UTC to 2026-05-03 00:00:00 UTC[.] /);
    expect(toText(none, templates)).toMatch(/ Write a key in full [(]AKIA…, ASIA…[)], and a session as role[/]session[.]$/);
    expect(none.next?.map(({ line }) => line)).toContain('session AKIAEXAMPLEEXAMPLE99 30d');
  });
});

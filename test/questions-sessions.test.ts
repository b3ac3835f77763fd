/** Sessions followed from one to the next, across accounts, and what is not to be taken for one. */
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
  test('follows a chain of roles across accounts, from any of its ends, and tells its length', async () => {
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
    // What a user did with a key of its own beside that belongs to the user, and not to a session that came of it.
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
      'the longest chain is 2 steps: ci → build/run-1 → deploy/run-1',
    );
  });

  test('takes the many keys of a console session for one session, sign-in and switch included', async () => {
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
      sessions: [{ actor: 'dora' }, { by: 'SwitchRole', calls: 3, isApart: false }],
    });
    expect((await open.ask(`session build/run-1 ${DAY}`)).data).toMatchObject({ calls: 5, total: 3 });
  });

  test('leaves out other sessions of whoever a role was switched from, and siblings', async () => {
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

  test('is where the record of an AssumeRole, of a SwitchRole and of a call in a role leads', async () => {
    const given = assume('09:00:00', user('ci'), BUILD);
    const within = at('09:00:30', as(BUILD));
    const plain = at('10:00:00', user('ci'));
    await using open = await trailOf(given, within, plain);
    const leads = async (event: Fields) =>
      (await open.ask(`event ${event.eventID} ${DAY}`)).next?.flatMap(({ line }) => (line.startsWith('session ') ? line : []));
    expect(await leads(given)).toEqual([`session ${BUILD.key} ${DAY}`]);
    expect(await leads(within)).toEqual([`session ${BUILD.key} ${DAY}`]);
    expect(await leads(plain)).toEqual([]);
  });

  test('says when a session is used from two networks, and does not take a service on its behalf for one', async () => {
    const from = (clock: string, sourceIPAddress: string, more: Fields = {}): Fields => at(clock, { ...as(BUILD), ...more }, { sourceIPAddress });
    await using stolen = await trailOf(from('09:00:01', '203.0.113.7'), from('09:00:02', '198.51.100.9'));
    expect((await stolen.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({
      sessions: [{ isApart: true, addresses: '203.0.113.7, 198.51.100.9', services: 0 }],
    });
    expect(toTerminal(await stolen.ask(`session ${BUILD.key} ${DAY}`), templates, 160)).toContain('Used from 2 networks');
    await using fine = await trailOf(
      from('09:00:01', '203.0.113.7'),
      from('09:00:02', '203.0.113.250'),
      from('09:00:03', 'cloudformation.amazonaws.com', { invokedBy: 'cloudformation.amazonaws.com' }),
    );
    expect((await fine.ask(`session ${BUILD.key} ${DAY}`)).data).toMatchObject({
      sessions: [{ isApart: false, services: 1, service: 'cloudformation.amazonaws.com' }],
    });
  });

  test('finds who was given a session by its key, where STS tells a service no more; a function’s two networks are usual', async () => {
    const given = (service: string): Fields =>
      assume('09:00:00', { type: 'AWSService', invokedBy: service }, BUILD, {
        sourceIPAddress: service,
        responseElements: { credentials: { accessKeyId: BUILD.key, sessionToken: 'x' } },
      });
    const calls = ['203.0.113.7', '198.51.100.9'].map((sourceIPAddress, i) => at(`09:00:0${i + 1}`, as(BUILD), { sourceIPAddress }));
    const usual = 'which is usual for a function that Lambda runs';
    await using lambda = await trailOf(given('lambda.amazonaws.com'), ...calls);
    const answer = await lambda.ask(`session build ${DAY}`);
    expect(answer.data).toMatchObject({ total: 2, longest: 1, chain: ['lambda.amazonaws.com', 'build/run-1'] });
    expect(toTerminal(answer, templates, 160)).toContain(usual);
    await using instance = await trailOf(given('ec2.amazonaws.com'), ...calls);
    const stolen = toTerminal(await instance.ask(`session build ${DAY}`), templates, 160);
    expect(stolen).toContain('Used from 2 networks');
    expect(stolen).not.toContain(usual);
  });

  test('tells nothing of a role that was refused, and says what a session is written like where it finds none', async () => {
    const refused = at('09:00:00', user('ci'), { eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', errorCode: 'AccessDenied' });
    await using open = await trailOf(refused, at('09:02:00', as(DEPLOY)));
    expect((await open.ask(`session ci ${DAY}`)).data).toMatchObject({ calls: 1, total: 1, refused: 1, longest: 0 });
    const none = await open.ask(`session AKIAEXAMPLEEXAMPLE99 ${DAY}`);
    expect(toText(none, templates)).toBe(
      'No session of AKIAEXAMPLEEXAMPLE99 in this time. A key is written whole (AKIA…, ASIA…), a session as role/session.',
    );
    expect(none.next?.[0]?.line).toBe('session AKIAEXAMPLEEXAMPLE99 30d');
  });
});

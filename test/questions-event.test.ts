/** One event: its actor, its MFA and its follow-ups. */
import { describe, expect, test } from 'vitest';
import { toTerminal } from '../src/message/terminal.ts';
import { atPortal } from './support/portal.ts';
import { ACCOUNT, type Fields, record, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const ROOT: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

const withMfa = (identity: Fields, mfaAuthenticated: string): Fields => ({
  ...identity,
  sessionContext: { ...(identity.sessionContext as Fields), attributes: { creationDate: '2026-05-01T09:00:00Z', mfaAuthenticated } },
});
const login = (userIdentity: Fields, MFAUsed: string): Fields =>
  record({
    userIdentity,
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    responseElements: { ConsoleLogin: 'Success' },
    additionalEventData: { MFAUsed },
  });
const person = session('AWSReservedSSO_Admin_0123456789abcdef', 'ann@example.com');
const elsewhere = 'unknown, at the identity provider';

describe('MFA of an event', () => {
  const cases: [event: string, mfa: string | null, record: Fields][] = [
    ['a person of Identity Center, of whom the session says no', elsewhere, record({ userIdentity: person })],
    ['a person who came by SAML', elsewhere, record({ userIdentity: { type: 'SAMLUser', principalId: 'x:ann', userName: 'ann@example.com' } })],
    [
      'a session that began at a web identity provider',
      elsewhere,
      record({
        userIdentity: {
          ...session('web', 'ann@example.com'),
          sessionContext: {
            ...(session('web', 'ann@example.com').sessionContext as Fields),
            webIdFederationData: { federatedProvider: 'accounts.google.com' },
          },
        },
      }),
    ],
    ['a sign-in of Identity Center at the console', elsewhere, login(person, 'No')],
    ['a session with one', 'yes', record({ userIdentity: withMfa(user('bob'), 'true') })],
    ['a session of an IAM user without', 'no', record({ userIdentity: withMfa(user('bob'), 'false') })],
    ['a session of a role, which may have begun at a provider', 'none that AWS saw', record({ userIdentity: session('admins', 'ann@example.com') })],
    ['a sign-in of root with one', 'yes', login(ROOT, 'Yes')],
    ['a sign-in of a user without', 'no', login(user('bob'), 'No')],
    ['a sign-in at the portal with two', 'yes', atPortal('08:00', { ip: '198.51.100.7', credentials: ['PASSWORD', 'TOTP'] }).at(-1) as Fields],
    ['a call with a key, which has no session', null, record({ userIdentity: user('bob') })],
  ];
  const open = trailForAll(...cases.map(([, , event]) => event));

  test.each(cases)('of %s is %s', async (_, mfa, event) => {
    const answer = await open().ask(`event ${event.eventID} ${DAY}`);
    expect(answer.data).toMatchObject({ mfa });
    const shown = toTerminal(answer, templates, 160);
    if (mfa) expect(shown).toContain(`, MFA: ${mfa}`);
    else expect(shown).not.toContain('MFA:');
  });

  test('at the access portal is a follow-up of a console sign-in', async () => {
    const event = login(person, 'No');
    await using open = await trailOf(event, ...atPortal('08:00', { name: 'ann@example.com', ip: '203.0.113.7', credentials: ['PASSWORD', 'TOTP'] }));
    const lead = (await open.ask(`event ${event.eventID} ${DAY}`)).next?.find(({ label }) => label === 'MFA at the access portal');
    expect(await open.cells(lead?.line ?? '')).toMatchObject([{ eventid: event.eventID, mfa: 'yes' }]);
  });
});

describe('an event offers', () => {
  const leadsOf = async (event: Fields) => {
    await using open = await trailOf(event);
    const { next = [] } = await open.ask(`event ${event.eventID} ${DAY}`);
    for (const { line } of next) expect((await open.ask(line)).table?.rows.length, line).toBeGreaterThan(0);
    return next.map(({ line }) => line);
  };

  test('the profiles of its actor, address and key, its session, its resource and the events around it', async () => {
    const event = record({
      userIdentity: { ...user('tomas'), accessKeyId: 'ASIAEXAMPLEEXAMPLE01' },
      eventSource: 'cloudtrail.amazonaws.com',
      eventName: 'StopLogging',
      readOnly: false,
      requestParameters: { name: 'audit-trail' },
    });
    expect(await leadsOf(event)).toEqual([
      `user tomas ${DAY}`,
      `ip 203.0.113.7 ${DAY}`,
      `key ASIAEXAMPLEEXAMPLE01 ${DAY}`,
      `session ASIAEXAMPLEEXAMPLE01 ${DAY}`,
      `resource audit-trail ${DAY}`,
      `history audit-trail ${DAY}`,
      'events around 2026-05-01T10:00:00 ±15m',
    ]);
  });

  test('the profile of a role, but none of a service, of a service’s address, or of an absent resource', async () => {
    expect(await leadsOf(record({ userIdentity: session('deploy', 'run-1') }))).toEqual([
      `role deploy ${DAY}`,
      `ip 203.0.113.7 ${DAY}`,
      `key ASIAIOSFODNN7EXAMPLE ${DAY}`,
      `session ASIAIOSFODNN7EXAMPLE ${DAY}`,
      'events around 2026-05-01T10:00:00 ±15m',
    ]);
    const service = record({
      userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
      sourceIPAddress: 'ec2.amazonaws.com',
    });
    expect(await leadsOf(service)).toEqual(['events around 2026-05-01T10:00:00 ±15m']);
    expect((await leadsOf(login(ROOT, 'Yes')))[0]).toBe(`user root ${DAY}`);
  });
});

describe('an event is found by each of its ids', () => {
  const shared = '9d1c3a90-0000-4000-8000-00000000bbbb';
  const hostId = '9vKBe6vRhrNiWHDmb2LOXGFPG0IEEXAMPLEexampleEXAMPLEexample0123456789abcd=';
  const inS3: Fields = { eventSource: 's3.amazonaws.com', eventName: 'DeleteObject', additionalEventData: { 'x-amz-id-2': hostId } };
  const [one, other] = [record({ ...inS3, requestID: 'P0PA9GB0T9Z9XF3C' }), record({ ...inS3, requestID: 'P0PA9GB0T9Z9XF3C' })];
  const [here, there] = [record({ sharedEventID: shared }), record({ sharedEventID: shared, recipientAccountId: '444455556666' })];
  const plain = record();
  const mentioned = record();
  const mentioning = record({
    eventSource: 'logs.amazonaws.com',
    eventName: 'FilterLogEvents',
    requestParameters: { filterPattern: `"${mentioned.requestID}"` },
  });
  const open = trailForAll(one, other, here, there, plain, mentioned, mentioning);
  const found = async (line: string) => {
    const answer = await open().ask(`${line} ${DAY}`);
    const { found: event, idName, others } = answer.data as { found: { eventid: string } | null; idName: string; others: number };
    return { id: event?.eventid, idName, others, next: answer.next?.[0]?.line, shown: toTerminal(answer, templates, 160) };
  };

  test('typed alone, in any case', async () => {
    expect(await found(String(plain.eventID).toUpperCase())).toMatchObject({ id: plain.eventID, idName: 'eventID', others: 0 });
    const byRequest = await found(String(plain.requestID));
    expect(byRequest).toMatchObject({ id: plain.eventID, idName: 'requestID', others: 0 });
    expect(byRequest.shown).toContain('Found by its requestID.');
  });

  test('also when another call names the id', async () => {
    expect(await found(String(mentioned.requestID))).toMatchObject({ id: mentioned.eventID, idName: 'requestID', others: 0 });
  });

  test('and says how many others have it', async () => {
    const bySharedId = await found(shared);
    expect(bySharedId).toMatchObject({ idName: 'sharedEventID', others: 1, next: `events sharedid:${shared} ${DAY}` });
    expect(bySharedId.shown).toContain('Found by its sharedEventID, which 1 other event has too.');
    expect(await open().ids(bySharedId.next as string)).toEqual([here.eventID, there.eventID].sort());
    for (const id of ['P0PA9GB0T9Z9XF3C', hostId]) {
      const byS3 = await found(id);
      expect(byS3.others).toBe(1);
      expect(await open().ids(byS3.next as string)).toEqual([one.eventID, other.eventID].sort());
    }
  });

  test('but not by a part of one', async () => {
    expect((await found(`event ${String(plain.requestID).slice(0, 8)}`)).id).toBeUndefined();
    expect((await found(`event ${hostId.slice(0, 40)}`)).id).toBeUndefined();
  });
});

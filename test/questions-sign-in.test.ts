/** Questions about sign-ins: what each finds, and what looks like it and is none. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { ACCOUNT, type Fields, record, records, session, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const ROOT: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

const signIn = (userIdentity: Fields, ConsoleLogin: 'Success' | 'Failure', more: Fields = {}) =>
  record({
    userIdentity,
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    eventType: 'AwsConsoleSignIn',
    readOnly: false,
    awsRegion: 'us-east-1',
    responseElements: { ConsoleLogin },
    additionalEventData: { MFAUsed: 'No' },
    ...(ConsoleLogin === 'Failure' && { errorMessage: 'Failed authentication' }),
    ...more,
  });
const mfa = (MFAUsed: string): Fields => ({ additionalEventData: { MFAUsed } });

describe('logins', () => {
  test.each([
    ['yes', 'an IAM user with a second factor', signIn(user('bob'), 'Success', mfa('Yes'))],
    ['yes', 'one that CloudTrail shouts about', signIn(user('bob'), 'Success', mfa('YES'))],
    ['no', 'an IAM user without', signIn(user('bob'), 'Success')],
    ['no', 'root without', signIn(ROOT, 'Success')],
    ['unknown', 'an IAM user of whom nothing is told', signIn(user('bob'), 'Success', { additionalEventData: null })],
    ['unknown, at the identity provider', 'Identity Center', signIn(session('AWSReservedSSO_Admin_1', 'bob@example.com'), 'Success')],
    ['unknown, at the identity provider', 'a role by SAML', signIn(session('saml-admins', 'bob'), 'Success', { additionalEventData: {} })],
  ])('tell MFA %s of %s', async (expected, _, login) => {
    await using open = await trailOf(login);
    expect(await open.cells(`logins ${DAY}`)).toMatchObject([{ mfa: expected, outcome: 'ok', eventid: login.eventID }]);
  });

  test('are of every region, tell failures apart, and count who came without MFA', async () => {
    const logins = [
      signIn(user('bob'), 'Success', { awsRegion: 'eu-north-1', eventTime: '2026-05-01T12:00:00Z' }),
      signIn(session('AWSReservedSSO_Admin_1', 'eve@example.com'), 'Success'),
      signIn(user('eve'), 'Failure'),
    ];
    const not = [
      record({
        eventSource: 'signin.amazonaws.com',
        eventName: 'CheckMfa',
        eventType: 'AwsConsoleSignIn',
        responseElements: { CheckMfa: 'Success' },
      }),
      record({ eventSource: 'signin.amazonaws.com', eventName: 'SwitchRole', responseElements: { SwitchRole: 'Success' } }),
    ];
    await using open = await trailOf(...logins, ...not);
    const answer = await open.ask(`logins ${DAY}`);
    expect(answer.table?.rows).toHaveLength(3);
    expect(toText(answer, templates)).toBe(
      '2 sign-ins by 2 users, and 1 failed; 1 without MFA, 1 of which only the identity provider can tell; the latest is by bob 2026-05-01 12:00:00 UTC from 203.0.113.7.',
    );
  });

  test('that all failed let nobody in', async () => {
    await using open = await trailOf(signIn(user('eve'), 'Failure'));
    expect(toText(await open.ask(`logins ${DAY}`), templates)).toMatch(/^Nobody got in: 1 sign-in failed, the latest by eve /);
    expect(toText(await open.ask(`logins user:bob ${DAY}`), templates)).toBe('Nobody signed in to the console in this time that matches.');
  });
});

describe('signin-failures', () => {
  const at = (time: string, sourceIPAddress = '192.0.2.9'): Fields => ({ eventTime: `2026-05-01T${time}:00Z`, sourceIPAddress });
  const failed = (name: string, time: string, ip?: string) => signIn(user(name), 'Failure', at(time, ip));
  const came = (name: string, time: string, ip?: string) => signIn(user(name), 'Success', at(time, ip));
  const verdicts = async (...list: readonly Fields[]) => {
    await using open = await trailOf(...list);
    return (await open.cells(`signin-failures ${DAY}`)).map(({ ip, verdict, tries, users, inside }) => ({ ip, verdict, tries, users, inside }));
  };
  const ip = '192.0.2.9';

  test('from one address for many users are spraying', async () => {
    expect(await verdicts(failed('ann', '01:00'), failed('bob', '01:01'), failed('cat', '01:02'))).toEqual([
      { ip, verdict: 'spraying', tries: 3, users: 3, inside: null },
    ]);
  });

  test('from an office where many users mistype and get in are slips', async () => {
    const office = ['ann', 'bob', 'cat'].flatMap((name) => [failed(name, '08:00'), came(name, '08:01')]);
    expect(await verdicts(...office)).toMatchObject([{ verdict: 'slip', users: 3 }]);
  });

  test('that end with somebody inside are told with their name, and come first', async () => {
    const list = ['ann', 'bob', 'cat'].map((name) => failed(name, '01:00'));
    const others = ['ann', 'bob', 'cat', 'dan'].map((name) => failed(name, '02:00', '192.0.2.10'));
    expect(await verdicts(...list, came('dan', '01:30'), ...others)).toMatchObject([
      { ip, verdict: 'spraying, got in', inside: 'dan' },
      { ip: '192.0.2.10', verdict: 'spraying' },
    ]);
  });

  test('of one user who then got in are a slip, unless they were too many for one', async () => {
    expect(await verdicts(failed('ann', '08:00'), failed('ann', '08:01'), came('ann', '08:02'))).toEqual([
      { ip, verdict: 'slip', tries: 2, users: 1, inside: 'ann' },
    ]);
    const many = records(9, (n) => signIn(user('ann'), 'Failure', at(`08:0${n}`))).map((each) => ({ ...each, eventID: record().eventID }));
    expect(await verdicts(...many)).toMatchObject([{ verdict: 'guessing', tries: 9 }]);
    expect(await verdicts(...many, came('ann', '09:00'))).toMatchObject([{ verdict: 'guessing, got in', inside: 'ann' }]);
  });

  test('of one user who got in before, and not after, are no slip', async () => {
    expect(await verdicts(came('ann', '07:00'), failed('ann', '08:00'))).toMatchObject([{ verdict: 'gave up', inside: null }]);
  });

  test('are told by what is to be looked at, and who merely mistyped', async () => {
    await using open = await trailOf(
      ...['ann', 'bob', 'cat'].map((name) => failed(name, '01:00')),
      failed('dan', '08:00', '192.0.2.10'),
      came('dan', '08:01', '192.0.2.10'),
      came('eve', '09:00', '192.0.2.11'),
    );
    const answer = await open.ask(`signin-failures ${DAY}`);
    expect(toTerminal(answer, templates, 160)).toMatch(
      /^4 sign-ins failed from 2 addresses; look at 192.0.2.9 \(spraying\)[.]\n\n• 192.0.2.9: 3 failures of 3 users .*; nobody got in\n1 address is of people who mistyped and then got in[.]/,
    );
    const [row] = answer.table?.rows ?? [];
    expect(await open.ids(row?.next?.line ?? '')).toHaveLength(3);
  });

  test('are counted and listed like other events, and lead back to the verdicts', async () => {
    await using open = await trailOf(failed('ann', '01:00'), failed('bob', '02:00'), came('bob', '03:00'));
    expect(await open.cells(`signin-failures by:user ${DAY}`)).toMatchObject([
      { user: 'ann', events: 1 },
      { user: 'bob', events: 1 },
    ]);
    const list = await open.ask(`signin-failures sort:time ${DAY}`);
    expect(list.table?.rows).toHaveLength(2);
    expect(list.next?.filter(({ line }) => line === `signin-failures ${DAY}`)).toHaveLength(1);
    expect(toText(await open.ask(`signin-failures 2026-04-01`), templates)).toBe('No sign-in failed in this time.');
  });
});

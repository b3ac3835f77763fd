/** Commands about sign-ins: what each finds and what it must not find. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { atPortal } from './support/portal.ts';
import { ACCOUNT, type Fields, record, records, session, trailForAll, trailOf, user } from './support/trail-folder.ts';

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
  const cases: [mfa: string, who: string, login: Fields][] = [
    ['yes', 'an IAM user with a second factor', signIn(user('bob'), 'Success', mfa('Yes'))],
    ['yes', 'an IAM user with MFAUsed in capitals', signIn(user('bob'), 'Success', mfa('YES'))],
    ['no', 'an IAM user without a second factor', signIn(user('bob'), 'Success')],
    ['no', 'root without a second factor', signIn(ROOT, 'Success')],
    ['unknown', 'an IAM user without MFAUsed', signIn(user('bob'), 'Success', { additionalEventData: null })],
    ['unknown, at the identity provider', 'Identity Center', signIn(session('AWSReservedSSO_Admin_1', 'bob@example.com'), 'Success')],
    ['unknown, at the identity provider', 'a role by SAML', signIn(session('saml-admins', 'bob'), 'Success', { additionalEventData: {} })],
  ];
  const all = trailForAll(...cases.map(([, , login]) => login));

  test.each(cases)('show MFA %s for %s', async (expected, _, login) => {
    const found = await all().cells(`logins ${DAY}`);
    expect(found).toHaveLength(cases.length);
    expect(found.filter(({ eventid }) => eventid === login.eventID)).toMatchObject([{ mfa: expected, outcome: 'ok' }]);
  });

  test('cover every region, mark failures, and count the sign-ins without MFA', async () => {
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
      'bob signed in without MFA 2026-05-01 12:00:00 UTC from 203.0.113.7. 2 sign-ins by 2 users, 1 without MFA, 1 with MFA known only to the identity provider; 1 attempt failed; the latest is by bob 2026-05-01 12:00:00 UTC from 203.0.113.7.',
    );
  });

  test('have counts by MFA that add up to their number, without counts of zero', async () => {
    const good = [
      ...records(2).map(() => signIn(user('bob'), 'Success', mfa('Yes'))),
      ...records(3).map((_, n) => signIn(session('AWSReservedSSO_Admin_1', `person${n}@example.com`), 'Success')),
      signIn(user('eve'), 'Success', { additionalEventData: null }),
    ];
    // Failed sign-ins have MFAUsed too, but are not in these counts.
    const later = { eventTime: '2026-05-01T11:00:00Z' };
    await using open = await trailOf(...good, signIn(user('bob'), 'Failure', { ...mfa('Yes'), ...later }), signIn(user('eve'), 'Failure', later));
    expect(toText(await open.ask(`logins ${DAY}`), templates)).toMatch(
      /^6 sign-ins by 5 users, 2 with MFA, 3 with MFA known only to the identity provider, 1 with MFA unknown; 2 attempts failed; /,
    );
    expect(toText(await open.ask(`logins top:3 ${DAY}`), templates)).toMatch(
      /^The newest 3 include 1 sign-in by 1 user, 1 [^,]*; 2 attempts failed; /,
    );
  });

  test('are found and counted by the value of their MFA column', async () => {
    const yes = signIn(user('bob'), 'Success', mfa('YES'));
    const no = signIn(ROOT, 'Success');
    const elsewhere = signIn(session('AWSReservedSSO_Admin_1', 'eve@example.com'), 'Success');
    const silent = signIn(user('eve'), 'Success', { additionalEventData: null });
    const portal = atPortal('08:00', { name: 'ann@example.com', ip: '198.51.100.7', credentials: ['PASSWORD', 'TOTP'] });
    await using open = await trailOf(yes, no, elsewhere, silent, ...portal);
    const mfaOf = async (value: string) => (await open.cells(`logins mfa:${value} ${DAY}`)).map((cells) => cells.mfa).toSorted();
    expect(await mfaOf('true')).toEqual(['yes', 'yes']);
    expect(await mfaOf('false')).toEqual(['no']);
    expect(await mfaOf('unknown')).toEqual(['unknown', 'unknown, at the identity provider']);
    expect(await mfaOf('true,unknown')).toHaveLength(4);
    const groups = await open.ask(`logins by:mfa ${DAY}`);
    expect(groups.table?.rows.map(({ cells }) => [cells.mfa, cells.events])).toEqual([
      ['true', 2],
      ['unknown', 2],
      ['false', 1],
    ]);
    expect(await open.ids(groups.table?.rows[2]?.next?.line ?? '')).toEqual([no.eventID]);
  });

  test('of IAM users and root are found by MFA with events and root-logins; for role sessions the session’s MFA counts', async () => {
    const withMfa = signIn(ROOT, 'Success', mfa('Yes'));
    const without = signIn(user('bob'), 'Success');
    const elsewhere = signIn(session('AWSReservedSSO_Admin_1', 'eve@example.com'), 'Success', mfa('Yes'));
    await using open = await trailOf(withMfa, without, elsewhere, record());
    expect(await open.ids(`events mfa:true ${DAY}`)).toEqual([withMfa.eventID]);
    expect(await open.ids(`root-logins mfa:true ${DAY}`)).toEqual([withMfa.eventID]);
    expect(await open.ids(`events mfa:false ${DAY}`)).toEqual([without.eventID, elsewhere.eventID]);
    await expect(open.ask(`logins mfa:maybe ${DAY}`)).rejects.toThrow('“mfa:” takes true, false, unknown');
  });

  test('that all failed say that nobody got in', async () => {
    await using open = await trailOf(signIn(user('eve'), 'Failure'));
    expect(toText(await open.ask(`logins ${DAY}`), templates)).toMatch(
      /^No sign-in succeeded from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC: 1 sign-in failed, the latest by eve /,
    );
    expect(toText(await open.ask(`logins user:bob ${DAY}`), templates)).toMatch(
      /^No sign-in from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC with user:bob[.] Events that do not match the filter were left out[.]/,
    );
  });
});

describe('logins at the IAM Identity Center portal', () => {
  const bob = { name: 'bob@example.com', ip: '198.51.100.7' };
  const console = (name: string, time: string, more: Fields = {}) =>
    signIn(session('AWSReservedSSO_Admin_1', name), 'Success', {
      eventTime: `2026-05-01T${time}Z`,
      sourceIPAddress: bob.ip,
      recipientAccountId: '222233334444',
      ...more,
    });
  const loginsOf = async (...list: readonly Fields[]) => {
    await using open = await trailOf(...list);
    return (await open.cells(`logins ${DAY}`)).map(({ actor, page, mfa, outcome, reason }) => [actor, page, mfa, outcome, reason]);
  };

  test.each([
    ['yes', ['PASSWORD', 'TOTP']],
    ['yes', ['PASSWORD', 'WEBAUTHN']],
    ['yes', ['PASSWORD', 'EMAIL_OTP']],
    ['no', ['PASSWORD']],
    ['unknown, at the identity provider', ['EXTERNAL_IDP']],
  ])('show MFA %s for the verified credentials %s', async (mfa, credentials) => {
    expect(await loginsOf(...atPortal('08:00', { ...bob, credentials }))).toEqual([['bob@example.com', 'portal', mfa, 'ok', null]]);
  });

  test('without known credentials are not counted as without MFA', async () => {
    expect(await loginsOf(...atPortal('08:00', { ...bob, credentials: ['PASSWORD'], more: { additionalEventData: null } }))).toMatchObject([
      [expect.any(String), 'portal', 'unknown', 'ok', null],
    ]);
  });

  test('are one row with the console sign-in that follows, which gets their credentials', async () => {
    const portal = atPortal('08:00', { ...bob, credentials: ['PASSWORD', 'TOTP'] });
    expect(await loginsOf(...portal, console('bob@example.com', '08:01:00'), console('bob@example.com', '14:00:00'))).toEqual([
      ['bob@example.com', 'console', 'yes', 'ok', null],
      ['bob@example.com', 'console', 'yes', 'ok', null],
    ]);
    // In the same second, with an id that sorts first.
    expect(await loginsOf(...portal, console('bob@example.com', '08:00:03', { eventID: '0d1c3a90-0000-4000-8000-000000000000' }))).toHaveLength(1);
  });

  test.each([
    ['somebody else', console('eve@example.com', '08:01:00'), 'unknown, at the identity provider'],
    ['another address', console('bob@example.com', '08:01:00', { sourceIPAddress: '203.0.113.9' }), 'unknown, at the identity provider'],
    ['an earlier time', console('bob@example.com', '07:59:00'), 'unknown, at the identity provider'],
    ['an IAM user of that name', console('', '08:01:00', { userIdentity: user('bob@example.com') }), 'no'],
  ])('are not merged with the console sign-in of %s', async (_, other, mfa) => {
    const rows = await loginsOf(...atPortal('08:00', { ...bob, credentials: ['PASSWORD', 'TOTP'] }), other);
    expect(rows.map(([, page, factor]) => [page, factor]).toSorted()).toEqual([
      ['console', mfa],
      ['portal', 'yes'],
    ]);
  });

  test('that failed show the typed user name and the credential that was not accepted', async () => {
    expect(await loginsOf(...atPortal('08:00', { ...bob, credentials: ['PASSWORD'], failed: 'PASSWORD' }))).toEqual([
      ['bob@example.com', 'portal', 'unknown', 'failed', 'PASSWORD not accepted'],
    ]);
    await using open = await trailOf(...atPortal('08:00', { ...bob, credentials: ['PASSWORD', 'TOTP'], failed: 'TOTP' }));
    expect(toText(await open.ask(`logins ${DAY}`), templates)).toMatch(
      /^No sign-in succeeded from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC: 1 sign-in failed, the latest by bob@example.com /,
    );
    expect(await open.cells(`logins user:bob@example.com kind:human ${DAY}`)).toMatchObject([{ reason: 'TOTP not accepted' }]);
    expect(await open.cells(`logins by:user ${DAY}`)).toMatchObject([{ user: 'bob@example.com', events: 1 }]);
    expect(await open.cells(`signin-failures by:user ${DAY}`)).toMatchObject([{ user: 'bob@example.com', events: 1 }]);
  });

  test('before July 2025 show the user name of the record', async () => {
    const old = { userIdentity: { type: 'Unknown', principalId: ACCOUNT, arn: '', accountId: ACCOUNT, accessKeyId: '', userName: 'user1' } };
    expect(await loginsOf(...atPortal('08:00', { ip: bob.ip, credentials: ['PASSWORD'], more: old }))).toEqual([
      ['user1', 'portal', 'no', 'ok', null],
    ]);
  });

  test('without a user name show the user id, or anonymous', async () => {
    const nameless = { ip: bob.ip, credentials: ['PASSWORD'] };
    expect(await loginsOf(...atPortal('08:00', nameless))).toMatchObject([[expect.stringMatching(/^94d00cd8-/), 'portal', 'no', 'ok', null]]);
    expect(await loginsOf(...atPortal('08:00', { ...nameless, failed: 'PASSWORD' }))).toMatchObject([
      ['anonymous', 'portal', 'unknown', 'failed', expect.anything()],
    ]);
  });

  test('do not include events of other services with the same names', async () => {
    const [challenge, ...others] = atPortal('08:00', { ...bob, credentials: ['PASSWORD'], more: { eventSource: 'example.amazonaws.com' } });
    expect(await loginsOf(challenge as Fields, ...others)).toEqual([]);
  });
});

describe('users with the same name', () => {
  const of = (account: string, more: Fields = {}): Fields => ({ recipientAccountId: account, sourceIPAddress: '192.0.2.9', ...more });
  const accounts = [ACCOUNT, '222233334444', '444455556666'];

  test('in several accounts are counted as several users, for sign-ins and for failures', async () => {
    await using good = await trailOf(...accounts.map((account) => signIn(user('alice', account), 'Success', of(account))));
    expect(toText(await good.ask(`logins ${DAY}`), templates)).toMatch(/[.] 3 sign-ins by 3 users, /);
    await using bad = await trailOf(...accounts.map((account) => signIn(user('alice', account), 'Failure', of(account))));
    expect(await bad.cells(`signin-failures ${DAY}`)).toMatchObject([
      { verdict: 'spraying', users: 3, names: accounts.map((account) => `alice (${account})`).join(', ') },
    ]);
  });

  test('in one account are one user', async () => {
    await using bad = await trailOf(...accounts.map(() => signIn(user('alice'), 'Failure', of(ACCOUNT))));
    expect(await bad.cells(`signin-failures ${DAY}`)).toMatchObject([{ verdict: 'gave up', users: 1, names: 'alice' }]);
  });

  test('in another account do not count as the one that got in', async () => {
    const failure = signIn(user('alice'), 'Failure', of(ACCOUNT, { eventTime: '2026-05-01T08:00:00Z' }));
    const success = signIn(user('alice', '222233334444'), 'Success', of('222233334444', { eventTime: '2026-05-01T08:01:00Z' }));
    await using open = await trailOf(failure, success);
    expect(await open.cells(`signin-failures ${DAY}`)).toMatchObject([{ verdict: 'gave up', users: 1 }]);
  });

  test('of Identity Center are one user in all accounts', async () => {
    const consoles = accounts.map((account) => signIn(session('AWSReservedSSO_Admin_1', 'alice@example.com'), 'Success', of(account)));
    await using open = await trailOf(...consoles);
    expect(toText(await open.ask(`logins ${DAY}`), templates)).toMatch(/^3 sign-ins by 1 user, /);
  });
});

describe('signin-failures', () => {
  const at = (time: string, sourceIPAddress = '192.0.2.9'): Fields => ({ eventTime: `2026-05-01T${time}:00Z`, sourceIPAddress });
  const failed = (name: string, time: string, ip?: string) => signIn(user(name), 'Failure', at(time, ip));
  const signedIn = (name: string, time: string, ip?: string) => signIn(user(name), 'Success', at(time, ip));
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

  test('from an office where many users mistype and then get in are slips', async () => {
    const office = ['ann', 'bob', 'cat'].flatMap((name) => [failed(name, '08:00'), signedIn(name, '08:01')]);
    expect(await verdicts(...office)).toMatchObject([{ verdict: 'slip', users: 3 }]);
  });

  test('that end with a successful sign-in name the user and come first', async () => {
    const list = ['ann', 'bob', 'cat'].map((name) => failed(name, '01:00'));
    const others = ['ann', 'bob', 'cat', 'dan'].map((name) => failed(name, '02:00', '192.0.2.10'));
    expect(await verdicts(...list, signedIn('dan', '01:30'), ...others)).toMatchObject([
      { ip, verdict: 'spraying, got in', inside: 'dan' },
      { ip: '192.0.2.10', verdict: 'spraying' },
    ]);
  });

  test('of one user who then got in are a slip, unless there were many', async () => {
    expect(await verdicts(failed('ann', '08:00'), failed('ann', '08:01'), signedIn('ann', '08:02'))).toEqual([
      { ip, verdict: 'slip', tries: 2, users: 1, inside: 'ann' },
    ]);
    const many = records(9, (n) => signIn(user('ann'), 'Failure', at(`08:0${n}`))).map((each) => ({ ...each, eventID: record().eventID }));
    expect(await verdicts(...many)).toMatchObject([{ verdict: 'guessing', tries: 9 }]);
    expect(await verdicts(...many, signedIn('ann', '09:00'))).toMatchObject([{ verdict: 'guessing, got in', inside: 'ann' }]);
  });

  test('at the Identity Center portal are classified with later sign-ins there and at the console', async () => {
    const refused = (name: string, time: string) => atPortal(time, { name, ip, credentials: ['PASSWORD'], failed: 'PASSWORD' });
    const names = ['ann@example.com', 'bob@example.com', 'cat@example.com'];
    expect(await verdicts(...names.flatMap((name, n) => refused(name, `01:0${n}`)))).toEqual([
      { ip, verdict: 'spraying', tries: 3, users: 3, inside: null },
    ]);
    const [ann = ''] = names;
    const inside = signIn(session('AWSReservedSSO_Admin_1', ann), 'Success', at('08:02'));
    expect(await verdicts(...refused(ann, '08:00'), ...atPortal('08:01', { name: ann, ip, credentials: ['PASSWORD'] }), inside)).toEqual([
      { ip, verdict: 'slip', tries: 1, users: 1, inside: ann },
    ]);
  });

  test('of one user who got in before but not after are not a slip', async () => {
    expect(await verdicts(signedIn('ann', '07:00'), failed('ann', '08:00'))).toMatchObject([{ verdict: 'gave up', inside: null }]);
  });

  test('are summarized by what to look at and how many users only mistyped', async () => {
    await using open = await trailOf(
      ...['ann', 'bob', 'cat'].map((name) => failed(name, '01:00')),
      failed('dan', '08:00', '192.0.2.10'),
      signedIn('dan', '08:01', '192.0.2.10'),
      signedIn('eve', '09:00', '192.0.2.11'),
    );
    const answer = await open.ask(`signin-failures ${DAY}`);
    expect(toTerminal(answer, templates, 160)).toMatch(
      /^4 sign-ins failed from 2 addresses; suspicious: 192.0.2.9 \(spraying\)[.] The most common reason is Failed authentication, 4 times[.]\n\n• 192.0.2.9: 3 failures for 3 users, .*; nobody signed in\n1 user mistyped a password or a code, and then signed in[.]/,
    );
    const [row] = answer.table?.rows ?? [];
    expect(await open.ids(row?.next?.line ?? '')).toHaveLength(3);
  });

  test('can be counted and listed like other events, with a follow-up back to the verdicts', async () => {
    await using open = await trailOf(failed('ann', '01:00'), failed('bob', '02:00'), signedIn('bob', '03:00'));
    expect(await open.cells(`signin-failures by:user ${DAY}`)).toMatchObject([
      { user: 'ann', events: 1 },
      { user: 'bob', events: 1 },
    ]);
    const list = await open.ask(`signin-failures sort:time ${DAY}`);
    expect(list.table?.rows).toHaveLength(2);
    expect(list.next?.filter(({ line }) => line === `signin-failures ${DAY}`)).toHaveLength(1);
    expect(toText(await open.ask(`signin-failures 2026-04-01`), templates)).toMatch(
      /^No sign-in failed from 2026-04-01 00:00:00 UTC to 2026-04-02 00:00:00 UTC[.]/,
    );
  });

  test('are counted by reason, region and MFA, and the most common reason is named', async () => {
    const nobody = { ...at('03:00'), errorMessage: 'No username found in supplied account' };
    const list = [
      failed('ann', '01:00'),
      failed('ann', '01:01'),
      signIn(user('HIDDEN_DUE_TO_SECURITY_REASONS'), 'Failure', { ...nobody, awsRegion: 'eu-west-1', ...mfa('Yes') }),
      ...atPortal('04:00', { name: 'bob@example.com', ip, credentials: ['PASSWORD'], failed: 'PASSWORD' }),
      signedIn('ann', '01:02'),
    ];
    await using open = await trailOf(...list);
    const groups = async (by: string) =>
      (await open.cells(`signin-failures by:${by} ${DAY}`)).map((cells) => [cells[by === 'reason' ? 'error' : by], cells.events]);
    expect(await groups('reason')).toEqual([
      ['Failed authentication', 2],
      ['No username found in supplied account', 1],
      ['PASSWORD not accepted', 1],
    ]);
    expect(await groups('mfa')).toEqual([
      ['false', 2],
      ['true', 1],
      ['unknown', 1],
    ]);
    expect(await groups('region')).toEqual([
      ['us-east-1', 3],
      ['eu-west-1', 1],
    ]);
    expect(toText(await open.ask(`signin-failures ${DAY}`), templates)).toContain('The most common reason is Failed authentication, 2 times.');
    const byReason = await open.ask(`signin-failures by:reason ${DAY}`);
    expect(await open.cells(byReason.table?.rows[2]?.next?.line ?? '')).toMatchObject([{ reason: 'PASSWORD not accepted' }]);
    // A success has no reason, but counts for the verdict.
    expect(await open.cells(`signin-failures reason:"Failed authentication" ${DAY}`)).toMatchObject([{ verdict: 'slip', tries: 2, inside: 'ann' }]);
  });
});

describe('signin-failures of one user', () => {
  const at = (minute: number, sourceIPAddress: string): Fields => ({
    eventTime: new Date(Date.UTC(2026, 4, 1, 0, minute)).toISOString().replace('.000', ''),
    sourceIPAddress,
  });
  const failed = (name: string, minute: number, ip: string, more: Fields = {}) => signIn(user(name), 'Failure', { ...at(minute, ip), ...more });
  const signedIn = (name: string, minute: number, ip: string, more: Fields = {}) => signIn(user(name), 'Success', { ...at(minute, ip), ...more });
  const bots = (count: number, name = 'ann', every = 1) =>
    Array.from({ length: count }, (_, n) => failed(name, 60 + every * n, `198.51.100.${n + 1}`));
  const home = '203.0.113.99';
  const classified = async (...list: readonly Fields[]) => {
    await using open = await trailOf(...list);
    const answer = await open.ask(`signin-failures by:user ${DAY}`);
    return answer.table?.rows.map(({ cells: { user, verdict, events, addresses, inside, mfa } }) => [user, verdict, events, addresses, inside, mfa]);
  };

  test('from many addresses are guessing, and a user who then got in comes first', async () => {
    await using open = await trailOf(...bots(60), signedIn('ann', 200, home));
    const answer = await open.ask(`signin-failures ${DAY}`);
    expect(toText(answer, templates)).toBe(
      'ann signed in from 203.0.113.99 without MFA 2026-05-01 03:20:00 UTC, after 60 failures from 60 addresses. 60 sign-ins failed from 60 addresses; suspicious: ann (guessing, got in). The most common reason is Failed authentication, 60 times.',
    );
    expect(toTerminal(answer, templates, 160)).toContain('• ann: 60 failures from 60 addresses, 2026-05-01 01:00:00 UTC to');
    expect(answer.table?.rows[0]?.cells).toMatchObject({ ip: home, verdict: 'guessing, got in', tries: 0, inside: 'ann' });
    expect(new Set(answer.table?.rows.slice(1).map(({ cells }) => cells.verdict))).toEqual(new Set(['guessing']));
    expect(answer.next?.[0]).toEqual({ label: 'Activity of ann after it', line: 'events actor:ann 2026-05-01T03:20..2026-05-01T15:20' });
    expect(await open.cells(`signin-failures by:user ${DAY}`)).toMatchObject([
      { user: 'ann', verdict: 'guessing, got in', events: 60, addresses: 60 },
    ]);
  });

  test.each([
    ['from one of the same addresses', 'guessing, got in', '198.51.100.9', [signedIn('ann', 200, '198.51.100.9', mfa('Yes'))]],
    ['with MFA, from a new address', 'guessing, got in', home, [signedIn('ann', 200, home, mfa('Yes'))]],
    ['without MFA, from where the user was before', 'guessing, got in', home, [signedIn('ann', 1, home), signedIn('ann', 200, home)]],
    ['with MFA, from where the user was before', 'guessing', home, [signedIn('ann', 1, home, mfa('Yes')), signedIn('ann', 200, home, mfa('Yes'))]],
    ['only before it began', 'guessing', null, [signedIn('ann', 1, home)]],
    ['never, while another user did', 'guessing', null, [signedIn('bob', 200, home)]],
  ])('from many addresses who got in %s: %s', async (_, verdict, inside, list) => {
    expect(await classified(...bots(20), ...list)).toMatchObject([['ann', verdict, 20, 20, inside, expect.toBeOneOf(['yes', 'no', null])]]);
  });

  test('who gets in during slow guessing still count as guessing', async () => {
    expect(await classified(...bots(12, 'ann', 60), signedIn('ann', 1, home, mfa('Yes')), signedIn('ann', 400, home, mfa('Yes')))).toMatchObject([
      ['ann', 'guessing', 12, 12, home, 'yes'],
    ]);
  });

  test('with two addresses, such as a phone and an office, are a slip', async () => {
    const list = [failed('ann', 60, '198.51.100.1'), signedIn('ann', 62, home)];
    expect(await classified(...list)).toEqual([['ann', 'slip', 1, 1, home, 'no']]);
    await using open = await trailOf(...list);
    expect(toText(await open.ask(`signin-failures ${DAY}`), templates)).toMatch(
      /^1 sign-in failed from 1 address; no address tried many users, and no user /,
    );
    // The same holds each time a travelling user mistypes, from any address.
    const travels = Array.from({ length: 9 }, (_, n) => [
      failed('ann', 60 * n, `198.51.100.${n + 1}`),
      signedIn('ann', 60 * n + 3, `192.0.2.${n + 1}`),
    ]);
    expect(await classified(...travels.flat())).toMatchObject([['ann', 'slip', 9, 9, expect.any(String), 'no']]);
  });

  test('who often mistypes and gets in each time are a slip', async () => {
    const clumsy = Array.from({ length: 10 }, (_, n) => [failed('ann', 60 * n, home), signedIn('ann', 60 * n + 1, home)]);
    expect(await classified(...clumsy.flat())).toMatchObject([['ann', 'slip', 10, 1, home, 'no']]);
    expect(await classified(...Array.from({ length: 10 }, (_, n) => failed('ann', n, home)), signedIn('ann', 20, home))).toMatchObject([
      ['ann', 'guessing, got in', 10, 1, home, 'no'],
    ]);
  });

  test('at one address with two others who mistype once and get in are a slip', async () => {
    const office = ['ann', 'bob', 'cat'].flatMap((name, n) => [failed(name, 10 * n, home), signedIn(name, 10 * n + 1, home)]);
    expect(await classified(...office)).toEqual(['ann', 'bob', 'cat'].map((name) => [name, 'slip', 1, 1, home, 'no']));
  });

  test('among many users tried from one address are part of the spraying', async () => {
    const sprayed = ['ann', 'bob', 'cat'].map((name, n) => failed(name, n, '198.51.100.1'));
    expect(await classified(...sprayed, signedIn('ann', 300, home))).toMatchObject([
      ['ann', 'spraying', 1, 1, home, 'no'],
      ['bob', 'spraying', 1, 1, null, null],
      ['cat', 'spraying', 1, 1, null, null],
    ]);
  });

  test('among many users each tried often from one address are part of the spraying, unless the user then got in', async () => {
    const sprayed = ['ann', 'bob', 'cat'].flatMap((name, n) => Array.from({ length: 9 }, (_, t) => failed(name, 10 * t + n, '198.51.100.1')));
    await using open = await trailOf(...sprayed);
    expect(toText(await open.ask(`signin-failures ${DAY}`), templates)).toMatch(
      /^27 sign-ins failed from 1 address; suspicious: 198.51.100.1 \(spraying\)[.]/,
    );
    expect(await open.cells(`signin-failures ${DAY}`)).toMatchObject([{ verdict: 'spraying', users: 3 }]);
    expect((await classified(...sprayed, signedIn('bob', 300, home)))?.map(([name, verdict]) => [name, verdict])).toEqual([
      ['bob', 'guessing, got in'],
      ['ann', 'spraying'],
      ['cat', 'spraying'],
    ]);
  });

  test('whose name CloudTrail hides count as many users who mistyped their names', async () => {
    const nameless = bots(20, 'HIDDEN_DUE_TO_SECURITY_REASONS');
    expect(await classified(...nameless)).toMatchObject([['a user name that does not exist', 'gave up', 20, 20, null, null]]);
    // One address tries many names.
    const one = nameless.map((each) => ({ ...each, sourceIPAddress: home }));
    await using open = await trailOf(...one);
    expect(toText(await open.ask(`signin-failures ${DAY}`), templates)).toContain('suspicious: 203.0.113.99 (guessing)');
  });

  test('in one account do not count for a user of the same name in another account', async () => {
    const others = bots(10).map((each, n) =>
      n % 2 === 0 ? each : { ...each, userIdentity: user('ann', '222233334444'), recipientAccountId: '222233334444' },
    );
    expect((await classified(...others.slice(0, 8)))?.map(([name, verdict, tries]) => [name, verdict, tries])).toEqual([
      ['ann (111122223333)', 'gave up', 4],
      ['ann (222233334444)', 'gave up', 4],
    ]);
  });

  test('filtered by an address still include a success from another', async () => {
    await using open = await trailOf(...Array.from({ length: 9 }, (_, n) => failed('ann', n, '198.51.100.1')), signedIn('ann', 30, home));
    expect(await open.cells(`signin-failures by:user ip:198.51.100.1 ${DAY}`)).toMatchObject([{ verdict: 'guessing, got in', inside: home }]);
    const guess = await open.ask(`signin-failures by:user ${DAY}`);
    expect(guess.table?.rows[0]?.next?.line).toBe(`logins actor:ann ${DAY}`);
    expect(await open.ids(guess.table?.rows[0]?.next?.line ?? '')).toHaveLength(10);
  });
});

/** Root sign-ins and other ways to root, and similar events that are neither. */
import { describe, expect, test } from 'vitest';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { ACCOUNT, type Fields, record, session, trailOf, user } from './support/trail-folder.ts';

const templates = new URL('../templates/', import.meta.url);
const DAY = '2026-05-01';
const idsOf = (...list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();

const ROOT: Fields = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

const atDoor = (eventName: string, more: Fields = {}): Fields =>
  record({
    userIdentity: ROOT,
    eventSource: 'signin.amazonaws.com',
    eventName,
    eventType: 'AwsConsoleSignIn',
    awsRegion: 'us-east-1',
    readOnly: false,
    responseElements: { [eventName]: 'Success' },
    additionalEventData: eventName === 'ConsoleLogin' ? { MFAUsed: 'Yes' } : null,
    ...more,
  });

describe('root-logins', () => {
  test('finds root by its identity type, under any name and in any region, but not a user called root', async () => {
    const signIns = [
      atDoor('ConsoleLogin'),
      atDoor('ConsoleLogin', { userIdentity: { ...ROOT, userName: 'AWS ROOT USER' } }),
      atDoor('ConsoleLogin', { userIdentity: { ...ROOT, userName: 'my-account-alias' }, awsRegion: 'eu-north-1' }),
      atDoor('ConsoleLogin', { responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' }),
    ];
    const not = [
      atDoor('ConsoleLogin', { userIdentity: user('root') }),
      atDoor('ConsoleLogin', { userIdentity: session('AWSReservedSSO_Admin_1', 'root') }),
      atDoor('CheckMfa'),
      atDoor('ExternalIdPDirectoryLogin'),
    ];
    await using open = await trailOf(...signIns, ...not);
    expect(await open.ids(`root-logins ${DAY}`)).toEqual(idsOf(...signIns));
    expect((await open.ask(`root-logins ${DAY}`)).data).toMatchObject({ successes: 3, failures: 1, otherWays: [] });
  });

  test('reads MFA in any case, and leaves it unknown when the record does not say', async () => {
    const mfa = (MFAUsed?: string) => atDoor('ConsoleLogin', { additionalEventData: MFAUsed ? { MFAUsed } : {} });
    await using open = await trailOf(mfa('Yes'), mfa('YES'), mfa('No'), mfa());
    expect((await open.cells(`root-logins ${DAY}`)).map((cells) => cells.mfa).toSorted()).toEqual(['no', null, 'yes', 'yes']);
    expect((await open.ask(`root-logins ${DAY}`)).data).toMatchObject({ withoutMfa: { others: 0 } });
  });

  test('is counted like other lists, and offers a count of root activity', async () => {
    const deed = record({ userIdentity: ROOT, eventName: 'CreateUser', eventSource: 'iam.amazonaws.com', readOnly: false });
    const signIns = [
      atDoor('ConsoleLogin', { eventTime: '2026-05-01T08:10:00Z' }),
      atDoor('ConsoleLogin', { eventTime: '2026-05-01T08:20:00Z', responseElements: { ConsoleLogin: 'Failure' } }),
      atDoor('ConsoleLogin', { eventTime: '2026-05-01T09:30:00Z', sourceIPAddress: '198.51.100.9' }),
    ];
    await using open = await trailOf(...signIns, atDoor('PasswordUpdated'), deed);
    const groups = await open.ask(`root-logins by:ip ${DAY}`);
    expect(groups.table?.rows.map(({ cells }) => [cells.ip, cells.events, cells.failed])).toEqual([
      ['203.0.113.7', 2, 1],
      ['198.51.100.9', 1, 0],
    ]);
    expect(toText(groups, templates)).toContain('3 root sign-ins');
    expect(await open.ids(groups.table?.rows[1]?.next?.line ?? '')).toEqual(idsOf(signIns[2] as Fields));
    expect((await open.cells(`root-logins every:1h ${DAY}`)).map(({ events }) => events).filter((events) => events !== 0)).toEqual([2, 1]);
    expect(await open.ids(`root-logins sort:time ${DAY}`)).toEqual(idsOf(...signIns));
    await expect(open.ask(`root-logins sort:rare ${DAY}`)).rejects.toThrow('works only on counts');
    const counts = (await open.ask(`root-logins ${DAY}`)).next?.find(({ label }) => label === 'Count root activity');
    expect(counts?.line).toBe(`count kind:root by:event ${DAY}`);
    expect(await open.cells(counts?.line ?? '')).toContainEqual(expect.objectContaining({ event: 'CreateUser', events: 1 }));
  });

  test('says so when no root sign-in matches', async () => {
    await using open = await trailOf(atDoor('ConsoleLogin'));
    expect(toText(await open.ask(`root-logins ip:198.51.100.9 ${DAY}`), templates)).toMatch(
      /^No root sign-in from 2026-05-01 00:00:00 UTC to 2026-05-02 00:00:00 UTC with ip:198.51.100.9[.]/,
    );
    expect(toText(await open.ask('root-logins 2026-04-01'), templates)).toMatch(
      /^No root sign-in from 2026-04-01 00:00:00 UTC to 2026-04-02 00:00:00 UTC[.] The trail has no events at all in this time/,
    );
  });

  test('shows password resets of root and AssumeRoot, but not password resets of users', async () => {
    const otherWays = [
      atDoor('PasswordRecoveryRequested', { eventTime: '2026-05-01T08:00:00Z' }),
      atDoor('PasswordRecoveryCompleted', { eventTime: '2026-05-01T08:10:00Z' }),
      record({
        eventSource: 'sts.amazonaws.com',
        eventName: 'AssumeRoot',
        eventTime: '2026-05-01T09:00:00Z',
        requestParameters: { targetPrincipal: '444455556666', taskPolicyArn: { arn: 'arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy' } },
        responseElements: { credentials: { accessKeyId: 'ASIAEXAMPLEEXAMPLE01' } },
      }),
    ];
    const not = [
      record({ eventSource: 'iam.amazonaws.com', eventName: 'ChangePassword', readOnly: false }),
      record({ eventSource: 'sts.amazonaws.com', eventName: 'AssumeRole', requestParameters: { roleArn: `arn:aws:iam::${ACCOUNT}:role/root` } }),
      atDoor('PasswordRecoveryRequested', { userIdentity: user('bob') }),
    ];
    await using open = await trailOf(...otherWays, ...not);
    const answer = await open.ask(`root-logins ${DAY}`);
    expect(toText(answer, templates)).toMatch(/^No root sign-in from 2026/);
    const shown = toTerminal(answer, templates, 160);
    expect(shown).toContain('3 other calls about the root password or the use of root rights:');
    expect(shown).toContain('• alice called AssumeRoot for 444455556666 2026-05-01 09:00:00 UTC from 203.0.113.7');
    expect(answer.table?.rows).toEqual([]);
    const lead = answer.next?.find(({ label }) => label === 'Other ways to root');
    expect(await open.ids(lead?.line ?? '')).toEqual(expect.arrayContaining(idsOf(...otherWays)));
  });
});

describe('The root user', () => {
  test('is not the actor of service calls in root’s name', async () => {
    const deed = record({ userIdentity: ROOT, eventName: 'CreateUser', eventSource: 'iam.amazonaws.com', readOnly: false });
    const not = [
      record({ userIdentity: { ...ROOT, invokedBy: 'autoscaling.amazonaws.com' }, eventName: 'CreateVolume', readOnly: false }),
      record({ userIdentity: ROOT, eventType: 'AwsServiceEvent', eventName: 'DeleteVolume', readOnly: false }),
    ];
    await using open = await trailOf(deed, ...not);
    expect(await open.ids(`events kind:root ${DAY}`)).toEqual(idsOf(deed));
    expect((await open.ask(`user root ${DAY}`)).data).toMatchObject({ events: 1 });
    expect(await open.ids(`created kind:root ${DAY}`)).toEqual(idsOf(deed));
  });
});

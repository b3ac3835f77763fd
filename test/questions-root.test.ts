/** Who was root, by whatever door; and what looks like root and is none. */
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
  test('finds root by its type, whatever name it has and wherever it came in; a user called root is none', async () => {
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
    expect((await open.ask(`root-logins ${DAY}`)).data).toMatchObject({ successes: 3, failures: 1, doors: [] });
  });

  test('reads MFA in any letters, and takes silence about it for no answer', async () => {
    const mfa = (MFAUsed?: string) => atDoor('ConsoleLogin', { additionalEventData: MFAUsed ? { MFAUsed } : {} });
    await using open = await trailOf(mfa('Yes'), mfa('YES'), mfa('No'), mfa());
    expect((await open.cells(`root-logins ${DAY}`)).map((cells) => cells.mfa).toSorted()).toEqual(['no', null, 'yes', 'yes']);
    expect((await open.ask(`root-logins ${DAY}`)).data).toMatchObject({ withoutMfa: 1 });
  });

  test('is counted and put into steps as other lists are, and leads to a count of what root did', async () => {
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
    await expect(open.ask(`root-logins sort:rare ${DAY}`)).rejects.toThrow('orders counts');
    const counts = (await open.ask(`root-logins ${DAY}`)).next?.find(({ label }) => label === 'Count what root did');
    expect(counts?.line).toBe(`count kind:root by:event ${DAY}`);
    expect(await open.cells(counts?.line ?? '')).toContainEqual(expect.objectContaining({ event: 'CreateUser', events: 1 }));
  });

  test('says that it found none that matches, where it was asked for some', async () => {
    await using open = await trailOf(atDoor('ConsoleLogin'));
    expect(toText(await open.ask(`root-logins ip:198.51.100.9 ${DAY}`), templates)).toBe('Nobody signed in as root in this time that matches.');
    expect(toText(await open.ask('root-logins 2026-04-01'), templates)).toBe('Nobody signed in as root in this time.');
  });

  test('tells of a new password and of root that was lent, beside the sign-ins; those of users are no story of root', async () => {
    const doors = [
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
    await using open = await trailOf(...doors, ...not);
    const answer = await open.ask(`root-logins ${DAY}`);
    expect(toText(answer, templates)).toBe('Nobody signed in as root in this time.');
    const shown = toTerminal(answer, templates, 160);
    expect(shown).toContain("3 other calls about root's password or the use of its rights:");
    expect(shown).toContain('• alice called AssumeRoot for 444455556666 2026-05-01 09:00:00 UTC from 203.0.113.7');
    expect(answer.table?.rows).toEqual([]);
    const lead = answer.next?.find(({ label }) => label === 'Other ways to root');
    expect(await open.ids(lead?.line ?? '')).toEqual(expect.arrayContaining(idsOf(...doors)));
  });
});

describe('Root, the person', () => {
  test('did nothing of what a service did in its name, or told of it', async () => {
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

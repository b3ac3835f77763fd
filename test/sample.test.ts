import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Delivered } from '../sample/delivery.ts';
import { generateSample, type SampleOptions } from '../sample/generate.ts';
import { ORGANIZATION_ID } from '../sample/organization.ts';
import {
  bucketDeletions,
  crossAccount,
  DAILY_DENIAL,
  denialBurst,
  deniedLaunch,
  destruction,
  dryRun,
  failedBucketDeletion,
  failedRootSignIn,
  HOSTILE_TEXTS,
  importedKey,
  keyRotation,
  launchByFleet,
  launchByGroup,
  launchByStack,
  launchOfThree,
  mistypedPassword,
  newRegion,
  notebook,
  ordinaryKeys,
  presignedSpike,
  promoCode,
  ROOT_ACCOUNT,
  roleChainRelease,
  roleSwitch,
  rootLookAlike,
  rootSignIns,
  secrets,
  signInBurst,
  stopAndStart,
  throttling,
} from '../sample/scenario-facts.ts';

// biome-ignore lint/suspicious/noExplicitAny: events have fields of every API.
type Event = any;
interface LogFile {
  readonly path: string;
  readonly events: readonly Event[];
}

const END = new Date('2026-11-21T00:00:00Z');
const PATH =
  /^AWSLogs\/o-a1b2c3d4e5\/(\d{12})\/CloudTrail\/([a-z]{2}-[a-z]+-\d)\/(\d{4}\/\d\d\/\d\d)\/\1_CloudTrail_\2_(\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz$/;
const folders: string[] = [];

async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-sample-'));
  folders.push(folder);
  return folder;
}

async function filesOf(out: string): Promise<string[]> {
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(out.length + 1))
    .sort();
}

async function readTrail(out: string): Promise<LogFile[]> {
  const paths = (await filesOf(out)).filter((path) => path.includes('/CloudTrail/'));
  return Promise.all(paths.map(async (path) => ({ path, events: JSON.parse(gunzipSync(await readFile(join(out, path))).toString()).Records })));
}

async function fingerprint(options: Omit<SampleOptions, 'out'>) {
  const out = await newFolder();
  await generateSample({ out, ...options });
  const hash = createHash('sha256');
  for (const path of await filesOf(out)) hash.update(path).update(await readFile(join(out, path)));
  return hash.digest('hex');
}

/** AWS writes the minute of delivery as 20261120T0915Z. */
const deliveryTime = (stamp: string) => Date.parse(stamp.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:00Z'));
const iso = (at: Date) => at.toISOString().replace('.000', '');
const share = (part: number, whole: number) => part / whole;

let sample: Delivered;
let files: LogFile[];
let delivered: Event[];
let events: Event[];

beforeAll(async () => {
  const out = await newFolder();
  sample = await generateSample({ out, end: END, eventsPerDay: 60 });
  files = await readTrail(out);
  delivered = files.flatMap((file) => file.events);
  events = [...new Map(delivered.map((event) => [event.eventID, event])).values()];
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** The events of an API that match, oldest first. */
const calls = (eventName: string, matches: (event: Event) => boolean = () => true) =>
  events.filter((event) => event.eventName === eventName && matches(event)).sort((a, b) => a.eventTime.localeCompare(b.eventTime));
const between = (from: Date, until: Date) => (event: Event) => event.eventTime >= iso(from) && event.eventTime < iso(until);
const by = (email: string) => (event: Event) => event.userIdentity.principalId.endsWith(`:${email}`);
const launched = (event: Event): string[] => event.responseElements?.instancesSet.items.map((item: Event) => item.instanceId) ?? [];
const launchOf = (instance: string) => calls('RunInstances', (event) => launched(event).includes(instance));
const tagsOf = (event: Event) =>
  Object.fromEntries(event.requestParameters.tagSpecificationSet.items[0].tags.map(({ key, value }: Event) => [key, value]));

describe('the sample trail', () => {
  test('has the same bytes for the same seed, and other bytes for another seed', async () => {
    const small = { end: new Date('2026-11-20T14:37:11Z'), days: 4, eventsPerDay: 150 };
    const [first, again, other] = [
      await fingerprint({ ...small, seed: 7 }),
      await fingerprint({ ...small, seed: 7 }),
      await fingerprint({ ...small, seed: 8 }),
    ];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('has the requested number of everyday events, plus those of the scenarios', async () => {
    const out = await newFolder();
    const end = new Date('2026-11-20T14:37:11Z');
    const { events: count, files: written } = await generateSample({ out, end, days: 2, eventsPerDay: 4000 });
    const read = await readTrail(out);
    expect(read).toHaveLength(written);
    expect(read.flatMap((file) => file.events)).toHaveLength(count);
    expect(count).toBeGreaterThan(8000);
    expect(count).toBeLessThan(8000 * 1.02 + 800);
    for (const event of read.flatMap((file) => file.events)) {
      expect(event.eventTime >= '2026-11-18T14:37:11Z' && event.eventTime <= iso(end)).toBe(true);
    }
  });

  test('has the number of events and files that generateSample returns', () => {
    expect(delivered).toHaveLength(sample.events);
    expect(files).toHaveLength(sample.files);
  });

  test('has AWS’s paths, with delivery times at most fifteen minutes after the events', () => {
    let overMidnight = 0;
    for (const { path, events: inside } of files) {
      const [, account, region, day = '', stamp = ''] = PATH.exec(path) ?? [];
      expect(account, path).toBeDefined();
      expect(stamp.slice(0, 8)).toBe(day.replaceAll('/', ''));
      for (const event of inside) {
        const delay = deliveryTime(stamp) - Date.parse(event.eventTime);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(15 * 60_000);
        expect([event.recipientAccountId, event.awsRegion]).toEqual([account, region]);
        if (event.eventTime.slice(0, 10) !== day.replaceAll('/', '-')) overMidnight += 1;
      }
    }
    expect(overMidnight).toBeGreaterThan(0);
  });

  test('has digest and insight files in folders of their own', async () => {
    const kinds = new Set((await filesOf(folders[0]!)).map((path) => path.split('/')[3]));
    expect([...kinds].sort()).toEqual(['CloudTrail', 'CloudTrail-Digest', 'CloudTrail-Insight']);
    expect(await readdir(join(folders[0]!, 'AWSLogs'))).toEqual([ORGANIZATION_ID]);
  });

  test('has some events twice, byte for byte, in different files', () => {
    const seen = new Map<string, Set<string>>();
    const texts = new Map<string, Set<string>>();
    for (const { path, events: inside } of files) {
      for (const event of inside) {
        seen.set(event.eventID, (seen.get(event.eventID) ?? new Set()).add(path));
        texts.set(event.eventID, (texts.get(event.eventID) ?? new Set()).add(JSON.stringify(event)));
      }
    }
    const twice = [...seen.values()].filter((paths) => paths.size === 2);
    expect(twice.length).toBeGreaterThan(3);
    expect(delivered.length - events.length).toBe(twice.length);
    expect([...texts.values()].every((same) => same.size === 1)).toBe(true);
  });

  test('has sizes, reads and errors as in real trails', async () => {
    const out = await newFolder();
    await generateSample({ out, end: END, days: 14, eventsPerDay: 1100 });
    const all = (await readTrail(out)).map((file) => file.events);
    const flat = all.flat();
    const sizes = flat.map((event) => Buffer.byteLength(JSON.stringify(event))).sort((a, b) => a - b);
    const mean = sizes.reduce((a, b) => a + b, 0) / sizes.length;
    expect(mean).toBeGreaterThan(1250);
    expect(mean).toBeLessThan(1550);
    expect(sizes[Math.floor(sizes.length * 0.05)]).toBeLessThan(1150);
    expect(sizes[Math.floor(sizes.length * 0.95)]).toBeGreaterThan(1800);
    const perFile = all.map((inside) => inside.length).sort((a, b) => a - b);
    expect(perFile[Math.floor(perFile.length / 2)]).toBeGreaterThanOrEqual(5);
    expect(flat.length / all.length).toBeGreaterThan(10);
    expect(Math.abs(share(flat.filter(({ readOnly }) => readOnly).length, flat.length) - 0.8)).toBeLessThan(0.06);
    expect(Math.abs(share(flat.filter(({ eventCategory }) => eventCategory === 'Data').length, flat.length) - 0.15)).toBeLessThan(0.05);
    const errors = share(flat.filter(({ errorCode }) => errorCode).length, flat.length);
    expect(errors).toBeGreaterThan(0.04);
    expect(errors).toBeLessThan(0.12); // the bursts of the last week count more in a trail of two weeks
    expect(new Set(flat.map(({ eventSource, eventName }) => `${eventSource}:${eventName}`)).size).toBeGreaterThan(200);
  });

  test('has many APIs that are called only once or twice', () => {
    const counts = Map.groupBy(events, ({ eventSource, eventName }) => `${eventSource}:${eventName}`);
    expect([...counts.values()].filter(({ length }) => length <= 2).length).toBeGreaterThan(50);
  });

  test('has only complete files after it was aborted', async () => {
    const out = await newFolder();
    const stop = new AbortController();
    const generated = generateSample({
      out,
      end: END,
      days: 60,
      eventsPerDay: 3000,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(generated).rejects.toThrow('enough');
    const left = await filesOf(out);
    expect(left.length).toBeGreaterThan(0);
    expect(left.every((path) => path.endsWith('.json.gz'))).toBe(true);
    expect((await readTrail(out)).flatMap((file) => file.events).length).toBeLessThan(180_000);
  });

  test('has no files when the signal is aborted before', async () => {
    const out = await newFolder();
    await expect(generateSample({ out, end: END, signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    expect(await filesOf(out)).toEqual([]);
  });

  test('cannot have 0 days', async () => {
    await expect(generateSample({ out: await newFolder(), end: END, days: 0 })).rejects.toThrow('at least 1, not 0');
  });
});

describe('the scenarios', () => {
  test('root signs in five times at night, fails once, and redeems a promo code', () => {
    const signIns = calls('ConsoleLogin', ({ userIdentity }) => userIdentity.type === 'Root');
    const successes = signIns.filter(({ responseElements }) => responseElements.ConsoleLogin === 'Success');
    expect(successes.map(({ eventTime, additionalEventData }) => [eventTime, additionalEventData.MFAUsed])).toEqual(
      rootSignIns(END).map(({ at, mfa }) => [iso(at), mfa ? 'Yes' : 'No']),
    );
    const [failure] = signIns.filter(({ responseElements }) => responseElements.ConsoleLogin === 'Failure');
    expect(failure).toMatchObject({
      eventTime: iso(failedRootSignIn(END).at),
      errorMessage: 'Failed authentication',
      recipientAccountId: ROOT_ACCOUNT,
    });
    expect(failure).not.toHaveProperty('errorCode');
    expect(signIns.every(({ userIdentity, awsRegion }) => !('userName' in userIdentity) && awsRegion === 'us-east-1')).toBe(true);
    const { eventSource, eventName, at } = promoCode(END);
    expect(calls(eventName)).toMatchObject([{ eventSource, eventTime: iso(at), userIdentity: { type: 'Root' } }]);
  });

  test('Auto Scaling launches an instance with a Root identity', () => {
    const { instance, invokedBy } = rootLookAlike(END);
    expect(launchOf(instance)).toMatchObject([{ userIdentity: { type: 'Root', invokedBy } }]);
  });

  test('two buckets are deleted, one of them yesterday, and one deletion fails', () => {
    const attempts = calls('DeleteBucket');
    const done = attempts.filter(({ errorCode }) => !errorCode);
    expect(done.map(({ eventTime, requestParameters }) => [eventTime, requestParameters.bucketName])).toEqual(
      bucketDeletions(END).map(({ at, bucket }) => [iso(at), bucket]),
    );
    expect(done[1].eventTime).toMatch(/^2026-11-20/);
    expect(attempts.filter(({ errorCode }) => errorCode === 'BucketNotEmpty').map(({ eventTime }) => eventTime)).toEqual([
      iso(failedBucketDeletion(END).at),
    ]);
  });

  test('a role is used for three and a half minutes after SwitchRole', () => {
    const { at, until, role, calls: names } = roleSwitch(END);
    const session = events
      .filter(({ userIdentity }) => userIdentity.arn?.includes(`/${role}/`))
      .sort((a, b) => a.eventTime.localeCompare(b.eventTime));
    expect(session.map(({ eventName }) => eventName)).toEqual(['SwitchRole', ...names, 'ExitRole']);
    expect([session[0].eventTime, session.at(-1).eventTime]).toEqual([iso(at), iso(until)]);
    expect(Number(until) - Number(at)).toBe(210_000);
  });

  test('a user assumes a role, and with its access key a role in another account', () => {
    const { at, by, from, to, roles, sessionName, calls: names } = roleChainRelease(END);
    const ofRelease = events.filter(({ userIdentity, requestParameters }) =>
      [userIdentity.arn, requestParameters?.roleSessionName].some((text) => text?.endsWith(sessionName)),
    );
    const [first, ...rest] = ofRelease.sort((a, b) => a.eventTime.localeCompare(b.eventTime));
    expect([first.eventTime, first.userIdentity.userName, first.recipientAccountId]).toEqual([iso(at), by, from]);
    const assumedWithRole = rest.filter(({ eventName }) => eventName === 'AssumeRole');
    expect(assumedWithRole.map(({ recipientAccountId }) => recipientAccountId).sort()).toEqual([from, to].sort());
    const work = rest.filter(({ eventName }) => eventName !== 'AssumeRole');
    expect(work.map(({ eventSource, eventName }) => `${eventSource.split('.')[0]}:${eventName}`)).toEqual(names);
    const [caller] = assumedWithRole.filter(({ recipientAccountId }) => recipientAccountId === from);
    expect(caller.userIdentity.accessKeyId).toBe(first.responseElements.credentials.accessKeyId);
    for (const { userIdentity } of work) expect(userIdentity.accessKeyId).toBe(caller.responseElements.credentials.accessKeyId);
    expect(work[0].userIdentity.arn).toContain(`:assumed-role/${roles[1]}/`);
  });

  test('a notebook is started and never stopped', () => {
    const { at, started, name, by: owner } = notebook(END);
    expect(calls('CreateNotebookInstance', by(owner))).toMatchObject([{ eventTime: iso(at), requestParameters: { notebookInstanceName: name } }]);
    expect(calls('StartNotebookInstance')).toMatchObject([{ eventTime: iso(started) }]);
    expect([...calls('StopNotebookInstance'), ...calls('DeleteNotebookInstance')]).toEqual([]);
  });

  test('three instances are launched in one call, and another person stops and starts one of them', () => {
    const { at, instances, by: launcher } = launchOfThree(END);
    const [launch] = launchOf(instances[0]);
    expect(launch.eventTime).toBe(iso(at));
    expect(launched(launch)).toEqual(instances);
    expect(by(launcher)(launch)).toBe(true);
    const { instance, stopped, started, by: other } = stopAndStart(END);
    const names = (event: Event) => event.requestParameters?.instancesSet.items.some(({ instanceId }: Event) => instanceId === instance);
    expect([...calls('StopInstances', names), ...calls('StartInstances', names)].map(({ eventTime }) => eventTime)).toEqual([
      iso(stopped),
      iso(started),
    ]);
    expect([...calls('StopInstances', names), ...calls('StartInstances', names)].every(by(other))).toBe(true);
  });

  test('a dry run and a denied launch start no instance', () => {
    for (const { at, errorCode } of [dryRun(END), deniedLaunch(END)]) {
      expect(calls('RunInstances', ({ eventTime }) => eventTime === iso(at))).toMatchObject([{ errorCode, responseElements: null }]);
    }
  });

  test('an Auto Scaling group, a fleet and a stack launch instances for the people who created them', () => {
    const [group, fleet, stack] = [launchByGroup(END), launchByFleet(END), launchByStack(END)];
    expect(calls('CreateAutoScalingGroup', by(group.by))).toMatchObject([
      { eventTime: iso(group.groupCreated), requestParameters: { autoScalingGroupName: group.group } },
    ]);
    const [grouped] = launchOf(group.instance);
    expect(grouped.userIdentity).toMatchObject({
      invokedBy: 'autoscaling.amazonaws.com',
      sessionContext: { sessionIssuer: { userName: 'AWSServiceRoleForAutoScaling' } },
    });
    expect(tagsOf(grouped)).toMatchObject({ 'aws:autoscaling:groupName': group.group });

    expect(calls('CreateFleet', by(fleet.by))).toMatchObject([{ responseElements: { CreateFleetResponse: { fleetId: fleet.fleet } } }]);
    const [fleeted] = launchOf(fleet.instance);
    expect(fleeted.userIdentity.invokedBy).toBe('ec2fleet.amazonaws.com');
    expect(tagsOf(fleeted)).toMatchObject({ 'aws:ec2:fleet-id': fleet.fleet });
    expect(fleeted.requestParameters.clientToken.startsWith(fleet.fleet)).toBe(true);

    expect(calls('CreateStack', by(stack.by))).toMatchObject([{ responseElements: { stackId: stack.stackId } }]);
    const [stacked] = launchOf(stack.instance);
    expect(stacked).toMatchObject({
      sourceIPAddress: 'cloudformation.amazonaws.com',
      userAgent: 'cloudformation.amazonaws.com',
      userIdentity: { invokedBy: 'cloudformation.amazonaws.com' },
    });
    expect(tagsOf(stacked)).toMatchObject({ 'aws:cloudformation:stack-name': stack.stack, 'aws:cloudformation:stack-id': stack.stackId });
  });

  test('passwords are guessed yesterday, and a user mistypes theirs on another day', () => {
    const { from, until, ip, count } = signInBurst(END);
    const guesses = calls('ConsoleLogin', ({ sourceIPAddress }) => sourceIPAddress === ip);
    expect(guesses).toHaveLength(count);
    expect(guesses.every(between(from, until))).toBe(true);
    expect(guesses.every((event) => event.responseElements.ConsoleLogin === 'Failure' && !('errorCode' in event))).toBe(true);
    expect(new Set(guesses.map(({ userIdentity }) => userIdentity.userName))).toContain('HIDDEN_DUE_TO_SECURITY_REASONS');
    const { user } = mistypedPassword(END);
    const attempts = calls('ConsoleLogin', ({ userIdentity }) => userIdentity.userName === user);
    expect(attempts.map(({ responseElements }) => responseElements.ConsoleLogin)).toEqual(['Failure', 'Failure', 'Success']);
  });

  test('one role is denied in a burst, one service every day, and one tool is throttled', () => {
    const burst = denialBurst(END);
    const denied = events.filter(({ userIdentity }) => userIdentity.sessionContext?.sessionIssuer?.userName === burst.role);
    expect(denied.filter(between(burst.from, burst.until)).filter(({ errorCode }) => errorCode === burst.errorCode)).toHaveLength(burst.count);
    const daily = calls(
      DAILY_DENIAL.eventName,
      ({ errorCode, errorMessage }) => errorCode === DAILY_DENIAL.errorCode && errorMessage.includes(DAILY_DENIAL.parameter),
    );
    expect(new Set(daily.map(({ eventTime }) => eventTime.slice(0, 10))).size).toBe(184);
    const limits = throttling(END);
    const throttled = events.filter(({ userAgent }) => userAgent === limits.agent);
    expect(throttled).toHaveLength(limits.count);
    expect([...new Set(throttled.map(({ errorCode }) => errorCode))].sort()).toEqual([...limits.errorCodes].sort());
  });

  test('the approved role has a few presigned downloads a day, and a user has a spike', () => {
    const links = calls('GetObject', ({ additionalEventData }) => additionalEventData?.AuthenticationMethod === 'QueryString');
    const { user, from, until, count } = presignedSpike(END);
    const spike = links.filter(({ userIdentity }) => userIdentity.userName === user);
    expect(spike).toHaveLength(count);
    expect(spike.every(between(from, until))).toBe(true);
    expect(links.length - spike.length).toBeGreaterThan(184 * 3);
    expect(
      links.every(({ userIdentity }) => userIdentity.userName === user || userIdentity.sessionContext.sessionIssuer.userName === 'download-links'),
    ).toBe(true);
  });

  test('one key has imported material, the others have material from KMS', () => {
    const { keyId, at, imported } = importedKey(END);
    const external = calls('CreateKey', ({ requestParameters }) => requestParameters.origin === 'EXTERNAL');
    expect(external).toMatchObject([{ eventTime: iso(at), responseElements: { keyMetadata: { keyId, keyState: 'PendingImport' } } }]);
    expect(calls('GetParametersForImport')).toHaveLength(1);
    expect(calls('ImportKeyMaterial')).toMatchObject([{ eventTime: iso(imported), requestParameters: { keyId } }]);
    expect(
      calls('CreateKey', ({ requestParameters }) => requestParameters.origin === 'AWS_KMS').map(
        ({ responseElements }) => responseElements.keyMetadata.keyId,
      ),
    ).toEqual(ordinaryKeys(END).map(({ keyId: id }) => id));
  });

  test('a region is used for the first time yesterday', () => {
    const { region, first, calls: names } = newRegion(END);
    const there = events.filter(({ awsRegion }) => awsRegion === region).sort((a, b) => a.eventTime.localeCompare(b.eventTime));
    expect(there.map(({ eventName }) => eventName)).toEqual(names);
    expect(there[0].eventTime).toBe(iso(first));
  });

  test('hostile texts are unchanged in every field that a caller chooses', () => {
    const places = (event: Event) => [
      event.userAgent,
      event.requestParameters?.bucketName,
      event.requestParameters?.roleSessionName,
      event.requestParameters?.tagSpecificationSet?.items[0].tags[0].value,
    ];
    for (const text of HOSTILE_TEXTS) {
      const found = [0, 1, 2, 3].map((place) => events.some((event) => places(event)[place] === text));
      expect(found, text).toEqual([true, true, true, true]);
      expect(
        events.some(({ errorMessage }) => errorMessage?.includes(text)),
        text,
      ).toBe(true);
    }
    expect(HOSTILE_TEXTS.some((text) => text.length >= 900)).toBe(true);
  });

  test('yesterday has more destructive calls, successful and failed', () => {
    const { terminated, failedUserDeletion, failedStopLogging, keyDeletionScheduled } = destruction(END);
    const on =
      (at: Date) =>
      ({ eventTime }: Event) =>
        eventTime === iso(at);
    expect(calls('TerminateInstances', on(terminated.at))).toMatchObject([
      { responseElements: { instancesSet: { items: terminated.instances.map((instanceId) => ({ instanceId })) } } },
    ]);
    expect(calls('DeleteUser', on(failedUserDeletion.at))).toMatchObject([{ errorCode: failedUserDeletion.errorCode, responseElements: null }]);
    expect(calls('StopLogging')).toMatchObject([{ errorCode: failedStopLogging.errorCode, responseElements: null }]);
    expect(calls('ScheduleKeyDeletion', on(keyDeletionScheduled.at))).toMatchObject([{ requestParameters: { keyId: keyDeletionScheduled.keyId } }]);
  });

  test('some identities are unusual', () => {
    expect(calls('RotateKey')).toMatchObject([
      { eventTime: iso(keyRotation(END).at), eventType: 'AwsServiceEvent', userIdentity: { invokedBy: 'AWS Internal' } },
    ]);
    expect(calls('RotateKey')[0].userIdentity).not.toHaveProperty('type');
    expect(calls('CheckMfa')).toHaveLength(1);
    const views = calls('AssumeRole', ({ sharedEventID }) => sharedEventID === crossAccount(END).sharedEventId);
    expect(views.map(({ recipientAccountId, userIdentity }) => [recipientAccountId, userIdentity.type]).sort()).toEqual([
      [crossAccount(END).from, 'AssumedRole'],
      [crossAccount(END).to, 'AWSAccount'],
    ]);
  });

  test('secrets are in the log, as in real trails', () => {
    const { roleAssumed, accessKeyCreated, presigned, passwordChanged } = secrets(END);
    expect(calls('AssumeRole', ({ responseElements }) => responseElements?.credentials.sessionToken === roleAssumed.sessionToken)).toHaveLength(1);
    expect(calls('CreateAccessKey')).toMatchObject([{ responseElements: { accessKey: { accessKeyId: accessKeyCreated.accessKeyId } } }]);
    expect(events.filter((event) => JSON.stringify(event).includes(`X-Amz-Signature=${presigned.signature}`))).toHaveLength(1);
    expect(
      calls('ModifyDBInstance', ({ requestParameters }) => requestParameters.masterUserPassword === passwordChanged.masterUserPassword),
    ).toHaveLength(1);
  });
});

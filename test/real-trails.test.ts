import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listSkipped } from '../duckdb/store.ts';
import type { Row } from '../src/answer/answer.ts';
import { type OpenTrail, openFolder } from './support/trail-folder.ts';

/** Public trails beside the checkout. */
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));

type Cells = Row['cells'];
interface Told {
  readonly answer: unknown;
}
type Tally = readonly { readonly k: string | null | readonly (string | null)[]; readonly n: number }[];
interface RoleSession {
  readonly session: string;
  readonly n: number;
  readonly first: string;
  readonly last: string;
  readonly ips: readonly string[];
  readonly apis: Tally;
}
type Listing = readonly (readonly [time: string, id: string, ...more: unknown[]])[];

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trailbot-real-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const openSet = (set: string) => openFolder({ trail: join(DATA, 'trails', set), store: join(root, set) });

/** Counts by key in any order, with keys as JSON text: from the expected answers and from ours. */
const byKey = (pairs: Iterable<readonly [unknown, number]>): Record<string, number> => {
  const sums: Record<string, number> = {};
  for (const [key, n] of pairs) sums[JSON.stringify(key)] = (sums[JSON.stringify(key)] ?? 0) + n;
  return sums;
};
const tallied = (answer: unknown, key: (k: Tally[number]['k']) => unknown = (k) => k) => byKey((answer as Tally).map(({ k, n }) => [key(k), n]));
const counted = (cells: readonly Cells[], key: (cells: Cells) => unknown) => byKey(cells.map((each) => [key(each), Number(each.events)]));
const idsOf = (answer: unknown) => (answer as Listing).map(([, id]) => id).sort();
const api = ({ source, event }: Cells) => `${String(source).replace(/\.amazonaws\.com$/, '')}:${event}`;
const at = (n: number) => (k: Tally[number]['k']) => (k as readonly (string | null)[])[n];

// The answers call a call denied when its code has one of these in it; `outcome:denied` knows more codes.
const DENIED = 'error:*AccessDenied*,*UnauthorizedOperation*';
// And a caller human when the address is neither a service's nor AWS's own nor missing.
const HUMAN = 'ip:* -ip:*amazonaws.com -ip:"AWS Internal"';

/** Questions with a list as the answer: the line must find exactly the expected event ids. */
const LISTS: Readonly<Record<string, string>> = {
  '03 console logins': 'events event:ConsoleLogin',
  '04 root logins': 'root-logins',
  '07 instances launched': 'events event:RunInstances',
  '08 buckets deleted': 'events event:DeleteBucket',
  '16 logging tampered with':
    'events event:StopLogging,DeleteTrail,UpdateTrail,PutEventSelectors,PutInsightSelectors,CreateTrail,StartLogging,PutBucketLifecycle,DeleteBucketLifecycle,DeleteFlowLogs,DeleteLogGroup,DeleteLogStream,DeleteResolverQueryLogConfig,DisassociateResolverQueryLogConfig,StopConfigurationRecorder,DeleteDetector,LeaveOrganization',
  '19 keys made': 'events event:CreateKey,ImportKeyMaterial,GetParametersForImport',
  '23 new ways in':
    'events event:CreateUser,CreateAccessKey,CreateLoginProfile,UpdateLoginProfile,AttachUserPolicy,AttachRolePolicy,AttachGroupPolicy,PutUserPolicy,PutRolePolicy,UpdateAssumeRolePolicy,CreateTrustAnchor,AddPermission20150331v2,UpdateFunctionCode20150331v2,GetFederationToken,CreateRole',
  '24 shared or opened':
    'events event:ModifySnapshotAttribute,ModifyImageAttribute,ModifyDBSnapshotAttribute,PutBucketPolicy,AddPermission20150331v2,AuthorizeSecurityGroupIngress',
};

/** Questions with counts as the answer: the line, the columns to count by, and the part of the expected key to compare. */
const COUNTS: Readonly<Record<string, readonly [line: string, ours: (cells: Cells) => unknown, theirs?: (k: Tally[number]['k']) => unknown]>> = {
  '05 what root did': ['events kind:root by:source,event', api],
  '06 failed console logins': ['events event:ConsoleLogin outcome:failed by:ip', ({ ip }) => ip, at(0)],
  '09 denied calls': [`events ${DENIED} by:source,event`, api],
  '10 denied calls by principal': [`events ${DENIED} by:principal`, () => 'all', () => 'all'],
  '11 error codes': ['events error:* by:error', ({ error }) => error],
  '12 throttling': ['events outcome:throttled by:source,event', api, at(0)],
  // A denied call names its role only in the message; the target comes from there.
  '14 roles assumed': [
    'events event:AssumeRole* by:target,error',
    ({ target, error }) => [error === null && target, error],
    (k) => [k?.[2] === null && (k[1]?.split('/').at(-1) ?? null), k?.[2]],
  ],
  '17 destructive calls': [
    'events event:Delete*,Terminate*,StopLogging* by:event,error',
    ({ event, error }) => [event, error],
    (k) => [k?.[0], k?.[2]],
  ],
  '18 what was created': ['events event:Create* -event:CreateLogStream -error:* by:event', ({ event }) => event, at(0)],
  '20 by other regions': ['events -region:us-east-1,us-east-2 by:region', ({ region }) => region],
  '21 objects read': ['events event:GetObject by:ip', ({ ip }) => ip, at(2)],
  '22 secrets read': [
    'events event:GetSecretValue,BatchGetSecretValue,GetParameter,GetParameters,GetPasswordData by:source,event,error',
    (cells) => [api(cells), cells.error],
    (k) => [k?.[1], k?.[2]],
  ],
  '25 addresses of people': [`events ${HUMAN} by:ip`, ({ ip }) => ip, at(0)],
  '29 tools seen': ['events by:agent', ({ agent }) => (/^\[?([^ ]*)/.exec(String(agent ?? ''))?.[1] ?? '').split('_')[0], (k) => k ?? ''],
  '30 writes by people': [`events readonly:false ${HUMAN} by:source,event,error`, (cells) => [api(cells), cells.error]],
};

/**
 * The same questions, asked of the commands that are made for them. What a command leaves out of an answer or adds to it is
 * filtered here, with the reason.
 */
const OWN: Readonly<Record<string, readonly [line: string, theirs?: (event: Listed) => boolean]>> = {
  '03 console logins': ['logins'],
  '04 root logins': ['logins kind:root'],
  '07 instances launched': ['created event:RunInstances'],
  '08 buckets deleted': ['destructive event:DeleteBucket'],
  // A lifecycle rule on a bucket without logs, or a start, is not tampering. Changes to Config and to services that watch are.
  '16 logging tampered with': [
    'trail-tampering -event:DeleteConfigurationRecorder,DeleteDeliveryChannel,DeleteConfigRule -source:securityhub,monitoring -(source:guardduty -event:*Detector)',
    ({ name }) => !/BucketLifecycle$|^CreateTrail$|^StartLogging$/.test(name),
  ],
  // New code, and a session with its user's rights, change no access. Transfer users are not IAM users.
  '23 new ways in': [
    'access-changes event:Create*,UpdateLoginProfile,Attach*,PutUserPolicy,PutRolePolicy,UpdateAssumeRolePolicy,AddPermission* source:iam,rolesanywhere,lambda,sso-directory -event:CreateGroup,CreatePolicy*,CreateServiceLinkedRole,CreateFunctionUrlConfig,CreateProfile',
    ({ name, source }) => !/^(UpdateFunctionCode|GetFederationToken)/.test(name) && source !== 'transfer.amazonaws.com',
  ],
  // A port open to a private network is not open to the world.
  '24 shared or opened': [
    'access-changes event:Modify*SnapshotAttribute,ModifyImageAttribute,PutBucketPolicy,AddPermission*,AuthorizeSecurityGroupIngress',
    ({ name, record }) => name !== 'AuthorizeSecurityGroupIngress' || /"[0-9a-f.:]+\/0"/.test(record),
  ],
};

/** And those that are answered by counts. */
const OWN_COUNTS: typeof COUNTS = {
  '06 failed console logins': ['signin-failures by:ip', ({ ip }) => ip, at(0)],
  '12 throttling': ['throttled by:source,event', api, at(0)],
  '17 destructive calls': [
    'destructive all event:Delete*,Terminate*,StopLogging by:event,error',
    ({ event, error }) => [event, error],
    (k) => [k?.[0], k?.[2]],
  ],
  '18 what was created': ['created all event:Create* -event:CreateLogStream outcome:ok by:event', ({ event }) => event, at(0)],
  '22 secrets read': ['secrets by:source,event,error', (cells) => [api(cells), cells.error], (k) => [k?.[1], k?.[2]]],
};

/** An event as a question of others lists it, and its record. */
interface Listed {
  readonly name: string;
  readonly source: string;
  readonly record: string;
}

describe.each(['opensearch-catalog', 'stratus', 'traildiscover', 'otrf-s3-exfil'])('The set %s is answered as others answered it', (set) => {
  let answers: Readonly<Record<string, Told>>;
  let open: OpenTrail;
  /** The days the set spans, as a line names them. */
  let days: string;
  beforeAll(async () => {
    answers = (JSON.parse(await readFile(join(DATA, 'answers', `${set}.json`), 'utf8')) as { answers: Record<string, Told> }).answers;
    open = await openSet(set);
    const { first, last } = theirs('01') as { first: string; last: string };
    days = `${first.slice(0, 10)}..${last.slice(0, 10)}`;
  });
  afterAll(() => open?.[Symbol.asyncDispose]());

  const theirs = (question: string): unknown => {
    const told = answers[question.slice(0, 2)];
    if (!told) throw new Error(`No answer ${question}`);
    // 20 wraps its tally in an object.
    return question.startsWith('20') ? (told.answer as { by: Tally }).by : told.answer;
  };
  const ask = (line: string) => open.cells(`${line} top:10000 ${days}`);

  test('01 totals', async () => {
    const { events, ids, first, last, accounts, regions } = theirs('01') as Record<'events' | 'ids', number> &
      Record<'first' | 'last', string> &
      Record<'accounts' | 'regions', Tally>;
    expect(open.loaded).toMatchObject({ events: ids, duplicates: 0, skippedFiles: 0, skippedEvents: 0 });
    expect(await open.engine.extent()).toMatchObject({ events, first, last });
    expect(await ask('events')).toHaveLength(events);
    expect(counted(await ask('events by:region'), ({ region }) => region)).toEqual(tallied(regions));
    expect(counted(await ask('events by:account'), ({ account }) => account)).toEqual(tallied(accounts));
  });

  test.each(Object.entries(LISTS))('%s', async (question, line) => {
    const found = (await ask(line)).map(({ eventid }) => String(eventid)).sort();
    expect(found).toEqual(idsOf(theirs(question)));
  });

  test.each(Object.entries(COUNTS))('%s', async (question, [line, ours, key]) => {
    expect(counted(await ask(line), ours)).toEqual(tallied(theirs(question), key));
  });

  test.each(Object.entries(OWN))('%s, by the command that is made for it', async (question, [line, isMeant = () => true]) => {
    const records = await open.rows('select eventid, eventname, eventsource, requestparameters from events');
    const known = new Map(
      records.map(({ eventid, eventname, eventsource, requestparameters }) => [
        String(eventid),
        { name: String(eventname), source: String(eventsource), record: String(requestparameters) },
      ]),
    );
    const meant = idsOf(theirs(question)).filter((id) => isMeant(known.get(id) as Listed));
    expect(await open.ids(`${line} top:10000 ${days}`)).toEqual(meant);
  });

  test.each(Object.entries(OWN_COUNTS))('%s, counted by the command that is made for it', async (question, [line, ours, key]) => {
    expect(counted(await ask(line), ours)).toEqual(tallied(theirs(question), key));
  });

  test('02 calls by principal', async () => {
    for (const { k, n } of theirs('02') as { k: string; n: number }[]) {
      if (k.startsWith('arn:')) expect({ k, n: (await ask(`events user:"${k}"`)).length }).toEqual({ k, n });
    }
  });

  test('09 and 11 failures, in three questions: denied, throttled and failed', async () => {
    const all = (await Promise.all(['denied', 'throttled', 'failed'].map((name) => ask(`${name} error:* by:error`)))).flat();
    expect(counted(all, ({ error }) => error)).toEqual(tallied(theirs('11')));
    expect(counted(await ask(`denied ${DENIED} by:source,event`), api)).toEqual(tallied(theirs('09')));
  });

  test('15 the calls of each role session', async () => {
    for (const { session, n, first, last, ips, apis } of theirs('15') as RoleSession[]) {
      const own = await ask(`events user:"${session}" userIdentity.type:AssumedRole`);
      expect(own.map(({ eventtime }) => eventtime).toSorted()).toMatchObject({ length: n, 0: first, [n - 1]: last });
      expect([...new Set(own.map(({ sourceipaddress }) => sourceipaddress ?? ''))].toSorted()).toEqual(ips);
      expect(counted(await ask(`events user:"${session}" userIdentity.type:AssumedRole by:source,event`), api)).toEqual(tallied(apis));
      expect(await open.ids(`session "${session}" ${days}`)).toEqual(expect.arrayContaining(own.map(({ eventid }) => String(eventid))));
    }
  });

  test('26 when each principal first made each call', async () => {
    const firsts = (theirs('26') as [string, string, string, string][]).map(([time, , , call]) => [call, time]);
    const seen = (await ask('events by:user,account,principal,source,event sort:new')).map((cells) => [api(cells), cells.first]);
    expect(new Set(seen.map(String))).toEqual(new Set(firsts.map(String)));
  });

  test('28 role sessions used from more than one address', async () => {
    for (const { session, ips } of theirs('28') as { session: string; ips: Tally }[]) {
      const found = await ask(`events user:"${session}" by:ip`);
      expect(found.map(({ ip, events }) => ({ k: ip, n: events }))).toEqual(expect.arrayContaining([...ips]));
      const { data } = await open.ask(`session "${session}" ${days}`);
      expect(data).toMatchObject({ sessions: expect.arrayContaining([expect.objectContaining({ hasSeveralNetworks: true })]) });
    }
  });

  test('13 calls made once', async () => {
    const { apis } = theirs('13') as { apis: string[] };
    const once = (await ask('rare')).filter(({ calls }) => calls === 1);
    expect(once.map(({ eventsource, eventname }) => api({ source: eventsource ?? null, event: eventname ?? null })).sort()).toEqual(apis.toSorted());
  });

  test('27 busiest five minutes', async () => {
    const busiest = (await open.cells(`events every:5m sort:top top:5 ${days}`)).map(({ step, events }) => ({ k: step, n: events }));
    expect(busiest).toEqual(theirs('27'));
  });

  test('the command event shows every event that is listed', async () => {
    for (const { eventid, eventtime, eventname } of (await ask('events')).slice(0, 5)) {
      const { data } = await open.ask(`event ${eventid} ${String(eventtime).slice(0, 10)}`);
      expect(data).toMatchObject({ found: { eventid, eventname } });
    }
  });

  test('who-started finds the launch of every launched instance', async () => {
    for (const launch of theirs('07') as [string, string, string, string, string | null, string[]][]) {
      for (const instance of launch[5]) expect(await open.ids(`who-started ${instance} ${days}`)).toContain(launch[1]);
    }
  });
});

describe('Trails of other people', () => {
  test('load completely, without skipped files', async () => {
    for (const set of await readdir(join(DATA, 'trails'))) {
      await using open = await openSet(set);
      expect({ set, skipped: await listSkipped(join(root, set)) }).toEqual({ set, skipped: [] });
      expect(Number((await open.engine.extent()).events)).toBeGreaterThan(0);
    }
  });

  test('have an actor for each event', async () => {
    for (const set of await readdir(join(DATA, 'trails'))) {
      await using open = await openSet(set);
      const nameless = await open.rows(`select eventid, useridentity from events
        where coalesce(actor, '') = '' or actorkind is null or (actorkind = 'anonymous' and identitytype is not null and identitytype <> 'AWSAccount'
          and coalesce(username, '') <> 'HIDDEN_DUE_TO_SECURITY_REASONS')`);
      expect({ set, nameless }).toEqual({ set, nameless: [] });
    }
  });
});

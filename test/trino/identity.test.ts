/** Compares actors, sign-ins and filters on Trino and DuckDB, for every type of userIdentity and for odd records. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { signInsDuring } from '../../src/analysis/sign-ins.ts';
import { parseLine } from '../../src/question/parse.ts';
import { actorAccount, eventsDuring } from '../../src/trail/events.ts';
import { matching } from '../../src/trail/filter.ts';
import { raw, sql } from '../../src/trail/sql.ts';
import { identities } from '../support/identities.ts';
import { atPortal } from '../support/portal.ts';
import { type Fields, type OpenTrail, openFolder, record, session, type TrailFolder, trailFolder } from '../support/trail-folder.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail, type TrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;
const signal = new AbortController().signal;

const bob = { name: 'bob@example.com', ip: '198.51.100.7' };
const portal = [
  ...atPortal('08:00', { ...bob, credentials: ['PASSWORD'], failed: 'PASSWORD' }),
  ...atPortal('08:01', { ...bob, credentials: ['PASSWORD', 'TOTP'] }),
  ...atPortal('09:00', { ...bob, name: 'eve@example.com', credentials: ['EXTERNAL_IDP'] }),
  record({
    userIdentity: session('AWSReservedSSO_Admin_1', bob.name),
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    eventType: 'AwsConsoleSignIn',
    eventTime: '2026-05-01T08:02:00Z',
    sourceIPAddress: bob.ip,
    responseElements: { ConsoleLogin: 'Success' },
  }),
];

const EVER = { from: new Date('2026-04-30T00:00:00Z'), to: new Date('2026-05-03T00:00:00Z') };

/** A filter, and a record that it finds. */
const oddities: readonly (readonly [filters: string, each: Fields])[] = [
  ['ip:203.0.113.42', record({ sourceIPAddress: '203.0.113.42, 192.168.10.10' })],
  ['ip:192.168.0.0/16', record({ sourceIPAddress: '203.0.113.43, 192.168.10.10' })],
  ['ip:2001:db8::1', record({ sourceIPAddress: '2001:0DB8:0:0:0:0:0:1' })],
  ['ip:2001:db8::/33', record({ sourceIPAddress: '2001:db8:7fff::1' })],
  ['ip:203.0.113.44', record({ sourceIPAddress: '::ffff:cb00:712c' })],
  [
    'requestParameters.bucketPolicy.Statement.Action:s3:GetObject',
    record({ requestParameters: { bucketPolicy: { Statement: [{ Action: ['s3:ListBucket', 's3:GetObject'] }] } } }),
  ],
  ['requestParameters.groupName:web', record({ requestParameters: { reason: 'requestParameters too large', omitted: true, originalSize: 131_072 } })],
  ['outcome:ok error:200', record({ errorCode: '200' })],
  ['outcome:denied error:403', record({ errorCode: '403' })],
  [
    'target:jobs',
    record({ errorCode: 'AccessDenied', errorMessage: 'not authorized to perform: sqs:X on resource: "arn:aws:sqs:eu-central-1:1:jobs" because' }),
  ],
];

describe.skipIf(!server)('the actor on Trino', () => {
  let folder: TrailFolder;
  let trail: TrinoTrail;
  let here: OpenTrail;
  beforeAll(async () => {
    folder = await trailFolder();
    await folder.deliver([...identities.map(({ record: each }) => each), ...oddities.map(([, each]) => each)]);
    // Trino's partition projection needs at least two days.
    await folder.deliver(portal, { day: '2026/05/02' });
    [trail, here] = await Promise.all([openTrinoTrail(server, folder.trail), openFolder(folder)]);
  });
  afterAll(async () => {
    await here?.[Symbol.asyncDispose]();
    await trail?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  test('is the same as on DuckDB for every type of userIdentity', async () => {
    const columns = [...new Set(identities.flatMap((identity) => Object.keys(identity.columns)))].join(', ');
    const rows = await trail.execute(raw(`select eventid, ${columns} from events`));
    const found = new Map(rows.map((row) => [row.eventid, row]));
    for (const { what, record: each, columns: expected } of identities) expect(found.get(String(each.eventID)), what).toMatchObject(expected);
    expect(found.size).toBe(identities.length + portal.length + oddities.length);
  });

  test.each(oddities)('and %s finds the same events as on DuckDB', async (filters, each) => {
    const found = sql`select eventid from ${eventsDuring(EVER)} where ${matching(parseLine(`events ${filters}`).filters)} order by eventid`;
    const there = await trail.execute(found);
    expect(there.map(({ eventid }) => eventid)).toContain(each.eventID);
    expect(there).toEqual((await here.engine.execute(found, { signal })).rows);
  });

  test('is the same as on DuckDB for sign-ins of several events', async () => {
    const range = { from: new Date('2026-05-01T07:00:00Z'), to: new Date('2026-05-01T09:30:00Z') };
    const signIns = sql`
      select eventtime, eventname, actor, actorkind, names, outcome, credentials, ${actorAccount} as actoraccount from ${signInsDuring(range)} order by eventtime, eventid`;
    const there = await trail.execute(signIns);
    expect(there.map(({ actor, eventname, outcome, credentials }) => [actor, eventname, outcome, credentials])).toEqual([
      ['bob@example.com', 'CredentialVerification', 'failed', 'PASSWORD'],
      ['bob@example.com', 'ConsoleLogin', 'ok', 'PASSWORD,TOTP'],
      ['eve@example.com', 'UserAuthentication', 'ok', 'EXTERNAL_IDP'],
    ]);
    expect(there).toEqual((await here.engine.execute(signIns, { signal })).rows);
  });
});

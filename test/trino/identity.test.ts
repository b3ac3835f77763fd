/** Compares actors and sign-ins on Trino and DuckDB, for every type of userIdentity. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { signInsDuring } from '../../src/analysis/sign-ins.ts';
import { actorAccount } from '../../src/trail/events.ts';
import { raw, sql } from '../../src/trail/sql.ts';
import { identities } from '../support/identities.ts';
import { atPortal } from '../support/portal.ts';
import { type OpenTrail, openFolder, record, session, type TrailFolder, trailFolder } from '../support/trail-folder.ts';
import { openTrinoTrail, type TrinoTrail } from './trail.ts';

const url = inject('trinoUrl');
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

describe.skipIf(url === null)('the actor on Trino', () => {
  let folder: TrailFolder;
  let trail: TrinoTrail;
  let here: OpenTrail;
  beforeAll(async () => {
    folder = await trailFolder();
    await folder.deliver(identities.map(({ record: each }) => each));
    // Trino's partition projection needs at least two days.
    await folder.deliver(portal, { day: '2026/05/02' });
    [trail, here] = await Promise.all([openTrinoTrail(url ?? '', folder.trail), openFolder(folder)]);
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
    expect(found.size).toBe(identities.length + portal.length);
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

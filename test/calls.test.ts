/** The catalogue of calls: what it covers, that both forms of it agree, and that every removal in AWS's models is found. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createViewStatement } from '../athena/tables.ts';
import { classifyAction } from '../src/analysis/resource-actions.ts';
import { readResourceId } from '../src/analysis/resource-id.ts';
import { namesSecret } from '../src/text/secret-names.ts';
import { CALL_DATE } from '../src/trail/call-names.ts';
import { type CatalogueCall, catalogueServices, findCall } from '../src/trail/calls.ts';
import { hasTarget, targetPaths } from '../src/trail/target-paths.ts';
import { everyCall, recordOfCall, type SourcedCall } from './support/call-record.ts';
import { type Fields, type OpenTrail, record, trailOf } from './support/trail-folder.ts';

const DAY = '2026-05-01';

/** What the models say that each removal needs, and no more: `source name key`; the key of a list ends in []. */
const removals = readFileSync(new URL('support/removals.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split(' ') as [source: string, name: string, key: string]);

/** Removals that name what they remove by a token, which no question has. */
const BY_TOKEN = new Set(['cognito-idp DeleteUser', 'servicecatalog TerminateProvisionedProduct']);

const isSecretKey = (place: string): boolean => namesSecret((place.split('.').at(-1) as string).replace('[]', ''));

/** A name as AWS would accept it at most places. */
const thing = (n: number): string => `thing-of-number-${n}`;

describe('each removal in the models of AWS', () => {
  const named = removals.filter(([source, name]) => !BY_TOKEN.has(`${source} ${name}`));
  const events = named.map(([source, name, key], n) => {
    const call: CatalogueCall = { name, effect: 'delete', kind: '', own: [key], given: [], parents: [] };
    return recordOfCall({ source, call }, () => thing(n));
  });
  let open: OpenTrail;
  beforeAll(async () => {
    open = await trailOf(...events);
  });
  afterAll(() => open?.[Symbol.asyncDispose]());

  test('is 1,616 that name one thing by a string, and 33 that name a list', () => {
    expect([removals.filter(([, , key]) => !key.endsWith('[]')).length, removals.filter(([, , key]) => key.endsWith('[]')).length]).toEqual([
      1616, 33,
    ]);
    expect(named).toHaveLength(1647);
  });

  test('is a deletion of what it names, or a change of what the removed part belongs to', async () => {
    const rows = await open.rows(
      'select eventid, eventsource, eventname, readlike, errormessage, resourcesjson, requestparameters, responseelements, effect from events',
    );
    const byId = new Map(rows.map((row) => [row.eventid, row]));
    const found = { deleted: 0, changed: 0 };
    const missed: string[] = [];
    for (const [n, { eventID }] of events.entries()) {
      const row = byId.get(String(eventID)) as Record<string, string>;
      const { action } = classifyAction(
        {
          eventname: row.eventname as string,
          eventsource: row.eventsource as string,
          readlike: row.readlike as string,
          errormessage: row.errormessage ?? null,
          resourcesjson: row.resourcesjson ?? null,
          request: row.requestparameters ?? null,
          response: row.responseelements ?? null,
        },
        readResourceId(thing(n)),
      );
      if (action === 'deleted' || action === 'scheduled') found.deleted += 1;
      else if (action === 'changed' || action === 'put') found.changed += 1;
      else missed.push(`${named[n]?.join(' ')}: ${action}`);
      // What the question reads is chosen by the effect that the engine gives.
      if (action === 'deleted' || action === 'scheduled')
        expect([row.eventname, row.effect]).toEqual([row.eventname, expect.stringMatching(/^(delete|schedule)$/)]);
    }
    expect(missed).toEqual([]);
    expect(found.deleted + found.changed).toBe(1647);
    expect(found.deleted).toBeGreaterThan(1350);
  });

  test('is found by the question, for one in forty of them', async () => {
    for (let n = 0; n < events.length; n += 40) {
      const ids = [...(await open.ids(`who-deleted ${thing(n)} ${DAY}`)), ...(await open.ids(`who-changed ${thing(n)} ${DAY}`))];
      expect([named[n], ids]).toEqual([named[n], [events[n]?.eventID]]);
    }
  });
});

describe('every call of the catalogue', () => {
  const calls = everyCall();
  let open: OpenTrail;
  beforeAll(async () => {
    open = await trailOf(...calls.map((each) => recordOfCall(each, (place) => `at-${place.toLowerCase().replaceAll('[]', '')}`)));
  });
  afterAll(() => open?.[Symbol.asyncDispose]());

  test('has the same effect in SQL', async () => {
    const rows = await open.rows('select eventsource, eventname, effect from events');
    expect(rows).toHaveLength(calls.length);
    const wrong = rows.filter(({ eventsource, eventname, effect }) => findCall(String(eventsource), String(eventname))?.effect !== effect);
    expect(wrong).toEqual([]);
  });

  test('has a target when it makes, deletes or changes something with a name', async () => {
    const rows = await open.rows('select eventsource, eventname, target from events where target is null');
    const nameless = rows.filter(({ eventsource, eventname }) => {
      const call = findCall(String(eventsource), String(eventname)) as CatalogueCall;
      return hasTarget(call) && [...call.own, ...call.given].some((place) => place.split('.').length <= 2 && !isSecretKey(place));
    });
    expect(nameless).toEqual([]);
  });

  test('has no secret as its target; what API Gateway calls apiKey is the id of one', async () => {
    const rows = await open.rows('select distinct target from events where target is not null');
    const secret = rows.filter(({ target }) => isSecretKey(String(target).replace(/^at-/, '')));
    expect(secret).toEqual([{ target: 'at-apikey' }]);
  });

  test('has paths that both engines take', () => {
    for (const { source, call } of calls) {
      const { request = [], response = [] } = targetPaths(`${source}.amazonaws.com`, call.name) ?? {};
      for (const path of [...request, ...response]) expect(path).toMatch(/^\$(\.[A-Za-z0-9_]+(\[0\])?)+$/);
    }
  });

  test('is counted by service in docs/calls.md', async () => {
    const services = [...catalogueServices()].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const numbers = (list: readonly CatalogueCall[]): readonly number[] => [
      list.length,
      list.filter(({ effect }) => effect === 'create' || effect === 'put').length,
      list.filter(({ effect }) => effect === 'delete' || effect === 'schedule').length,
      list.filter(({ own, given }) => own.length + given.length > 0).length,
      list.filter(({ own, given, parents }) => own.length + given.length === 0 && parents.length > 0).length,
      list.filter(({ own, given, parents }) => own.length + given.length + parents.length === 0).length,
    ];
    const row = (name: string, list: readonly CatalogueCall[]): string =>
      `| ${[name, ...numbers(list).map((n) => n.toLocaleString('en-US'))].join(' | ')} |`;
    const text = [
      '# The catalogue of calls',
      '',
      'What trailbot knows of AWS’s calls that are not reads, by event source (without `.amazonaws.com`). The tests generate this page from',
      '`src/trail/calls.tsv`, which `npm run calls` makes from AWS’s own service models (botocore) and IAM’s access levels; corrections by',
      'hand, each with its reason, are in `calls/reviewed.ts`. A service that can have several event sources is listed under each.',
      '',
      '“Named” calls name what they make, delete or change. “Parts” only name what it belongs to: a bucket’s policy, a route of a table.',
      'The others name nothing: settings of an account, and data.',
      '',
      '| Event source | Calls | Make or set | Delete | Named | Parts | Others |',
      '|---|---:|---:|---:|---:|---:|---:|',
      ...services.map(([source, list]) => row(source, list)),
      row(
        '**all**',
        calls.map(({ call }) => call),
      ),
      '',
    ].join('\n');
    await expect(text).toMatchFileSnapshot('../docs/calls.md');
  });
});

test('The view has room below the 262,144 bytes that Athena takes of a statement', () => {
  expect(
    Buffer.byteLength(
      createViewStatement({ database: 'd'.repeat(255), table: 't'.repeat(255) }, 'events', { partitions: { folder: 'string', day: 'string' } }),
    ),
  ).toBeLessThan(240_000);
});

test('A date behind the name of a call is no part of it', () => {
  const date = new RegExp(CALL_DATE);
  expect(
    ['DeleteFunction20150331', 'UpdateFunctionCode20150331v2', 'CreateDistribution2020_05_31', 'GetObject', 'CreateV2Api'].map((name) =>
      name.replace(date, ''),
    ),
  ).toEqual(['DeleteFunction', 'UpdateFunctionCode', 'CreateDistribution', 'GetObject', 'CreateV2Api']);
});

describe('A call that the catalogue does not have yet', () => {
  const future: SourcedCall['call'] = { name: 'DeleteWarpDrive', effect: 'delete', kind: 'warp drive', own: ['warpDriveId'], given: [], parents: [] };

  test('is read by its name and its keys', async () => {
    expect(findCall('starship.amazonaws.com', future.name)).toBeUndefined();
    const gone = recordOfCall({ source: 'starship', call: future }, () => 'drive-7');
    const made: Fields = record({
      eventSource: 'starship.amazonaws.com',
      eventName: 'CreateWarpDrive',
      eventTime: '2026-05-01T09:00:00Z',
      readOnly: false,
      requestParameters: { hangarId: 'hangar-1' },
      responseElements: { warpDrive: { warpDriveId: 'drive-7' } },
    });
    await using open = await trailOf(gone, made);
    expect(await open.ids(`who-deleted drive-7 ${DAY}`)).toEqual([gone.eventID]);
    expect(await open.ids(`who-created drive-7 ${DAY}`)).toEqual([made.eventID]);
    expect(await open.ids(`who-created hangar-1 ${DAY}`)).toEqual([]);
  });
});

/** A trail on Athena from the bucket on: set up, then asked, with the real SDK against servers on loopback. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openAthenaTrail, setUp } from '../athena/trail.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import { loadCatalog } from '../src/catalog.ts';
import { openDesk } from '../src/desk.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { pocketBucket } from './support/bucket.ts';
import { pocketAthena } from './support/pocket-athena.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const now = new Date(SAMPLE_END);
const clock = () => now;
const signal = new AbortController().signal;
const settings = { bucket: 'example-trail', prefix: undefined, database: 'trailbot', table: 'cloudtrail', workGroup: 'primary' };

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

/** The sample trail's bucket, a catalog without tables, and Athena over the same events. */
async function production() {
  const stack = new AsyncDisposableStack();
  const files = readdirSync(inject('sampleTrail'), { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
  const bucket = stack.use(await pocketBucket(files.filter((path) => path.endsWith('.gz'))));
  const athena = stack.use(await pocketAthena(duck));
  const catalog = stack.use(await openPocketCatalog(athena.client));
  const clients = { athena: catalog.client, s3: bucket.client() };
  const setUpNow = async (isApplied: boolean): Promise<string> => {
    const said: string[] = [];
    await setUp(settings, clients, { signal, isApplied, say: (words) => said.push(words), onProgress: () => undefined });
    return said.join('\n');
  };
  return { clients, catalog, setUpNow, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('Setting up', () => {
  test('says what it found in the bucket and what it would do, and does it only when told to', async () => {
    await using place = await production();
    const planned = await place.setUpNow(false);
    expect(planned).toMatch(
      /^Trail {4}s3:\/\/example-trail\/AWSLogs\/o-a1b2c3d4e5\/ {3}\(organization o-a1b2c3d4e5\)\nFrom {5}4 accounts, 6 regions: /,
    );
    expect(planned).toContain('4 steps would bring the tables in step with the bucket:\n1. create database trailbot');
    expect(planned).toContain('Nothing was changed. To do it: npm run setup -- --apply');
    expect(place.catalog.tables.size).toBe(0);

    const done = await place.setUpNow(true);
    expect(done).toMatch(/Done[.] The view trailbot[.]events finds [1-9][\d,]* events of 2026-11-2\d[.]$/);
    expect([...place.catalog.tables.keys()]).toEqual(['trailbot.cloudtrail', 'trailbot.events']);
    expect(await place.setUpNow(true)).toContain('The tables are in step with the bucket. Nothing to do.');
  });
});

describe('A trail on Athena', () => {
  test('that is not set up says how it is', async () => {
    await using place = await production();
    const opened = openAthenaTrail(settings, place.clients, clock, signal);
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow('Run: npm run setup -- --apply');
  });

  test('answers as the embedded engine does, and says what it covers', async () => {
    await using place = await production();
    await place.setUpNow(true);
    const engine = await openAthenaTrail(settings, place.clients, clock, signal);
    const catalog = await loadCatalog(new URL('../', import.meta.url));
    const line = 'root-logins 6mo';
    const [there, here] = await Promise.all([engine, duck].map((each) => openDesk(catalog, each).answer(line, { now, signal })));
    expect(there?.table).toEqual(here?.table);
    expect(there?.coverage).toMatchObject({ accounts: 4, regions: 6, bytes: expect.any(Number), queryIds: [expect.any(String), expect.any(String)] });
    await engine.close();
  });
});

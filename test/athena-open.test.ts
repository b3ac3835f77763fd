/** Opens and queries a trail on Athena, with the real SDK against loopback servers. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openAthenaTrail } from '../athena/open.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import { openBilling } from '../src/desk/billing.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { production } from './support/production.ts';
import { SAMPLE_END } from './support/sample-trail.ts';

const now = new Date(SAMPLE_END);
const clock = () => now;
const sizeCache = { read: async () => undefined, write: async () => undefined };
const signal = new AbortController().signal;

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

const open = () => production(duck, inject('sampleTrail'));

describe('A trail on Athena', () => {
  test('fails with the setup command when the tables do not exist', async () => {
    await using place = await open();
    const opened = openAthenaTrail(place.settings, place.clients, { clock, signal, sizeCache });
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(
      'The workgroup “trailbot” in eu-central-1 does not exist or is disabled. `npm run setup -- --apply` creates it',
    );
    const withoutTables = openAthenaTrail({ ...place.settings, workGroup: 'primary' }, place.clients, { clock, signal, sizeCache });
    await expect(withoutTables).rejects.toThrow('Run: npm run setup -- --apply');
  });

  test('gives the same answers as the embedded engine, with its coverage', async () => {
    await using place = await open();
    await place.setUp(true);
    const engine = await openAthenaTrail({ ...place.settings, usdPerTb: 7 }, place.clients, { clock, signal, sizeCache });
    const catalog = await loadRegistry(new URL('../', import.meta.url));
    const line = 'root-logins 6mo';
    const [there, here] = await Promise.all([engine, duck].map((each) => openDesk(catalog, each).answer(line, { now, signal })));
    expect(there?.table).toEqual(here?.table);
    // Questions use the price from the settings and the limit of the workgroup.
    expect(await engine.limits?.()).toEqual({ bytes: 1e12, folders: 1_000_000, seconds: 300 });
    const [days] = eventsDuring({ from: new Date('2026-11-19T00:00:00Z'), to: new Date('2026-11-20T00:00:00Z') }).reads ?? [];
    const { bytes = 0, dollars = 0 } = (await engine.estimate?.(days ? [days] : [])) ?? {};
    expect(bytes).toBeGreaterThan(1);
    expect(dollars).toBeCloseTo((10 / 1e6) * 7);
    const ledger = { add: async () => undefined, during: async () => [] };
    const asked = openDesk(catalog, engine, { billing: openBilling(engine, ledger, { confirmAbove: 0.00001 }, clock) }).answer('rare 6mo', {
      now,
      signal,
    });
    await expect(asked).rejects.toThrow('Run it?');
    expect(there?.coverage).toMatchObject({ accounts: 4, regions: 6, bytes: expect.any(Number), queryIds: [expect.any(String), expect.any(String)] });
    await engine.close();
  });
});

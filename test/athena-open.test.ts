/** A trail on Athena from the bucket on: set up, then asked, with the real SDK against servers on loopback. */
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
const kept = { read: async () => undefined, write: async () => undefined };
const signal = new AbortController().signal;

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

const open = () => production(duck, inject('sampleTrail'));

describe('A trail on Athena', () => {
  test('that is not set up says how it is', async () => {
    await using place = await open();
    const opened = openAthenaTrail(place.settings, place.clients, { clock, signal, kept });
    await expect(opened).rejects.toThrow(UserError);
    await expect(opened).rejects.toThrow(
      'There is no workgroup “trailbot” in eu-central-1 that takes questions. `npm run setup -- --apply` makes it',
    );
    const elsewhere = openAthenaTrail({ ...place.settings, workGroup: 'primary' }, place.clients, { clock, signal, kept });
    await expect(elsewhere).rejects.toThrow('Run: npm run setup -- --apply');
  });

  test('answers as the embedded engine does, and says what it covers', async () => {
    await using place = await open();
    await place.setUp(true);
    const engine = await openAthenaTrail({ ...place.settings, dollarsPerTb: 7 }, place.clients, { clock, signal, kept });
    const catalog = await loadRegistry(new URL('../', import.meta.url));
    const line = 'root-logins 6mo';
    const [there, here] = await Promise.all([engine, duck].map((each) => openDesk(catalog, each).answer(line, { now, signal })));
    expect(there?.table).toEqual(here?.table);
    // What the settings and the workgroup say reaches the questions.
    expect(await engine.scanLimitBytes?.()).toBe(1e12);
    const [days] = eventsDuring({ from: new Date('2026-11-19T00:00:00Z'), to: new Date('2026-11-20T00:00:00Z') }).reads ?? [];
    const { bytes = 0, dollars = 0 } = (await engine.estimate?.(days ? [days] : [])) ?? {};
    expect(bytes).toBeGreaterThan(1);
    expect(dollars).toBeCloseTo((10 / 1e6) * 7);
    const ledger = { add: async () => undefined, during: async () => [] };
    const asked = openDesk(catalog, engine, { billing: openBilling(engine, ledger, { askAbove: 0.00001 }, clock) }).answer('rare 6mo', {
      now,
      signal,
    });
    await expect(asked).rejects.toThrow('Run it?');
    expect(there?.coverage).toMatchObject({ accounts: 4, regions: 6, bytes: expect.any(Number), queryIds: [expect.any(String), expect.any(String)] });
    await engine.close();
  });
});

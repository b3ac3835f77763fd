import { afterAll, beforeAll, describe, inject, test } from 'vitest';
import { openAthena } from '../athena/engine.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import { openEnginePool } from '../duckdb/engine-pool.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { contract } from './support/engine-contract.ts';
import { type PocketAthena, pocketAthena } from './support/pocket-athena.ts';

const engines: Record<string, QueryEngine> = {};
let pocket: PocketAthena;
beforeAll(async () => {
  const duck = await openDuckDB(inject('sampleStore'));
  pocket = await pocketAthena(duck);
  engines.DuckDB = duck;
  engines['DuckDB in processes'] = await openEnginePool(inject('sampleStore'));
  engines.Athena = openAthena({
    client: pocket.client,
    database: 'trail',
    workGroup: 'trailbot',
    extent: () => duck.extent(),
    clock: () => new Date(0),
    pollMs: 1,
  });
});
afterAll(async () => {
  await engines.Athena?.close();
  await pocket[Symbol.asyncDispose]();
  await engines['DuckDB in processes']?.close();
  await engines.DuckDB?.close();
});

describe.each(['DuckDB', 'DuckDB in processes', 'Athena'])('an engine, %s,', (name) => {
  test.each(contract.map(({ name: promise, holds }) => [promise, holds] as const))('%s', (_, holds) => holds(engines[name] as QueryEngine));
});

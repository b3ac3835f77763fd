/** The catalog `iceberg`: a table by day, made from the events of the catalog `hive`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { generateSample } from '../../sample/generate.ts';
import { raw, sql } from '../../src/trail/sql.ts';
import { DisposalStack } from '../support/disposal-stack.ts';
import { openTrino } from './client.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;

test.skipIf(!server)('an Iceberg table has the events that were inserted, and is read only in the days of the query', async () => {
  await using stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-iceberg-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await generateSample({ out: folder, end: new Date('2026-11-21T00:00:00Z'), days: 3, eventsPerDay: 500 });
  const trail = await openTrinoTrail(server, folder);
  stack.defer(() => trail[Symbol.asyncDispose]());

  const { database } = trail.names;
  const iceberg = openTrino(server.url, database, 'iceberg');
  await iceberg.execute(raw(`create table kept (eventid varchar, requestparameters varchar, day varchar) with (partitioning = array['day'])`));
  stack.defer(async () => void (await iceberg.execute(raw('drop table kept'))));
  await iceberg.execute(raw(`insert into kept select eventid, requestparameters, day from hive.${database}.events`));

  const byDay = sql`select day, count(*) as events, count(requestparameters) as requests from kept group by day order by day`;
  const whole = await iceberg.readBy(byDay);
  expect(whole.rows).toHaveLength(3);
  expect(whole.rows).toEqual(
    await trail.execute(sql`select day, count(*) as events, count(requestparameters) as requests from events group by day order by day`),
  );
  const pruned = await iceberg.readBy(
    sql`select day, count(*) as events, count(requestparameters) as requests from kept where day = ${'2026/11/19'} group by day order by day`,
  );
  expect(pruned.rows).toEqual(whole.rows.slice(1, 2));
  expect(pruned.bytes).toBeGreaterThan(0);
  expect(pruned.bytes).toBeLessThan(whole.bytes / 2);
});

/** The effect and the target of every call of the catalogue, on Trino and on DuckDB over the same file. */
import { expect, inject, test } from 'vitest';
import { openDuckDB } from '../../duckdb/engine.ts';
import { eventsDuring } from '../../src/trail/events.ts';
import { sql } from '../../src/trail/sql.ts';
import { hasTarget } from '../../src/trail/target-paths.ts';
import { everyCall, recordOfCall } from '../support/call-record.ts';
import { record, trailFolder } from '../support/trail-folder.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;
const DAY = { from: new Date('2026-05-01T00:00:00Z'), to: new Date('2026-05-02T00:00:00Z') };
const signal = new AbortController().signal;

test.skipIf(!server)('every call of the catalogue has the same effect and target on Trino and on DuckDB', async () => {
  const calls = everyCall();
  await using folder = await trailFolder();
  await folder.deliver(calls.map((each) => recordOfCall(each, (place) => `at-${place.toLowerCase().replaceAll('[]', '')}`)));
  // A table has at least two days.
  await folder.deliver([record({ eventTime: '2026-05-03T10:00:00Z' })], { day: '2026/05/03' });
  await folder.load();
  const duck = await openDuckDB(folder.store);
  await using trino = await openTrinoTrail(server, folder.trail);
  const read = sql`select eventid, eventsource, eventname, effect, target from ${eventsDuring(DAY)} order by eventid`;
  const [{ rows }, ofTrino] = [await duck.execute(read, { signal }), await trino.execute(read)];
  await duck.close();
  expect(rows).toHaveLength(calls.length);
  expect(ofTrino.flatMap((row, i) => (row.effect === rows[i]?.effect && row.target === rows[i]?.target ? [] : [[row, rows[i]]]))).toEqual([]);
  const nameless = rows.filter(({ target }, i) => target === null && hasTarget((calls[i] as (typeof calls)[number]).call));
  expect(nameless.length).toBeLessThan(calls.length / 20);
});

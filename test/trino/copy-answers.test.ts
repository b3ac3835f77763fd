/** Questions over a trail of which no day, some days or all days are compacted: the answers of Trino are those of DuckDB. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { compactedColumns, insertStatement } from '../../athena/compacted.ts';
import { compactedTable, createViewStatement, partitionsOf, viewsFor } from '../../athena/tables.ts';
import { openDuckDB } from '../../duckdb/engine.ts';
import { loadTrail } from '../../duckdb/store.ts';
import { generateSample } from '../../sample/generate.ts';
import { periodOf } from '../../src/answer/period.ts';
import { openDesk } from '../../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../../src/desk/registry.ts';
import type { QueryEngine } from '../../src/trail/engine.ts';
import { RELATIONS } from '../../src/trail/relations.ts';
import { type Days, raw } from '../../src/trail/sql.ts';
import type { TimeRange } from '../../src/trail/time-window.ts';
import { DisposalStack } from '../support/disposal-stack.ts';
import { openTrino } from './client.ts';
import { readType, trinoType } from './hive-types.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail, type TrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;
const END = new Date('2026-11-21T00:00:00Z');
const signal = new AbortController().signal;
const atOnce = pLimit(4);

/** All but the oldest and the newest days, and a hole. */
const HALF: readonly Days[] = [
  { first: '2026/11/03', last: '2026/11/09' },
  { first: '2026/11/12', last: '2026/11/18' },
];
const NONE: readonly Days[] = [];
const WHOLE: readonly Days[] = [{ first: '2026/05/01', last: '2026/11/30' }];

describe.skipIf(!server)('A trail with a compacted copy', () => {
  let trail: TrinoTrail;
  let duck: QueryEngine;
  let catalog: Registry;
  const opened = new DisposalStack();
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-copy-'));
    opened.defer(() => rm(folder, { recursive: true, force: true }));
    const store = await mkdtemp(join(tmpdir(), 'trailbot-trino-store-'));
    opened.defer(() => rm(store, { recursive: true, force: true }));
    await generateSample({ out: folder, end: END, days: 21, eventsPerDay: 60 });
    await loadTrail({ trail: folder, store, signal });
    duck = await openDuckDB(store);
    opened.defer(() => duck.close());
    trail = opened.use(await openTrinoTrail(server, folder));
    catalog = await loadRegistry(new URL('../../', import.meta.url));
    await fillAtOnce();
  }, 300_000);
  afterAll(() => opened[Symbol.asyncDispose]());

  /** Fills the tables with all days in one statement each, as Athena would not. test/trino/compact.test.ts fills them day by day. */
  async function fillAtOnce(): Promise<void> {
    const iceberg = openTrino(server.url, trail.names.database, 'iceberg');
    opened.defer(async () => {
      await trail.execute(raw('drop view if exists raw_events'));
      for (const relation of RELATIONS) await iceberg.execute(raw(`drop table if exists ${compactedTable(relation)}`));
    });
    for (const relation of RELATIONS) {
      const columns = Object.entries(compactedColumns(relation)).map(
        ([name, type]) => `${name} ${type === 'bigint' ? type : trinoType(readType(type))}`,
      );
      await iceberg.execute(raw(`create table ${compactedTable(relation)} (${columns.join(', ')})`));
    }
    await compact([]);
    for (const relation of RELATIONS) {
      await trail.execute(
        raw(insertStatement(trail.names, relation, '2026/11/20').replaceAll("day = '2026/11/20'", "day between '2026/05/01' and '2026/11/30'")),
      );
    }
  }

  /** Lets the views read some days from the copy. */
  async function compact(compacted: readonly Days[]): Promise<void> {
    const sources = { partitions: partitionsOf(trail.layout), compacted };
    for (const view of viewsFor(sources)) await trail.execute(raw(createViewStatement(trail.names, view, sources)));
  }

  const engineOver = (kept: readonly Days[]): QueryEngine => ({
    execute: async (statement, { signal: until }) => ({ rows: await trail.execute(statement, { signal: until }), cost: { ms: 0 } }),
    stream: async (statement, { signal: until }) => ({ rows: Readable.from(await trail.execute(statement, { signal: until })), cost: { ms: 0 } }),
    extent: () => duck.extent(),
    kept: async () => kept,
    estimate: async () => undefined,
    close: async () => undefined,
  });

  test.each([
    ['no day', NONE],
    ['some days', HALF],
    ['all days', WHOLE],
  ])(
    'of %s gives the same answers to each command’s example, and the same daily report',
    async (_, kept) => {
      await compact(kept);
      const [there, here] = [openDesk(catalog, engineOver(kept)), openDesk(catalog, duck)];
      await atOnce.map([...catalog.commands], async ([name, { example }]) => {
        const line = `${name} ${example}`;
        const [a, b] = await Promise.all([there, here].map((desk) => desk.answer(line, { now: END, signal })));
        if (name === 'event') expect(a?.data).toMatchObject({ found: { eventid: expect.any(String) } });
        else expect({ line, data: a?.data, rows: a?.table?.rows }).toEqual({ line, data: b?.data, rows: b?.table?.rows });
      });
      const day = periodOf('day', '2026-11-20', 'UTC') as TimeRange;
      const sameKept = openDesk(catalog, { ...duck, kept: async () => kept });
      const [a, b] = await Promise.all([there, sameKept].map((desk) => desk.report('daily', day, { now: END, signal })));
      expect(a?.data).toEqual(b?.data);
    },
    300_000,
  );
});

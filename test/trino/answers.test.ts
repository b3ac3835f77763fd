/** Runs the same questions on Trino, Athena's query engine, and on DuckDB, over the same files, and compares the answers. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../../duckdb/engine.ts';
import { loadTrail } from '../../duckdb/store.ts';
import { generateSample } from '../../sample/generate.ts';
import type { Answer } from '../../src/answer/answer.ts';
import { periodOf } from '../../src/answer/period.ts';
import { type Desk, openDesk } from '../../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../../src/desk/registry.ts';
import { UserError } from '../../src/errors.ts';
import { parseLine } from '../../src/question/parse.ts';
import { activityColumns } from '../../src/trail/activity.ts';
import type { QueryEngine, RawRow } from '../../src/trail/engine.ts';
import { distinctEventCount, eventColumns, eventsDuring } from '../../src/trail/events.ts';
import { expectedFormat, type Filter, matching, type Term, termsOf } from '../../src/trail/filter.ts';
import type { FilterValue } from '../../src/trail/filter-value.ts';
import { mentionColumns } from '../../src/trail/mentions.ts';
import type { Relation } from '../../src/trail/relations.ts';
import { join as joinSql, raw, sql } from '../../src/trail/sql.ts';
import type { TimeRange } from '../../src/trail/time-window.ts';
import { contract } from '../support/engine-contract.ts';
import { filtersIn } from '../support/plain-filter.ts';
import { type EventTexts, linesAbout } from '../support/trail-lines.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail, type TrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;

/** Filters with matches. */
const SENSIBLE = [
  'events event:Create*,Delete* -event:DeleteTags',
  'events (source:s3 OR source:kms) AND NOT kind:service',
  'events -(outcome:ok OR via:service) error:*',
  'events ip:203.0.113.0/24,198.51.100.0/22,10.0.0.0/9',
  'events requestParameters.bucketName:*',
  'events (userIdentity.type:AssumedRole -responseElements.credentials.accessKeyId:ASIA*)',
  'events bucket -console',
  'events responseElements.instancesSet.items[].instanceId:i-*',
  'events requestParameters.ipPermissions.items.ipRanges.items.cidrIp:0.0.0.0/0,10.*',
  'events additionalEventData.x-amz-id-2:*',
  'events requestParameters."aws:x y/z".a:* OR requestParameters.bucketName:a* OR requestParameters.encryptionContext."aws:s3:arn":*',
  'events -resources[].ARN:arn:aws:s3*',
  'events userIdentity.sessionContext:* -userIdentity.sessionContext.attributes.mfaAuthenticated:true',
  'events time:2026-11-01..2026-11-03',
];
const END = new Date('2026-11-21T00:00:00Z');
const EVER: TimeRange = { from: new Date('2012-01-01T00:00:00Z'), to: new Date('2027-01-01T00:00:00Z') };
const TWO_WEEKS: TimeRange = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-11-15T00:00:00Z') };
const signal = new AbortController().signal;

/** Trino's planner and its node take turns, so that several statements at once take less time than one after the other. */
const atOnce = pLimit(4);
const FILTERS_AT_ONCE = 10;

/** A trail on both engines. */
interface Both extends AsyncDisposable {
  readonly trino: TrinoTrail;
  readonly duck: QueryEngine;
}

async function onBoth(trail: string): Promise<Both> {
  const store = await mkdtemp(join(tmpdir(), 'trailbot-trino-store-'));
  await loadTrail({ trail, store, signal });
  const [duck, trino] = [await openDuckDB(store), await openTrinoTrail(server, trail)];
  return {
    trino,
    duck,
    async [Symbol.asyncDispose]() {
      await duck.close();
      await trino[Symbol.asyncDispose]();
      await rm(store, { recursive: true, force: true });
    },
  };
}

/** The trail on Trino as an engine. */
const onTrino = ({ trino, duck }: Both): QueryEngine => ({
  execute: async (statement, { signal: until }) => ({ rows: await trino.execute(statement, { signal: until }), cost: { ms: 0 } }),
  stream: async (statement, { signal: until }) => ({ rows: Readable.from(await trino.execute(statement, { signal: until })), cost: { ms: 0 } }),
  extent: () => duck.extent(),
  // An engine with costs is queried in parts, newest first, as Athena is.
  estimate: async () => undefined,
  close: async () => undefined,
});

/** The rows of `activity` and `mentions`: those of the views, and those of the store, whose batches are added up. */
async function keptOf({ trino, duck }: Both) {
  const rowsOf = async (relation: Relation, names: readonly string[]) => {
    const added = ['events', 'writes'];
    const isKey = (name: string): boolean => ![...added, 'first', 'last'].includes(name);
    const keys = raw(names.filter(isKey).join(', '));
    const sums = raw(names.flatMap((name) => (added.includes(name) ? [`sum(${name}) as ${name}`] : [])).join(', '));
    const compared = (rows: readonly RawRow[]): string[] =>
      rows
        // Trino writes a character beyond U+FFFF as two escapes when it makes JSON of a struct.
        .filter(({ name }) => !/^ud[89a-f][0-9a-f]{2}$/.test(name ?? ''))
        .map((row) => JSON.stringify(names.map((name) => row[name])))
        .sort();
    const [there, { rows: here }] = await Promise.all([
      trino.execute(sql`select ${raw(names.join(', '))} from ${raw(relation)}`),
      duck.execute(sql`select ${keys}, ${sums}, min(first) as first, max(last) as last from ${raw(relation)} group by ${keys}`, { signal }),
    ]);
    return { there: compared(there), here: compared(here) };
  };
  const [activity, mentions] = await Promise.all([rowsOf('activity', activityColumns), rowsOf('mentions', mentionColumns)]);
  return { activity, mentions };
}

/** Columns with JSON. They are compared after parsing, because the engines order keys differently. */
const JSON_COLUMNS = new Set(
  'requestparameters responseelements additionaleventdata serviceeventdetails resourcesjson tlsdetails addendum edgedevicedetails useridentity'.split(
    ' ',
  ),
);

const inOrder = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inOrder);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, inOrder(inner)]),
  );
};

function meant(row: RawRow): Record<string, unknown> {
  const read = (name: string, cell: string | null): unknown => {
    if (cell === null || !JSON_COLUMNS.has(name)) return cell;
    try {
      return inOrder(JSON.parse(cell));
    } catch {
      return cell;
    }
  };
  return Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, read(name, cell)]));
}

/** Every event with every column, by id. Of duplicate events the first counts. */
async function allOf(rows: Promise<readonly RawRow[]>): Promise<Map<string, unknown>> {
  return new Map((await rows).toReversed().map((row) => [String(row.eventid), meant(row)]));
}

const columns = eventColumns.map((name) => (name === 'resources' ? "array_join(resources, ' ') as resources" : name)).join(', ');
const everything = sql`select ${raw(columns)} from ${eventsDuring(EVER)} order by eventid`;

describe.skipIf(!server)('the sample', () => {
  let folder: string;
  let both: Both;
  let catalog: Registry;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-sample-'));
    await generateSample({ out: folder, end: END, eventsPerDay: 20 });
    both = await onBoth(folder);
    catalog = await loadRegistry(new URL('../../', import.meta.url));
  });
  afterAll(async () => {
    await both?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(contract.map(({ name, holds }) => [name, holds] as const))('%s', (_, holds) => holds(onTrino(both)));

  test('has the same events with the same columns', async () => {
    const [there, here] = await Promise.all([
      allOf(both.trino.execute(everything)),
      allOf(both.duck.execute(everything, { signal }).then(({ rows }) => rows)),
    ]);
    expect(there.size).toBeGreaterThan(3_000);
    expect(there).toEqual(here);
  });

  test('has the same activity and mentions, row by row', async () => {
    const { activity, mentions } = await keptOf(both);
    expect(activity.there.length).toBeGreaterThan(1_000);
    expect(mentions.there.length).toBeGreaterThan(10_000);
    expect(activity.there).toEqual(activity.here);
    expect(mentions.there).toEqual(mentions.here);
  });

  test('matches the same events with filters of every kind', async () => {
    const { rows: events } = await both.duck.execute(everything, { signal });
    // The engines order the keys of userIdentity differently, so text across two keys is not in both.
    const isAcrossKeys = ({ field }: Term, { text }: FilterValue) => field === 'text' && /[{,]"/.test(text);
    const isInBoth = (filter: Filter) =>
      termsOf([filter]).every((term) => term.values.every((value) => !expectedFormat(term.field, value) && !isAcrossKeys(term, value)));
    const lists = [...SENSIBLE.map((line) => parseLine(line).filters), ...fc.sample(filtersIn(events), { numRuns: 24, seed: 7 })].map((list) =>
      list.filter(isInBoth),
    );
    const asked = (range: TimeRange, filters: readonly Filter[]) =>
      sql`select distinct eventid from ${eventsDuring(range)} where ${matching(filters)} order by eventid nulls last`;
    // Trino evaluates a condition of WHERE for each of the trail's folders before it reads any. So WHERE is asked of two weeks, and
    // of the whole trail each filter is a column, in statements of ten.
    await atOnce.map(lists, async (filters) => {
      const [there, { rows: here }] = await Promise.all([
        both.trino.execute(asked(TWO_WEEKS, filters)),
        both.duck.execute(asked(TWO_WEEKS, filters), { signal }),
      ]);
      expect(there, JSON.stringify(filters)).toEqual(here);
    });
    const parts = Array.from({ length: Math.ceil(lists.length / FILTERS_AT_ONCE) }, (_, i) =>
      lists.slice(i * FILTERS_AT_ONCE, (i + 1) * FILTERS_AT_ONCE),
    );
    await atOnce.map(parts, async (some) => {
      const matches = some.map((filters, n) => sql`bool_or(coalesce(${matching(filters)}, false)) as ${raw(`f${n}`)}`);
      const there = await both.trino.execute(
        sql`select eventid, ${joinSql(matches, ', ')} from ${eventsDuring(EVER)} group by eventid order by eventid nulls last`,
      );
      for (const [n, filters] of some.entries()) {
        const { rows: here } = await both.duck.execute(asked(EVER, filters), { signal });
        const found = there.filter((row) => row[`f${n}`] === 'true').map(({ eventid }) => ({ eventid }));
        expect(found, JSON.stringify(filters)).toEqual(here);
      }
    });
  }, 300_000);

  test('gives the same answers to lines about any events', () => expectSameAnswers(both, 16), 300_000);

  test('gives the same reports, and counts with a band', async () => {
    const [there, here] = [openDesk(catalog, onTrino(both)), openDesk(catalog, both.duck)];
    const options = { now: END, signal, timeZone: 'Europe/Berlin' };
    const compared = ({ data, charts, outside, table, next }: Answer) => ({ data, charts, outside, rows: table?.rows, next });
    const lines = [
      'count every:1h band:28d 3d',
      'denied every:1d band:30d 14d',
      'count source:ec2 every:15m band:3d 1d',
      'deleted every:6h band:14d 7d',
    ];
    await atOnce.map(lines, async (line) => {
      const [a, b] = await Promise.all([there.answer(line, options), here.answer(line, options)]);
      expect({ line, ...compared(a) }).toEqual({ line, ...compared(b) });
    });
    const reports = [
      ['daily', periodOf('day', '2026-11-20', 'Europe/Berlin')],
      ['daily account:111122223333', periodOf('day', '2026-11-19', 'UTC')],
      ['weekly', periodOf('week', '2026-11-18', 'Europe/Berlin')],
      ['monthly', periodOf('month', '2026-11-18', 'UTC')],
    ] as const;
    await atOnce.map(reports, async ([name, period]) => {
      // On Trino nothing is kept here.
      const keepsNothing = openDesk(catalog, { ...both.duck, kept: async () => [] });
      const [a, b] = await Promise.all([there, keepsNothing].map((desk) => desk.report(name, period as TimeRange, options)));
      expect({ name, ...compared(a as Answer) }).toEqual({ name, ...compared(b as Answer) });
    });
  }, 300_000);

  test('groups by JSON paths and suggests filters in the same way', async () => {
    const [there, here] = [openDesk(catalog, onTrino(both)), openDesk(catalog, both.duck)];
    const lines = [
      'events by:requestParameters.bucketName,event 90d',
      'events by:requestParameters.instancesSet.items,additionalEventData."x-amz-id-2" 90d top:20',
      'events event:RunInstnces 90d',
      'events (user:*LOPEZ* source:s33 OR error:accessdenid) 90d',
      'events requestParameters.rolearn:* 90d',
      'outside-regions 90d',
    ];
    await atOnce.map(lines, async (line) => {
      const [a, b] = await Promise.all([there, here].map((desk) => desk.answer(line, { now: END, signal })));
      expect({ line, rows: a?.table?.rows, next: a?.next }).toEqual({ line, rows: b?.table?.rows, next: b?.next });
      expect((a?.table?.rows.length ?? 0) > 0 || a?.next?.[0]?.label.startsWith('Did you mean')).toBe(true);
    });
  }, 300_000);

  test('limits every statement to the accounts of a policy, and gives the same answers', async () => {
    const [there, here] = [openDesk(catalog, onTrino(both)), openDesk(catalog, both.duck)];
    const options = { now: END, signal, permit: () => ({ accounts: ['111122223333', '444455556666'], hidden: [] }) };
    const lines = ['count by:account 90d', 'events by:event 30d top:20', 'who-deleted example-customer-uploads-2019 90d', 'logins 30d', 'new 7d'];
    await atOnce.map(lines, async (line) => {
      const [a, b] = await Promise.all([there, here].map((desk) => desk.answer(line, options)));
      expect({ line, data: a?.data, rows: a?.table?.rows }).toEqual({ line, data: b?.data, rows: b?.table?.rows });
      const accounts = new Set(a?.table?.rows.map(({ cells }) => cells.account ?? cells.recipientaccountid ?? options.permit().accounts[0]));
      for (const account of accounts) expect(options.permit().accounts).toContain(account);
    });
  }, 300_000);

  test('counts events that were delivered twice once', async () => {
    const [sum] = await both.trino.execute(sql`select count(*) as records, ${distinctEventCount} as events from ${eventsDuring(EVER)}`);
    const { size } = new Set((await both.trino.execute(everything)).map(({ eventid }) => eventid));
    expect(Number(sum?.records)).toBe(both.trino.records);
    expect(both.trino.records).toBeGreaterThan(size + 10);
    expect(Number(sum?.events)).toBe(size);
    for (const line of ['events by:source 6mo top:500', 'events every:1d by:outcome 6mo top:1000']) {
      const [a, b] = await Promise.all([onTrino(both), both.duck].map((engine) => openDesk(catalog, engine).answer(line, { now: END, signal })));
      expect(a?.table?.rows.length).toBeGreaterThan(5);
      expect(a?.table?.rows).toEqual(b?.table?.rows);
    }
  });

  test('is read on Trino only in the days of the question', async () => {
    const range = { from: new Date('2026-11-10T00:00:00Z'), to: new Date('2026-11-11T00:00:00Z') };
    const scans = await both.trino.scansOf(sql`select eventname from ${eventsDuring(range)} where eventname = ${'RunInstances'}`);
    for (const { day = [] } of scans) expect(day.filter((each) => each < '2026/11/10' || each > '2026/11/12')).toEqual([]);
  });
});

/** Asks lines about any events of a trail on both engines. */
async function expectSameAnswers(both: Both, numRuns: number): Promise<void> {
  const catalog = await loadRegistry(new URL('../../', import.meta.url));
  const { rows } = await both.duck.execute(raw(`select ${eventColumns.join(', ')} from events order by md5(eventid || 'x') limit 100`), { signal });
  const lines = fc.constantFrom(...(rows as EventTexts[])).chain((event) => linesAbout(event, catalog, [EVER.from, END]));
  const [there, here] = [openDesk(catalog, onTrino(both)), openDesk(catalog, both.duck)];
  const answerOf = (desk: Desk, line: string) =>
    desk.answer(line, { now: END, signal }).then(
      ({ data, table }) => ({ line, data, rows: table?.rows }),
      (error: unknown) => {
        if (error instanceof UserError) return { line, refused: error.message };
        throw error;
      },
    );
  await atOnce.map(fc.sample(lines, { numRuns, seed: 12 }), async (line) => {
    const [a, b] = await Promise.all([answerOf(there, line), answerOf(here, line)]);
    expect(a).toEqual(b);
  });
}

const PUBLIC = fileURLToPath(new URL('../../../shared/data/trails/', import.meta.url));
/** Trails in AWS's folder layout whose events all have unique ids. */
const laidOut = existsSync(PUBLIC)
  ? ['misc-cloudtrail-watcher', 'misc-splunk-security-content', 'traildiscover'].filter((name) => readdirSync(PUBLIC).includes(name))
  : [];

describe.skipIf(!server || laidOut.length === 0)('a public trail', () => {
  test.each(laidOut)('%s has the same events on both engines', async (name) => {
    await using both = await onBoth(join(PUBLIC, name));
    const [there, here] = await Promise.all([
      allOf(both.trino.execute(everything)),
      allOf(both.duck.execute(everything, { signal }).then(({ rows }) => rows)),
    ]);
    expect(there.size).toBeGreaterThan(20);
    expect(there).toEqual(here);
    const { activity, mentions } = await keptOf(both);
    expect(activity.there).toEqual(activity.here);
    expect(mentions.there).toEqual(mentions.here);
    await expectSameAnswers(both, 8);
  });
});

describe.skipIf(!server)('a trail that cannot be opened', () => {
  test('leaves no files behind', async () => {
    const data = await mkdtemp(join(tmpdir(), 'trailbot-trino-nothing-'));
    try {
      // The schema can be created, but a table without accounts cannot.
      await expect(openTrinoTrail({ ...server, data }, data)).rejects.toThrow('SYNTAX_ERROR');
      expect(readdirSync(data)).toEqual([]);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  });
});

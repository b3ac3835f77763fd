/** The compacted copy on a real Trino with Iceberg, through trailbot's own code and Athena's API. */
import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { type CompactOptions, compactAgain, compactTrail, readCompaction, tidyCopy } from '../../athena/compact.ts';
import { planTables } from '../../athena/glue-tables.ts';
import { generateSample } from '../../sample/generate.ts';
import { activityColumns, activityDuring, eventCount } from '../../src/trail/activity.ts';
import { eventColumns, eventsDuring } from '../../src/trail/events.ts';
import { mentionColumns } from '../../src/trail/mentions.ts';
import { raw, sql } from '../../src/trail/sql.ts';
import { DisposalStack } from '../support/disposal-stack.ts';
import { onAthena } from './on-athena.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;
const signal = new AbortController().signal;
const DAYS = ['2026/11/18', '2026/11/19', '2026/11/20'];

/** A trail of three days with the empty tables of a copy. */
async function openCopy({ change = async () => undefined }: { readonly change?: (folder: string) => Promise<void> } = {}) {
  await using stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-compact-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await generateSample({ out: folder, end: new Date('2026-11-21T00:00:00Z'), days: 3, eventsPerDay: 100 });
  await change(folder);
  const trail = stack.use(await openTrinoTrail(server, folder));
  const athena = stack.use(await onAthena(server, trail));
  const { settings, clients, catalog, layout } = athena;
  const plan = async () =>
    planTables({ client: catalog.client, workGroup: 'trailbot', layout, names: settings, copyLocation: settings.copyLocation, signal });
  const before = await relationsOf();
  for (const { statement } of (await plan()).steps) await catalog.run(statement);
  const made: string[] = [];
  const options: CompactOptions = {
    settings,
    clients,
    clock: () => new Date('2026-11-21T12:00:00Z'),
    signal,
    archivedThrough: undefined,
    listDay: async () => ({ files: 1, archived: 0 }),
    onSkip: () => undefined,
    mayGoOn: async () => true,
    onBilled: () => undefined,
    onDay: (day, events) => made.push(`${day} ${events}`),
  };
  /** Every row of each relation. An event that was delivered twice counts once. */
  async function relationsOf() {
    const bounds = "where day between '2013/01/01' and '2027/01/01'";
    const columns = eventColumns.map((name) => (name === 'resources' ? "array_join(resources, ' ') as resources" : name)).join(', ');
    const sorted = async (text: string): Promise<string[]> => (await trail.execute(raw(text))).map((row) => JSON.stringify(row)).sort();
    return {
      events: await sorted(`select distinct ${columns} from events ${bounds}`),
      activity: await sorted(`select ${activityColumns.join(', ')} from activity ${bounds}`),
      mentions: await sorted(`select ${mentionColumns.join(', ')} from mentions ${bounds}`),
    };
  }
  const count = async (table: string): Promise<number> => Number((await trail.execute(raw(`select count(*) as n from ${table}`)))[0]?.n);
  const opened = stack.move();
  return { trail, ...athena, plan, before, relationsOf, count, options, made, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test.skipIf(!server)('Days are compacted newest first, and all relations are the same with some days, all days and none', async () => {
  await using copy = await openCopy();
  const { options, before, made } = copy;
  expect((await readCompaction(options)).missing).toEqual(DAYS.toReversed());
  let asked = 0;
  const some = await compactTrail({
    ...options,
    async mayGoOn() {
      asked += 1;
      return asked <= 1;
    },
  });
  expect(some.days).toEqual([{ first: '2026/11/20', last: '2026/11/20' }]);
  expect(await copy.relationsOf()).toEqual(before);
  // Only the days that are not in the copy are read from the log files.
  const scansOf = (day: string) => copy.trail.scansOf(raw(`select eventname from events where day = '${day}'`));
  expect((await scansOf('2026/11/20')).map(({ folder }) => folder)).toEqual([undefined]);
  expect((await scansOf('2026/11/19')).map(({ folder }) => folder === undefined)).toEqual([false]);

  const all = await compactTrail(options);
  expect(all).toMatchObject({ days: [{ first: '2026/11/18', last: '2026/11/20' }], missing: [] });
  expect(made.map((each) => each.slice(0, 10)).sort()).toEqual(DAYS);
  expect(await copy.relationsOf()).toEqual(before);
  expect(await copy.count('compacted_events')).toBe(before.events.length);
  expect((await copy.plan()).steps).toEqual([]);

  const inserts = copy.pocket.sent('StartQueryExecution').length;
  expect(await compactTrail(options)).toEqual(all);
  expect(copy.pocket.sent('StartQueryExecution').length).toBe(inserts);
  await tidyCopy(DAYS, options);
  expect(await copy.relationsOf()).toEqual(before);
});

test.skipIf(!server)('A day that is redone, or whose copy is wrong, is right again', async () => {
  await using copy = await openCopy();
  const { options, before } = copy;
  const { database } = copy.settings;
  // Somebody else's insert, and one that ran twice.
  await copy.trail.execute(raw(`insert into ${database}.compacted_events select * from raw_events where day = '2026/11/19'`));
  await copy.trail.execute(raw(`insert into ${database}.compacted_events select * from raw_events where day = '2026/11/19'`));
  await compactTrail(options);
  expect(await copy.relationsOf()).toEqual(before);
  expect(await copy.count('compacted_events')).toBe(before.events.length);
  await compactAgain(['2026/11/18'], { ...options, clock: () => new Date('2026-11-22T12:00:00Z') });
  expect((await readCompaction(options)).days).toEqual([{ first: '2026/11/18', last: '2026/11/20' }]);
  expect(await copy.relationsOf()).toEqual(before);
  expect(await copy.count('compacted_events')).toBe(before.events.length);
});

test.skipIf(!server)('A day whose mentions could not be written is not used before they are', async () => {
  await using copy = await openCopy();
  const { options, before, pocket } = copy;
  // The statement that fills them failed in another process, and this one finds it by its token.
  const isOfMentions = (command: unknown): boolean =>
    JSON.stringify((command as { input?: { QueryString?: string } }).input?.QueryString ?? '').includes(
      `insert into ${copy.settings.database}.compacted_mentions`,
    );
  const real = options.clients.athena;
  let failures = 3;
  const athena = new Proxy(real, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'send') return typeof value === 'function' ? value.bind(target) : value;
      return async (command: unknown, ...more: unknown[]) => {
        if (isOfMentions(command) && failures > 0) {
          failures -= 1;
          pocket.endNext({ ends: 'FAILED', reason: 'INTERNAL_ERROR', submitted: new Date('2026-11-21T11:00:00Z') });
        }
        return (target.send as (...all: unknown[]) => unknown)(command, ...more);
      };
    },
  });
  const { days } = await compactTrail({ ...options, since: '2026/11/20', clients: { ...options.clients, athena } });
  expect(failures).toBe(0);
  expect(days).toEqual([{ first: '2026/11/20', last: '2026/11/20' }]);
  expect(await copy.count('compacted_mentions')).toBeGreaterThan(100);
  expect(await copy.relationsOf()).toEqual(before);
});

test.skipIf(!server).each([
  ['are filled together', undefined],
  ['are filled the newer first', '2026/11/20'],
])('An event that was delivered on two days, which %s, is in the copy once, and counts once', async (_, since) => {
  await using copy = await openCopy({
    // Every file of one day is delivered again on the next.
    async change(folder) {
      for (const path of await readdir(folder, { recursive: true })) {
        if (!/\/2026\/11\/19\/.*[.]gz$/.test(path)) continue;
        const again = path.replace('/2026/11/19/', '/2026/11/20/').replace('_20261119T', '_20261120T');
        await mkdir(dirname(join(folder, again)), { recursive: true });
        await copyFile(join(folder, path), join(folder, again.replace('.json.gz', 'Again.json.gz')));
      }
    },
  });
  if (since !== undefined) await compactTrail({ ...copy.options, since });
  await compactTrail(copy.options);
  const number = async (text: string): Promise<number> => Number((await copy.trail.execute(raw(text)))[0]?.n);
  const ids = await number("select count(distinct eventid) as n from raw_events where day between '2013/01/01' and '2027/01/01'");
  expect(copy.trail.records).toBeGreaterThan(ids + 100);
  expect(await copy.count('compacted_events')).toBe(ids);
  expect(await number("select sum(events) + count(distinct singleid) as n from activity where day between '2013/01/01' and '2027/01/01'")).toBe(ids);
});

test.skipIf(!server)(
  'An event from the end of a day that was delivered again after midnight counts once, where only the day is in the copy',
  async () => {
    await using copy = await openCopy({
      async change(folder) {
        for (const path of await readdir(folder, { recursive: true })) {
          if (!/\/2026\/11\/19\/.*_20261119T23\d\dZ_.*[.]gz$/.test(path)) continue;
          const again = path.replace('/2026/11/19/', '/2026/11/20/').replace(/_20261119T\d{4}Z/, '_20261120T0005Z');
          await mkdir(dirname(join(folder, again)), { recursive: true });
          await copyFile(join(folder, path), join(folder, again.replace('.json.gz', 'Again.json.gz')));
        }
      },
    });
    const { days } = await compactTrail({ ...copy.options, clock: () => new Date('2026-11-20T12:00:00Z') });
    expect(days).toEqual([{ first: '2026/11/18', last: '2026/11/19' }]);
    const range = { from: new Date('2026-11-18T00:00:00Z'), to: new Date('2026-11-20T00:00:00Z') };
    const count = async (kept: typeof days) => {
      const [row] = await copy.trail.execute(sql`select ${eventCount()} as n from ${activityDuring(range, { kept, uses: [] })}`);
      return Number(row?.n);
    };
    const [sent] = await copy.trail.execute(sql`select count(*) as n, ${eventCount()} as ids from ${activityDuring(range, { kept: [], uses: [] })}`);
    expect(Number(sent?.n)).toBeGreaterThan(Number(sent?.ids) + 3);
    expect(await count(days)).toBe(Number(sent?.ids));
  },
);

test.skipIf(!server)('Notable events are read from files of their own', async () => {
  await using copy = await openCopy();
  await compactTrail(copy.options);
  const range = { from: new Date('2026-11-18T00:00:00Z'), to: new Date('2026-11-21T00:00:00Z') };
  const readOf = async (notable: boolean) =>
    copy.trail.filesReadBy(sql`select eventid, notable from ${eventsDuring(range, { notable })} order by eventid`);
  const [ofAll, ofNotable] = [await readOf(false), await readOf(true)];
  expect(ofNotable.rows).toEqual(ofAll.rows.filter((row) => row.notable === 'true'));
  expect(ofNotable.rows.length).toBeGreaterThan(0);
  expect(ofNotable.bytes * 2).toBeLessThan(ofAll.bytes);
});

test.skipIf(!server)('Wherever the work stops, and in two replicas at once, each day is in the copy once', async () => {
  await using copy = await openCopy();
  const { options, before, pocket } = copy;
  // The starter dies at one request after another; what it started goes on.
  for (let at = 0; at < 12; at += 2) {
    const died = new Error('died');
    let left = at;
    const dying: CompactOptions = {
      ...options,
      clients: {
        ...options.clients,
        athena: new Proxy(options.clients.athena, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (name !== 'send') return typeof value === 'function' ? value.bind(target) : value;
            return async (command: unknown, ...more: unknown[]) => {
              if (left <= 0) throw died;
              if ((command as object).constructor.name === 'StartQueryExecutionCommand') left -= 1;
              return (target.send as (...all: unknown[]) => unknown)(command, ...more);
            };
          },
        }),
      },
    };
    await compactTrail(dying).catch(() => undefined);
  }
  const [one, other] = await Promise.all([compactTrail(options), compactTrail(options)]);
  expect(one.missing).toEqual([]);
  expect(other.missing).toEqual([]);
  expect(await copy.relationsOf()).toEqual(before);
  expect(await copy.count('compacted_events')).toBe(before.events.length);
  expect(pocket.running()).toEqual([]);
});

/** The processes of the embedded engine: queries that do not stop, crash, or need much, and what they do to the others. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEnginePool } from '../duckdb/engine-pool.ts';
import { UserError } from '../src/errors.ts';
import type { QueryEngine, QueryProgress } from '../src/trail/engine.ts';
import { raw, type Sql } from '../src/trail/sql.ts';
import { records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

let folder: TrailFolder;
beforeAll(async () => {
  folder = await trailFolder();
  await folder.deliver(records(3));
  await folder.load();
});
afterAll(() => folder[Symbol.asyncDispose]());

const { signal: never } = new AbortController();
const COUNT = raw('select count(*) as n from events');
/** DuckDB's own LIKE tries every way to match, for years, and listens to no interrupt meanwhile. */
const STUCK = raw(`select count(*) as n from events, (select repeat('ea', 4000) as t) where t like '%e%a%e%a%e%a%e%a%e%a%zqx' escape '!'`);
/** Runs until it is interrupted. */
const LONG = raw('select count(*) as n from events, range(100000) a(x), range(10000000) b(y) where x * y % 7 = 3');

interface OpenPool extends AsyncDisposable {
  readonly engine: QueryEngine;
  readonly lost: string[];
}

async function openPool(): Promise<OpenPool> {
  const lost: string[] = [];
  const engine = await openEnginePool(folder.store, { onLost: (reason) => lost.push(reason) });
  return { engine, lost, [Symbol.asyncDispose]: () => engine.close() };
}

const ask = (engine: QueryEngine, statement: Sql, signal: AbortSignal = never, requester = 'U1') => engine.execute(statement, { signal, requester });

/** The ids of the engine's processes. */
const children = (): number[] =>
  (spawnSync('pgrep', ['-P', String(process.pid), '-f', folder.store], { encoding: 'utf8' }).stdout.match(/\d+/g) ?? []).map(Number);

describe('A query that listens to no interrupt', () => {
  test('leaves its requester at once, is ended, and takes nothing else with it', async () => {
    await using pool = await openPool();
    const { engine, lost } = pool;
    // The process that is ready takes the next query.
    await ask(engine, COUNT);
    const leaving = new AbortController();
    const stuck = ask(engine, STUCK, leaving.signal);
    const long = new AbortController();
    const other = ask(engine, LONG, long.signal, 'U2');
    await ask(engine, COUNT, never, 'U3');
    leaving.abort(new Error('the time is over'));
    await expect(stuck).rejects.toThrow('the time is over');
    await expect.poll(() => lost).toEqual(['An engine process did not stop its query within 2 s and was ended.']);
    // The other's query went on.
    long.abort(new Error('enough'));
    await expect(other).rejects.toThrow('enough');
    expect((await ask(engine, COUNT)).rows).toEqual([{ n: '3' }]);
    expect(lost).toHaveLength(1);
  });

  test('does not keep the engine from closing, and its requester hears', async () => {
    const { engine } = await openPool();
    const stuck = Array.from({ length: 6 }, (_, i) => ask(engine, STUCK, never, `U${i}`).catch((error: unknown) => error));
    await expect.poll(() => children().length).toBe(4);
    await engine.close();
    for (const error of await Promise.all(stuck)) {
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain('trailbot was stopped before the answer was ready');
    }
    expect(children()).toEqual([]);
  });
});

test('An interrupted query leaves its process to the next one', async () => {
  await using pool = await openPool();
  const { engine, lost } = pool;
  await ask(engine, COUNT);
  const before = children();
  const leaving = new AbortController();
  const long = ask(engine, LONG, leaving.signal);
  leaving.abort(new Error('gone'));
  await expect(long).rejects.toThrow('gone');
  expect((await ask(engine, COUNT)).rows).toEqual([{ n: '3' }]);
  expect(before.length).toBeGreaterThan(0);
  expect(children()).toEqual(expect.arrayContaining(before));
  expect(lost).toEqual([]);
});

test('A process that ends by itself is replaced, and its query runs again', async () => {
  await using pool = await openPool();
  const { engine, lost } = pool;
  await ask(engine, COUNT);
  const before = children();
  const leaving = new AbortController();
  const long = ask(engine, LONG, leaving.signal).catch((error: unknown) => error);
  for (const pid of before) process.kill(pid, 'SIGSEGV');
  await expect.poll(() => lost.length).toBe(before.length);
  expect(lost[0]).toContain('ended by itself (SIGSEGV)');
  expect((await ask(engine, COUNT)).rows).toEqual([{ n: '3' }]);
  expect(children()).not.toEqual(expect.arrayContaining(before));
  leaving.abort(new Error('enough'));
  expect(await long).toMatchObject({ message: 'enough' });
});

test('A query on which processes crash is told to its requester, and only to them', async () => {
  await using pool = await openPool();
  const { engine, lost } = pool;
  let isOver = false;
  const asked = ask(engine, LONG)
    .catch((error: unknown) => error)
    .finally(() => {
      isOver = true;
    });
  await expect
    .poll(() => {
      for (const pid of children()) process.kill(pid, 'SIGSEGV');
      return isOver;
    })
    .toBe(true);
  expect(await asked).toMatchObject({ name: 'UserError', message: expect.stringContaining('The query engine crashed on this question') });
  expect(lost.length).toBeGreaterThan(0);
  expect((await ask(engine, COUNT, never, 'U2')).rows).toEqual([{ n: '3' }]);
});

test('A question of one requester does not wait for the many of another', async () => {
  await using pool = await openPool();
  const { engine } = pool;
  const leaving = new AbortController();
  const many = Array.from({ length: 10 }, () => ask(engine, LONG, leaving.signal, 'U1').catch(() => 'stopped'));
  expect((await ask(engine, COUNT, never, 'U2')).rows).toEqual([{ n: '3' }]);
  leaving.abort(new Error('enough'));
  expect(new Set(await Promise.all(many))).toEqual(new Set(['stopped']));
});

test('A question that waits for its turn hears its position', async () => {
  await using pool = await openPool();
  const { engine } = pool;
  const leaving = new AbortController();
  const long = Array.from({ length: 2 }, () => ask(engine, LONG, leaving.signal, 'U1').catch(() => 'stopped'));
  const positions: QueryProgress[] = [];
  const third = engine.execute(COUNT, { signal: never, requester: 'U1', onProgress: (progress) => positions.push(progress) });
  await expect.poll(() => positions).toEqual([{ queuePosition: 1, ms: 0, bytes: 0 }]);
  leaving.abort(new Error('enough'));
  expect((await third).rows).toEqual([{ n: '3' }]);
  await Promise.all(long);
});

test('A query that needs more memory than its share fails alone, with what to do', async () => {
  await using pool = await openPool();
  const { engine, lost } = pool;
  const greedy = raw(
    `select max(length(t)) as n from (select array_agg(repeat('x', 1000) || x) as list, unnest(list) as t from range(3000000) a(x))`,
  );
  const [heavy, light] = await Promise.allSettled([ask(engine, greedy), ask(engine, COUNT, never, 'U2')]);
  expect(light).toMatchObject({ status: 'fulfilled', value: { rows: [{ n: '3' }] } });
  expect(heavy).toMatchObject({
    status: 'rejected',
    reason: { name: 'UserError', message: expect.stringMatching(/needs more memory than the 320MB/) },
  });
  expect(lost).toEqual([]);
});

test('What a query returned is not kept after it', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  await using pool = await openPool();
  const heap = async (): Promise<number> => {
    for (let n = 0; n < 60; n += 1) await ask(pool.engine, raw(`select repeat('x', 200000) || ${n} as t`));
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = await heap();
  // Each of the 60 answers has 200 kB.
  expect((await heap()) - before).toBeLessThan(4_000_000);
});

test('A stream that is left early frees its process', async () => {
  await using pool = await openPool();
  const { engine } = pool;
  for (let n = 0; n < 6; n += 1) {
    const { rows } = await engine.stream(raw('select x from range(100000) a(x)'), { signal: never, requester: 'U1' });
    for await (const row of rows) if (row.x === '700') break;
  }
  const { rows } = await ask(engine, raw('select x from range(30000) a(x) order by x'));
  expect(rows).toHaveLength(30_000);
  expect(rows.at(-1)).toEqual({ x: '29999' });
});

/** Needs more than the memory of one query. */
const LARGE = raw(`select count(*) as n from (select x, repeat('x', 100) || x as t from range(4000000) a(x) order by t) where x >= 0`);
const spilled = (): string[] => readdirSync(folder.store).filter((name) => /^query-spill-[0-9a-f]{8}-/.test(name));

test('A query larger than its memory is finished on disk, and the files are gone when the engine is', async () => {
  const { engine } = await openPool();
  expect((await ask(engine, LARGE)).rows).toEqual([{ n: '4000000' }]);
  expect(spilled()).toHaveLength(1);
  await engine.close();
  expect(spilled()).toEqual([]);
});

test('A process goes on after the folder of what it spilled was deleted, and its folder is old only when nothing is asked', async () => {
  await using pool = await openPool();
  await ask(pool.engine, LARGE);
  const [spill = ''] = spilled();
  const path = join(folder.store, spill);
  await utimes(path, new Date(0), new Date(0));
  await ask(pool.engine, COUNT);
  expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(3_600_000);
  await rm(path, { recursive: true });
  expect((await ask(pool.engine, LARGE)).rows).toEqual([{ n: '4000000' }]);
});

test('What a killed process spilled is deleted after a day, what others use now is not', async () => {
  const [old, recent] = [join(folder.store, 'query-spill-old'), join(folder.store, 'query-spill-recent')];
  for (const path of [old, recent]) await mkdir(path, { recursive: true });
  await utimes(old, new Date(0), new Date(0));
  {
    await using pool = await openPool();
    await ask(pool.engine, COUNT);
    expect([existsSync(old), existsSync(recent)]).toEqual([false, true]);
  }
  expect(readdirSync(folder.store).filter((name) => name.startsWith('query-spill'))).toEqual(['query-spill-recent']);
});

test('A damaged store is opened, and every question over it is told what is missing and how it is mended', async () => {
  await using damaged = await trailFolder();
  await damaged.deliver(records(1));
  await damaged.load();
  await rm(join(damaged.loaded, 'files'), { recursive: true });
  const lost: string[] = [];
  const engine = await openEnginePool(damaged.store, { onLost: (reason) => lost.push(reason) });
  for (const asked of [() => ask(engine, COUNT), () => ask(engine, COUNT), () => engine.extent()])
    await expect(asked()).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(/is missing.*--mend/) });
  await engine.close();
  expect(lost).toEqual([]);
});

test('A store that is not there is told once, and the process that was started for it is not said to be lost', async () => {
  await using folder = await trailFolder();
  const lost: string[] = [];
  await expect(openEnginePool(folder.store, { onLost: (reason) => lost.push(reason) })).rejects.toThrow();
  expect(lost).toEqual([]);
});

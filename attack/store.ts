/** Attacks on the store: loaders killed at any moment, several that start at once, and files meant to stop a load. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { openDuckDB } from '../duckdb/engine.ts';
import { listDamaged, listSkipped, loadTrail } from '../duckdb/store.ts';
import { loadedFolder } from '../duckdb/store-folder.ts';
import { raw } from '../src/trail/sql.ts';
import { type Fields, logFile, record, records, type TrailFolder, trailFolder } from '../test/support/trail-folder.ts';
import type { Attack, AttackContext, AttackOutcome, AttackSize } from './attack.ts';

const SIZES: Readonly<
  Record<AttackSize, { readonly kills: number; readonly schemaKills: number; readonly starts: number; readonly events: number }>
> = {
  small: { kills: 8, schemaKills: 2, starts: 2, events: 800 },
  large: { kills: 120, schemaKills: 40, starts: 70, events: 6000 },
};
const FILES = 20;
const STARTED_AT_ONCE = 4;
/** Within this time, all of them have their code and wait to begin. */
const PROCESS_START_MS = 2000;

export const storeAttack: Attack = {
  name: 'store',
  async run(context) {
    return [await killLoaders(context), await killAtSchema(context), await startAtOnce(context), await hostileFiles(context)];
  },
};

const loaderProgram = fileURLToPath(new URL('../test/support/load.ts', import.meta.url));
const startLoader = ({ trail, store }: TrailFolder, ...moment: readonly string[]) =>
  spawn(process.execPath, [loaderProgram, trail, store, ...moment], { stdio: 'ignore' });

/** Numbers from 0 to 1, the same in every run (a linear congruential generator). */
function seededRandom(): () => number {
  let state = 20_261_128;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Delivers events of a few days in files; returns their ids. */
async function deliverDays(folder: TrailFolder, events: number, files: number): Promise<string[]> {
  const list = records(events, (n) => ({ eventTime: `2026-04-${String(1 + (n % 5)).padStart(2, '0')}T10:00:00Z` }));
  for (let n = 0; n < files; n += 1) {
    const some = list.slice((n * events) / files, ((n + 1) * events) / files);
    await folder.deliver(some, { day: `2026/04/${String(1 + (n % 5)).padStart(2, '0')}`, plain: true });
  }
  return list.map(({ eventID }) => String(eventID));
}

async function storedEvents({ store }: TrailFolder): Promise<(string | null | undefined)[]> {
  const engine = await openDuckDB(store);
  try {
    const { rows } = await engine.execute(raw('select eventid from events'), { signal: new AbortController().signal });
    return rows.map(({ eventid }) => eventid);
  } finally {
    await engine.close();
  }
}

async function storedTwice(folder: TrailFolder): Promise<number> {
  const stored = await storedEvents(folder);
  return stored.length - new Set(stored).size;
}

/** What is wrong with a store that should have these events; undefined when it has each once, and answers. */
async function faultOf(folder: TrailFolder, ids: readonly string[]): Promise<string | undefined> {
  const stored = await storedEvents(folder);
  const unique = new Set(stored);
  const missing = ids.filter((id) => !unique.has(id)).length;
  if (missing > 0 || stored.length !== ids.length)
    return `${stored.length} events, ${stored.length - unique.size} of them twice, ${missing} of ${ids.length} missing`;
  const damaged = await listDamaged(folder.store);
  return damaged.length > 0 ? `${damaged.length} damaged files` : undefined;
}

/** A moment of a load: when so many new files were seen in a folder of the store. */
type KillMoment = readonly [folder: string, files: number];
const SCHEMA: KillMoment = ['events/day=0000%2F00%2F00', 1];
/** While it writes the schema, the parts, the ids of events, and a commit. */
const FIRST_LOAD: readonly KillMoment[] = [SCHEMA, ['events', 3], ['ids', 1], ['log', 1]];
/** While it merges the lists of files and of ids, replaces the commits, and while it writes the lists before. */
const MERGE: readonly KillMoment[] = [
  ['files', 2],
  ['ids', 2],
  ['log', 2],
  ['files', 1],
];
/** Until a loader of the small trail has ended, when nothing else runs. */
const MAX_KILL_AFTER_MS = 900;
/** A new store after so many kills, so that some happen in its first load, and some after merges. */
const KILLS_PER_STORE = 4;
/** Loads whose parts and commits are merged by one more. */
const LOADS_BEFORE_MERGE = 24;

async function killLoaders({ size, signal }: AttackContext): Promise<AttackOutcome> {
  const { kills, events } = SIZES[size];
  const random = seededRandom();
  const failures: string[] = [];
  let killed = 0;
  for (let n = 0; n < kills; ) {
    await using folder = await trailFolder();
    const ids = await deliverDays(folder, events, FILES);
    const isMerge = n % (2 * KILLS_PER_STORE) === KILLS_PER_STORE;
    if (isMerge) await loadOften(folder, ids);
    for (let k = 0; k < KILLS_PER_STORE && n < kills; k += 1, n += 1) {
      signal.throwIfAborted();
      const moment = (isMerge ? MERGE : FIRST_LOAD)[k];
      const isAtRandom = !moment || random() < (size === 'small' ? 0.25 : 0.5);
      const kill = isAtRandom ? await killAfter(folder, Math.round(random() * MAX_KILL_AFTER_MS)) : await killAt(folder, moment);
      if (kill.isKilled) killed += 1;
      // The store as it was left must not have an event twice. It may not be open yet.
      const twice = await storedTwice(folder).catch(() => 0);
      if (twice > 0) failures.push(`kill ${n + 1} ${kill.words}: left ${twice} events twice`);
      ids.push(...(await deliverDays(folder, 2, 1)));
      if (isMerge || random() < 0.5) continue;
      const fault = await completeLoad(folder, ids);
      if (fault) failures.push(`kill ${n + 1} ${kill.words}: ${fault}`);
    }
    const fault = await completeLoad(folder, ids);
    if (fault) failures.push(`after ${n} kills: ${fault}`);
  }
  return {
    what: 'a loader killed at a random moment, or while it writes the schema, parts, lists, a commit or a merge',
    tried: kills,
    failures,
    measured: `${killed} killed before their end`,
  };
}

/** The schema is written in a millisecond, so that one kill of five leaves half of it. */
async function killAtSchema({ size, signal }: AttackContext): Promise<AttackOutcome> {
  const { schemaKills } = SIZES[size];
  const failures: string[] = [];
  await using folder = await trailFolder();
  const ids = await deliverDays(folder, 10, 1);
  for (let n = 0; n < schemaKills; n += 1) {
    signal.throwIfAborted();
    await rm(folder.store, { recursive: true, force: true });
    await killAt(folder, SCHEMA);
    const fault = await completeLoad(folder, ids);
    if (fault) failures.push(`kill ${n + 1}: ${fault}`);
  }
  return { what: 'a loader killed while it writes the schema of a new store', tried: schemaKills, failures };
}

async function loadOften(folder: TrailFolder, ids: string[]): Promise<void> {
  await folder.load();
  for (let n = 0; n < LOADS_BEFORE_MERGE - 1; n += 1) {
    ids.push(...(await deliverDays(folder, 1, 1)));
    await folder.load();
  }
  ids.push(...(await deliverDays(folder, 1, 1)));
}

async function completeLoad(folder: TrailFolder, ids: readonly string[]): Promise<string | undefined> {
  try {
    await folder.load();
    return await faultOf(folder, ids);
  } catch (error) {
    return String(error).split('\n')[0];
  }
}

interface Kill {
  readonly words: string;
  readonly isKilled: boolean;
}

async function killAfter(folder: TrailFolder, ms: number): Promise<Kill> {
  const child = startLoader(folder);
  const ended = once(child, 'exit');
  while (!existsSync(loadedFolder(folder.store)) && child.exitCode === null) await sleep(5);
  await Promise.race([ended, sleep(ms)]);
  child.kill('SIGKILL');
  const [, by] = await ended;
  return { words: `${ms} ms after its start`, isKilled: by === 'SIGKILL' };
}

/** Kills a loader as soon as so many new files were seen: within a tenth of a millisecond, so that the last one is often not whole. */
async function killAt(folder: TrailFolder, [within, files]: KillMoment): Promise<Kill> {
  const place = join(loadedFolder(folder.store), within);
  const old = new Set(namesBelow(place));
  const seen = new Set<string>();
  const child = startLoader(folder);
  const ended = once(child, 'exit');
  while (child.exitCode === null && child.signalCode === null) {
    for (const name of namesBelow(place)) if (!old.has(name)) seen.add(name);
    if (seen.size >= files) child.kill('SIGKILL');
    await setImmediate();
  }
  const [, by] = await ended;
  return { words: `at file ${files} of ${within}`, isKilled: by === 'SIGKILL' };
}

/** The names of files in a folder and below it; none while it is not there. */
function namesBelow(place: string): string[] {
  try {
    return readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
  } catch {
    return [];
  }
}

async function startAtOnce({ size, signal }: AttackContext): Promise<AttackOutcome> {
  const { starts } = SIZES[size];
  const failures: string[] = [];
  for (let n = 0; n < starts; n += 1) {
    signal.throwIfAborted();
    await using folder = await trailFolder();
    const ids = await deliverDays(folder, 200, FILES);
    const at = String(Date.now() + PROCESS_START_MS);
    const ended = await Promise.all(Array.from({ length: STARTED_AT_ONCE }, async () => (await once(startLoader(folder, 'at', at), 'exit'))[0]));
    const failed = ended.filter((status) => status !== 0).length;
    const fault = failed > 0 ? `${failed} of ${STARTED_AT_ONCE} processes failed` : await faultOf(folder, ids);
    if (fault) failures.push(`start ${n + 1}: ${fault}`);
  }
  return { what: `${STARTED_AT_ONCE} processes that load a new store at once`, tried: starts, failures };
}

const MB = 1024 * 1024;

/** Files and names that anyone who can write to the bucket may leave there, with the good events that some have. */
async function writeHostileFiles(folder: TrailFolder): Promise<{ readonly files: number; readonly good: readonly Fields[] }> {
  const large = (bytes: number): Fields => record({ requestParameters: { filler: 'x'.repeat(bytes) } });
  const beside = records(12);
  const contents: readonly (readonly [string, string | Buffer])[] = [
    ['30-mb.json', logFile([large(30 * MB), beside[0]])],
    ...Array.from({ length: 10 }, (_, n) => [`5-mb-${n}.json`, logFile([large(5 * MB), beside[n + 1]])] as const),
    ['cut.json.gz', gzipSync(logFile(records(100))).subarray(0, 500)],
    ['bomb.json.gz', gzipSync(Buffer.alloc(80 * MB, 0x20), { level: 1 })],
    ['deep.json', `{"Records":[${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}]}`],
    ['lists.json', '['.repeat(5 * MB)],
    ['empty.json', ''],
    ['nul.json', Buffer.alloc(1000)],
    ["it's ; drop table.json", logFile([beside[11]])],
  ];
  for (const [name, content] of contents) await folder.put(`hostile/${name}`, content);
  await mkdir(join(folder.trail, 'folder.json.gz'), { recursive: true });
  await symlink('..', join(folder.trail, 'hostile', 'circle'));
  if (process.platform === 'linux')
    await writeFile(Buffer.concat([Buffer.from(`${folder.trail}/hostile/`), Buffer.from([0xff, 0xfe]), Buffer.from('.json')]), '{}');
  return { files: contents.length + 3, good: beside };
}

async function hostileFiles({ signal }: AttackContext): Promise<AttackOutcome> {
  await using folder = await trailFolder();
  const ids = await deliverDays(folder, 200, FILES);
  const { files, good } = await writeHostileFiles(folder);
  ids.push(...good.map(({ eventID }) => String(eventID)));
  const failures: string[] = [];
  const { trail, store } = folder;
  try {
    await loadTrail({ trail, store, signal });
    const fault = await faultOf(folder, ids);
    if (fault) failures.push(fault);
    const skipped = (await listSkipped(store)).length;
    if (skipped < files - 5) failures.push(`only ${skipped} of ${files} files are listed as skipped`);
    const again = await loadTrail({ trail, store, signal });
    if (again.events > 0) failures.push(`a second load stored ${again.events} events again`);
  } catch (error) {
    failures.push(`a load failed: ${String(error).split('\n')[0]}`);
  }
  await rm(trail, { recursive: true, force: true });
  return { what: 'files of a trail that are meant to stop a load', tried: files, failures };
}

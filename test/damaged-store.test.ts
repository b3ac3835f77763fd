/** A store that a disk, a person or another version changed: it says so, it never answers from the rest, and it can be mended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readLog } from '../duckdb/commit-log.ts';
import { DamagedStore } from '../duckdb/damage.ts';
import { listDamaged, loadTrail } from '../duckdb/store.ts';
import { storeFault } from '../duckdb/store-fault.ts';
import { SCHEMA_PART } from '../duckdb/store-schema.ts';
import { openTrail } from '../src/app.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { childEnv } from './support/child-env.ts';
import { type Fields, openStore, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';
import { until } from './support/until.ts';

const signal = new AbortController().signal;
const idsOf = (list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();

async function storedIds(store: string): Promise<string[]> {
  await using open = await openStore(store);
  return (await open.rows('select eventid from events order by eventid')).map(({ eventid }) => String(eventid));
}

/** Runs `npm run doctor`. */
async function doctor({ trail, store }: TrailFolder, ...args: readonly string[]) {
  const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url));
  const child = spawn(process.execPath, [program, 'doctor', ...args], { env: { ...childEnv, TRAIL_PATH: trail, STORE_PATH: store } });
  const [out, err] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.setEncoding('utf8').toArray()));
  const status = child.exitCode ?? (await once(child, 'close'))[0];
  return { status, out: out?.join('') ?? '', err: err?.join('') ?? '' };
}

/** A loaded trail of three days, with a commit for each. */
async function threeDays() {
  const folder = await trailFolder();
  const list = records(60, (n) => ({ eventTime: `2026-04-0${1 + (n % 3)}T10:00:00Z` }));
  for (const day of [0, 1, 2]) {
    await folder.deliver(
      list.filter((_, n) => n % 3 === day),
      { day: `2026/04/0${day + 1}` },
    );
    await folder.load();
  }
  return { ...folder, list };
}

async function partOf({ loaded }: TrailFolder, day: string): Promise<string> {
  const { parts } = await readLog(loaded);
  return join(loaded, parts.find((part) => part.day === day)?.file ?? 'none');
}

const damages: readonly { readonly what: string; readonly reason: string; readonly damage: (part: string) => Promise<unknown> }[] = [
  { what: 'cut', reason: 'has other bytes than were written', damage: (part) => truncate(part, 900) },
  { what: 'emptied', reason: 'has other bytes than were written', damage: (part) => truncate(part, 0) },
  { what: 'deleted', reason: 'is missing', damage: (part) => rm(part) },
  {
    what: 'overwritten in the middle',
    reason: 'has other bytes than were written',
    damage: async (part) => writeFile(part, (await readFile(part)).fill(0x55, 8, 3000)),
  },
];

describe('A part of the store that was', () => {
  test.each(damages)('$what is named by questions and by doctor, and mended', async ({ reason, damage }) => {
    await using folder = await threeDays();
    await using open = await openStore(folder.store);
    expect(await open.ids('events 2026-04-02')).toHaveLength(20);
    const part = await partOf(folder, '2026/04/02');
    await damage(part);
    const file = part.slice(folder.loaded.length + 1);

    const asked = await open.ask('events 2026-04-02').catch((error: unknown) => error);
    expect(asked).toBeInstanceOf(UserError);
    expect(String(asked)).toContain(`the file of 2026-04-02, ${file}, ${reason}`);
    expect(String(asked)).toContain('npm run -s doctor -- --mend');
    // A new process finds it too, at its start or with its first question.
    const counted = openStore(folder.store).then((other) =>
      other.rows('select count(*), max(requestid), max(useragent) from events').finally(() => other[Symbol.asyncDispose]()),
    );
    await expect(counted).rejects.toThrow(DamagedStore);

    const found = await doctor(folder);
    expect(found.out).toContain(`the file of 2026-04-02, ${file}, ${reason}`);
    expect(found.out).toContain('To read the trail again: npm run -s doctor -- --mend');
    expect(found.status).toBe(1);

    const mended = await doctor(folder, '--mend');
    expect(mended.status).toBe(0);
    expect(mended.out).toContain('The trail was read again: 60 events from 3 files.');
    expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
    expect(await open.ids('events 2026-04-02')).toHaveLength(20);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('changed in one bit is found by doctor', async () => {
    await using folder = await threeDays();
    const part = await partOf(folder, '2026/04/03');
    const bytes = await readFile(part);
    bytes[700] = (bytes[700] as number) ^ 1;
    await writeFile(part, bytes);
    expect(await listDamaged(folder.store)).toEqual([{ file: part.slice(folder.loaded.length + 1), day: '2026/04/03', reason: damages[0]?.reason }]);
    expect((await doctor(folder)).status).toBe(1);
  });

  test('damaged stays damaged when small parts are merged', async () => {
    await using folder = await trailFolder();
    for (let n = 0; n < 6; n += 1) {
      await folder.deliver(records(2));
      await folder.load();
    }
    const part = await partOf(folder, '2026/05/01');
    const bytes = await readFile(part);
    bytes[700] = (bytes[700] as number) ^ 1;
    await writeFile(part, bytes);
    for (let n = 0; n < 3; n += 1) {
      await folder.deliver(records(2));
      expect(await folder.load()).toMatchObject({ events: 2 });
    }
    expect(await listDamaged(folder.store)).toHaveLength(1);
  });
});

test('A store is not mended from a folder without log files', async () => {
  await using folder = await threeDays();
  await rename(folder.trail, join(folder.root, 'elsewhere'));
  await mkdir(folder.trail);
  expect(await doctor(folder, '--mend')).toMatchObject({ status: 1, err: expect.stringContaining('has no log files, so the store cannot be built') });
  expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
});

describe('A commit that cannot be read', () => {
  test.each(['', '{"base":false,"parts":['])('is read again when it is the newest (%j)', async (text) => {
    await using folder = await threeDays();
    await using open = await openStore(folder.store);
    const log = join(folder.loaded, 'log');
    await writeFile(join(log, '00000003.json'), text);
    await expect(open.ask('events 2026-04-01')).rejects.toThrow(/00000003\.json cannot be read.*--mend/);
    expect(await folder.load()).toMatchObject({ files: 1, events: 20 });
    expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
    expect(await open.ids('events 2026-04-03')).toHaveLength(20);
  });

  test.each<[string, (log: string) => Promise<unknown>]>([
    ['cut in the middle', (log) => writeFile(join(log, '00000002.json'), '{"ba')],
    ['missing in the middle', (log) => rm(join(log, '00000002.json'))],
    ['the first, and missing', (log) => rm(join(log, '00000001.json'))],
    ['the first, and empty', (log) => writeFile(join(log, '00000001.json'), '')],
  ])('lets the next load build the store anew when it is %s', async (_, damage) => {
    await using folder = await threeDays();
    await using open = await openStore(folder.store);
    await damage(join(folder.loaded, 'log'));
    await expect(open.ask('events 2026-04-01')).rejects.toThrow(DamagedStore);
    expect(await folder.load()).toMatchObject({ files: 3, events: 60 });
    expect(await readdir(join(folder.loaded, 'log'))).toEqual(['00000004.json']);
    expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
    expect(await open.ids('events 2026-04-01')).toHaveLength(20);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });
});

test('A damaged store is not built anew without log files that have left the folder, unless that is asked for', async () => {
  await using folder = await threeDays();
  await writeFile(join(folder.loaded, 'log', '00000002.json'), '{"ba');
  const [gone = ''] = (await readdir(folder.trail, { recursive: true })).filter((path) => path.endsWith('.json.gz')).sort();
  await rm(join(folder.trail, gone));
  await expect(folder.load()).rejects.toThrow(/1 of the log files that were loaded, such as .*, are no longer in .*--mend/);
  // Until then, an engine can be opened, and every question says it.
  await using open = await openStore(folder.store);
  await expect(open.ask('events 2026-04-01')).rejects.toThrow(/is damaged.*--mend/);
  expect(await loadTrail({ trail: folder.trail, store: folder.store, signal, isRebuild: true })).toMatchObject({ files: 2, events: 40 });
  expect(await open.ids('events 2026-04-03')).toHaveLength(20);
});

test('Commits that a later one replaced may be missing: they are deleted in any order', async () => {
  await using folder = await threeDays();
  const log = join(folder.loaded, 'log');
  const { version, commitsSinceBase, ...all } = await readLog(folder.loaded);
  await writeFile(join(log, '00000004.json'), JSON.stringify({ ...all, base: true }));
  expect([version, commitsSinceBase]).toEqual([3, 3]);
  await rm(join(log, '00000002.json'));
  expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
  expect(await folder.load()).toMatchObject({ files: 0 });
});

test('A half written schema part is written again', async () => {
  await using folder = await threeDays();
  await truncate(join(folder.loaded, SCHEMA_PART), 200);
  await folder.load();
  expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
});

describe('Two versions that share a store', () => {
  /** What another version loaded, as this one sees it. */
  async function otherVersion({ store, loaded }: TrailFolder): Promise<string> {
    const other = join(store, 'loaded-0123456789abcdef');
    await cp(loaded, other, { recursive: true });
    return other;
  }
  const day = 24 * 3_600_000;
  const lastUsed = async (folder: string, ms: number): Promise<void> => {
    for (const name of await readdir(folder)) await utimes(join(folder, name), new Date(Date.now() - ms), new Date(Date.now() - ms));
  };

  test('keep what the other loaded for 7 days after its last use', async () => {
    await using folder = await threeDays();
    const other = await otherVersion(folder);
    await lastUsed(other, 6 * day);
    await folder.load();
    expect(await readdir(folder.store)).toHaveLength(2);
    await lastUsed(other, 8 * day);
    await folder.load();
    expect(await readdir(folder.store)).toEqual([folder.loaded.slice(folder.store.length + 1)]);
    expect(await storedIds(folder.store)).toEqual(idsOf(folder.list));
  });

  test('keep it too while the new one is not whole', async () => {
    await using folder = await threeDays();
    const other = await otherVersion(folder);
    await lastUsed(other, 8 * day);
    await rm(folder.loaded, { recursive: true });
    await expect(folder.load(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    expect(await readdir(folder.store)).toContain('loaded-0123456789abcdef');
    await folder.load();
    expect(await readdir(folder.store)).not.toContain('loaded-0123456789abcdef');
  });

  test('refuse each other’s trail', async () => {
    await using folder = await threeDays();
    await using other = await trailFolder('other');
    await other.deliver(records(1));
    await rename(folder.loaded, join(folder.store, 'loaded-0123456789abcdef'));
    await expect(loadTrail({ trail: other.trail, store: folder.store, signal })).rejects.toThrow(/belongs to the trail .*STORE_PATH/);
  });
});

describe.skipIf(process.platform === 'win32')('Only the owner may enter', () => {
  const rights = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  test('a store that is made, or that was open to others', async () => {
    await using folder = await trailFolder();
    await folder.load();
    expect([await rights(folder.store), await rights(folder.loaded)]).toEqual(['700', '700']);
    await mkdir(join(folder.store, 'saved'));
    await chmod(folder.store, 0o755);
    await folder.load();
    expect(await rights(folder.store)).toBe('700');
  });

  test('what is loaded in a folder of other things, which stays as it is', async () => {
    await using folder = await trailFolder();
    await mkdir(join(folder.store, 'www'), { recursive: true });
    await chmod(folder.store, 0o755);
    await folder.load();
    expect([await rights(folder.store), await rights(folder.loaded)]).toEqual(['755', '700']);
  });
});

describe('When a load fails', () => {
  const open = (folder: TrailFolder, errors: unknown[]) =>
    openTrail(
      { trail: folder.trail, store: folder.store, isSample: false },
      { SAMPLE_EVENTS: 1000 },
      { clock: () => new Date(), signal, onProgress: () => undefined, onLoadError: (error) => errors.push(error) },
    );

  test('the trail that was loaded before is open, and says since when', async () => {
    await using folder = await threeDays();
    await rm(folder.trail, { recursive: true });
    const errors: unknown[] = [];
    const engine = await open(folder, errors);
    expect(errors).toEqual([expect.any(UserError)]);
    expect(await engine.extent()).toMatchObject({ events: 60, loadedAt: expect.stringMatching(/^20\d\d-.*Z$/) });
    const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), engine);
    const answer = await desk.answer('events 2026-04-01', { now: new Date('2026-05-01T00:00:00Z'), signal });
    expect(toTerminal(answer, new URL('../templates/', import.meta.url), 200)).toMatch(
      /new log files could not be loaded since 20\d\d-.* UTC: npm run -s doctor says why/,
    );
    await engine.close();
  });

  test('and nothing was loaded before, that is an error', async () => {
    await using folder = await trailFolder();
    await rm(folder.trail, { recursive: true });
    await expect(open(folder, [])).rejects.toThrow(/does not exist. Set TRAIL_PATH/);
  });

  test('and the store is of another trail, that is an error', async () => {
    await using folder = await threeDays();
    await using other = await trailFolder('other');
    await other.deliver(records(1));
    await expect(open({ ...other, store: folder.store }, [])).rejects.toThrow(/belongs to the trail/);
  });

  test('because another process keeps the lock, it does not wait for ever', async () => {
    await using folder = await threeDays();
    for (let n = 0; n < 200; n += 1) await folder.deliver(records(20));
    const loader = fileURLToPath(new URL('support/load.ts', import.meta.url));
    const child = spawn(process.execPath, [loader, folder.trail, folder.store], { stdio: 'ignore' });
    await until(async () => expect((await readdir(join(folder.loaded, 'stage'))).length).toBeGreaterThan(0));
    child.kill('SIGSTOP');
    try {
      const loading = loadTrail({ trail: folder.trail, store: folder.store, signal, maxLockWaitMs: 300 });
      await expect(loading).rejects.toThrow(/Another process has been loading the store/);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await folder.load();
    expect(await storedIds(folder.store)).toHaveLength(4060);
  });

  test.each([
    ['ENOSPC', /The disk of the store \/data\/store is full.*STORE_PATH=/],
    ['EROFS', /The store \/data\/store is on a disk that cannot be written to.*STORE_PATH=/],
    ['EACCES', /not allowed to write to the store \/data\/store.*STORE_PATH=/],
  ])('because of %s, the error names the folder and the way out', (code, words) => {
    const fault = storeFault(Object.assign(new Error(`${code}: write`), { code }), '/data/store');
    expect(fault).toBeInstanceOf(UserError);
    expect(String(fault)).toMatch(words);
  });

  test('because the disk is full in DuckDB, the error names it too', () => {
    const fault = storeFault(new Error('IO Error: Could not write file "/data/store/spill/x.tmp": No space left on device'), '/data/store');
    expect(String(fault)).toMatch(/The disk of the store \/data\/store is full/);
  });
});

test('A damaged lock file is named, and not deleted', async () => {
  await using folder = await trailFolder();
  const file = join(folder.loaded, 'lock', 'writer.duckdb');
  await mkdir(join(folder.loaded, 'lock'), { recursive: true });
  await writeFile(file, 'not a database');
  await expect(folder.load()).rejects.toThrow(UserError);
  await expect(folder.load()).rejects.toThrow(/lock file .*writer\.duckdb is damaged/);
  expect(await readFile(file, 'utf8')).toBe('not a database');
});

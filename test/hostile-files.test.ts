/** Whoever can write one file to the bucket of a trail must not keep the others from being loaded. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readLog } from '../duckdb/commit-log.ts';
import { walkLogFiles } from '../duckdb/log-files.ts';
import { listIgnored, listSkipped } from '../duckdb/store.ts';
import { type Fields, logFile, openStore, record, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const idsOf = (list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const MB = 1024 * 1024;
/** A record with so many bytes of text. */
const wide = (bytes: number): Fields => record({ requestParameters: { filler: 'x'.repeat(bytes) } });

async function storedIds({ store }: Pick<TrailFolder, 'store'>): Promise<string[]> {
  await using open = await openStore(store);
  return (await open.rows('select eventid from events order by eventid')).map(({ eventid }) => String(eventid));
}

const skippedIn = async ({ store }: TrailFolder) => (await listSkipped(store)).map(({ path, reason, events }) => [path, reason, events]);

/** Loads in a process of its own; gives its peak memory in MB. */
async function loadMeasured({ trail, store }: TrailFolder): Promise<{ readonly events: number; readonly rssMb: number }> {
  const program = fileURLToPath(new URL('../bench/load.ts', import.meta.url));
  const child = spawn(process.execPath, [program, trail, store], { stdio: ['ignore', 'pipe', 'inherit'] });
  const out = await child.stdout.setEncoding('utf8').toArray();
  return JSON.parse(out.join(''));
}

describe('A log file that is cut off behind an empty key is skipped with the reason, and the others of its batch are loaded', () => {
  test.each([',"":}]}', ',"eventID":"0000","":}]}'])('%s', async (end) => {
    await using folder = await trailFolder();
    const good = records(2);
    // In folders as CloudTrail makes them, where words are found while a file is unpacked.
    const at = 'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20';
    await folder.put(`${at}/a.json`, logFile([...records(2), record()]).replace(/\}\]\}$/, end));
    await folder.put(`${at}/b.json`, logFile(good));
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 1 });
    expect(await storedIds(folder)).toEqual(idsOf(good));
    expect(await skippedIn(folder)).toEqual([[`${at}/a.json`, 'is not valid JSON', 0]]);
  });
});

describe('An event that is too large for the store is skipped by itself', () => {
  test.each<[string, string, (large: Fields, good: readonly Fields[]) => string | Buffer]>([
    ['in a log file', 'a.json', (large, [one, two]) => logFile([one, large, two])],
    ['in a packed log file', 'a.json.gz', (large, [one, two]) => gzipSync(logFile([one, large, two]))],
    ['in a line', 'a.jsonl', (large, [one, two]) => [one, large, two].map((each) => JSON.stringify(each)).join('\n')],
    ['in a list', 'a.json', (large, [one, two]) => JSON.stringify([one, large, two], null, 1)],
    [
      'as a log message',
      'a.json',
      (large, good) => JSON.stringify({ logEvents: [...good, large].map((each) => ({ message: JSON.stringify(each) })) }),
    ],
  ])('%s', async (_, name, content) => {
    await using folder = await trailFolder();
    const good = records(2);
    await folder.put(name, content(wide(9 * MB), good));
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 0, skippedEvents: 1 });
    expect(await storedIds(folder)).toEqual(idsOf(good));
    expect(await skippedIn(folder)).toEqual([[name, 'an event is larger than 4 MB', 1]]);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('when it has 30 MB', async () => {
    await using folder = await trailFolder();
    await folder.put('a.json', logFile([wide(30 * MB), record()]));
    expect(await folder.load()).toMatchObject({ events: 1, skippedFiles: 0, skippedEvents: 1 });
  });

  test('in a file that is read in pieces, even when it is larger than a piece may be', async () => {
    await using folder = await trailFolder();
    const good = records(2);
    await folder.put('a.json', logFile([good[0], wide(80 * MB), good[1]]));
    await folder.put('b.jsonl', `${JSON.stringify(wide(80 * MB))}\n${JSON.stringify(record())}\n${JSON.stringify(record())}\n`);
    expect(await folder.load()).toMatchObject({ events: 4, skippedFiles: 0, skippedEvents: 2 });
  });

  test('ten times in a batch, and thirty of nearly the largest size are stored in about 1 GB of memory', async () => {
    await using folder = await trailFolder();
    for (let n = 0; n < 10; n += 1) await folder.put(`large-${n}.json`, logFile([wide(5 * MB), record()]));
    for (let n = 0; n < 3; n += 1)
      await folder.put(`most-${n}.json.gz`, gzipSync(logFile(Array.from({ length: 10 }, () => wide(4 * MB - 2000))), { level: 1 }));
    const { events, rssMb } = await loadMeasured(folder);
    expect(events).toBe(40);
    expect(rssMb).toBeLessThan(1200);
    await using open = await openStore(folder.store);
    expect(await open.rows('select count(*) as events, sum(length(requestparameters)) > 1e8 as whole from events')).toEqual([
      { events: '40', whole: 'true' },
    ]);
  });

  test('and wide ones in one batch are stored', async () => {
    await using folder = await trailFolder();
    for (let n = 0; n < 2; n += 1)
      await folder.put(`${n}.json.gz`, gzipSync(logFile(Array.from({ length: 500 }, () => wide(100_000))), { level: 1 }));
    const { events, rssMb } = await loadMeasured(folder);
    expect(events).toBe(1000);
    expect(rssMb).toBeLessThan(1200);
  });
});

describe('A folder or a name that cannot be read', () => {
  const program = fileURLToPath(new URL('support/load.ts', import.meta.url));
  const isRoot = process.getuid?.() === 0;
  /** Root reads everything, and another user may not read a checkout in a folder of root. */
  const hasUserWithoutRights = process.platform !== 'win32' && (!isRoot || spawnSync('test', ['-r', program], { uid: 65534 }).status === 0);

  /** Loads as a user without rights. */
  async function loadAsNobody({ root, trail, store }: TrailFolder): Promise<void> {
    if (isRoot) execFileSync('chown', ['-R', '65534', root]);
    const child = spawn(process.execPath, [program, trail, store], { stdio: ['ignore', 'ignore', 'pipe'], ...(isRoot && { uid: 65534 }) });
    const errors = await child.stderr.setEncoding('utf8').toArray();
    const status = child.exitCode ?? (await once(child, 'close'))[0];
    expect({ status, errors: errors.join('') }).toEqual({ status: 0, errors: '' });
  }

  test.skipIf(!hasUserWithoutRights)('without rights is skipped and listed, and read when it can be', async () => {
    await using folder = await trailFolder();
    const [open, closed, hidden, late] = records(4);
    await folder.deliver([open]);
    await folder.put('closed/a.json', logFile([closed]));
    await folder.put('closed/broken.json', '{');
    await folder.put('hidden/a.json', logFile([hidden]));
    await folder.put('file.json', logFile([late]));
    await loadAsNobody(folder);
    await folder.put('closed/b.json', logFile([late]));
    await folder.put('hidden/b.json', logFile([late]));
    for (const [path, mode] of Object.entries({ closed: 0o000, hidden: 0o600 })) await chmod(join(folder.trail, path), mode);
    await loadAsNobody(folder);
    const skipped = [
      ['closed', 'cannot be read (EACCES)', 0],
      ['closed/broken.json', 'is not valid JSON', 0],
      ['hidden/b.json', 'cannot be read (EACCES)', 0],
    ];
    expect(await skippedIn(folder)).toEqual(skipped);
    await using engine = await openStore(folder.store);
    expect(await engine.engine.extent()).toMatchObject({ events: 4, skippedFiles: 3 });
    const version = await readLog(folder.loaded);
    await loadAsNobody(folder);
    expect(await skippedIn(folder)).toEqual(skipped);
    expect(await readLog(folder.loaded)).toEqual(version);
    for (const path of ['closed', 'hidden']) await chmod(join(folder.trail, path), 0o700);
    await loadAsNobody(folder);
    expect(await skippedIn(folder)).toEqual([['closed/broken.json', 'is not valid JSON', 0]]);
    await rm(join(folder.trail, 'closed/broken.json'));
    await loadAsNobody(folder);
    expect(await skippedIn(folder)).toEqual([]);
    expect(await storedIds(folder)).toEqual(idsOf([open, closed, hidden, late] as Fields[]));
  });

  test('too deep for a path', async () => {
    await using folder = await trailFolder();
    const good = record();
    await folder.deliver([good]);
    let deepest = folder.trail;
    const name = 'd'.repeat(200);
    // Each path is short enough by itself: folders are made below one that is renamed into them.
    for (let n = 0; n < 25; n += 1) {
      const above = join(folder.root, `above-${n}`);
      await mkdir(above);
      await rename(n === 0 ? await emptyIn(folder) : deepest, join(above, name));
      deepest = above;
    }
    await rename(deepest, join(folder.trail, 'deep'));
    expect(await folder.load()).toMatchObject({ events: 1, skippedFiles: 1 });
    expect(await skippedIn(folder)).toEqual([[expect.stringMatching(/^deep\/d+\//), 'cannot be read (ENAMETOOLONG)', 0]]);
    // What is below such a folder can only be deleted from above.
    execFileSync('rm', ['-rf', join(folder.trail, 'deep')]);
  });

  test.skipIf(process.platform !== 'linux')('that is no UTF-8', async () => {
    await using folder = await trailFolder();
    const good = record();
    await folder.deliver([good]);
    const named = (name: string) => Buffer.concat([Buffer.from(`${folder.trail}/`), Buffer.from(name, 'latin1')]);
    await writeFile(named('caf\xe9.json'), logFile([record()]));
    await mkdir(named('\xff'));
    await folder.put('\ufffd/right.json', logFile([record()]));
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 2 });
    expect(await skippedIn(folder)).toEqual([
      ['caf\ufffd.json', 'has a name that is not UTF-8', 0],
      ['\ufffd', 'has a name that is not UTF-8', 0],
    ]);
  });

  test.skipIf(process.platform === 'win32')('and a pipe, links in a circle and many links to a folder', async () => {
    await using folder = await trailFolder();
    const list = records(2);
    await folder.put('a/one.json', logFile([list[0]]));
    await folder.put('b/two.json', logFile([list[1]]));
    execFileSync('mkfifo', [join(folder.trail, 'pipe.json')]);
    await symlink('../b', join(folder.trail, 'a/x'));
    await symlink('../a', join(folder.trail, 'b/y'));
    // Each level doubles the paths to the next.
    for (let n = 0; n < 30; n += 1) {
      await mkdir(join(folder.trail, `level-${n}`));
      for (const side of ['left', 'right']) await symlink(`../level-${n + 1}`, join(folder.trail, `level-${n}`, side));
    }
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 0 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
    expect((await listIgnored(folder.store)).map(({ reason }) => reason).sort()).toEqual([
      'is a link to a folder above it',
      'is a link to a folder that another link leads to',
      'is a link to nothing',
      'is not a file',
    ]);
  });

  test('and a file or a folder that vanishes during the walk', async () => {
    await using folder = await trailFolder();
    for (const path of ['a/one.json', 'b/two.json', 'c/three.json']) await folder.put(path, logFile([record()]));
    const found: string[] = [];
    const ignored: unknown[] = [];
    for await (const { path } of walkLogFiles(folder.trail, new AbortController().signal, { onIgnored: (each) => ignored.push(each) })) {
      found.push(path);
      if (path === 'a/one.json') await rm(join(folder.trail, 'b'), { recursive: true });
    }
    expect(found).toEqual(['a/one.json', 'c/three.json']);
    expect(ignored).toEqual([{ path: 'b', reason: 'vanished while the folder was read' }]);
  });

  test('is an error when it is the trail itself', async () => {
    await using folder = await trailFolder();
    const walk = walkLogFiles(join(folder.root, 'gone'), new AbortController().signal);
    await expect(walk.next()).rejects.toThrow(/The folder .*gone .*TRAIL_PATH/);
  });
});

async function emptyIn({ root }: TrailFolder): Promise<string> {
  const path = join(root, 'empty');
  await mkdir(path);
  return path;
}

describe('A skipped file that is replaced', () => {
  test('is read, with the same size and the same time of modification', async () => {
    await using folder = await trailFolder();
    const [one, two] = [record(), record({ eventName: 'DescribeImages' })];
    const [good, bad] = [logFile([one, two]), logFile([one, { ...two, eventTime: 'XXXX-05-01T10:00:00Z' }])];
    const path = await folder.put('a.json', bad);
    const at = new Date('2026-05-01T12:00:00Z');
    await utimes(join(folder.trail, path), at, at);
    expect(await folder.load()).toMatchObject({ events: 1, skippedEvents: 1 });
    expect(await folder.load()).toMatchObject({ files: 0 });
    await folder.put('aside', good);
    await utimes(join(folder.trail, 'aside'), at, at);
    await rename(join(folder.trail, 'aside'), join(folder.trail, path));
    expect(await folder.load()).toMatchObject({ files: 1, events: 1, duplicates: 1 });
    expect(await storedIds(folder)).toEqual(idsOf([one, two]));
    expect(await skippedIn(folder)).toEqual([]);
  });
});

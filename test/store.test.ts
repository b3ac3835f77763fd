import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { readLog } from '../duckdb/commit-log.ts';
import { listSkipped, loadTrail } from '../duckdb/store.ts';
import { UserError } from '../src/errors.ts';
import {
  ACCOUNT,
  type Fields,
  logFile,
  type OpenTrail,
  openFolder,
  openStore,
  record,
  records,
  type TrailFolder,
  trailFolder,
} from './support/trail-folder.ts';
import { until } from './support/until.ts';

const idsOf = (list: readonly Fields[]): string[] => list.map(({ eventID }) => String(eventID)).sort();
const storedIdsIn = async ({ rows }: OpenTrail): Promise<string[]> =>
  (await rows('select eventid from events order by eventid')).map(({ eventid }) => String(eventid));

/** Every event id in the store, sorted. A duplicate event is listed twice. */
async function storedIds({ store }: Pick<TrailFolder, 'store'>): Promise<string[]> {
  await using open = await openStore(store);
  return await storedIdsIn(open);
}

/** The same of one account. */
const storedIdsOf = async ({ rows }: OpenTrail, account: string): Promise<string[]> =>
  (await rows(`select eventid from events where account = '${account}' order by eventid`)).map(({ eventid }) => String(eventid));

/** The cases of a table, each with an account for itself: so one load can be of all. */
const inAccounts = <Case>(cases: readonly Case[]) => cases.map((each, n) => ({ ...each, account: String(200_000_000_000 + n) }));

/** One trail for the tests of a describe, filled and loaded before the first of them. */
function openOnce(fill: (folder: TrailFolder) => Promise<void>): () => OpenTrail & { readonly store: string } {
  let open: OpenTrail & { readonly store: string };
  beforeAll(async () => {
    const folder = await trailFolder();
    await fill(folder);
    open = { ...(await openFolder(folder)), store: folder.store };
    return async () => {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });
  return () => open;
}

const reasons = async ({ store }: TrailFolder) => Object.fromEntries((await listSkipped(store)).map(({ path, reason }) => [path, reason]));

describe('A trail folder is loaded', () => {
  const layouts: readonly { readonly name: string; readonly prefix: string }[] = [
    { name: 'one account', prefix: '' },
    { name: 'a prefix', prefix: 'logs/cloudtrail/' },
    { name: 'an organization', prefix: 'o-a1b2c3d4e5/' },
    { name: "Control Tower's doubled organization id", prefix: 'o-a1b2c3d4e5/AWSLogs/o-a1b2c3d4e5/' },
  ];

  test.each(layouts)('$name', async ({ prefix }) => {
    await using folder = await trailFolder();
    const [first, second, third] = [record(), record({ eventTime: '2026-04-30T23:58:00Z' }), record({ awsRegion: 'us-east-1' })];
    const path = (account: string, region: string, day: string) =>
      prefix.startsWith('o-') && !prefix.includes('AWSLogs')
        ? `AWSLogs/${prefix}${account}/CloudTrail/${region}/${day}/x_${region}.json.gz`
        : `${prefix.includes('AWSLogs') ? prefix : `${prefix}AWSLogs/`}${account}/CloudTrail/${region}/${day}/x_${region}.json.gz`;
    await folder.put(path('111122223333', 'eu-central-1', '2026/05/01'), gzipSync(logFile([first, second])));
    await folder.put(path('444455556666', 'us-east-1', '2026/05/02'), gzipSync(logFile([third])));

    await using open = await openFolder(folder);
    expect(open.loaded).toEqual({ files: 2, events: 3, duplicates: 0, skippedFiles: 0, skippedEvents: 0 });
    expect(await open.rows('select day, account, region, count(*) as events from events group by all order by all')).toEqual([
      { day: '2026/05/01', account: '111122223333', region: 'eu-central-1', events: '2' },
      { day: '2026/05/02', account: '444455556666', region: 'us-east-1', events: '1' },
    ]);
    expect(await open.engine.extent()).toMatchObject({
      events: 3,
      first: '2026-04-30T23:58:00Z',
      last: '2026-05-01T10:00:00Z',
      accounts: ['111122223333', '444455556666'],
      regions: ['eu-central-1', 'us-east-1'],
    });
  });

  test('with plain .json and .json.gz files, but no other files', async () => {
    await using folder = await trailFolder();
    const [plain, packed] = [record(), record()];
    await folder.deliver([plain], { plain: true });
    await folder.deliver([packed]);
    await folder.put('README.txt', 'not a log file');
    await folder.put('AWSLogs/.DS_Store.json', 'not a log file');
    expect(await folder.load()).toMatchObject({ files: 2, events: 2, skippedFiles: 0 });
    expect(await storedIds(folder)).toEqual(idsOf([plain, packed]));
  });

  test('through links to folders and files, while broken and circular links are ignored', async () => {
    await using folder = await trailFolder();
    await using elsewhere = await trailFolder();
    const [near, far, single] = [record(), record(), record()];
    await folder.deliver([near]);
    await elsewhere.deliver([far], { day: '2026/05/02' });
    await elsewhere.put('one.json', logFile([single]));
    await symlink(join(elsewhere.trail, 'AWSLogs'), join(folder.trail, 'linked'));
    await symlink(join(elsewhere.trail, 'one.json'), join(folder.trail, 'one.json'));
    await symlink(folder.trail, join(folder.trail, 'AWSLogs', 'above'));
    await symlink(join(folder.root, 'gone'), join(folder.trail, 'gone.json'));
    await symlink(join(folder.trail, 'itself.json'), join(folder.trail, 'itself.json'));
    expect(await folder.load()).toMatchObject({ files: 3, events: 3, skippedFiles: 0 });
    expect(await storedIds(folder)).toEqual(idsOf([near, far, single]));
  });

  test('without a layout, with day, account and region from the events', async () => {
    await using folder = await trailFolder();
    const event = record({ eventTime: '2026-04-30T23:58:00Z', awsRegion: 'us-west-2', recipientAccountId: '444455556666' });
    await folder.put('one.json', logFile([event]));
    await folder.put('deeper/two.json.gz', gzipSync(logFile([record({ recipientAccountId: undefined })])));

    await using open = await openFolder(folder);
    expect(await open.rows('select day, account, region from events order by day')).toEqual([
      { day: '2026/04/30', account: '444455556666', region: 'us-west-2' },
      { day: '2026/05/01', account: '111122223333', region: 'eu-central-1' },
    ]);
    expect(await open.ids('events 2026-04-30')).toEqual(idsOf([event]));
  });

  test('without a layout, with its accounts and regions in the extent', async () => {
    await using folder = await trailFolder();
    await folder.put('one.json', logFile([record(), record({ awsRegion: 'us-west-2', recipientAccountId: '444455556666' })]));
    await using open = await openFolder(folder);
    expect(await open.engine.extent()).toMatchObject({ accounts: ['111122223333', '444455556666'], regions: ['eu-central-1', 'us-west-2'] });
  });

  test('without its digests, Insights, network activity and aggregates, which are not listed as skipped', async () => {
    await using folder = await trailFolder();
    const event = record();
    await folder.deliver([event]);
    for (const kind of ['CloudTrail-Digest', 'CloudTrail-Insight', 'CloudTrail-NetworkActivity', 'CloudTrail-Aggregated'])
      await folder.put(`AWSLogs/111122223333/${kind}/eu-central-1/2026/05/01/x_${kind}.json.gz`, gzipSync(logFile([record()])));
    expect(await folder.load()).toMatchObject({ files: 1, events: 1, skippedFiles: 0, skippedEvents: 0 });
    expect(await storedIds(folder)).toEqual(idsOf([event]));
  });

  test.each([`it's a "trail" of mine`, 'Spür 監査 🦆', '100% _sure_; drop', '[a-z]*?{x}'])('when it is called %s', async (name) => {
    await using folder = await trailFolder(name);
    const list = records(3);
    await folder.deliver(list);
    await using open = await openFolder(folder);
    expect(await open.rows('select distinct region from events')).toEqual([{ region: 'eu-central-1' }]);
    await folder.deliver([record()]);
    await folder.load();
    expect(await storedIdsIn(open)).toHaveLength(4);
  });

  test('as an empty trail when it is empty', async () => {
    await using folder = await trailFolder();
    await using open = await openFolder(folder);
    expect(open.loaded.files).toBe(0);
    expect(await open.ids('events 30d')).toEqual([]);
    expect(await open.engine.extent()).toMatchObject({ events: 0, first: null, last: null });
  });

  test('only if it exists and is a folder; otherwise the error names it', async () => {
    await using folder = await trailFolder();
    await folder.put('a.json', '{}');
    for (const trail of [join(folder.root, 'nowhere'), join(folder.trail, 'a.json')]) {
      const loading = loadTrail({ trail, store: folder.store, signal: new AbortController().signal });
      await expect(loading).rejects.toThrow(UserError);
      await expect(loading).rejects.toThrow(trail);
    }
  });
});

describe('Files and events that cannot be read are skipped with a reason, and the rest loads', () => {
  const whole = gzipSync(logFile(records(50)));
  const damaged = Buffer.from(whole);
  damaged.fill(0x55, damaged.length / 2, damaged.length / 2 + 40);

  const badFiles: readonly { readonly what: string; readonly name: string; readonly content: string | Buffer; readonly reason: RegExp }[] = [
    { what: 'a truncated gzip', name: 'x.json.gz', content: whole.subarray(0, whole.length / 2), reason: /truncated/ },
    { what: 'a damaged gzip', name: 'x.json.gz', content: damaged, reason: /damaged/ },
    { what: 'a .gz file that is text', name: 'x.json.gz', content: 'hello', reason: /neither gzip nor JSON/ },
    { what: 'a 0-byte file', name: 'x.json.gz', content: '', reason: /empty \(0 bytes\)/ },
    { what: 'a gzip of an empty file', name: 'x.json.gz', content: gzipSync(''), reason: /empty \(0 bytes unpacked\)/ },
    { what: 'a gzip with bytes behind its end', name: 'x.json.gz', content: Buffer.concat([whole, Buffer.from('garbage')]), reason: /damaged/ },
    { what: 'broken JSON', name: 'x.json', content: logFile([record()]).slice(0, -7), reason: /not valid JSON/ },
    {
      what: 'records with another object between them',
      name: 'x.json',
      content: logFile([record(), record()]).replace('},{"eventVersion"', '},"file":0,"record":{"eventVersion"'),
      reason: /not valid JSON/,
    },
    { what: 'JSON truncated between two records', name: 'x.json', content: logFile([record(), record()]).slice(0, -2), reason: /not valid JSON/ },
    { what: 'text', name: 'x.json', content: 'hello', reason: /not valid JSON/ },
    { what: 'NUL bytes', name: 'x.json', content: Buffer.alloc(100), reason: /not valid JSON/ },
    { what: 'an empty object', name: 'x.json', content: '{}', reason: /not a CloudTrail log file/ },
    { what: 'a list of something else', name: 'x.json', content: '[{"a":1},2]', reason: /not a CloudTrail log file/ },
    { what: 'lines of something else', name: 'x.json', content: '{"a":1}\n{"a":2}\n', reason: /not a CloudTrail log file/ },
    { what: 'only blanks', name: 'x.json', content: ' \n ', reason: /not valid JSON/ },
    { what: 'a number', name: 'x.json', content: '42', reason: /not a CloudTrail log file/ },
    { what: 'null', name: 'x.json', content: 'null', reason: /not a CloudTrail log file/ },
    { what: 'Records that are not a list', name: 'x.json', content: '{"Records":{"a":1}}', reason: /not a CloudTrail log file/ },
    { what: 'Records that are null', name: 'x.json', content: '{"Records":null}', reason: /not a CloudTrail log file/ },
    { what: 'a digest', name: 'x.json', content: '{"awsAccountId":"111122223333","logFiles":[]}', reason: /not a CloudTrail log file/ },
    { what: 'a gzip bomb', name: 'x.json.gz', content: gzipSync(Buffer.alloc(80 * 1024 * 1024, 0x20), { level: 1 }), reason: /larger than 64 MB/ },
  ];

  describe('a file that is', () => {
    const cases = inAccounts(badFiles.map((each) => ({ ...each, good: records(3) })));
    const pathOf = ({ account, name }: (typeof cases)[number]) => `AWSLogs/${account}/CloudTrail/eu-central-1/2026/05/01/${name}`;
    const open = openOnce(async (folder) => {
      for (const each of cases) {
        await folder.deliver(each.good.slice(0, 2), { account: each.account });
        await folder.put(pathOf(each), each.content);
        await folder.deliver(each.good.slice(2), { account: each.account, day: '2026/05/02' });
      }
    });

    test.each(cases)('$what', async (each) => {
      expect(await storedIdsOf(open(), each.account)).toEqual(idsOf(each.good));
      const skipped = (await listSkipped(open().store)).filter(({ path }) => path.includes(each.account));
      expect(skipped).toEqual([{ path: pathOf(each), reason: expect.stringMatching(each.reason), events: 0 }]);
    });

    test('any of them is counted', async () => {
      const { loaded, engine, ask } = open();
      expect(loaded).toMatchObject({ files: 3 * cases.length, events: 3 * cases.length, skippedFiles: cases.length, skippedEvents: 0 });
      expect(await engine.extent()).toMatchObject({ skippedFiles: cases.length, skippedEvents: 0 });
      expect((await ask('events 30d')).coverage).toMatchObject({ skippedFiles: cases.length, skippedEvents: 0 });
    });
  });

  test('a plain file larger than CloudTrail writes that is no JSON', async () => {
    await using folder = await trailFolder();
    const path = await folder.put('huge.json', '{"Records":[');
    truncateSync(join(folder.trail, path), 70 * 1024 * 1024);
    await folder.deliver([record()]);
    expect(await folder.load()).toMatchObject({ events: 1, skippedFiles: 1 });
    expect(await reasons(folder)).toEqual({ [path]: 'is not valid JSON' });
  });

  test('all kinds of bad files together, each with its own reason', async () => {
    await using folder = await trailFolder();
    const small = badFiles.filter(({ what }) => what !== 'a gzip bomb');
    const good = records(small.length);
    for (const [n, { name, content }] of small.entries()) {
      await folder.put(`${String(n).padStart(2, '0')}-${name}`, content);
      await folder.put(`${String(n).padStart(2, '0')}-good.json`, logFile([good[n]]));
    }
    expect(await folder.load()).toMatchObject({ events: good.length, skippedFiles: small.length });
    expect(await storedIds(folder)).toEqual(idsOf(good));
    expect(await reasons(folder)).toEqual(
      Object.fromEntries(small.map(({ name, reason }, n) => [`${String(n).padStart(2, '0')}-${name}`, expect.stringMatching(reason)])),
    );
  });

  const badRecords: readonly { readonly what: string; readonly bad: unknown; readonly reason: RegExp }[] = [
    { what: 'null', bad: null, reason: /not an object/ },
    { what: 'a string', bad: 'ConsoleLogin', reason: /not an object/ },
    { what: 'a list', bad: [record()], reason: /not an object/ },
    { what: 'a number', bad: 7, reason: /not an object/ },
    { what: 'an empty object', bad: {}, reason: /eventTime/ },
    { what: 'without eventTime', bad: record({ eventTime: undefined }), reason: /eventTime/ },
    { what: 'with an invalid eventTime', bad: record({ eventTime: 'yesterday' }), reason: /eventTime/ },
    { what: 'with an eventTime that is a number', bad: record({ eventTime: 1777629600 }), reason: /eventTime/ },
    { what: 'with an eventTime in a thirteenth month', bad: record({ eventTime: '2026-13-01T00:00:00Z' }), reason: /eventTime/ },
    { what: 'with an eventTime on 31 February', bad: record({ eventTime: '2026-02-31T00:00:00Z' }), reason: /eventTime/ },
    { what: 'without eventName', bad: record({ eventName: undefined }), reason: /eventName/ },
    { what: 'with an empty eventName', bad: record({ eventName: '' }), reason: /eventName/ },
    { what: 'with an eventName that is null', bad: record({ eventName: null }), reason: /eventName/ },
    { what: 'without eventSource', bad: record({ eventSource: undefined }), reason: /eventSource/ },
  ];

  describe('an event that is', () => {
    const cases = inAccounts(badRecords.map((each) => ({ ...each, good: records(3) })));
    const open = openOnce(async (folder) => {
      for (const { account, bad, good } of cases) {
        await folder.deliver([good[0], bad, good[1]], { account, name: 'bad.json' });
        await folder.deliver([good[2]], { account });
      }
    });

    test.each(cases)('$what, without losing other events of the file', async ({ account, good, reason }) => {
      expect(await storedIdsOf(open(), account)).toEqual(idsOf(good));
      const skipped = (await listSkipped(open().store)).filter(({ path }) => path.includes(account));
      expect(skipped).toEqual([{ path: expect.stringContaining('bad.json'), reason: expect.stringMatching(reason), events: 1 }]);
    });

    test('any of them is counted', () => {
      expect(open().loaded).toMatchObject({ files: 2 * cases.length, events: 3 * cases.length, skippedFiles: 0, skippedEvents: cases.length });
    });
  });

  test('files with random bytes changed, without losing events of other files', async () => {
    await using folder = await trailFolder();
    // Steps of a linear congruential generator, the same in every run.
    let state = 20_260_501;
    const below = (most: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * most);
    };
    const good = records(30);
    for (let n = 0; n < 300; n += 1) {
      const plain = n % 3 !== 0;
      const text = Buffer.from(logFile(records(3, () => ({ requestParameters: { tags: [{ key: 'ä', value: '\\"' }], n: 1.5 } }))));
      const bytes = plain ? text : gzipSync(text);
      for (let i = 0; i <= below(3); i += 1) bytes[below(bytes.length)] = below(256);
      await folder.put(`${String(n).padStart(3, '0')}.json${plain ? '' : '.gz'}`, bytes);
      if (n % 10 === 0) await folder.deliver([good[n / 10]]);
    }
    const loaded = await folder.load();
    expect(loaded).toMatchObject({ files: 330 });
    const ids = await storedIds(folder);
    expect(ids).toHaveLength(loaded.events);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of idsOf(good)) expect(ids).toContain(id);
    // Every event is loaded, skipped, or in a skipped file.
    expect(loaded.events + loaded.duplicates + loaded.skippedEvents + 3 * loaded.skippedFiles).toBe(930);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('events with several errors in one file are counted by reason', async () => {
    await using folder = await trailFolder();
    await folder.deliver([record(), null, 'x', record({ eventTime: 'soon' }), record({ eventName: '' }), record()]);
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 0, skippedEvents: 4 });
    expect((await listSkipped(folder.store)).map(({ events }) => events).sort()).toEqual([1, 1, 2]);
  });

  test('a deeply nested event next to an invalid one, without losing other events', async () => {
    await using folder = await trailFolder();
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    await folder.put('deep.json', logFile([record({ requestParameters: 'HERE' }), null]).replace('"HERE"', deep));
    const good = record();
    await folder.deliver([good]);
    await folder.load();
    expect(await storedIds(folder)).toContain(good.eventID);
  });

  test('a file without events is not skipped', async () => {
    await using folder = await trailFolder();
    await folder.put('none.json', '{"Records":[]}');
    await folder.deliver([]);
    expect(await folder.load()).toMatchObject({ files: 2, events: 0, skippedFiles: 0 });
    expect(await folder.load()).toMatchObject({ files: 0 });
    expect(await listSkipped(folder.store)).toEqual([]);
  });
});

describe('Unusual but valid files are loaded', () => {
  const nested = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const placed = (json: string) => logFile([record({ requestParameters: 'HERE' })]).replace('"HERE"', json);
  const odd: readonly { readonly what: string; readonly content: string | Buffer; readonly events?: number }[] = [
    { what: 'a byte order mark', content: `\ufeff${logFile([record()])}` },
    { what: 'blank space around', content: ` \r\n\t${logFile([record()])}\n\n` },
    { what: 'pretty-printed JSON', content: JSON.stringify({ Records: records(2) }, null, 2), events: 2 },
    {
      what: 'pretty-printed JSON with Windows line ends',
      content: JSON.stringify({ Records: records(2) }, null, 2).replaceAll('\n', '\r\n'),
      events: 2,
    },
    { what: 'more fields beside Records', content: JSON.stringify({ version: '1', file: 9, Records: records(2), more: {} }), events: 2 },
    { what: 'half a surrogate pair', content: logFile([record({ userAgent: 'HERE' })]).replace('HERE', '\\ud83d and \\udc00') },
    { what: 'half a surrogate pair in a name', content: placed('{"k\\ud800":1}') },
    { what: 'an escaped NUL', content: logFile([record({ userAgent: 'a\u0000b' })]) },
    { what: 'bytes that are no UTF-8', content: Buffer.from(logFile([record({ userAgent: 'HERE' })]).replace('HERE', '\xff\xfe\xc3'), 'latin1') },
    { what: '200 levels of nesting', content: placed(nested(200)) },
    { what: '500 levels of nesting', content: placed(nested(500)) },
    { what: 'a name twice in an object', content: placed('{"a":1,"a":2}') },
    { what: 'names that differ by case only', content: placed('{"Name":"A","name":"b"}') },
    {
      what: 'events inside of an event',
      content: logFile([record({ requestParameters: { auditEvents: [record(), record({ a: '},{"eventVersion"' }), {}] } })]),
    },
    {
      what: 'a record that does not begin with its version',
      content: logFile([
        { a: 1, ...record() },
        { eventTime: 0, ...record() },
      ]),
      events: 2,
    },
    { what: 'names written with escapes', content: logFile([record()]).replace('"eventVersion"', '"event\\u0056ersion"') },
    { what: 'a userIdentity that is a string', content: logFile([record({ userIdentity: 'root' })]) },
    { what: 'a userIdentity that is a list', content: logFile([record({ userIdentity: [1] })]) },
    { what: 'no userIdentity', content: logFile([record({ userIdentity: undefined })]) },
    { what: 'requestParameters that are a string', content: logFile([record({ requestParameters: 'x' })]) },
    { what: 'requestParameters that are a list', content: logFile([record({ requestParameters: ['x'] })]) },
    { what: 'resources that are an object', content: logFile([record({ resources: { ARN: 'arn:aws:s3:::b' } })]) },
    { what: 'resources that are strings', content: logFile([record({ resources: ['arn:aws:s3:::b', null, 3] })]) },
    { what: 'a userAgent that is an object', content: logFile([record({ userAgent: { name: 'x' } })]) },
    { what: 'readOnly as text', content: logFile([record({ readOnly: 'false' })]) },
    { what: 'a number beyond 64 bits', content: placed('{"n":123456789012345678901234567890,"m":1e400}') },
    { what: 'fractions of a second', content: logFile([record({ eventTime: '2026-05-01T10:00:00.123Z' })]) },
    { what: 'an eventID that is no UUID', content: logFile([record({ eventID: 'EXAMPLE-1' })]) },
    { what: 'an unknown version and fields that nobody has heard of', content: logFile([record({ eventVersion: '2.7', eventContext: { x: [1] } })]) },
  ];

  describe('a file with', () => {
    const cases = inAccounts(odd.map((each) => ({ events: 1, ...each })));
    const open = openOnce(async (folder) => {
      for (const { account, content } of cases) {
        // Without a layout, only the events have the account.
        const own = Buffer.from(Buffer.from(content).toString('latin1').replaceAll(ACCOUNT, account), 'latin1');
        await folder.put(`case-${account}/odd.json`, own);
        await folder.put(`case-${account}/odd.json.gz`, gzipSync(own));
      }
    });

    test.each(cases)('$what', async ({ account, events }) => {
      const ids = await storedIdsOf(open(), account);
      expect(ids).toHaveLength(events);
      expect((await open().ask(`event ${ids[0]} 2026-05-01`)).data).toMatchObject({ found: { eventid: ids[0] } });
    });

    test('any of them is read, and not twice', () => {
      const events = cases.reduce((sum, each) => sum + each.events, 0);
      expect(open().loaded).toEqual({ files: 2 * cases.length, events, duplicates: events, skippedFiles: 0, skippedEvents: 0 });
    });
  });

  test('a gzip with several members', async () => {
    await using folder = await trailFolder();
    const text = logFile(records(20));
    await folder.put('a.json.gz', Buffer.concat([gzipSync(text.slice(0, 999)), gzipSync(text.slice(999))]));
    expect(await folder.load()).toMatchObject({ events: 20, skippedFiles: 0 });
  });

  test('a gzip called .json', async () => {
    await using folder = await trailFolder();
    await folder.put('a.json', gzipSync(logFile([record()])));
    expect(await folder.load()).toMatchObject({ events: 1, skippedFiles: 0 });
  });

  test('a file of the largest size that CloudTrail writes', async () => {
    await using folder = await trailFolder();
    const filler = 'x'.repeat(90_000);
    const list = records(520, () => ({ requestParameters: { filler } }));
    await folder.deliver(list);
    expect(await folder.load()).toMatchObject({ events: 520, skippedFiles: 0 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });

  describe('an event', () => {
    const versions = ['1.0', '1.01', '1.02', '1.03', '1.04', '1.05', '1.06', '1.07', '1.08', '1.09', '1.10', '1.11'];
    const cases = inAccounts(versions.map((eventVersion) => ({ eventVersion })));
    const open = openOnce(async (folder) => {
      for (const { account, eventVersion } of cases) {
        const old = eventVersion === '1.0' ? { eventID: undefined, requestID: undefined } : {};
        const before102 = ['1.0', '1.01'].includes(eventVersion) ? { recipientAccountId: undefined, eventType: undefined, readOnly: undefined } : {};
        const fields = { eventVersion, recipientAccountId: account, eventCategory: undefined, managementEvent: undefined };
        await folder.deliver([record({ ...fields, ...old, ...before102 })], { account });
      }
    });

    test.each(cases)('of version $eventVersion', async ({ account, eventVersion }) => {
      expect(await open().rows(`select eventversion, recipientaccountid, eventid, actor, readlike from events where account = '${account}'`)).toEqual(
        [
          {
            eventversion: eventVersion,
            recipientaccountid: account,
            eventid: expect.stringMatching(/^[0-9a-f-]{36}$/),
            actor: 'alice',
            readlike: 'true',
          },
        ],
      );
      expect(open().loaded).toMatchObject({ events: cases.length, skippedEvents: 0 });
    });
  });
});

describe('An event is stored once', () => {
  test('even if it is twice in a file, in several files and in several loads', async () => {
    await using folder = await trailFolder();
    const [one, two, three] = [record(), record(), record()];
    await folder.deliver([one, two, one]);
    await folder.deliver([two, three], { region: 'us-east-1' });
    expect(await folder.load()).toMatchObject({ files: 2, events: 3, duplicates: 2 });
    await folder.deliver([three, one], { day: '2026/05/02' });
    expect(await folder.load()).toMatchObject({ files: 1, events: 0, duplicates: 2 });
    await folder.deliver([three, record({ eventID: 'three-and-a-half' })], { account: '444455556666' });
    expect(await folder.load()).toMatchObject({ files: 1, events: 1, duplicates: 1 });
    expect(await storedIds(folder)).toEqual([...idsOf([one, two, three]), 'three-and-a-half'].sort());
  });

  test('even if it has no eventID, as in version 1.0', async () => {
    await using folder = await trailFolder();
    const old = record({ eventVersion: '1.0', eventID: undefined, requestID: undefined });
    const other = { ...old, requestParameters: { instanceId: 'i-0abc' } };
    await folder.deliver([old, other]);
    await folder.deliver([old]);
    expect(await folder.load()).toMatchObject({ events: 2, duplicates: 1 });
    await folder.deliver([other]);
    expect(await folder.load()).toMatchObject({ events: 0, duplicates: 1 });
    expect(new Set(await storedIds(folder)).size).toBe(2);
  });

  test('but two events without eventID that differ in any field are both stored', async () => {
    await using folder = await trailFolder();
    const one = record({ eventVersion: '1.0', eventID: undefined, requestID: undefined });
    await folder.deliver([one, { ...one, userAgent: 'Boto/2.0' }, { ...one, errorMessage: 'no' }, { ...one, requestID: 'EXAMPLE' }]);
    expect(await folder.load()).toMatchObject({ events: 4, duplicates: 0 });
  });
});

describe('Different events with the same eventID are different events', () => {
  const masks = [
    'XXXXXXXXXXX',
    '********-****-****-****-************',
    '00000000-0000-0000-0000-000000000000',
    '11111111-2222-4333-8444-555555555555',
    'x',
  ];

  test.each(masks)('%s', async (eventID) => {
    await using folder = await trailFolder();
    const [stop, start, remove, other] = [
      record({ eventID, eventName: 'StopLogging' }),
      record({ eventID, eventName: 'StartLogging' }),
      record({ eventID, eventName: 'DeleteTrail' }),
      record({ eventID, eventName: 'DeleteTrail', eventTime: '2026-05-01T10:00:01Z' }),
    ];
    await folder.deliver([stop, start, stop]);
    expect(await folder.load()).toMatchObject({ events: 2, duplicates: 1 });
    // One is new, the other is known: in another folder, and in another form.
    await folder.deliver([remove, start], { region: 'us-east-1' });
    await folder.put('more.json', JSON.stringify([other, remove, stop], null, 2));
    await using open = await openFolder(folder);
    expect(open.loaded).toMatchObject({ files: 2, events: 2, duplicates: 3 });
    expect((await open.cells('events 2026-05-01')).map(({ eventname }) => eventname).sort()).toEqual([
      'DeleteTrail',
      'DeleteTrail',
      'StartLogging',
      'StopLogging',
    ]);
    const ids = await open.ids('events 2026-05-01');
    expect(new Set(ids).size).toBe(4);
    expect(ids).toContain(eventID);
    for (const id of ids) expect((await open.ask(`event "${id}" 2026-05-01`)).data).toMatchObject({ found: { eventid: id } });
    expect((await open.ask('count 2026-05-01')).data).toMatchObject({ events: 4 });
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('and an id that AWS gave is one event in two trails, two accounts and another form', async () => {
    await using folder = await trailFolder();
    const event = record({ requestParameters: { a: 1 } });
    await folder.deliver([event]);
    await folder.deliver([event], { prefix: 'second-trail/' });
    await folder.deliver([{ ...event, recipientAccountId: '444455556666', requestParameters: null }], { account: '444455556666' });
    await folder.put('a.jsonl', `${JSON.stringify({ detail: event })}\n${JSON.stringify({ detail: event }, null, 1).replaceAll('\n', ' ')}\n`);
    expect(await folder.load()).toMatchObject({ events: 1, duplicates: 4 });
    expect(await storedIds(folder)).toEqual(idsOf([event]));
  });
});

describe('A later load', () => {
  test('loads nothing when there are no new files', async () => {
    await using folder = await trailFolder();
    const [first, second] = [records(2), records(3)];
    await folder.deliver(first);
    expect(await folder.load()).toMatchObject({ files: 1, events: 2 });
    const version = await readdir(join(folder.loaded, 'log'));
    expect(await folder.load()).toEqual({ files: 0, events: 0, duplicates: 0, skippedFiles: 0, skippedEvents: 0 });
    expect(await readdir(join(folder.loaded, 'log'))).toEqual(version);
    await folder.deliver(second);
    expect(await folder.load()).toMatchObject({ files: 1, events: 3 });
    expect(await storedIds(folder)).toEqual(idsOf([...first, ...second]));
  });

  test('is visible to an open engine', async () => {
    await using folder = await trailFolder();
    await using open = await openFolder(folder);
    expect(await open.ids('events 2026-05-01')).toEqual([]);
    const list = records(2);
    await folder.deliver(list);
    await folder.load();
    expect(await open.ids('events 2026-05-01')).toEqual(idsOf(list));
    expect(await open.engine.extent()).toMatchObject({ events: 2 });
  });

  test('ignores a loaded file that was copied again', async () => {
    await using folder = await trailFolder();
    const path = await folder.deliver(records(2));
    await folder.load();
    utimesSync(join(folder.trail, path), 1_700_000_000, 1_700_000_000);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('reads a skipped file that was replaced by a complete one', async () => {
    await using folder = await trailFolder();
    const list = records(4);
    const packed = gzipSync(logFile(list));
    const path = await folder.put('late.json.gz', packed.subarray(0, 100));
    expect(await folder.load()).toMatchObject({ files: 1, events: 0, skippedFiles: 1 });
    expect(await folder.load()).toMatchObject({ files: 0 });
    await folder.put(path, packed);
    expect(await folder.load()).toMatchObject({ files: 1, events: 4, skippedFiles: 0 });
    expect(await folder.load()).toMatchObject({ files: 0 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });

  test('reads a file of the same size whose invalid events were repaired', async () => {
    await using folder = await trailFolder();
    const [good, repaired] = [record(), record({ eventName: 'DescribeImages' })];
    const path = await folder.put('a.json', logFile([good, { ...repaired, eventTime: 'XXXX-05-01T10:00:00Z' }]));
    expect(await folder.load()).toMatchObject({ events: 1, skippedEvents: 1 });
    await folder.put(path, logFile([good, repaired]));
    utimesSync(join(folder.trail, path), 1_700_000_000, 1_700_000_000);
    expect(await folder.load()).toMatchObject({ files: 1, events: 1, duplicates: 1 });
    expect(await storedIds(folder)).toEqual(idsOf([good, repaired]));
  });

  test('no longer lists a skipped file that was repaired', async () => {
    await using folder = await trailFolder();
    const packed = gzipSync(logFile(records(4)));
    await folder.put('a.json.gz', packed.subarray(0, 100));
    await folder.load();
    await folder.put('a.json.gz', packed);
    await folder.load();
    expect(await listSkipped(folder.store)).toEqual([]);
    await using open = await openStore(folder.store);
    expect(await open.engine.extent()).toMatchObject({ events: 4, skippedFiles: 0, skippedEvents: 0 });
  });

  test('reads a repaired copy with an older date, as copies from a bucket have', async () => {
    await using folder = await trailFolder();
    const packed = gzipSync(logFile(records(4)));
    const path = await folder.put('a.json.gz', packed.subarray(0, 100));
    await folder.load();
    await folder.put(path, packed);
    utimesSync(join(folder.trail, path), 1_700_000_000, 1_700_000_000);
    expect(await folder.load()).toMatchObject({ files: 1, events: 4 });
    expect(await listSkipped(folder.store)).toEqual([]);
    await using open = await openStore(folder.store);
    expect(await open.engine.extent()).toMatchObject({ events: 4, skippedFiles: 0, skippedEvents: 0 });
  });

  test('counts a file that stays invalid only once', async () => {
    await using folder = await trailFolder();
    const path = await folder.put('a.json', 'broken');
    for (const time of [1_700_000_000, 1_700_000_001, 1_700_000_002]) {
      utimesSync(join(folder.trail, path), time, time);
      await folder.load();
    }
    expect(await listSkipped(folder.store)).toHaveLength(1);
    await using open = await openStore(folder.store);
    expect(await open.engine.extent()).toMatchObject({ skippedFiles: 1 });
  });
});

describe('A store', () => {
  test('of another trail is rejected with the name of that trail, and not changed', async () => {
    await using folder = await trailFolder();
    await using other = await trailFolder('other');
    const list = records(2);
    await folder.deliver(list);
    await other.deliver(records(1));
    await folder.load();
    const loading = loadTrail({ trail: other.trail, store: folder.store, signal: new AbortController().signal });
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(/belongs to the trail .*STORE_PATH/);
    expect(await storedIds(folder)).toEqual(idsOf(list));
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test('cannot be in a path that DuckDB would read as a partition', async () => {
    await using folder = await trailFolder('region=eu-west-1');
    await folder.deliver(records(1));
    await expect(folder.load()).rejects.toThrow(UserError);
    await expect(folder.load()).rejects.toThrow(/STORE_PATH/);
  });

  describe('gives a query no', () => {
    const open = openOnce(async (folder) => void (await folder.deliver(records(1))));

    test.each([
      ['a file outside', "select * from read_text('/etc/hostname')"],
      ['a folder outside', "select * from glob('/*')"],
      ['a way out', "copy (select 1) to '/tmp/trailbot-out.csv'"],
      ['another setting', 'set enable_external_access = true'],
    ])('%s', async (_, statement) => {
      await expect(open().rows(statement)).rejects.toThrow(/disabled|locked|not allowed|permission/i);
      expect(await open().rows('select count(*) as events from events')).toEqual([{ events: '1' }]);
    });
  });

  test.each(['', '{"tra', 'null'])('with an incomplete label (%j) is known by its log files', async (label) => {
    await using folder = await trailFolder();
    const list = records(3);
    await folder.deliver(list);
    await folder.load();
    await writeFile(join(folder.loaded, 'store.json'), label);
    expect(await folder.load()).toMatchObject({ files: 0 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
    await using other = await trailFolder('other');
    await writeFile(join(folder.loaded, 'store.json'), label);
    const loading = loadTrail({ trail: other.trail, store: folder.store, signal: new AbortController().signal });
    await expect(loading).rejects.toThrow(/does not say of which trail.*STORE_PATH/);
  });

  test('has nothing of an aborted load, and the next load completes it', async () => {
    await using folder = await trailFolder();
    const list = records(6);
    for (const each of list) await folder.deliver([each]);
    await expect(folder.load(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    const later = new AbortController();
    const loading = loadTrail({
      trail: folder.trail,
      store: folder.store,
      signal: later.signal,
      onProgress: () => later.abort(new Error('enough')),
    });
    await expect(loading).rejects.toThrow('enough');
    await folder.load();
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });

  test('is loaded despite the files of a killed loader', async () => {
    await using folder = await trailFolder();
    const list = records(4);
    await folder.deliver(list.slice(0, 2));
    await folder.load();
    for (const [path, content] of Object.entries({
      'stage/0.ndjson': '{"file":0,"Records":[{',
      'events/day=2026%2F05%2F01/00000002-1-abc.parquet': 'PAR1 half written',
      'events/day=2026%2F05%2F03/00000002-1-abc.parquet': '',
      'ids/00000002-1-abc.parquet': '',
      'files/00000002-1-abc.parquet': 'PAR1',
      'log/00000002.json.new': '{"base":fal',
      'spill/duckdb_temp_block.tmp': 'x',
    })) {
      await mkdir(join(folder.loaded, path, '..'), { recursive: true });
      writeFileSync(join(folder.loaded, path), content);
    }
    await folder.deliver(list.slice(2));
    expect(await folder.load()).toMatchObject({ files: 1, events: 2 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });

  test('that was deleted is rebuilt, and an open engine works again', async () => {
    await using folder = await trailFolder();
    const list = records(2);
    await folder.deliver(list);
    await folder.load();
    await rm(folder.store, { recursive: true });
    await folder.load();
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });
});

describe('A trail and its store in another place', () => {
  const loadAt = (root: string) => loadTrail({ trail: join(root, 'trail'), store: join(root, 'trail-store'), signal: new AbortController().signal });

  /** A loaded trail of two files with its store beside it, as in a checkout; and a place for it to go to. */
  async function checkout() {
    const folder = await trailFolder();
    const list = records(4);
    const first = await folder.deliver(list.slice(0, 2));
    await folder.deliver(list.slice(2), { day: '2026/05/02' });
    await folder.load();
    return { folder, list, first, elsewhere: `${folder.root}-elsewhere`, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
  }

  test.each<[string, (from: string, to: string) => Promise<void>]>([
    ['moved', rename],
    ['copied, with new times', (from, to) => cp(from, to, { recursive: true })],
    ['behind a link', (from, to) => symlink(from, to)],
  ])('%s are loaded on without reading a file twice, and answer questions', async (_, go) => {
    await using made = await checkout();
    const { folder, list, elsewhere } = made;
    await using _gone = { [Symbol.asyncDispose]: () => rm(elsewhere, { recursive: true, force: true }) };
    await go(folder.root, elsewhere);
    expect(await loadAt(elsewhere)).toMatchObject({ files: 0, events: 0 });
    const late = record({ eventTime: '2026-05-01T20:00:00Z' });
    await mkdir(join(elsewhere, 'trail'), { recursive: true });
    await writeFile(join(elsewhere, 'trail', 'late.json'), logFile([late]));
    expect(await loadAt(elsewhere)).toMatchObject({ files: 1, events: 1 });
    await using open = await openStore(join(elsewhere, 'trail-store'));
    expect(await open.ids('events 2026-05-01')).toEqual(idsOf([...list, late]));
  });

  test('are recognized although the oldest files have expired and one was skipped', async () => {
    await using made = await checkout();
    const { folder, list, first } = made;
    await folder.put('broken.json', '{"Records":[');
    const late = record();
    await folder.put('late.json', logFile([late]));
    await folder.load();
    await rename(folder.trail, join(folder.root, 'renamed'));
    await rm(join(folder.root, 'renamed', first));
    await rm(join(folder.root, 'renamed', 'broken.json'));
    const loaded = await loadTrail({ trail: join(folder.root, 'renamed'), store: folder.store, signal: new AbortController().signal });
    expect(loaded).toMatchObject({ files: 0 });
    expect(await storedIds(folder)).toEqual(idsOf([...list, late]));
  });

  test('are not recognized when a file of the newest load is different under the same name', async () => {
    await using made = await checkout();
    const { folder, list } = made;
    await folder.put('newest.json', logFile([record()]));
    await folder.load();
    await using other = await trailFolder();
    await cp(folder.trail, other.trail, { recursive: true });
    await other.put('newest.json', logFile([record({ userAgent: 'another' })]));
    const loading = loadTrail({ trail: other.trail, store: folder.store, signal: new AbortController().signal });
    await expect(loading).rejects.toThrow(/belongs to the trail .*STORE_PATH/);
    expect(await storedIds(folder)).toHaveLength(list.length + 1);
  });

  test('may be any trail when the store is empty', async () => {
    await using folder = await trailFolder();
    await using other = await trailFolder('other');
    const list = records(2);
    await other.deliver(list);
    await folder.load();
    expect(await loadTrail({ trail: other.trail, store: folder.store, signal: new AbortController().signal })).toMatchObject({ events: 2 });
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });
});

describe('Many small loads', () => {
  test('store each event once, in few parts per day, while an open engine answers', async () => {
    await using folder = await trailFolder();
    const list: Fields[] = records(1);
    await folder.deliver(list);
    await using open = await openFolder(folder);
    let loading = true;
    /** Leaves the processor to the loads: questions come now and then. */
    const rest = () => setTimeout(10);
    let asked = 0;
    const asking = (async () => {
      let least = 0;
      while (loading) {
        const [row] = await open.rows('select count(*) as events, count(distinct eventid) as ids from events');
        expect(row?.events).toBe(row?.ids);
        expect(Number(row?.events)).toBeGreaterThanOrEqual(least);
        least = Number(row?.events);
        asked += 1;
        await rest();
      }
    })();
    const looking = Array.from({ length: 3 }, async () => {
      while (loading) {
        await open.engine.extent();
        await rest();
      }
    });
    // The first failure is reported; the loads continue meanwhile.
    const answered = Promise.all([asking, ...looking]);
    answered.catch(() => undefined);
    for (let n = 0; n < 30; n += 1) {
      const more = records(3, (i) => ({ eventTime: `2026-05-01T${String(n % 24).padStart(2, '0')}:0${i}:00Z` }));
      list.push(...more);
      await folder.deliver(more, { day: n % 3 === 0 ? '2026/05/02' : '2026/05/01' });
      const before = asked;
      await folder.load();
      await Promise.race([answered, until(() => expect(asked).toBeGreaterThan(before))]);
    }
    loading = false;
    await answered;
    expect(await storedIdsIn(open)).toEqual(idsOf(list));

    const { parts, files, ids } = await readLog(folder.loaded);
    const perDay = Map.groupBy(parts, ({ day }) => day);
    for (const [, several] of perDay) expect(several.length).toBeLessThanOrEqual(6);
    expect(files.length).toBeLessThanOrEqual(30);
    expect(ids.length).toBeLessThanOrEqual(30);
    expect(await open.engine.extent()).toMatchObject({ events: list.length });
  });
});

describe('Two concurrent loads of one store neither lose nor duplicate events', () => {
  const loader = fileURLToPath(new URL('support/load.ts', import.meta.url));

  test('from two processes', async () => {
    await using folder = await trailFolder();
    const list = records(2000);
    for (let n = 0; n < 40; n += 1) await folder.deliver(list.slice(50 * n, 50 * n + 50));
    const children = [0, 1].map(() => spawn(process.execPath, [loader, folder.trail, folder.store], { stdio: 'ignore' }));
    const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
    expect(codes).toEqual([0, 0]);
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });

  test('from one process', async () => {
    await using folder = await trailFolder();
    const list = records(2000);
    for (let n = 0; n < 40; n += 1) await folder.deliver(list.slice(50 * n, 50 * n + 50));
    const loads = await Promise.all([folder.load(), folder.load()]);
    expect(loads.reduce((sum, { events }) => sum + events, 0)).toBe(2000);
    expect(await storedIds(folder)).toEqual(idsOf(list));
  });
});

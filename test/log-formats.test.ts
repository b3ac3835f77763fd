/** The forms in which people keep CloudTrail events in a folder: each is read, or listed with the reason. */
import { truncateSync } from 'node:fs';
import { appendFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { findRecords } from '../duckdb/find-records.ts';
import { JsonFault } from '../duckdb/json-scanner.ts';
import { listIgnored, listSkipped } from '../duckdb/store.ts';
import { ACCOUNT, type Fields, logFile, type OpenTrail, openFolder, record, records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const json = (value: unknown): string => JSON.stringify(value);
const lines = (list: readonly unknown[]): string => `${list.map(json).join('\n')}\n`;
const lookup = (list: readonly Fields[]) => ({
  Events: list.map((each) => ({ EventId: each.eventID, EventName: each.eventName, EventTime: 1777629600, CloudTrailEvent: json(each) })),
});
const eventBridge = (each: Fields, type = 'AWS API Call via CloudTrail') => ({
  version: '0',
  id: '36eb8523-97d0-4518-b33d-ee3579ff19f0',
  'detail-type': type,
  source: 'aws.ec2',
  account: ACCOUNT,
  time: each.eventTime,
  region: 'us-east-1',
  resources: [],
  detail: each,
});
const message = (each: Fields, n: number) => ({ id: String(n), timestamp: 1777629600000 + n, message: json(each) });
const subscription = (list: readonly Fields[]) => ({
  messageType: 'DATA_MESSAGE',
  owner: ACCOUNT,
  logGroup: 'CloudTrail/logs',
  logStream: '111122223333_CloudTrail_us-east-1',
  subscriptionFilters: ['all'],
  logEvents: list.map(message),
});
const filtered = (list: readonly Fields[]) => ({
  events: list.map((each, n) => ({ logStreamName: 'x', ingestionTime: 1, eventId: String(n), ...message(each, n) })),
  searchedLogStreams: [],
  nextToken: 'abc',
});

/** Each with three events. */
const forms: readonly { readonly what: string; readonly name: string; readonly of: (list: readonly Fields[]) => string | Buffer }[] = [
  { what: 'one event a line', name: 'a.jsonl', of: lines },
  { what: 'one event a line, without a last line end', name: 'a.ndjson', of: (list) => lines(list).trimEnd() },
  { what: 'one event a line, with Windows line ends and empty lines', name: 'a.log', of: (list) => lines(list).replaceAll('\n', '\r\n\r\n') },
  { what: 'one log file a line', name: 'a.jsonl', of: (list) => lines(list.map((each) => ({ Records: [each] }))) },
  { what: 'one event a line after a byte order mark', name: 'a.jsonl', of: (list) => `\ufeff${lines(list)}` },
  { what: 'printed events one after the other', name: 'a.txt', of: (list) => list.map((each) => JSON.stringify(each, null, 2)).join('\n') },
  { what: 'log files one after the other', name: 'a.json', of: (list) => list.map((each) => logFile([each])).join('') },
  { what: 'a list', name: 'a.json', of: json },
  { what: 'a printed list', name: 'a.json', of: (list) => JSON.stringify(list, null, 4) },
  { what: 'a list with one event a line', name: 'a.json', of: (list) => `[\n${list.map(json).join(',\n')}\n]` },
  { what: 'the output of lookup-events', name: 'lookup.json', of: (list) => JSON.stringify(lookup(list), null, 4) },
  { what: 'the events of lookup-events', name: 'lookup.json', of: (list) => json(lookup(list).Events) },
  { what: 'the texts of lookup-events', name: 'lookup.json', of: (list) => json(list.map(json)) },
  { what: 'events of EventBridge, one a line', name: 'bridge', of: (list) => lines(list.map((each) => eventBridge(each))) },
  {
    what: 'a list of events of EventBridge',
    name: 'bridge.json',
    of: (list) =>
      JSON.stringify(
        list.map((each) => eventBridge(each)),
        null,
        2,
      ),
  },
  { what: 'a subscription of CloudWatch Logs', name: 'logs.json', of: (list) => json(subscription(list)) },
  {
    what: 'subscriptions of CloudWatch Logs that Firehose joined',
    name: 'firehose-1-2026-05-01',
    of: (list) => list.map((each) => json(subscription([each]))).join(''),
  },
  {
    what: 'subscriptions of CloudWatch Logs that Firehose packed again',
    name: 'firehose.gz',
    of: (list) => gzipSync(Buffer.concat(list.map((each) => gzipSync(json(subscription([each])))))),
  },
  { what: 'the output of filter-log-events', name: 'filtered.json', of: (list) => JSON.stringify(filtered(list), null, 4) },
  {
    what: 'an export of CloudWatch Logs',
    name: '000000.gz',
    of: (list) => gzipSync(list.map((each) => `2026-05-01T10:00:00.000Z ${json(each)}\n`).join('')),
  },
  {
    what: 'a log file that was unpacked on its way',
    name: `${ACCOUNT}_CloudTrail_eu-central-1_20260501T1005Z_AbCdEfGhIjKlMnOp.json.gz`,
    of: logFile,
  },
  { what: 'a log file that was packed twice', name: 'a.json.gz', of: (list) => gzipSync(gzipSync(logFile(list))) },
  { what: 'a packed log file without an ending', name: 'events', of: (list) => gzipSync(logFile(list)) },
  { what: 'a log file with another ending', name: 'a.json.log', of: logFile },
  { what: 'a packed log file whose name ends otherwise', name: 'a.json.gz.1', of: (list) => gzipSync(logFile(list)) },
  { what: 'a packed file of lines', name: 'a.jsonl.gz', of: (list) => gzipSync(lines(list)) },
];

/** Folders with the file of each form, and what was loaded from them. */
describe('A file with', () => {
  const cases = forms.map((form, n) => ({
    ...form,
    list: records(3, (i) => ({
      eventTime: `2026-05-01T10:00:0${i}Z`,
      recipientAccountId: String(300_000_000_000 + n),
      requestParameters: { note: `{"Records":[ "\\" ] ${i} é` },
    })),
    folder: `${String(n).padStart(2, '0')}`,
  }));
  let open: OpenTrail;
  let folder: TrailFolder;
  beforeAll(async () => {
    folder = await trailFolder();
    for (const { folder: own, name, of, list } of cases) await folder.put(`${own}/${name}`, of(list));
    open = await openFolder(folder);
    return async () => {
      await open[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    };
  });

  test.each(cases)('$what', async ({ list }) => {
    const rows = await open.rows(`select eventid, requestparameters from events where account = '${list[0]?.recipientAccountId}' order by eventtime`);
    expect(rows).toEqual(list.map(({ eventID, requestParameters }) => ({ eventid: eventID, requestparameters: json(requestParameters) })));
  });

  test('any of them is read completely', async () => {
    expect(open.loaded).toEqual({ files: cases.length, events: 3 * cases.length, duplicates: 0, skippedFiles: 0, skippedEvents: 0 });
    expect(await listSkipped(folder.store)).toEqual([]);
    expect(await listIgnored(folder.store)).toEqual([]);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });
});

describe('One bad value does not take the others down', () => {
  const cases: readonly {
    readonly what: string;
    readonly content: (good: readonly Fields[]) => string;
    readonly reason: RegExp;
    readonly events?: number;
  }[] = [
    {
      what: 'a line that is cut',
      content: ([one, two]) => `${json(one)}\n${json(two).slice(0, -9)}\n${json(two)}\n`,
      reason: /a line is not valid JSON/,
    },
    { what: 'a first line that is cut', content: ([one, two]) => `${json(one).slice(60)}\n${lines([one, two])}`, reason: /a line is not valid JSON/ },
    {
      what: 'a last line that is still being written',
      content: ([one, two]) => `${lines([one, two])}{"eventVersion":"1.1`,
      reason: /a line is not valid JSON/,
    },
    { what: 'a line with something else', content: ([one, two]) => lines([one, { level: 'info' }, two]), reason: /no valid eventTime/ },
    {
      what: 'an event of EventBridge from another source',
      content: ([one, two]) =>
        lines([eventBridge(one as Fields), eventBridge({ state: 'running' }, 'EC2 Instance State-change Notification'), eventBridge(two as Fields)]),
      reason: /no valid eventTime/,
    },
    {
      what: 'a log message that is no event',
      content: (good) => json({ logEvents: [...good.map(message), { message: 'CWL CONTROL MESSAGE: Checking health' }] }),
      reason: /a log message is not an event/,
    },
    {
      what: 'a log message that is cut',
      content: (good) => json({ logEvents: [...good.map(message), { message: json(record()).slice(0, 99) }] }),
      reason: /an event is not valid JSON/,
    },
  ];

  test.each(cases)('$what', async ({ content, reason }) => {
    await using folder = await trailFolder();
    const good = records(2);
    await folder.put('a.jsonl', content(good));
    expect(await folder.load()).toMatchObject({ events: 2, skippedFiles: 0, skippedEvents: 1 });
    expect(await listSkipped(folder.store)).toEqual([{ path: 'a.jsonl', reason: expect.stringMatching(reason), events: 1 }]);
  });
});

describe('What is no log file is not looked at', () => {
  test('and listed by reason, with a few names', async () => {
    await using folder = await trailFolder();
    await folder.deliver([record()]);
    for (const name of ['README.md', 'notes.txt', 'list.csv', 'start.sh', 'view.html']) await folder.put(name, `[see](x) ${name}`);
    await folder.put('picture.png', Buffer.from('89504e470d0a1a0a', 'hex'));
    await folder.put('package', '{"name":"x"}');
    await folder.put('flow.log.gz', gzipSync('2 111122223333 eni-1 10.0.0.1 10.0.0.2 443\n'.repeat(9999)));
    await folder.put('_SUCCESS', '');
    await folder.put('data.parquet', 'PAR1....');
    await folder.put('.DS_Store', 'x');
    await folder.put('AWSLogs/111122223333/Config/eu-central-1/2026/5/1/ConfigHistory/x.json.gz', gzipSync('{}'));
    await folder.put('AWSLogs/111122223333/CloudTrail-Digest/eu-central-1/2026/05/01/x.json.gz', gzipSync('{}'));
    await symlink(join(folder.root, 'gone'), join(folder.trail, 'gone.json'));
    await symlink(folder.trail, join(folder.trail, 'above'));
    expect(await folder.load()).toMatchObject({ files: 1, events: 1, skippedFiles: 0 });
    expect(await listSkipped(folder.store)).toEqual([]);
    expect(await listIgnored(folder.store)).toEqual([
      { reason: 'is a Parquet file', count: 1, paths: ['data.parquet'] },
      { reason: 'is empty (0 bytes)', count: 1, paths: ['_SUCCESS'] },
      { reason: 'is not JSON', count: 7, paths: ['README.md', 'flow.log.gz', 'list.csv'] },
      { reason: 'is not a CloudTrail log file (it has no CloudTrail events)', count: 1, paths: ['package'] },
      { reason: 'has a name that begins with a dot', count: 1, paths: ['.DS_Store'] },
      { reason: 'is a link to a folder above it', count: 1, paths: ['above'] },
      { reason: 'is a link to nothing', count: 1, paths: ['gone.json'] },
      { reason: 'has no management or data events', count: 1, paths: ['AWSLogs/111122223333/CloudTrail-Digest'] },
      { reason: 'has the logs of another service', count: 1, paths: ['AWSLogs/111122223333/Config'] },
    ]);
    expect(await folder.load()).toMatchObject({ files: 0 });
  });

  test.each([
    ['a zip archive', 'logs.zip', Buffer.from('PK\u0003\u0004....'), /zip archive; unpack it/],
    [
      'a tar archive',
      'logs.tar.gz',
      gzipSync(Buffer.concat([Buffer.from('a.json'.padEnd(257, '\0')), Buffer.from('ustar')])),
      /tar archive; unpack it/,
    ],
    ['a file of bzip2', 'a.jsonl.bz2', Buffer.from('BZh91AY&SY'), /bzip2; unpack it/],
    ['a file of zstd', 'a.json.zst', Buffer.from('28b52ffd00', 'hex'), /zstd; unpack it/],
    ['a cut gzip file with any name', 'a.log', gzipSync(logFile(records(50))).subarray(0, 400), /truncated/],
  ])('but %s may have events, and is skipped with a word', async (_, name, content, reason) => {
    await using folder = await trailFolder();
    await folder.put(name, content);
    expect(await folder.load()).toMatchObject({ skippedFiles: 1 });
    expect(await listSkipped(folder.store)).toEqual([{ path: name, reason: expect.stringMatching(reason), events: 0 }]);
  });
});

describe('A file larger than 64 MB', () => {
  const filler = 'x'.repeat(100_000);
  const wide = (count: number) => records(count, () => ({ requestParameters: { filler } }));

  test.each<[string, string, (list: readonly Fields[]) => string | Buffer]>([
    ['of lines', 'a.jsonl', lines],
    ['as one log file', 'a.json', logFile],
    ['packed', 'a.json.gz', (list) => gzipSync(logFile(list), { level: 0 })],
    ['as the output of lookup-events', 'a.json', (list) => json(lookup(list))],
  ])('is read in pieces: %s', async (_, name, of) => {
    await using folder = await trailFolder();
    await folder.put(name, of(wide(700)));
    expect(await folder.load()).toMatchObject({ events: 700, skippedFiles: 0, skippedEvents: 0 });
  });

  test('is read up to a fault, which is listed', async () => {
    await using folder = await trailFolder();
    await folder.put('a.json', `${logFile(wide(700)).slice(0, -2)},{"eventVersion`);
    expect(await folder.load()).toMatchObject({ events: 700, skippedFiles: 1 });
    expect(await listSkipped(folder.store)).toEqual([
      { path: 'a.json', reason: 'is read only in part: it is not valid JSON after 700 events', events: 0 },
    ]);
  });

  test('is read up to the end of a gzip file that is cut', async () => {
    await using folder = await trailFolder();
    const packed = gzipSync(lines(wide(700)), { level: 0 });
    await folder.put('a.jsonl.gz', packed.subarray(0, packed.length - 150_000));
    const { events } = await folder.load();
    expect(events).toBeGreaterThan(600);
    expect(await listSkipped(folder.store)).toEqual([
      {
        path: 'a.jsonl.gz',
        reason: expect.stringMatching(/^is read only in part: it is truncated \(gzip ends early\) after \d+ events$/),
        events: 0,
      },
    ]);
  });

  test('that is no JSON is not read further than its head', async () => {
    await using folder = await trailFolder();
    const path = await folder.put('film.mp4', 'ftypmp42');
    truncateSync(join(folder.trail, path), 3 * 1024 ** 3);
    expect(await folder.load()).toMatchObject({ files: 0, skippedFiles: 0 });
    expect(await listIgnored(folder.store)).toEqual([{ reason: 'is not JSON', count: 1, paths: ['film.mp4'] }]);
  });

  test('is loaded again when lines were added, with each event once', async () => {
    await using folder = await trailFolder();
    const [first, second] = [records(5000), records(5000)];
    await folder.put('a.jsonl', lines(first));
    await folder.load();
    await appendFile(join(folder.trail, 'a.jsonl'), lines(second));
    expect(await folder.load()).toMatchObject({ events: 5000, duplicates: 5000 });
    expect(await folder.load()).toMatchObject({ files: 0 });
  });
});

describe('Text is cut into events in the same way wherever its pieces end', () => {
  const list = records(3, (n) => ({ requestParameters: { text: `"${'\\'.repeat(n)}"}],`, more: [[{ Records: [1] }], '\\"'] } }));
  const texts: readonly (readonly [string, string])[] = [
    ['a log file', `\ufeff ${JSON.stringify({ before: { Records: [] }, Records: list, after: [1, { a: '}' }] })} `],
    ['a printed list', JSON.stringify(list, null, 2)],
    ['the output of lookup-events', json(lookup(list))],
    ['events of EventBridge', list.map((each) => JSON.stringify(eventBridge(each), null, 1)).join('\n')],
  ];
  const found = async (text: string, size: number) => {
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
    const ids: unknown[] = [];
    const errors: string[] = [];
    await findRecords(pieces, {
      record: ({ json: text, fields }) => ids.push([fields.eventID, JSON.parse(text).requestParameters]),
      error: (reason) => errors.push(reason),
    });
    return { ids, errors };
  };

  test.each(texts)('%s', async (_, text) => {
    const whole = { ids: list.map(({ eventID, requestParameters }) => [eventID, requestParameters]), errors: [] };
    for (const size of [3, 4, 7, 64, 1000, 100_000]) expect(await found(text, size), `${size}`).toEqual(whole);
  });

  test.each([
    ['a list that ends early', `[${json(list[0])}`],
    ['two lists of which one ends early', `{"Records":[${json(list[0])}]`],
    ['a missing comma', `[${json(list[0])}${json(list[1])}]`],
    ['a missing value', `[${json(list[0])},,${json(list[1])}]`],
    ['text in between', `[${json(list[0])} and ${json(list[1])}]`],
    ['a bracket too many', `${json(list)}]`],
  ])('and %s is a fault', async (_, text) => {
    for (const size of [5, 100_000]) await expect(found(text, size)).rejects.toThrow(JsonFault);
  });
});

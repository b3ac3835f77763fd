import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { foldersOfLayout } from '../../athena/bucket-layout.ts';
import { daysRead } from '../../athena/pruning.ts';
import { generateSample } from '../../sample/generate.ts';
import { eventsDuring } from '../../src/trail/events.ts';
import { filterColumns, matching } from '../../src/trail/filter.ts';
import { folderName } from '../../src/trail/folders.ts';
import { riskExpression } from '../../src/trail/risks.ts';
import { join as joinSql, raw, type Sql, sql } from '../../src/trail/sql.ts';
import { isLike, WILDCARD_TEXTS } from '../support/plain-filter.ts';
import type { TrinoPlace } from './server.ts';
import { openTrinoTrail, type TrinoTrail } from './trail.ts';

const server = inject('trino') as TrinoPlace;

const TRAIL = { first: '2026/11/18', last: '2026/11/20' };
/** A time on the first of the sample's three days. */
const OFFICE_HOURS = { from: new Date('2026-11-18T09:00:00Z'), to: new Date('2026-11-18T17:00:00Z') };

describe.skipIf(!server)('a sample of three days on Trino', () => {
  let folder: string;
  let trail: TrinoTrail;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-sample-'));
    await generateSample({ out: folder, end: new Date('2026-11-21T00:00:00Z'), days: 3, eventsPerDay: 500 });
    trail = await openTrinoTrail(server, folder);
  });
  afterAll(async () => {
    await trail?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('the raw table has one row per record of the trail', async () => {
    expect(trail.records).toBeGreaterThan(1_500);
    expect(await trail.execute(sql`select count(*) as records, count(distinct day) as days from cloudtrail`)).toEqual([
      { records: String(trail.records), days: '3' },
    ]);
  });

  test('every event of the view has actor, event name and time', async () => {
    const missing = sql`eventid is null or actor is null or eventname is null or eventtime not like ${'2026-11-%T%Z'}`;
    expect(await trail.execute(sql`select count(*) as events from events where ${missing}`)).toEqual([{ events: '0' }]);
  });

  test('a table is read only in the folders of the days in the query', async () => {
    const [scan, ...others] = await trail.scansOf(sql`select count(*) from cloudtrail where day = ${'2026/11/19'}`);
    expect(scan?.day).toEqual(['2026/11/19']);
    expect(scan?.folder?.length).toBeGreaterThan(1);
    expect(others).toEqual([]);
    expect((await trail.scansOf(sql`select count(*) from cloudtrail`))[0]?.day).toEqual(['2026/11/18', '2026/11/19', '2026/11/20']);
  });

  test('a question about some hours reads the folders of that day and the next, through the view', async () => {
    const scans = await trail.scansOf(sql`select eventname from ${eventsDuring(OFFICE_HOURS)} where actor = ${'alice'}`);
    expect(scans.map(({ day }) => day)).toEqual([['2026/11/18', '2026/11/19']]);
    expect(daysRead(scans, TRAIL)).toEqual(['2026/11/18', '2026/11/19']);
  });

  test('a question about an account reads only its folders, through the view', async () => {
    const all = foldersOfLayout(trail.layout);
    const folders = all.filter(({ account }) => account === all[0]?.account);
    expect(folders.length).toBeLessThan(all.length);
    const scans = await trail.scansOf(sql`select eventname from ${eventsDuring(OFFICE_HOURS, { folders })} where actor = ${'alice'}`);
    expect(scans.map(({ folder }) => folder)).toEqual([folders.map(folderName).sort()]);
  });

  test('a query without a day reads all of them', async () => {
    const scans = await trail.scansOf(sql`select count(*) from events where actor = ${"o'neil"}`);
    expect(daysRead(scans, TRAIL)).toEqual(['2026/11/18', '2026/11/19', '2026/11/20']);
  });

  const texts = [...WILDCARD_TEXTS, 'a'.repeat(200), 'ab'.repeat(99)];
  const patterns = [
    ...[
      '*a*b',
      '*a*b*',
      '*a*b*a*b',
      'a*a*a*b',
      '*?*?b',
      '?',
      '??',
      '*?',
      '?*?*a',
      '*\n*a*',
      '*\\*"*a',
      '*"*\\*',
      '**a**b**',
      '*.*b*',
      '*%*_*',
      '*(*)*[*',
      '*,*,*a',
      '*^*$*',
    ],
    ...['*!*a*!', "*'*s*", '*😀*a*', '*ä?a*', '*a?', '*a*a*a*a*a*a*a*a*a*b', '*a*a*a*a*a*a*a*a*a*a'],
  ];

  test('wildcards find what they say, in a column and in a list', async () => {
    const listed = (text: string): string => JSON.stringify({ a: ['x', text], b: [{ c: [{ d: 'x' }] }, { c: [{ d: text }] }] });
    const rowsOf = joinSql(
      texts.map((text, n) => sql`(${n}, ${text}, ${listed(text)})`),
      ', ',
    );
    for (const pattern of patterns) {
      const that = (field: string): Sql =>
        sql`coalesce(${matching([{ field, negated: false, values: [{ text: pattern, wildcard: true }] }])}, false)`;
      const found = await trail.execute(sql`
        select n, ${that('message')} as plain, ${that('requestParameters.a')} as listed, ${that('requestParameters.b.c.d')} as below
        from (values ${rowsOf}) as t (n, errormessage, requestparameters)
        order by n
      `);
      const expected = texts.map((text, n) => {
        const isListed = String(isLike(pattern, text) || isLike(pattern, 'x'));
        return { n: String(n), plain: String(isLike(pattern, text)), listed: isListed, below: isListed };
      });
      expect({ pattern, found }).toEqual({ pattern, found: expected });
    }
  }, 240_000);

  test.each([
    ['backslashes', `'"Effect":"Allow"' || rpad('', 100000, chr(92))`],
    ['statements without braces', `rpad('', 100000, '"Effect":"Allow",')`],
    ['principals', `rpad('', 100000, '"Principal":"*",')`],
    ['lists', `'"Effect":"Allow","Principal":{"AWS":[' || rpad('', 100000, '"AWS":["a",')`],
  ])('the rules of risk do not take long over a policy of %s', async (_, policy) => {
    const call = `'s3.amazonaws.com' as eventsource, 'PutBucketPolicy' as eventname, 'put' as effect, 'false' as readlike, 'false' as destructive,
      'human' as actorkind, 'ann' as actor, 'ann' as username, 'cli' as via, '' as useragent, 'Management' as eventcategory, '111122223333' as recipientaccountid,
      cast(null as varchar) as responseelements`;
    const rows = await trail.execute(sql`select ${riskExpression} as risk from (select ${raw(call)}, ${raw(policy)} as requestparameters) as calls`, {
      signal: AbortSignal.timeout(20_000),
    });
    expect(rows).toEqual([{ risk: 'access' }]);
  });

  test('no wildcards take long over a text that is made for it', async () => {
    const long = raw(`rpad('x', 100000, 'x')`);
    const relation = sql`(select ${long} as errormessage, '{"a":["' || ${long} || '",{"a":"' || ${long} || '"}]}' as requestparameters) as t`;
    for (const [field, text] of [
      ['requestParameters.a', '*x*x*x*y'],
      ['requestParameters.a', 'x*x*x*x*x*x*x*x*x*y'],
      ['requestParameters.a.a.a', '*x*x*x*y'],
      ['message', '*x*x*x*x*x*y*'],
      ['text', '*x*x*?*x*x*y'],
    ] as const) {
      const condition = matching([{ field, negated: false, values: [{ text, wildcard: true }] }]);
      const columns = filterColumns('text').map(({ text: name }) =>
        name === 'errormessage' || name === 'requestparameters' ? name : `cast(null as varchar) as ${name}`,
      );
      const rows = await trail.execute(sql`select count(*) as n from (select ${raw(columns.join(', '))} from ${relation}) as u where ${condition}`, {
        signal: AbortSignal.timeout(20_000),
      });
      expect({ field, text, rows }).toEqual({ field, text, rows: [{ n: '0' }] });
    }
  });

  test('an error has Trino’s message', async () => {
    await expect(trail.execute(sql`select nobody from events`)).rejects.toThrow("COLUMN_NOT_FOUND: line 1:8: Column 'nobody' cannot be resolved");
  });
});

/** The production engine with the real SDK, over a loopback Athena that runs queries in DuckDB. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest';
import { z } from 'zod';
import { type AthenaOptions, openAthena } from '../athena/engine.ts';
import { parametersOf, sqlLiteral } from '../athena/literal.ts';
import { scanDollars } from '../athena/prices.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer, Row } from '../src/answer/answer.ts';
import { periodOf } from '../src/answer/period.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { type Cost, type QueryEngine, type QueryProgress, streamQuery } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { fairQueue } from '../src/trail/fair-queue.ts';
import { query, raw, type Sql, sql } from '../src/trail/sql.ts';
import { type Operation, type PocketAthena, pocketAthena, type QueryOutcome, type RequestFailure } from './support/pocket-athena.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { openFolder, record, trailFolder, user } from './support/trail-folder.ts';
import { until } from './support/until.ts';

const signal = new AbortController().signal;
const now = new Date(SAMPLE_END);

let duck: QueryEngine;
const catalog = await loadRegistry(new URL('../', import.meta.url));
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

/** The engine over a pocket Athena. Its clock advances by 10 ms per read, and its waits are short. */
function athenaOver(pocket: PocketAthena, options: Partial<AthenaOptions> = {}): QueryEngine {
  let read = 0;
  const clock = () => {
    read += 1;
    return new Date(read * 10);
  };
  return openAthena({ client: pocket.client, database: 'trail', workGroup: 'trailbot', extent: () => duck.extent(), clock, pollMs: 1, ...options });
}

const one = sql`select 1 as one`;

describe('Athena gives the same answers as DuckDB for', () => {
  let pocket: PocketAthena;
  let athena: QueryEngine;
  beforeAll(async () => {
    pocket = await pocketAthena(duck);
    athena = athenaOver(pocket);
  });
  afterAll(async () => {
    await athena.close();
    await pocket[Symbol.asyncDispose]();
  });

  /** An answer without times, costs and query ids. */
  const withoutCost = ({ coverage, ...answer }: Answer) => ({
    ...answer,
    coverage: { ...coverage, ms: 0, bytes: 0, dollars: 0, queries: 0, queryIds: [] },
  });

  it.each([
    ...[...catalog.commands].map(([name, { example }]) => `${name} ${example}`),
    'events 30d top:1200',
    'events every:6h by:outcome 3d',
    'events by:user,event source:kms 90d sort:new top:5',
    'events user:*@example.com -kind:service destructive:true 30d',
    'root-logins 6mo ip:198.51.100.199',
    'rare source:s3 kind:human 6mo',
    'events user:NOBODY 24h',
    'who-started i-0abc 90d',
  ])('%s, and its first follow-up line', async (line) => {
    const [here, there] = [openDesk(catalog, duck), openDesk(catalog, athena)];
    const asked = pocket.sent('StartQueryExecution').length;
    const answer = await there.answer(line, { now, signal });
    expect(withoutCost(answer)).toEqual(withoutCost(await here.answer(line, { now, signal })));
    expect(answer.coverage?.queryIds ?? []).toHaveLength(pocket.sent('StartQueryExecution').length - asked);
    if (!line.startsWith('cost')) expect(answer.coverage?.bytes).toBeGreaterThan(0);
    const [lead] = (answer.table?.rows ?? []).flatMap((row) => row.next ?? []);
    if (lead)
      expect(withoutCost(await there.answer(lead.line, { now, signal })), lead.line).toEqual(
        withoutCost(await here.answer(lead.line, { now, signal })),
      );
  });

  it('each report', async () => {
    // What is new is known as far back as activity is kept.
    const kept = async () => (await athena.kept?.()) ?? [];
    const [here, there] = [openDesk(catalog, { ...duck, kept }), openDesk(catalog, athena)];
    for (const name of catalog.reports.keys()) {
      for (const date of ['2026-11-20', '2020-01-01']) {
        const day = periodOf('day', date, 'Europe/Berlin');
        if (!day) throw new Error('no such day');
        expect(withoutCost(await there.report(name, day, { now, signal }))).toEqual(withoutCost(await here.report(name, day, { now, signal })));
      }
    }
  });

  it('2,500 rows on three pages, of which only the first has a header row', async () => {
    const statement = sql`select eventid, eventname from events order by eventid limit 2500`;
    const { rows } = await athena.execute(statement, { signal });
    expect(rows).toHaveLength(2500);
    expect(rows).toEqual((await duck.execute(statement, { signal })).rows);
    expect(pocket.sent('GetQueryResults').slice(-3)).toMatchObject([{ MaxResults: 1000 }, { NextToken: 'row 1000' }, { NextToken: 'row 2000' }]);
  });

  it('rows that repeat the header, and NULL and empty strings', async () => {
    const statement = sql`select * from (values ('a', 'b'), ('a', 'b'), (null, ''), ('', null)) as t(a, b)`;
    expect((await athena.execute(statement, { signal })).rows).toEqual([
      { a: 'a', b: 'b' },
      { a: 'a', b: 'b' },
      { a: null, b: '' },
      { a: '', b: null },
    ]);
  });

  it('a row that equals the header, on a later page or in a statement without a header', async () => {
    const rows = Array.from({ length: 5 }, () => ({ name: 'name' }));
    await using own = await pocketAthena({ ...duck, execute: async () => ({ rows, cost: { ms: 0 } }) }, { pageRows: 2 });
    for (const statement of [sql`select name from events`, sql`show tables`]) {
      expect((await athenaOver(own).execute(statement, { signal })).rows).toEqual(rows);
    }
  });

  it('no rows', async () => {
    expect((await athena.execute(sql`select eventid from events where eventname = ${'no such'}`, { signal })).rows).toEqual([]);
  });

  it('text that tries SQL injection', async () => {
    const names = [
      "o'brien",
      "' or 1=1 --",
      "''); drop table events; --",
      'back\\slash\\',
      "\\' or ''='",
      'two\nlines',
      'what? who?',
      '?',
      '/* no comment */',
      '"quoted"',
      'größe 漢字 👩‍💻',
      "$1 $& $'",
    ];
    await using folder = await trailFolder();
    await folder.deliver(names.map((name) => record({ userIdentity: user(name), eventName: name })));
    await using trail = await openFolder(folder);
    await using own = await pocketAthena(trail.engine);
    const asked = athenaOver(own);
    for (const name of names) {
      const statement = sql`select username from events where username = ${name} and eventname in (${name}, ${'x'}) and ${7} = 7`;
      expect((await asked.execute(statement, { signal })).rows).toEqual([{ username: name }]);
    }
  });
});

describe('a literal', () => {
  it('evaluates to the same text, whatever the text is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const { rows } = await duck.execute(raw(`select ${sqlLiteral(text)} as text`), { signal });
        expect(rows).toEqual([{ text }]);
      }),
    );
  });

  it('accepts finite numbers only', () => {
    expect([0, -1.5, 1e21].map(sqlLiteral)).toEqual(['0', '-1.5', '1e+21']);
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => sqlLiteral(number)).toThrow(RangeError);
  });

  it('has at most 1,024 characters, quotes included', async () => {
    expect(sqlLiteral('x'.repeat(1022))).toHaveLength(1024);
    for (const text of ['x'.repeat(1023), 'x'.repeat(1025), "'".repeat(512)]) expect(() => sqlLiteral(text)).toThrow(UserError);
    await using pocket = await pocketAthena(duck);
    const long = athenaOver(pocket).execute(sql`select 1 from events where eventname = ${'x'.repeat(1025)}`, { signal });
    await expect(long).rejects.toThrow(
      `“${'x'.repeat(40)}…” is too long: Athena allows 1,024 characters per value. In a filter, use the beginning followed by *.`,
    );
    expect(pocket.calls).toEqual([]);
  });

  it('belongs to one ?, and a ? in a string, a name or a comment is no placeholder', () => {
    expect(parametersOf(one)).toBeUndefined();
    expect(parametersOf({ text: `select '?''?' as "?" -- ?\n /* ? */ where a = ? and b = ?`, values: ['x', 1] })).toEqual(["'x'", '1']);
    expect(() => parametersOf({ text: 'select 1 where a = ?', values: [] })).toThrow('A statement with 1 ? has 0 values');
    expect(() => parametersOf({ text: 'select 1', values: ['x'] })).toThrow('A statement with 0 ? has 1 values');
  });
});

describe('the pocket Athena rejects, as Athena does,', () => {
  it.each([
    ['a ? outside of WHERE', sql`select ${'x'} as x`, /mismatched input '\?' in select/],
    ['a ? after LIMIT', sql`select 1 from events where eventname = ${'x'} limit ${1}`, /mismatched input '\?' in limit/],
    ['a ? in a join', sql`select 1 from events a join events b on a.eventid = ${'x'}`, /mismatched input '\?' in on/],
    ['two statements', sql`select 1; select 2`, /Only one sql statement/],
    ['a statement that writes', sql`with x as (select 1) delete from events`, /mismatched input 'delete'/],
  ])('%s', async (_, statement, message) => {
    await using pocket = await pocketAthena(duck);
    const failure = await athenaOver(pocket)
      .execute(statement, { signal })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(message) });
    expect(failure).not.toBeInstanceOf(UserError);
  });
});

describe('a query', () => {
  it('is started with its database, its workgroup and a unique token of 64 characters', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket);
    for (const _ of [1, 2]) await athena.execute(one, { signal });
    const [first, second] = pocket.sent('StartQueryExecution');
    expect(first).toEqual({
      QueryString: 'select 1 as one',
      ClientRequestToken: expect.stringMatching(/^[0-9a-f]{64}$/),
      QueryExecutionContext: { Database: 'trail' },
      WorkGroup: 'trailbot',
    });
    expect(second?.ClientRequestToken).not.toBe(first?.ClientRequestToken);
  });

  it('is started once even if the response to its start is lost', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.failNext('StartQueryExecution', 'response lost');
    const { rows, cost } = await athenaOver(pocket, { client: pocket.connect({ maxAttempts: 2 }) }).execute(one, { signal });
    expect(rows).toEqual([{ one: '1' }]);
    const [first, again] = pocket.sent('StartQueryExecution');
    expect(again).toEqual(first);
    expect(new Set(pocket.sent('GetQueryExecution').map((input) => input.QueryExecutionId))).toEqual(new Set([cost.queryId]));
  });

  it('is read completely even if a page is truncated', async () => {
    await using pocket = await pocketAthena(duck, { pageRows: 7 });
    pocket.failNext('GetQueryResults', 'response cut');
    const statement = sql`select eventid from events order by eventid limit 20`;
    const { rows } = await athenaOver(pocket, { client: pocket.connect({ maxAttempts: 2 }) }).execute(statement, { signal });
    expect(rows).toEqual((await duck.execute(statement, { signal })).rows);
    expect(pocket.sent('GetQueryResults')).toHaveLength(4);
  });

  it('may return to the queue, and reports progress', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ states: ['QUEUED', 'RUNNING', 'QUEUED', 'QUEUED', 'RUNNING'] });
    const reported: QueryProgress[] = [];
    const { rows, cost } = await athenaOver(pocket).execute(one, { signal, onProgress: (progress) => reported.push(progress) });
    expect(rows).toEqual([{ one: '1' }]);
    expect(reported.length).toBeGreaterThan(5);
    expect(reported.slice(0, 2)).toEqual([
      { queuePosition: 0, ms: 10, bytes: 1000 },
      { queuePosition: 0, ms: 20, bytes: 2000 },
    ]);
    expect(cost).toEqual({ ms: 10 * (reported.length + 1), bytes: 1000 * reported.length, dollars: 0.00005, queryId: expect.any(String) });
  });

  it.each<Operation>(['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults'])('retries %s while Athena throttles it', async (operation) => {
    await using pocket = await pocketAthena(duck);
    const full = { error: 'TooManyRequestsException', fields: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' } };
    const fast = { error: 'ThrottlingException', message: 'Rate exceeded' };
    pocket.failNext(operation, full, fast, full, fast, fast);
    expect((await athenaOver(pocket).execute(one, { signal })).rows).toEqual([{ one: '1' }]);
    expect(new Set(pocket.sent('StartQueryExecution').map((input) => input.ClientRequestToken)).size).toBe(1);
    expect(pocket.sent(operation).length).toBeGreaterThan(5);
  });

  it('that Athena throttles is retried only until it is cancelled', async () => {
    await using pocket = await pocketAthena(duck);
    const requester = new AbortController();
    pocket.failNext('StartQueryExecution', ...Array<RequestFailure>(1000).fill({ error: 'ThrottlingException' }));
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal });
    await until(() => expect(pocket.calls.length).toBeGreaterThan(2));
    requester.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(pocket.running()).toEqual([]);
  });

  it('that failed with a retryable error is started again, once', async () => {
    await using pocket = await pocketAthena(duck);
    const passing: QueryOutcome = { ends: 'FAILED', reason: 'INTERNAL_ERROR', error: { ErrorCategory: 1, ErrorType: 100, Retryable: true } };
    pocket.endNext(passing);
    expect((await athenaOver(pocket).execute(one, { signal })).rows).toEqual([{ one: '1' }]);
    expect(new Set(pocket.sent('StartQueryExecution').map((input) => input.ClientRequestToken)).size).toBe(2);

    pocket.endNext(passing, passing);
    await expect(athenaOver(pocket).execute(one, { signal })).rejects.toThrow('Athena has an internal error. Ask again in a minute.');
    expect(pocket.sent('StartQueryExecution')).toHaveLength(4);
  });

  it('is stopped when it is cancelled', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ endless: true });
    pocket.failNext('StopQueryExecution', { error: 'ThrottlingException' });
    const requester = new AbortController();
    const reason = new Error('no longer');
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal, onProgress: () => requester.abort(reason) });
    await expect(asked).rejects.toBe(reason);
    expect(pocket.stopped()).toHaveLength(1);
    expect(pocket.running()).toEqual([]);
  });

  it('is stopped when it is cancelled before Athena returned its id', async () => {
    await using pocket = await pocketAthena(duck);
    const held = Promise.withResolvers<void>();
    pocket.failNext('StartQueryExecution', { after: held.promise });
    pocket.endNext({ endless: true });
    const requester = new AbortController();
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal });
    await until(() => expect(pocket.calls).toHaveLength(1));
    requester.abort(new Error('no longer'));
    held.resolve();
    await expect(asked).rejects.toThrow('no longer');
    expect(pocket.stopped()).toHaveLength(1);
  });

  it('is stopped when its state cannot be read', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ endless: true });
    pocket.failNext('GetQueryExecution', { error: 'AccessDeniedException', message: 'not authorized to perform: athena:GetQueryExecution' });
    await expect(athenaOver(pocket).execute(one, { signal })).rejects.toThrow('trailbot is not allowed to use athena:GetQueryExecution.');
    expect(pocket.stopped()).toHaveLength(1);
  });

  it('is not started when it is already cancelled or the engine is closed', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket);
    await expect(athena.execute(one, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    await athena.close();
    await expect(athena.execute(one, { signal })).rejects.toThrow('trailbot was stopped before the answer was ready.');
    expect(pocket.calls).toEqual([]);
  });

  it('is stopped by close, like all others', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ endless: true }, { endless: true });
    const athena = athenaOver(pocket, { maxConcurrency: 2 });
    const asked = [1, 2, 3].map(() => athena.execute(one, { signal }));
    const ends = Promise.allSettled(asked);
    await until(() => expect(pocket.running()).toHaveLength(2));
    await athena.close();
    expect(pocket.stopped()).toHaveLength(2);
    expect(pocket.sent('StartQueryExecution')).toHaveLength(2);
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: expect.any(UserError) });
  });

  it('may reuse an earlier result for past days, matched by its values too', async () => {
    await using pocket = await pocketAthena(duck);
    const engineOn = (today: string, mayReuse: boolean) =>
      athenaOver(pocket, { clock: () => new Date(`${today}T12:00:00Z`), mayReuseResults: async () => mayReuse });
    const during = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-11-02T00:00:00Z') };
    const count = (name: string) => sql`select count(*) as events from ${eventsDuring(during)} where eventname = ${name}`;
    await engineOn('2026-11-03', true).execute(count('StopLogging'), { signal });
    await engineOn('2026-11-03', true).execute(count('DeleteTrail'), { signal });
    await engineOn('2026-11-02', true).execute(count('StopLogging'), { signal });
    await engineOn('2026-11-03', false).execute(count('StopLogging'), { signal });
    await engineOn('2026-11-03', true).execute(one, { signal });
    const [over, other, late, ...never] = pocket.sent('StartQueryExecution');
    expect(over?.ResultReuseConfiguration).toEqual({ ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 1440 } });
    expect(other?.ResultReuseConfiguration).toEqual(over?.ResultReuseConfiguration);
    expect(other?.QueryString).not.toBe(over?.QueryString);
    // Files of 1 November are also delivered on the 2nd.
    for (const start of [late, ...never]) expect(start).not.toHaveProperty('ResultReuseConfiguration');
  });
});

describe('the cost of a query', () => {
  const billedBy = async (pocket: PocketAthena, options: { readonly signal?: AbortSignal } = {}) => {
    const billed: Cost[] = [];
    const athena = athenaOver(pocket, { usdPerTb: 5 });
    const ended = await athena.execute(one, { signal, onBilled: (cost) => billed.push(cost), ...options }).catch((error: unknown) => error);
    return { billed, ended };
  };

  it('is the scanned bytes in whole megabytes, at least 10', () => {
    expect([0, 1, 10_000_000, 11_999_999, 1_200_000_000_000].map((bytes) => scanDollars(bytes, 5))).toEqual([0, 0.00005, 0.00005, 0.00006, 6]);
  });

  it('says when a query found no log file to read', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket);
    const reading = { ...one, reads: [{ first: '2026/11/19', last: '2026/11/20' }] };
    pocket.endNext({ scanned: 0 }, { scanned: 0 }, {});
    const costOf = async (statement: Sql) => (await athena.execute(statement, { signal })).cost;
    expect(await costOf(reading)).toMatchObject({ bytes: 0, dollars: 0, readNothing: true });
    expect(await costOf(one)).not.toHaveProperty('readNothing');
    expect(await costOf(reading)).not.toHaveProperty('readNothing');
  });

  it('is reported once for a query that succeeds', async () => {
    await using pocket = await pocketAthena(duck);
    const { billed, ended } = await billedBy(pocket);
    expect(billed).toHaveLength(1);
    expect(billed).toEqual([{ ...(ended as { cost: Cost }).cost, ms: expect.any(Number), dollars: 0.00005 }]);
  });

  it('is reported for each attempt, and for a query that fails', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ ends: 'FAILED', error: { Retryable: true } }, { ends: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR' });
    const { billed, ended } = await billedBy(pocket);
    expect(ended).toBeInstanceOf(Error);
    expect(billed.map(({ bytes }) => bytes)).toEqual([1000, 1000]);
    expect(new Set(billed.map(({ queryId }) => queryId)).size).toBe(2);
  });

  it('is reported for a query that is stopped, with the bytes scanned until then', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.endNext({ endless: true });
    const leaving = new AbortController();
    const asked = billedBy(pocket, { signal: leaving.signal });
    await until(() => expect(pocket.sent('GetQueryExecution').length).toBeGreaterThan(2));
    leaving.abort(new Error('gone'));
    const { billed, ended } = await asked;
    expect(ended).toEqual(new Error('gone'));
    expect(pocket.stopped()).toHaveLength(1);
    expect(billed).toEqual([{ ms: expect.any(Number), bytes: expect.any(Number), dollars: 0.00005, queryId: pocket.stopped()[0] }]);
  });
});

describe('a list of the newest events', () => {
  it('reads only as many days as it needs', async () => {
    await using pocket = await pocketAthena(duck);
    const [here, there] = [openDesk(catalog, duck), openDesk(catalog, athenaOver(pocket))];
    const asking = { now, signal };
    const [few, same] = [await there.answer('events top:5 6mo', asking), await here.answer('events top:5 6mo', asking)];
    expect(few.table).toEqual(same.table);
    expect(pocket.sent('StartQueryExecution').map(({ ExecutionParameters }) => (ExecutionParameters as string[]).slice(0, 2))).toEqual([
      ["'2026/11/19'", "'2026/11/21'"],
    ]);
  });

  it('shows partial results while older days are read', async () => {
    await using pocket = await pocketAthena(duck);
    const shown: { rows: number | undefined; until: string }[] = [];
    const onFound = (answer: Answer, until: Date) => shown.push({ rows: answer.table?.rows.length, until: until.toISOString() });
    const answer = await openDesk(catalog, athenaOver(pocket)).answer('events event:DeleteBucket 6mo', { now, signal, onPartial: onFound });
    expect(answer.table?.rows).toHaveLength(3);
    expect(pocket.sent('StartQueryExecution').length).toBeGreaterThan(2);
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.every(({ rows }) => rows !== undefined && rows > 0 && rows <= 3)).toBe(true);
    expect(shown.map(({ until }) => until)).toEqual(
      shown
        .map(({ until }) => until)
        .toSorted()
        .reverse(),
    );
  });
});

describe('an export', () => {
  it('has all rows of one query over the whole window, and reads each page as its rows are printed', async () => {
    await using pocket = await pocketAthena(duck);
    const asking = { now, signal, isExport: true };
    const [here, there] = await Promise.all(
      [duck, athenaOver(pocket)].map((engine) => openDesk(catalog, engine).answer('events source:iam,ec2,s3 30d', asking)),
    );
    expect(there?.table?.rows).toHaveLength(1001);
    const rest = there?.table?.rest as AsyncIterable<Row>;
    expect(pocket.sent('GetQueryResults')).toHaveLength(2);
    const rows = await Array.fromAsync(rest);
    expect(rows.length).toBeGreaterThan(1500);
    expect(rows).toEqual(await Array.fromAsync(here?.table?.rest as AsyncIterable<Row>));
    expect(pocket.sent('StartQueryExecution')).toHaveLength(1);
    expect(there).not.toHaveProperty('missing');
    expect(there?.coverage?.bytes).toBeGreaterThan(0);
  });

  it('prints an event that was delivered twice once', async () => {
    const rows = ['a', 'a', 'b', 'c', 'c', 'c'].map((eventid) => ({ eventid }));
    await using pocket = await pocketAthena({ ...duck, execute: async () => ({ rows, cost: { ms: 0 } }) }, { pageRows: 2 });
    const events = query(z.object({ eventid: z.string() }))`select eventid from events`;
    const { rows: read } = await streamQuery(athenaOver(pocket), events, { signal });
    expect(await Array.fromAsync(read)).toEqual(['a', 'b', 'c'].map((eventid) => ({ eventid })));
  });
});

describe('the message for', () => {
  const missing = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.trail.events' does not exist";
  it.each<[string, QueryOutcome | RequestFailure, string]>([
    [
      'the workgroup’s scan limit',
      { ends: 'CANCELLED', reason: 'Bytes scanned limit was exceeded' },
      'Athena stopped the query at the scan limit of the workgroup “trailbot”. Ask about a shorter time, or about one account',
    ],
    [
      'Athena’s time limit',
      { ends: 'FAILED', reason: 'Query timeout' },
      'The query exceeded Athena’s time limit. Ask about a shorter time, or about one account',
    ],
    [
      'exhausted resources',
      { ends: 'FAILED', reason: 'Query exhausted resources at this scale factor', error: { ErrorCategory: 1, ErrorType: 3 } },
      'The query exceeded Athena’s resource limits. Ask about a shorter time, or about one account',
    ],
    ['missing tables', { ends: 'FAILED', reason: missing, error: { ErrorType: 1301 } }, '`npm run setup -- --apply` creates them.'],
    [
      'missing tables, in an older wording',
      { ends: 'FAILED', reason: 'SYNTAX_ERROR: line 1:15: Table trail.events does not exist' },
      '`npm run setup -- --apply` creates them.',
    ],
    [
      'a missing database',
      { ends: 'FAILED', reason: "SCHEMA_NOT_FOUND: line 1:15: Schema 'trail' does not exist" },
      'The trail’s tables do not exist in the database “trail” in eu-central-1. `npm run setup -- --apply` creates them.',
    ],
    [
      'tables of another version',
      { ends: 'FAILED', reason: "COLUMN_NOT_FOUND: line 1:8: Column 'actor' cannot be resolved", error: { ErrorType: 1006 } },
      '`npm run setup -- --apply` updates them.',
    ],
    [
      'no access to the bucket',
      { ends: 'FAILED', reason: 'Permission denied on S3 path: s3://acme-trail/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20' },
      'trailbot is not allowed to read the trail in the bucket “acme-trail”. Ask an admin of trailbot to allow it',
    ],
    [
      'access denied by S3',
      { ends: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)' },
      'trailbot is not allowed to read the trail. Ask an admin of trailbot to allow it',
    ],
    [
      'no grant in Lake Formation',
      {
        ends: 'FAILED',
        reason:
          'FAILED: Execution Error, return code 1. MetaException(message:Insufficient Lake Formation permission(s): Required Create Database on Catalog (Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException))',
      },
      'Lake Formation does not allow trailbot’s role to use the trail’s tables. Ask an admin of trailbot to grant it what docs/aws.md lists',
    ],
    [
      'no permission to use Lake Formation',
      {
        ends: 'FAILED',
        reason: 'User: arn:aws:sts::111122223333:assumed-role/trailbot/x is not authorized to perform: lakeformation:GetDataAccess',
      },
      'trailbot is not allowed to use lakeformation:GetDataAccess. Ask an admin of trailbot to allow it in the role’s policy.',
    ],
    [
      'no access to the KMS key',
      {
        ends: 'FAILED',
        reason:
          'User: arn:aws:sts::111122223333:assumed-role/trailbot/x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext',
      },
      'trailbot is not allowed to use the KMS key of the trail.',
    ],
    [
      'no access to the result location',
      {
        ends: 'FAILED',
        reason:
          'Access denied when writing output to url: s3://acme-results/x.csv . Please ensure you are allowed to access the S3 bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access your KMS key',
        error: { ErrorType: 401 },
      },
      'Athena cannot write its results to the bucket “acme-results”, or trailbot cannot read them. Check the result location of the workgroup “trailbot”',
    ],
    [
      'no result location',
      {
        error: 'InvalidRequestException',
        message:
          'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      },
      'Athena cannot write its results, or trailbot cannot read them. Check the result location of the workgroup “trailbot”',
    ],
    [
      'a result location of another account',
      { error: 'InvalidRequestException', message: 'Unable to verify/create output bucket acme-results' },
      'Athena cannot write its results, or trailbot cannot read them. Check the result location of the workgroup “trailbot”',
    ],
    [
      'a missing workgroup',
      { error: 'InvalidRequestException', message: 'WorkGroup is not found.', fields: { AthenaErrorCode: 'INVALID_INPUT' } },
      'The workgroup “trailbot” in eu-central-1 does not exist or is disabled. `npm run setup -- --apply` creates it; if it is disabled, enable it in Athena, or set ATHENA_WORKGROUP to another one.',
    ],
    [
      'no permission to start queries',
      {
        error: 'AccessDeniedException',
        message:
          'User: arn:aws:iam::111122223333:user/x is not authorized to perform: athena:StartQueryExecution on resource: arn:aws:athena:eu-central-1:111122223333:workgroup/trailbot',
      },
      'trailbot is not allowed to use athena:StartQueryExecution. Ask an admin of trailbot to allow it',
    ],
    [
      'expired credentials',
      { error: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
      'trailbot’s AWS credentials have expired.',
    ],
    [
      'credentials that are not for the region',
      { error: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' },
      'AWS does not accept trailbot’s credentials in eu-central-1. Ask an admin of trailbot to check AWS_REGION',
    ],
    [
      'a bucket in another region',
      {
        ends: 'FAILED',
        reason: 'The bucket is in this region: us-west-2. Please use this region to retry the request (Service: Amazon S3; Status Code: 301)',
      },
      'trailbot queries Athena in eu-central-1, but the bucket is in us-west-2. Start trailbot with AWS_REGION=us-west-2.',
    ],
    [
      'throttling by S3',
      {
        ends: 'FAILED',
        reason:
          'HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://acme-trail/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/x.json.gz: Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: 7A4BF6EXAMPLE)',
        error: { ErrorCategory: 1 },
      },
      'S3 throttled Athena, and the query failed. Ask again in a minute. A shorter time range needs fewer requests.',
    ],
    [
      'throttling by S3 at the result location',
      {
        ends: 'FAILED',
        reason: 'SlowDown: Please reduce your request rate, when writing output to url: s3://acme-results/x.csv',
        error: { ErrorType: 401 },
      },
      'S3 throttled Athena, and the query failed.',
    ],
    [
      'a broken file',
      { ends: 'FAILED', reason: 'HIVE_BAD_DATA: Error parsing' },
      'Athena cannot read one of the log files in that time range, so there is no answer.',
    ],
    [
      'a broken file with a name',
      {
        ends: 'FAILED',
        reason:
          'HIVE_CURSOR_ERROR: Row is not a valid JSON Object: s3://example-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a_b.json.gz',
      },
      'Athena cannot read the log file s3://example-trail/AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/20/a_b.json.gz in that time range',
    ],
    ['a cancelled query', { ends: 'CANCELLED', reason: 'Query cancelled by user' }, 'The query was cancelled in Athena.'],
    [
      'an internal error of Athena',
      { ends: 'FAILED', reason: 'INTERNAL_ERROR', error: { ErrorCategory: 1 } },
      'Athena has an internal error. Ask again in a minute.',
    ],
    ['an internal error of its API', { error: 'InternalServerException', status: 500 }, 'Athena has an internal error. Ask again in a minute.'],
    [
      'an operation that the host does not have',
      { error: 'UnknownOperationException', status: 400 },
      'The host that answers for Athena does not have StartQueryExecution, so it is not AWS’s. Check AWS_ENDPOINT_URL; ',
    ],
    ['no response', 'response lost', 'Athena in eu-central-1 cannot be reached. Ask again in a minute.'],
  ])('%s has the next thing to try', async (_, trouble, sentence) => {
    await using pocket = await pocketAthena(duck);
    if (typeof trouble === 'object' && 'ends' in trouble) pocket.endNext(trouble);
    else pocket.failNext('StartQueryExecution', trouble as RequestFailure);
    const failure = await failureIn(athenaOver(pocket));
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toContain(sentence);
    expect(failure.cause).toBeInstanceOf(Error);
    expect(pocket.sent('StartQueryExecution')).toHaveLength(1);
  });

  it('missing credentials, a missing region or a network error has the next thing to try', async () => {
    await using pocket = await pocketAthena(duck);
    const none = Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' });
    const without = pocket.connect({ credentials: () => Promise.reject(none) });
    expect((await failureIn(athenaOver(pocket, { client: without }))).message).toMatch(/^trailbot has no AWS credentials[.]/);
    const nowhere = pocket.connect({ region: (() => Promise.reject(new Error('Region is missing'))) as unknown as string });
    expect((await failureIn(athenaOver(pocket, { client: nowhere }))).message).toMatch(/^The AWS region is not set[.]/);
    const away = pocket.connect({ endpoint: 'http://127.0.0.1:1' });
    expect((await failureIn(athenaOver(pocket, { client: away }))).message).toMatch(/^Athena in eu-central-1 cannot be reached[.]/);
  });

  it('an invalid statement is an internal error with the query id, for the log', async () => {
    await using pocket = await pocketAthena(duck);
    const words = "line 1:8: mismatched input 'kms'. Expecting: 'access denied', 'table does not exist'";
    pocket.failNext('StartQueryExecution', { error: 'InvalidRequestException', message: words, fields: { AthenaErrorCode: 'MALFORMED_QUERY' } });
    const refused = await failureIn(athenaOver(pocket));
    expect(refused).not.toBeInstanceOf(UserError);
    expect(refused.message).toBe(`Athena refused StartQueryExecution: InvalidRequestException: MALFORMED_QUERY: ${words}`);
    expect(refused.cause).toMatchObject({ name: 'InvalidRequestException' });

    pocket.endNext({ ends: 'FAILED', reason: "FUNCTION_NOT_FOUND: line 1:8: Function 'array_joyn' not registered" });
    const failed = await failureIn(athenaOver(pocket));
    expect(failed).not.toBeInstanceOf(UserError);
    expect(failed.message).toMatch(/^Athena did not answer query [0-9a-f-]{36}: FAILED: FUNCTION_NOT_FOUND: /);
    expect(failed.cause).toBeInstanceOf(Error);
  });
});

async function failureIn(athena: QueryEngine): Promise<Error> {
  const failure: unknown = await athena.execute(one, { signal }).catch((error: unknown) => error);
  if (!(failure instanceof Error)) throw new Error('It did not fail');
  return failure;
}

describe('the fair queue', () => {
  /** Work of requesters, by name; `end` ends the running work of that name. */
  function openWork(maxConcurrency: number) {
    const queue = fairQueue({ maxConcurrency });
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const positions: Record<string, number[]> = {};
    return {
      started,
      positions,
      run(name: string, given: AbortSignal = signal): Promise<string> {
        const work = () => {
          started.push(name);
          return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
        };
        const onPosition = (position: number) => {
          positions[name] = [...(positions[name] ?? []), position];
        };
        return queue.run(name.slice(0, 1), work, { signal: given, onPosition });
      },
      async end(name: string): Promise<void> {
        ends.get(name)?.();
        await settled();
      },
    };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('serves requesters in rounds, so that many queries of one do not delay the others', async () => {
    const { run, end, started, positions } = openWork(1);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) run(name);
    await settled();
    expect(started).toEqual(['a1']);
    expect(positions).toEqual({ a2: [1], a3: [2, 3, 4], a4: [3, 4, 5, 6], b1: [2], b2: [4, 5], c1: [3] });
    for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) await end(name);
    expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    expect(positions.a4).toEqual([3, 4, 5, 6, 5, 4, 3, 2, 1]);
  });

  test('runs work up to its limit, also after failures', async () => {
    const queue = fairQueue({ maxConcurrency: 2 });
    let [running, mostRunning] = [0, 0];
    const work = async () => {
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      await settled();
      running -= 1;
      throw new Error('failed');
    };
    const ends = await Promise.allSettled(Array.from({ length: 7 }, () => queue.run('a', work, { signal })));
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
    expect(mostRunning).toBe(2);
  });

  test('removes cancelled work, and the others move up', async () => {
    const { run, end, started, positions } = openWork(1);
    const leaving = new AbortController();
    run('a1');
    const left = run('b1', leaving.signal);
    run('c1');
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(positions).toEqual({ b1: [1], c1: [2, 1] });
    await end('a1');
    expect(started).toEqual(['a1', 'c1']);
    await expect(run('d1', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  test('takes no more of a requester who has 50 waiting, and still those of others', async () => {
    const { run, end, started } = openWork(1);
    for (let n = 0; n <= 50; n += 1) run(`a${n}`);
    await expect(run('a51')).rejects.toThrow('50 of your questions are waiting already. Ask again when some of them are answered.');
    run('b1');
    await settled();
    await end('a0');
    await end('a1');
    expect(started).toEqual(['a0', 'a1', 'b1']);
  });

  test('leaves room for others when one requester may not use all of it', async () => {
    const queue = fairQueue({ maxConcurrency: 3, maxPerRequester: 2 });
    const started: string[] = [];
    const ends: (() => void)[] = [];
    const work = (name: string) => () => {
      started.push(name);
      return new Promise<void>((end) => ends.push(end));
    };
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) void queue.run(name.slice(0, 1), work(name), { signal });
    await settled();
    expect(started).toEqual(['a1', 'a2', 'b1']);
    ends[0]?.();
    await settled();
    expect(started).toEqual(['a1', 'a2', 'b1', 'a3']);
    for (const end of ends) end();
    await settled();
    expect(started).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
    for (const end of ends) end();
  });

  test('reports positions as progress', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket, { maxConcurrency: 1 });
    const reported: number[] = [];
    const first = athena.execute(one, { signal, requester: 'U1' });
    const second = athena.execute(one, { signal, requester: 'U2', onProgress: ({ queuePosition }) => reported.push(queuePosition) });
    expect((await first).rows).toEqual((await second).rows);
    expect(reported.slice(0, 2)).toEqual([1, 0]);
  });
});

/** The production engine with the real SDK, over a pocket Athena that answers from DuckDB. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it, test } from 'vitest';
import { type AthenaOptions, dollarsOf, openAthena } from '../athena/engine.ts';
import { fairQueue } from '../athena/fair-queue.ts';
import { literal, parametersOf } from '../athena/literal.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { periodOf } from '../src/clock/period.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import type { Cost, QueryEngine, QueryProgress } from '../src/trail/engine.ts';
import { eventsDuring } from '../src/trail/events.ts';
import { raw, sql } from '../src/trail/sql.ts';
import { type Fate, type Mishap, type Operation, type PocketAthena, pocketAthena } from './support/pocket-athena.ts';
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

/** The engine over a pocket; its clock goes on by 10 ms each time it is read, and its waits are short. */
function athenaOver(pocket: PocketAthena, options: Partial<AthenaOptions> = {}): QueryEngine {
  let read = 0;
  const clock = () => {
    read += 1;
    return new Date(read * 10);
  };
  return openAthena({ client: pocket.client, database: 'trail', workGroup: 'trailbot', extent: () => duck.extent(), clock, pollMs: 1, ...options });
}

const one = sql`select 1 as one`;

describe('what is asked of Athena is answered as from DuckDB:', () => {
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

  /** All of an answer but how long it took, what it cost and which queries it was. */
  const found = ({ coverage, ...answer }: Answer) => ({
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
  ])('%s, and what leads on from it', async (line) => {
    const [here, there] = [openDesk(catalog, duck), openDesk(catalog, athena)];
    const asked = pocket.sent('StartQueryExecution').length;
    const answer = await there.answer(line, { now, signal });
    expect(found(answer)).toEqual(found(await here.answer(line, { now, signal })));
    expect(answer.coverage?.queryIds ?? []).toHaveLength(pocket.sent('StartQueryExecution').length - asked);
    if (!line.startsWith('cost')) expect(answer.coverage?.bytes).toBeGreaterThan(0);
    const [lead] = (answer.table?.rows ?? []).flatMap((row) => row.next ?? []);
    if (lead) expect(found(await there.answer(lead.line, { now, signal })), lead.line).toEqual(found(await here.answer(lead.line, { now, signal })));
  });

  it('each report', async () => {
    const [here, there] = [openDesk(catalog, duck), openDesk(catalog, athena)];
    for (const name of catalog.reports.keys()) {
      for (const date of ['2026-11-20', '2020-01-01']) {
        const day = periodOf('day', date, 'Europe/Berlin');
        if (!day) throw new Error('no such day');
        expect(found(await there.report(name, day, { now, signal }))).toEqual(found(await here.report(name, day, { now, signal })));
      }
    }
  });

  it('2,500 rows on three pages, of which only the first has a header', async () => {
    const statement = sql`select eventid, eventname from events order by eventid limit 2500`;
    const { rows } = await athena.execute(statement, { signal });
    expect(rows).toHaveLength(2500);
    expect(rows).toEqual((await duck.execute(statement, { signal })).rows);
    expect(pocket.sent('GetQueryResults').slice(-3)).toMatchObject([{ MaxResults: 1000 }, { NextToken: 'row 1000' }, { NextToken: 'row 2000' }]);
  });

  it('rows that repeat the header, NULL and empty text', async () => {
    const statement = sql`select * from (values ('a', 'b'), ('a', 'b'), (null, ''), ('', null)) as t(a, b)`;
    expect((await athena.execute(statement, { signal })).rows).toEqual([
      { a: 'a', b: 'b' },
      { a: 'a', b: 'b' },
      { a: null, b: '' },
      { a: '', b: null },
    ]);
  });

  it('a row that reads like a header, at the top of a later page or of a statement that has none', async () => {
    const rows = Array.from({ length: 5 }, () => ({ name: 'name' }));
    await using own = await pocketAthena({ ...duck, execute: async () => ({ rows, cost: { ms: 0 } }) }, { pageRows: 2 });
    for (const statement of [sql`select name from events`, sql`show tables`]) {
      expect((await athenaOver(own).execute(statement, { signal })).rows).toEqual(rows);
    }
  });

  it('no rows', async () => {
    expect((await athena.execute(sql`select eventid from events where eventname = ${'no such'}`, { signal })).rows).toEqual([]);
  });

  it('text that would be SQL if it could', async () => {
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
  it('is the value again, whatever text it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
        const { rows } = await duck.execute(raw(`select ${literal(text)} as text`), { signal });
        expect(rows).toEqual([{ text }]);
      }),
    );
  });

  it('takes numbers that SQL has', () => {
    expect([0, -1.5, 1e21].map(literal)).toEqual(['0', '-1.5', '1e+21']);
    for (const number of [Number.NaN, Number.POSITIVE_INFINITY]) expect(() => literal(number)).toThrow(RangeError);
  });

  it('is 1,024 characters at most, of which quotes count', async () => {
    expect(literal('x'.repeat(1022))).toHaveLength(1024);
    for (const text of ['x'.repeat(1023), 'x'.repeat(1025), "'".repeat(512)]) expect(() => literal(text)).toThrow(UserError);
    await using pocket = await pocketAthena(duck);
    const long = athenaOver(pocket).execute(sql`select 1 from events where eventname = ${'x'.repeat(1025)}`, { signal });
    await expect(long).rejects.toThrow(
      `“${'x'.repeat(40)}…” is too long to look for: Athena takes 1,024 characters. In a filter, its beginning followed by * will do.`,
    );
    expect(pocket.calls).toEqual([]);
  });

  it('belongs to one ?, and a ? in a string, a name or a comment is none', () => {
    expect(parametersOf(one)).toBeUndefined();
    expect(parametersOf({ text: `select '?''?' as "?" -- ?\n /* ? */ where a = ? and b = ?`, values: ['x', 1] })).toEqual(["'x'", '1']);
    expect(() => parametersOf({ text: 'select 1 where a = ?', values: [] })).toThrow('A statement with 1 ? has 0 values');
    expect(() => parametersOf({ text: 'select 1', values: ['x'] })).toThrow('A statement with 0 ? has 1 values');
  });
});

describe('the pocket refuses what Athena does:', () => {
  it.each([
    ['a ? outside of WHERE', sql`select ${'x'} as x`, /mismatched input '\?' in select/],
    ['a ? after LIMIT', sql`select 1 from events where eventname = ${'x'} limit ${1}`, /mismatched input '\?' in limit/],
    ['a ? in a join', sql`select 1 from events a join events b on a.eventid = ${'x'}`, /mismatched input '\?' in on/],
    ['two statements', sql`select 1; select 2`, /Only one sql statement/],
    ['what writes', sql`with x as (select 1) delete from events`, /mismatched input 'delete'/],
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
  it('is started with its database, its workgroup and a token of 64 characters that no other start has', async () => {
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

  it('is started once though the answer to its start was lost', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.trouble('StartQueryExecution', 'answer lost');
    const { rows, cost } = await athenaOver(pocket, { client: pocket.connect({ maxAttempts: 2 }) }).execute(one, { signal });
    expect(rows).toEqual([{ one: '1' }]);
    const [first, again] = pocket.sent('StartQueryExecution');
    expect(again).toEqual(first);
    expect(new Set(pocket.sent('GetQueryExecution').map((input) => input.QueryExecutionId))).toEqual(new Set([cost.queryId]));
  });

  it('is read whole though a page was cut', async () => {
    await using pocket = await pocketAthena(duck, { pageRows: 7 });
    pocket.trouble('GetQueryResults', 'answer cut');
    const statement = sql`select eventid from events order by eventid limit 20`;
    const { rows } = await athenaOver(pocket, { client: pocket.connect({ maxAttempts: 2 }) }).execute(statement, { signal });
    expect(rows).toEqual((await duck.execute(statement, { signal })).rows);
    expect(pocket.sent('GetQueryResults')).toHaveLength(4);
  });

  it('may go back to the queue, and tells how far it is', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ states: ['QUEUED', 'RUNNING', 'QUEUED', 'QUEUED', 'RUNNING'] });
    const told: QueryProgress[] = [];
    const { rows, cost } = await athenaOver(pocket).execute(one, { signal, onProgress: (progress) => told.push(progress) });
    expect(rows).toEqual([{ one: '1' }]);
    expect(told.length).toBeGreaterThan(5);
    expect(told.slice(0, 2)).toEqual([
      { place: 0, ms: 10, bytes: 1000 },
      { place: 0, ms: 20, bytes: 2000 },
    ]);
    expect(cost).toEqual({ ms: 10 * (told.length + 1), bytes: 1000 * told.length, dollars: 0.00005, queryId: expect.any(String) });
  });

  it.each<Operation>(['StartQueryExecution', 'GetQueryExecution', 'GetQueryResults'])('waits until Athena has room for %s', async (operation) => {
    await using pocket = await pocketAthena(duck);
    const full = { error: 'TooManyRequestsException', fields: { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' } };
    const fast = { error: 'ThrottlingException', message: 'Rate exceeded' };
    pocket.trouble(operation, full, fast, full, fast, fast);
    expect((await athenaOver(pocket).execute(one, { signal })).rows).toEqual([{ one: '1' }]);
    expect(new Set(pocket.sent('StartQueryExecution').map((input) => input.ClientRequestToken)).size).toBe(1);
    expect(pocket.sent(operation).length).toBeGreaterThan(5);
  });

  it('that Athena has no room for is waited for only as long as anyone waits', async () => {
    await using pocket = await pocketAthena(duck);
    const requester = new AbortController();
    pocket.trouble('StartQueryExecution', ...Array<Mishap>(1000).fill({ error: 'ThrottlingException' }));
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal });
    await until(() => expect(pocket.calls.length).toBeGreaterThan(2));
    requester.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    expect(pocket.running()).toEqual([]);
  });

  it('that failed and may be tried again is started anew, once', async () => {
    await using pocket = await pocketAthena(duck);
    const passing: Fate = { ends: 'FAILED', reason: 'INTERNAL_ERROR', error: { ErrorCategory: 1, ErrorType: 100, Retryable: true } };
    pocket.foretell(passing);
    expect((await athenaOver(pocket).execute(one, { signal })).rows).toEqual([{ one: '1' }]);
    expect(new Set(pocket.sent('StartQueryExecution').map((input) => input.ClientRequestToken)).size).toBe(2);

    pocket.foretell(passing, passing);
    await expect(athenaOver(pocket).execute(one, { signal })).rejects.toThrow('Athena has trouble of its own. Ask again in a minute.');
    expect(pocket.sent('StartQueryExecution')).toHaveLength(4);
  });

  it('is stopped when its requester leaves', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ endless: true });
    pocket.trouble('StopQueryExecution', { error: 'ThrottlingException' });
    const requester = new AbortController();
    const reason = new Error('no longer');
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal, onProgress: () => requester.abort(reason) });
    await expect(asked).rejects.toBe(reason);
    expect(pocket.stopped()).toHaveLength(1);
    expect(pocket.running()).toEqual([]);
  });

  it('is stopped when its requester left before Athena told its id', async () => {
    await using pocket = await pocketAthena(duck);
    const held = Promise.withResolvers<void>();
    pocket.trouble('StartQueryExecution', { after: held.promise });
    pocket.foretell({ endless: true });
    const requester = new AbortController();
    const asked = athenaOver(pocket).execute(one, { signal: requester.signal });
    await until(() => expect(pocket.calls).toHaveLength(1));
    requester.abort(new Error('no longer'));
    held.resolve();
    await expect(asked).rejects.toThrow('no longer');
    expect(pocket.stopped()).toHaveLength(1);
  });

  it('is stopped when we cannot learn how it goes', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ endless: true });
    pocket.trouble('GetQueryExecution', { error: 'AccessDeniedException', message: 'not authorized to perform: athena:GetQueryExecution' });
    await expect(athenaOver(pocket).execute(one, { signal })).rejects.toThrow('AWS does not let me use athena:GetQueryExecution.');
    expect(pocket.stopped()).toHaveLength(1);
  });

  it('is not even started for a requester who has left, or once the engine is closed', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket);
    await expect(athena.execute(one, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone');
    await athena.close();
    await expect(athena.execute(one, { signal })).rejects.toThrow('I was stopped before the answer came.');
    expect(pocket.calls).toEqual([]);
  });

  it('and all others are stopped by close', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ endless: true }, { endless: true });
    const athena = athenaOver(pocket, { atOnce: 2 });
    const asked = [1, 2, 3].map(() => athena.execute(one, { signal }));
    const ends = Promise.allSettled(asked);
    await until(() => expect(pocket.running()).toHaveLength(2));
    await athena.close();
    expect(pocket.stopped()).toHaveLength(2);
    expect(pocket.sent('StartQueryExecution')).toHaveLength(2);
    for (const end of await ends) expect(end).toMatchObject({ status: 'rejected', reason: expect.any(UserError) });
  });

  it('may be given an earlier result of days that are over, found by its values, too', async () => {
    await using pocket = await pocketAthena(duck);
    const may = (today: string, mayReuse: boolean) =>
      athenaOver(pocket, { clock: () => new Date(`${today}T12:00:00Z`), mayReuse: async () => mayReuse });
    const during = { from: new Date('2026-11-01T00:00:00Z'), to: new Date('2026-11-02T00:00:00Z') };
    const count = (name: string) => sql`select count(*) as events from ${eventsDuring(during)} where eventname = ${name}`;
    await may('2026-11-03', true).execute(count('StopLogging'), { signal });
    await may('2026-11-03', true).execute(count('DeleteTrail'), { signal });
    await may('2026-11-02', true).execute(count('StopLogging'), { signal });
    await may('2026-11-03', false).execute(count('StopLogging'), { signal });
    await may('2026-11-03', true).execute(one, { signal });
    const [over, other, late, ...never] = pocket.sent('StartQueryExecution');
    expect(over?.ResultReuseConfiguration).toEqual({ ResultReuseByAgeConfiguration: { Enabled: true, MaxAgeInMinutes: 1440 } });
    expect(other?.ResultReuseConfiguration).toEqual(over?.ResultReuseConfiguration);
    expect(other?.QueryString).not.toBe(over?.QueryString);
    // Files of 1 November are delivered on the 2nd, too.
    for (const start of [late, ...never]) expect(start).not.toHaveProperty('ResultReuseConfiguration');
  });
});

describe('what is paid for', () => {
  const billedBy = async (pocket: PocketAthena, options: { readonly signal?: AbortSignal } = {}) => {
    const billed: Cost[] = [];
    const athena = athenaOver(pocket, { dollarsPerTb: 5 });
    const ended = await athena.execute(one, { signal, onBilled: (cost) => billed.push(cost), ...options }).catch((error: unknown) => error);
    return { billed, ended };
  };

  it('is what Athena scanned, by the megabyte and ten at least', () => {
    expect([0, 1, 10_000_000, 11_999_999, 1_200_000_000_000].map((bytes) => dollarsOf(bytes, 5))).toEqual([0, 0.00005, 0.00005, 0.00006, 6]);
  });

  it('is told once for a query that is answered', async () => {
    await using pocket = await pocketAthena(duck);
    const { billed, ended } = await billedBy(pocket);
    expect(billed).toHaveLength(1);
    expect(billed).toEqual([{ ...(ended as { cost: Cost }).cost, ms: expect.any(Number), dollars: 0.00005 }]);
  });

  it('is told for each try, and for a query that failed', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ ends: 'FAILED', error: { Retryable: true } }, { ends: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR' });
    const { billed, ended } = await billedBy(pocket);
    expect(ended).toBeInstanceOf(Error);
    expect(billed.map(({ bytes }) => bytes)).toEqual([1000, 1000]);
    expect(new Set(billed.map(({ queryId }) => queryId)).size).toBe(2);
  });

  it('is told for a query that is stopped: what was read until then is billed', async () => {
    await using pocket = await pocketAthena(duck);
    pocket.foretell({ endless: true });
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

describe('a list of the newest', () => {
  it('reads no further back than it has to', async () => {
    await using pocket = await pocketAthena(duck);
    const [here, there] = [openDesk(catalog, duck), openDesk(catalog, athenaOver(pocket))];
    const asking = { now, signal };
    const [few, same] = [await there.answer('events top:5 6mo', asking), await here.answer('events top:5 6mo', asking)];
    expect(few.table).toEqual(same.table);
    expect(pocket.sent('StartQueryExecution').map(({ ExecutionParameters }) => (ExecutionParameters as string[]).slice(0, 2))).toEqual([
      ["'2026/11/19'", "'2026/11/21'"],
    ]);
  });

  it('shows what was found so far while older days are read', async () => {
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

describe('a failure is told to the requester:', () => {
  const missing = "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.trail.events' does not exist";
  it.each<[string, Fate | Mishap, string]>([
    [
      'the workgroup’s limit of bytes',
      { ends: 'CANCELLED', reason: 'Bytes scanned limit was exceeded' },
      'That would read more than the workgroup “trailbot” lets one question read, so Athena stopped it. Ask about a shorter time',
    ],
    ['its time limit', { ends: 'FAILED', reason: 'Query timeout' }, 'Athena did not finish within its time limit. Ask about a shorter time'],
    [
      'too much for it',
      { ends: 'FAILED', reason: 'Query exhausted resources at this scale factor', error: { ErrorCategory: 1, ErrorType: 3 } },
      'That is more than Athena can take in one go. Ask about a shorter time',
    ],
    ['no tables', { ends: 'FAILED', reason: missing, error: { ErrorType: 1301 } }, '`npm run setup -- --apply` makes them.'],
    [
      'no tables, as it said once',
      { ends: 'FAILED', reason: 'SYNTAX_ERROR: line 1:15: Table trail.events does not exist' },
      '`npm run setup -- --apply` makes them.',
    ],
    [
      'no database',
      { ends: 'FAILED', reason: "SCHEMA_NOT_FOUND: line 1:15: Schema 'trail' does not exist" },
      'The trail’s tables are not in the database “trail” in eu-central-1. `npm run setup -- --apply` makes them.',
    ],
    [
      'tables of another version',
      { ends: 'FAILED', reason: "COLUMN_NOT_FOUND: line 1:8: Column 'actor' cannot be resolved", error: { ErrorType: 1006 } },
      '`npm run setup -- --apply` brings them up to date.',
    ],
    [
      'no access to the bucket',
      { ends: 'FAILED', reason: 'Permission denied on S3 path: s3://acme-trail/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20' },
      'AWS does not let me read the trail in the bucket “acme-trail”. Whoever runs me has to allow it',
    ],
    [
      'no access by S3’s words',
      { ends: 'FAILED', reason: 'GENERIC_INTERNAL_ERROR: Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)' },
      'AWS does not let me read the trail. Whoever runs me has to allow it',
    ],
    [
      'no use of the key',
      {
        ends: 'FAILED',
        reason:
          'User: arn:aws:sts::111122223333:assumed-role/trailbot/x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext',
      },
      'I may not use the KMS key that the trail is encrypted with.',
    ],
    [
      'no place for results',
      {
        ends: 'FAILED',
        reason:
          'Access denied when writing output to url: s3://acme-results/x.csv . Please ensure you are allowed to access the S3 bucket. If you are encrypting query results with KMS key, please ensure you are allowed to access your KMS key',
        error: { ErrorType: 401 },
      },
      'Athena has no place for its results in the bucket “acme-results”, or I cannot read them there. Check the result location of the workgroup “trailbot”',
    ],
    [
      'no location for results',
      {
        error: 'InvalidRequestException',
        message:
          'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
      },
      'Athena has no place for its results, or I cannot read them there. Check the result location of the workgroup “trailbot”',
    ],
    [
      'a location that is not its',
      { error: 'InvalidRequestException', message: 'Unable to verify/create output bucket acme-results' },
      'Athena has no place for its results, or I cannot read them there. Check the result location of the workgroup “trailbot”',
    ],
    [
      'no workgroup',
      { error: 'InvalidRequestException', message: 'WorkGroup is not found.', fields: { AthenaErrorCode: 'INVALID_INPUT' } },
      'There is no workgroup “trailbot” in eu-central-1 that takes questions. `npm run setup -- --apply` makes it; if it is disabled, enable it in Athena, or set ATHENA_WORKGROUP to another.',
    ],
    [
      'no permission to ask',
      {
        error: 'AccessDeniedException',
        message:
          'User: arn:aws:iam::111122223333:user/x is not authorized to perform: athena:StartQueryExecution on resource: arn:aws:athena:eu-central-1:111122223333:workgroup/trailbot',
      },
      'AWS does not let me use athena:StartQueryExecution. Whoever runs me has to allow it',
    ],
    [
      'expired credentials',
      { error: 'ExpiredTokenException', message: 'The security token included in the request is expired' },
      'My AWS credentials have expired.',
    ],
    [
      'credentials that are not for the region',
      { error: 'UnrecognizedClientException', message: 'The security token included in the request is invalid.' },
      'AWS does not know my credentials in eu-central-1. Whoever runs me should check AWS_REGION',
    ],
    [
      'a bucket in another region',
      {
        ends: 'FAILED',
        reason: 'The bucket is in this region: us-west-2. Please use this region to retry the request (Service: Amazon S3; Status Code: 301)',
      },
      'I ask in eu-central-1, but the bucket is in us-west-2. Start me with AWS_REGION=us-west-2.',
    ],
    [
      'S3 asking for fewer requests',
      {
        ends: 'FAILED',
        reason:
          'HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://acme-trail/AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/x.json.gz: Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: SlowDown; Request ID: 7A4BF6EXAMPLE)',
        error: { ErrorCategory: 1 },
      },
      'S3 asked Athena for fewer requests, and Athena gave up. Ask again in a minute. A shorter time needs fewer.',
    ],
    [
      'S3 asking for fewer requests where the results go',
      {
        ends: 'FAILED',
        reason: 'SlowDown: Please reduce your request rate, when writing output to url: s3://acme-results/x.csv',
        error: { ErrorType: 401 },
      },
      'S3 asked Athena for fewer requests, and Athena gave up.',
    ],
    ['a broken file', { ends: 'FAILED', reason: 'HIVE_BAD_DATA: Error parsing' }, 'Athena cannot read one of the trail’s files of that time.'],
    ['someone’s stop', { ends: 'CANCELLED', reason: 'Query cancelled by user' }, 'Someone stopped the query in Athena.'],
    [
      'trouble inside',
      { ends: 'FAILED', reason: 'INTERNAL_ERROR', error: { ErrorCategory: 1 } },
      'Athena has trouble of its own. Ask again in a minute.',
    ],
    ['trouble at its door', { error: 'InternalServerException', status: 500 }, 'Athena has trouble of its own. Ask again in a minute.'],
    ['no answer', 'answer lost', 'I cannot reach Athena in eu-central-1. Ask again in a minute.'],
  ])('%s', async (_, trouble, sentence) => {
    await using pocket = await pocketAthena(duck);
    if (typeof trouble === 'object' && 'ends' in trouble) pocket.foretell(trouble);
    else pocket.trouble('StartQueryExecution', trouble as Mishap);
    const failure = await failureIn(athenaOver(pocket));
    expect(failure).toBeInstanceOf(UserError);
    expect(failure.message).toContain(sentence);
    expect(failure.cause).toBeInstanceOf(Error);
    expect(pocket.sent('StartQueryExecution')).toHaveLength(1);
  });

  it('no credentials, no region, no way there', async () => {
    await using pocket = await pocketAthena(duck);
    const none = Object.assign(new Error('Could not load credentials from any providers'), { name: 'CredentialsProviderError' });
    const without = pocket.connect({ credentials: () => Promise.reject(none) });
    expect((await failureIn(athenaOver(pocket, { client: without }))).message).toMatch(/^I have no AWS credentials[.]/);
    const nowhere = pocket.connect({ region: (() => Promise.reject(new Error('Region is missing'))) as unknown as string });
    expect((await failureIn(athenaOver(pocket, { client: nowhere }))).message).toMatch(/^I do not know which AWS region to ask in[.]/);
    const away = pocket.connect({ endpoint: 'http://127.0.0.1:1' });
    expect((await failureIn(athenaOver(pocket, { client: away }))).message).toMatch(/^I cannot reach Athena in eu-central-1[.]/);
  });

  it('but what we wrote wrong is not theirs to mend, and goes to the log with the query’s id', async () => {
    await using pocket = await pocketAthena(duck);
    const words = "line 1:8: mismatched input 'kms'. Expecting: 'access denied', 'table does not exist'";
    pocket.trouble('StartQueryExecution', { error: 'InvalidRequestException', message: words, fields: { AthenaErrorCode: 'MALFORMED_QUERY' } });
    const refused = await failureIn(athenaOver(pocket));
    expect(refused).not.toBeInstanceOf(UserError);
    expect(refused.message).toBe(`Athena refused a statement: InvalidRequestException: MALFORMED_QUERY: ${words}`);
    expect(refused.cause).toMatchObject({ name: 'InvalidRequestException' });

    pocket.foretell({ ends: 'FAILED', reason: "FUNCTION_NOT_FOUND: line 1:8: Function 'array_joyn' not registered" });
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

describe('turns', () => {
  /** Work for requesters, by name; `end` ends what has begun under a name. */
  function works(atOnce: number) {
    const queue = fairQueue({ atOnce });
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const places: Record<string, number[]> = {};
    return {
      begun,
      places,
      run(name: string, given: AbortSignal = signal): Promise<string> {
        const work = () => {
          begun.push(name);
          return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
        };
        const onPlace = (place: number) => {
          places[name] = [...(places[name] ?? []), place];
        };
        return queue.run(name.slice(0, 1), work, { signal: given, onPlace });
      },
      async end(name: string): Promise<void> {
        ends.get(name)?.();
        await settled();
      },
    };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('go round the requesters, so that one who asks much does not keep the others waiting', async () => {
    const { run, end, begun, places } = works(1);
    for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']) run(name);
    await settled();
    expect(begun).toEqual(['a1']);
    expect(places).toEqual({ a2: [1], a3: [2, 3, 4], a4: [3, 4, 5, 6], b1: [2], b2: [4, 5], c1: [3] });
    for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2']) await end(name);
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    expect(places.a4).toEqual([3, 4, 5, 6, 5, 4, 3, 2, 1]);
  });

  test('are taken by as many as may go at once, and given on after a failure', async () => {
    const queue = fairQueue({ atOnce: 2 });
    let [going, most] = [0, 0];
    const work = async () => {
      going += 1;
      most = Math.max(most, going);
      await settled();
      going -= 1;
      throw new Error('failed');
    };
    const ends = await Promise.allSettled(Array.from({ length: 7 }, () => queue.run('a', work, { signal })));
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true);
    expect(most).toBe(2);
  });

  test('are given up by whoever leaves, and the others move up', async () => {
    const { run, end, begun, places } = works(1);
    const leaving = new AbortController();
    run('a1');
    const left = run('b1', leaving.signal);
    run('c1');
    leaving.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect(places).toEqual({ b1: [1], c1: [2, 1] });
    await end('a1');
    expect(begun).toEqual(['a1', 'c1']);
    await expect(run('d1', AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  });

  test('are told as progress', async () => {
    await using pocket = await pocketAthena(duck);
    const athena = athenaOver(pocket, { atOnce: 1 });
    const told: number[] = [];
    const first = athena.execute(one, { signal, requester: 'U1' });
    const second = athena.execute(one, { signal, requester: 'U2', onProgress: ({ queuePosition: place }) => told.push(place) });
    expect((await first).rows).toEqual((await second).rows);
    expect(told.slice(0, 2)).toEqual([1, 0]);
  });
});

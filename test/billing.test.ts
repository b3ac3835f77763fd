/** The cost of questions: a small trail with a price, over the real desk, billing and ledger. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import { periodOf } from '../src/answer/period.ts';
import { openBilling, type SpendingLimits } from '../src/desk/billing.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { UserError } from '../src/errors.ts';
import { toText } from '../src/message/message.ts';
import { toTerminal } from '../src/message/terminal.ts';
import { parseLine } from '../src/question/parse.ts';
import { type LedgerEntry, openLedger } from '../src/state/ledger.ts';
import { openVersionBucket } from '../src/state/version-bucket.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine, QueryLimits } from '../src/trail/engine.ts';
import { NO_READS } from '../src/trail/estimate.ts';
import type { Days, Sql } from '../src/trail/sql.ts';
import type { TimeRange } from '../src/trail/time-window.ts';
import { pocketBucket } from './support/bucket.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { openFolder, record, trailFolder, trailOf } from './support/trail-folder.ts';

const NOW = new Date('2026-05-10T21:00:00Z');
/** The ledger in a folder. */
const monthsIn = (folder: string) => (month: string) => openVersionFolder(join(folder, `spent-${month}`));
const ENTRY: LedgerEntry = {
  at: '2026-05-10T20:59:00.000Z',
  requester: 'U0ALICE',
  kind: 'command',
  name: 'rare',
  question: 'q',
  ms: 1,
  bytes: 1,
  dollars: 1,
  queryId: null,
};
const fail = (error: unknown): never => {
  throw error;
};
const signal = new AbortController().signal;
const root = new URL('../', import.meta.url);
/** Bytes in the folders of one day, and their cost. */
const DAY_BYTES = 20e9;
const DAY_DOLLARS = 0.1;
const DAY_FILES = 1000.4;
const DAY_SECONDS = 0.1;

const daysIn = ({ first, last }: { readonly first: string; readonly last: string }): number =>
  (Date.parse(last.replaceAll('/', '-')) - Date.parse(first.replaceAll('/', '-'))) / 86_400_000 + 1;

/** A desk with an engine that costs 10 cents for each day that is read. */
async function pricedDesk(
  limits: Partial<SpendingLimits> = {},
  {
    mostBytes,
    more,
    isStuck = false,
    centsPerDay = 100 * DAY_DOLLARS,
  }: { readonly mostBytes?: number; readonly more?: QueryLimits; readonly isStuck?: boolean; readonly centsPerDay?: number } = {},
) {
  let at = NOW;
  const stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-spent-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const trail = stack.use(await trailFolder());
  await trail.deliver([record({ eventTime: '2026-05-10T10:00:00Z' }), record({ eventTime: '2026-05-10T09:00:00Z' })], { day: '2026/05/10' });
  const { engine: duck } = stack.use(await openFolder(trail));
  const engine: QueryEngine = {
    ...duck,
    async execute(statement, execution) {
      const days = (statement.reads ?? []).reduce((sum, each) => sum + daysIn(each), 0);
      const cost = { ms: 10, bytes: days * DAY_BYTES, dollars: days * DAY_DOLLARS, queryId: 'q' };
      try {
        return { rows: (await duck.execute(statement, execution)).rows, cost };
      } finally {
        execution.onBilled?.(cost);
      }
    },
    limits: async () => ({ bytes: mostBytes, ...more }),
    // As Athena, which keeps neither activity nor mentions.
    kept: async () => [],
    async estimate(reads) {
      if (isStuck) await new Promise(() => undefined);
      const days = reads.reduce((sum, each) => sum + daysIn(each), 0);
      const dollars = (days * centsPerDay) / 100;
      const parts = { ...NO_READS.parts, scan: dollars * 0.75, gets: dollars * 0.25 };
      return { bytes: days * DAY_BYTES, dollars, parts, files: days * DAY_FILES, folders: days, seconds: days * DAY_SECONDS };
    },
  };
  const ledger = openLedger(monthsIn(folder), (error) => {
    throw error;
  });
  const desk = openDesk(await loadRegistry(root), engine, { billing: openBilling(engine, ledger, { confirmAbove: 1, ...limits }, () => at) });
  const ask = (line: string, requester = 'U0ALICE', now = NOW) => desk.answer(line, { now, signal, requester });
  const setClock = (now: Date) => {
    at = now;
  };
  return { desk, ask, setClock, ledger, folder, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const refusal = async (answer: Promise<unknown>): Promise<UserError> => {
  const error = await answer.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof UserError)) throw new Error(`not refused: ${error}`);
  return error;
};

describe('The price of a question', () => {
  test('is shown with its parts, and nothing is read for it', async () => {
    await using open = await pricedDesk();
    const answer = await open.ask('price events by:user 60d');
    expect(answer).toMatchObject({ line: 'price events by:user 60d', next: [{ label: 'Ask it', line: 'events by:user 60d' }] });
    expect(answer.table?.rows.map(({ cells }) => cells)).toEqual([
      { part: 'Athena: bytes scanned', amount: '1.2 TB', dollars: 4.65 },
      { part: 'S3: files opened (GET)', amount: '62,025 files', dollars: 1.55 },
    ]);
    expect(toTerminal(answer, new URL('templates/', root), 200)).toContain(
      'events by:user 60d costs about $6.20 and takes about 7 s: it reads 1.2 TB in 62,025 files.',
    );
    expect(await open.ledger.during(new Date(0), NOW)).toEqual([]);
  });

  test('says why the question would not be run', async () => {
    await using open = await pricedDesk({ perUser: 1 }, { more: { folders: 10 } });
    const terminal = async (line: string) => toTerminal(await open.ask(line), new URL('templates/', root), 400);
    expect(await terminal('price count by:user 60d')).toContain(
      'It would not be run. This costs about $6.20, and $0 of your $1 budget for today is spent.',
    );
    await using other = await pricedDesk({}, { more: { folders: 10 } });
    const refused = await other.ask('price count by:user 60d');
    expect(toTerminal(refused, new URL('templates/', root), 400)).toContain('It would not be run. One query would look into 62 folders');
    expect(refused.next).toEqual([]);
  });

  test('is “up to” for a question that may end early', async () => {
    await using open = await pricedDesk();
    expect(toTerminal(await open.ask('price of events 60d'), new URL('templates/', root), 200)).toContain('events 60d costs up to $6.20');
  });

  test('is none where the trail is on this machine, and not known before the trail is measured', async () => {
    const catalog = await loadRegistry(root);
    await using duck = new DisposalStack();
    const engine = await openDuckDB(inject('sampleStore'));
    duck.defer(() => engine.close());
    const asking = { now: new Date(SAMPLE_END), signal };
    const free = await openDesk(catalog, engine).answer('price rare 6mo', asking);
    expect(toTerminal(free, new URL('templates/', root), 200)).toContain('Questions are free here');
    const folder = await mkdtemp(join(tmpdir(), 'trailbot-unmeasured-'));
    duck.defer(() => rm(folder, { recursive: true, force: true }));
    const unmeasured: QueryEngine = { ...engine, estimate: async () => undefined };
    const billing = openBilling(
      unmeasured,
      openLedger(monthsIn(folder), () => undefined),
      { confirmAbove: 1 },
      () => NOW,
    );
    const unknown = await openDesk(catalog, unmeasured, { billing }).answer('price rare 6mo', asking);
    expect(toTerminal(unknown, new URL('templates/', root), 400)).toContain('The trail is not measured yet, so the price of rare 6mo is not known.');
  });

  test('says when the budget or Athena does not allow the first part of a list', async () => {
    await using poor = await pricedDesk({ perUser: 0.05 });
    const refused = await poor.ask('price events 60d');
    expect(toTerminal(refused, new URL('templates/', root), 400)).toContain(
      'It would not be run. This costs about $0.40, and $0 of your $0.05 budget',
    );
    expect(refused.next).toEqual([]);
    await using rich = await pricedDesk({ perUser: 1 });
    expect((await rich.ask('price events 60d')).next).toEqual([{ label: 'Ask it', line: 'events 60d' }]);
  });

  test('is asked for as one would say it, and a small one has no “about”', async () => {
    await using open = await pricedDesk();
    for (const line of ['/trail price rare 60d', 'trail price: rare 60d', 'please show me the price of rare 60d'])
      expect((await open.ask(line)).line, line).toBe('price rare 60d');
    await using cheap = await pricedDesk({}, { centsPerDay: 0.001 });
    expect(toTerminal(await cheap.ask('price rare 1d'), new URL('templates/', root), 400)).toContain('rare 1d costs less than $0.01 and takes');
  });

  test('repeats no secret, and needs a whole access key', async () => {
    await using open = await pricedDesk();
    const answer = await open.ask('price text:"password=hunter2secret99" 7d');
    expect(answer).not.toHaveProperty('line');
    expect(answer.next).toEqual([]);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect((await open.ask('price key AKIAIOSFODNN7EXAMPLE 7d')).next).toEqual([{ label: 'Ask it', line: 'key AKIAIOSFODNN7EXAMPLE 7d' }]);
    const { message, suggestion, choices } = await refusal(open.ask('price events key:AKIA…MPLE 7d'));
    expect({ message, suggestion, choices }).toEqual({
      message: 'Finding the whole access key takes a query, and a price takes none. Write the whole key.',
      suggestion: undefined,
      choices: [],
    });
    expect(await open.ledger.during(new Date(0), NOW)).toEqual([]);
  });

  test('of a line with a mistake is offered for the corrected line', async () => {
    await using open = await pricedDesk();
    expect((await refusal(open.ask('price evnts 60d'))).suggestion).toBe('price events 60d');
    expect((await refusal(open.ask('price rare 6mo evnt:x'))).suggestion).toMatch(/^price rare event:x 6mo$/);
    for (const line of ['price help', 'price', 'price of', 'trail price:'])
      expect(await refusal(open.ask(line)), line).toMatchObject({ message: '“price” needs a question.', suggestion: 'price events 7d' });
    expect((await refusal(open.ask('price xyzzy'))).suggestion ?? 'help').toBe('help');
  });
});

describe('An expensive question', () => {
  test('needs a confirmation before it reads anything, with its cost and a cheaper choice', async () => {
    await using open = await pricedDesk();
    const { message, choices } = await refusal(open.ask('events by:user 60d'));
    expect(message).toBe('This reads about 1.2 TB (about $6.20). Run it?');
    expect(choices).toEqual([
      { label: 'Run it', line: 'events by:user 60d spend:8' },
      { label: 'Only 7d (about $0.90)', line: 'events by:user 7d' },
      { label: 'What it costs', line: 'price events by:user 60d' },
    ]);
    expect(await open.ledger.during(new Date(0), NOW)).toEqual([]);
  });

  test('runs when its line allows the cost, and the answer shows the cost', async () => {
    await using open = await pricedDesk();
    const answer = await open.ask('events by:user 60d spend:8');
    expect(answer.coverage).toMatchObject({ bytes: 62 * DAY_BYTES, queryIds: ['q'] });
    expect(answer.coverage?.dollars).toBeCloseTo(6.2);
    expect(toTerminal(answer, new URL('templates/', root), 200)).toContain('1.2 TB · $6.20 · 10 ms · query q\n');
    expect(parseLine(answer.line ?? '').spend).toBe(8);
  });

  test('over a past time offers the newest part of it', async () => {
    await using open = await pricedDesk();
    const { choices } = await refusal(open.ask('rare 2026-01-01..2026-03-31'));
    expect(choices[1]).toEqual({
      label: 'Only 2026-03-25..2026-03-31 (about $0.80)',
      line: 'rare 2026-03-25..2026-03-31',
    });
  });

  test('is estimated by how often its command or report reads its window, which matches the queries', async () => {
    const catalog = await loadRegistry(root);
    const duck = await openDuckDB(inject('sampleStore'));
    const engine = { ...duck, kept: async () => [] };
    const desk = openDesk(catalog, engine);
    const priced = openDesk(catalog, { ...engine, estimate: async () => undefined });
    const [now, read] = [new Date(SAMPLE_END), [] as Days[]];
    const asking = { now, signal, onQuery: ({ reads = [] }: Sql) => read.push(...reads) };
    const timesRead = (days: number) => read.splice(0).reduce((sum, each) => sum + daysIn(each), 0) / days;
    for (const [name, report] of catalog.reports) {
      const period = periodOf(report.period, '2026-10-19', 'UTC') as TimeRange;
      await desk.report(name, period, asking);
      // Each reading has one day more, for files that are delivered late.
      const days = (period.to.getTime() - period.from.getTime()) / 86_400_000;
      const readings = report.reads ?? 1;
      expect(timesRead(days + 1), name).toBe(readings);
    }
    for (const [name, command] of catalog.commands) {
      if (command.reads === 0) continue;
      const { coverage } = await desk.answer(`${name} ${command.example}`, asking);
      const days = (Date.parse(coverage?.to ?? '') - Date.parse(coverage?.from ?? '')) / 86_400_000;
      // Root's sessions take a few days more. Following a launch back is estimated query by query.
      expect(timesRead(days), name).toBeLessThan((command.reads ?? 1) + (name === 'who-started' ? 2.5 : 0.2));
      // A question that begins with a part of its window must declare it, so that it is estimated part by part.
      await priced.answer(`${name} ${command.example}`, asking);
      const [first] = read.splice(0);
      if (first && first.first.replaceAll('/', '-') > (coverage?.from ?? '')) expect(command, name).toHaveProperty('isNewestFirst');
    }
    await engine.close();
  });

  test('needs another confirmation when it has to read more than expected', async () => {
    await using open = await pricedDesk();
    const { message, choices } = await refusal(open.ask('event 00000000-0000-4000-8000-000000000000 2026-05-01'));
    expect(message).toBe('This reads about 620.0 GB more (about $3.10). Continue?');
    expect(choices).toEqual([{ label: 'Continue (about $3.10)', line: 'event 00000000-0000-4000-8000-000000000000 2026-05-01 spend:4' }]);
    // Paid rows are not paid for again.
    const answer = await open.ask(choices[0]?.line ?? '');
    expect(answer.coverage?.dollars).toBeCloseTo(3.1);
    const paid = await open.ledger.during(new Date(0), new Date(NOW.getTime() + 1));
    expect(paid.reduce((sum, { dollars }) => sum + dollars, 0)).toBeCloseTo(3.3);
  });

  test('that may stop early shows partial results, and needs a confirmation to go on', async () => {
    await using open = await pricedDesk({ confirmAbove: 1.5 });
    const few = await open.ask('events top:1 120d');
    expect(few.coverage?.dollars).toBeCloseTo(0.4);
    const some = await open.ask('events 120d');
    expect(some.table?.rows).toHaveLength(2);
    expect(some.note).toBe('This reads about 2.2 TB in 108,043 files more (about $10.80, about 11 s). Continue?');
    expect(some.next?.[0]).toEqual({ label: 'Continue (about $10.80)', line: 'events 2026-01-10T21:00:00..2026-05-10T21:00:00 spend:15' });
    const whole = await open.ask(some.next?.[0]?.line ?? '');
    expect(whole.note).toBeUndefined();
    expect(whole.table?.rows).toHaveLength(2);
  });

  test('cannot be run when it would look into more folders or take longer than is allowed, and says what does', async () => {
    await using wide = await pricedDesk({ confirmAbove: 100 }, { more: { folders: 40 } });
    const { message, choices } = await refusal(wide.ask('rare 60d'));
    expect(message).toBe(
      'One query would look into 62 folders, one for each account, region and day, and Athena allows 40. Ask about a shorter time, or one account with account:, or one region with region:.',
    );
    expect(choices).toEqual([{ label: 'Only 30d (about $3.20)', line: 'rare 30d' }]);
    await using long = await pricedDesk({ confirmAbove: 100 }, { more: { seconds: 3 } });
    expect((await refusal(long.ask('rare 60d'))).message).toMatch(
      /^One query would open about 62,025 log files, which takes about 7 s, and QUERY_TIMEOUT_SECONDS allows 3 s[.]/,
    );
    expect(await long.ledger.during(new Date(0), NOW)).toEqual([]);
  });

  test('that lists the newest events is asked in parts within the limits', async () => {
    await using open = await pricedDesk({ confirmAbove: 100 }, { more: { folders: 12 } });
    const read: number[] = [];
    const onQuery = ({ reads = [] }: Sql) => read.push(...reads.map(daysIn));
    const { table } = await open.desk.answer('events 60d', { now: NOW, signal, requester: 'U0ALICE', onQuery });
    expect(table?.rows).toHaveLength(2);
    expect(read.length).toBeGreaterThan(5);
    expect(Math.max(...read)).toBeLessThanOrEqual(12);
  });

  test('cannot be run when Athena would stop it', async () => {
    await using open = await pricedDesk({}, { mostBytes: 1e12 });
    const { message, choices } = await refusal(open.ask('rare 60d'));
    expect(message).toBe(
      'One query would read about 1.2 TB, and this Athena workgroup allows 1.0 TB per query. Ask about a shorter time, or one account with account:, or one region with region:.',
    );
    expect(choices).toEqual([{ label: 'Only 30d (about $3.20)', line: 'rare 30d' }]);
  });

  test('over future days offers a part of the past days', async () => {
    await using open = await pricedDesk();
    const { choices } = await refusal(open.ask('rare 2026-04-01..2026-12-31'));
    expect(choices[1]).toEqual({ label: 'Only 7d (about $0.90)', line: 'rare 7d' });
  });

  test('times out when its estimate takes too long', async () => {
    await using open = await pricedDesk({}, { isStuck: true });
    await expect(open.desk.answer('rare 7d', { now: NOW, signal: AbortSignal.timeout(20), requester: 'U0ALICE' })).rejects.toThrow('timeout');
  });

  test('keeps its empty answer when the search for other spellings would be expensive', async () => {
    await using open = await pricedDesk();
    const answer = await open.ask('events by:user event:deletebucket 7d');
    expect(answer.table?.rows).toEqual([]);
    expect(answer.coverage?.dollars).toBeCloseTo(0.9);
  });

  test('runs without a confirmation when it is a report', async () => {
    await using open = await pricedDesk({ confirmAbove: 0 });
    const day = { from: new Date('2026-05-09T00:00:00Z'), to: new Date('2026-05-10T00:00:00Z') };
    expect((await open.desk.report('daily', day, { now: NOW, signal })).coverage?.dollars).toBeGreaterThan(0);
  });
});

describe('A budget', () => {
  test('for a person covers one UTC day, and a refusal shows what is spent and a question that fits', async () => {
    await using open = await pricedDesk({ confirmAbove: 10, perUser: 2 });
    await open.ask('rare 7d');
    const { message, choices } = await refusal(open.ask('rare 14d'));
    expect(message, JSON.stringify(choices)).toBe(
      'This costs about $1.60, and $0.90 of your $2 budget for today is spent. The budget resets at 00:00 UTC, in 3 hours. A shorter time costs less.',
    );
    expect(choices).toEqual([{ label: 'Only 7d (about $0.90)', line: 'rare 7d' }]);
    await expect(open.ask('rare 14d', 'U0BOB')).resolves.toBeDefined();
    // The budget uses the real clock, whatever `now` is.
    await expect(open.ask('rare 14d', 'U0ALICE', new Date('2026-05-12T00:00:00Z'))).rejects.toThrow('of your $2 budget');
    open.setClock(new Date('2026-05-11T00:00:00Z'));
    await expect(open.ask('rare 14d')).resolves.toBeDefined();
  });

  test('for all people and reports cannot be raised with spend:', async () => {
    await using open = await pricedDesk({ confirmAbove: 10, perDay: 1 });
    await open.ask('rare 7d');
    expect((await refusal(open.ask('rare 7d spend:100', 'U0BOB'))).message).toContain("$0.90 of today's shared $1 budget is spent");
    const day = { from: new Date('2026-05-09T00:00:00Z'), to: new Date('2026-05-10T00:00:00Z') };
    expect((await refusal(open.desk.report('daily', day, { now: NOW, signal }))).message).toContain("today's shared $1 budget");
  });

  test('is not exceeded by two questions at once', async () => {
    await using open = await pricedDesk({ confirmAbove: 10, perUser: 1 });
    const ends = await Promise.allSettled([open.ask('rare 7d'), open.ask('rare 6d')]);
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('The cost', () => {
  test('is listed by requester and command, highest first', async () => {
    await using open = await pricedDesk({ confirmAbove: 10 });
    await open.ask('rare 7d', 'U0BOB');
    await open.ask('events 24h');
    await open.ask('events 23h');
    await open.desk.report('daily', { from: new Date('2026-05-09T00:00:00Z'), to: new Date('2026-05-10T00:00:00Z') }, { now: NOW, signal });
    const answer = await open.ask('cost 7d', 'U0BOB', new Date('2026-05-10T22:00:00Z'));
    expect(answer.table?.rows.map(({ cells }) => [cells.who, cells.what, cells.questions, cells.queries, cells.dollars])).toEqual([
      ['U0BOB', 'rare', 1, 1, 0.9],
      ['U0ALICE', 'events', 2, 2, 0.6],
      ['the schedule', 'daily report', 1, 1, 0.2],
    ]);
    expect(toText(answer, new URL('templates/', root))).toBe(
      '4 questions cost $1.70: 340.0 GB scanned in 4 queries for 2 people; most by U0BOB with rare, $0.90. Today: $1.70.',
    );
  });

  test('includes questions that failed or were cancelled', async () => {
    await using open = await pricedDesk({ perUser: 0.7 });
    const leaving = new AbortController();
    const desk = open.desk.answer('root-logins 1d', {
      now: NOW,
      requester: 'U0ALICE',
      signal: leaving.signal,
      onQuery: () => leaving.abort(new Error('gone')),
    });
    await expect(desk).rejects.toThrow('gone');
    expect((await open.ledger.during(new Date(0), new Date(NOW.getTime() + 1))).map(({ name, dollars }) => [name, dollars])).toEqual([
      ['root-logins', expect.closeTo(0.3)],
    ]);
    // Its reservation is released.
    await expect(open.ask('rare 1d')).resolves.toBeDefined();
  });

  test('is nothing without billing', async () => {
    await using open = await trailOf(record());
    expect(toText(await open.ask('cost'), new URL('templates/', root))).toBe('Questions are free here: the trail is read on this machine.');
  });

  test('is counted by all processes that share the state, also after a restart, and without a record that is damaged', async () => {
    await using open = await pricedDesk();
    const months = monthsIn(open.folder);
    const errors: unknown[] = [];
    const [first, second] = [openLedger(months, fail), openLedger(months, (error) => errors.push(error))];
    await Promise.all(Array.from({ length: 350 }, (_, n) => first.add({ ...ENTRY, question: `first ${n}` })));
    await second.add({ ...ENTRY, question: 'second' });
    await writeFile(join(open.folder, 'spent-2026-05', '000001-2026-05-10-damaged-1.json'), '[{"at":"2026-05-10T2');
    const again = openLedger(months, (error) => errors.push(error));
    const day = await again.during(new Date('2026-05-10T00:00:00Z'), new Date('2026-05-11T00:00:00Z'));
    expect(day).toHaveLength(351);
    expect(new Set(day.map(({ question }) => question)).size).toBe(351);
    expect(String(errors[0])).toContain('000001-2026-05-10-damaged-1.json cannot be read');
  });

  test('is counted over months by replicas that share a bucket', async () => {
    await using bucket = await pocketBucket([], { isWritable: true });
    const months = (month: string) => openVersionBucket(bucket.client(), `s3://${bucket.name}/state/spent-${month}/`);
    const [first, second] = [openLedger(months, fail), openLedger(months, fail)];
    await first.add({ ...ENTRY, at: '2026-04-30T23:59:59.000Z' });
    await second.add(ENTRY);
    await first.add({ ...ENTRY, at: '2026-05-11T00:00:00.000Z' });
    const times = async (from: string, to: string) => (await second.during(new Date(from), new Date(to))).map(({ at }) => at);
    expect(await times('2026-04-30', '2026-05-11')).toEqual(['2026-04-30T23:59:59.000Z', ENTRY.at]);
    expect(await times('2026-05-11', '2026-05-12')).toEqual(['2026-05-11T00:00:00.000Z']);
  });

  test('that could not be written is written with the next of its day', async () => {
    const memory = openVersionMemory();
    let isBroken = true;
    const broken = {
      ...memory,
      add: (...added: Parameters<typeof memory.add>) => (isBroken ? Promise.reject(new Error('SlowDown')) : memory.add(...added)),
    };
    const errors: unknown[] = [];
    const ledger = openLedger(
      () => broken,
      (error) => errors.push(error),
    );
    await ledger.add({ ...ENTRY, question: 'lost' });
    isBroken = false;
    await ledger.add(ENTRY);
    expect(errors).toHaveLength(1);
    const all = await openLedger(() => memory, fail).during(new Date('2026-05-10'), new Date('2026-05-11'));
    expect(all.map(({ question }) => question).sort()).toEqual(['lost', 'q']);
    expect(await ledger.during(new Date('2026-05-10'), new Date('2026-05-11'))).toHaveLength(2);
  });

  test('is kept in memory when the ledger cannot be written, and the errors are reported', async () => {
    const errors: unknown[] = [];
    const ledger = openLedger(monthsIn('/dev/null'), (error) => errors.push(error));
    await ledger.add(ENTRY);
    expect(await ledger.during(new Date(ENTRY.at), NOW)).toEqual([ENTRY]);
    expect(errors).toHaveLength(2);
  });
});

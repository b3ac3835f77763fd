/** `npm run compact` and the daily job, up to what Athena would write. test/trino/compact.test.ts fills real tables. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Athena } from '@aws-sdk/client-athena';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { compactTrail, tidyCopy } from '../athena/compact.ts';
import { COMPACTED_DAYS, fillReads, readCompactedDays, splitReading, toRanges } from '../athena/compacted.ts';
import { openDuckDB } from '../duckdb/engine.ts';
import { readCompactArguments, runCompact } from '../src/cli/compact.ts';
import { type CompactionRun, compactNewDays } from '../src/clock/compaction.ts';
import { UserError } from '../src/errors.ts';
import { openLedger } from '../src/state/ledger.ts';
import { openVersionFolder } from '../src/state/version-folder.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { ATHENA_SETTINGS } from './support/athena-settings.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { pocketAthena } from './support/pocket-athena.ts';
import { production } from './support/production.ts';

let duck: QueryEngine;
beforeAll(async () => {
  duck = await openDuckDB(inject('sampleStore'));
});
afterAll(() => duck.close());

/** A trail of 184 days whose copy has some days. */
async function openCopy(
  days = 'none',
  { copyLocation = 's3://example-trailbot/', classOf }: { readonly copyLocation?: string | null; classOf?(file: string): string } = {},
) {
  const stack = new DisposalStack();
  const place = stack.use(
    await production(duck, inject('sampleTrail'), { settings: { copyLocation: copyLocation ?? undefined }, ...(classOf && { classOf }) }),
  );
  await place.setUp(true);
  const table = place.catalog.tables.get('trailbot.cloudtrail');
  if (table && copyLocation !== null) table.properties[COMPACTED_DAYS] = days;
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-compact-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const ledger = openLedger(
    (month) => openVersionFolder(join(folder, month)),
    () => undefined,
  );
  const sizeCache = { read: async () => undefined, write: async () => undefined };
  const run: CompactionRun = { ...place, signal: new AbortController().signal, ledger, sizeCache, dailyBudget: undefined };
  const before = place.catalog.calls.length;
  const started = () => place.catalog.calls.slice(before).filter((call) => call === 'StartQueryExecution').length;
  const compact = async (more: Partial<CompactionRun>): Promise<string> => {
    const lines: string[] = [];
    await runCompact({ ...run, ...more }, (words) => lines.push(words));
    return lines.join('\n');
  };
  return { place, run, ledger, started, compact, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('What a day takes has the day before where that is not in the copy by then', () => {
  const missing = ['10', '09', '08', '07', '06', '05', '04', '03', '02'].map((day) => `2026/05/${day}`);
  const daysRead = (day: string, first: string, copied: string) =>
    fillReads([day], { first, copied: [{ first: copied, last: copied }], missing }).map((each) => each.first);
  expect(daysRead('2026/05/10', '2026/04/01', '2026/04/01')).toEqual(['2026/05/10', '2026/05/10']);
  expect(daysRead('2026/05/04', '2026/04/01', '2026/04/01')).toEqual(['2026/05/04', '2026/05/04', '2026/05/03', '2026/05/03']);
  expect(daysRead('2026/05/02', '2026/04/01', '2026/04/01')).toHaveLength(4);
  expect(daysRead('2026/05/02', '2026/04/01', '2026/05/01')).toHaveLength(2);
  expect(daysRead('2026/05/02', '2026/05/02', '2026/04/01')).toHaveLength(2);
});

describe.concurrent('Compacting', () => {
  test('says what is missing and what it takes, and starts nothing when the budget does not allow the first day', async () => {
    await using copy = await openCopy();
    expect(await copy.compact({ maxDollars: 0.00001 })).toMatch(
      /^Compacted no day\nMissing {3}183 days: [\d,]+ log files, about .+ and .+\n\nStopped[.] The next day costs less than \$0[.]01, and \$0 of less than \$0[.]01 is spent[.]\n\nCompacted no day, for \$0$/,
    );
    expect(copy.started()).toBe(0);
  });

  test('stops at the budget of the team, with what others spent today', async () => {
    await using copy = await openCopy();
    const at = copy.place.clock().toISOString();
    const entry = { at, requester: null, kind: 'command', name: 'rare', question: 'q', ms: 1, bytes: 1, dollars: 4.5, queryId: null } as const;
    await copy.ledger.add(entry);
    expect(await copy.compact({ dailyBudget: 4.5 })).toContain(
      'and $4.50 of today’s shared $4.50 budget (TEAM_DAILY_BUDGET_USD) is spent. Run npm run compact again tomorrow.',
    );
    expect(copy.started()).toBe(0);
  });

  test('has nothing to do when all days that are over are there', async () => {
    await using copy = await openCopy('2026/05/21-2026/11/19');
    expect(await copy.compact({})).toBe(
      'Compacted 183 days: 2026-05-21 to 2026-11-19\nMissing   no day that is over\n\nCompacted 183 days: 2026-05-21 to 2026-11-19, for $0',
    );
    expect(copy.started()).toBe(0);
  });

  test('leaves out days before --since', async () => {
    await using copy = await openCopy('2026/11/10-2026/11/19');
    expect(await copy.compact({ since: '2026/11/01', maxDollars: 0.00001 })).toContain('Missing   9 days: ');
  });

  test('by the clock adds only the days since the last one of the copy', async () => {
    await using copy = await openCopy('2026/10/01-2026/11/17');
    const { missing, stopped } = await compactNewDays({ ...copy.run, maxDollars: 0.00001 });
    expect(missing).toEqual(['2026/11/19', '2026/11/18']);
    expect(stopped).toContain('The next day costs');
    await using empty = await openCopy();
    expect((await compactNewDays({ ...empty.run, maxDollars: 0.00001 })).missing.length).toBeLessThanOrEqual(1);
  });

  test('leaves a day with more log files than Athena opens in half an hour in the log files, and starts nothing for it', async () => {
    await using copy = await openCopy();
    const skipped: string[] = [];
    const { days, missing } = await compactTrail({
      ...copy.run,
      since: '2026/11/18',
      archivedThrough: undefined,
      listDay: async (day) => ({ files: day === '2026/11/19' ? 12_000_000 : 0, archived: 0 }),
      mayGoOn: async () => true,
      onBilled: () => undefined,
      onDay: () => undefined,
      onSkip: (day, reason) => skipped.push(`${day} ${reason}`),
    });
    expect({ days, missing }).toEqual({ days: [], missing: ['2026/11/19', '2026/11/18'] });
    expect(skipped).toEqual([
      '2026/11/18 It has no log files, so there is nothing to compact.',
      '2026/11/19 Opening its 12,000,000 log files takes about 41 minutes, and Athena ends a query after 30, so it is not compacted.',
    ]);
    expect(copy.started()).toBe(0);
  });

  test('anew leaves the copy of a day as it is when its log files cannot be read again', async () => {
    const archived = (file: string): string => (file.includes('/2026/06/') ? 'GLACIER' : 'STANDARD');
    await using copy = await openCopy('2026/05/21-2026/11/19', { classOf: archived });
    expect(await copy.compact({ again: ['2026/06/03'] })).toMatch(
      /\n2026-06-03 {2}\d+ of its \d+ log files are archived in S3, so it is not compacted[.]\n/,
    );
    expect(copy.started()).toBe(0);
    for (const [day, name] of [
      ['2026/11/21', '2026-11-21'],
      ['2027/11/03', '2027-11-03'],
    ] as const)
      await expect(copy.compact({ again: [day] })).rejects.toThrow(
        `${name} is not a day of the trail that is over: these are from 2026-05-21 to 2026-11-19.`,
      );
    expect(copy.started()).toBe(0);
  });

  test('needs a bucket and tables for the copy, and says how to get them', async () => {
    await using without = await openCopy('none', { copyLocation: null });
    await expect(without.compact({})).rejects.toThrow('TRAILBOT_BUCKET is not set.');
    const settings = { ...without.place.settings, copyLocation: 's3://example-trailbot/' };
    await expect(without.compact({ settings })).rejects.toThrow(
      'There is no compacted copy of this version of trailbot yet. With TRAILBOT_BUCKET set, run: npm run setup -- --apply',
    );
  });
});

test('A statement that tidies runs again as often as Athena asks, and then stops', async () => {
  const rows = { execute: async () => ({ rows: [], cost: { ms: 0 } }) };
  await using pocket = await pocketAthena(rows, { mayWrite: true });
  const more = { ends: 'FAILED', reason: 'ICEBERG_VACUUM_MORE_RUNS_NEEDED: Removed 1000 files in this round.' } as const;
  pocket.endNext({}, more, more, {});
  const options = {
    settings: ATHENA_SETTINGS,
    clients: { athena: pocket.client as Athena, s3: new S3Client({}) },
    clock: () => new Date(),
    signal: new AbortController().signal,
    onBilled: () => undefined,
  };
  await tidyCopy(['2026/11/20'], options);
  const sent = pocket.sent('StartQueryExecution').map(({ QueryString }) => String(QueryString));
  expect(sent.slice(0, 4)).toEqual([
    "optimize trailbot.compacted_events rewrite data using bin_pack where day = '2026/11/20'",
    'vacuum trailbot.compacted_events',
    'vacuum trailbot.compacted_events',
    'vacuum trailbot.compacted_events',
  ]);
  expect(sent).toHaveLength(8);
  pocket.endNext(...Array.from({ length: 30 }, () => more));
  await expect(tidyCopy([], options)).rejects.toThrow();
});

test.each([
  [{ since: '2026-02-30' }, '--since 2026-02-30 is not a day. Write it as 2026-11-20.'],
  [{ since: 'monday' }, '--since monday is not a day.'],
  [{ again: '2026-11-03,soon' }, '--again soon is not a day.'],
  [{ 'max-usd': 'much' }, '--max-usd much is not an amount. Write it as 20.'],
  [{ 'max-usd': '0' }, '--max-usd 0 is not an amount.'],
])('The option %j is refused', (options, message) => {
  expect(() => readCompactArguments(options)).toThrow(UserError);
  expect(() => readCompactArguments(options)).toThrow(message);
});

test('Options are read as folders are named', () => {
  expect(readCompactArguments({ since: '2026-05-21', again: '2026-11-03,2026-11-04', 'max-usd': '20', tidy: true })).toEqual({
    since: '2026/05/21',
    again: ['2026/11/03', '2026/11/04'],
    maxDollars: 20,
    tidies: true,
  });
});

test('Days are noted as the fewest ranges, and a note by other rules says nothing', () => {
  expect(toRanges(['2026/11/03', '2026/11/01', '2026/10/31', '2026/11/03'])).toEqual([
    { first: '2026/10/31', last: '2026/11/01' },
    { first: '2026/11/03', last: '2026/11/03' },
  ]);
  expect(readCompactedDays({ [COMPACTED_DAYS]: '2026/10/31-2026/11/01', 'trailbot.compacted.shape': 'another' })).toEqual([]);
});

test('A question is split into the days of the copy and the others', () => {
  const reading = { first: '2026/10/30', last: '2026/11/04', folders: ['111122223333/CloudTrail/eu-central-1'] };
  expect(splitReading(reading, [{ first: '2026/10/31', last: '2026/11/02' }])).toEqual({
    copied: [{ first: '2026/10/31', last: '2026/11/02' }],
    others: [
      { ...reading, last: '2026/10/30' },
      { ...reading, first: '2026/11/03' },
    ],
  });
});

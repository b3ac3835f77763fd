/**
 * The bytes and partitions that questions scan on Trino, the engine inside Athena, compared with the same queries without the
 * bound on the day of delivery. Here Trino reads uncompressed files and Athena reads gzip, so only the ratios hold for both.
 * The same sample gives the same numbers on every machine.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { daysRead } from '../athena/pruning.ts';
import { generateSample } from '../sample/generate.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';
import { parseLine } from '../src/question/parse.ts';
import { printLine } from '../src/question/print.ts';
import type { QueryEngine, RawRow } from '../src/trail/engine.ts';
import { type Sql, sql } from '../src/trail/sql.ts';
import { DAY_MS, type TimeRange } from '../src/trail/time-window.ts';
import { NoTrino } from '../test/trino/install.ts';
import { startTrino, type TrinoPlace } from '../test/trino/server.ts';
import { openTrinoTrail, type TrinoTrail } from '../test/trino/trail.ts';
import type { BenchResult } from './report.ts';

const SCAN_BENCH_DAYS = 184;
const EVENTS_PER_DAY = 100;
const WINDOWS = [
  { kind: 'ago', count: 1, unit: 'd' },
  { kind: 'ago', count: 6, unit: 'mo' },
] as const;
/** One command for each kind of scan: one event, a list, a count, several queries, newest days first. The others scan like one of these. */
const SCAN_COMMANDS = ['event', 'events', 'denied', 'rare', 'new', 'root-logins', 'who-started', 'history', 'session', 'user'];
/** A day from noon to noon is in the folders of two days, and late events are in one more. `new` also reads the month before. */
const MAX_FOLDER_DAYS = 3;

interface ScanBenchOptions {
  readonly catalog: Registry;
  /** A folder for the trail. */
  readonly folder: string;
  /** The end of the trail. */
  readonly end: Date;
  printProgress(text: string): void;
}

/** Two results for each question: bytes and partitions. Without Trino there are none, and the reason is printed. */
export async function benchScans({ catalog, folder, end, printProgress }: ScanBenchOptions): Promise<BenchResult[]> {
  const server = await startTrino().catch((error: unknown) => {
    if (!(error instanceof NoTrino)) throw error;
    printProgress(`The scans on Trino are skipped. ${error.message}`);
    return undefined;
  });
  if (!server) return [];
  try {
    return await scansOver(server, { catalog, folder, end, printProgress });
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

async function scansOver(server: TrinoPlace, { catalog, folder, end, printProgress }: ScanBenchOptions): Promise<BenchResult[]> {
  const out = join(folder, 'bytes');
  await generateSample({ out, end, days: SCAN_BENCH_DAYS, eventsPerDay: EVENTS_PER_DAY });
  const trino = await openTrinoTrail(server, out);
  try {
    // Asked at noon, while the files of the day are still being delivered.
    const options = { now: new Date(end.getTime() - DAY_MS / 2), signal: new AbortController().signal };
    const yesterday: TimeRange = { from: new Date(end.getTime() - 2 * DAY_MS), to: new Date(end.getTime() - DAY_MS) };

    const commands = SCAN_COMMANDS.flatMap((name) =>
      WINDOWS.map((window): ScanQuestion => {
        const line = printLine({ ...parseLine(`${name} ${catalog.commands.get(name)?.example}`), window });
        return { title: `\`${line}\``, coversOneDay: window.unit === 'd' && name !== 'new', run: (desk) => desk.answer(line, options) };
      }),
    );
    const reports = [...catalog.reports.keys()].map(
      (name): ScanQuestion => ({ title: `the ${name} report`, coversOneDay: true, run: (desk) => desk.report(name, yesterday, options) }),
    );
    const results: BenchResult[] = [];
    const wholeTrail: WholeTrail = { trino, perStatement: await scanOf(trino, sql`select count(*) from events`) };
    for (const question of [...commands, ...reports]) {
      printProgress(`scanning for ${question.title}`);
      results.push(...(await scanResults(question, catalog, wholeTrail)));
    }
    return results;
  } finally {
    await trino[Symbol.asyncDispose]();
  }
}

interface ScanQuestion {
  readonly title: string;
  readonly coversOneDay: boolean;
  run(desk: Desk): Promise<unknown>;
}

/**
 * Asks a question twice: on an engine that is searched in parts, newest first, as Athena is, and on one that is not. Without
 * the bound on the day, each statement of the second one would scan the whole trail.
 */
async function scanResults(
  { title, coversOneDay, run }: ScanQuestion,
  catalog: Registry,
  { trino, perStatement }: WholeTrail,
): Promise<BenchResult[]> {
  const [inParts, inOnePart] = [meteredEngine(trino), meteredEngine(trino)];
  await run(openDesk(catalog, { ...inParts.engine, estimate: async () => undefined }));
  await run(openDesk(catalog, inOnePart.engine));
  const { statements } = inOnePart.scanned;
  // Some questions query no events.
  if (statements === 0) return [];
  const label = `${title} over ${SCAN_BENCH_DAYS} days on Trino`;
  const against = 'the same without the bound on the day';
  return [
    { what: `${label}, files`, value: inParts.scanned.bytes / 1e6, unit: 'MB', against, baseline: (statements * perStatement.bytes) / 1e6 },
    {
      what: `${label}, partitions`,
      value: inParts.scanned.partitions,
      unit: 'partitions',
      against,
      baseline: statements * perStatement.partitions,
      ...(coversOneDay && { maxRatio: MAX_FOLDER_DAYS / SCAN_BENCH_DAYS }),
    },
  ];
}

/** The trail, and the scan of a statement without a bound on the day. */
interface WholeTrail {
  readonly trino: TrinoTrail;
  readonly perStatement: ScanSize;
}

interface ScanSize {
  readonly bytes: number;
  readonly partitions: number;
}

/** An engine whose statements a function runs. It knows nothing of its trail. */
export const engineThatRuns = (execute: QueryEngine['execute']): QueryEngine => ({
  execute,
  async stream(statement, execution) {
    const { rows, cost } = await execute(statement, execution);
    return { rows: Readable.from(rows), cost };
  },
  extent: async () => ({ events: null, first: null, last: null, accounts: [], regions: [], skippedFiles: 0, skippedEvents: 0 }),
  close: async () => undefined,
});

/** An engine over Trino, and the total scan of its statements. */
function meteredEngine(trino: TrinoTrail) {
  const scanned = { statements: 0, bytes: 0, partitions: 0 };
  const execute = async (statement: Sql) => {
    const { rows, bytes, partitions } = await scanOf(trino, withoutEarlyEnd(statement));
    scanned.statements += 1;
    scanned.bytes += bytes;
    scanned.partitions += partitions;
    return { rows, cost: { ms: 0 } };
  };
  return { engine: engineThatRuns(execute), scanned };
}

/**
 * Runs a statement. Returns its rows, the bytes of files that it read, and the partitions in its plan: one for each account,
 * region and day, with or without files.
 */
async function scanOf(trino: TrinoTrail, statement: Sql): Promise<ScanSize & { readonly rows: RawRow[] }> {
  const { accounts, regions, firstDay: first, lastDay: last } = trino.layout;
  const partitions = (await trino.scansOf(statement)).map(
    (scan) => (scan.account ?? accounts).length * (scan.region ?? regions).length * daysRead([scan], { first, last }).length,
  );
  return { ...(await trino.readBy(statement)), partitions: partitions.reduce((sum, count) => sum + count, 0) };
}

/** Without "limit 1", a statement always scans the same: with it, Trino stops at the first row that it happens to find. */
export const withoutEarlyEnd = (statement: Sql): Sql => ({ ...statement, text: statement.text.replace(/\n\s*limit 1\s*$/, '') });

/**
 * What questions read of a trail, as Trino counts it, the engine inside Athena: as they are asked there, against what they
 * would read without the bound on the day of delivery. Trino reads the trail as text and Athena reads it zipped, so it is the
 * ratios that hold for both. The same sample gives the same figures on every machine.
 */
import { join } from 'node:path';
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
import { startTrino } from '../test/trino/server.ts';
import { openTrinoTrail, type TrinoTrail } from '../test/trino/trail.ts';
import type { Result } from './report.ts';

const DAYS = 184;
const EVENTS_A_DAY = 100;
const WINDOWS = [
  { kind: 'ago', count: 1, unit: 'd' },
  { kind: 'ago', count: 6, unit: 'mo' },
] as const;
/** A command of each way to read: one event, a list, a count, several readings, the newest first. What else lists or counts reads as these. */
const READING = ['event', 'events', 'denied', 'rare', 'new', 'root-logins', 'who-started', 'history', 'session', 'user'];
/** A day that begins and ends at noon is in the folders of two days, and one more has what was delivered late. `new` reads the month before it, too. */
const MOST_DAYS = 3;

interface Ground {
  readonly catalog: Registry;
  /** A folder for the trail. */
  readonly folder: string;
  /** When the trail ends. */
  readonly end: Date;
  say(words: string): void;
}

/** A row for the bytes and one for the partitions of each question. None where there is no Trino, and it is said why. */
export async function benchBytes({ catalog, folder, end, say }: Ground): Promise<Result[]> {
  await using stack = new AsyncDisposableStack();
  const server = await startTrino().catch((error: unknown) => {
    if (!(error instanceof NoTrino)) throw error;
    say(`What is read on Trino is left out. ${error.message}`);
    return undefined;
  });
  if (!server) return [];
  stack.use(server);
  const out = join(folder, 'bytes');
  await generateSample({ out, end, days: DAYS, eventsPerDay: EVENTS_A_DAY });
  const trino = stack.use(await openTrinoTrail(server.url, out));
  // At noon, as questions come: the files of today are still being delivered.
  const asking = { now: new Date(end.getTime() - DAY_MS / 2), signal: new AbortController().signal };
  const yesterday: TimeRange = { from: new Date(end.getTime() - 2 * DAY_MS), to: new Date(end.getTime() - DAY_MS) };

  const commands = READING.flatMap((name) =>
    WINDOWS.map((window): Question => {
      const line = printLine({ ...parseLine(`${name} ${catalog.commands.get(name)?.example}`), window });
      return { title: `\`${line}\``, isOfADay: window.unit === 'd' && name !== 'new', ask: (desk) => desk.answer(line, asking) };
    }),
  );
  const reports = [...catalog.reports.keys()].map(
    (name): Question => ({ title: `the ${name} report`, isOfADay: true, ask: (desk) => desk.report(name, yesterday, asking) }),
  );
  const results: Result[] = [];
  const whole: Whole = { trino, all: await readBy(trino, sql`select count(*) from events`) };
  for (const question of [...commands, ...reports]) {
    say(`reading ${question.title}`);
    results.push(...(await compare(question, catalog, whole)));
  }
  return results;
}

interface Question {
  readonly title: string;
  readonly isOfADay: boolean;
  ask(desk: Desk): Promise<unknown>;
}

/**
 * Asks twice: of an engine that is searched newest first, in parts, as Athena is; and of one that is not, where each
 * statement would have read all of the trail, had it no bound on the day.
 */
async function compare({ title, isOfADay, ask }: Question, catalog: Registry, { trino, all }: Whole): Promise<Result[]> {
  const [inParts, atOnce] = [metered(trino), metered(trino)];
  await ask(openDesk(catalog, { ...inParts.engine, estimate: async () => undefined }));
  await ask(openDesk(catalog, atOnce.engine));
  const { statements } = atOnce.read;
  // A question that is about no events reads none.
  if (statements === 0) return [];
  const what = `${title} over ${DAYS} days on Trino`;
  const against = 'the same without the bound on the day';
  return [
    { what: `${what}, files`, value: inParts.read.bytes / 1e6, unit: 'MB', against, baseline: (statements * all.bytes) / 1e6 },
    {
      what: `${what}, partitions`,
      value: inParts.read.partitions,
      unit: 'partitions',
      against,
      baseline: statements * all.partitions,
      ...(isOfADay && { mostTimes: MOST_DAYS / DAYS }),
    },
  ];
}

/** A trail, and what one statement reads that says nothing about days. */
interface Whole {
  readonly trino: TrinoTrail;
  readonly all: Read;
}

interface Read {
  readonly bytes: number;
  readonly partitions: number;
}

/** An engine over Trino, and what its statements have read so far. */
function metered(trino: TrinoTrail) {
  const read = { statements: 0, bytes: 0, partitions: 0 };
  const engine: QueryEngine = {
    async execute(statement) {
      const { rows, bytes, partitions } = await readBy(trino, toItsEnd(statement));
      read.statements += 1;
      read.bytes += bytes;
      read.partitions += partitions;
      return { rows, cost: { ms: 0 } };
    },
    extent: async () => ({ events: null, first: null, last: null, accounts: [], regions: [], asideFiles: 0, asideEvents: 0 }),
    close: async () => undefined,
  };
  return { engine, read };
}

/**
 * Runs a statement: bytes of files that were read for it, and the partitions that its plan reads, a folder for each account,
 * region and day, whether there is a file in it or not.
 */
async function readBy(trino: TrinoTrail, statement: Sql): Promise<Read & { readonly rows: RawRow[] }> {
  const { accounts, regions, firstDay: first, lastDay: last } = trino.layout;
  const partitions = (await trino.scansOf(statement)).map(
    (scan) => (scan.account ?? accounts).length * (scan.region ?? regions).length * daysRead([scan], { first, last }).length,
  );
  return { ...(await trino.readBy(statement)), partitions: partitions.reduce((sum, count) => sum + count, 0) };
}

/** A statement that may end with the first row that it finds reads more one time than another. Here it reads all that it may. */
const toItsEnd = (statement: Sql): Sql => ({ ...statement, text: statement.text.replace(/\n\s*limit 1\s*$/, '') });

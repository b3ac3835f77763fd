/** What questions read on Trino, of an organization's log files and of the compacted copy that is made of them. */
import { join } from 'node:path';
import { createCompactedStatement, insertStatement } from '../athena/compacted.ts';
import { daysBetween } from '../athena/days.ts';
import type { Scan } from '../athena/pruning.ts';
import { compactedTable, createViewStatement, partitionsOf, viewsFor } from '../athena/tables.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { folderName, type KnownFolders } from '../src/trail/folders.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import { type Days, raw, type Sql } from '../src/trail/sql.ts';
import { DAY_MS, type TimeRange } from '../src/trail/time-window.ts';
import { DisposalStack } from '../test/support/disposal-stack.ts';
import { openTrino } from '../test/trino/client.ts';
import { icebergTable } from '../test/trino/on-athena.ts';
import { tableByDay } from '../test/trino/raw-table.ts';
import type { TrinoPlace } from '../test/trino/server.ts';
import { openRawTable, type TrinoTrail } from '../test/trino/trail.ts';
import { type FilesSize, type OrganizationOptions, type OrganizationTrail, sumOfSizes, writeOrganization } from './organization-trail.ts';
import { engineThatRuns, withoutEarlyEnd } from './scans.ts';

/** What the statements of a question read. A file counts each time it is read. */
export interface ReadOfQuestion extends FilesSize {
  readonly statements: number;
}

/** A question and what it reads. */
export interface QuestionReads {
  readonly title: string;
  readonly ofLogFiles: ReadOfQuestion;
  readonly ofCopy: ReadOfQuestion;
  /** How many times less it must read of the copy. */
  readonly goal?: Goal | undefined;
}

interface Goal {
  readonly bytes: number;
  readonly files?: number;
}

/** A trail, its copy, and what questions read of each. */
export interface TrailReads {
  readonly events: number;
  readonly days: number;
  readonly accounts: number;
  readonly regions: number;
  readonly logFiles: FilesSize;
  readonly copy: Readonly<Record<Relation, FilesSize>>;
  readonly questions: readonly QuestionReads[];
  /** What `count account:… 6mo` reads of the log files. */
  readonly ofOneAccount: ReadOfQuestion;
}

export interface AthenaReadsOptions {
  readonly registry: Registry;
  readonly end: Date;
  readonly eventsPerDay: number;
  /** A folder for what the trail is made from. */
  readonly folder: string;
  printProgress(text: string): void;
}

const ORGANIZATION_DAYS = 184;
/** An account and an instance of the sample. */
const ACCOUNT = '444455556666';
const INSTANCE = 'i-0c0ffee000000002b';
const SIX_MONTHS_OF_NAME = `history ${INSTANCE} 6mo`;
const SIX_MONTHS_OF_ACCOUNT = `count account:${ACCOUNT} by:event 6mo`;
const RARE_NAME: Goal = { bytes: 100, files: 1000 };
const COUNTS: Goal = { bytes: 50 };

/** A question of the bench. */
interface AskedQuestion {
  readonly title: string;
  readonly goal?: Goal;
  ask(desk: Desk): Promise<unknown>;
}

/** Writes an organization's trail of 184 days to a server. It is deleted with `opened`. */
async function openOrganization(
  server: TrinoPlace,
  { end, eventsPerDay, folder, printProgress }: AthenaReadsOptions,
  layout: OrganizationOptions['layout'],
  opened: DisposalStack,
) {
  printProgress(`writing ${(ORGANIZATION_DAYS * eventsPerDay).toLocaleString('en-US')} events of an organization`);
  let written: OrganizationTrail | undefined;
  const trino = opened.use(
    await openRawTable(server, async (place) => {
      written = await writeOrganization(place, { end, days: ORGANIZATION_DAYS, eventsPerDay, scratch: join(folder, 'organization'), layout });
      return written.table;
    }),
  );
  return { trino, trail: written as OrganizationTrail };
}

/**
 * Asks all questions of a trail whose log files are as AWS writes them.
 *
 * @throws Error when Trino reads other files than its plans have, by more than 1 %.
 */
export async function checkPlans(server: TrinoPlace, options: AthenaReadsOptions): Promise<void> {
  await using opened = new DisposalStack();
  const { trino, trail } = await openOrganization(server, options, 'as delivered', opened);
  const meter = readMeter(trino, [], async (statement) => {
    const read = await trino.filesReadBy(statement);
    const expected = plannedSize(await trino.scansOf(statement), trino, trail);
    if (!isClose(expected, read))
      throw new Error(
        `The plan has ${expected.files} files of ${expected.bytes} bytes; Trino read ${read.files} of ${read.bytes}: ${statement.text}`,
      );
    return { ...expected, rows: read.rows };
  });
  for (const { title, ask } of questionsUntil(options.end)) {
    await ask(openDesk(options.registry, meter.engine));
    options.printProgress(`${title}: ${meter.taken().files} files, as planned`);
  }
}

/** Measures a trail. Its log files are counted by the plans of statements. */
export async function readsOfOrganization(server: TrinoPlace, options: AthenaReadsOptions): Promise<TrailReads> {
  const { registry, end, printProgress } = options;
  await using opened = new DisposalStack();
  const { trino, trail } = await openOrganization(server, options, 'by day', opened);
  const { accounts, regions, firstDay, lastDay } = trino.layout;
  const questions = questionsUntil(end);
  const readBy = async ({ title, ask }: AskedQuestion, { engine, taken }: ReadMeter): Promise<ReadOfQuestion> => {
    await ask(openDesk(registry, engine));
    const read = taken();
    printProgress(`${title}: ${read.files.toLocaleString('en-US')} files, ${(read.bytes / 1e6).toFixed(1)} MB`);
    return read;
  };

  printProgress('making the compacted copy');
  const copy = await makeCopy(server, { trino, trail }, opened);
  const whole = { first: firstDay, last: lastDay };
  const ofCopy = readMeter(trino, [whole], (statement) => copy.readBy(statement));
  await copy.use([whole]);
  // The statements that are sent without a copy find the same rows in it, sooner. Their plans are those of the log files.
  const sent = new Map<string, Sql[]>();
  for (const { title, ask } of questions) {
    const statements: Sql[] = [];
    sent.set(title, statements);
    const { engine } = readMeter(trino, [], async (statement) => {
      statements.push(statement);
      return { rows: await trino.execute(statement), files: 0, bytes: 0 };
    });
    await ask(openDesk(registry, engine));
  }
  await copy.use(undefined);
  const ofLogFiles = new Map<string, ReadOfQuestion>();
  for (const [title, statements] of sent) {
    const sizes: FilesSize[] = [];
    for (const statement of statements) sizes.push(plannedSize(await trino.scansOf(statement), trino, trail));
    ofLogFiles.set(title, { statements: statements.length, ...sumOfSizes(sizes) });
  }
  await copy.use([whole]);
  const reads: QuestionReads[] = [];
  for (const question of questions) {
    const { title, goal } = question;
    reads.push({ title, goal, ofLogFiles: ofLogFiles.get(title) as ReadOfQuestion, ofCopy: await readBy(question, ofCopy) });
  }
  return {
    events: trino.records,
    days: ORGANIZATION_DAYS,
    accounts: accounts.length,
    regions: regions.length,
    logFiles: trail.size,
    copy: await copy.sizes(),
    questions: reads,
    ofOneAccount: ofLogFiles.get(SIX_MONTHS_OF_ACCOUNT) as ReadOfQuestion,
  };
}

function questionsUntil(end: Date): readonly AskedQuestion[] {
  const options = { now: end, signal: new AbortController().signal };
  const yesterday: TimeRange = { from: new Date(end.getTime() - DAY_MS), to: end };
  const line = (text: string, goal?: Goal): AskedQuestion => ({ title: text, ...(goal && { goal }), ask: (desk) => desk.answer(text, options) });
  return [
    line(SIX_MONTHS_OF_NAME, RARE_NAME),
    line(`history ${INSTANCE} 1d`),
    line('root-logins 6mo'),
    line('rare 30d', COUNTS),
    line('rare 1d'),
    line('new 7d', COUNTS),
    line('denied 1d'),
    line(SIX_MONTHS_OF_ACCOUNT),
    line(`events account:${ACCOUNT} 1d`),
    line(`events account:${ACCOUNT} region:eu-west-1 6mo`),
    { title: 'the daily report', goal: COUNTS, ask: (desk) => desk.report('daily', yesterday, options) },
  ];
}

// --- The log files -------------------------------------------------------------------------------------------------------

type ReadBy = (statement: Sql) => Promise<FilesSize & { readonly rows: Awaited<ReturnType<TrinoTrail['readBy']>>['rows'] }>;

/** The log files in the folders of a plan. */
function plannedSize(scans: readonly Scan[], { layout }: TrinoTrail, trail: OrganizationTrail): FilesSize {
  const folders = layout.accounts.flatMap(({ id, regions }) => regions.map((region) => folderName({ account: id, region })));
  const days = daysBetween(layout.firstDay, layout.lastDay);
  return sumOfSizes(
    scans.flatMap(({ folder, day }) => {
      const names = folders.filter(isAmong(folder));
      return days.filter(isAmong(day)).flatMap((each) => names.flatMap((name) => trail.sizeOf(name, each) ?? []));
    }),
  );
}

/** Whether a value is among those of a plan, of which a range is 'low..high'. */
function isAmong(values: readonly string[] = ['..']): (value: string) => boolean {
  const [ranges, single] = [values.filter((value) => value.includes('..')).map((value) => value.split('..')), new Set(values)];
  return (value) => single.has(value) || ranges.some(([low = '', high = '']) => (low === '' || low <= value) && (high === '' || value <= high));
}

/** Trino may read a split that has no file, and counts the headers of a gzip file with its bytes. */
const isClose = (planned: FilesSize, read: FilesSize): boolean =>
  Math.abs(planned.files - read.files) <= 2 + 0.01 * planned.files && Math.abs(planned.bytes - read.bytes) <= 0.01 * planned.bytes;

interface ReadMeter {
  readonly engine: QueryEngine;
  /** What was read since it was called last. */
  taken(): ReadOfQuestion;
}

function readMeter(trino: TrinoTrail, kept: readonly Days[], readBy: ReadBy): ReadMeter {
  let read: ReadOfQuestion = { statements: 0, files: 0, bytes: 0 };
  const execute = async (statement: Sql) => {
    const { rows, files, bytes } = await readBy(withoutEarlyEnd(statement));
    read = { statements: read.statements + 1, ...sumOfSizes([read, { files, bytes }]) };
    return { rows, cost: { ms: 0 } };
  };
  const { accounts } = trino.layout;
  const all = accounts.flatMap(({ id, regions }) => regions.map((region) => ({ account: id, region })));
  const folders: KnownFolders = { all, haveOwnAccounts: true, haveOwnRegions: true };
  const engine: QueryEngine = { ...engineThatRuns(execute), kept: async () => kept, folders: async () => folders };
  return {
    engine,
    taken() {
      const taken = read;
      read = { statements: 0, files: 0, bytes: 0 };
      return taken;
    },
  };
}

// --- The copy ------------------------------------------------------------------------------------------------------------

/**
 * Makes the tables of the copy and fills them, a day at a time as trailbot does. Trino opens some hundred files in a second here, so it reads
 * the records of a day from one file.
 */
async function makeCopy(
  server: TrinoPlace,
  { trino, trail }: { readonly trino: TrinoTrail; readonly trail: OrganizationTrail },
  opened: DisposalStack,
) {
  const { names, layout } = trino;
  const [days, byDay] = [trail.days, { ...names, table: 'by_day' }];
  const iceberg = openTrino(server.url, names.database, 'iceberg');
  opened.defer(async () => {
    await trino.execute(raw('drop view if exists raw_events'));
    for (const relation of RELATIONS) await iceberg.execute(raw(`drop table if exists ${compactedTable(relation)}`));
    await trino.execute(raw(`drop table if exists ${names.database}.${byDay.table}`));
  });
  for (const relation of RELATIONS)
    await iceberg.execute(raw(icebergTable(createCompactedStatement(names, relation, 's3://example-trailbot/'), relation)));
  const use = async (compacted: readonly Days[] | undefined, from = names): Promise<void> => {
    const sources = { partitions: partitionsOf(layout), ...(compacted && { compacted }) };
    for (const view of viewsFor(sources)) await trino.execute(raw(createViewStatement(from, view, sources)));
  };
  await trino.execute(raw(tableByDay(byDay, layout.root, days)));
  await use([], byDay);
  for (const day of days) for (const relation of RELATIONS) await trino.execute(raw(insertStatement(names, relation, day)));

  const number = async (text: string): Promise<number> => Number((await iceberg.execute(raw(text)))[0]?.n);
  const manifests = new Map<string, readonly Days[]>();
  for (const table of RELATIONS.map(compactedTable)) {
    const days = 'partition_summaries[1].lower_bound as first, partition_summaries[1].upper_bound as last';
    manifests.set(table, (await iceberg.execute(raw(`select ${days} from "${table}$manifests"`))) as unknown as readonly Days[]);
  }
  /** Files that tell which files a scan of a table must read: the table's metadata, its snapshot, and the manifests that have its days. */
  const metadataFiles = (table: string, reads: readonly Days[] = [{ first: layout.firstDay, last: layout.lastDay }]): number => {
    const own = manifests.get(table);
    return own ? 2 + own.filter(({ first, last }) => reads.some((days) => first <= days.last && days.first <= last)).length : 0;
  };
  return {
    /** Lets the views read days from the copy, or only the log files. */
    use: (days: readonly Days[] | undefined) => use(days),
    /** What a statement reads of the tables of the copy. */
    async readBy(statement: Sql) {
      const { rows, files, bytes, tables } = await trino.filesReadBy(statement);
      return { rows, files: files + tables.reduce((sum, table) => sum + metadataFiles(table, statement.reads), 0), bytes };
    },
    async sizes(): Promise<Readonly<Record<Relation, FilesSize>>> {
      const sizeOf = async (relation: Relation): Promise<FilesSize> => {
        const table = `"${compactedTable(relation)}$files"`;
        return {
          files: await number(`select count(*) as n from ${table}`),
          bytes: await number(`select sum(file_size_in_bytes) as n from ${table}`),
        };
      };
      return { events: await sizeOf('events'), activity: await sizeOf('activity'), mentions: await sizeOf('mentions') };
    },
  };
}

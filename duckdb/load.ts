/**
 * One load: the new files of a trail in batches, several batches at a time. A batch is unpacked to one line of JSON a
 * record, in the order of a part. DuckDB looks at the lines (which are events, and new?), derives their columns and writes
 * them as a part for each day, in one go and without holding them. Then the batch is committed whole.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { added, type Commit, type Part, readLog, type StoreState, settle, writeCommit } from './commit-log.ts';
import { listTrail, place } from './layout.ts';
import { copyDay, copyDays, looked, MARK, macros, parquet, partFile, quoted, recordsOf, SCHEMA_PART } from './shape.ts';
import type { Stage } from './stage.ts';
import { tidy } from './tidy.ts';
import type { Fault, Job, UnpackReply } from './unpack.ts';
import { openUnpacker, type Unpacker } from './unpacker.ts';

/** What one load did. */
export interface Loaded {
  readonly files: number;
  readonly events: number;
  readonly duplicates: number;
  readonly asideFiles: number;
  readonly asideEvents: number;
}

interface LoadRequest {
  readonly root: string;
  readonly store: string;
  readonly signal: AbortSignal;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

/**
 * Packed bytes of a batch; text is some ten times as much. Large ones make large parts, which later questions like; but a
 * small load is shared out so that all lanes have work from early on until the end.
 */
const MOST_BATCH_BYTES = 8_000_000;
const LEAST_BATCH_BYTES = 1_000_000;
const BATCHES = 24;
/** What a file of no size costs all the same: it keeps batches of tiny files small. */
const BYTES_A_FILE = 300;
/** More would hold more than a gigabyte at once. */
const MOST_LANES = 2;
const MEMORY = '448MB';

/**
 * The loader's one large statement is planned anew for each part, and planning takes as long as 2,000 rows do. These find
 * nothing in it to improve, or make it worse: `in_clause` turns a list of five names into a join of wide rows.
 */
const IDLE_OPTIMIZERS = 'in_clause,common_subexpressions,expression_rewriter,statistics_propagation';

/**
 * DuckDB gives memory back to the system when it lets go of more than this at once. That costs a small load a quarter of
 * its time, and keeps a large one from growing by what lies about unused.
 */
const GIVEN_BACK = '32MB';
const LARGE_LOAD_BYTES = 300_000_000;

interface TakenFile {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly modified: number;
}

/** A batch whose files were unpacked into `stage`. */
interface Batch {
  readonly files: readonly TakenFile[];
  readonly stage: string;
  readonly unpacked: UnpackReply;
}

/** What the lanes of a load share. */
interface Load {
  readonly root: string;
  readonly store: string;
  readonly unpacker: Unpacker;
  /** Runs `work` while no other lane is in such work. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** The number of this load: a file's newest ledger row is what counts. */
  readonly number: number;
  state: StoreState;
}

export async function load({ root, store, signal, onProgress }: LoadRequest): Promise<Loaded> {
  const instance = await DuckDBInstance.create(':memory:', {
    // A lane's thread does its lane's work; helpers of DuckDB's own would spend a third of the time waiting for each other.
    threads: '1',
    memory_limit: MEMORY,
    temp_directory: join(store, 'spill'),
    preserve_insertion_order: 'false',
  });
  await using unpacker = openUnpacker();
  const connections: DuckDBConnection[] = [];
  const connect = async () => {
    const connection = await instance.connect();
    connections.push(connection);
    return connection;
  };
  try {
    const main = await connect();
    await main.run(`${macros}; set global disabled_optimizers = '${IDLE_OPTIMIZERS}'`);
    const state = await readLog(store);
    const shared: Load = { root, store, unpacker, alone: oneAtATime(), number: state.version, state };
    await ensureSchema(store, main);
    const fresh = await findNew(shared, main, signal);
    const total: { -readonly [K in keyof Loaded]: number } = { files: 0, events: 0, duplicates: 0, asideFiles: 0, asideEvents: 0 };
    if (fresh.files === 0) return total;
    if (fresh.bytes > LARGE_LOAD_BYTES) await main.run(`set global allocator_bulk_deallocation_flush_threshold = '${GIVEN_BACK}'`);

    // The ids of all events there are: in DuckDB, which puts them on disk when they are too many to hold.
    const ids = state.ids.length > 0 ? parquet(store, state.ids) : '(select null::uuid as key limit 0)';
    await main.run(`create table seen as select key from ${ids}`);
    let done = 0;
    onProgress?.(done, fresh.bytes);
    const lanes = await Promise.all(Array.from({ length: Math.min(MOST_LANES, availableParallelism()) }, connect));
    await runLanes(batches(shared, main), lanes, async (batch, connection) => {
      signal.throwIfAborted();
      const loaded = await ingest(shared, connection, batch);
      for (const key of Object.keys(total) as (keyof Loaded)[]) total[key] += loaded[key];
      done += batch.files.reduce((sum, { size }) => sum + size, 0);
      onProgress?.(done, fresh.bytes);
    });
    await main.run('drop table seen');
    await tidy(store, shared.state, main);
    return total;
  } finally {
    for (const connection of connections) connection.closeSync();
    instance.closeSync();
  }
}

/** Works off batches on several connections at once, one batch unpacked ahead. The first failure ends all, after what is at work. */
async function runLanes(
  next: () => Promise<Batch | undefined>,
  connections: readonly DuckDBConnection[],
  work: (batch: Batch, connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  let failed = false;
  let ahead = next();
  const lane = async (connection: DuckDBConnection): Promise<void> => {
    try {
      for (;;) {
        const current = ahead;
        ahead = current.then((batch) => (batch && !failed ? next() : undefined));
        const batch = await current;
        if (!batch || failed) return;
        await work(batch, connection);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(connections.map(lane));
  await ahead.catch(() => undefined);
  const fault = ended.find((each) => each.status === 'rejected');
  if (fault) throw fault.reason;
}

/** One piece of work after the other, whoever brings it. */
function oneAtATime(): Load['alone'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

async function ensureSchema(store: string, connection: DuckDBConnection): Promise<void> {
  const file = join(store, SCHEMA_PART);
  if (existsSync(file)) return;
  await mkdir(dirname(file), { recursive: true });
  await connection.run(copyDay(recordsOf([]), file));
}

/** The files that are new, as the table `fresh`, numbered day by day. */
async function findNew({ root, store, state }: Load, connection: DuckDBConnection, signal: AbortSignal) {
  await connection.run('create table listing (path varchar, size bigint, modified bigint, day varchar)');
  const appender = await connection.createAppender('listing');
  for await (const { path, size, modified, day } of listTrail(root, signal)) {
    appender.appendVarchar(path);
    appender.appendBigInt(BigInt(size));
    appender.appendBigInt(BigInt(modified));
    if (day === null) appender.appendNull();
    else appender.appendVarchar(day);
    appender.endRow();
  }
  appender.closeSync();
  // CloudTrail never changes a file, so one that was loaded is known by name and size: a copy made anew has other
  // times. One that was set aside is looked at again when it changed at all.
  const known =
    state.files.length === 0
      ? 'false'
      : `exists (select 1 from ${parquet(store, state.files)} as known where known.path = listing.path and known.size = listing.size
           and (known.reason is null or known.modified = listing.modified and not starts_with(known.reason, 'cannot be read')))`;
  await connection.run(`create table found as
    select row_number() over (order by day nulls last, path) - 1 as number, path, size, modified, day, size + ${BYTES_A_FILE} as weight from listing where not ${known}`);
  const [row] = (
    await connection.runAndReadAll(
      'select count(*) as files, coalesce(sum(size), 0)::bigint as bytes, coalesce(sum(weight), 0)::bigint as weight from found',
    )
  ).getRowObjects();
  const most = Math.round(Math.min(Math.max(Number(row?.weight) / BATCHES, LEAST_BATCH_BYTES), MOST_BATCH_BYTES));
  // A day that fits is never parted: it becomes one part.
  await connection.run(`create table fresh as
    select number, path, size, modified, ((case when ofday <= ${most} then uptoday - ofday else upto end) // ${most})::integer as batch
    from (select *, sum(weight) over (order by number) as upto, sum(weight) over (partition by day) as ofday, sum(weight) over (order by day nulls last) as uptoday from found)
    order by number`);
  await connection.run('drop table found');
  await connection.run('drop table listing');
  return { files: Number(row?.files), bytes: Number(row?.bytes) };
}

/** Takes batch after batch off `fresh`, unpacked; undefined when there is none left. */
function batches({ root, store, unpacker, alone }: Load, connection: DuckDBConnection): () => Promise<Batch | undefined> {
  let number = 0;
  const take = async (): Promise<Omit<Batch, 'unpacked'> | undefined> => {
    // A file larger than a batch leaves numbers without files behind it.
    const reader = await connection.runAndReadAll(`select number, path, size, modified, batch from fresh
      where batch = (select min(batch) from fresh where batch >= ${number}) order by number`);
    const rows = reader.getRowObjects();
    if (rows.length === 0) return undefined;
    number = Number(rows[0]?.batch) + 1;
    const files = rows.map((row) => ({ number: Number(row.number), path: String(row.path), size: Number(row.size), modified: Number(row.modified) }));
    return { files, stage: join(store, 'stage', String(number)) };
  };
  return async () => {
    const taken = await alone(take);
    return (
      taken && {
        ...taken,
        unpacked: await unpacker.unpack({ jobs: jobsOf(root, taken.files), stage: taken.stage, mark: MARK, first: 0, mend: false }),
      }
    );
  };
}

const jobsOf = (root: string, files: readonly TakenFile[]): Job[] =>
  files.map(({ number, path, size }) => ({ file: number, path: join(root, path), size, ...place(path) }));

/** Loads one batch and commits it. Its tables are temporary, and so are this connection's own. */
async function ingest(shared: Load, connection: DuckDBConnection, { files, stage, unpacked }: Batch): Promise<Loaded> {
  const { root, store, unpacker } = shared;
  const run = async (sql: string): Promise<void> => void (await connection.run(sql));
  await listBatch(connection, files);
  await run(`create or replace temp table looked as ${looked(unpacked.stages)}`);
  const stages = [...unpacked.stages];
  const faults: Fault[] = [...unpacked.faults];
  const doubtful = await findDoubtful(connection, files, unpacked);
  if (doubtful.size > 0) {
    await run(`delete from looked where file in (${[...doubtful].join(', ')})`);
    const jobs = jobsOf(root, files).filter(({ file }) => doubtful.has(file));
    const mended = await unpacker.unpack({ jobs, stage: `${stage}-mended`, mark: MARK, first: unpacked.count, mend: true });
    await run(`insert into looked ${looked(mended.stages)}`);
    stages.push(...mended.stages);
    faults.push(...mended.faults, ...(await dropUnsound(connection)));
  }
  await listFaults(connection, faults);

  const name = `${files[0]?.number ?? 0}-${process.pid}-${Date.now().toString(36)}`;
  const [[read] = []] = (await connection.runAndReadAll('select count(*) from looked')).getRows();
  // Which of equal events is kept is settled by one lane at a time.
  const events = await shared.alone(() => keepNew(connection));
  const parts = await writeParts(store, connection, stages, name, await leftOut(connection, unpacked, doubtful, Number(read) - events));
  for (const { path } of stages) await rm(path, { force: true });
  const places = await distinctPlaces(store, connection, files, parts);
  const ids = events > 0 ? [`ids/${name}.parquet`] : [];
  for (const file of ids) await run(`copy (select key from kept) to ${quoted(join(store, file))} (format parquet, compression zstd)`);
  const ledger = `files/${name}.parquet`;
  await run(`copy (select path, size, modified, reason, coalesce(aside, 0) as aside, ${shared.number}::integer as load from batch left join faults on faults.file = batch.number order by path)
    to ${quoted(join(store, ledger))} (format parquet, compression zstd)`);

  const commit: Commit = {
    base: false,
    parts,
    files: [ledger],
    ids,
    ...places,
  };
  await settle(store, [...parts.map(({ file }) => file), ledger, ...ids]);
  await shared.alone(async () => {
    await writeCommit(store, shared.state.version + 1, commit);
    shared.state = added(shared.state, commit);
  });
  return {
    files: files.length,
    events,
    duplicates: Number(read) - events,
    asideFiles: new Set(faults.filter(({ records }) => records === 0).map(({ file }) => file)).size,
    asideEvents: faults.reduce((sum, { records }) => sum + records, 0),
  };
}

/**
 * Numbers of the files that need a closer look: those with a line that is no event or lies under another day than a
 * glance told, and those of which lines are missing.
 */
async function findDoubtful(connection: DuckDBConnection, files: readonly TakenFile[], { faults, lines }: UnpackReply): Promise<Set<number>> {
  const reader = await connection.runAndReadAll('select file, bool_and(sound), bool_and(day = ownday), count(*) from looked group by file');
  const unfiled = new Set(files.filter(({ path }) => place(path).day === null).map(({ number }) => number));
  const written = new Map(lines);
  const isWhole = ([file, sound, dated, rows]: readonly unknown[]): boolean =>
    sound === true && (dated === true || !unfiled.has(Number(file))) && Number(rows) === written.get(Number(file));
  const whole = new Set(reader.getRows().flatMap((row) => (isWhole(row) ? [Number(row[0])] : [])));
  const faulty = new Set(faults.map(({ file }) => file));
  return new Set(files.map(({ number }) => number).filter((number) => !faulty.has(number) && !whole.has(number)));
}

/** What is no event even after its file was mended goes, and is told of. */
async function dropUnsound(connection: DuckDBConnection): Promise<Fault[]> {
  const reader = await connection.runAndReadAll('select file, count(*) from looked where not sound group by file');
  const rows = reader.getRows();
  if (rows.length > 0) await connection.run('delete from looked where not sound');
  return rows.map(([file, count]) => ({ file: Number(file), reason: 'an event cannot be read', records: Number(count) }));
}

/** The batch's files as a table: with the faults they become the ledger. */
async function listBatch(connection: DuckDBConnection, files: readonly TakenFile[]): Promise<void> {
  await connection.run('create or replace temp table batch (number integer, path varchar, size bigint, modified bigint)');
  const appender = await connection.createAppender('batch');
  for (const { number, path, size, modified } of files) {
    appender.appendInteger(number);
    appender.appendVarchar(path);
    appender.appendBigInt(BigInt(size));
    appender.appendBigInt(BigInt(modified));
    appender.endRow();
  }
  appender.closeSync();
}

/** The batch's faults as a table. */
async function listFaults(connection: DuckDBConnection, faults: readonly Fault[]): Promise<void> {
  await connection.run('create or replace temp table faults (file integer, reason varchar, aside bigint)');
  const appender = await connection.createAppender('faults');
  for (const { file, reason, records } of faults) {
    appender.appendInteger(file);
    appender.appendVarchar(reason);
    appender.appendBigInt(BigInt(records));
    appender.endRow();
  }
  appender.closeSync();
}

/** The lines whose event nobody has seen, as the table `kept`, and how many they are. They are seen from now on. */
async function keepNew(connection: DuckDBConnection): Promise<number> {
  // The batch is small and `seen` is not: it is walked once, and never made a hash table of.
  await connection.run('create or replace temp table repeated as select key from seen where key in (select key from looked)');
  await connection.run(
    'create or replace temp table kept as select min(line) as line, key from looked where key not in (select key from repeated) group by key',
  );
  await connection.run('insert into seen select key from kept');
  const [[kept] = []] = (await connection.runAndReadAll('select count(*) from kept')).getRows();
  return Number(kept);
}

/** Which lines of the stages are not kept, as a condition: those of files that were mended since, and of events that are there. */
async function leftOut(connection: DuckDBConnection, { count }: UnpackReply, doubtful: ReadonlySet<number>, repeats: number): Promise<string[]> {
  const conditions: string[] = [];
  if (doubtful.size > 0) conditions.push(`(line >= ${count} or file not in (${[...doubtful].join(', ')}))`);
  if (doubtful.size > 0 || repeats > 0) {
    const dropped = await connection.runAndReadAll('select line from looked where line not in (select line from kept)');
    const lines = dropped.getRows().map(([line]) => Number(line));
    // As a list: joined to a table, the wide rows themselves would be made a hash table of.
    if (lines.length > 0) conditions.push(`line not in (${lines.join(', ')})`);
  }
  return conditions;
}

/** Writes the kept lines as one part for each day. */
async function writeParts(
  store: string,
  connection: DuckDBConnection,
  stages: readonly Stage[],
  name: string,
  conditions: readonly string[],
): Promise<Part[]> {
  const days = await connection.runAndReadAll(
    'select day, count(*) as rows, min(eventtime) as first, max(eventtime) as last from looked where line in (select line from kept) group by day order by day',
  );
  const fileOf = (day: string): string => partFile(day, `${name}-0`);
  const rows = new Map(days.getRowObjects().map((row) => [String(row.day), row]));
  for (const group of together(stages.filter(({ day }) => rows.has(day)))) {
    const records = [recordsOf(group), ...conditions].join(' and ');
    const own = new Set(group.map(({ day }) => day));
    for (const day of own) await mkdir(join(store, dirname(fileOf(day))), { recursive: true });
    const [day] = own;
    if (own.size === 1 && day) await connection.run(copyDay(records, join(store, fileOf(day))));
    else await connection.run(copyDays(records, store, name));
  }
  return Promise.all(
    [...rows].map(async ([day, row]) => {
      const file = fileOf(day);
      return { file, day, rows: Number(row.rows), bytes: (await stat(join(store, file))).size, first: String(row.first), last: String(row.last) };
    }),
  );
}

/** Text, and days, that are held to be written together. */
const TOGETHER_BYTES = 12_000_000;
const TOGETHER_DAYS = 30;

/** Stages in groups that are written by one statement: the small days together, each larger one alone. */
function together(stages: readonly Stage[]): Stage[][] {
  const groups: { stages: Stage[]; bytes: number; days: number }[] = [];
  for (const [, own] of Map.groupBy(stages, ({ day }) => day)) {
    const bytes = own.reduce((sum, stage) => sum + stage.bytes, 0);
    const last = groups.at(-1);
    if (last && last.bytes + bytes <= TOGETHER_BYTES && last.days < TOGETHER_DAYS) {
      last.stages.push(...own);
      last.bytes += bytes;
      last.days += 1;
    } else groups.push({ stages: [...own], bytes, days: 1 });
  }
  return groups.map((group) => group.stages);
}

/** The accounts and regions that the events of a batch lie under: folders tell, and records where there are none. */
async function distinctPlaces(
  store: string,
  connection: DuckDBConnection,
  files: readonly TakenFile[],
  parts: readonly Part[],
): Promise<Pick<Commit, 'accounts' | 'regions'>> {
  const told = files.map(({ path }) => place(path));
  const accounts = new Set(told.map(({ account }) => account));
  const regions = new Set(told.map(({ region }) => region));
  if (parts.length > 0 && told.some(({ day }) => day === null)) {
    const from = parquet(
      store,
      parts.map(({ file }) => file),
    );
    for (const [account, region] of (await connection.runAndReadAll(`select distinct account, region from ${from}`)).getRows()) {
      accounts.add(String(account));
      regions.add(String(region));
    }
  }
  const named = (names: ReadonlySet<string | null>): string[] => [...names].filter((name) => name !== null).sort();
  return { accounts: named(accounts), regions: named(regions) };
}

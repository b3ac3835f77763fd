/**
 * Loads the new files of a trail in batches, several at a time. A batch is unpacked to one line of NDJSON per record, in
 * store order. DuckDB checks which lines are valid and new, derives the columns and streams them to one part per day. Then
 * the batch is committed as a whole.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import pLimit, { type LimitFunction } from 'p-limit';
import { UserError } from '../src/errors.ts';
import { applyCommit, type Commit, emptyState, type Part, recoverLog, type StoreState, writeCommit } from './commit-log.ts';
import { compact } from './compact.ts';
import { DamagedStore, MEND } from './damage.ts';
import { renameDurably, syncToDisk } from './durable-file.ts';
import { openIgnoredList } from './ignored-paths.ts';
import { groupsOfRows, KEPT_SHAPE, keepParts } from './keep.ts';
import { parseLogPath, walkLogFiles } from './log-files.ts';
import type { StagingFile } from './staging-file.ts';
import { isDiskFault } from './store-fault.ts';
import {
  checkRows,
  copyDayStatement,
  copyDaysStatement,
  FIELD_PREFIX,
  linesQuery,
  macros,
  partFile,
  readParquet,
  recordsQuery,
  SCHEMA_PART,
  skippedFilesQuery,
  sqlQuoted,
  withOwnIds,
} from './store-schema.ts';
import type { LoadError, UnpackJob, UnpackReply } from './unpack-log-files.ts';
import { startUnpackThread, type UnpackThread } from './unpack-thread.ts';

/** The result of a load. */
export interface LoadResult {
  readonly files: number;
  readonly events: number;
  readonly duplicates: number;
  readonly skippedFiles: number;
  readonly skippedEvents: number;
}

interface LoadRequest {
  readonly root: string;
  readonly store: string;
  readonly signal: AbortSignal;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
  /** Reads all files, and replaces what is in the store with one commit at the end. */
  readonly isRebuild: boolean;
}

/**
 * Packed bytes per batch; unpacked text is about ten times as large. Large batches make large parts, which are faster to
 * query; small loads are split so that all workers are busy from start to end.
 */
const MAX_BATCH_BYTES = 8_000_000;
const MIN_BATCH_BYTES = 1_000_000;
const BATCHES_PER_LOAD = 24;
/** Overhead per file, which keeps batches of tiny files small. */
const BYTES_PER_FILE = 300;
/** More workers would need more than 1 GB of memory. */
const MAX_LOAD_WORKERS = 2;
const LOADER_MEMORY = '448MB';

/** For the text of a log file and the words of a batch. Without a limit, what is no longer used of these piles up to hundreds of megabytes. */
const UNPACK_MEMORY_MB = 192;

/**
 * The loader's large statement is planned again for each part, and planning takes as long as 2,000 rows. These optimizers
 * do not improve it or make it slower: `in_clause` turns a list of five names into a join of wide rows.
 */
const DISABLED_OPTIMIZERS = 'in_clause,common_subexpressions,expression_rewriter,statistics_propagation';

/**
 * DuckDB returns memory to the system when it frees more than this at once. That makes a small load a quarter slower, but
 * keeps a large load from growing by unused memory.
 */
const DEALLOCATION_THRESHOLD = '32MB';
const LARGE_LOAD_BYTES = 300_000_000;

interface BatchFile {
  readonly number: number;
  readonly path: string;
  readonly size: number;
  readonly modified: number;
  readonly changed: number;
  /** Why it cannot be read, if the walk through the trail found that. */
  readonly fault: string | null;
}

/** A batch of files, unpacked into staging files whose paths start with `stagingPath`. */
interface Batch {
  readonly files: readonly BatchFile[];
  readonly stagingPath: string;
  readonly unpacked: UnpackReply;
}

/** A batch that could not be unpacked as a whole. */
type FailedBatch = Pick<Batch, 'files'>;

/** What the workers of a load share. */
interface LoadContext {
  readonly root: string;
  readonly store: string;
  readonly signal: AbortSignal;
  readonly unpackThread: UnpackThread;
  /** Runs work of one worker at a time. */
  readonly exclusively: LimitFunction;
  /** The number of this load. Of several ledger rows of a file, the one with the highest number counts. */
  readonly number: number;
  /** True while the store is built anew: then there is one commit, at the end, and until then readers have what was there before. */
  readonly isRebuild: boolean;
  /** Numbers of files whose batch failed as a whole. They are loaded at the end, in smaller batches. */
  readonly failed: FileRange[];
  /** Numbers of files some of whose events were left out, because other files had them. */
  readonly repeating: FileRange[];
  /** True when such another file may not have been loaded in the end. */
  hasWithdrawn: boolean;
  state: StoreState;
}

/** Numbers of files of `new_files`, both included. */
interface FileRange {
  readonly first: number;
  readonly last: number;
}

/** Loads the files of `root` that are not in the store yet. */
export async function runLoad({ root, store, signal, onProgress, isRebuild: isAsked }: LoadRequest): Promise<LoadResult> {
  const instance = await DuckDBInstance.create(':memory:', {
    // Each worker runs on its own connection; more DuckDB threads would spend a third of the time waiting for each other.
    threads: '1',
    memory_limit: LOADER_MEMORY,
    temp_directory: join(store, 'spill'),
    preserve_insertion_order: 'false',
  });
  const unpackThread = startUnpackThread({ oldGenerationMb: UNPACK_MEMORY_MB });
  const connections: DuckDBConnection[] = [];
  const connect = async () => {
    const connection = await instance.connect();
    connections.push(connection);
    return connection;
  };
  // A statement over a large batch takes seconds, and a process that ends waits for it.
  const interrupt = (): void => {
    for (const connection of connections) connection.interrupt();
  };
  signal.addEventListener('abort', interrupt);
  try {
    const main = await connect();
    await main.run(`${macros}; set global disabled_optimizers = '${DISABLED_OPTIMIZERS}'`);
    const found = await recoverLog(store);
    const isRebuild = isAsked || found.isLost;
    const state = isRebuild ? emptyState(found.state.version) : found.state;
    const context: LoadContext = {
      root,
      store,
      signal,
      unpackThread,
      exclusively: pLimit(1),
      number: state.version,
      isRebuild,
      failed: [],
      repeating: [],
      hasWithdrawn: false,
      state,
    };
    await ensureSchema(store, main);
    if (!isRebuild) await keepAnew(context, main);
    const newFiles = await findNewFiles(context, main, signal);
    const total: { -readonly [K in keyof LoadResult]: number } = { files: 0, events: 0, duplicates: 0, skippedFiles: 0, skippedEvents: 0 };
    if (newFiles.files === 0) {
      if (isRebuild && found.state.version > 0)
        throw new UserError(`The folder ${root} has no log files, so the store cannot be built from it again.`);
      return total;
    }
    if (found.isLost && !isAsked) await refuseMissingFiles(context, main);
    if (newFiles.bytes > LARGE_LOAD_BYTES) await main.run(`set global allocator_bulk_deallocation_flush_threshold = '${DEALLOCATION_THRESHOLD}'`);

    // The identities of all stored events, in DuckDB, which spills them to disk when they exceed its memory.
    const ids = state.ids.length > 0 ? readParquet(store, state.ids) : '(select null::uuid as id, null::ubigint as content limit 0)';
    await main.run(`create table known_ids as select id, content from ${ids}`);
    let done = 0;
    onProgress?.(done, newFiles.bytes);
    const addUp = (loaded: LoadResult): void => {
      for (const key of Object.keys(total) as (keyof LoadResult)[]) total[key] += loaded[key];
    };
    const workers = await Promise.all(Array.from({ length: Math.min(MAX_LOAD_WORKERS, availableParallelism()) }, connect));
    await runWorkers(batchSource(context, main), workers, async (batch, connection) => {
      signal.throwIfAborted();
      const loaded = await tryBatch(context, connection, batch);
      if (loaded) addUp(loaded);
      done += batch.files.reduce((sum, { size }) => sum + size, 0);
      onProgress?.(done, newFiles.bytes);
    });
    // One at a time, with all of the memory.
    for (const range of context.failed) await loadInParts(context, main, range, addUp);
    if (context.hasWithdrawn) for (const range of [...context.repeating]) await loadInParts(context, main, range, addUp);
    await main.run('drop table known_ids');
    if (isRebuild) {
      const { commitsSinceBase: _, version: __, ...all } = context.state;
      const commit: Commit = { ...all, base: true };
      await writeCommit(store, found.state.version + 1, commit);
      context.state = applyCommit(emptyState(found.state.version), commit);
    }
    // Merging takes memory that the thread and the batches held until now.
    await unpackThread.end();
    for (const connection of workers) await connection.run('drop table if exists lines; drop table if exists new_events');
    await compact(store, context.state, main).catch((error: unknown) => {
      // All events are stored. Many small parts make questions slower, but no answer wrong.
      if (!isFaultOfFiles(context, error)) throw error;
    });
    return total;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
    for (const connection of connections) connection.closeSync();
    instance.closeSync();
    await unpackThread.end();
  }
}

/**
 * The lists of files on disk tell what was loaded, also without the commits that name them.
 *
 * @throws DamagedStore when a log file that was loaded has left the trail's folder: without it, events would be missing in silence.
 */
async function refuseMissingFiles({ root, store }: LoadContext, connection: DuckDBConnection): Promise<void> {
  const missing = new Set<string>();
  for (const name of await readdir(join(store, 'files'))) {
    // One that cannot be read is left from a loader that was killed, or damaged itself.
    const reader = await connection
      .runAndReadAll(
        `select path from ${readParquet(store, [`files/${name}`])} where reason is null and path not in (select path from new_files) limit 1000`,
      )
      .catch(() => undefined);
    for (const [path] of reader?.getRows() ?? []) missing.add(String(path));
  }
  const [example] = missing;
  if (example === undefined) return;
  throw new DamagedStore(
    `The store ${store} is damaged, and cannot be built again as it was: ${missing.size} of the log files that were loaded, such as ${example}, are no longer in ${root}. This goes on without their events: ${MEND}`,
  );
}

/** Loads a batch. When that fails because of its files, they are noted, to be loaded in smaller batches at the end. */
async function tryBatch(context: LoadContext, connection: DuckDBConnection, batch: Batch | FailedBatch): Promise<LoadResult | undefined> {
  if ('unpacked' in batch) {
    try {
      return await loadBatch(context, connection, batch);
    } catch (error) {
      if (!isFaultOfFiles(context, error)) throw error;
    }
  }
  context.failed.push(filesRange(batch.files));
  return undefined;
}

const filesRange = (files: readonly BatchFile[]): FileRange => ({ first: files[0]?.number ?? 0, last: files.at(-1)?.number ?? 0 });

/** Loads files in halves, and halves of those, where they fail together. One that fails by itself is skipped with the reason. */
async function loadInParts(
  context: LoadContext,
  connection: DuckDBConnection,
  range: FileRange,
  onLoaded: (loaded: LoadResult) => void,
): Promise<void> {
  const { store, signal } = context;
  signal.throwIfAborted();
  const files = await filesBetween(connection, range);
  const [only] = files;
  if (!only) return;
  const stagingPath = join(store, 'stage', `part-${range.first}-${range.last}`);
  try {
    onLoaded(await loadBatch(context, connection, { files, stagingPath, unpacked: await unpackFiles(context, files, stagingPath) }));
  } catch (error) {
    if (!isFaultOfFiles(context, error)) throw error;
    if (files.length === 1) {
      const errors = [{ file: only.number, reason: `cannot be loaded (${shortReason(error)})`, records: 0 }];
      onLoaded(
        await loadBatch(context, connection, {
          files,
          stagingPath,
          unpacked: { stagingFiles: [], count: 0, lines: [], errors, mentions: undefined },
        }),
      );
      return;
    }
    const middle = Math.floor((range.first + range.last) / 2);
    await loadInParts(context, connection, { first: range.first, last: middle }, onLoaded);
    await loadInParts(context, connection, { first: middle + 1, last: range.last }, onLoaded);
  }
}

/** After an internal error DuckDB refuses everything, so that nothing is known about the files. */
const IS_DUCKDB_ENDED = /database has been invalidated|FATAL/i;

const isFaultOfFiles = ({ signal }: LoadContext, error: unknown): boolean =>
  !signal.aborted && !(error instanceof UserError) && !isDiskFault(error) && !IS_DUCKDB_ENDED.test(String(error));

const MAX_REASON = 120;
const shortReason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, MAX_REASON) ?? '';

/** Processes batches on several connections, with one batch unpacked in advance. After a failure, running batches finish and no new one starts. */
async function runWorkers(
  next: () => Promise<Batch | FailedBatch | undefined>,
  connections: readonly DuckDBConnection[],
  work: (batch: Batch | FailedBatch, connection: DuckDBConnection) => Promise<void>,
): Promise<void> {
  let failed = false;
  let upcoming = next();
  const worker = async (connection: DuckDBConnection): Promise<void> => {
    try {
      for (;;) {
        const current = upcoming;
        upcoming = current.then((batch) => (batch && !failed ? next() : undefined));
        const batch = await current;
        if (!batch || failed) return;
        await work(batch, connection);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const ended = await Promise.allSettled(connections.map(worker));
  await upcoming.catch(() => undefined);
  const failure = ended.find((each) => each.status === 'rejected');
  if (failure) throw failure.reason;
}

/** Writes the part without rows, unless it is there and whole. */
async function ensureSchema(store: string, connection: DuckDBConnection): Promise<void> {
  const isWhole = await connection.run(`select * from ${readParquet(store, [SCHEMA_PART])}`).then(
    () => true,
    () => false,
  );
  if (isWhole) return;
  const file = join(store, SCHEMA_PART);
  await mkdir(dirname(file), { recursive: true });
  await connection.run(copyDayStatement(recordsQuery([]), `${file}.new`));
  await syncToDisk(store, [`${SCHEMA_PART}.new`]);
  await renameDurably(`${file}.new`, file);
}

/** Makes what the store keeps of its events anew, when an older version made it in another way, or not at all. */
async function keepAnew(context: LoadContext, connection: DuckDBConnection): Promise<void> {
  const { store, state, signal } = context;
  if (state.kept === KEPT_SHAPE || state.parts.length === 0) return;
  const activity: string[] = [];
  const mentions: string[] = [];
  const sums = Object.fromEntries(Object.entries(state.sums).filter(([file]) => !state.activity.includes(file) && !state.mentions.includes(file)));
  for (const [i, parts] of groupsOfRows(state.parts, MAX_ROWS_AT_ONCE).entries()) {
    signal.throwIfAborted();
    const { kept, rows } = await keepParts(store, connection, parts, `kept-${i}-${uniqueSuffix()}`);
    await checkRows(store, connection, rows);
    Object.assign(sums, await syncToDisk(store, Object.keys(rows)));
    activity.push(...kept.activity);
    mentions.push(...kept.mentions);
  }
  const { commitsSinceBase: _, version, ...all } = state;
  const commit: Commit = { ...all, base: true, activity, mentions, kept: KEPT_SHAPE, sums };
  await writeCommit(store, version + 1, commit);
  context.state = applyCommit(emptyState(version), commit);
}

/** Rows of events whose activity and mentions are made at once. */
const MAX_ROWS_AT_ONCE = 100_000;

/** Creates the table `new_files`, with the files numbered by day. */
async function findNewFiles(context: LoadContext, connection: DuckDBConnection, signal: AbortSignal) {
  const { root, store, state } = context;
  const ignored = openIgnoredList();
  await connection.run('create table listing (path varchar, size bigint, modified bigint, changed bigint, day varchar, fault varchar)');
  const appender = await connection.createAppender('listing');
  for await (const { path, size, modified, changed, day, fault } of walkLogFiles(root, signal, ignored)) {
    appender.appendVarchar(path);
    appender.appendBigInt(BigInt(size));
    appender.appendBigInt(BigInt(modified));
    appender.appendBigInt(BigInt(changed));
    if (day === null) appender.appendNull();
    else appender.appendVarchar(day);
    if (fault === undefined) appender.appendNull();
    else appender.appendVarchar(fault);
    appender.endRow();
  }
  appender.closeSync();
  await ignored.write(store);
  await forgetGone(context, connection);
  // CloudTrail never changes a file, so a loaded file is known by path and size; another copy of it has other times.
  // A skipped file is read again after any change. Its time of modification may be that of a copy, so the time of the change counts too.
  // What the walk could not read is no news when it was read before, or when it was written down with the same reason.
  const known =
    state.files.length === 0
      ? 'false'
      : `exists (select 1 from ${readParquet(store, state.files)} as known where known.path = listing.path and known.size = listing.size
           and (known.reason is null or known.modified = listing.modified and known.changed = listing.changed and not starts_with(known.reason, 'cannot be read')))
         or fault is not null and exists (select 1 from ${readParquet(store, state.files)} as known where known.path = listing.path and known.reason is null and known.size >= 0)
         or fault is not null and coalesce(fault = (select arg_max(reason, load) from ${readParquet(store, state.files)} as known where known.path = listing.path), false)`;
  await connection.run(`create table unread as
    select row_number() over (order by day nulls last, path) - 1 as number, path, size, modified, changed, day, fault, size + ${BYTES_PER_FILE} as weight from listing where not (${known})`);
  const [row] = (
    await connection.runAndReadAll(
      'select count(*) as files, coalesce(sum(size), 0)::bigint as bytes, coalesce(sum(weight), 0)::bigint as weight from unread',
    )
  ).getRowObjects();
  const maxWeight = Math.round(Math.min(Math.max(Number(row?.weight) / BATCHES_PER_LOAD, MIN_BATCH_BYTES), MAX_BATCH_BYTES));
  // A day that fits into a batch is not split, so that it becomes one part.
  await connection.run(`create table new_files as
    select number, path, size, modified, changed, fault, ((case when ofday <= ${maxWeight} then uptoday - ofday else upto end) // ${maxWeight})::integer as batch
    from (select *, sum(weight) over (order by number) as upto, sum(weight) over (partition by day) as ofday, sum(weight) over (order by day nulls last) as uptoday from unread)
    order by number`);
  await connection.run('drop table unread');
  await connection.run('drop table listing');
  return { files: Number(row?.files), bytes: Number(row?.bytes) };
}

/** Strikes skipped files that are no longer in the trail, and folders that can be read again, from the list of what was skipped. */
async function forgetGone(context: LoadContext, connection: DuckDBConnection): Promise<void> {
  const { store, state, number } = context;
  if (state.files.length === 0) return;
  await connection.run(`create table gone as select distinct path from (${skippedFilesQuery(store, state.files)}) as skipped
    where path not in (select path from listing) and not exists (select 1 from listing where fault is not null and starts_with(skipped.path, listing.path || '/'))`);
  const [[count] = []] = (await connection.runAndReadAll('select count(*) from gone')).getRows();
  if (Number(count) > 0) {
    const ledger = `files/gone-${uniqueSuffix()}.parquet`;
    await connection.run(`copy (select path, -1::bigint as size, 0::bigint as modified, 0::bigint as changed, null::varchar as reason, 0::bigint as skipped, false as other, ${number}::integer as load from gone order by path)
      to ${sqlQuoted(join(store, ledger))} (format parquet, compression zstd)`);
    await addCommit(context, connection, { ...NOTHING, files: [ledger] }, { [ledger]: Number(count) });
  }
  await connection.run('drop table gone');
}

const NOTHING: Omit<Commit, 'sums'> = {
  base: false,
  parts: [],
  files: [],
  ids: [],
  activity: [],
  mentions: [],
  kept: KEPT_SHAPE,
  accounts: [],
  regions: [],
};

/** Syncs the files of a commit, compares their rows with `rows`, and writes it. */
async function addCommit(
  context: LoadContext,
  connection: DuckDBConnection,
  commit: Omit<Commit, 'sums'>,
  rows: Readonly<Record<string, number>>,
): Promise<void> {
  const { store, isRebuild } = context;
  await checkRows(store, connection, rows);
  const whole: Commit = { ...commit, sums: await syncToDisk(store, Object.keys(rows)) };
  await context.exclusively(async () => {
    if (!isRebuild) await writeCommit(store, context.state.version + 1, whole);
    context.state = applyCommit(context.state, whole);
  });
}

const uniqueSuffix = (): string => `${process.pid}-${Date.now().toString(36)}`;

const FILE_COLUMNS = 'number, path, size, modified, changed, fault';

const toBatchFile = (row: Readonly<Record<string, unknown>>): BatchFile => ({
  number: Number(row.number),
  path: String(row.path),
  size: Number(row.size),
  modified: Number(row.modified),
  changed: Number(row.changed),
  fault: row.fault === null ? null : String(row.fault),
});

async function filesBetween(connection: DuckDBConnection, { first, last }: FileRange): Promise<BatchFile[]> {
  const reader = await connection.runAndReadAll(`select ${FILE_COLUMNS} from new_files where number between ${first} and ${last} order by number`);
  return reader.getRowObjects().map(toBatchFile);
}

const unpackFiles = ({ root, unpackThread }: LoadContext, files: readonly BatchFile[], stagingPath: string): Promise<UnpackReply> =>
  unpackThread.unpack({ jobs: jobsOf(root, files), stagingPath, fieldPrefix: FIELD_PREFIX, firstLine: 0, isRepair: false });

/** Returns a function that gives the next unpacked batch of `new_files`, undefined at the end. */
function batchSource(context: LoadContext, connection: DuckDBConnection): () => Promise<Batch | FailedBatch | undefined> {
  const { store, exclusively } = context;
  let number = 0;
  const take = async (): Promise<Omit<Batch, 'unpacked'> | undefined> => {
    // After a file larger than a batch, some batch numbers have no files.
    const reader = await connection.runAndReadAll(`select ${FILE_COLUMNS}, batch from new_files
      where batch = (select min(batch) from new_files where batch >= ${number}) order by number`);
    const rows = reader.getRowObjects();
    if (rows.length === 0) return undefined;
    number = Number(rows[0]?.batch) + 1;
    return { files: rows.map(toBatchFile), stagingPath: join(store, 'stage', String(number)) };
  };
  return async () => {
    const next = await exclusively(take);
    if (!next) return undefined;
    try {
      return { ...next, unpacked: await unpackFiles(context, next.files, next.stagingPath) };
    } catch (error) {
      if (!isFaultOfFiles(context, error)) throw error;
      return { files: next.files };
    }
  };
}

const jobsOf = (root: string, files: readonly BatchFile[]): UnpackJob[] =>
  files.map(({ number, path, size, fault }) => ({ file: number, path: join(root, path), size, fault, ...parseLogPath(path) }));

/** Loads one batch and commits it. Its tables are temporary, so each connection has its own. */
async function loadBatch(context: LoadContext, connection: DuckDBConnection, { files, stagingPath, unpacked }: Batch): Promise<LoadResult> {
  const { root, store, unpackThread } = context;
  const run = async (sql: string): Promise<void> => void (await connection.run(sql));
  await createBatchTable(connection, files);
  await run(`create or replace temp table lines as ${linesQuery(unpacked.stagingFiles)}`);
  const stagingFiles = [...unpacked.stagingFiles];
  const errors: LoadError[] = [...unpacked.errors];
  const suspects = await findSuspectFiles(connection, files, unpacked);
  if (suspects.size > 0) {
    await run(`delete from lines where file in (${[...suspects].join(', ')})`);
    const jobs = jobsOf(root, files).filter(({ file }) => suspects.has(file));
    const repaired = await unpackThread.unpack({
      jobs,
      stagingPath: `${stagingPath}-repaired`,
      fieldPrefix: FIELD_PREFIX,
      firstLine: unpacked.count,
      isRepair: true,
    });
    await run(`insert into lines ${linesQuery(repaired.stagingFiles)}`);
    stagingFiles.push(...repaired.stagingFiles);
    errors.push(...repaired.errors, ...(await dropInvalidLines(connection)));
  }
  await createErrorsTable(connection, errors);

  const name = `${files[0]?.number ?? 0}-${uniqueSuffix()}`;
  const [[read] = []] = (await connection.runAndReadAll('select count(*) from lines')).getRows();
  // One worker at a time decides which of several equal events is stored.
  const { events, sharedIds } = await context.exclusively(() => keepNewEvents(connection));
  try {
    const lines = await stagingLines(connection, unpacked.count, suspects, { hasRepeats: Number(read) > events, hasSharedIds: sharedIds > 0 });
    const parts = await writeParts(store, connection, stagingFiles, name, lines);
    for (const { path } of stagingFiles) await rm(path, { force: true });
    const places = await readAccountsAndRegions(store, connection, files, parts);
    const ids = events > 0 ? [`ids/${name}.parquet`] : [];
    for (const file of ids)
      await run(`copy (select id, content from new_events) to ${sqlQuoted(join(store, file))} (format parquet, compression zstd)`);
    const ledger = `files/${name}.parquet`;
    await run(`copy (select path, size, modified, changed, reason, coalesce(skipped, 0) as skipped, coalesce(other, false) as other, ${context.number}::integer as load from batch left join errors on errors.file = batch.number order by path)
      to ${sqlQuoted(join(store, ledger))} (format parquet, compression zstd)`);
    // An event that is stored already, from another batch, is none of this one's mentions.
    const isWhole = suspects.size === 0 && sharedIds === 0 && events === unpacked.mentions?.records;
    const { kept, rows: keptRows } = await keepParts(store, connection, parts, name, isWhole ? unpacked.mentions : undefined);
    if (unpacked.mentions) await rm(unpacked.mentions.path, { force: true });
    const rows = { ...Object.fromEntries(parts.map((part) => [part.file, part.rows])), ...Object.fromEntries(ids.map((file) => [file, events])) };
    await addCommit(
      context,
      connection,
      { ...NOTHING, parts, files: [ledger], ids, ...kept, ...places },
      { ...rows, ...keptRows, [ledger]: ledgerRows(files, errors) },
    );
  } catch (error) {
    await context.exclusively(() => withdrawEvents(connection));
    context.hasWithdrawn = true;
    throw error;
  }
  if (Number(read) > events) context.repeating.push(filesRange(files));
  const filesWith = (isOther: boolean) =>
    new Set(errors.filter((each) => each.records === 0 && (each.isOther ?? false) === isOther).map(({ file }) => file));
  return {
    files: files.length - filesWith(true).size,
    events,
    duplicates: Number(read) - events,
    skippedFiles: filesWith(false).size,
    skippedEvents: errors.reduce((sum, { records }) => sum + records, 0),
  };
}

/**
 * Numbers of the files to repair: those with an invalid line, with a line under the wrong day, or with missing lines.
 */
async function findSuspectFiles(connection: DuckDBConnection, files: readonly BatchFile[], { errors, lines }: UnpackReply): Promise<Set<number>> {
  const reader = await connection.runAndReadAll('select file, bool_and(is_valid), bool_and(day = event_day), count(*) from lines group by file');
  const withoutDayFolder = new Set(files.filter(({ path }) => parseLogPath(path).day === null).map(({ number }) => number));
  const written = new Map(lines);
  const isComplete = ([file, valid, dated, rows]: readonly unknown[]): boolean =>
    valid === true && (dated === true || !withoutDayFolder.has(Number(file))) && Number(rows) === written.get(Number(file));
  const complete = new Set(reader.getRows().flatMap((row) => (isComplete(row) ? [Number(row[0])] : [])));
  const failed = new Set(errors.map(({ file }) => file));
  return new Set(files.map(({ number }) => number).filter((number) => !failed.has(number) && !complete.has(number)));
}

/** Deletes lines that are still invalid after the repair, and returns them as errors. */
async function dropInvalidLines(connection: DuckDBConnection): Promise<LoadError[]> {
  const reader = await connection.runAndReadAll('select file, count(*) from lines where not is_valid group by file');
  const rows = reader.getRows();
  if (rows.length > 0) await connection.run('delete from lines where not is_valid');
  return rows.map(([file, count]) => ({ file: Number(file), reason: 'an event cannot be read', records: Number(count) }));
}

/** The files of the batch as a table. Joined with the errors, it becomes the ledger. */
async function createBatchTable(connection: DuckDBConnection, files: readonly BatchFile[]): Promise<void> {
  await connection.run('create or replace temp table batch (number integer, path varchar, size bigint, modified bigint, changed bigint)');
  const appender = await connection.createAppender('batch');
  for (const { number, path, size, modified, changed } of files) {
    appender.appendInteger(number);
    appender.appendVarchar(path);
    appender.appendBigInt(BigInt(size));
    appender.appendBigInt(BigInt(modified));
    appender.appendBigInt(BigInt(changed));
    appender.endRow();
  }
  appender.closeSync();
}

/** The errors of the batch as a table. */
async function createErrorsTable(connection: DuckDBConnection, errors: readonly LoadError[]): Promise<void> {
  await connection.run('create or replace temp table errors (file integer, reason varchar, skipped bigint, other boolean)');
  const appender = await connection.createAppender('errors');
  for (const { file, reason, records, isOther = false } of errors) {
    appender.appendInteger(file);
    appender.appendVarchar(reason);
    appender.appendBigInt(BigInt(records));
    appender.appendBoolean(isOther);
    appender.endRow();
  }
  appender.closeSync();
}

/** Creates the table `new_events` of lines with new events, adds them to `known_ids`, and counts them and those whose eventID another event has. */
async function keepNewEvents(connection: DuckDBConnection): Promise<{ readonly events: number; readonly sharedIds: number }> {
  const run = async (sql: string): Promise<void> => void (await connection.run(sql));
  const numbers = async (sql: string): Promise<number[]> => ((await connection.runAndReadAll(sql)).getRows()[0] ?? []).map(Number);
  // The batch is small and `known_ids` is large: this scans it once and never builds a hash table of it.
  await run('create or replace temp table repeated as select id, content from known_ids where id in (select id from lines)');
  await run(`create or replace temp table new_events as select min(line) as line, id, min(content) as content, max(content) as other from lines
    where id not in (select id from repeated) group by id`);
  const [repeats = 0, shared = 0] = await numbers('select (select count(*) from repeated), (select count(*) from new_events where content <> other)');
  // In nearly every batch, lines with the same id are the same event, and no table with all contents is needed.
  if (repeats > 0 || shared > 0) {
    await run(`create or replace temp table new_events as select min(line) as line, id, content from lines
      where not exists (select 1 from repeated where repeated.id = lines.id and repeated.content = lines.content) group by id, content`);
  }
  // The first event with an id keeps it.
  await run(`create or replace temp table shared_ids as select line from new_events
    ${repeats > 0 || shared > 0 ? 'qualify id in (select id from repeated) or row_number() over (partition by id order by line) > 1' : 'limit 0'}`);
  await run('insert into known_ids select id, content from new_events');
  const [events = 0, sharedIds = 0] = await numbers('select (select count(*) from new_events), (select count(*) from shared_ids)');
  return { events, sharedIds };
}

/** Takes the events of a batch that failed out of `known_ids`, so that they are new again. */
async function withdrawEvents(connection: DuckDBConnection): Promise<void> {
  await connection.run('drop table lines');
  await connection.run(
    'delete from known_ids where exists (select 1 from new_events where new_events.id = known_ids.id and new_events.content = known_ids.content)',
  );
}

/** A file is in the ledger once, or once for each reason for which something of it was skipped. */
function ledgerRows(files: readonly BatchFile[], errors: readonly LoadError[]): number {
  const failed = new Set(errors.map(({ file }) => file));
  return files.length - failed.size + errors.length;
}

/** Returns the query for the lines to store: without those of repaired files and of stored events, with an own id for those that share one. */
async function stagingLines(
  connection: DuckDBConnection,
  count: number,
  suspects: ReadonlySet<number>,
  { hasRepeats, hasSharedIds }: { readonly hasRepeats: boolean; readonly hasSharedIds: boolean },
): Promise<(stagingFiles: readonly StagingFile[]) => string> {
  // A bit for each line, because a join with the wide rows would build a hash table of them.
  const setBits = async (table: string): Promise<void> => {
    const [[last] = []] = (await connection.runAndReadAll('select max(line) from lines')).getRows();
    await connection.run(`set variable ${table} = (select bitstring_agg(line, 0, ${Number(last ?? 0)}) from ${table})`);
  };
  const isFiltered = suspects.size > 0 || hasRepeats;
  if (isFiltered) await setBits('new_events');
  if (hasSharedIds) await setBits('shared_ids');
  const conditions = [
    ...(suspects.size > 0 ? [`(line >= ${count} or file not in (${[...suspects].join(', ')}))`] : []),
    ...(isFiltered ? ["get_bit(getvariable('new_events'), line) = 1"] : []),
  ];
  return (stagingFiles) => {
    const records = [recordsQuery(stagingFiles), ...conditions].join(' and ');
    return hasSharedIds ? withOwnIds(records, 'shared_ids') : records;
  };
}

/** Writes the lines of `new_events` as one part per day. */
async function writeParts(
  store: string,
  connection: DuckDBConnection,
  stagingFiles: readonly StagingFile[],
  name: string,
  linesIn: (stagingFiles: readonly StagingFile[]) => string,
): Promise<Part[]> {
  const days = await connection.runAndReadAll(
    'select day, count(*) as rows, min(eventtime) as first, max(eventtime) as last from lines where line in (select line from new_events) group by day order by day',
  );
  const fileOf = (day: string): string => partFile(day, `${name}-0`);
  const rows = new Map(days.getRowObjects().map((row) => [String(row.day), row]));
  for (const group of groupSmallDays(stagingFiles.filter(({ day }) => rows.has(day)))) {
    const records = linesIn(group);
    const ofDay = new Set(group.map(({ day }) => day));
    for (const day of ofDay) await mkdir(join(store, dirname(fileOf(day))), { recursive: true });
    const [day] = ofDay;
    if (ofDay.size === 1 && day) await connection.run(copyDayStatement(records, join(store, fileOf(day))));
    else await connection.run(copyDaysStatement(records, store, name));
  }
  return Promise.all(
    [...rows].map(async ([day, row]) => {
      const file = fileOf(day);
      return { file, day, rows: Number(row.rows), bytes: (await stat(join(store, file))).size, first: String(row.first), last: String(row.last) };
    }),
  );
}

/** Limits of text and days per statement, because they are held in memory. */
const MAX_GROUP_BYTES = 12_000_000;
const MAX_GROUP_DAYS = 30;

/** Groups staging files by the statement that writes them: small days together, each large day in its own. */
function groupSmallDays(stagingFiles: readonly StagingFile[]): StagingFile[][] {
  const groups: { stagingFiles: StagingFile[]; bytes: number; days: number }[] = [];
  for (const [, ofDay] of Map.groupBy(stagingFiles, ({ day }) => day)) {
    const bytes = ofDay.reduce((sum, stagingPath) => sum + stagingPath.bytes, 0);
    const last = groups.at(-1);
    if (last && last.bytes + bytes <= MAX_GROUP_BYTES && last.days < MAX_GROUP_DAYS) {
      last.stagingFiles.push(...ofDay);
      last.bytes += bytes;
      last.days += 1;
    } else groups.push({ stagingFiles: [...ofDay], bytes, days: 1 });
  }
  return groups.map((group) => group.stagingFiles);
}

/** The accounts and regions of a batch, from the folders, or from the records when there are no such folders. */
async function readAccountsAndRegions(
  store: string,
  connection: DuckDBConnection,
  files: readonly BatchFile[],
  parts: readonly Part[],
): Promise<Pick<Commit, 'accounts' | 'regions'>> {
  const paths = files.map(({ path }) => parseLogPath(path));
  const accounts = new Set(paths.map(({ account }) => account));
  const regions = new Set(paths.map(({ region }) => region));
  if (parts.length > 0 && paths.some(({ day }) => day === null)) {
    const from = readParquet(
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

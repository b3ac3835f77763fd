/**
 * The embedded store: the files of a trail, loaded once each into Parquet, one folder a day, sorted by service and call
 * so that a later question reads little. `events` lies there with all of its columns, the derived ones too.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { DuckDBInstance } from '@duckdb/node-api';
import { UserError } from '../src/errors.ts';
import { derivedColumns } from '../src/trail/events.ts';
import { listTrail, place } from './layout.ts';
import { type Commit, type Part, readLog, type StoreState, writeCommit } from './log.ts';
import type { Fault, Job, UnpackReply, UnpackRequest } from './unpack.ts';

export interface LoadOptions {
  /** Folder of the trail, and folder that the store may have for itself. */
  readonly trail: string;
  readonly store: string;
  readonly signal: AbortSignal;
  /** Bytes of trail files read so far, of those that are new. */
  onProgress?(done: number, total: number): void;
}

/** What one load did. */
export interface Loaded {
  readonly files: number;
  readonly events: number;
  readonly duplicates: number;
  readonly asideFiles: number;
  readonly asideEvents: number;
}

/** A file, or events of a file, that could not be loaded. `events` is 0 when the whole file was set aside. */
export interface Aside {
  readonly path: string;
  readonly reason: string;
  readonly events: number;
}

// Raise it when the shape of the store changes and none of the texts below does.
const FORMAT = 1;
const text = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
const flattened = text('flatten.sql');

/** Athena's words for DuckDB: for whoever opens a DuckDB over the store. */
export const macros: string = text('macros.sql');

/** What a store's columns are made by. A store of another shape is built anew. */
const SHAPE = createHash('sha256')
  .update([FORMAT, macros, flattened, derivedColumns].join('\n'))
  .digest('hex')
  .slice(0, 16);

/** The fields of a record. Objects are read as JSON: whatever a service puts there is no error. */
const RECORD = `struct(
  eventVersion varchar, eventTime varchar, eventSource varchar, eventName varchar, awsRegion varchar, sourceIPAddress varchar,
  userAgent varchar, errorCode varchar, errorMessage varchar, requestID varchar, eventID varchar, eventType varchar,
  eventCategory varchar, readOnly varchar, recipientAccountId varchar, sharedEventID varchar, vpcEndpointId varchar,
  sessionCredentialFromConsole varchar, userIdentity json, requestParameters json, responseElements json,
  additionalEventData json, serviceEventDetails json, resources json, tlsDetails json, addendum json)`;

const NO_RECORDS = `select 0::integer as file, unnest(null::${RECORD}) limit 0`;

/** The relation `events` over records that carry their folder's day, account and region. */
const derived = (records: string): string =>
  `with records as (${records}), flat as (${flattened}), events as (${derivedColumns}) select * from events`;

/** A part without rows: it gives the relation its columns while the trail is empty. */
export const SCHEMA_PART = 'events/day=0000%2F00%2F00/schema.parquet';

/** Text of a batch: enough to keep DuckDB busy, little enough to hold twice. */
const BATCH_BYTES = 64 * 1024 * 1024;
const BATCH_FILES = 20_000;
// Files are taken by their packed size; CloudTrail's pack to a sixth or less.
const PACKED_BATCH_BYTES = BATCH_BYTES / 10;
const MEMORY = '400MB';
/** Rows of a row group: small, so that a question about one call skips nearly all of a day. */
const ROW_GROUP = 8192;
/** A day in more parts than this, and a log of more commits, are made one. */
const MOST_PARTS_A_DAY = 6;
const MOST_COMMITS = 24;
/** Files in the store that no commit names are swept up when nobody can be reading them any more. */
const SWEEP_AFTER_MS = 10 * 60_000;

/**
 * Loads what is new in a trail. Stopped or killed at any moment, the next load goes on where the last commit was.
 *
 * @throws UserError when the trail is not there, or the store holds another trail.
 */
export async function loadTrail({ trail, store, signal, onProgress }: LoadOptions): Promise<Loaded> {
  const root = await realpath(trail).catch(() => undefined);
  if (root === undefined || !(await stat(root)).isDirectory())
    throw new UserError(`There is no folder ${trail}. Set TRAIL_PATH to a copy of a trail's bucket.`);
  await mkdir(store, { recursive: true });
  await using _lock = await lockStore(store, signal);
  await prepare(store, root);
  await using loader = await openLoader(store, root);
  return await loader.load(signal, onProgress);
}

/** What was set aside, by file, worst first. */
export async function listAside(store: string): Promise<Aside[]> {
  const { files } = await readLog(store);
  if (files.length === 0) return [];
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const reader = await connection.runAndReadAll(
      `select path, reason, aside from ${parquet(store, files)} where reason is not null
       qualify row_number() over (partition by path, reason order by modified desc) = 1 order by aside, path, reason`,
    );
    return reader.getRowObjects().map((row) => ({ path: String(row.path), reason: String(row.reason), events: Number(row.aside) }));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Parquet files of the store as a table function. The names are ours, but the folder is the user's: quotes are doubled. */
export const parquet = (store: string, files: readonly string[], options = ''): string =>
  `read_parquet([${files.map((file) => quoted(join(store, file))).join(', ')}]${options})`;

const quoted = (name: string): string => `'${name.replaceAll("'", "''")}'`;

/**
 * Keeps other processes from loading the same store at once. The lock is DuckDB's own on a database file: the system
 * lets go of it when a process ends, however it ends, so none is ever left behind.
 */
async function lockStore(store: string, signal: AbortSignal) {
  for (;;) {
    signal.throwIfAborted();
    try {
      const instance = await DuckDBInstance.create(join(store, 'lock.duckdb'));
      return { [Symbol.asyncDispose]: async () => instance.closeSync() };
    } catch (error) {
      if (!/lock/i.test(String(error))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

const KEPT = ['log', 'events', 'files', 'ids'] as const;
const WORK = ['stage', 'spill'] as const;

interface Made {
  readonly shape: string;
  readonly trail: string;
}

/** Makes the folders of a store; clears one of another shape; refuses one of another trail. */
async function prepare(store: string, trail: string): Promise<void> {
  const label = join(store, 'store.json');
  const made = (await readFile(label, 'utf8').then(JSON.parse, () => undefined)) as Made | undefined;
  if (made && made.trail !== trail) {
    throw new UserError(`The store ${store} holds the trail ${made.trail}, not ${trail}. Give another STORE_PATH, or remove that folder.`);
  }
  if (made?.shape !== SHAPE) {
    for (const folder of KEPT) await rm(join(store, folder), { recursive: true, force: true });
    await writeFile(label, JSON.stringify({ shape: SHAPE, trail } satisfies Made), { flush: true });
  }
  for (const folder of WORK) await rm(join(store, folder), { recursive: true, force: true });
  for (const folder of [...KEPT, ...WORK]) await mkdir(join(store, folder), { recursive: true });
}

interface Batch {
  readonly files: readonly { readonly number: number; readonly path: string; readonly size: number; readonly modified: number }[];
  readonly packed: number;
}

async function openLoader(store: string, root: string) {
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY,
    temp_directory: join(store, 'spill'),
    preserve_insertion_order: 'false',
  });
  const connection = await instance.connect();
  await connection.run(macros);
  const unpacker = openUnpacker();
  const run = async (sql: string): Promise<void> => void (await connection.run(sql));
  let state = await readLog(store);
  if (!existsSync(join(store, SCHEMA_PART))) {
    await mkdir(join(store, dirname(SCHEMA_PART)), { recursive: true });
    await run(`copy (select * exclude (day) from (${derived(`select *, null::varchar as day, null::varchar as account, null::varchar as region from (${NO_RECORDS})`)}))
      to ${quoted(join(store, SCHEMA_PART))} (format parquet)`);
  }

  /** The files that are new, in `fresh`, numbered day by day. */
  async function findNew(signal: AbortSignal): Promise<{ readonly files: number; readonly bytes: number }> {
    await run('create or replace temp table listing (path varchar, size bigint, modified bigint, day varchar)');
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
        : `exists (
      select 1 from ${parquet(store, state.files)} as known
      where known.path = listing.path and known.size = listing.size and (known.reason is null or known.modified = listing.modified))`;
    await run(`create or replace temp table fresh as
      select row_number() over (order by day nulls last, path) - 1 as number, path, size, modified from listing where not ${known}`);
    await run('drop table listing');
    const [row] = (await connection.runAndReadAll('select count(*) as files, coalesce(sum(size), 0)::bigint as bytes from fresh')).getRowObjects();
    return { files: Number(row?.files), bytes: Number(row?.bytes) };
  }

  /** The next batch from file number `from` on. */
  async function take(from: number): Promise<Batch> {
    const reader = await connection.runAndReadAll(`select number, path, size, modified from (
        select *, sum(size) over (order by number rows between unbounded preceding and 1 preceding) as before
        from fresh where number >= ${from} and number < ${from + BATCH_FILES})
      where coalesce(before, 0) < ${PACKED_BATCH_BYTES} order by number`);
    const files = reader
      .getRowObjects()
      .map((row) => ({ number: Number(row.number), path: String(row.path), size: Number(row.size), modified: Number(row.modified) }));
    return { files, packed: files.reduce((sum, { size }) => sum + size, 0) };
  }

  const jobsOf = ({ files }: Batch): Job[] => files.map(({ number, path }) => ({ file: number, path: join(root, path) }));
  const stageOf = (name: string): string => join(store, 'stage', `${name}.ndjson`);

  /** Reads a stage into the table `raw`. A line that DuckDB cannot parse leaves no row. */
  async function readStage(stage: string, { bytes, longestLine }: UnpackReply): Promise<void> {
    if (bytes === 0) return;
    await run(`insert into raw by name select file, unnest(record) from (select file, unnest(Records) as record from read_json(${quoted(stage)},
        format = 'newline_delimited', ignore_errors = true, maximum_object_size = ${Math.max(1_000_000, longestLine + 1)},
        columns = {file: 'integer', Records: '${RECORD}[]'}))`);
  }

  /** Numbers of the batch's files that need mending: those that left no row, and those with a row that is no event. */
  async function doubtful({ files }: Batch, faults: readonly Fault[]): Promise<number[]> {
    const reader = await connection.runAndReadAll(`select file, bool_and(eventTime is not null and eventName <> '' and eventSource <> ''
        and regexp_full_match(eventTime, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z') and try_cast(eventTime as timestamptz) is not null) as sound
      from raw group by file`);
    const sound = new Map(reader.getRows().map(([file, ok]) => [Number(file), ok === true]));
    const faulty = new Set(faults.map(({ file }) => file));
    return files.map(({ number }) => number).filter((number) => !faulty.has(number) && sound.get(number) !== true);
  }

  /** Loads one unpacked batch and commits it. */
  async function ingest(batch: Batch, stage: string, unpacked: UnpackReply): Promise<Loaded> {
    const version = state.version + 1;
    const name = `${String(version).padStart(8, '0')}-${process.pid}-${Date.now().toString(36)}`;
    await run(`create or replace temp table raw as ${NO_RECORDS}`);
    await readStage(stage, unpacked);
    const faults: Fault[] = [...unpacked.faults];
    const broken = await doubtful(batch, unpacked.faults);
    if (broken.length > 0) {
      await run(`delete from raw where file in (${broken.join(', ')})`);
      const again = new Set(broken);
      const mendStage = stageOf('mend');
      const mended = await unpacker.unpack({ jobs: jobsOf(batch).filter(({ file }) => again.has(file)), stage: mendStage, mend: true });
      await readStage(mendStage, mended);
      faults.push(...mended.faults);
    }
    await run(
      `create or replace temp table batch (number integer, path varchar, size bigint, modified bigint, day varchar, account varchar, region varchar)`,
    );
    const appender = await connection.createAppender('batch');
    for (const { number, path, size, modified } of batch.files) {
      const { day, account, region } = place(path);
      appender.appendInteger(number);
      appender.appendVarchar(path);
      appender.appendBigInt(BigInt(size));
      appender.appendBigInt(BigInt(modified));
      for (const value of [day, account, region]) {
        if (value === null) appender.appendNull();
        else appender.appendVarchar(value);
      }
      appender.endRow();
    }
    appender.closeSync();

    const { parts, events, duplicates, ids } = await writeEvents(name);
    const files = await writeFiles(name, faults);
    const places = await distinctPlaces();
    const commit: Commit = {
      base: false,
      parts,
      files: [files],
      ids,
      ...places,
      asideFiles: new Set(faults.filter(({ records }) => records === 0).map(({ file }) => file)).size,
      asideEvents: faults.reduce((sum, { records }) => sum + records, 0),
      duplicates,
    };
    await writeCommit(store, version, commit);
    state = await readLog(store);
    return { files: batch.files.length, events, duplicates, asideFiles: commit.asideFiles, asideEvents: commit.asideEvents };
  }

  /** Writes the batch's events that the store does not have yet: `keyed` has each event's key, the first of equal ones kept. */
  async function writeEvents(name: string): Promise<{ parts: Part[]; ids: string[]; events: number; duplicates: number }> {
    // Records of version 1.0 have no eventID: the record itself is their identity, and its digest their id.
    await run(`update raw set eventID = cast(cast(md5(concat_ws(chr(31), eventTime, eventSource, eventName, awsRegion, sourceIPAddress, cast(userIdentity as varchar),
        cast(requestParameters as varchar), cast(responseElements as varchar), errorCode)) as uuid) as varchar) where coalesce(eventID, '') = ''`);
    await run(`create or replace temp table keyed as
      select rowid as row, coalesce(try_cast(eventID as uuid), cast(md5(eventID) as uuid)) as key from raw`);
    await run('create or replace temp table kept as select min(row) as row, key from keyed group by key');
    if (state.ids.length > 0) await run(`delete from kept where key in (select key from ${parquet(store, state.ids)})`);
    const [counts] = (
      await connection.runAndReadAll('select (select count(*) from keyed) as all_rows, (select count(*) from kept) as kept_rows')
    ).getRows();
    const [read = 0, events = 0] = (counts ?? []).map(Number);
    if (events === 0) return { parts: [], ids: [], events: 0, duplicates: read };

    await run(
      `create or replace temp table loaded as ${derived(`
      select raw.*, batch.day, batch.account, batch.region
      from raw join kept on kept.row = raw.rowid join batch on batch.number = raw.file`)}`,
    );
    const days = (
      await connection.runAndReadAll('select day, count(*), min(eventtime), max(eventtime) from loaded group by day order by day')
    ).getRows();
    const parts: Part[] = [];
    for (const [day, rows, first, last] of days.map((row) => row.map(String)) as [string, string, string, string][]) {
      const folder = `events/day=${day.replaceAll('/', '%2F')}`;
      const file = `${folder}/${name}.parquet`;
      await mkdir(join(store, folder), { recursive: true });
      await run(
        `copy (select * exclude (day) from loaded where day = ${quoted(day)} order by eventsource, eventname, eventtime, eventid) to ${quoted(join(store, file))} ${WRITING}`,
      );
      parts.push({ file, day, rows: Number(rows), bytes: (await stat(join(store, file))).size, first, last });
    }
    const ids = `ids/${name}.parquet`;
    await run(`copy (select key from kept order by key) to ${quoted(join(store, ids))} (format parquet, compression zstd)`);
    return { parts, ids: [ids], events, duplicates: read - events };
  }

  /** The ledger of a batch: each file, and what is wrong with it, a row for each reason. */
  async function writeFiles(name: string, faults: readonly Fault[]): Promise<string> {
    await run('create or replace temp table faults (file integer, reason varchar, aside bigint)');
    const appender = await connection.createAppender('faults');
    for (const { file, reason, records } of faults) {
      appender.appendInteger(file);
      appender.appendVarchar(reason);
      appender.appendBigInt(BigInt(records));
      appender.endRow();
    }
    appender.closeSync();
    const file = `files/${name}.parquet`;
    await run(`copy (select path, size, modified, reason, coalesce(aside, 0) as aside from batch left join faults on faults.file = batch.number order by path)
      to ${quoted(join(store, file))} (format parquet, compression zstd)`);
    return file;
  }

  async function distinctPlaces(): Promise<Pick<Commit, 'accounts' | 'regions'>> {
    const column = async (name: string) =>
      (await connection.runAndReadAll(`select distinct ${name} from batch where ${name} is not null order by 1`))
        .getRows()
        .map(([value]) => String(value));
    return { accounts: await column('account'), regions: await column('region') };
  }

  /** Makes one part of a day in many, and one commit of many: what an hourly load leaves behind. */
  async function tidy(): Promise<void> {
    const byDay = Map.groupBy(state.parts, ({ day }) => day);
    const crowded = [...byDay].filter(([, parts]) => parts.length > MOST_PARTS_A_DAY);
    if (crowded.length === 0 && state.since < MOST_COMMITS) return;
    const version = state.version + 1;
    const name = `${String(version).padStart(8, '0')}-${process.pid}-tidy`;
    const parts = state.parts.filter(({ day }) => !crowded.some(([other]) => other === day));
    for (const [day, several] of crowded) {
      const file = `events/day=${day.replaceAll('/', '%2F')}/${name}.parquet`;
      await run(`copy (select * from ${parquet(
        store,
        several.map((each) => each.file),
        ', hive_partitioning = false',
      )} order by eventsource, eventname, eventtime, eventid)
        to ${quoted(join(store, file))} ${WRITING}`);
      const times = several.flatMap(({ first, last }) => [first, last]).sort();
      parts.push({
        file,
        day,
        rows: several.reduce((sum, { rows }) => sum + rows, 0),
        bytes: (await stat(join(store, file))).size,
        first: times[0] as string,
        last: times.at(-1) as string,
      });
    }
    const merged = async (folder: 'files' | 'ids', from: readonly string[], order: string): Promise<string[]> => {
      if (from.length < 2) return [...from];
      const file = `${folder}/${name}.parquet`;
      await run(`copy (select * from ${parquet(store, from)} order by ${order}) to ${quoted(join(store, file))} (format parquet, compression zstd)`);
      return [file];
    };
    const { accounts, regions, asideFiles, asideEvents, duplicates } = state;
    const files = await merged('files', state.files, 'path');
    const ids = await merged('ids', state.ids, 'key');
    parts.sort((a, b) => (a.file < b.file ? -1 : 1));
    await writeCommit(store, version, { base: true, parts, files, ids, accounts, regions, asideFiles, asideEvents, duplicates });
    state = await readLog(store);
  }

  return {
    async load(signal: AbortSignal, onProgress?: LoadOptions['onProgress']): Promise<Loaded> {
      const total: { -readonly [K in keyof Loaded]: number } = { files: 0, events: 0, duplicates: 0, asideFiles: 0, asideEvents: 0 };
      const fresh = await findNew(signal);
      if (fresh.files === 0) return total;
      onProgress?.(0, fresh.bytes);
      let batch = await take(0);
      let stage = stageOf('0');
      let unpacking = unpacker.unpack({ jobs: jobsOf(batch), stage, mend: false });
      let done = 0;
      for (let n = 1; batch.files.length > 0; n += 1) {
        const [current, unpacked, currentStage] = [batch, await unpacking, stage];
        signal.throwIfAborted();
        // The next batch is unpacked while DuckDB works on this one.
        batch = await take((current.files.at(-1)?.number ?? 0) + 1);
        stage = stageOf(String(n % 2));
        if (batch.files.length > 0) unpacking = unpacker.unpack({ jobs: jobsOf(batch), stage, mend: false });
        const loaded = await ingest(current, currentStage, unpacked);
        for (const key of Object.keys(total) as (keyof Loaded)[]) total[key] += loaded[key];
        done += current.packed;
        onProgress?.(done, fresh.bytes);
      }
      await tidy();
      await sweep(store, state);
      return total;
    },
    async [Symbol.asyncDispose]() {
      await unpacker.close();
      connection.closeSync();
      instance.closeSync();
      for (const folder of WORK) await rm(join(store, folder), { recursive: true, force: true });
    },
  };
}

/** A dictionary for every column gives every column a Bloom filter, and an id that nobody has seen is looked for in no row group. */
const WRITING = `(format parquet, compression zstd, compression_level 1, row_group_size ${ROW_GROUP}, dictionary_size_limit ${ROW_GROUP})`;

function openUnpacker() {
  const worker = new Worker(new URL('unpack.ts', import.meta.url));
  let last: Promise<unknown> = Promise.resolve();
  const once = (request: UnpackRequest): Promise<UnpackReply> =>
    new Promise((resolve, reject) => {
      const settle = () => {
        worker.off('message', answered);
        worker.off('error', failed);
      };
      const answered = (reply: UnpackReply) => {
        settle();
        resolve(reply);
      };
      const failed = (error: Error) => {
        settle();
        reject(error);
      };
      worker.on('message', answered);
      worker.on('error', failed);
      worker.postMessage(request);
    });
  return {
    /** One request after the other. */
    unpack(request: UnpackRequest): Promise<UnpackReply> {
      const reply = last.then(() => once(request));
      last = reply.catch(() => undefined);
      // Whoever asked may have left by then; the error is theirs when they come for the reply.
      reply.catch(() => undefined);
      return reply;
    },
    close: () => worker.terminate(),
  };
}

/** Removes what no commit names and is old enough that no reader has it in hand. */
async function sweep(store: string, { parts, files, ids }: StoreState): Promise<void> {
  const named = new Set([SCHEMA_PART, ...parts.map(({ file }) => file), ...files, ...ids]);
  const entries = await readdir(store, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith('.parquet')) continue;
    const path = join(entry.parentPath, entry.name);
    const file = path.slice(join(store, '/').length).replaceAll('\\', '/');
    if (!named.has(file) && Date.now() - (await stat(path)).mtimeMs > SWEEP_AFTER_MS) await rm(path, { force: true });
  }
}

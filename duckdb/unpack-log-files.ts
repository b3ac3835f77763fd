/**
 * Unpacks log files in a worker thread and writes each record as a line of NDJSON for DuckDB, sorted as in the store, with
 * fields about the file in front. It finds records by text search and parses JSON only to repair files that DuckDB could
 * not read completely.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { LINE_FIELDS, type LineField, type StagingFile } from './staging-file.ts';

/** A log file to unpack, with its number in the load and what its path says. */
export interface UnpackJob {
  readonly file: number;
  readonly path: string;
  readonly size: number;
  /** 'yyyy/MM/dd'; null for a trail without day folders, where each record belongs to the day of its eventTime. */
  readonly day: string | null;
  readonly account: string | null;
  readonly region: string | null;
}

export interface UnpackRequest {
  readonly jobs: readonly UnpackJob[];
  readonly stagingPath: string;
  /** Prefix of the added fields in a line. No field of a record has it. */
  readonly fieldPrefix: string;
  /** The number of the first line. */
  readonly firstLine: number;
  /** Parse every record, keep the valid ones and report the others. */
  readonly isRepair: boolean;
}

/** Why a file, or some of its records, was skipped. `records` is 0 for a whole file. */
export interface LoadError {
  readonly file: number;
  readonly reason: string;
  readonly records: number;
}

export interface UnpackReply {
  readonly stagingFiles: readonly StagingFile[];
  /** Number of lines written. */
  readonly count: number;
  /** Number of lines of each file. When DuckDB reads fewer, some lines were not valid JSON. */
  readonly lines: readonly (readonly [file: number, lines: number])[];
  readonly errors: readonly LoadError[];
}

/** CloudTrail's limit is 50 MB before compression. This allows a little more, but no gzip bomb. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const BRACE = 123;

/** Unpacks the files of `jobs` into staging files whose paths start with `stagingPath`. */
export function unpack({ jobs, stagingPath, fieldPrefix, firstLine, isRepair }: UnpackRequest): UnpackReply {
  const writer = openStagingWriter(stagingPath, fieldPrefix, firstLine);
  const errors: LoadError[] = [];
  const lines: [number, number][] = [];
  for (const job of jobs) {
    const text = readLogFile(job.path, job.size);
    if (typeof text === 'string') {
      errors.push({ file: job.file, reason: text, records: 0 });
      continue;
    }
    const count = isRepair ? repairRecords(job, text, errors, writer) : splitRecords(job, text, writer);
    if (count > 0) lines.push([job.file, count]);
  }
  return { ...writer.close(), lines, errors };
}

/** A record in the text of its file, from the opening brace at `from` up to `to`, with the fields found by text search. */
interface RecordLine {
  readonly job: UnpackJob;
  readonly text: Buffer;
  readonly from: number;
  readonly to: number;
  readonly day: string;
  /** Service and call. Lines are sorted by call and time. */
  readonly call: string;
  readonly time: string;
  /** True when the search found no eventID. */
  readonly lacksEventId: boolean;
}

type HeldLine = Omit<RecordLine, 'day' | 'call'>;

interface StagingWriter {
  add(line: RecordLine): void;
  close(): Pick<UnpackReply, 'stagingFiles' | 'count'>;
}

const STAGING_FILE_BYTES = 8 * 1024 * 1024;
/** Text held in memory for sorting. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;
/** More than the fields in front of a record need. */
const MAX_LINE_FIELDS_BYTES = 1024;
const buffer = Buffer.allocUnsafe(STAGING_FILE_BYTES);

/**
 * Writes lines to `<stagingPath>-0.ndjson`, `-1.ndjson`, …, sorted and one day per file, so that DuckDB need not sort, which
 * would cost more than reading. A record in the wrong order makes later questions slower, but no answer wrong.
 */
function openStagingWriter(stagingPath: string, fieldPrefix: string, firstLine: number): StagingWriter {
  const stagingFiles: StagingFile[] = [];
  let held = new Map<string, Map<string, HeldLine[]>>();
  let heldBytes = 0;
  let number = firstLine;
  let filled = 0;
  let longest = 0;
  let currentDay = '';
  const write = (text: Buffer, longestLine: number) => {
    const path = `${stagingPath}-${stagingFiles.length}.ndjson`;
    writeFileSync(path, text);
    stagingFiles.push({ path, day: currentDay, bytes: text.length, longestLine });
  };
  const field = (name: LineField, value: string | number): string => `"${fieldPrefix}${LINE_FIELDS.indexOf(name)}":${JSON.stringify(value)},`;
  /** The fields about the file, which all records of a file and day share. */
  const lineFields = ({ file, account, region }: UnpackJob, lineDay: string): string =>
    `${field('file', file)}${field('day', lineDay)}${account ? field('account', account) : ''}${region ? field('region', region) : ''}`;
  const cache = new Map<UnpackJob, string>();
  const cachedLineFields = (job: UnpackJob, lineDay: string): string => {
    if (job.day === null) return lineFields(job, lineDay);
    const fields = cache.get(job) ?? lineFields(job, lineDay);
    cache.set(job, fields);
    return fields;
  };
  const flush = () => {
    if (filled > 0) write(buffer.subarray(0, filled), longest);
    filled = 0;
    longest = 0;
  };
  const put = (lineDay: string, { job, text, from, to, lacksEventId }: HeldLine) => {
    const digest = lacksEventId ? field('digest', md5Id(text.subarray(from, to))) : '';
    const head = `{${field('line', number)}${digest}${cachedLineFields(job, lineDay)}`;
    number += 1;
    const size = head.length + to - from;
    if (lineDay !== currentDay || filled + size > STAGING_FILE_BYTES) flush();
    currentDay = lineDay;
    if (size > STAGING_FILE_BYTES - MAX_LINE_FIELDS_BYTES) {
      write(Buffer.concat([Buffer.from(head), text.subarray(from + 1, to), Buffer.of(NEWLINE)]), size);
      return;
    }
    longest = Math.max(longest, size);
    filled += buffer.write(head, filled, 'latin1');
    filled += text.copy(buffer, filled, from + 1, to);
    buffer[filled] = NEWLINE;
    filled += 1;
  };
  const release = () => {
    for (const [lineDay, calls] of sortedEntries(held)) {
      for (const [, lines] of sortedEntries(calls)) {
        for (const line of lines.sort((a, b) => byCodeUnit(a.time, b.time))) put(lineDay, line);
      }
    }
    flush();
    held = new Map();
    heldBytes = 0;
  };
  return {
    add({ day: lineDay, call, ...line }) {
      getOrInsert(
        getOrInsert(held, lineDay, () => new Map<string, HeldLine[]>()),
        call,
        () => [],
      ).push(line);
      heldBytes += line.to - line.from;
      if (heldBytes > MAX_HELD_BYTES) release();
    },
    close() {
      release();
      return { stagingFiles, count: number - firstLine };
    },
  };
}

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sortedEntries = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] => [...map].sort(([a], [b]) => byCodeUnit(a, b));

function getOrInsert<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = create();
  // A slice would keep the whole text in memory.
  map.set(Buffer.from(key).toString(), value);
  return value;
}

/** The id of a record of version 1.0, which has no eventID: a digest of the record. */
function md5Id(record: Buffer): string {
  const hex = createHash('md5').update(record).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The unpacked text of a file as a Buffer, or the reason it cannot be read as a string. */
function readLogFile(path: string, size: number): Buffer | string {
  if (size > MAX_UNPACKED_BYTES) return tooLarge;
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
  if (packed.length === 0) return 'is empty (0 bytes)';
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
  if (!isGzip) {
    if (path.endsWith('.gz')) return 'is not gzip, although its name ends in .gz';
    return packed;
  }
  try {
    // A gzip file ends with its unpacked size. A buffer of that size avoids copies; zlib grows it if it is too small.
    const expectedSize = packed.length > 4 ? packed.readUInt32LE(packed.length - 4) : 0;
    const chunkSize = Math.min(Math.max(expectedSize + 1, MIN_CHUNK), MAX_CHUNK);
    const text = gunzipSync(packed, { maxOutputLength: MAX_UNPACKED_BYTES, chunkSize });
    return text.length === 0 ? 'is empty (0 bytes unpacked)' : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge;
    return code === 'Z_BUF_ERROR' ? 'is truncated (gzip ends early)' : 'is damaged (gzip cannot be unpacked)';
  }
}

const MIN_CHUNK = 1024;
const MAX_CHUNK = 4 * 1024 * 1024;

const tooLarge = `is larger than ${MAX_UNPACKED_BYTES / 1024 / 1024} MB unpacked; CloudTrail writes at most 50 MB`;

const LOG_FILE_START = /^\{\s*"Records"\s*:\s*\[/;
// A quote inside a JSON string is escaped, so none of these can be part of a value.
const RECORD_SEPARATOR = '},{"eventVersion"';
const TIME_KEY = '"eventTime":"';
const SOURCE_KEY = '"eventSource":"';
const NAME_KEY = '"eventName":"';
const ID_KEY = '"eventID":"';
const TIME_LENGTH = 20;

/**
 * Adds the records of `{"Records":[…]}` as CloudTrail writes it, split at the text between two records, and returns their
 * number. Text in another format gives no lines, or lines that are not JSON; then the file is repaired.
 */
function splitRecords(job: UnpackJob, text: Buffer, writer: StagingWriter): number {
  // Latin-1 has one byte per character, so offsets are the same. Searching a string is faster than a Buffer.
  const letters = text.toString('latin1');
  const [opening] = LOG_FILE_START.exec(letters) ?? [];
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  if (!opening || !letters.startsWith(']}', end - 2) || text.includes(NEWLINE)) return 0;
  end -= 2;
  const [between, time, source, name, id] = [RECORD_SEPARATOR, TIME_KEY, SOURCE_KEY, NAME_KEY, ID_KEY].map((word) =>
    finder(letters, word),
  ) as Finders;
  let from = opening.length;
  let count = 0;
  while (from < end) {
    const next = between(from);
    const to = next === -1 ? end : next + 1;
    if (text[from] !== BRACE) return 0;
    // DuckDB's check finds records that this search gets wrong.
    const timeAt = time(from) + TIME_KEY.length;
    const sourceAt = source(timeAt);
    const nameAt = name(Math.max(sourceAt, timeAt));
    const idAt = id(from);
    const isFound = sourceAt !== -1 && nameAt !== -1 && nameAt < to;
    const at = text.toString('latin1', timeAt, timeAt + TIME_LENGTH);
    writer.add({
      job,
      text,
      from,
      to,
      day: job.day ?? dayOfEventTime(at),
      call: isFound ? letters.slice(sourceAt, letters.indexOf('"', nameAt + NAME_KEY.length)) : '',
      time: at,
      lacksEventId: idAt === -1 || idAt > to,
    });
    count += 1;
    from = to + 1;
  }
  return count;
}

type Finder = (from: number) => number;
type Finders = [Finder, Finder, Finder, Finder, Finder];

/** Returns the next offset of a word at or after `from`, or -1. Calls with increasing offsets scan the text once. */
function finder(letters: string, word: string): Finder {
  let at = -2;
  return (from) => {
    if (at !== -1 && at < from) at = letters.indexOf(word, from);
    return at;
  };
}

/** 'yyyy/MM/dd' of an eventTime; '0000/00/00' when it is not a time. */
const dayOfEventTime = (time: string): string => (/^\d{4}-\d\d-\d\dT/.test(time) ? time.slice(0, 10).replaceAll('-', '/') : '0000/00/00');

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Parses a file, adds its valid records and returns their number. The others go to `errors`. */
function repairRecords(job: UnpackJob, text: Buffer, errors: LoadError[], writer: StagingWriter): number {
  const { file } = job;
  const skipFile = (reason: string): number => {
    errors.push({ file, reason, records: 0 });
    return 0;
  };
  let value: Json;
  try {
    value = JSON.parse(text.toString('utf8').replace(/^\ufeff/, '')) as Json;
  } catch {
    return skipFile('is not valid JSON');
  }
  if (value === null || typeof value !== 'object' || !('Records' in value) || !Array.isArray(value.Records)) {
    return skipFile('is not a CloudTrail log file (it has no list "Records")');
  }
  const errorCounts = new Map<string, number>();
  let count = 0;
  for (const record of value.Records as readonly Json[]) {
    const error = recordError(record);
    const line = error ? undefined : recordToJson(record);
    if (line) {
      const { eventTime, eventSource, eventName, eventID } = record as { readonly [key: string]: string };
      const day = job.day ?? dayOfEventTime(eventTime as string);
      writer.add({
        job,
        day,
        call: `${eventSource} ${eventName}`,
        time: eventTime as string,
        text: line,
        from: 0,
        to: line.length,
        lacksEventId: !eventID,
      });
      count += 1;
    } else {
      const reason = error ?? 'an event is nested too deeply';
      errorCounts.set(reason, (errorCounts.get(reason) ?? 0) + 1);
    }
  }
  for (const [reason, records] of errorCounts) errors.push({ file, reason, records });
  return count;
}

/** eventTime as CloudTrail writes it. Fractions of a second are allowed. */
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Why a record cannot be loaded; undefined when it can. Checks only the fields that every event has. */
function recordError(record: Json): string | undefined {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return 'an event is not an object';
  const { eventTime, eventName, eventSource } = record as { readonly [key: string]: Json };
  if (typeof eventTime !== 'string' || !isEventTime(eventTime)) return 'an event has no valid eventTime';
  if (typeof eventName !== 'string' || eventName === '') return 'an event has no eventName';
  if (typeof eventSource !== 'string' || eventSource === '') return 'an event has no eventSource';
  return undefined;
}

/** Date reads 31 February as 3 March, so the parsed time is compared with the text. */
function isEventTime(text: string): boolean {
  const at = new Date(text);
  return EVENT_TIME.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text.slice(0, 19));
}

/** An unpaired surrogate. JavaScript writes it as an escape, but it is not valid Unicode. */
const HALF_PAIR = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** A record as JSON that every parser accepts; undefined when it is nested too deeply. */
function recordToJson(record: Json): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(record).replace(HALF_PAIR, '$1\\ufffd'));
  } catch {
    return undefined;
  }
}

parentPort?.on('message', (request: UnpackRequest) => parentPort?.postMessage(unpack(request)));

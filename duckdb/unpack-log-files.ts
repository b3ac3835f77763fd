/**
 * Unpacks log files in a worker thread and writes each record as a line of NDJSON for DuckDB, sorted as in the store, with
 * fields about the file in front. It finds records by text search and parses JSON only to repair files that DuckDB could
 * not read completely.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { targetPaths } from '../src/trail/target-paths.ts';
import { type FoundRecord, findRecords, MAX_EVENT_BYTES } from './find-records.ts';
import { type Finder, finder } from './finder.ts';
import { isLogName, LARGE, readLogFile, readLogPieces, Unreadable } from './read-log-file.ts';
import { collectWords, type MentionRows, type RecordPlace, type WordCollector } from './record-words.ts';
import { LINE_FIELDS, type LineField, type StagingFile } from './staging-file.ts';

/** A log file to unpack, with its number in the load and what its path says. */
export interface UnpackJob {
  readonly file: number;
  readonly path: string;
  readonly size: number;
  /** Why it cannot be read, if that is known already. */
  readonly fault: string | null;
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
  /** Read files in any form, parse every record, keep the valid ones and report the others. */
  readonly isRepair: boolean;
}

/** Why a file, or some of its records, was skipped. `records` is 0 for a whole file; `isOther` is true for one that is no log file. */
export interface LoadError {
  readonly file: number;
  readonly reason: string;
  readonly records: number;
  readonly isOther?: boolean;
}

export interface UnpackReply {
  readonly stagingFiles: readonly StagingFile[];
  /** Number of lines written. */
  readonly count: number;
  /** Number of lines of each file. When DuckDB reads fewer, some lines were not valid JSON. */
  readonly lines: readonly (readonly [file: number, lines: number])[];
  readonly errors: readonly LoadError[];
  /** The mentions of all lines; undefined when the SQL has to find them. The file with their rows is beside the staging files. */
  readonly mentions: UnpackedMentions | undefined;
}

/** A file with the rows of `mentions`, tab-separated, and the places to which the first value of a row refers. */
export interface UnpackedMentions extends Pick<MentionRows, 'places' | 'records'> {
  readonly path: string;
}

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const BRACE = 123;

/** Unpacks the files of `jobs` into staging files whose paths start with `stagingPath`. */
async function unpack({ jobs, stagingPath, fieldPrefix, firstLine, isRepair }: UnpackRequest): Promise<UnpackReply> {
  const writer = openStagingWriter(stagingPath, fieldPrefix, firstLine);
  const errors: LoadError[] = [];
  const lines: [number, number][] = [];
  const words = collectWords();
  let isWhole = !isRepair;
  for (const job of jobs) {
    if (job.fault !== null) {
      errors.push({ file: job.file, reason: job.fault, records: 0 });
      continue;
    }
    const text = readLogFile(job.path, job.size);
    if (text !== LARGE && !Buffer.isBuffer(text)) {
      errors.push({ file: job.file, ...text, records: 0 });
      continue;
    }
    const count = isRepair ? await repairRecords(job, text, errors, writer) : text === LARGE ? 0 : splitRecords(job, text, writer, words);
    if (count === 0) isWhole = false;
    if (count > 0) lines.push([job.file, count]);
  }
  const found = isWhole ? words.mentions() : undefined;
  return { ...writer.close(), lines, errors, mentions: found && writeMentions(found, `${stagingPath}-mentions.tsv`) };
}

function writeMentions({ places, lines, records }: MentionRows, path: string): UnpackedMentions {
  writeFileSync(path, lines);
  return { places, path, records };
}

/** A record in the text of its file, from the opening brace at `from` up to `to`, with the fields found by text search. */
interface RecordLine {
  readonly job: UnpackJob;
  readonly text: Buffer;
  readonly from: number;
  readonly to: number;
  readonly day: string;
  /** Service and call, with any text between. Lines are sorted by call and time. */
  readonly call: string;
  readonly time: string;
  /** A digest of the record, for one without an eventID that AWS gave it. */
  readonly digest: string | undefined;
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
  const field = (name: LineField, value: string | number | readonly string[]): string =>
    `"${fieldPrefix}${LINE_FIELDS.indexOf(name)}":${JSON.stringify(value)},`;
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
  /** Where the records of a call name its target. */
  const targetFields = (call: string): string => {
    const [, source = '', name = ''] = CALL.exec(call) ?? [];
    const paths = targetPaths(source, name);
    if (!paths) return '';
    const listOf = (name: LineField, list: readonly string[]): string => (list.length > 0 ? field(name, list) : '');
    return `${listOf('asked', paths.request)}${listOf('answered', paths.response)}`;
  };
  const put = (lineDay: string, fields: string, { job, text, from, to, digest }: HeldLine) => {
    const head = `{${field('line', number)}${digest ? field('digest', digest) : ''}${cachedLineFields(job, lineDay)}${fields}`;
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
      for (const [call, lines] of sortedEntries(calls)) {
        const fields = targetFields(call);
        for (const line of lines.sort((a, b) => byCodeUnit(a.time, b.time))) put(lineDay, fields, line);
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

/** The source and the name in `RecordLine.call`. */
const CALL = /^([a-z0-9.-]+)\b.*?([A-Za-z0-9_]+)$/is;

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

/**
 * An eventID as AWS gives it: a UUID of RFC 9562. Ids in public sets of events are masked, such as `XXXXXXXXXXX` or
 * `00000000-0000-0000-0000-000000000000`, and records of version 1.0 have none.
 */
const AWS_EVENT_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const UUID_LENGTH = 36;

/** A digest of a record, in the form of an eventID. */
function md5Id(record: Buffer): string {
  const hex = createHash('md5').update(record).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

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
function splitRecords(job: UnpackJob, text: Buffer, writer: StagingWriter, words: WordCollector): number {
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
  const placeOn = recordPlaces(job);
  const readWords = words.open(text, letters);
  let from = opening.length;
  let count = 0;
  while (from < end) {
    const next = between(from);
    const to = next === -1 ? end : next + 1;
    if (text[from] !== BRACE || to - from > MAX_EVENT_BYTES) return 0;
    // DuckDB's check finds records that this search gets wrong.
    const timeAt = time(from) + TIME_KEY.length;
    const sourceAt = source(timeAt);
    const nameAt = name(Math.max(sourceAt, timeAt));
    const idAt = id(from);
    if (sourceAt === -1 || nameAt === -1 || nameAt >= to) return 0;
    const at = text.toString('latin1', timeAt, timeAt + TIME_LENGTH);
    const isAwsId = idAt !== -1 && idAt < to && isAwsIdAt(letters, idAt + ID_KEY.length);
    writer.add({
      job,
      text,
      from,
      to,
      day: job.day ?? dayOfEventTime(at),
      call: letters.slice(sourceAt + SOURCE_KEY.length, letters.indexOf('"', nameAt + NAME_KEY.length)),
      time: at,
      digest: isAwsId ? undefined : md5Id(text.subarray(from, to)),
    });
    readWords(from, to, placeOn(at), isAwsId);
    count += 1;
    from = to + 1;
  }
  return count;
}

/** The places of the records of a file, by eventTime. */
function recordPlaces({ day, account, region }: UnpackJob): (time: string) => RecordPlace | undefined {
  if (account === null || region === null) return () => undefined;
  const places = new Map<string, RecordPlace>();
  return (time) => {
    const own = day ?? dayOfEventTime(time);
    return getOrInsert(places, own, () => ({ day: own, account, region }));
  };
}

const isAwsIdAt = (letters: string, at: number): boolean =>
  letters[at + UUID_LENGTH] === '"' && AWS_EVENT_ID.test(letters.slice(at, at + UUID_LENGTH));

type Finders = [Finder, Finder, Finder, Finder, Finder];

/** 'yyyy/MM/dd' of an eventTime; '0000/00/00' when it is not a time. */
const dayOfEventTime = (time: string): string => (/^\d{4}-\d\d-\d\dT/.test(time) ? time.slice(0, 10).replaceAll('-', '/') : '0000/00/00');

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;

/** Reads a file in any form, adds its records and returns their number. Why others were skipped goes to `errors`. */
async function repairRecords(job: UnpackJob, text: Buffer | typeof LARGE, errors: LoadError[], writer: StagingWriter): Promise<number> {
  const { file, path } = job;
  const reasons = new Map<string, number>();
  // A text that is held in memory is loaded as a whole or not at all.
  const found: RecordLine[] = [];
  let count = 0;
  const add = (line: RecordLine): void => {
    count += 1;
    if (text === LARGE) writer.add(line);
    else found.push(line);
  };
  try {
    const { records, hasEnvelope } = await findRecords(text === LARGE ? readLogPieces(path) : [text], {
      record: (each) => add(toLine(job, each)),
      error: (reason) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1),
    });
    if (records === 0 && !hasEnvelope) {
      errors.push({ file, reason: 'is not a CloudTrail log file (it has no CloudTrail events)', records: 0, isOther: !isLogName(path) });
      return 0;
    }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    const { message } = error;
    if (text !== LARGE || count === 0) {
      errors.push({ file, reason: message, records: 0 });
      return 0;
    }
    errors.push({ file, reason: `is read only in part: it ${message} after ${count.toLocaleString('en-US')} events`, records: 0 });
  }
  for (const line of found) writer.add(line);
  for (const [reason, records] of reasons) errors.push({ file, reason, records });
  return count;
}

function toLine(job: UnpackJob, { json, fields }: FoundRecord): RecordLine {
  const text = Buffer.from(json);
  const { eventTime, eventSource, eventName, eventID } = fields;
  return {
    job,
    day: job.day ?? dayOfEventTime(eventTime),
    call: `${eventSource} ${eventName}`,
    time: eventTime,
    text,
    from: 0,
    to: text.length,
    digest: typeof eventID === 'string' && AWS_EVENT_ID.test(eventID) ? undefined : md5Id(withoutBlanks(json, text)),
  };
}

/** The text of a record as CloudTrail writes it, without blanks, so that the same record has the same digest. */
function withoutBlanks(json: string, text: Buffer): Buffer {
  try {
    return Buffer.from(JSON.stringify(JSON.parse(json)));
  } catch {
    // Nested too deeply to be written again.
    return text;
  }
}

/** Why a request could not be done. `code` is that of an error of the system. */
export interface UnpackFailure {
  readonly failure: { readonly message: string; readonly code: string | undefined };
}

parentPort?.on('message', async (request: UnpackRequest) => {
  const reply: UnpackReply | UnpackFailure = await unpack(request).catch(({ message, code }: NodeJS.ErrnoException) => ({
    failure: { message, code },
  }));
  parentPort?.postMessage(reply);
});

/**
 * The loader's second thread: unpacks trail files and writes each record as a line of JSON, with what is known of its file
 * in front, in the order in which they are to be stored, for DuckDB to parse. It reads no JSON itself, except of files
 * that DuckDB found fault with: those it mends.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { PLACE_FIELDS, type PlaceField, type Stage } from './stage.ts';

/** A file of the trail by its number in the load, and what its folders say of it. */
export interface Job {
  readonly file: number;
  readonly path: string;
  readonly size: number;
  /** 'yyyy/MM/dd'; null where the trail has no such folders, and then each record lies under the day it happened. */
  readonly day: string | null;
  readonly account: string | null;
  readonly region: string | null;
}

export interface UnpackRequest {
  readonly jobs: readonly Job[];
  readonly stage: string;
  /** What the names of our own fields in a line begin with; no record's do. */
  readonly mark: string;
  /** The number of the first line. */
  readonly first: number;
  /** Look at every record, keep the good ones and say what is wrong with the rest. */
  readonly mend: boolean;
}

/** Why a file, or some of its records, is left out. `records` is 0 when the whole file is. */
export interface Fault {
  readonly file: number;
  readonly reason: string;
  readonly records: number;
}

export interface UnpackReply {
  readonly stages: readonly Stage[];
  /** How many lines were written, in all. */
  readonly count: number;
  /** How many lines each file gave. When DuckDB finds fewer events, one of them was none. */
  readonly lines: readonly (readonly [file: number, lines: number])[];
  readonly faults: readonly Fault[];
}

/** CloudTrail's own limit is 50 MB before compression; a little more is tolerated, a gzip bomb is not. */
const MOST_BYTES = 64 * 1024 * 1024;

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const BRACE = 123;

/** Unpacks `jobs` into files whose names begin with `stage`. */
export function unpack({ jobs, stage, mark, first, mend }: UnpackRequest): UnpackReply {
  const out = openStages(stage, mark, first);
  const faults: Fault[] = [];
  const lines: [number, number][] = [];
  for (const job of jobs) {
    const text = read(job.path, job.size);
    if (typeof text === 'string') {
      faults.push({ file: job.file, reason: text, records: 0 });
      continue;
    }
    const count = mend ? mended(job, text, faults, out) : split(job, text, out);
    if (count > 0) lines.push([job.file, count]);
  }
  return { ...out.close(), lines, faults };
}

/** A record: `text` from its opening brace at `from` up to `to`, with what can be told of it at a glance. */
interface Line {
  readonly job: Job;
  readonly text: Buffer;
  readonly from: number;
  readonly to: number;
  readonly day: string;
  /** Service and call, and the time: lines are written in this order. */
  readonly call: string;
  readonly time: string;
  /** True when the record has no eventID that a glance finds. */
  readonly nameless: boolean;
}

type Held = Omit<Line, 'day' | 'call'>;

interface StageWriter {
  add(line: Line): void;
  close(): Pick<UnpackReply, 'stages' | 'count'>;
}

const STAGE_BYTES = 8 * 1024 * 1024;
/** Text that is held to be put in order. */
const HELD_BYTES = 32 * 1024 * 1024;
/** More than what stands in a line besides its record. */
const HEAD_BYTES = 1024;
const buffer = Buffer.allocUnsafe(STAGE_BYTES);

/**
 * Writes lines to `stage-0`, `stage-1`, …, day by day and in order: DuckDB then has no need to sort, which costs it more
 * than reading does. A record that is placed wrongly makes a later question slower and no answer wrong.
 */
function openStages(stage: string, mark: string, first: number): StageWriter {
  const stages: Stage[] = [];
  let held = new Map<string, Map<string, Held[]>>();
  let heldBytes = 0;
  let number = first;
  let filled = 0;
  let longest = 0;
  let day = '';
  const write = (text: Buffer, longestLine: number) => {
    const path = `${stage}-${stages.length}.ndjson`;
    writeFileSync(path, text);
    stages.push({ path, day, bytes: text.length, longestLine });
  };
  const field = (name: PlaceField, value: string | number): string => `"${mark}${PLACE_FIELDS.indexOf(name)}":${JSON.stringify(value)},`;
  /** What stands in a line in front of its record, after what is the line's own. */
  const headOf = ({ file, account, region }: Job, own: string): string =>
    `${field('file', file)}${field('day', own)}${account ? field('account', account) : ''}${region ? field('region', region) : ''}`;
  const places = new Map<Job, string>();
  const placeOf = (job: Job, own: string): string => {
    if (job.day === null) return headOf(job, own);
    const known = places.get(job) ?? headOf(job, own);
    places.set(job, known);
    return known;
  };
  const flush = () => {
    if (filled > 0) write(buffer.subarray(0, filled), longest);
    filled = 0;
    longest = 0;
  };
  const put = (own: string, { job, text, from, to, nameless }: Held) => {
    const digest = nameless ? field('digest', digestOf(text.subarray(from, to))) : '';
    const head = `{${field('line', number)}${digest}${placeOf(job, own)}`;
    number += 1;
    const size = head.length + to - from;
    if (own !== day || filled + size > STAGE_BYTES) flush();
    day = own;
    if (size > STAGE_BYTES - HEAD_BYTES) {
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
    for (const [own, calls] of inOrder(held)) {
      for (const [, lines] of inOrder(calls)) {
        for (const line of lines.sort((a, b) => compare(a.time, b.time))) put(own, line);
      }
    }
    flush();
    held = new Map();
    heldBytes = 0;
  };
  return {
    add({ day: own, call, ...line }) {
      getOr(
        getOr(held, own, () => new Map<string, Held[]>()),
        call,
        () => [],
      ).push(line);
      heldBytes += line.to - line.from;
      if (heldBytes > HELD_BYTES) release();
    },
    close() {
      release();
      return { stages, count: number - first };
    },
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const inOrder = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] => [...map].sort(([a], [b]) => compare(a, b));

function getOr<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  // A slice would keep all the text alive that it was cut from.
  map.set(Buffer.from(key).toString(), made);
  return made;
}

/** Records of version 1.0 have no eventID: the record itself is their identity, and its digest their id. */
function digestOf(record: Buffer): string {
  const hex = createHash('md5').update(record).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** The text of a file, or why there is none. */
function read(path: string, size: number): Buffer | string {
  if (size > MOST_BYTES) return tooLarge;
  let packed: Buffer;
  try {
    packed = readFileSync(path);
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`;
  }
  if (packed.length === 0) return 'is empty (0 bytes)';
  const isGzip = packed[0] === 0x1f && packed[1] === 0x8b;
  if (!isGzip) {
    if (path.endsWith('.gz')) return 'is not gzip, though its name says so';
    return packed;
  }
  try {
    // A gzip ends with the size of what it holds: room for all of it at once spares growing. What is too little, grows.
    const told = packed.length > 4 ? packed.readUInt32LE(packed.length - 4) : 0;
    const chunkSize = Math.min(Math.max(told + 1, LEAST_CHUNK), MOST_CHUNK);
    const text = gunzipSync(packed, { maxOutputLength: MOST_BYTES, chunkSize });
    return text.length === 0 ? 'is empty (0 bytes unpacked)' : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge;
    return code === 'Z_BUF_ERROR' ? 'is cut short (gzip ends early)' : 'is damaged (gzip does not unpack)';
  }
}

const LEAST_CHUNK = 1024;
const MOST_CHUNK = 4 * 1024 * 1024;

const tooLarge = `is larger than ${MOST_BYTES / 1024 / 1024} MB unpacked; CloudTrail writes at most 50 MB`;

const HEAD = /^\{\s*"Records"\s*:\s*\[/;
// A quote inside a string of JSON has a backslash before it, so none of these is ever text of a value.
const BETWEEN = '},{"eventVersion"';
const TIME = '"eventTime":"';
const SOURCE = '"eventSource":"';
const NAME = '"eventName":"';
const ID = '"eventID":"';
const TIME_LENGTH = 20;

/**
 * Adds the records of `{"Records":[…]}` as CloudTrail writes it, found by what stands between two of them, and says
 * how many. A text of any other look gives none, or lines that are no JSON: then the file is mended.
 */
function split(job: Job, text: Buffer, out: StageWriter): number {
  // One byte a letter, so that places are the same. A string is searched quicker than a Buffer.
  const letters = text.toString('latin1');
  const [opening] = HEAD.exec(letters) ?? [];
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  if (!opening || !letters.startsWith(']}', end - 2) || text.includes(NEWLINE)) return 0;
  end -= 2;
  const [between, time, source, name, id] = [BETWEEN, TIME, SOURCE, NAME, ID].map((word) => finder(letters, word)) as Finders;
  let from = opening.length;
  let count = 0;
  while (from < end) {
    const next = between(from);
    const to = next === -1 ? end : next + 1;
    if (text[from] !== BRACE) return 0;
    // What is seen wrongly here, DuckDB notices.
    const timeAt = time(from) + TIME.length;
    const sourceAt = source(timeAt);
    const nameAt = name(Math.max(sourceAt, timeAt));
    const idAt = id(from);
    const seen = sourceAt !== -1 && nameAt !== -1 && nameAt < to;
    const at = text.toString('latin1', timeAt, timeAt + TIME_LENGTH);
    out.add({
      job,
      text,
      from,
      to,
      day: job.day ?? dayOf(at),
      call: seen ? letters.slice(sourceAt, letters.indexOf('"', nameAt + NAME.length)) : '',
      time: at,
      nameless: idAt === -1 || idAt > to,
    });
    count += 1;
    from = to + 1;
  }
  return count;
}

type Finder = (from: number) => number;
type Finders = [Finder, Finder, Finder, Finder, Finder];

/** Where a word next stands at or after `from`, -1 for nowhere. Asked with places that only grow, it goes through the text once. */
function finder(letters: string, word: string): Finder {
  let at = -2;
  return (from) => {
    if (at !== -1 && at < from) at = letters.indexOf(word, from);
    return at;
  };
}

/** 'yyyy/MM/dd' of an eventTime; a day that is none when it is no time at all. */
const dayOf = (time: string): string => (/^\d{4}-\d\d-\d\dT/.test(time) ? time.slice(0, 10).replaceAll('-', '/') : '0000/00/00');

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Writes the good records of a file with fault, read with patience, and says how many; the rest are faults. */
function mended(job: Job, text: Buffer, faults: Fault[], out: StageWriter): number {
  const { file } = job;
  const whole = (reason: string): number => {
    faults.push({ file, reason, records: 0 });
    return 0;
  };
  let value: Json;
  try {
    value = JSON.parse(text.toString('utf8').replace(/^\ufeff/, '')) as Json;
  } catch {
    return whole('is broken JSON');
  }
  if (value === null || typeof value !== 'object' || !('Records' in value) || !Array.isArray(value.Records)) {
    return whole('is no CloudTrail log file (it has no list "Records")');
  }
  const bad = new Map<string, number>();
  let good = 0;
  for (const record of value.Records as readonly Json[]) {
    const fault = faultOf(record);
    const line = fault ? undefined : written(record);
    if (line) {
      const { eventTime, eventSource, eventName, eventID } = record as { readonly [key: string]: string };
      const day = job.day ?? dayOf(eventTime as string);
      out.add({ job, day, call: `${eventSource} ${eventName}`, time: eventTime as string, text: line, from: 0, to: line.length, nameless: !eventID });
      good += 1;
    } else {
      const reason = fault ?? 'an event is nested too deep';
      bad.set(reason, (bad.get(reason) ?? 0) + 1);
    }
  }
  for (const [reason, records] of bad) faults.push({ file, reason, records });
  return good;
}

/** eventTime as CloudTrail writes it, with fractions of a second tolerated. */
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** What is wrong with a record; undefined when it can be loaded. Only what no event is without is asked for. */
function faultOf(record: Json): string | undefined {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return 'an event is not an object';
  const { eventTime, eventName, eventSource } = record as { readonly [key: string]: Json };
  if (typeof eventTime !== 'string' || !isTime(eventTime)) return 'an event has no eventTime that is a time';
  if (typeof eventName !== 'string' || eventName === '') return 'an event has no eventName';
  if (typeof eventSource !== 'string' || eventSource === '') return 'an event has no eventSource';
  return undefined;
}

/** Date takes 31 February for 3 March; a time that does not come back as it went in is none. */
function isTime(text: string): boolean {
  const at = new Date(text);
  return EVENT_TIME.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text.slice(0, 19));
}

/** Half a surrogate pair, which JavaScript lets pass and writes as its escape, but which is no Unicode. */
const HALF_PAIR = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** A record as JSON that every parser takes; undefined when it is nested deeper than can be written. */
function written(record: Json): Buffer | undefined {
  try {
    return Buffer.from(JSON.stringify(record).replace(HALF_PAIR, '$1\\ufffd'));
  } catch {
    return undefined;
  }
}

parentPort?.on('message', (request: UnpackRequest) => parentPort?.postMessage(unpack(request)));

/**
 * The loader's second thread: unpacks trail files and writes each record as a line of JSON, with what is known of its file
 * in front, for DuckDB to parse. It reads no JSON itself, except of files that DuckDB found fault with: those it mends.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';

/** A file of the trail by its number in the batch. A line of one of its records begins with `head`. */
export interface Job {
  readonly file: number;
  readonly path: string;
  readonly size: number;
  readonly head: string;
}

export interface UnpackRequest {
  readonly jobs: readonly Job[];
  readonly stage: string;
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
export function unpack({ jobs, stage, mend }: UnpackRequest): UnpackReply {
  const out = openStages(stage);
  const faults: Fault[] = [];
  const lines: [number, number][] = [];
  for (const job of jobs) {
    const { file, path, size } = job;
    const text = read(path, size);
    if (typeof text === 'string') {
      faults.push({ file, reason: text, records: 0 });
      continue;
    }
    const count = mend ? mended(job, text, faults, out) : split(job, text, out);
    if (count > 0) lines.push([file, count]);
  }
  return { stages: out.close(), lines, faults };
}

/** A file of lines. DuckDB parses some 2,000 lines at once, however long they are, so a stage is kept short. */
export interface Stage {
  readonly path: string;
  /** Bytes of its longest line. */
  readonly longestLine: number;
}

interface StageWriter {
  /** Writes the record that `text` holds from `from` to `to`; its opening brace is that of `head`. */
  line(head: string, text: Buffer, from: number, to: number): void;
  close(): Stage[];
}

const END_OF_LINE = Buffer.from('\n');
const STAGE_BYTES = 8 * 1024 * 1024;
const buffer = Buffer.allocUnsafe(STAGE_BYTES);

/** Writes lines to `stage-0`, `stage-1`, … */
function openStages(stage: string): StageWriter {
  const stages: Stage[] = [];
  let filled = 0;
  let longest = 0;
  const write = (text: Buffer) => {
    const path = `${stage}-${stages.length}.ndjson`;
    writeFileSync(path, text);
    stages.push({ path, longestLine: longest });
    longest = 0;
  };
  const flush = () => {
    if (filled > 0) write(buffer.subarray(0, filled));
    filled = 0;
  };
  return {
    line(head, text, from, to) {
      const size = head.length + (to - from - 1) + 1;
      if (filled + size > STAGE_BYTES) flush();
      longest = Math.max(longest, size);
      if (size > STAGE_BYTES) {
        write(Buffer.concat([Buffer.from(head), text.subarray(from + 1, to), END_OF_LINE]));
        return;
      }
      filled += buffer.write(head, filled, 'latin1');
      filled += text.copy(buffer, filled, from + 1, to);
      buffer[filled] = NEWLINE;
      filled += 1;
    },
    close() {
      flush();
      return stages;
    },
  };
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
    const text = gunzipSync(packed, { maxOutputLength: MOST_BYTES });
    return text.length === 0 ? 'is empty (0 bytes unpacked)' : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge;
    return code === 'Z_BUF_ERROR' ? 'is cut short (gzip ends early)' : 'is damaged (gzip does not unpack)';
  }
}

const tooLarge = `is larger than ${MOST_BYTES / 1024 / 1024} MB unpacked; CloudTrail writes at most 50 MB`;

const HEAD = /^\{\s*"Records"\s*:\s*\[/;
// A quote inside a string of JSON has a backslash before it, so this is never text of a record.
const BETWEEN = Buffer.from('},{"eventVersion"');

/**
 * Writes the records of `{"Records":[…]}` as CloudTrail writes it, found by what stands between two of them, and says
 * how many. A text of any other look gives none, or lines that are no JSON: then the file is mended.
 */
function split({ head }: Job, text: Buffer, out: StageWriter): number {
  const opening = HEAD.exec(text.toString('latin1', 0, 64));
  let end = text.length;
  while (isBlank(text[end - 1])) end -= 1;
  if (!opening || text.toString('latin1', end - 2, end) !== ']}' || text.includes(NEWLINE)) return 0;
  end -= 2;
  let from = opening[0].length;
  let count = 0;
  while (from < end) {
    const next = text.indexOf(BETWEEN, from);
    const to = next === -1 ? end : next + 1;
    if (text[from] !== BRACE) return 0;
    out.line(head, text, from, to);
    count += 1;
    from = to + 1;
  }
  return count;
}

const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB;

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Writes the good records of a file with fault, read with patience, and says how many; the rest are faults. */
function mended({ file, head }: Job, text: Buffer, faults: Fault[], out: StageWriter): number {
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
      out.line(head, line, 0, line.length);
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

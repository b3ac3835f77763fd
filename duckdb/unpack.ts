/**
 * The loader's second thread: unpacks trail files and writes each as one line of JSON, with its number in front, for
 * DuckDB to parse. It reads no JSON itself, except of files that DuckDB found fault with: those it mends record by record.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';

/** A file of the trail by its number in the batch. */
export interface Job {
  readonly file: number;
  readonly path: string;
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
  readonly bytes: number;
  readonly longestLine: number;
  readonly faults: readonly Fault[];
}

/** CloudTrail's own limit is 50 MB before compression; a little more is tolerated, a gzip bomb is not. */
const MOST_BYTES = 64 * 1024 * 1024;
const WRITE_BYTES = 4 * 1024 * 1024;

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const BRACE = 123;

/** Unpacks `jobs` into the file `stage`. */
export function unpack({ jobs, stage, mend }: UnpackRequest): UnpackReply {
  const out = openSync(stage, 'w');
  const faults: Fault[] = [];
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let bytes = 0;
  let longestLine = 0;
  const write = () => {
    if (pendingBytes > 0) writeSync(out, Buffer.concat(pending, pendingBytes));
    pending = [];
    pendingBytes = 0;
  };
  for (const { file, path } of jobs) {
    const content = read(path);
    if (typeof content === 'string') {
      faults.push({ file, reason: content, records: 0 });
      continue;
    }
    const line = mend ? mended(file, content, faults) : numbered(file, content);
    if (line === undefined) continue;
    pending.push(line);
    pendingBytes += line.length;
    bytes += line.length;
    longestLine = Math.max(longestLine, line.length);
    if (pendingBytes >= WRITE_BYTES) write();
  }
  write();
  closeSync(out);
  return { bytes, longestLine, faults };
}

/** The text of a file, or why there is none. */
function read(path: string): Buffer | string {
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
    return packed.length > MOST_BYTES ? tooLarge : packed;
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

/** `{"Records":[…]}` as `{"file":7,"Records":[…]}` on one line; undefined where the text does not begin like that. */
function numbered(file: number, text: Buffer): Buffer | undefined {
  let start = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0;
  while (start < text.length && (text[start] === SPACE || text[start] === NEWLINE || text[start] === RETURN || text[start] === 9)) start += 1;
  if (text[start] !== BRACE) return undefined;
  // JSON has no raw line breaks inside strings, so outside of them a blank does as well.
  for (const wrap of [NEWLINE, RETURN]) {
    for (let at = text.indexOf(wrap, start); at !== -1; at = text.indexOf(wrap, at + 1)) text[at] = SPACE;
  }
  return Buffer.concat([Buffer.from(`{"file":${file},`), text.subarray(start + 1), Buffer.from('\n')]);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A file with fault, read with patience: the good records as a line, the rest as faults. */
function mended(file: number, text: Buffer, faults: Fault[]): Buffer | undefined {
  const whole = (reason: string): undefined => {
    faults.push({ file, reason, records: 0 });
    return undefined;
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
  const good: Json[] = [];
  const bad = new Map<string, number>();
  for (const record of value.Records as readonly Json[]) {
    const fault = faultOf(record);
    if (fault) bad.set(fault, (bad.get(fault) ?? 0) + 1);
    else good.push(wellFormed(record));
  }
  for (const [reason, records] of bad) faults.push({ file, reason, records });
  return good.length > 0 ? Buffer.from(`{"file":${file},"Records":${JSON.stringify(good)}}\n`) : undefined;
}

/** eventTime as CloudTrail writes it, with fractions of a second tolerated. */
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** What is wrong with a record; undefined when it can be loaded. Only what no event is without is asked for. */
function faultOf(record: Json): string | undefined {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return 'an event is not an object';
  const { eventTime, eventName, eventSource } = record as { readonly [key: string]: Json };
  if (typeof eventTime !== 'string' || !EVENT_TIME.test(eventTime) || Number.isNaN(Date.parse(eventTime)))
    return 'an event has no eventTime that is a time';
  if (typeof eventName !== 'string' || eventName === '') return 'an event has no eventName';
  if (typeof eventSource !== 'string' || eventSource === '') return 'an event has no eventSource';
  return undefined;
}

/** A value whose strings are all Unicode: half a surrogate pair, which JavaScript lets pass, is replaced. */
function wellFormed(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]));
}

parentPort?.on('message', (request: UnpackRequest) => parentPort?.postMessage(unpack(request)));

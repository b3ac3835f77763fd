/** Finds the CloudTrail records in the text of a file: JSON in any form in which AWS's services and people keep events. */
import { JsonFault, MAX_VALUE_BYTES, openJsonScanner } from './json-scanner.ts';
import { EXPORTED_LINE } from './read-log-file.ts';

/** A record of CloudTrail: its JSON on one line, and the fields that every event has. */
export interface FoundRecord {
  readonly json: string;
  readonly fields: RecordFields;
}

interface RecordFields {
  readonly eventTime: string;
  readonly eventSource: string;
  readonly eventName: string;
  readonly eventID?: unknown;
}

/** Takes what is found. */
export interface RecordSink {
  record(record: FoundRecord): void;
  /** A value in the place of an event that is none, with the reason. */
  error(reason: string): void;
}

/** The number of values of each kind in a text. */
export interface FoundCounts {
  readonly records: number;
  /** True when the text is of a format in which services hand on events. */
  readonly hasEnvelope: boolean;
}

/**
 * Reads a text. In a text with one value a line, a line that is no JSON is an error of this line; elsewhere it is a fault of the text.
 *
 * @throws JsonFault
 */
export async function findRecords(pieces: AsyncIterable<Buffer> | Iterable<Buffer>, sink: RecordSink): Promise<FoundCounts> {
  let records = 0;
  let hasEnvelope = false;
  const counted: RecordSink = {
    record(found) {
      records += 1;
      sink.record(found);
    },
    error: (reason) => sink.error(reason),
  };
  const onTooLarge = (): void => sink.error(TOO_LARGE);
  const readLine = (line: Buffer): void => {
    const values: string[] = [];
    const scanner = openJsonScanner((value) => values.push(value.toString('utf8')), onTooLarge);
    try {
      scanner.push(withoutTime(line));
      scanner.end();
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      sink.error(BAD_LINE);
      return;
    }
    hasEnvelope ||= scanner.hasEnvelope;
    for (const value of values) if (!readValue(value, counted)) sink.error(BAD_LINE);
  };

  const document = openJsonScanner((value) => {
    if (!readValue(value.toString('utf8'), counted)) throw new JsonFault('is not valid JSON');
  }, onTooLarge);
  let isLines: boolean | undefined;
  const lines = openLines(readLine, onTooLarge);
  for await (const piece of pieces) {
    let text = piece;
    if (isLines === undefined) {
      text = withoutMark(piece);
      isLines = hasValuePerLine(text);
    }
    if (isLines) lines.push(text);
    else document.push(text);
  }
  if (isLines) lines.end();
  else document.end();
  return { records, hasEnvelope: hasEnvelope || document.hasEnvelope };
}

/** CloudTrail's limit is 256 KB, that of an event data store 1 MB. A larger event would need too much memory in the store. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;
const TOO_LARGE = `an event is larger than ${MAX_EVENT_BYTES / 1024 / 1024} MB`;
const BAD_LINE = 'a line is not valid JSON';
const MARK = Buffer.from('\ufeff');
const LINE_END = 0x0a;
/** A line may be a whole log file. */
const MAX_LINE = 64 * 1024 * 1024;

const withoutMark = (text: Buffer): Buffer => (text.subarray(0, MARK.length).equals(MARK) ? text.subarray(MARK.length) : text);

const isBlankText = (text: Buffer): boolean => text.every((byte) => byte <= 0x20);

/** True for a text with one value a line, by its first two lines: one of them may be damaged. */
function hasValuePerLine(text: Buffer): boolean {
  const first = lineAt(text, 0);
  if (first === undefined) return false;
  const next = lineAt(text, first.length + 1) ?? text.subarray(first.length + 1, first.length + 1 + MAX_VALUE_BYTES);
  // The first line of printed JSON is a bracket.
  return !isBlankText(next) && (isValue(first) || (first.length > 20 && isValue(next)));
}

function lineAt(text: Buffer, from: number): Buffer | undefined {
  const end = text.indexOf(LINE_END, from);
  return end === -1 || end - from > MAX_VALUE_BYTES ? undefined : text.subarray(from, end);
}

function isValue(line: Buffer): boolean {
  if (EXPORTED_LINE.test(line.toString('latin1', 0, 64))) return true;
  try {
    return typeof JSON.parse(line.toString('utf8')) === 'object';
  } catch {
    return false;
  }
}

/** A line of an export of CloudWatch Logs without its time. */
const withoutTime = (line: Buffer): Buffer => (EXPORTED_LINE.test(line.toString('latin1', 0, 64)) ? line.subarray(line.indexOf(0x20)) : line);

/** Cuts a text in pieces into lines. A line that is too long to be held is counted, not read. */
function openLines(readLine: (line: Buffer) => void, onTooLong: () => void): { push(piece: Buffer): void; end(): void } {
  let rest = Buffer.alloc(0);
  let isTooLong = false;
  return {
    push(piece) {
      const text = rest.length > 0 ? Buffer.concat([rest, piece]) : piece;
      let from = 0;
      for (let end = text.indexOf(LINE_END); end !== -1; end = text.indexOf(LINE_END, from)) {
        const line = text.subarray(from, end);
        if (!isTooLong && !isBlankText(line)) readLine(line);
        isTooLong = false;
        from = end + 1;
      }
      rest = Buffer.from(text.subarray(from));
      if (rest.length <= MAX_LINE) return;
      if (!isTooLong) onTooLong();
      isTooLong = true;
      rest = Buffer.alloc(0);
    },
    end() {
      if (!isTooLong && !isBlankText(rest)) readLine(rest);
    },
  };
}

/** An event in a string in an event in a string: no service writes more. */
const MAX_STRINGS = 3;

/** Reads a value that may be an event, or hold one as text. False when it is no JSON. */
function readValue(json: string, sink: RecordSink, strings = 0): boolean {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return false;
  }
  const inner = textOfEvent(value);
  if (inner !== undefined && strings < MAX_STRINGS) {
    if (!/^\s*\{/.test(inner)) sink.error(typeof value === 'string' ? 'an event is not an object' : 'a log message is not an event');
    else if (!readValue(inner, sink, strings + 1)) sink.error('an event is not valid JSON');
    return true;
  }
  const error = recordError(value);
  if (error !== undefined) sink.error(error);
  else if (Buffer.byteLength(json) > MAX_EVENT_BYTES) sink.error(TOO_LARGE);
  else sink.record({ json: onOneLine(json), fields: value as RecordFields });
  return true;
}

/** The text in which an item of `Events`, a log message or a string has an event. */
function textOfEvent(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return undefined;
  const { CloudTrailEvent: event, message, eventName } = value as Readonly<Record<string, unknown>>;
  if (typeof event === 'string') return event;
  return typeof message === 'string' && eventName === undefined ? message : undefined;
}

/** eventTime as CloudTrail writes it. Fractions of a second are allowed. */
const EVENT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;

/** Why a value cannot be loaded as a record; undefined when it can. Checks only the fields that every event has. */
function recordError(record: unknown): string | undefined {
  if (record === null || typeof record !== 'object' || Array.isArray(record)) return 'an event is not an object';
  const { eventTime, eventName, eventSource } = record as Readonly<Record<string, unknown>>;
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

/** An escaped backslash, a surrogate pair, or half of one, which is not valid Unicode. */
const ESCAPES = /\\\\|\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|\\u(d[89a-f][0-9a-f]{2})/gi;

/** The text of a record on one line, as every parser accepts it. Numbers keep their digits. */
function onOneLine(json: string): string {
  const line = /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, ' ') : json;
  return /\\ud/i.test(line) ? line.replace(ESCAPES, (written, _high, _low, half) => (half === undefined ? written : '\\ufffd')) : line;
}

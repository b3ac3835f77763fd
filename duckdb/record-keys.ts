/** Where the values of the keys are in a record, as CloudTrail writes it, found in its bytes. */
import type { Finder } from './finder.ts';

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, SPACE] = [34, 92, 44, 58, 123, 125, 91, 93, 32] as const;

/** The keys of a record that matter, by their place in the list of ranges that `readTopLevel` fills. */
export const RECORD_KEYS = [
  'requestParameters',
  'responseElements',
  'additionalEventData',
  'serviceEventDetails',
  'resources',
  'errorMessage',
  'userIdentity',
  'tlsDetails',
  'addendum',
  'edgeDeviceDetails',
  'eventID',
  'requestID',
  'sharedEventID',
  'eventTime',
  'eventSource',
  'eventName',
  'readOnly',
] as const;
type RecordKey = (typeof RECORD_KEYS)[number];
export const AT = Object.fromEntries(RECORD_KEYS.map((key, i) => [key, i])) as { readonly [key in RecordKey]: number };
/** Number of RECORD_KEYS whose words are those of a call. */
export const CALL_KEYS = AT.userIdentity;

/** RECORD_KEYS by their length and their sixth byte, which differ; then all bytes are compared. */
const SHORTEST_RECORD_KEY = Math.min(...RECORD_KEYS.map(({ length }) => length));
const LONGEST_RECORD_KEY = Math.max(...RECORD_KEYS.map(({ length }) => length));
const KEY_BYTES = RECORD_KEYS.map((key) => Buffer.from(key));
const keySlot = (length: number, sixth: number): number => length * 256 + sixth;
const KEY_SLOTS = new Int8Array(keySlot(LONGEST_RECORD_KEY + 1, 0)).fill(-1);
for (const [i, key] of RECORD_KEYS.entries()) KEY_SLOTS[keySlot(key.length, key.charCodeAt(5))] = i;

/** Thrown at what this does not read as DuckDB does. */
export class NotPlain extends Error {}

/** What follows `userIdentity`, the largest value that is the same in many records. */
export const AFTER_IDENTITY = ',"eventTime":"';

/** The end of `userIdentity`, if nothing is between it and eventTime: whoever reads it looks once whether it is one value. */
function identityEnd(text: Buffer, afterIdentity: Finder, from: number, to: number): number {
  const end = afterIdentity(from);
  return end > from && end < to && text[end - 1] === CLOSE ? end : valueEnd(text, from, to);
}

/** Finds the values of RECORD_KEYS in a record: their starts, 0 for none or null, and their ends. `afterIdentity` finds `AFTER_IDENTITY` in the text. */
export function readTopLevel(text: Buffer, afterIdentity: Finder, from: number, to: number, starts: Int32Array, ends: Int32Array): void {
  let i = skipBlanks(text, from + 1);
  while (text[i] === QUOTE) {
    const keyEnd = stringEnd(text, i, to);
    const colon = skipBlanks(text, keyEnd);
    if (text[colon] !== COLON) throw new NotPlain();
    const start = skipBlanks(text, colon + 1);
    const key = recordKey(text, i + 1, keyEnd - 1);
    const end = key === AT.userIdentity ? identityEnd(text, afterIdentity, start, to) : valueEnd(text, start, to);
    if (key >= 0) {
      // Of two values of a key, who knows which DuckDB takes.
      if (starts[key] !== 0) throw new NotPlain();
      if (!hasBytes(text, start, NULL)) {
        starts[key] = start;
        ends[key] = end;
      }
    }
    i = skipBlanks(text, end);
    if (text[i] === COMMA) i = skipBlanks(text, i + 1);
  }
  if (text[i] !== CLOSE || i !== to - 1) throw new NotPlain();
}

/** The place in RECORD_KEYS of the key within quotes; -1 for another. */
function recordKey(text: Buffer, from: number, to: number): number {
  const length = to - from;
  if (length < SHORTEST_RECORD_KEY || length > LONGEST_RECORD_KEY) return -1;
  const key = KEY_SLOTS[keySlot(length, text[from + 5] as number)] as number;
  if (key < 0) return -1;
  return hasBytes(text, from, KEY_BYTES[key] as Buffer) ? key : -1;
}

const NULL = Buffer.from('null');

/** True when a text has these bytes at `from`. */
export function hasBytes(text: Buffer, from: number, bytes: Buffer): boolean {
  for (let i = 0; i < bytes.length; i += 1) if (text[from + i] !== bytes[i]) return false;
  return true;
}

function skipBlanks(text: Buffer, from: number): number {
  let i = from;
  while ((text[i] as number) <= SPACE) i += 1;
  return i;
}

/** The end of the string whose opening quote is at `from`. */
function stringEnd(text: Buffer, from: number, to: number): number {
  for (let i = from + 1; i < to; i += 1) {
    const byte = text[i];
    if (byte === QUOTE) return i + 1;
    if (byte === BACKSLASH) i += 1;
  }
  throw new NotPlain();
}

/** The end of the value that begins at `from`. */
export function valueEnd(text: Buffer, from: number, to: number): number {
  const first = text[from];
  if (first === QUOTE) return stringEnd(text, from, to);
  if (first !== OPEN && first !== OPEN_LIST) {
    let i = from;
    while (i < to && text[i] !== COMMA && text[i] !== CLOSE) i += 1;
    return i;
  }
  let depth = 0;
  let isInString = false;
  for (let i = from; i < to; i += 1) {
    const byte = text[i];
    if (isInString) {
      if (byte === QUOTE) isInString = false;
      else if (byte === BACKSLASH) i += 1;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === OPEN || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE || byte === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  throw new NotPlain();
}

/** @throws NotPlain for what is no string, or one with escapes. */
export function checkString(text: Buffer, from: number, to: number): void {
  if (text[from] !== QUOTE || text[to - 1] !== QUOTE) throw new NotPlain();
  for (let i = from + 1; i < to; i += 1) if (text[i] === BACKSLASH) throw new NotPlain();
}

/** Reads files as text, packed with gzip or not, and tells by their first bytes which files cannot be log files. */
import { closeSync, createReadStream, openSync, readFileSync, readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';

/** Why a file is not read. `isOther` is true when it is no log file; false when it may be one, so that events may be missing. */
export interface Unread {
  readonly reason: string;
  readonly isOther: boolean;
}

/** Marks a file that is read in pieces. */
export const LARGE = Symbol('large');

/** CloudTrail's limit is 50 MB before compression. A larger text is not held in memory. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Of a file that may be anything, so much is looked at first. */
const HEAD_BYTES = 64 * 1024;
/** Log files shrink to a tenth, at most to a fiftieth. */
const MAX_GZIP_RATIO = 200;
/** CloudWatch Logs packs each batch for Firehose, and Firehose packs the file. */
const MAX_GZIP_LAYERS = 3;
const MIN_CHUNK = 1024;
const MAX_CHUNK = 4 * 1024 * 1024;

/** The names that CloudTrail gives to its files. */
export const isLogName = (path: string): boolean => /\.json(\.gz)?$/i.test(path);

/** The first bytes of files that people keep beside log files, and what to do. */
const OTHER_FORMATS: readonly (readonly [bytes: string, reason: string])[] = [
  ['PK\u0003\u0004', 'is a zip archive; unpack it'],
  ['BZh', 'is packed with bzip2; unpack it'],
  ['\u00fd7zXZ', 'is packed with xz; unpack it'],
  ['\u0028\u00b5\u002f\u00fd', 'is packed with zstd; unpack it'],
  ['7z\u00bc\u00af', 'is a 7-Zip archive; unpack it'],
  ['PAR1', 'is a Parquet file'],
];
const TAR_MARK = 'ustar';
const TAR_MARK_AT = 257;

/** The text of a file; `LARGE` when it must be read in pieces; otherwise why it cannot be read. */
export function readLogFile(path: string, size: number): Buffer | typeof LARGE | Unread {
  let packed: Buffer;
  try {
    if (size > MAX_TEXT_BYTES) return checkHead(path, readHead(path)) ?? LARGE;
    packed = readFileSync(path);
  } catch (error) {
    return skipped(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
  if (packed.length === 0) return { reason: 'is empty (0 bytes)', isOther: !isLogName(path) };
  if (!isLogName(path)) {
    const other = checkHead(path, packed.subarray(0, HEAD_BYTES));
    if (other) return other;
  }
  let text = packed;
  try {
    for (let layer = 0; layer < MAX_GZIP_LAYERS && isGzip(text); layer += 1) text = unpackWhole(text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return LARGE;
    return skipped(gzipReason(code));
  }
  if (text.length === 0) return skipped('is empty (0 bytes unpacked)');
  return checkHead(path, text.subarray(0, HEAD_BYTES)) ?? text;
}

/** A file that cannot be read, found on the way. The message is a reason that continues after its name. */
export class Unreadable extends Error {}

/** The text of a file in pieces. @throws Unreadable */
export async function* readLogPieces(path: string): AsyncGenerator<Buffer> {
  let packedBytes = 0;
  async function* file(): AsyncGenerator<Buffer> {
    for await (const piece of createReadStream(path, { highWaterMark: MAX_CHUNK })) {
      packedBytes += piece.length;
      yield piece;
    }
  }
  let bytes = 0;
  try {
    for await (const piece of unpackPieces(file())) {
      bytes += piece.length;
      if (bytes > MAX_TEXT_BYTES && bytes > MAX_GZIP_RATIO * packedBytes) throw new Unreadable(BOMB);
      yield piece;
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Unreadable(code.startsWith('Z_') ? gzipReason(code) : `cannot be read (${code})`);
  }
}

const BOMB = `is larger than ${MAX_TEXT_BYTES / 1024 / 1024} MB unpacked and more than ${MAX_GZIP_RATIO} times as large as packed, unlike any log`;

const gzipReason = (code: string | undefined): string =>
  code === 'Z_BUF_ERROR' ? 'is truncated (gzip ends early)' : 'is damaged (gzip cannot be unpacked)';

async function* unpackPieces(pieces: AsyncGenerator<Buffer>, layer = 0): AsyncGenerator<Buffer> {
  const { value: first, done } = await pieces.next();
  if (done) return;
  async function* all(): AsyncGenerator<Buffer> {
    yield first as Buffer;
    yield* pieces;
  }
  if (layer === MAX_GZIP_LAYERS || !isGzip(first)) {
    yield* all();
    return;
  }
  const gunzip = createGunzip({ chunkSize: MAX_CHUNK });
  // An error destroys the stream with it, so the loop throws it.
  pipeline(Readable.from(all()), gunzip, () => undefined);
  yield* unpackPieces(chunksOf(gunzip), layer + 1);
}

async function* chunksOf(stream: Readable): AsyncGenerator<Buffer> {
  yield* stream;
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

function unpackWhole(packed: Buffer): Buffer {
  // A gzip file ends with its unpacked size. A buffer of that size avoids copies; zlib grows it if it is too small.
  const expectedSize = packed.length > 4 ? packed.readUInt32LE(packed.length - 4) : 0;
  const chunkSize = Math.min(Math.max(expectedSize + 1, MIN_CHUNK), MAX_CHUNK);
  return gunzipSync(packed, { maxOutputLength: MAX_TEXT_BYTES, chunkSize });
}

function readHead(path: string): Buffer {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(file, head));
  } finally {
    closeSync(file);
  }
}

/** A line of a log that CloudWatch Logs exported: the time of the event, then the event. */
export const EXPORTED_LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*Z [[{]/;
const JSON_START = /^\s*(?:[[{"]|-?\d|true|false|null)/;
/** The start of a list or an object. A text may begin with a bracket too. */
const EVENTS_START = /^\s*(?:\{\s*["}]|\[\s*[[{"\]])/;

/** A line with an event, in a text whose first line is cut. */
const EVENT_LINE = /\n\{"[^\n]*"eventName"/;

/** Why a file that begins with these bytes is no log file; undefined when it may be one. */
function checkHead(path: string, bytes: Buffer): Unread | undefined {
  let head = bytes;
  try {
    for (let layer = 0; layer < MAX_GZIP_LAYERS && isGzip(head); layer += 1) head = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    // Damaged: that is found when it is read.
    return undefined;
  }
  const text = head.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '');
  if ((isLogName(path) ? JSON_START : EVENTS_START).test(text) || EXPORTED_LINE.test(text) || EVENT_LINE.test(text) || text.length === 0)
    return undefined;
  const [, known] = OTHER_FORMATS.find(([start]) => text.startsWith(start)) ?? [];
  const reason = known ?? (text.startsWith(TAR_MARK, TAR_MARK_AT) ? 'is a tar archive; unpack it' : undefined);
  // An archive may hold logs.
  if (reason?.endsWith('unpack it')) return skipped(reason);
  if (!isLogName(path)) return { reason: reason ?? 'is not JSON', isOther: true };
  return skipped(/\.gz$/i.test(path) && !isGzip(bytes) ? 'is neither gzip nor JSON' : 'is not valid JSON');
}

const skipped = (reason: string): Unread => ({ reason, isOther: false });

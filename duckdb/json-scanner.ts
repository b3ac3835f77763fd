/**
 * Cuts JSON of any size into the values that may be events, without parsing it and without holding more than one of them: single
 * values one after the other, the items of a list, and the values in the envelopes in which AWS's services hand on events:
 *
 * - `{"Records":[…]}`: a log file of CloudTrail
 * - `{"Events":[{"CloudTrailEvent":"…"}]}`: the output of `aws cloudtrail lookup-events`
 * - `{"events":[{"message":"…"}]}`: the output of `aws logs filter-log-events` and `get-log-events`
 * - `{"logEvents":[{"message":"…"}]}`: a subscription of CloudWatch Logs
 * - `{"detail-type":"…","detail":{…}}`: an event of EventBridge
 */
import { Unreadable } from './read-log-file.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d] as const;

/** The keys of an envelope, and what is at them. */
const ENVELOPES: Readonly<Record<string, typeof OPEN_LIST | typeof OPEN_OBJECT>> = {
  Records: OPEN_LIST,
  Events: OPEN_LIST,
  events: OPEN_LIST,
  logEvents: OPEN_LIST,
  detail: OPEN_OBJECT,
};
const LONGEST_KEY = Math.max(...Object.keys(ENVELOPES).map((key) => key.length));

/** Twice as much as an event may have, because an event in a string has a backslash before each quote. */
export const MAX_VALUE_BYTES = 8 * 1024 * 1024;

/** Text that is no JSON. */
export class JsonFault extends Unreadable {}
const fault = (): JsonFault => new JsonFault('is not valid JSON');

export interface JsonScanner {
  /** Reads the next piece of the text. @throws JsonFault */
  push(piece: Buffer): void;
  /** @throws JsonFault when the text ends early. */
  end(): void;
  /** True when the text has an envelope. */
  readonly hasEnvelope: boolean;
}

/** Where a value is: by itself, in a list by itself, in the list of an envelope, or as the one value of an envelope. */
type Place = 'alone' | 'list' | 'envelope list' | 'envelope value';

/**
 * A scanner that hands every value to `onValue`, and calls `onTooLarge` for each that is too large for an event. It checks only what it
 * needs to find them; a value may still be no JSON.
 */
export function openJsonScanner(onValue: (json: Buffer) => void, onTooLarge: () => void): JsonScanner {
  const places: Place[] = ['alone'];
  let hasEnvelope = false;
  /** Between two values, in a value, or in a string of a value. */
  let state: 'between' | 'value' | 'string' | 'literal' = 'between';
  /** Between two values: whether a value, or a comma or the end, comes next. */
  let isValueNext = true;
  let depth = 0;
  /** The text of the value so far, in pieces; undefined in an envelope, which is not kept. */
  let held: Buffer[] | undefined;
  let heldBytes = 0;
  /** True for a value that is too large to be held. */
  let isTooLarge = false;
  /** The text of a key at depth 1, as far as it may name an envelope. */
  let key = '';
  let isKey = false;
  /** True when the piece before this one ended with a backslash that escapes the next byte. */
  let isEscaped = false;

  return {
    push(piece) {
      let from = held ? 0 : -1;
      const keep = (to: number): void => {
        if (held && from >= 0) {
          held.push(piece.subarray(from, to));
          heldBytes += to - from;
          if (heldBytes > MAX_VALUE_BYTES) {
            isTooLarge = true;
            held = undefined;
          }
        }
      };
      /** Ends a value before `to`. */
      const endValue = (to: number): void => {
        keep(to);
        const json = held && (held.length === 1 ? held[0] : Buffer.concat(held));
        const wasTooLarge = isTooLarge;
        held = undefined;
        heldBytes = 0;
        isTooLarge = false;
        state = 'between';
        isValueNext = false;
        if (places.at(-1) === 'envelope value') {
          places.pop();
          resumeEnvelope();
        }
        if (json) onValue(json);
        else if (wasTooLarge) onTooLarge();
      };
      const beginValue = (at: number, next: typeof state): void => {
        held = [];
        from = at;
        state = next;
        depth = 0;
      };
      const resumeEnvelope = (): void => {
        state = 'value';
        depth = 1;
        key = '';
        isKey = false;
      };

      for (let i = 0; i < piece.length; i += 1) {
        const byte = piece[i] as number;
        if (state === 'string') {
          const end = endOfString(piece, i, isEscaped);
          if (isKey && key.length <= LONGEST_KEY) key += piece.toString('latin1', i, Math.min(end === -1 ? piece.length : end, i + LONGEST_KEY + 1));
          if (end === -1) {
            isEscaped = endsEscaped(piece, i, isEscaped);
            break;
          }
          isEscaped = false;
          i = end;
          state = 'value';
          if (depth === 0) endValue(i + 1);
        } else if (state === 'value') {
          if (byte === QUOTE) {
            state = 'string';
            isKey = depth === 1 && isKey;
            if (isKey) key = '';
          } else if (byte === COLON) {
            isKey = false;
          } else if (byte === COMMA) {
            if (depth === 1) {
              isKey = true;
              key = '';
            }
          } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
            if (depth === 1 && !isKey && ENVELOPES[key] === byte && Object.hasOwn(ENVELOPES, key)) {
              hasEnvelope = true;
              held = undefined;
              heldBytes = 0;
              isTooLarge = false;
              places.push(byte === OPEN_LIST ? 'envelope list' : 'envelope value');
              key = '';
              if (byte === OPEN_LIST) {
                state = 'between';
                isValueNext = true;
              } else {
                beginValue(i, 'value');
                depth = 1;
                isKey = true;
              }
            } else depth += 1;
          } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
            depth -= 1;
            if (depth === 0) endValue(i + 1);
          }
        } else if (state === 'literal') {
          if (isJsonBlank(byte) || byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
            endValue(i);
            i -= 1;
          }
        } else if (isJsonBlank(byte)) {
          // Between two values.
        } else if (byte === COMMA) {
          if (isValueNext || places.at(-1) === 'alone') throw fault();
          isValueNext = true;
        } else if (byte === CLOSE_LIST) {
          const place = places.pop();
          if (place === 'list') {
            state = 'between';
            isValueNext = false;
          } else if (place === 'envelope list') resumeEnvelope();
          else throw fault();
        } else if (!isValueNext && places.at(-1) !== 'alone') {
          throw fault();
        } else if (byte === OPEN_LIST && places.length === 1) {
          places.push('list');
          isValueNext = true;
        } else if (byte === QUOTE) {
          beginValue(i, 'string');
          isKey = false;
        } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
          beginValue(i, 'value');
          depth = 1;
          key = '';
          // The keys of a list in a list are no envelopes.
          isKey = byte === OPEN_OBJECT;
        } else if (isLiteralStart(byte)) beginValue(i, 'literal');
        else throw fault();
      }
      keep(piece.length);
    },
    end() {
      if (state === 'literal' && held) {
        const json = Buffer.concat(held);
        held = undefined;
        state = 'between';
        onValue(json);
      }
      if (state !== 'between' || places.length > 1) throw fault();
    },
    get hasEnvelope() {
      return hasEnvelope;
    },
  };
}

const isJsonBlank = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** A number, true, false or null. */
const isLiteralStart = (byte: number): boolean => '-0123456789tfn'.includes(String.fromCharCode(byte));

/** The offset of the quote that ends a string whose text goes on at `from`; -1 when it does not end in this piece. */
function endOfString(piece: Buffer, from: number, isEscaped: boolean): number {
  let end = piece.indexOf(QUOTE, from);
  while (end !== -1 && endsEscaped(piece.subarray(0, end), from, isEscaped)) end = piece.indexOf(QUOTE, end + 1);
  return end;
}

/** True when the text from `from` to the end of the piece ends with a backslash that escapes what follows. */
function endsEscaped(piece: Buffer, from: number, isEscaped: boolean): boolean {
  let slashes = 0;
  while (piece.length - slashes > from && piece[piece.length - slashes - 1] === BACKSLASH) slashes += 1;
  if (piece.length - slashes === from && isEscaped) slashes += 1;
  return slashes % 2 === 1;
}

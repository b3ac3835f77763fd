/**
 * The mentions of log files, found in their bytes while they are unpacked: many times as fast as the SQL of `src/trail/mentions.ts`, and the
 * same. It reads JSON as CloudTrail writes it. Where a record has anything else, such as escaped letters, nothing is known of the batch, and
 * the SQL makes its mentions.
 */
import { isRandomId, mentionOf } from '../src/trail/mentions.ts';
import { type Finder, finder } from './finder.ts';
import { openMentionRows, timeNumber } from './mention-rows.ts';
import { AFTER_IDENTITY, AT, CALL_KEYS, checkString, hasBytes, NotPlain, RECORD_KEYS, readTopLevel, valueEnd } from './record-keys.ts';
import { hashOf, NO_HASH, openTallyTable, openTextTable, type Tally, type TextTable } from './text-table.ts';

/** Where in the trail a record is. */
export interface RecordPlace {
  readonly day: string;
  readonly account: string;
  readonly region: string;
}

/** Where a call was made, or where callers were: then `source` and `name` are null. */
interface WordPlace extends RecordPlace {
  readonly source: string | null;
  readonly name: string | null;
}

/** The words of a batch, as they are found. */
export interface WordCollector {
  /** Opens the text of a file, whose records are read in order. `letters` has a character for each byte. */
  open(text: Buffer, letters: string): RecordReader;
  /** The rows of `mentions`; undefined when a record was not as CloudTrail writes it. */
  mentions(): MentionRows | undefined;
}

/**
 * Reads a record, from the opening brace at `from` up to `to`. Without a place, or an eventID that AWS gave, DuckDB finds other values for
 * these, so that nothing is known of the batch.
 */
type RecordReader = (from: number, to: number, place: RecordPlace | undefined, hasAwsId: boolean) => void;

/** Rows of `mentions`, and the places that they refer to by their index. */
export interface MentionRows {
  readonly places: readonly WordPlace[];
  /** One line of tab-separated values for each row: place, name, events, writes, first, last. */
  readonly lines: Buffer;
  /** Different records that were read. */
  readonly records: number;
}

const [QUOTE, BACKSLASH, COLON, NEWLINE, SPACE, DASH, DOT_BYTE, LETTER_U] = [34, 92, 58, 10, 32, 45, 46, 117] as const;
const [TRUE, FALSE] = [Buffer.from('true'), Buffer.from('false')] as const;

/** What a byte is for words: a part of any word, of a number or a time too, a dot within a word, or none of these. */
const [NO_WORD, OF_WORD, OF_NUMBER, DOT] = [0, 1, 2, 3] as const;
const CLASSES = Uint8Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9tz+_-]/.test(character)) return OF_NUMBER;
  if (/[A-Za-z@]/.test(character)) return OF_WORD;
  return character === '.' ? DOT : NO_WORD;
});
const SAME_LETTERS = Uint8Array.from({ length: 256 }, (_, code) => code);
const SMALL_LETTERS = SAME_LETTERS.map((code) =>
  String.fromCharCode(code)
    .replace(/[A-Z]/, (letter) => letter.toLowerCase())
    .charCodeAt(0),
);
const IS_HEX = Uint8Array.from({ length: 256 }, (_, code) => (/[0-9a-f]/.test(String.fromCharCode(code)) ? 1 : 0));

const CALL_NAME = /^[A-Za-z0-9_.:-]+$/;
const READ_NAME = /^(?:Get|List|Describe|Head|BatchGet|Lookup|Search|Select|Scan|Query|Check|View)/;
/** A number whose text DuckDB changes. */
const EXPONENT = /^[0-9.]+e[+-]?[0-9]+$/;

/** The keys whose values mentions leave out, by where they are. */
const LEFT_OUT_KEYS: readonly (string | undefined)[] = RECORD_KEYS.map(
  (key) => ({ responseElements: '"sessionToken"', additionalEventData: '"x-amz-id-2"' })[key as string],
);
/** What each record has. */
const NEEDED_KEYS = [AT.eventID, AT.eventTime, AT.eventSource, AT.eventName] as const;

/** How `mentions` has a word: not at all, as a number whose text DuckDB changes, by its name, or as one of the long words. */
const [LEFT_OUT_WORD, ODD_WORD, NAMED_WORD, LONG_WORD] = [0, 1, 2, 3] as const;

/** Opens a collector for the records of a batch. */
export function collectWords(): WordCollector {
  const ids = openTextTable();
  const words = openTextTable();
  /** How `mentions` has each of the words. */
  const forms: number[] = [];
  /** The tallies of words, by place. */
  const tallies = openTallyTable();
  /** Services and calls, with what is between them in a record, in the group of their folder. */
  const calls = openTextTable();
  /** Where each of the calls is in `places`. */
  const placeOfCall: number[] = [];
  /** Texts about callers: each `userIdentity` in the group of its place, and the other texts in the group of the identity. */
  const identities = openTextTable();
  const others = openTextTable();
  const othersTallies = openTallyTable();
  const places: WordPlace[] = [];
  /** Whether calls are writes by their names, by place. */
  const writes: boolean[] = [];
  /** Where callers are in `places`, by folder of the trail. */
  const folders = new Map<string, number>();
  const starts = new Int32Array(RECORD_KEYS.length);
  const ends = new Int32Array(RECORD_KEYS.length);
  let isPlain = true;
  let lastPlace: RecordPlace | undefined;
  /** Find `AFTER_IDENTITY`, and the keys whose values are left out, in the text of a file. */
  let afterIdentity: Finder;
  let leftOutKeys: readonly (Finder | undefined)[];
  let folder = 0;
  /** What the words that are found are counted for. */
  let place = 0;
  let record = 0;
  let added: Tally = { events: 0, writes: 0, first: 0, last: 0 };

  return {
    open(text, letters) {
      afterIdentity = finder(letters, AFTER_IDENTITY);
      leftOutKeys = LEFT_OUT_KEYS.map((key) => (key === undefined ? undefined : finder(letters, key)));
      return (from, to, at, hasAwsId) => {
        isPlain &&= at !== undefined && hasAwsId;
        if (!isPlain || at === undefined) return;
        try {
          readRecord(text, from, to, at);
        } catch (error) {
          if (!(error instanceof NotPlain)) throw error;
          isPlain = false;
        }
      };
    },
    mentions() {
      if (!isPlain) return undefined;
      try {
        addCallers();
      } catch (error) {
        if (!(error instanceof NotPlain)) throw error;
        return undefined;
      }
      return { places, lines: writeRows(), records: ids.size };
    },
  };

  function addPlace(made: WordPlace): number {
    places.push(made);
    writes.push(made.name !== null && !READ_NAME.test(made.name));
    return places.length - 1;
  }

  function folderOf(at: RecordPlace): number {
    const key = `${at.day} ${at.account} ${at.region}`;
    const found = folders.get(key) ?? addPlace({ ...at, source: null, name: null });
    folders.set(key, found);
    return found;
  }

  function readRecord(text: Buffer, from: number, to: number, at: RecordPlace): void {
    starts.fill(0);
    ends.fill(0);
    readTopLevel(text, afterIdentity, from, to, starts, ends);
    for (let key = AT.eventID; key <= AT.eventName; key += 1) if (starts[key] !== 0) checkString(text, starts[key] as number, ends[key] as number);
    for (const key of NEEDED_KEYS) if ((ends[key] as number) - (starts[key] as number) < 2) throw new NotPlain();
    // A log file may be delivered twice.
    const before = ids.size;
    record = textNumber(ids, 0, text, (starts[AT.eventID] as number) + 1, (ends[AT.eventID] as number) - 1);
    if (record < before) return;
    if (at !== lastPlace) {
      folder = folderOf(at);
      lastPlace = at;
    }
    place = callPlace(text, at);
    const time = timeNumber(text, (starts[AT.eventTime] as number) + 1, (ends[AT.eventTime] as number) - 1);
    added = { events: 1, writes: isWrite(text) ? 1 : 0, first: time, last: time };
    for (let key = 0; key < CALL_KEYS; key += 1) {
      if (starts[key] !== 0) addWordsOf(key, text, starts[key] as number, ends[key] as number);
    }
    for (let key = AT.eventID; key <= AT.sharedEventID; key += 1) {
      if (starts[key] !== 0) addId(text, (starts[key] as number) + 1, (ends[key] as number) - 1);
    }
    othersTallies.count(0, otherTexts(text, identityOf(text)), record, added);
  }

  /** Where the call of the record is in `places`. */
  function callPlace(text: Buffer, at: RecordPlace): number {
    const [start, end] = [(starts[AT.eventSource] as number) + 1, (ends[AT.eventName] as number) - 1];
    // Most often there is only a key between the service and the call.
    const isTogether = end > start && end - start < MAX_CALL_BYTES;
    const both = isTogether ? text : joined(text, [AT.eventSource, AT.eventName]);
    const number = isTogether ? textNumber(calls, folder, both, start, end) : textNumber(calls, folder, both, 0, both.length);
    if (number < placeOfCall.length) return placeOfCall[number] as number;
    const [source = '', name = ''] = [AT.eventSource, AT.eventName].map((key) =>
      text.toString('latin1', (starts[key] as number) + 1, (ends[key] as number) - 1),
    );
    if (!CALL_NAME.test(source) || !CALL_NAME.test(name)) throw new NotPlain();
    placeOfCall.push(addPlace({ ...at, source, name }));
    return places.length - 1;
  }

  function identityOf(text: Buffer): number {
    const [start, end] = [starts[AT.userIdentity] as number, ends[AT.userIdentity] as number];
    const before = identities.size;
    const identity = textNumber(identities, folder, text, start, end);
    if (identity === before && start !== 0 && valueEnd(text, start, end) !== end) throw new NotPlain();
    return identity;
  }

  function otherTexts(text: Buffer, identity: number): number {
    if (starts[AT.addendum] === 0 && starts[AT.edgeDeviceDetails] === 0)
      return textNumber(others, identity, text, starts[AT.tlsDetails] as number, ends[AT.tlsDetails] as number);
    const all = joined(text, [AT.tlsDetails, AT.addendum, AT.edgeDeviceDetails]);
    return textNumber(others, identity, all, 0, all.length);
  }

  /** The values of some keys, in lines. */
  function joined(text: Buffer, keys: readonly number[]): Buffer {
    return Buffer.concat(keys.flatMap((key) => [text.subarray(starts[key], ends[key]), Buffer.of(NEWLINE)]));
  }

  /** As `readlike` in events.sql. */
  function isWrite(text: Buffer): boolean {
    let [start, end] = [starts[AT.readOnly] as number, ends[AT.readOnly] as number];
    if (text[start] === QUOTE) [start, end] = [start + 1, end - 1];
    if (end - start === TRUE.length && hasBytes(text, start, TRUE)) return false;
    return (end - start === FALSE.length && hasBytes(text, start, FALSE)) || (writes[place] as boolean);
  }

  function addWordsOf(key: number, text: Buffer, start: number, end: number): void {
    let from = start;
    const [leftOut, find] = [LEFT_OUT_KEYS[key], leftOutKeys[key]];
    if (leftOut && find) {
      for (let at = find(from); at !== -1 && at + leftOut.length <= end; at = find(from)) {
        const afterKey = at + leftOut.length;
        addWords(text, from, afterKey, false);
        from = leftOutEnd(text, afterKey, end);
      }
    }
    addWords(text, from, end, key === AT.errorMessage);
  }

  /** Adds an id of an event or a request, unless AWS made it at random. */
  function addId(text: Buffer, start: number, end: number): void {
    if (start === end || isUuid(text, start, end)) return;
    if (!isRandomId(text.toString('latin1', start, end), places[place]?.source ?? '')) addWords(text, start, end, false);
  }

  /** Adds the words of the texts about callers, each of which counts for all of its events. */
  function addCallers(): void {
    for (let number = 0; number < othersTallies.size; number += 1) {
      const text = othersTallies.text(number);
      const identity = others.group(text);
      place = identities.group(identity);
      record = ids.size + number;
      added = othersTallies.tally(number);
      for (const each of [identities.bytes(identity), others.bytes(text)]) addWords(each, 0, each.length, false);
    }
  }

  /**
   * Adds the words of a part of a text. Numbers and times are left out here, before they cost anything. In a message, which is no JSON,
   * what is escaped is no part of a word.
   */
  function addWords(text: Buffer, from: number, to: number, isMessage: boolean): void {
    let start = -1;
    let end = -1;
    let hash = NO_HASH;
    let hasLetter = false;
    for (let i = from; i <= to; i += 1) {
      const byte = i < to ? (text[i] as number) : 0;
      const kind = CLASSES[byte] as number;
      if (kind === OF_WORD || kind === OF_NUMBER) {
        if (start < 0) start = i;
        else for (; end < i; end += 1) hash = hashOf(hash, DOT_BYTE);
        hash = hashOf(hash, SMALL_LETTERS[byte] as number);
        end = i + 1;
        if (kind === OF_WORD) hasLetter = true;
      } else if (kind === NO_WORD) {
        if (start >= 0) {
          if (hasLetter || isKeptNumber(end - start)) {
            const number = addWord(text, start, end, hash);
            const form = forms[number] as number;
            if (form >= NAMED_WORD) tallies.count(place, number, record, added);
            else if (form === ODD_WORD) throw new NotPlain();
          }
          start = -1;
          hash = NO_HASH;
          hasLetter = false;
        }
        if (byte === BACKSLASH) {
          // A letter that is written by its number.
          if (text[i + 1] === LETTER_U) throw new NotPlain();
          if (isMessage) i += 1;
        } else if (byte >= 0x80 && isLatinInLowerCase(text, i, byte)) throw new NotPlain();
      }
    }
  }

  function addWord(text: Buffer, start: number, end: number, hash: number): number {
    const number = words.find(0, text, start, end, hash, SMALL_LETTERS);
    if (number === forms.length) forms.push(formOf(words.bytes(number).toString('latin1')));
    return number;
  }

  function formOf(word: string): number {
    if (EXPONENT.test(word)) return ODD_WORD;
    const name = mentionOf(word);
    if (name === undefined) return LEFT_OUT_WORD;
    return name === '' ? LONG_WORD : NAMED_WORD;
  }

  function writeRows(): Buffer {
    const writer = openMentionRows();
    /** The tallies of long words, which have one name, by place. */
    const long = new Map<number, Tally>();
    for (let number = 0; number < tallies.size; number += 1) {
      const [at, word, tally] = [tallies.group(number), tallies.text(number), tallies.tally(number)];
      if (forms[word] === LONG_WORD) long.set(at, addUp(long.get(at), tally));
      else writer.row(at, words.bytes(word), tally);
    }
    for (const [at, tally] of long) writer.row(at, Buffer.alloc(0), tally);
    return writer.bytes();
  }
}

const addUp = (one: Tally | undefined, other: Tally): Tally =>
  one
    ? {
        events: one.events + other.events,
        writes: one.writes + other.writes,
        first: Math.min(one.first, other.first),
        last: Math.max(one.last, other.last),
      }
    : other;

/** More than a service and a call need. */
const MAX_CALL_BYTES = 256;

/** The number of a text, of which any byte matters. */
function textNumber(table: TextTable, group: number, text: Buffer, from: number, to: number): number {
  let hash = NO_HASH;
  let i = from;
  // Four bytes in one step, since a step waits for the one before.
  for (; i + 4 <= to; i += 4)
    hash = hashOf(
      hash ^ (hash >>> 17),
      (text[i] as number) | ((text[i + 1] as number) << 8) | ((text[i + 2] as number) << 16) | ((text[i + 3] as number) << 24),
    );
  for (; i < to; i += 1) hash = hashOf(hash, text[i] as number);
  return table.find(group, text, from, to, hash, SAME_LETTERS);
}

/** A random id of RFC 9562 in small letters. */
function isUuid(text: Buffer, start: number, end: number): boolean {
  if (end - start !== 36) return false;
  for (let i = 0; i < 36; i += 1) {
    const byte = text[start + i] as number;
    if (i === 8 || i === 13 || i === 18 || i === 23 ? byte !== DASH : IS_HEX[byte] === 0) return false;
  }
  return true;
}

/** An account, or an IPv4 address, by its length: `mentionOf` looks closer. */
const isKeptNumber = (length: number): boolean => length >= 7 && length <= 15;

/** True for the Kelvin sign and the dotted I, in UTF-8, which are Latin letters in lower case. */
const isLatinInLowerCase = (text: Buffer, i: number, byte: number): boolean =>
  (byte === 0xe2 && text[i + 1] === 0x84 && text[i + 2] === 0xaa) || (byte === 0xc4 && text[i + 1] === 0xb0);

/** The end of the text within the quotes of a value that is left out, after its key; where there is no such value, where it was. */
function leftOutEnd(text: Buffer, afterKey: number, end: number): number {
  let start = afterKey + 1;
  while (text[start] === SPACE) start += 1;
  if (text[afterKey] !== COLON || text[start] !== QUOTE) return afterKey;
  const close = text.subarray(start + 1, end).indexOf(QUOTE);
  return close === -1 ? afterKey : start + 1 + close;
}

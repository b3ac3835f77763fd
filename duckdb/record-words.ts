/**
 * The mentions of log files, found in their text while it is unpacked: ten times as fast as the SQL of `src/trail/mentions.ts`, and the same.
 * It reads JSON as CloudTrail writes it. Where a record has anything else, such as escaped letters, nothing is known of the batch, and
 * the SQL makes its mentions.
 */
import { isRandomId, mentionOf } from '../src/trail/mentions.ts';

/** Where in the trail a record is. */
export interface RecordPlace {
  readonly day: string;
  readonly account: string;
  readonly region: string;
}

/** The events that have a word, or a text. Times are the digits of eventTimes. */
interface Tally {
  events: number;
  writes: number;
  first: number;
  last: number;
  /** The number of the record that was counted last, since a record counts once. */
  record: number;
}

/** The words of one call at one place; without a call, those of callers there. */
interface WordsAt extends RecordPlace {
  readonly source: string | null;
  readonly name: string | null;
  readonly tallies: Map<string, Tally>;
}

/** The words of a batch, as they are found. */
export interface WordCollector {
  /** Reads a record, `text` from the opening brace at `from` up to `to`, with a character for each byte. */
  /** Without a place, or an eventID that AWS gave, DuckDB finds other values for these. */
  read(text: string, from: number, to: number, place: RecordPlace | undefined, hasAwsId: boolean): void;
  /** The rows of `mentions`; undefined when a record was not as CloudTrail writes it. */
  mentions(): MentionRows | undefined;
}

/** Rows of `mentions`, and the places and calls that they refer to by their index. `name` is null for callers. */
export interface MentionRows {
  readonly places: readonly (RecordPlace & { readonly source: string | null; readonly name: string | null })[];
  /** One line of tab-separated values for each row: place, name, events, writes, first, last. */
  readonly lines: string;
  readonly count: number;
  /** Different records that were read. */
  readonly records: number;
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 92, 44, 58, 123, 125, 91, 93] as const;

/** What a character is for words: a part of any word, of a number or a time too, a capital, a dot within a word, or none of these. */
const [NO_WORD, OF_WORD, OF_NUMBER, CAPITAL, DOT] = [0, 1, 2, 3, 4] as const;
const CLASSES = Uint8Array.from({ length: 256 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9tz+_-]/.test(character)) return OF_NUMBER;
  if (/[a-z@]/.test(character)) return OF_WORD;
  if (/[A-Z]/.test(character)) return CAPITAL;
  return character === '.' ? DOT : NO_WORD;
});

const TIME_FORM = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.]\d+)?Z$/;
const CALL_NAME = /^[A-Za-z0-9_.:-]+$/;
const READ_NAME = /^(?:Get|List|Describe|Head|BatchGet|Lookup|Search|Select|Scan|Query|Check|View)/;
/** A number whose text DuckDB changes. */
const EXPONENT = /^[0-9.]+e[+-]?[0-9]+$/;

/** The keys of a record that matter, by their place in the list of ranges that `readTopLevel` fills. */
const RECORD_KEYS = [
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
const keyAt = Object.fromEntries(RECORD_KEYS.map((key, i) => [key, i])) as { readonly [key in RecordKey]: number };
const KEYS_BY_LENGTH = Map.groupBy(RECORD_KEYS, ({ length }) => length);
const CALL_KEYS = RECORD_KEYS.slice(0, keyAt.userIdentity);
const ID_KEYS = ['eventID', 'requestID', 'sharedEventID'] as const;

/** The parts of some texts that mentions leave out: the key before them, and what they become. */
const LEFT_OUT: { readonly [key in RecordKey]?: { readonly key: string; readonly value: RegExp; readonly becomes: string } } = {
  responseElements: { key: '"sessionToken"', value: /"sessionToken": *"[^"]*"/g, becomes: '"sessionToken":""' },
  additionalEventData: { key: '"x-amz-id-2"', value: /"x-amz-id-2": *"[^"]*"/g, becomes: '"x-amz-id-2":""' },
};

/** Thrown at what this does not read as DuckDB does. */
class NotPlain extends Error {}

/** Texts about callers at one place: by `userIdentity`, then by the other texts. */
interface CallersAt extends RecordPlace {
  readonly tallies: Map<string, Map<string, Tally>>;
}

/** Opens a collector for the records of a batch. */
export function collectWords(): WordCollector {
  const byPlace = new Map<string, Map<string, WordsAt>>();
  const callers = new Map<string, CallersAt>();
  const ids = new Set<number>();
  const starts = new Int32Array(RECORD_KEYS.length);
  const ends = new Int32Array(RECORD_KEYS.length);
  let isPlain = true;
  let lastPlace: RecordPlace | undefined;
  let calls = new Map<string, WordsAt>();
  let caller: CallersAt = { day: '', account: '', region: '', tallies: new Map() };

  return {
    read(text, from, to, place, hasAwsId) {
      isPlain &&= place !== undefined && hasAwsId;
      if (!isPlain || place === undefined) return;
      try {
        readRecord(text, from, to, place);
      } catch (error) {
        if (!(error instanceof NotPlain)) throw error;
        isPlain = false;
      }
    },
    mentions: () =>
      isPlain
        ? toRows(
            [...byPlace.values()].flatMap((each) => [...each.values()]),
            [...callers.values()],
            ids.size,
          )
        : undefined,
  };

  function ofIdentity(identity: string): Map<string, Tally> {
    const found = caller.tallies.get(identity);
    if (found) return found;
    const made = new Map<string, Tally>();
    caller.tallies.set(copyOf(identity), made);
    return made;
  }

  function readRecord(text: string, from: number, to: number, place: RecordPlace): void {
    starts.fill(0);
    readTopLevel(text, from, to, starts, ends);
    const raw = (key: RecordKey): string | undefined => (starts[keyAt[key]] ? text.slice(starts[keyAt[key]], ends[keyAt[key]]) : undefined);
    const plain = (key: RecordKey): string | undefined => plainString(raw(key));
    const [id, time, source, name] = [plain('eventID'), plain('eventTime'), plain('eventSource'), plain('eventName')];
    if (!id || time === undefined || !TIME_FORM.test(time) || !source || !CALL_NAME.test(source) || !name || !CALL_NAME.test(name))
      throw new NotPlain();
    // A log file may be delivered twice.
    const number = digitsOfId(id);
    if (ids.has(number)) return;
    ids.add(number);
    if (place !== lastPlace) {
      const key = `${place.day} ${place.account} ${place.region}`;
      calls = getOrMake(byPlace, key, () => new Map<string, WordsAt>());
      caller = getOrMake(callers, key, () => ({ ...place, tallies: new Map() }));
      lastPlace = place;
    }
    const { tallies } = getOrMake(calls, `${source} ${name}`, () => ({ ...place, source: copyOf(source), name: copyOf(name), tallies: new Map() }));
    const counted: Counted = {
      time: digitsOfTime(time),
      isWrite: isWriteByName(name, raw('readOnly')),
      record: ids.size,
    };
    for (const key of CALL_KEYS) {
      const [start, end] = [starts[keyAt[key]] as number, ends[keyAt[key]] as number];
      if (start === 0) continue;
      const leftOut = LEFT_OUT[key];
      if (leftOut && text.slice(start, end).includes(leftOut.key)) {
        const rest = text.slice(start, end).replace(leftOut.value, leftOut.becomes);
        addWords(rest, 0, rest.length, tallies, counted);
      } else if (key === 'errorMessage') {
        // A text, not JSON: what is escaped in it is no part of a word.
        const message = text.slice(start, end).replace(/\\[^u]/g, ' ');
        addWords(message, 0, message.length, tallies, counted);
      } else addWords(text, start, end, tallies, counted);
    }
    for (const key of ID_KEYS) {
      const value = key === 'eventID' ? id : plain(key);
      if (value && !isRandomId(value, source)) addWords(value, 0, value.length, tallies, counted);
    }
    const others =
      starts[keyAt.addendum] || starts[keyAt.edgeDeviceDetails]
        ? `${raw('tlsDetails')}\n${raw('addendum')}\n${raw('edgeDeviceDetails')}`
        : raw('tlsDetails');
    add(ofIdentity(raw('userIdentity') ?? ''), others ?? '', counted);
  }
}

/** The first 48 bits of a UUID. Two events with the same count as one, and then the number of records is not that of the events. */
const digitsOfId = (id: string): number => Number.parseInt(id.slice(0, 8), 16) * 0x10000 + Number.parseInt(id.slice(9, 13), 16);

/** 20261120143000 of 2026-11-20T14:30:00Z. */
const digitsOfTime = (time: string): number =>
  Number(time.slice(0, 4) + time.slice(5, 7) + time.slice(8, 10) + time.slice(11, 13) + time.slice(14, 16) + time.slice(17, 19));

const timeOfDigits = (digits: number): string => String(digits).replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6Z');

/** What one record adds to the tallies of its words. */
interface Counted {
  readonly time: number;
  readonly isWrite: boolean;
  readonly record: number;
}

function add(tallies: Map<string, Tally>, word: string, { time, isWrite: write, record }: Counted): void {
  const known = tallies.get(word);
  if (known === undefined) {
    tallies.set(copyOf(word), { events: 1, writes: write ? 1 : 0, first: time, last: time, record });
    return;
  }
  if (known.record === record) return;
  known.record = record;
  known.events += 1;
  if (write) known.writes += 1;
  if (time < known.first) known.first = time;
  else if (time > known.last) known.last = time;
}

/** A slice of a text would keep the whole text in memory. */
const copyOf = (slice: string): string => Buffer.from(slice, 'latin1').toString('latin1');

/** As `readlike` in events.sql. */
const isWriteByName = (name: string, readOnly: string | undefined): boolean => {
  if (readOnly === 'true' || readOnly === '"true"') return false;
  return readOnly === 'false' || readOnly === '"false"' || !READ_NAME.test(name);
};

/** Adds the words of a part of a text to tallies. Numbers and times are left out here, before they cost anything. */
function addWords(text: string, from: number, to: number, tallies: Map<string, Tally>, counted: Counted): void {
  let start = -1;
  let end = -1;
  let hasLetter = false;
  let hasCapital = false;
  for (let i = from; i <= to; i += 1) {
    const code = i < to ? text.charCodeAt(i) : 0;
    const kind = CLASSES[code] as number;
    if (kind !== NO_WORD && kind !== DOT) {
      if (start < 0) start = i;
      end = i + 1;
      if (kind === OF_WORD) hasLetter = true;
      else if (kind === CAPITAL) hasCapital = true;
    } else if (kind === NO_WORD) {
      if (start >= 0 && (hasLetter || hasCapital || isKeptNumber(end - start))) {
        const word = text.slice(start, end);
        add(tallies, hasCapital ? word.toLowerCase() : word, counted);
      }
      start = -1;
      hasLetter = false;
      hasCapital = false;
      // A letter that is written by its number.
      if (code === BACKSLASH && text.charCodeAt(i + 1) === 117) throw new NotPlain();
      if (code >= 0x80 && isLatinInLowerCase(text, i, code)) throw new NotPlain();
    }
  }
}

/** An account, or an IPv4 address, by its length: `mentionOf` looks closer. */
const isKeptNumber = (length: number): boolean => length >= 7 && length <= 15;

/** True for the Kelvin sign and the dotted I, in UTF-8, which are Latin letters in lower case. */
const isLatinInLowerCase = (text: string, i: number, code: number): boolean =>
  (code === 0xe2 && text.charCodeAt(i + 1) === 0x84 && text.charCodeAt(i + 2) === 0xaa) || (code === 0xc4 && text.charCodeAt(i + 1) === 0xb0);

/** What follows `userIdentity`, the largest value that is the same in many records. */
const AFTER_IDENTITY = ',"eventTime":"';

/**
 * The end of `userIdentity`. Were the key within it, the record would end too early for its text, and not be plain.
 */
function identityEnd(text: string, from: number, to: number): number {
  const end = text.indexOf(AFTER_IDENTITY, from);
  return end > from && end < to && text.charCodeAt(end - 1) === CLOSE ? end : valueEnd(text, from, to);
}

/** Finds the values of RECORD_KEYS in a record: their starts, 0 for none or null, and their ends. */
function readTopLevel(text: string, from: number, to: number, starts: Int32Array, ends: Int32Array): void {
  let i = skipBlanks(text, from + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const keyEnd = stringEnd(text, i, to);
    const colon = skipBlanks(text, keyEnd);
    if (text.charCodeAt(colon) !== COLON) throw new NotPlain();
    const start = skipBlanks(text, colon + 1);
    const key = KEYS_BY_LENGTH.get(keyEnd - i - 2)?.find((each) => text.startsWith(each, i + 1));
    const end = key === 'userIdentity' ? identityEnd(text, start, to) : valueEnd(text, start, to);
    if (key !== undefined) {
      // Of two values of a key, who knows which DuckDB takes.
      if (starts[keyAt[key]]) throw new NotPlain();
      if (!text.startsWith('null', start)) {
        starts[keyAt[key]] = start;
        ends[keyAt[key]] = end;
      }
    }
    i = skipBlanks(text, end);
    if (text.charCodeAt(i) === COMMA) i = skipBlanks(text, i + 1);
  }
  if (text.charCodeAt(i) !== CLOSE || i !== to - 1) throw new NotPlain();
}

function skipBlanks(text: string, from: number): number {
  let i = from;
  while (text.charCodeAt(i) <= 32) i += 1;
  return i;
}

/** The end of the string whose opening quote is at `from`. */
function stringEnd(text: string, from: number, to: number): number {
  for (let i = from + 1; i < to; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i + 1;
    if (code === BACKSLASH) i += 1;
  }
  throw new NotPlain();
}

function valueEnd(text: string, from: number, to: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return stringEnd(text, from, to);
  if (first !== OPEN && first !== OPEN_LIST) {
    let i = from;
    while (i < to && text.charCodeAt(i) !== COMMA && text.charCodeAt(i) !== CLOSE) i += 1;
    return i;
  }
  let depth = 0;
  let isInString = false;
  for (let i = from; i < to; i += 1) {
    const code = text.charCodeAt(i);
    if (isInString) {
      if (code === QUOTE) isInString = false;
      else if (code === BACKSLASH) i += 1;
    } else if (code === QUOTE) isInString = true;
    else if (code === OPEN || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE || code === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  throw new NotPlain();
}

/** The text of a string without escapes; undefined where there is none. */
function plainString(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (value.charCodeAt(0) !== QUOTE || value.includes('\\')) throw new NotPlain();
  return value.slice(1, -1);
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const value = make();
  map.set(key, value);
  return value;
}

/** The rows of all places, with the texts about callers cut into words. */
function toRows(calls: readonly WordsAt[], callers: readonly CallersAt[], records: number): MentionRows | undefined {
  const all = [
    ...calls,
    ...callers.map(({ tallies, ...place }): WordsAt => ({ ...place, source: null, name: null, tallies: wordsOfCallers(tallies) })),
  ];
  const lines: string[] = [];
  for (const [place, { tallies }] of all.entries()) {
    let long: Tally | undefined;
    for (const [word, tally] of tallies) {
      if (EXPONENT.test(word)) return undefined;
      const name = mentionOf(word);
      if (name === '') long = addUp(long, tally);
      else if (name !== undefined) lines.push(mentionLine(place, name, tally));
    }
    if (long) lines.push(mentionLine(place, '', long));
  }
  return { places: all.map(({ tallies: _, ...place }) => place), lines: lines.join(''), count: lines.length, records };
}

const mentionLine = (place: number, name: string, { events, writes, first, last }: Tally): string =>
  `${place}\t${name}\t${events}\t${writes}\t${timeOfDigits(first)}\t${timeOfDigits(last)}\n`;

function wordsOfCallers(tallies: ReadonlyMap<string, ReadonlyMap<string, Tally>>): Map<string, Tally> {
  const words = new Map<string, Tally>();
  const once: Counted = { time: 0, isWrite: false, record: 0 };
  for (const [identity, byOthers] of tallies) {
    const ofIdentity = new Map<string, Tally>();
    addWords(identity, 0, identity.length, ofIdentity, once);
    for (const [others, tally] of byOthers) {
      const own = new Map(ofIdentity);
      addWords(others, 0, others.length, own, once);
      for (const word of own.keys()) words.set(word, addUp(words.get(word), tally));
    }
  }
  return words;
}

const addUp = (one: Tally | undefined, other: Tally): Tally => ({
  events: (one?.events ?? 0) + other.events,
  writes: (one?.writes ?? 0) + other.writes,
  first: one && one.first < other.first ? one.first : other.first,
  last: one && one.last > other.last ? one.last : other.last,
  record: 0,
});

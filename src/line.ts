/**
 * The question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. It is what a person types, what a
 * button holds and what a message says it answered, so reading and printing are inverse, and reading survives what
 * phones, editors and Slack do to typed text.
 */
import { isIPv6 } from 'node:net';
import { UserError } from './errors.ts';
import { nearest } from './nearest.ts';
import { type Filter, type FilterValue, fieldNamed, fieldNames } from './trail/filter.ts';
import { type Every, isStep } from './trail/series.ts';
import { printWindow, readWindow, type Window } from './trail/window.ts';

/** How rows are ordered: most first, fewest first, first seen latest, newest event first. */
export const SORTS = ['top', 'rare', 'new', 'time'] as const;
type Sort = (typeof SORTS)[number];

/** What a line asks of the shape of its answer. */
export interface Shape {
  /** Fields to group by, by their own names. */
  readonly by?: readonly string[];
  readonly every?: Every;
  /** The most rows wanted. */
  readonly top?: number;
  readonly sort?: Sort;
}

/** A question line, read. */
export interface Line extends Shape {
  readonly name: string;
  readonly words: readonly string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  /** Dollars that the answer may cost without being asked about: `spend:7`. */
  readonly spend?: number;
}

export const MOST_ROWS = 10_000;

/** A character of a token, and whether it stood in quotes (and so means only itself). */
interface Char {
  readonly char: string;
  readonly quoted: boolean;
}
type Token = readonly Char[];

/**
 * Reads a line. An empty one is `help`; one that begins with a filter or a time is `events`.
 *
 * @throws UserError, with the nearest correct line where one can be told.
 */
export function parseLine(text: string): Line {
  const tokens = tokenize(normalize(text));
  if (tokens[0] && !isQuoted(tokens[0]) && textOf(tokens[0]) === '/trail') tokens.shift();

  const words: string[] = [];
  const filters: Filter[] = [];
  const shape: { -readonly [K in keyof Shaped]: Shaped[K] } = {};
  let window: Window | undefined;
  let startsWithName = false;

  for (let i = 0; i < tokens.length; ) {
    const token = tokens[i] as Token;
    const named = readNamedOf(tokens, i);
    if (named) {
      if (named.kind === 'filter') filters.push(named.filter);
      else Object.assign(shape, named.shape, named.shape.by && { by: [...new Set([...(shape.by ?? []), ...named.shape.by])] });
      i += 1;
      continue;
    }
    const found = readWindow(plainRun(tokens, i));
    if (found) {
      if (window) {
        throw new UserError(
          `I read two times, “${printWindow(window)}” and “${printWindow(found.window)}”. Give one.`,
          readable(tokens.toSpliced(i, found.taken)),
        );
      }
      window = found.window;
      i += found.taken;
      continue;
    }
    if (words.length === 0 && i === 0) startsWithName = true;
    words.push(textOf(token));
    i += 1;
  }

  const name = startsWithName ? (words.shift() as string).toLowerCase() : tokens.length === 0 ? 'help' : 'events';
  return { name, words, filters, ...(window && { window }), ...shape };
}

/** A line as text: `parseLine(printLine(line))` is the line again. */
export function printLine({ name, words, filters, window, by, every, top, sort, spend }: Line): string {
  return [
    ...[name, ...words].map(printWord),
    ...filters.map(printFilter),
    ...(by ? [`by:${by.join(',')}`] : []),
    ...(every ? [`every:${every.count}${every.unit}`] : []),
    ...(top ? [`top:${top}`] : []),
    ...(sort ? [`sort:${sort}`] : []),
    ...(window ? [printWindow(window)] : []),
    ...(spend ? [`spend:${spend}`] : []),
  ].join(' ');
}

/** One filter as a line writes it. */
export function printFilter({ field, negated, values }: Filter): string {
  return `${negated ? '-' : ''}${field}:${values.map(printValue).join(',')}`;
}

/** A filter on exactly one value: what buttons and rows lead on with. */
export const only = (field: string, text: string): Filter => ({ field, negated: false, values: [{ text, wildcard: false }] });

const SAFE_WORD = /^[A-Za-z0-9_@/+.=~#%^$!()[\]{}|;*?-]+$/;
const WINDOW_WORDS = new Set(['since', 'around', 'last', 'past', 'on']);

function printWord(text: string): string {
  const plain = SAFE_WORD.test(text) && !readWindow([text]) && !WINDOW_WORDS.has(text.toLowerCase()) && text !== '/trail';
  return plain || (/^arn:[\w:/.+=@-]+$/.test(text) && SAFE_WORD.test(text.replaceAll(':', ''))) || isIPv6(text) ? text : quote(text);
}

function printValue({ text, wildcard }: FilterValue): string {
  if (wildcard)
    return text
      .split(/([*?])/)
      .map((piece) => (piece === '' || piece === '*' || piece === '?' ? piece : printPiece(piece)))
      .join('');
  return /[*?]/.test(text) || text === '' ? quote(text) : printPiece(text);
}

const printPiece = (text: string): string => (SAFE_WORD.test(text) || /^[\w:/.+=@-]+$/.test(text) ? text : quote(text));

const quote = (text: string): string => `"${Array.from(text, quotable).join('')}"`;

/** Letters that are not seen. */
const FILLER = /[\u115f\u1160\u3164\uffa0]/;

/** A character inside quotes: as it is where no keyboard, editor or Slack would change it on the way, else `\u{…}`. */
function quotable(char: string): string {
  if (char === '"' || char === '\\') return `\\${char}`;
  if ((/^[\p{L}\p{N}]$/u.test(char) && !FILLER.test(char)) || (/^[ -~]$/.test(char) && !/[&<>`]/.test(char))) return char;
  return `\\u{${(char.codePointAt(0) as number).toString(16)}}`;
}

/** Undoes what Slack (escaped mentions, autolinks, entities), macOS and iOS (smart punctuation) and copying do to a line. */
function normalize(text: string): string {
  return text
    .replace(/<(?:mailto:|tel:)([^|>\s]+)(?:\|([^>]*))?>/g, (_, address: string, label?: string) => label || address)
    .replace(/<(https?:\/\/[^|>\s]+)(?:\|([^>]*))?>/g, (_, url: string, label?: string) => label || url)
    .replace(/<([@#!])([^|>\s]+)(?:\|([^>]*))?>/g, (_, sigil: string, id: string, label?: string) => label || (sigil === '!' ? '' : sigil + id))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, ' ')
    .replace(/[\u201c-\u201f\u00ab\u00bb\u2033\u301d\u301e\uff02]/g, '"')
    .replace(/[\u2018-\u201b\u2032\uff07]/g, "'")
    .replace(/[\u2010-\u2013\u2212\ufe63\uff0d]/g, '-')
    .replace(/(^|\s)[\u2014\u2015](?=\S)/g, '$1-')
    .replace(/[\u2014\u2015]/g, '--');
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let token: Char[] | undefined;
  for (let i = 0; i < text.length; ) {
    const char = text[i] as string;
    if (/\s/.test(char)) {
      if (token) tokens.push(token);
      token = undefined;
      i += 1;
      continue;
    }
    const start: Char[] = token ?? [];
    const quoted = readQuoted(text, i, opensValue(start));
    token = start;
    if (quoted) {
      token.push(...quoted.chars);
      i = quoted.next;
    } else {
      // Slack's code marks around a pasted id are not part of it.
      if (char !== '`') token.push({ char, quoted: false });
      i += 1;
    }
  }
  if (token) tokens.push(token);
  return tokens.filter((chars) => chars.length > 0);
}

/** True where a token or one of its values begins. */
function opensValue(token: Token): boolean {
  const last = token.at(-1);
  return last === undefined || (!last.quoted && /[:,]/.test(last.char));
}

/** A quoted run at `start`. Double quotes open anywhere and may lack their end; single quotes only stand around a whole word or value (O'Brien). */
function readQuoted(text: string, start: number, opensValue: boolean): { readonly chars: Char[]; readonly next: number } | undefined {
  if (text[start] === "'" && opensValue) {
    const inner = /^'([^']*)'(?=[\s,]|$)/.exec(text.slice(start));
    if (!inner) return undefined;
    return { chars: literal(inner[1] as string), next: start + inner[0].length };
  }
  if (text[start] !== '"') return undefined;
  const chars: Char[] = [];
  let i = start + 1;
  while (i < text.length && text[i] !== '"') {
    const escaped = /^\\(?:u\{([0-9a-f]{1,6})\}|(["\\]))/i.exec(text.slice(i, i + 11));
    const code = Number.parseInt(escaped?.[1] ?? '', 16);
    if (escaped && (escaped[2] !== undefined || code <= 0x10ffff)) {
      chars.push(...literal(escaped[2] ?? String.fromCodePoint(code)));
      i += escaped[0].length;
    } else {
      chars.push({ char: text[i] as string, quoted: true });
      i += 1;
    }
  }
  // An empty pair of quotes still is a value: mark it by an empty quoted character.
  return { chars: chars.length > 0 ? chars : [{ char: '', quoted: true }], next: i + 1 };
}

const literal = (text: string): Char[] => (text === '' ? [{ char: '', quoted: true }] : text.split('').map((char) => ({ char, quoted: true })));

/** Reads the token at `at` as a named one. A mistake in it is told with the nearest whole line that reads. */
function readNamedOf(tokens: readonly Token[], at: number): Named | undefined {
  try {
    return readNamed(tokens[at] as Token);
  } catch (error) {
    if (!(error instanceof Slip)) throw error;
    throw new UserError(error.message, readable(tokens.toSpliced(at, 1, ...(error.instead ? [error.instead] : []))));
  }
}

/** The line that `tokens` read as, after any further mistake in them was mended too; undefined when it cannot be. */
function readable(tokens: readonly Token[]): string | undefined {
  try {
    return printLine(parseLine(tokens.map(written).join(' ')));
  } catch (error) {
    return error instanceof UserError ? error.suggestion : undefined;
  }
}

/** A token as text that reads as the same token: `user:"ci deploy",other`. */
function written(token: Token): string {
  let text = '';
  let quoted = '';
  for (const char of [...token, { char: '', quoted: false }]) {
    if (char.quoted) {
      quoted += char.char;
    } else {
      text += (quoted && quote(quoted)) + char.char;
      quoted = '';
    }
  }
  return text || '""';
}

/** A mistake in one token, and the token that was most likely meant: undefined where the line is better without it. */
class Slip extends Error {
  readonly instead: Token | undefined;

  constructor(message: string, instead?: Token) {
    super(message);
    this.instead = instead;
  }
}

const plain = (text: string): Token => Array.from(text, (char) => ({ char, quoted: false }));

const textOf = (token: Token): string => token.map(({ char }) => char).join('');
const isQuoted = (token: Token): boolean => token.some(({ quoted }) => quoted);

/** The unquoted tokens from `start` on that a window could be made of: three at most. */
function plainRun(tokens: readonly Token[], start: number): string[] {
  const run: string[] = [];
  for (const token of tokens.slice(start, start + 3)) {
    if (isQuoted(token)) break;
    run.push(textOf(token));
  }
  return run;
}

type Named = { readonly kind: 'filter'; readonly filter: Filter } | { readonly kind: 'shape'; readonly shape: Shaped };

/** What is said of an answer by names that are no fields. */
type Shaped = Shape & Pick<Line, 'spend'>;

/** A token of the form `name:value`: a filter or part of the shape. Undefined when it is a plain word. */
function readNamed(token: Token): Named | undefined {
  const unquoted = token.map(({ char, quoted }) => (quoted ? '"' : char)).join('');
  const head = /^(-?)([A-Za-z][A-Za-z_.]*):/.exec(unquoted);
  if (!head) return undefined;
  const [prefix, minus, name = ''] = head;
  const text = textOf(token);
  if (name.toLowerCase() === 'arn' || /^https?$/i.test(name) || isIPv6(text)) return undefined;
  const value = token.slice(prefix.length);
  const field = fieldNamed(name);
  if (field)
    return {
      kind: 'filter',
      filter: { field, negated: minus === '-', values: readValues(value, `${name}:`) },
    };
  if (minus === '') {
    const shape = readShape(name.toLowerCase(), textOf(value));
    if (shape) return { kind: 'shape', shape };
  }
  const guess = nearest(name, [...fieldNames, 'by', 'every', 'top', 'sort', 'spend']);
  throw new Slip(
    `I don't know the field “${shortened(name)}”. ${guess ? '' : 'I know event, source, user, ip, account and more: see help. '}If it is no filter, put it in quotes.`,
    guess ? [...plain(`${minus}${guess}:`), ...value] : literal(text),
  );
}

/** What was typed, to be said back: long words would bury the sentence that they stand in. */
export const shortened = (typed: string): string => (typed.length > 40 ? `${Array.from(typed).slice(0, 40).join('')}…` : typed);

function readValues(value: Token, shown: string): FilterValue[] {
  const pieces: Char[][] = [[]];
  for (const char of value) {
    if (char.char === ',' && !char.quoted) pieces.push([]);
    else pieces.at(-1)?.push(char);
  }
  const values = pieces
    .filter((piece) => piece.length > 0)
    .map((piece) => {
      const wildcard = piece.some(({ char, quoted }) => !quoted && (char === '*' || char === '?'));
      return { text: textOf(piece), wildcard };
    });
  if (values.length === 0) throw new Slip(`“${shown}” needs a value, such as ${shown}value or ${shown}a,b.`);
  return values;
}

function readShape(key: string, value: string): Shaped | undefined {
  switch (key) {
    case 'by': {
      const names = value.split(',').filter(Boolean);
      const unknown = names.find((name) => fieldNamed(name) === undefined);
      if (unknown !== undefined) {
        const guesses = names.map((name) => fieldNamed(name) ?? nearest(name, fieldNames)).filter((name) => name !== undefined);
        throw new Slip(`I can't group by “${shortened(unknown)}”.`, plain(`by:${guesses.length > 0 ? guesses.join(',') : 'event'}`));
      }
      if (names.length === 0) throw new Slip('“by:” needs a field, such as by:event or by:user,event.', plain('by:event'));
      return { by: [...new Set(names.map((name) => fieldNamed(name) as string))] };
    }
    case 'every': {
      const step = /^(\d{1,2})(m|h|d)$/i.exec(value);
      const every = { count: Number(step?.[1] ?? 0), unit: (step?.[2] ?? 'm').toLowerCase() as Every['unit'] };
      if (!isStep(every)) {
        throw new Slip(
          `“every:${shortened(value)}” is not a step that days divide into. Try every:15m, every:1h or every:1d.`,
          plain(`every:1${step ? every.unit : 'h'}`),
        );
      }
      return { every };
    }
    case 'top': {
      const top = /^\d{1,6}$/.test(value) ? Number(value) : 0;
      if (top < 1 || top > MOST_ROWS) {
        const instead = /^\d*[1-9]\d*$/.test(value) ? MOST_ROWS : 10;
        throw new Slip(`“top:${shortened(value)}” must be a number from 1 to ${MOST_ROWS}.`, plain(`top:${instead}`));
      }
      return { top };
    }
    case 'sort': {
      const sort = SORTS.find((known) => known === value.toLowerCase());
      if (sort) return { sort };
      const guess = nearest(value, SORTS);
      throw new Slip(
        `“sort:${shortened(value)}” is not an order I know. Try ${SORTS.map((known) => `sort:${known}`).join(', ')}.`,
        guess ? plain(`sort:${guess}`) : undefined,
      );
    }
    case 'spend': {
      const spend = /^\$?\d{1,6}(?:[.]\d{1,2})?$/.test(value) ? Number(value.replace('$', '')) : 0;
      if (spend > 0) return { spend };
      throw new Slip(`“spend:${shortened(value)}” is not an amount of dollars. Try spend:5 or spend:0.50.`, plain('spend:5'));
    }
    default:
      return undefined;
  }
}

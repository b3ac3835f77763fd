/**
 * The question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. It is what a person types, what a
 * button holds and what a message says it answered, so reading and printing are inverse, and reading survives what
 * phones, editors and Slack do to typed text.
 */
import { isIPv6 } from 'node:net';
import { UserError } from './errors.ts';
import { nearest } from './nearest.ts';
import { type Char, isQuoted, literal, normalize, plain, quote, type Token, textOf, tokenize, written } from './tokens.ts';
import { columnNamed, type Filter, type FilterValue, fieldNamed, fieldNames, group, isTerm, type Term } from './trail/filter.ts';
import { type Every, isStep } from './trail/series.ts';
import { nearestWindow, printWindow, readWindow, type Window } from './trail/window.ts';

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
  /** The columns wanted of the answer's table, by their names, labels or fields: `cols:time,user,ip`. */
  readonly cols?: readonly string[];
  /** Dollars that the answer may cost without being asked about: `spend:7`. */
  readonly spend?: number;
}

export const MOST_ROWS = 10_000;

/**
 * Reads a line. An empty one is `help`; one that begins with a filter or a time is `events`.
 *
 * @throws UserError, with the nearest correct line where one can be told.
 */
export function parseLine(text: string): Line {
  const tokens = tokenize(normalize(text));
  if (tokens[0] && !isQuoted(tokens[0]) && textOf(tokens[0]) === '/trail') tokens.shift();
  const { words, filters, startsWithName, ...rest } = readPieces(pieces(tokens));
  const name = startsWithName ? (words.shift() as string).toLowerCase() : tokens.length === 0 ? 'help' : 'events';
  return { name, words, filters, ...rest };
}

/** A piece of a line: a token, or what joins and groups filters. */
type Piece =
  | { readonly kind: 'token'; readonly token: Token }
  /** `(`, `-(`, or with the field of all that stands in it, `event:(`. */
  | { readonly kind: 'open'; readonly negated: boolean; readonly head: string }
  | { readonly kind: 'close' | 'and' | 'or' | 'not' };

const JOINING: Readonly<Record<string, 'and' | 'or' | 'not'>> = { AND: 'and', '&&': 'and', OR: 'or', '||': 'or', NOT: 'not' };

/** Marks are part of their tokens until here: parentheses stand close to words, and ranges in brackets have blanks in them. */
function pieces(tokens: readonly Token[]): Piece[] {
  const all: Piece[] = [];
  let depth = 0;
  for (let i = 0; i < tokens.length; i += 1) {
    let token = tokens[i] as Token;
    for (let open = OPENING.exec(bareOf(token)); open; open = OPENING.exec(bareOf(token))) {
      all.push({ kind: 'open', negated: open[1] === '-', head: open[2] ?? '' });
      depth += 1;
      token = token.slice(open[0].length);
    }
    const range = RANGE.exec([token, ...tokens.slice(i + 1, i + 3)].map(bareOf).join(' '));
    if (range) {
      const [, head = '', from = '', to = '', rest = ''] = range;
      token = plain(`${head}${from === '*' ? EVER[0] : from}..${to === '*' ? EVER[1] : to}${rest}`);
      i += 2;
    }
    const closing = Math.min(depth, /\)*$/.exec(bareOf(token))?.[0].length ?? 0);
    const inner = token.slice(0, token.length - closing);
    const bare = bareOf(inner);
    const joining = Object.hasOwn(JOINING, bare) ? JOINING[bare] : undefined;
    if (joining) all.push({ kind: joining });
    else if (inner.length > 0) all.push({ kind: 'token', token: inner });
    for (let n = 0; n < closing; n += 1) all.push({ kind: 'close' });
    depth -= closing;
  }
  return all;
}

const OPENING = /^(-?)([A-Za-z][\w.[\]]*:)?\(/;
/** `eventTime:[2026-04-20 TO 2026-05-02]` of Lucene. */
const RANGE = /^(-?[A-Za-z]\w*:)[[{](\S+) TO ([^\s\]}]+)[\]}](\)*)$/;
const EVER = ['2013-01-01', '2199-12-31'] as const;

/** A token's characters, with a mark for each that was quoted. */
const bareOf = (token: Token): string => token.map(({ char, quoted }) => (quoted ? '"' : char)).join('');

interface Read extends Shaped {
  readonly words: string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  readonly startsWithName: boolean;
}

/** Reads pieces as an expression: what stands side by side must all match, and that binds closer than OR. */
function readPieces(all: readonly Piece[]): Read {
  const words: string[] = [];
  const shape: { -readonly [K in keyof Shaped]: Shaped[K] } = {};
  let window: Window | undefined;
  let windowAt = 0;
  let at = 0;
  const first = all[0];
  const startsWithName = first?.kind === 'token' && !readNamedOf(all, 0, '') && !readWindow(plainRun(all, 0));
  const filters = group(false, alternatives(0, ''));
  return { words, filters, ...(window && { window }), ...shape, startsWithName };

  function alternatives(depth: number, head: string): Filter[][] {
    const any: Filter[][] = [[]];
    let negated = false;
    const take = (found: readonly Filter[]) => {
      any.at(-1)?.push(...found);
      negated = false;
    };
    while (at < all.length) {
      const piece = all[at] as Piece;
      if (piece.kind === 'token') {
        const found = primary(piece.token, depth, head);
        take(negated ? group(true, [found]) : found);
        continue;
      }
      at += 1;
      if (piece.kind === 'close') return any;
      if (piece.kind === 'or') any.push([]);
      if (piece.kind === 'not') negated = !negated;
      if (piece.kind === 'open') {
        const outer = negated !== (piece.negated || piece.head.startsWith('-'));
        take(group(outer, alternatives(depth + 1, piece.head.replace(/^-/, '') || head)));
      }
    }
    return any;
  }

  /** What one token is: filters, or part of the line's shape, time or words. */
  function primary(token: Token, depth: number, head: string): Filter[] {
    const start = at;
    const named = readNamedOf(all, start, head);
    at += 1;
    if (named?.kind === 'filter') return [named.filter];
    if (named) {
      Object.assign(shape, named.shape, named.shape.by && { by: [...new Set([...(shape.by ?? []), ...named.shape.by])] });
      return [];
    }
    const found = depth === 0 ? readWindow(plainRun(all, start)) : undefined;
    if (found) {
      if (window) {
        const end = start + found.taken;
        // “2026-04-01 to 2026-04-03” is one time.
        const span = nearestWindow(all.slice(windowAt, end).flatMap((piece) => (piece.kind === 'token' ? [textOf(piece.token)] : [])));
        const meant: Piece[] = span ? [{ kind: 'token', token: plain(printWindow(span)) }] : [];
        throw new UserError(
          `I read two times, “${printWindow(window)}” and “${printWindow(found.window)}”. Give one.`,
          readable(span ? all.toSpliced(windowAt, end - windowAt, ...meant) : all.toSpliced(start, found.taken)),
        );
      }
      window = found.window;
      windowAt = start;
      at += found.taken - 1;
      return [];
    }
    const isLess = token.length > 1 && token[0]?.char === '-' && !token[0].quoted;
    const isJoined = [all[start - 1], all[at]].some((beside) => beside && ['and', 'or', 'not'].includes(beside.kind));
    if ((depth === 0 && !isJoined && !isLess) || (start === 0 && startsWithName)) {
      words.push(textOf(token));
      return [];
    }
    // What is joined to filters is one: text anywhere in the record.
    return [{ field: 'text', negated: isLess, values: readValues(token.slice(isLess ? 1 : 0), 'text:') }];
  }
}

/** A line as text: `parseLine(printLine(line))` is the line again. */
export function printLine({ name, words, filters, window, by, every, top, sort, cols, spend }: Line): string {
  return [
    ...[name, ...words].map(printWord),
    ...filters.map(printFilter),
    ...(by ? [`by:${by.join(',')}`] : []),
    ...(every ? [`every:${every.count}${every.unit}`] : []),
    ...(top ? [`top:${top}`] : []),
    ...(sort ? [`sort:${sort}`] : []),
    ...(cols ? [`cols:${cols.join(',')}`] : []),
    ...(window ? [printWindow(window)] : []),
    ...(spend ? [`spend:${spend}`] : []),
  ].join(' ');
}

/** One filter as a line writes it. */
export function printFilter(filter: Filter): string {
  const sign = filter.negated ? '-' : '';
  if (isTerm(filter)) return `${sign}${filter.field}:${filter.values.map(printValue).join(',')}`;
  return `${sign}(${filter.any.map((all) => all.map(printFilter).join(' ')).join(' OR ')})`;
}

/** A filter on exactly one value: what buttons and rows lead on with. */
export const only = (field: string, text: string): Term => ({ field, negated: false, values: [{ text, wildcard: false }] });

const SAFE_WORD = /^[A-Za-z0-9_@/+.=~#%^$!|;*?-]+$/;
const WINDOW_WORDS = new Set(['since', 'around', 'last', 'past', 'on']);

function printWord(text: string): string {
  const plain =
    SAFE_WORD.test(text.replaceAll(',', '')) &&
    !text.startsWith('-') &&
    !readWindow([text]) &&
    !WINDOW_WORDS.has(text.toLowerCase()) &&
    text !== '/trail' &&
    !Object.hasOwn(JOINING, text);
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

/** Reads the token at `at` as a named one; in a group of one field, as a value of it. A mistake in it is told with the nearest whole line that reads. */
function readNamedOf(all: readonly Piece[], at: number, head: string): Named | undefined {
  const piece = all[at];
  if (piece?.kind !== 'token') return undefined;
  const token = head === '' ? piece.token : inField(head, piece.token);
  try {
    return readNamed(token);
  } catch (error) {
    if (!(error instanceof Slip)) throw error;
    const instead: Piece[] = error.instead ? [{ kind: 'token', token: error.instead }] : [];
    throw new UserError(error.message, readable(all.toSpliced(at, 1, ...instead)));
  }
}

/** `-a` in `field:(…)` is `-field:a`. */
const inField = (head: string, token: Token): Token => {
  const isLess = token[0]?.char === '-' && !token[0].quoted;
  return [...plain(`${isLess ? '-' : ''}${head}`), ...token.slice(isLess ? 1 : 0)];
};

/** The line that pieces read as, after any further mistake in them was mended too; undefined when it cannot be. */
function readable(all: readonly Piece[]): string | undefined {
  try {
    return printLine(parseLine(all.map(printPieceOf).join(' ')));
  } catch (error) {
    return error instanceof UserError ? error.suggestion : undefined;
  }
}

const printPieceOf = (piece: Piece): string => {
  if (piece.kind === 'token') return written(piece.token);
  if (piece.kind === 'open') return `${piece.negated ? '-' : ''}${piece.head}(`;
  return piece.kind === 'close' ? ')' : piece.kind.toUpperCase();
};

/** A mistake in one token, and the token that was most likely meant: undefined where the line is better without it. */
class Slip extends Error {
  readonly instead: Token | undefined;

  constructor(message: string, instead?: Token) {
    super(message);
    this.instead = instead;
  }
}

/** The unquoted tokens from `start` on that a window could be made of: three at most. */
function plainRun(all: readonly Piece[], start: number): string[] {
  const run: string[] = [];
  for (const piece of all.slice(start, start + 3)) {
    if (piece.kind !== 'token' || isQuoted(piece.token)) break;
    run.push(textOf(piece.token));
  }
  return run;
}

type Named = { readonly kind: 'filter'; readonly filter: Filter } | { readonly kind: 'shape'; readonly shape: Shaped };

/** What is said of an answer by names that are no fields. */
type Shaped = Shape & Pick<Line, 'spend' | 'cols'>;

/** A token of the form `name:value`: a filter or part of the shape. Undefined when it is a plain word. */
function readNamed(token: Token): Named | undefined {
  const unquoted = bareOf(token);
  const head = /^(-?)([A-Za-z][\w.[\]]*):/.exec(unquoted);
  if (!head) return undefined;
  const [prefix, minus, name = ''] = head;
  const text = textOf(token);
  const value = token.slice(prefix.length);
  if (name.toLowerCase() === 'arn' || isIPv6(text)) return undefined;
  const field = fieldNamed(name);
  if (field)
    return {
      kind: 'filter',
      filter: { field, negated: minus === '-', values: readValues(value, `${name}:`) },
    };
  // An address has two slashes after its scheme: https://…, s3://….
  if (textOf(value).startsWith('//')) return undefined;
  if (minus === '') {
    const shape = readShape(name.toLowerCase(), textOf(value));
    if (shape) return { kind: 'shape', shape };
  }
  const guess = nearest(name, [...fieldNames, 'by', 'every', 'top', 'sort', 'cols', 'spend']);
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
      const unknown = names.find((name) => columnNamed(name) === undefined);
      if (unknown !== undefined) {
        const guesses = names.map((name) => columnNamed(name) ?? nearest(name, fieldNames)).filter((name) => name !== undefined);
        throw new Slip(`I can't group by “${shortened(unknown)}”.`, plain(`by:${guesses.length > 0 ? guesses.join(',') : 'event'}`));
      }
      if (names.length === 0) throw new Slip('“by:” needs a field, such as by:event or by:user,event.', plain('by:event'));
      return { by: [...new Set(names.map((name) => columnNamed(name) as string))] };
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
    case 'cols': {
      const cols = value.toLowerCase().split(',').filter(Boolean);
      const stray = cols.find((name) => !/^[a-z][a-z0-9_]*$/.test(name));
      if (cols.length > 0 && stray === undefined) return { cols: [...new Set(cols)] };
      throw new Slip(`“cols:${shortened(value)}” names no columns. Try cols:time,user,event.`, plain('cols:time,user,event'));
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

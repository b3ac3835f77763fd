/**
 * The question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. It is what a person types, what a
 * button holds and what a message says it answered, so reading and printing are inverse, and reading survives what
 * phones, editors and Slack do to typed text.
 */
import { isIPv6 } from 'node:net';
import { UserError } from './errors.ts';
import { nearest } from './nearest.ts';
import { type Char, isQuoted, literal, normalize, plain, quote, type Token, textOf, tokenize, written } from './tokens.ts';
import { type Filter, type FilterValue, fieldNamed, fieldNames, group, groupNamed, isTerm, type Term, valuesOf } from './trail/filter.ts';
import { documents, readPath } from './trail/path.ts';
import { type Every, isStep } from './trail/series.ts';
import { spanBetween, spanCompared } from './trail/span.ts';
import { type Thing, thingOf } from './trail/thing.ts';
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

/** Whether a question takes a word of this name: `outside-regions` takes `allow:us-east-1`. */
type Takes = (question: string, word: string) => boolean;

/**
 * Reads a line. An empty one is `help`; one that begins with a filter or a time is `events`; one that begins with an id, an ARN, an
 * address or the like is the question about that.
 *
 * @throws UserError, with the nearest correct line where one can be told.
 */
export function parseLine(text: string, takes: Takes = () => false): Line {
  const tokens = tokenize(normalize(text));
  if (tokens[0] && !isQuoted(tokens[0]) && textOf(tokens[0]) === '/trail') tokens.shift();
  const { words, filters, startsWithName, ...rest } = readPieces(pieces(tokens, takes), takes);
  if (!startsWithName) return { name: tokens.length === 0 ? 'help' : 'events', words, filters, ...rest };
  const [first = '', ...others] = words;
  const about = questionAbout(thingOf(first));
  return about ? { name: about, words, filters, ...rest } : { name: first.toLowerCase(), words: others, filters, ...rest };
}

const QUESTIONS: Partial<Record<Thing['kind'], string>> = {
  instance: 'who-started',
  ip: 'ip',
  key: 'key',
  account: 'account',
  region: 'region',
  email: 'user',
  uuid: 'event',
};

/** The question that somebody asks who pastes a thing, and nothing but its name; undefined for what may be a question's own name. */
const questionAbout = ({ kind, arn }: Thing): string | undefined =>
  kind === 'name' ? undefined : arn && kind !== 'instance' ? 'history' : (QUESTIONS[kind] ?? 'history');

/** A piece of a line: a token, or what joins and groups filters. */
type Piece =
  | { readonly kind: 'token'; readonly token: Token }
  /** `(`, `-(`, or with the field of all that stands in it, `event:(`. */
  | { readonly kind: 'open'; readonly negated: boolean; readonly head: string }
  | { readonly kind: 'close' | 'and' | 'or' | 'not' };

const JOINING: Readonly<Record<string, 'and' | 'or' | 'not'>> = { AND: 'and', '&&': 'and', OR: 'or', '||': 'or', NOT: 'not' };

/** Marks are part of their tokens until here: parentheses stand close to words, and ranges in brackets have blanks in them. */
function pieces(tokens: readonly Token[], takes: Takes): Piece[] {
  const all: Piece[] = [];
  for (let i = 0; i < tokens.length; i += 1) {
    let token = tokens[i] as Token;
    for (let open = OPENING.exec(bareOf(token)); open; open = OPENING.exec(bareOf(token))) {
      const [mark, minus = ''] = open;
      all.push({ kind: 'open', negated: minus === '-', head: mark === `${minus}(` ? '' : written(token.slice(minus.length, mark.length - 1)) });
      token = token.slice(mark.length);
    }
    const range = RANGE.exec([token, ...tokens.slice(i + 1, i + 3)].map(bareOf).join(' '));
    if (range) {
      const [, head = '', opening, from = '', to = '', closing, rest = ''] = range;
      token = plain(`${head}${spanBetween({ at: from, isIn: opening === '[' }, { at: to, isIn: closing === ']' }) ?? `${from}..${to}`}${rest}`);
      i += 2;
    }
    const bareToken = bareOf(token);
    // “Mozilla/5.0(X11)” has both of its own.
    const own = bareToken.split(')').length - bareToken.split('(').length;
    const closing = Math.min(Math.max(own, 0), /\)*$/.exec(bareToken)?.[0].length ?? 0);
    const inner = token.slice(0, token.length - closing);
    const bare = bareOf(inner);
    const joining = Object.hasOwn(JOINING, bare) ? JOINING[bare] : undefined;
    if (joining) all.push({ kind: joining });
    else if (inner.length > 0) all.push({ kind: 'token', token: inner });
    for (let n = 0; n < closing; n += 1) all.push({ kind: 'close' });
  }
  checkParentheses(all, takes);
  return all;
}

/** @throws UserError for a parenthesis without its other half: what stands in it, or after it, would be read as something else. */
function checkParentheses(all: readonly Piece[], takes: Takes): void {
  const opened: number[] = [];
  for (const [i, piece] of all.entries()) {
    if (piece.kind === 'open') opened.push(i);
    if (piece.kind === 'close' && opened.pop() === undefined) {
      const before = all[i - 1];
      throw new UserError(
        `“${before ? shortened(printPieceOf(before)) : ''})” closes a parenthesis that nothing opens. If it is part of a name, put the name in quotes.`,
        readable(all.toSpliced(i, 1), takes),
      );
    }
  }
  const last = opened.at(-1);
  if (last === undefined) return;
  const after = all[last + 1];
  throw new UserError(
    `The parenthesis in “${shortened(`${printPieceOf(all[last] as Piece)}${after ? printPieceOf(after) : ''}`)}” is not closed. If it is part of a name, put the name in quotes.`,
    readable(all.toSpliced(endOfGroup(all, last), 0, { kind: 'close' }), takes),
  );
}

/** Where a group most likely ends whose end was forgotten: before the time and the shape at the end of the line. */
function endOfGroup(all: readonly Piece[], start: number): number {
  let end = all.length;
  for (let found = true; found; ) {
    const taken = [3, 2, 1].find((count) => end - count > start && readWindow(plainRun(all.slice(0, end), end - count))?.taken === count);
    const piece = all[end - 1];
    const isShape = end - 1 > start && piece?.kind === 'token' && /^(?:by|every|top|sort|cols|spend):/i.test(bareOf(piece.token));
    found = taken !== undefined || isShape;
    if (found) end -= taken ?? 1;
  }
  return end;
}

const OPENING = /^(-?)(?:[A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?:)?\(/;
/** `eventTime:[2026-04-20 TO 2026-05-02]` of Lucene; an end in braces is left out. */
const RANGE = /^(-?[A-Za-z]\w*:)([[{])(\S+) TO ([^\s\]}]+)([\]}])(\)*)$/;

/** A token's characters, with a mark for each that was quoted. */
const bareOf = (token: Token): string => token.map(({ char, quoted }) => (quoted ? '"' : char)).join('');

interface Read extends Shaped {
  readonly words: string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  readonly startsWithName: boolean;
}

/** Reads pieces as an expression: what stands side by side must all match, and that binds closer than OR. */
function readPieces(all: readonly Piece[], takes: Takes): Read {
  const words: string[] = [];
  const shape: { -readonly [K in keyof Shaped]: Shaped[K] } = {};
  let window: Window | undefined;
  let windowAt = 0;
  let at = 0;
  const first = all[0];
  const startsWithName = first?.kind === 'token' && !readNamedOf(all, 0, '', takes) && !readWindow(plainRun(all, 0));
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
    const named = readNamedOf(all, start, head, takes);
    at += 1;
    if (named?.kind === 'word') words.push(named.word);
    if (named?.kind === 'shape') Object.assign(shape, named.shape, named.shape.by && { by: [...new Set([...(shape.by ?? []), ...named.shape.by])] });
    if (named) return named.kind === 'word' ? [] : [...named.filters];
    const found = depth === 0 ? readWindow(plainRun(all, start)) : undefined;
    if (found) {
      if (window) {
        const end = start + found.taken;
        // “2026-04-01 to 2026-04-03” is one time.
        const span = nearestWindow(all.slice(windowAt, end).flatMap((piece) => (piece.kind === 'token' ? [textOf(piece.token)] : [])));
        const meant: Piece[] = span ? [{ kind: 'token', token: plain(printWindow(span)) }] : [];
        throw new UserError(
          `I read two times, “${printWindow(window)}” and “${printWindow(found.window)}”. Give one.`,
          readable(span ? all.toSpliced(windowAt, end - windowAt, ...meant) : all.toSpliced(start, found.taken), takes),
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
    // What is joined to filters is one: text anywhere in the record. A comma by itself says nothing.
    const said = token.slice(isLess ? 1 : 0);
    if (said.every(({ char, quoted }) => char === ',' && !quoted)) return [];
    return [{ field: 'text', negated: isLess, values: readValues(said, 'text:') }];
  }
}

/** A line as text: `parseLine(printLine(line))` is the line again. A filter that it has twice is said once. */
export function printLine({ name, words, filters, window, by, every, top, sort, cols, spend }: Line): string {
  return [
    ...[name, ...words].map(printWord),
    ...new Set(filters.map(printFilter)),
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
function readNamedOf(all: readonly Piece[], at: number, head: string, takes: Takes): Named | undefined {
  const piece = all[at];
  if (piece?.kind !== 'token') return undefined;
  const token = head === '' ? piece.token : inField(head, piece.token);
  try {
    const [first] = all;
    return readNamed(token, (word) => first?.kind === 'token' && takes(textOf(first.token).toLowerCase(), word));
  } catch (error) {
    if (!(error instanceof Slip)) throw error;
    const instead: Piece[] = error.instead ? [{ kind: 'token', token: error.instead }] : [];
    throw new UserError(error.message, readable(all.toSpliced(at, 1, ...instead), takes));
  }
}

/** `-a` in `field:(…)` is `-field:a`. */
const inField = (head: string, token: Token): Token => {
  const isLess = token[0]?.char === '-' && !token[0].quoted;
  return [...(isLess ? plain('-') : []), ...tokenize(head).flat(), ...token.slice(isLess ? 1 : 0)];
};

/** The line that pieces read as, after any further mistake in them was mended too; undefined when it cannot be. */
function readable(all: readonly Piece[], takes: Takes): string | undefined {
  try {
    return printLine(parseLine(all.map(printPieceOf).join(' '), takes));
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

type Named =
  | { readonly kind: 'filter'; readonly filters: readonly Filter[] }
  /** `by:human,event` is both. */
  | { readonly kind: 'shape'; readonly shape: Shaped; readonly filters: readonly Filter[] }
  | { readonly kind: 'word'; readonly word: string };

/** What is said of an answer by names that are no fields. */
type Shaped = Shape & Pick<Line, 'spend' | 'cols'>;

/** A token of the form `name:value`: a filter, part of the shape, or a word of the question with its name. Undefined when it is a plain word. */
function readNamed(token: Token, isWord: (name: string) => boolean): Named | undefined {
  const unquoted = bareOf(token);
  const [prefix, minus = '', typed = ''] = HEAD.exec(unquoted) ?? [];
  if (prefix === undefined) return undefined;
  const name = written(token.slice(minus.length, prefix.length - 1));
  const text = textOf(token);
  const value = token.slice(prefix.length);
  if (!PLAIN_HEAD.test(typed) && !readPath(name)) return undefined;
  if (name.toLowerCase() === 'arn' || isIPv6(text)) return undefined;
  const field = fieldNamed(name);
  if (field) {
    const values = readValues(value, `${name}:`);
    return { kind: 'filter', filters: [{ field, negated: minus === '-', values: field === 'time' ? values.map(inSpan) : values }] };
  }
  // An address has two slashes after its scheme: https://…, s3://….
  if (textOf(value).startsWith('//')) return undefined;
  if (minus === '' && isWord(name)) return { kind: 'word', word: textOf(value) };
  const key = name.toLowerCase();
  const kinds = key === 'by' ? kindsOf(written(value)) : { names: '', filters: [] };
  if (minus === '-' && kinds.filters.length > 0 && kinds.names === '')
    return { kind: 'filter', filters: kinds.filters.map((filter) => ({ ...filter, negated: true })) };
  if (minus === '') {
    const shape = kinds.filters.length > 0 && kinds.names === '' ? {} : readShape(key, key === 'by' ? kinds.names : textOf(value));
    if (shape) return { kind: 'shape', shape, filters: kinds.filters };
  }
  const guess = nearestField(name);
  throw new Slip(
    `I don't know the field “${shortened(name)}”. ${guess ? '' : 'I know event, source, user, ip, account and more: see help. '}If it is no filter, put it in quotes.`,
    guess ? [...plain(minus), ...tokenize(`${guess}:`).flat(), ...value] : literal(text),
  );
}

const HEAD = /^(-?)([A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?):/;
/** What is meant as a field whatever stands before the colon. In `my.bucket-1:tag` it may be a name. */
const PLAIN_HEAD = /^[\w.[\]]*$/;

/** The field that was most likely meant, or the path whose document was. */
function nearestField(name: string): string | undefined {
  const [, document = '', keys = ''] = /^(\w+)([.[].*)$/.exec(name) ?? [];
  const meant = document === '' ? undefined : nearest(document, documents);
  return meant && readPath(`${meant}${keys}`) ? `${meant}${keys}` : nearest(name, [...fieldNames, 'by', 'every', 'top', 'sort', 'cols', 'spend']);
}

/** `>2026-11-18` as the span that it is; any other value as it was. */
const inSpan = (value: FilterValue): FilterValue => ({ ...value, text: spanCompared(value.text) ?? value.text });

/** `by:human` is a filter: who people, root or strangers are is a kind of actor, and no field is called so. What else `by:` names is left. */
function kindsOf(value: string): { readonly names: string; readonly filters: readonly Term[] } {
  const names = namesIn(value);
  const isKind = (name: string): boolean => !groupNamed(name) && (valuesOf('kind') ?? []).includes(name.toLowerCase());
  const kinds = names.filter(isKind).map((name) => ({ text: name.toLowerCase(), wildcard: false }));
  return {
    names: names.filter((name) => !isKind(name)).join(','),
    filters: kinds.length > 0 ? [{ field: 'kind', negated: false, values: kinds }] : [],
  };
}

/** The names between commas; those in the quotes of a path are part of it. */
const namesIn = (value: string): string[] => value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).filter(Boolean);

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
      const names = namesIn(value);
      const unknown = names.find((name) => groupNamed(name) === undefined);
      if (unknown !== undefined) {
        const guesses = names.map((name) => groupNamed(name) ?? nearest(name, fieldNames.filter(groupNamed))).filter((name) => name !== undefined);
        const why = fieldNamed(unknown) ? ': it is all of the text, not one value' : '';
        throw new Slip(`I can't group by “${shortened(unknown)}”${why}.`, tokenize(`by:${guesses.length > 0 ? guesses.join(',') : 'event'}`).flat());
      }
      if (names.length === 0) throw new Slip('“by:” needs a field, such as by:event or by:user,event.', plain('by:event'));
      return { by: [...new Set(names.map((name) => groupNamed(name) as string))] };
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

/**
 * The question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. It is what a person types, what a
 * button holds and what a message says it answered, so reading and printing are inverse, and reading survives what
 * phones, editors and Slack do to typed text.
 */
import { type ResourceId, readResourceId } from '../analysis/resource-id.ts';
import { UserError } from '../errors.ts';
import { type Filter, groupFilters } from '../trail/filter.ts';
import { nearestWindow, printWindow, readWindow, type Window } from '../trail/time-window.ts';
import { isQuoted, normalize, type Piece, plainToken, plainWords, printPieces, type Token, tokenize, tokenText, toPieces } from './lexer.ts';
import type { Line } from './line.ts';
import { type LineOptions, type NameValue, readNameValue, readValues } from './name-value.ts';
import { checkParentheses } from './parentheses.ts';
import { Mistake, suggestLine, TokenMistake } from './suggest.ts';

/** Whether a question takes a word of this name: `outside-regions` takes `allow:us-east-1`. */
type TakesWord = (question: string, word: string) => boolean;

/**
 * Reads a line. An empty one is `help`; one that begins with a filter or a time is `events`; one that begins with an id, an ARN, an
 * address or the like is the question about that.
 *
 * @throws UserError, with the nearest line that can be read, if there is one.
 */
export function parseLine(text: string, takes: TakesWord = () => false): Line {
  const parse = (typed: string) => parseText(typed, takes);
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new UserError(error.message, suggestLine(error, parse));
  }
}

/** @throws Mistake */
function parseText(text: string, takes: TakesWord): Line {
  const tokens = tokenize(normalize(text));
  if (tokens[0] && !isQuoted(tokens[0]) && tokenText(tokens[0]) === '/trail') tokens.shift();
  const pieces = toPieces(tokens);
  checkParentheses(pieces);
  const { words, filters, startsWithName, ...rest } = parseExpression(pieces, takes);
  if (!startsWithName) return { name: tokens.length === 0 ? 'help' : 'events', words, filters, ...rest };
  const [first = '', ...others] = words;
  const about = commandForResource(readResourceId(first));
  return about ? { name: about, words, filters, ...rest } : { name: first.toLowerCase(), words: others, filters, ...rest };
}

const COMMAND_BY_KIND: Partial<Record<ResourceId['kind'], string>> = {
  instance: 'who-started',
  ip: 'ip',
  key: 'key',
  account: 'account',
  region: 'region',
  email: 'user',
  uuid: 'event',
};

/** The question that somebody asks who pastes a thing, and nothing but its name; undefined for what may be a question's own name. */
const commandForResource = ({ kind, arn }: ResourceId): string | undefined =>
  kind === 'name' ? undefined : arn && kind !== 'instance' ? 'history' : (COMMAND_BY_KIND[kind] ?? 'history');

interface Expression extends LineOptions {
  readonly words: string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  readonly startsWithName: boolean;
}

/** Reads pieces as an expression: what stands side by side must all match, and that binds closer than OR. */
function parseExpression(all: readonly Piece[], takes: TakesWord): Expression {
  const words: string[] = [];
  const shape: { -readonly [K in keyof LineOptions]: LineOptions[K] } = {};
  let window: Window | undefined;
  let windowAt = 0;
  let at = 0;
  const first = all[0];
  const startsWithName = first?.kind === 'token' && !nameValueAt(all, 0, '', takes) && !readWindow(plainWords(all, 0));
  const filters = groupFilters(false, alternatives(0, ''));
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
        take(negated ? groupFilters(true, [found]) : found);
        continue;
      }
      at += 1;
      if (piece.kind === 'close') return any;
      if (piece.kind === 'or') any.push([]);
      if (piece.kind === 'not') negated = !negated;
      if (piece.kind === 'open') {
        const outer = negated !== (piece.negated || piece.head.startsWith('-'));
        take(groupFilters(outer, alternatives(depth + 1, piece.head.replace(/^-/, '') || head)));
      }
    }
    return any;
  }

  /** What one token is: filters, or part of the line's shape, time or words. */
  function primary(token: Token, depth: number, head: string): Filter[] {
    const start = at;
    const named = nameValueAt(all, start, head, takes);
    at += 1;
    if (named?.kind === 'word') words.push(named.word);
    if (named?.kind === 'shape') Object.assign(shape, named.shape, named.shape.by && { by: [...new Set([...(shape.by ?? []), ...named.shape.by])] });
    if (named) return named.kind === 'word' ? [] : [...named.filters];
    const found = depth === 0 ? readWindow(plainWords(all, start)) : undefined;
    if (found) {
      if (window) {
        const end = start + found.taken;
        // “2026-04-01 to 2026-04-03” is one time.
        const span = nearestWindow(all.slice(windowAt, end).flatMap((piece) => (piece.kind === 'token' ? [tokenText(piece.token)] : [])));
        const meant: Piece[] = span ? [{ kind: 'token', token: plainToken(printWindow(span)) }] : [];
        throw new Mistake(
          `Two time ranges given (${printWindow(window)} and ${printWindow(found.window)}). Use one.`,
          printPieces(span ? all.toSpliced(windowAt, end - windowAt, ...meant) : all.toSpliced(start, found.taken)),
        );
      }
      window = found.window;
      windowAt = start;
      at += found.taken - 1;
      return [];
    }
    const isNegated = token.length > 1 && token[0]?.char === '-' && !token[0].quoted;
    const isJoined = [all[start - 1], all[at]].some((beside) => beside && ['and', 'or', 'not'].includes(beside.kind));
    if ((depth === 0 && !isJoined && !isNegated) || (start === 0 && startsWithName)) {
      words.push(tokenText(token));
      return [];
    }
    // What is joined to filters is one: text anywhere in the record. A comma by itself says nothing.
    const value = token.slice(isNegated ? 1 : 0);
    if (value.every(({ char, quoted }) => char === ',' && !quoted)) return [];
    return [{ field: 'text', negated: isNegated, values: readValues(value, 'text:') }];
  }
}

/** Reads the token at `at` as a named one; in a group of one field, as a value of it. @throws Mistake */
function nameValueAt(all: readonly Piece[], at: number, head: string, takes: TakesWord): NameValue | undefined {
  const piece = all[at];
  if (piece?.kind !== 'token') return undefined;
  const token = head === '' ? piece.token : inField(head, piece.token);
  try {
    const [first] = all;
    return readNameValue(token, (word) => first?.kind === 'token' && takes(tokenText(first.token).toLowerCase(), word));
  } catch (error) {
    if (!(error instanceof TokenMistake)) throw error;
    const instead: Piece[] = error.replacement ? [{ kind: 'token', token: error.replacement }] : [];
    throw new Mistake(error.message, printPieces(all.toSpliced(at, 1, ...instead)));
  }
}

/** `-a` in `field:(…)` is `-field:a`. */
const inField = (head: string, token: Token): Token => {
  const isNegated = token[0]?.char === '-' && !token[0].quoted;
  return [...(isNegated ? plainToken('-') : []), ...tokenize(head).flat(), ...token.slice(isNegated ? 1 : 0)];
};

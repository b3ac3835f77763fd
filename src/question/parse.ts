/**
 * Parses a question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. People type it, buttons carry it and answers
 * repeat it, so parsing and printing are inverse, and parsing tolerates what phones, editors and Slack do to typed text.
 */
import { type ResourceId, readResourceId } from '../analysis/resource-id.ts';
import { UserError } from '../errors.ts';
import { truncate } from '../text/format.ts';
import { isRequestId } from '../trail/event-id.ts';
import { type Filter, groupFilters, resolveField } from '../trail/filter.ts';
import { closestWindow, printWindow, readWindow, type Window } from '../trail/time-window.ts';
import type { KnownCommand } from './known-command.ts';
import { normalize, type Piece, plainToken, plainWords, printPieces, type Token, tokenize, tokenText, toPieces } from './lexer.ts';
import { type Line, trimLine } from './line.ts';
import { fieldFilter, type LineOptions, type NameValue, readNameValue, readValues } from './name-value.ts';
import { checkParentheses } from './parentheses.ts';
import { printFilter } from './print.ts';
import { type Grammar, rephrase } from './rephrase.ts';
import { closestField, Mistake, suggestLine, TokenMistake } from './suggest.ts';
import { filterForWord } from './word-filter.ts';

/**
 * Parses a line of at most `MAX_LINE_LENGTH` characters. The time that it takes grows with their number, not with its square, for lines
 * that are refused too: nobody else is answered meanwhile. An empty line is `help`; one that starts with a filter or a time is `events`; one that starts with an id, an ARN or
 * an address is the command about that.
 *
 * @throws UserError, with the closest valid line as a suggestion, if there is one.
 */
export function parseLine(text: string, grammar: Grammar = {}): Line {
  const parse = (typed: string) => parseText(typed, grammar);
  const trimmed = trimLine(text);
  try {
    return parse(trimmed);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    throw new UserError(error.message, suggestLine(error, parse));
  }
}

/** @throws Mistake */
function parseText(text: string, grammar: Grammar): Line {
  const typed = toPieces(tokenize(normalize(text)));
  checkParentheses(typed);
  const pieces = rephrase(typed, grammar);
  const { words, filters, startsWithName, ...rest } = parseExpression(pieces, grammar);
  if (!startsWithName) return { name: pieces.length === 0 ? 'help' : 'events', words, filters, ...rest };
  const [first = '', ...others] = words;
  const about = isRequestId(first) ? 'event' : commandForResource(readResourceId(first));
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

/** The command for a line that starts with a resource; undefined for a plain name, which may be a command. */
const commandForResource = ({ kind, arn }: ResourceId): string | undefined =>
  kind === 'name' ? undefined : arn && kind !== 'instance' ? 'history' : (COMMAND_BY_KIND[kind] ?? 'history');

interface Expression extends LineOptions {
  readonly words: string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  readonly startsWithName: boolean;
}

/** Parses pieces as an expression: adjacent filters must all match, and AND binds closer than OR. */
function parseExpression(all: readonly Piece[], grammar: Grammar): Expression {
  const words: string[] = [];
  const options: { -readonly [K in keyof LineOptions]: LineOptions[K] } = {};
  let window: Window | undefined;
  let windowAt = 0;
  let at = 0;
  const first = all[0];
  const command = commandOf(all, grammar);
  const startsWithName = first?.kind === 'token' && !nameValueAt(all, 0, NO_HEAD, command) && !readWindow(plainWords(all, 0));
  const filters = groupFilters(false, alternatives(0, NO_HEAD));
  return { words, filters, ...(window && { window }), ...options, startsWithName };

  function alternatives(depth: number, head: Head): Filter[][] {
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
        take(groupFilters(outer, alternatives(depth + 1, readGroupHead(piece.head) ?? head)));
      }
    }
    return any;
  }

  /** Parses one token: returns its filters, or adds it to the options, the window or the words. */
  function primary(token: Token, depth: number, head: Head): Filter[] {
    const start = at;
    const named = nameValueAt(all, start, head, command);
    at += 1;
    if (named?.kind === 'word') words.push(named.word);
    if (named?.kind === 'options') {
      const { by } = named.options;
      Object.assign(options, named.options, by && { by: [...new Set([...(options.by ?? []), ...by])] });
    }
    if (named) return named.kind === 'word' ? [] : [...named.filters];
    const found = depth === 0 ? readWindow(plainWords(all, start)) : undefined;
    if (found) {
      if (window) {
        const end = start + found.taken;
        // “2026-04-01 to 2026-04-03” is meant as one window.
        const joined = closestWindow(all.slice(windowAt, end).flatMap((piece) => (piece.kind === 'token' ? [tokenText(piece.token)] : [])));
        const meant: Piece[] = joined ? [{ kind: 'token', token: plainToken(printWindow(joined)) }] : [];
        throw new Mistake(
          `Two time ranges given (${printWindow(window)} and ${printWindow(found.window)}). Use one.`,
          printPieces(joined ? all.toSpliced(windowAt, end - windowAt, ...meant) : withoutWindows(all, start)),
        );
      }
      window = found.window;
      windowAt = start;
      at += found.taken - 1;
      return [];
    }
    const isNegated = token.length > 1 && token[0]?.char === '-' && !token[0].quoted;
    const isJoined = [all[start - 1], all[at]].some((neighbour) => neighbour && ['and', 'or', 'not'].includes(neighbour.kind));
    if ((depth === 0 && !isJoined && !isNegated) || (start === 0 && startsWithName)) {
      words.push(tokenText(token));
      return [];
    }
    // A plain word among filters searches the whole record. A lone comma is ignored.
    const value = token.slice(isNegated ? 1 : 0);
    if (value.every(({ char, quoted }) => char === ',' && !quoted)) return [];
    if (command && !command.freeText) {
      const filter = printFilter({ ...filterForWord(tokenText(value)), negated: isNegated });
      throw new Mistake(
        `I don't know what to do with “${truncate(tokenText(token))}”. To search for it, name the field, as in ${truncate(filter)}.`,
        printPieces(all.toSpliced(start, 1, ...toPieces(tokenize(filter)))),
      );
    }
    return [{ field: 'text', negated: isNegated, values: readValues(value, 'text:') }];
  }
}

/** The command that a line names, if it names one. */
function commandOf([first]: readonly Piece[], { commands }: Grammar): KnownCommand | undefined {
  return first?.kind === 'token' ? commands?.get(tokenText(first.token).toLowerCase()) : undefined;
}

/** The pieces without any time from `start` on. */
function withoutWindows(all: readonly Piece[], start: number): readonly Piece[] {
  const kept = all.slice(0, start);
  let depth = 0;
  for (let at = start; at < all.length; at += 1) {
    const piece = all[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const found = depth === 0 ? readWindow(plainWords(all, at)) : undefined;
    if (found) at += found.taken - 1;
    else kept.push(piece);
  }
  return kept;
}

/** The name before a parenthesis, as in `event:(…)`, and the field that it names, if it does. */
interface Head {
  readonly text: string;
  readonly field?: string | undefined;
}

const NO_HEAD: Head = { text: '' };

/** Reads `event:` or `-event:`; undefined for none. */
function readGroupHead(typed: string): Head | undefined {
  const text = typed.replace(/^-/, '');
  return text === '' ? undefined : { text, field: resolveField(text.slice(0, -1)) };
}

/** Parses the token at `at` as `name:value`; in a group such as `event:(…)` as a value of its field. @throws Mistake */
function nameValueAt(all: readonly Piece[], at: number, head: Head, command: KnownCommand | undefined): NameValue | undefined {
  const piece = all[at];
  if (piece?.kind !== 'token') return undefined;
  try {
    return readToken(piece.token, head, command);
  } catch (error) {
    if (!(error instanceof TokenMistake)) throw error;
    const corrected = withCorrectTokens(all, at, command);
    throw new Mistake(error.message, corrected && printPieces(corrected));
  }
}

/** @throws TokenMistake */
function readToken(token: Token, { text, field }: Head, command: KnownCommand | undefined): NameValue | undefined {
  // A command may take a word by its name: `outside-regions allow:us-east-1`.
  const isWord = (word: string): boolean => Object.hasOwn(command?.words ?? {}, word);
  if (text === '') return readNameValue(token, isWord);
  // `-a` in `field:(…)` is `-field:a`.
  const isNegated = token[0]?.char === '-' && !token[0].quoted;
  const value = token.slice(isNegated ? 1 : 0);
  if (field !== undefined) return { kind: 'filter', filters: [fieldFilter(field, isNegated, value, text)] };
  return readNameValue([...(isNegated ? plainToken('-') : []), ...tokenize(text).flat(), ...value], isWord);
}

/** The pieces with every mistake in a token from `start` on corrected, so that a line is read again once, not once a mistake; undefined when one cannot be. */
function withCorrectTokens(all: readonly Piece[], start: number, command: KnownCommand | undefined): Piece[] | undefined {
  const corrected: Piece[] = [];
  const heads: Head[] = [];
  for (const [i, piece] of all.entries()) {
    const head = heads.at(-1) ?? NO_HEAD;
    if (piece.kind === 'close') heads.pop();
    if (piece.kind === 'open') {
      const own = readGroupHead(piece.head);
      const meant = own && own.field === undefined ? closestField(own.text.slice(0, -1)) : undefined;
      heads.push(meant === undefined ? (own ?? head) : { text: `${meant}:`, field: resolveField(meant) });
      corrected.push(meant === undefined ? piece : { ...piece, head: `${meant}:` });
    } else if (piece.kind !== 'token' || i < start) {
      corrected.push(piece);
    } else {
      try {
        readToken(piece.token, head, command);
        corrected.push(piece);
      } catch (error) {
        if (!(error instanceof TokenMistake)) throw error;
        // The replacement of a value in `top:(…)` would have the name twice.
        if (head.text !== '') return undefined;
        if (error.replacement) corrected.push({ kind: 'token', token: error.replacement });
      }
    }
  }
  return corrected;
}

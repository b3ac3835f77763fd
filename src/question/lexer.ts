/**
 * Splits a line into tokens and pieces: undoes what Slack, phones and editors changed, splits at blanks, marks quoted characters,
 * and recognises parentheses and AND, OR, NOT.
 */

import { quote } from '../text/quote.ts';
import { withoutEnd } from '../text/without-end.ts';
import { rangeBetween } from '../trail/time-range-syntax.ts';

/** A character of a token, and whether it was quoted and so has no special meaning. */
export interface Char {
  readonly char: string;
  readonly quoted: boolean;
}
/** A word of a line, without its quotes. */
export type Token = readonly Char[];

/** Undoes what Slack (escaped mentions, autolinks, entities), macOS and iOS (smart punctuation) and copying do to a line. */
export function normalize(text: string): string {
  return text
    .replace(/<(?:mailto:|tel:)([^|<>\s]+)(?:\|([^<>]*))?>/g, (_, address: string, label?: string) => label || address)
    .replace(/<(https?:\/\/[^|<>\s]+)(?:\|([^<>]*))?>/g, (_, url: string, label?: string) => label || url)
    .replace(/<([@#!])([^|<>\s]+)(?:\|([^<>]*))?>/g, (_, sigil: string, id: string, label?: string) => label || (sigil === '!' ? '' : sigil + id))
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

/** Splits text into tokens at blanks outside of quotes. */
export function tokenize(text: string): Token[] {
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
    const quoted = readQuoted(text, i, startsValue(start));
    token = start;
    if (quoted) {
      token.push(...quoted.chars);
      i = quoted.next;
    } else {
      // Backticks of Slack's code format are not part of a pasted id.
      if (char !== '`') token.push({ char, quoted: false });
      i += 1;
    }
  }
  if (token) tokens.push(token);
  return tokens.filter((chars) => chars.length > 0);
}

/** True at the start of a token or of one of its values. */
function startsValue(token: Token): boolean {
  const last = token.at(-1);
  return last === undefined || (!last.quoted && /[:,]/.test(last.char));
}

/** Reads quoted text at `start`. Double quotes may start anywhere and need no end; single quotes count only around a whole word or value (O'Brien). */
function readQuoted(text: string, start: number, opensValue: boolean): { readonly chars: Char[]; readonly next: number } | undefined {
  if (text[start] === "'" && opensValue) {
    SINGLE_QUOTED.lastIndex = start;
    const inner = SINGLE_QUOTED.exec(text);
    if (!inner) return undefined;
    return { chars: quotedChars(inner[1] as string), next: start + inner[0].length };
  }
  if (text[start] !== '"') return undefined;
  const chars: Char[] = [];
  let i = start + 1;
  while (i < text.length && text[i] !== '"') {
    const escaped = /^\\(?:u\{([0-9a-f]{1,6})\}|(["\\]))/i.exec(text.slice(i, i + 11));
    const code = Number.parseInt(escaped?.[1] ?? '', 16);
    if (escaped && (escaped[2] !== undefined || code <= 0x10ffff)) {
      chars.push(...quotedChars(escaped[2] ?? String.fromCodePoint(code)));
      i += escaped[0].length;
    } else {
      chars.push({ char: text[i] as string, quoted: true });
      i += 1;
    }
  }
  // "" is a value too: an empty quoted character marks it.
  return { chars: chars.length > 0 ? chars : [{ char: '', quoted: true }], next: i + 1 };
}

const SINGLE_QUOTED = /'([^']*)'(?=[\s,]|$)/y;

/** Text as quoted characters. */
export const quotedChars = (text: string): Char[] =>
  text === '' ? [{ char: '', quoted: true }] : text.split('').map((char) => ({ char, quoted: true }));

/** Text as an unquoted token. */
export const plainToken = (text: string): Token => Array.from(text, (char) => ({ char, quoted: false }));

/** The text of a token, without quotes. */
export const tokenText = (token: Token): string => token.map(({ char }) => char).join('');
/** True when any character of a token was quoted. */
export const isQuoted = (token: Token): boolean => token.some(({ quoted }) => quoted);

/** A token as text that parses to the same token: `user:"ci deploy",other`. */
export function printToken(token: Token): string {
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

/** A piece of a line: a token, a parenthesis or an operator. */
export type Piece =
  | { readonly kind: 'token'; readonly token: Token }
  /** `(`, `-(`, or with a field for all values inside, `event:(`. */
  | { readonly kind: 'open'; readonly negated: boolean; readonly head: string }
  | { readonly kind: 'close' | 'and' | 'or' | 'not' };

/** The operators between filters. They must be in capital letters, or `&&` and `||`. */
export const OPERATORS: Readonly<Record<string, 'and' | 'or' | 'not'>> = { AND: 'and', '&&': 'and', OR: 'or', '||': 'or', NOT: 'not' };

/** Splits tokens into pieces: separates parentheses from words, and joins ranges in brackets, which contain blanks. */
export function toPieces(tokens: readonly Token[]): Piece[] {
  const all: Piece[] = [];
  for (let i = 0; i < tokens.length; i += 1) {
    let token = tokens[i] as Token;
    const masked = maskQuoted(token);
    let start = 0;
    for (const [mark, minus = ''] of masked.matchAll(OPENING)) {
      const head = mark === `${minus}(` ? '' : printToken(token.slice(start + minus.length, start + mark.length - 1));
      all.push({ kind: 'open', negated: minus === '-', head });
      start += mark.length;
    }
    token = token.slice(start);
    const range = RANGE.exec([token, ...tokens.slice(i + 1, i + 3)].map(maskQuoted).join(' '));
    if (range) {
      const [, head = '', opening, from = '', to = '', closing, rest = ''] = range;
      token = plainToken(
        `${head}${rangeBetween({ at: from, isIncluded: opening === '[' }, { at: to, isIncluded: closing === ']' }) ?? `${from}..${to}`}${rest}`,
      );
      i += 2;
    }
    const bareToken = maskQuoted(token);
    // In “Mozilla/5.0(X11)” both parentheses are part of the word.
    const unmatched = bareToken.split(')').length - bareToken.split('(').length;
    const closing = Math.min(Math.max(unmatched, 0), bareToken.length - withoutEnd(bareToken, ')').length);
    const inner = token.slice(0, token.length - closing);
    const bare = maskQuoted(inner);
    const operator = Object.hasOwn(OPERATORS, bare) ? OPERATORS[bare] : undefined;
    if (operator) all.push({ kind: operator });
    else if (inner.length > 0) all.push({ kind: 'token', token: inner });
    for (let n = 0; n < closing; n += 1) all.push({ kind: 'close' });
  }
  return all;
}

/** Each begins where the last one ended, and the first at the start. */
const OPENING = /(-?)(?:[A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?:)?\(/gy;
/** Lucene's `eventTime:[2026-04-20 TO 2026-05-02]`; an end in braces is excluded. */
const RANGE = /^(-?[A-Za-z]\w*:)([[{])(\S+) TO ([^\s\]}]+)([\]}])(\)*)$/;

/** A token's text with `"` in place of each quoted character. */
export const maskQuoted = (token: Token): string => token.map(({ char, quoted }) => (quoted ? '"' : char)).join('');

/** A piece as text that parses to the same piece. */
export const printPiece = (piece: Piece): string => {
  if (piece.kind === 'token') return printToken(piece.token);
  if (piece.kind === 'open') return `${piece.negated ? '-' : ''}${piece.head}(`;
  return piece.kind === 'close' ? ')' : piece.kind.toUpperCase();
};

/** Pieces as text that parses to the same pieces. */
export const printPieces = (pieces: readonly Piece[]): string => pieces.map(printPiece).join(' ');

/** The texts of up to three unquoted tokens from `start` on, and before `end`: a window has no more. */
export function plainWords(all: readonly Piece[], start: number, end = all.length): string[] {
  const run: string[] = [];
  for (const piece of all.slice(start, Math.min(start + 3, end))) {
    if (piece.kind !== 'token' || isQuoted(piece.token)) break;
    run.push(tokenText(piece.token));
  }
  return run;
}

/** The text of an unquoted token; undefined for anything else. */
export const unquotedText = (piece: Piece | undefined): string | undefined =>
  piece?.kind === 'token' && !isQuoted(piece.token) ? tokenText(piece.token) : undefined;

/** Text as an unquoted piece. */
export const plainPiece = (text: string): Piece => ({ kind: 'token', token: plainToken(text) });

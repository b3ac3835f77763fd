/** One value of a filter, and its wildcards as a condition. */
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { likeLiteral, type Sql, sql } from './sql.ts';

/** One value of a filter. It has a wildcard when a `*` or `?` in it was not quoted. */
export interface FilterValue {
  readonly text: string;
  readonly wildcard: boolean;
}

/** More than in any real value. Trino makes a table of states of a LIKE pattern, which doubles with each `?` after a `*`. */
export const MAX_WILDCARDS = 10;

/** The wildcards of a text; stars beside one another are one. */
export const countWildcards = (text: string): number => withSingleStars(text).match(/[*?]/g)?.length ?? 0;

const withSingleStars = (text: string): string => text.replace(/[*]+/g, '*');

/**
 * That a column matches a text with the wildcards `*` (any text) and `?` (one character), from its start to its end.
 *
 * LIKE of DuckDB tries every place for every `*`, which takes hours for five of them, and cannot be interrupted. It is used for at
 * most one star that has to be searched for; the text after the last one needs no search, or none follows. More are a regular expression.
 */
export function matchesWildcards(column: Sql, text: string): Sql {
  const pattern = withSingleStars(text);
  const searches = pattern.replace(/[*]$/, '').split('*').length - 1;
  if (searches <= 1) return sql`${column} like ${likeLiteral(pattern).replaceAll('*', '%').replaceAll('?', '_')} escape '!'`;
  const end = pattern.endsWith('*') ? '' : String.raw`\z`;
  return sql`regexp_like(${column}, ${String.raw`(?s)\A${wildcardsAsRegExp(pattern, { one: '.', each: '.' }, escapeRegExp)}${end}`})`;
}

/** Whether a text matches another with wildcards, from its start to its end, as `matchesWildcards` does in SQL. */
export function textMatchesWildcards(text: string, pattern: string): boolean {
  let [at, next] = [0, 0];
  /** The last star, and where the text after it was tried. */
  let star: { readonly next: number; at: number } | undefined;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = { next: next + 1, at };
      next += 1;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      at += 1;
      next += 1;
    } else if (star) {
      star.at += 1;
      at = star.at;
      next = star.next;
    } else return false;
  }
  return /^[*]*$/.test(pattern.slice(next));
}

/**
 * A text with wildcards as a regular expression for both engines, which takes a time that grows with the length of what it searches.
 * `any` has the expressions for the character of a `?` and for each of a `*`; `asPattern` writes the text between wildcards.
 *
 * Each star takes the first place where the text after it is found, and no other is tried: `(?>…)` is an atomic group. The first place
 * leaves the most for the rest, so nothing is missed. Trino's engine would try every combination of places otherwise; DuckDB's never
 * tries one twice, and has no such groups (see `regexp_like` in its macros).
 */
export function wildcardsAsRegExp(text: string, any: { readonly one: string; readonly each: string }, asPattern: (plain: string) => string): string {
  const [first = '', ...others] = withSingleStars(text)
    .split('*')
    .map((piece) => piece.split('?').map(asPattern).join(any.one));
  const last = others.pop();
  return `${first}${others.map((piece) => `(?>${any.each}*?${piece})`).join('')}${last === undefined ? '' : `${any.each}*${last}`}`;
}

/** Tokens of the form `name:value`: filters, the shape of the answer, and words of a question by their names. */
import { isIPv6 } from 'node:net';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { allowedValues, type Filter, fieldNames, resolveField, resolveGroupField, type Term } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { readPath } from '../trail/json-path.ts';
import { type Interval, isValidInterval } from '../trail/time-buckets.ts';
import { rangeOfComparison } from '../trail/time-range-syntax.ts';
import { type Char, maskQuoted, plainToken, printToken, quotedChars, type Token, tokenize, tokenText } from './lexer.ts';
import { type AnswerShape, type Line, MAX_ROWS, SORTS } from './line.ts';
import { closestField, TokenMistake } from './suggest.ts';

/** What a token of the form `name:value` is. */
export type NameValue =
  | { readonly kind: 'filter'; readonly filters: readonly Filter[] }
  /** `by:human,event` is both. */
  | { readonly kind: 'shape'; readonly shape: LineOptions; readonly filters: readonly Filter[] }
  | { readonly kind: 'word'; readonly word: string };

/** What is said of an answer by names that are no fields. */
export type LineOptions = AnswerShape & Pick<Line, 'spend' | 'cols'>;

/** A token of the form `name:value`: a filter, part of the shape, or a word of the question with its name. Undefined when it is a plainToken word. */
export function readNameValue(token: Token, isWord: (name: string) => boolean): NameValue | undefined {
  const unquoted = maskQuoted(token);
  const [prefix, minus = '', typed = ''] = NAME_PREFIX.exec(unquoted) ?? [];
  if (prefix === undefined) return undefined;
  const name = printToken(token.slice(minus.length, prefix.length - 1));
  const text = tokenText(token);
  const value = token.slice(prefix.length);
  if (!FIELD_NAME.test(typed) && !readPath(name)) return undefined;
  if (name.toLowerCase() === 'arn' || isIPv6(text)) return undefined;
  const field = resolveField(name);
  if (field) {
    const values = readValues(value, `${name}:`);
    return { kind: 'filter', filters: [{ field, negated: minus === '-', values: field === 'time' ? values.map(comparisonAsRange) : values }] };
  }
  // An address has two slashes after its scheme: https://…, s3://….
  if (tokenText(value).startsWith('//')) return undefined;
  if (minus === '' && isWord(name)) return { kind: 'word', word: tokenText(value) };
  const key = name.toLowerCase();
  const kinds = key === 'by' ? splitKinds(printToken(value)) : { names: '', filters: [] };
  if (minus === '-' && kinds.filters.length > 0 && kinds.names === '')
    return { kind: 'filter', filters: kinds.filters.map((filter) => ({ ...filter, negated: true })) };
  if (minus === '') {
    const shape = kinds.filters.length > 0 && kinds.names === '' ? {} : readShape(key, key === 'by' ? kinds.names : tokenText(value));
    if (shape) return { kind: 'shape', shape, filters: kinds.filters };
  }
  const guess = closestField(name);
  throw new TokenMistake(
    `I don't know the field “${truncate(name)}”. ${guess ? '' : 'I know event, source, user, ip, account and more: see help. '}If it is no filter, put it in quotes.`,
    guess ? [...plainToken(minus), ...tokenize(`${guess}:`).flat(), ...value] : quotedChars(text),
  );
}

const NAME_PREFIX = /^(-?)([A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?):/;
/** What is meant as a field whatever stands before the colon. In `my.bucket-1:tag` it may be a name. */
const FIELD_NAME = /^[\w.[\]]*$/;

/** `>2026-11-18` as the span that it is; any other value as it was. */
const comparisonAsRange = (value: FilterValue): FilterValue => ({ ...value, text: rangeOfComparison(value.text) ?? value.text });

/** `by:human` is a filter: who people, root or strangers are is a kind of actor, and no field is called so. What else `by:` names is left. */
function splitKinds(value: string): { readonly names: string; readonly filters: readonly Term[] } {
  const names = splitNames(value);
  const isKind = (name: string): boolean => !resolveGroupField(name) && (allowedValues('kind') ?? []).includes(name.toLowerCase());
  const kinds = names.filter(isKind).map((name) => ({ text: name.toLowerCase(), wildcard: false }));
  return {
    names: names.filter((name) => !isKind(name)).join(','),
    filters: kinds.length > 0 ? [{ field: 'kind', negated: false, values: kinds }] : [],
  };
}

/** The names between commas; those in the quotes of a path are part of it. */
const splitNames = (value: string): string[] => value.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/).filter(Boolean);

export function readValues(value: Token, shown: string): FilterValue[] {
  const pieces: Char[][] = [[]];
  for (const char of value) {
    if (char.char === ',' && !char.quoted) pieces.push([]);
    else pieces.at(-1)?.push(char);
  }
  const values = pieces
    .filter((piece) => piece.length > 0)
    .map((piece) => {
      const wildcard = piece.some(({ char, quoted }) => !quoted && (char === '*' || char === '?'));
      return { text: tokenText(piece), wildcard };
    });
  if (values.length === 0) throw new TokenMistake(`“${shown}” needs a value, such as ${shown}value or ${shown}a,b.`);
  return values;
}

function readShape(key: string, value: string): LineOptions | undefined {
  switch (key) {
    case 'by': {
      const names = splitNames(value);
      const unknown = names.find((name) => resolveGroupField(name) === undefined);
      if (unknown !== undefined) {
        const guesses = names
          .map((name) => resolveGroupField(name) ?? closestMatch(name, fieldNames.filter(resolveGroupField)))
          .filter((name) => name !== undefined);
        const why = resolveField(unknown) ? ': it is all of the text, not one value' : '';
        throw new TokenMistake(
          `I can't group by “${truncate(unknown)}”${why}.`,
          tokenize(`by:${guesses.length > 0 ? guesses.join(',') : 'event'}`).flat(),
        );
      }
      if (names.length === 0) throw new TokenMistake('“by:” needs a field, such as by:event or by:user,event.', plainToken('by:event'));
      return { by: [...new Set(names.map((name) => resolveGroupField(name) as string))] };
    }
    case 'every': {
      const step = /^(\d{1,2})(m|h|d)$/i.exec(value);
      const every = { count: Number(step?.[1] ?? 0), unit: (step?.[2] ?? 'm').toLowerCase() as Interval['unit'] };
      if (!isValidInterval(every)) {
        throw new TokenMistake(
          `“every:${truncate(value)}” is not a valid interval: use 5m, 15m, 1h, 6h or 1d.`,
          plainToken(`every:1${step ? every.unit : 'h'}`),
        );
      }
      return { every };
    }
    case 'top': {
      const top = /^\d{1,6}$/.test(value) ? Number(value) : 0;
      if (top < 1 || top > MAX_ROWS) {
        const instead = /^\d*[1-9]\d*$/.test(value) ? MAX_ROWS : 10;
        throw new TokenMistake(`“top:${truncate(value)}” must be a number from 1 to ${MAX_ROWS}.`, plainToken(`top:${instead}`));
      }
      return { top };
    }
    case 'sort': {
      const sort = SORTS.find((known) => known === value.toLowerCase());
      if (sort) return { sort };
      const guess = closestMatch(value, SORTS);
      throw new TokenMistake(
        `“sort:${truncate(value)}” is not an order I know. Try ${SORTS.map((known) => `sort:${known}`).join(', ')}.`,
        guess ? plainToken(`sort:${guess}`) : undefined,
      );
    }
    case 'cols': {
      const cols = value.toLowerCase().split(',').filter(Boolean);
      const stray = cols.find((name) => !/^[a-z][a-z0-9_]*$/.test(name));
      if (cols.length > 0 && stray === undefined) return { cols: [...new Set(cols)] };
      throw new TokenMistake(`“cols:${truncate(value)}” names no columns. Try cols:time,user,event.`, plainToken('cols:time,user,event'));
    }
    case 'spend': {
      const spend = /^\$?\d{1,6}(?:[.]\d{1,2})?$/.test(value) ? Number(value.replace('$', '')) : 0;
      if (spend > 0) return { spend };
      throw new TokenMistake(`“spend:${truncate(value)}” is not an amount of dollars. Try spend:5 or spend:0.50.`, plainToken('spend:5'));
    }
    default:
      return undefined;
  }
}

/** Parses tokens of the form `name:value`: filters, options such as `by:`, and named words of a command. */
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
  /** `by:human,event` has both. */
  | { readonly kind: 'options'; readonly options: LineOptions; readonly filters: readonly Filter[] }
  | { readonly kind: 'word'; readonly word: string };

/** The options of a line: `by:`, `every:`, `band:`, `top:`, `sort:`, `cols:` and `spend:`. */
export type LineOptions = AnswerShape & Pick<Line, 'spend' | 'cols'>;

/**
 * Reads a token of the form `name:value`; undefined for a plain word.
 *
 * @throws TokenMistake for an unknown name or an invalid value.
 */
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
  if (field) return { kind: 'filter', filters: [fieldFilter(field, minus === '-', value, `${name}:`)] };
  // A URL is not a filter: https://…, s3://….
  if (tokenText(value).startsWith('//')) return undefined;
  if (minus === '' && isWord(name)) return { kind: 'word', word: tokenText(value) };
  const key = name.toLowerCase();
  const kinds = key === 'by' ? splitKinds(printToken(value)) : { names: '', filters: [] };
  if (minus === '-' && kinds.filters.length > 0 && kinds.names === '')
    return { kind: 'filter', filters: kinds.filters.map((filter) => ({ ...filter, negated: true })) };
  if (minus === '') {
    const options = kinds.filters.length > 0 && kinds.names === '' ? {} : readOption(key, key === 'by' ? kinds.names : tokenText(value));
    if (options) return { kind: 'options', options, filters: kinds.filters };
  }
  const guess = closestField(name);
  throw new TokenMistake(
    `There is no field “${truncate(name)}”. ${guess ? '' : '“help” lists the fields. '}If this is not a filter, put it in quotes.`,
    guess ? [...plainToken(minus), ...tokenize(`${guess}:`).flat(), ...value] : quotedChars(text),
  );
}

/** A filter on a field by its printed name. `shown` is its name as typed, with its colon. @throws TokenMistake for one without a value. */
export function fieldFilter(field: string, negated: boolean, value: Token, shown: string): Term {
  const values = readValues(value, shown);
  return { field, negated, values: field === 'time' ? values.map(comparisonAsRange) : values };
}

const NAME_PREFIX = /^(-?)([A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?):/;
/** True for a token that begins like a filter or an option, whether or not there is such a field. */
export const hasNamePrefix = (token: Token): boolean => NAME_PREFIX.test(maskQuoted(token));

/** A name before a colon that must be a field or path. In `my.bucket-1:tag` it is not. */
const FIELD_NAME = /^[\w.[\]]*$/;

/** `>2026-11-18` as a range; any other value unchanged. */
const comparisonAsRange = (value: FilterValue): FilterValue => ({ ...value, text: rangeOfComparison(value.text) ?? value.text });

/** Splits the names of `by:`. `by:human` is a filter on the kind of actor; the other names are fields to group by. */
function splitKinds(value: string): { readonly names: string; readonly filters: readonly Term[] } {
  const names = splitNames(value);
  const isKind = (name: string): boolean => !resolveGroupField(name) && (allowedValues('kind') ?? []).includes(name.toLowerCase());
  const kinds = names.filter(isKind).map((name) => ({ text: name.toLowerCase(), wildcard: false }));
  return {
    names: names.filter((name) => !isKind(name)).join(','),
    filters: kinds.length > 0 ? [{ field: 'kind', negated: false, values: kinds }] : [],
  };
}

/** Splits at commas, except in the quotes of a path. */
const splitNames = (value: string): string[] => value.match(/(?:[^",]|"[^"]*(?:"|$))+/g) ?? [];

/** Splits a token into the values of a filter at unquoted commas. `shown` is the filter's name with its colon, for the message. @throws TokenMistake */
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

/** Fewer days say little of what is usual; more cost without telling more. */
const MIN_BAND_DAYS = 3;
const MAX_BAND_DAYS = 90;

/** More than a table has room for. */
const MAX_GROUP_FIELDS = 10;
const GROUP_FIELDS = fieldNames.filter(resolveGroupField);

function readOption(key: string, value: string): LineOptions | undefined {
  switch (key) {
    case 'by': {
      const names = splitNames(value);
      if (names.length > MAX_GROUP_FIELDS)
        throw new TokenMistake(
          `“by:” takes at most ${MAX_GROUP_FIELDS} fields.`,
          tokenize(`by:${names.slice(0, MAX_GROUP_FIELDS).join(',')}`).flat(),
        );
      const unknown = names.find((name) => resolveGroupField(name) === undefined);
      if (unknown !== undefined) {
        const guesses = names.map((name) => resolveGroupField(name) ?? closestMatch(name, GROUP_FIELDS)).filter((name) => name !== undefined);
        const why = resolveField(unknown) ? ': it is the whole text, not one value' : '';
        throw new TokenMistake(
          `“by:” cannot group by “${truncate(unknown)}”${why}.`,
          tokenize(`by:${guesses.length > 0 ? guesses.join(',') : 'event'}`).flat(),
        );
      }
      if (names.length === 0) throw new TokenMistake('“by:” needs a field, such as by:event or by:user,event.', plainToken('by:event'));
      return { by: [...new Set(names.map((name) => resolveGroupField(name) as string))] };
    }
    case 'every': {
      const typed = /^(\d{1,2})(m|h|d)$/i.exec(value);
      const every = { count: Number(typed?.[1] ?? 0), unit: (typed?.[2] ?? 'm').toLowerCase() as Interval['unit'] };
      if (!isValidInterval(every)) {
        throw new TokenMistake(
          `“every:${truncate(value)}” is not a valid interval: use 5m, 15m, 1h, 6h or 1d.`,
          plainToken(`every:1${typed ? every.unit : 'h'}`),
        );
      }
      return { every };
    }
    case 'band': {
      const [, count, unit] = /^(\d{1,3})(d|w)$/i.exec(value) ?? [];
      const band = Number(count ?? 0) * (unit?.toLowerCase() === 'w' ? 7 : 1);
      if (band >= MIN_BAND_DAYS && band <= MAX_BAND_DAYS) return { band };
      throw new TokenMistake(
        `“band:${truncate(value)}” must be a number of days, from ${MIN_BAND_DAYS}d to ${MAX_BAND_DAYS}d.`,
        plainToken(band > MAX_BAND_DAYS ? `band:${MAX_BAND_DAYS}d` : 'band:14d'),
      );
    }
    case 'top': {
      const top = /^\d{1,6}$/.test(value) ? Number(value) : 0;
      if (top < 1 || top > MAX_ROWS) {
        const instead = /^\d+$/.test(value) && /[1-9]/.test(value) ? MAX_ROWS : 10;
        throw new TokenMistake(`“top:${truncate(value)}” must be a number from 1 to ${MAX_ROWS}.`, plainToken(`top:${instead}`));
      }
      return { top };
    }
    case 'sort': {
      const sort = SORTS.find((known) => known === value.toLowerCase());
      if (sort) return { sort };
      const guess = closestMatch(value, SORTS);
      throw new TokenMistake(
        `“sort:${truncate(value)}” is not a valid order: use ${SORTS.map((known) => `sort:${known}`).join(', ')}.`,
        guess ? plainToken(`sort:${guess}`) : undefined,
      );
    }
    case 'cols': {
      const cols = value.toLowerCase().split(',').filter(Boolean);
      const invalid = cols.find((name) => !/^[a-z][a-z0-9_]*$/.test(name));
      if (cols.length > 0 && invalid === undefined) return { cols: [...new Set(cols)] };
      throw new TokenMistake(`“cols:${truncate(value)}” is not a list of columns. Try cols:time,user,event.`, plainToken('cols:time,user,event'));
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

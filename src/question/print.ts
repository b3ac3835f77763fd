/** Prints a line as text. Printing and parsing are inverse: `parseLine(printLine(line))` equals the line. */
import { isIPv6 } from 'node:net';
import { quote } from '../text/quote.ts';
import { type Filter, isTerm, resolveField } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { readTimePhrase } from '../trail/time-phrase.ts';
import { printWindow } from '../trail/time-window.ts';
import { OPERATORS } from './lexer.ts';
import type { Line } from './line.ts';
import { isLeadIn, isWhoVerb, needsQuotes } from './vocabulary.ts';

/** The text of a line. A repeated filter is printed once. */
export function printLine({ name, words, filters, window, by, every, band, top, sort, cols, spend }: Line): string {
  return [
    printName(name),
    ...words.map((word, i) => (isReadOtherwise(name, word, i) ? quote(word) : printWord(word))),
    ...new Set(filters.map(printFilter)),
    ...(by ? [`by:${by.join(',')}`] : []),
    ...(every ? [`every:${every.count}${every.unit}`] : []),
    ...(band ? [`band:${band}d`] : []),
    ...(top ? [`top:${top}`] : []),
    ...(sort ? [`sort:${sort}`] : []),
    ...(cols ? [`cols:${cols.join(',')}`] : []),
    ...(window ? [printWindow(window)] : []),
    ...(spend ? [`spend:${spend}`] : []),
  ].join(' ');
}

/** The text of one filter. */
export function printFilter(filter: Filter): string {
  const sign = filter.negated ? '-' : '';
  if (isTerm(filter)) return `${sign}${filter.field}:${filter.values.map(printValue).join(',')}`;
  return `${sign}(${filter.any.map((all) => all.map(printFilter).join(' ')).join(' OR ')})`;
}

/** Whether a word is a time does not depend on the clock. */
const ANY_CLOCK = { now: new Date(0), timeZone: 'UTC' };

const SAFE_WORD = /^[A-Za-z0-9_@/+.=~#%^$!|;*?-]+$/;

/** True for a word that is read otherwise after another one: a field's name before a value, and a verb after `who`. */
const isReadOtherwise = (name: string, word: string, position: number): boolean =>
  (name !== 'help' && resolveField(word) !== undefined) || (position === 0 && name === 'who' && isWhoVerb(word));

/** A name is not at the start of a line what its words would be read as. */
const printName = (name: string): string => (isLeadIn(name) || /^[*_~>]/.test(name) || /^\d+[.]$/.test(name) ? quote(name) : printWord(name));

function printWord(text: string): string {
  const plain =
    SAFE_WORD.test(text.replaceAll(',', '')) &&
    !/^(?:-|[*_~]+[A-Za-z0-9])/.test(text) &&
    !readTimePhrase([text], ANY_CLOCK) &&
    !needsQuotes(text) &&
    !Object.hasOwn(OPERATORS, text);
  return plain || (/^arn:[\w:/.+=@-]+$/.test(text) && SAFE_WORD.test(text.replaceAll(':', ''))) || isIPv6(text) ? text : quote(text);
}

function printValue({ text, wildcard }: FilterValue): string {
  if (wildcard)
    return text
      .split(/([*?])/)
      .map((piece) => (piece === '' || piece === '*' || piece === '?' ? piece : printPlainText(piece)))
      .join('');
  return /[*?]/.test(text) || text === '' ? quote(text) : printPlainText(text);
}

const printPlainText = (text: string): string => (SAFE_WORD.test(text) || /^[\w:/.+=@-]+$/.test(text) ? text : quote(text));

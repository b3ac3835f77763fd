/** Prints a line as text. Printing and parsing are inverse: `parseLine(printLine(line))` equals the line. */
import { isIPv6 } from 'node:net';
import { quote } from '../text/quote.ts';
import { type Filter, isTerm } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { printWindow, readWindow } from '../trail/time-window.ts';
import { OPERATORS } from './lexer.ts';
import type { Line } from './line.ts';

/** The text of a line. A repeated filter is printed once. */
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

/** The text of one filter. */
export function printFilter(filter: Filter): string {
  const sign = filter.negated ? '-' : '';
  if (isTerm(filter)) return `${sign}${filter.field}:${filter.values.map(printValue).join(',')}`;
  return `${sign}(${filter.any.map((all) => all.map(printFilter).join(' ')).join(' OR ')})`;
}

const SAFE_WORD = /^[A-Za-z0-9_@/+.=~#%^$!|;*?-]+$/;
const WINDOW_WORDS = new Set(['since', 'around', 'last', 'past', 'on']);

function printWord(text: string): string {
  const plain =
    SAFE_WORD.test(text.replaceAll(',', '')) &&
    !text.startsWith('-') &&
    !readWindow([text]) &&
    !WINDOW_WORDS.has(text.toLowerCase()) &&
    text !== '/trail' &&
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

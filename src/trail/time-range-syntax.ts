/** Spans of time as Lucene writes them, `[a TO b]`, `{a TO b}`, `>a`, `<=b`, in the words of a line: `a..b`. */
import { readWindow } from './time-window.ts';

/** One end of a span: an instant, or `*` where it has none. A day, a minute or a second is as long as it is written. */
interface End {
  readonly at: string;
  readonly isIn: boolean;
}

/** Nothing was logged outside of these. */
const EVER = { from: '2013-01-01', to: '2199-12-31' } as const;

/** The span between two ends; undefined where an end is no time, or nothing lies between. */
export function rangeBetween(from: End, to: End): string | undefined {
  const [first, last] = [instantOf(from.at, EVER.from), instantOf(to.at, EVER.to)];
  if (first === undefined || last === undefined) return undefined;
  const start = from.isIn || from.at === '*' ? first : moved(first, 1);
  // A day that ends a span is in it; a minute or a second is not.
  const end = to.at === '*' ? last : last.includes('T') ? (to.isIn ? moved(last, 1) : last) : to.isIn ? last : moved(last, -1);
  const text = start === end ? start : `${start}..${end}`;
  return readWindow([text]) && !(start === end && end.includes('T')) ? text : undefined;
}

/** The span that `>2026-11-18` and its like are; undefined for other text. */
export function rangeOfComparison(text: string): string | undefined {
  const [, sign = '', at = ''] = /^([<>]=?)(\S+)$/.exec(text) ?? [];
  const end = { at, isIn: sign.endsWith('=') };
  const open = { at: '*', isIn: true };
  if (sign === '' || at === '*') return undefined;
  return sign.startsWith('>') ? rangeBetween(end, open) : rangeBetween(open, end);
}

/** An instant as windows hold it. */
function instantOf(text: string, ever: string): string | undefined {
  if (text === '*') return ever;
  const window = readWindow([text])?.window;
  return window?.kind === 'between' && window.from === window.to ? window.from : undefined;
}

const LENGTHS: Readonly<Record<number, number>> = { 10: 86_400_000, 16: 60_000, 19: 1000 };

/** The day, minute or second so many after another. */
function moved(instant: string, count: number): string {
  const start = Date.parse(`${instant}${instant.includes('T') ? '' : 'T00:00:00'}Z`);
  return new Date(start + count * (LENGTHS[instant.length] ?? 0)).toISOString().slice(0, instant.length);
}

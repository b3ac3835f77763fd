/** Lucene's time ranges, `[a TO b]`, `{a TO b}`, `>a`, `<=b`, rewritten as a line writes them: `a..b`. */
import { readWindow } from './time-window.ts';

/** One end of a range: a day, minute or second, or `*` for an open end. */
interface RangeEnd {
  readonly at: string;
  readonly isIncluded: boolean;
}

/** What `*` stands for: no event is logged outside of these. */
const OPEN_ENDS = { from: '2013-01-01', to: '2199-12-31' } as const;

/** The range between two ends; undefined when an end is not a time or the range is empty. */
export function rangeBetween(from: RangeEnd, to: RangeEnd): string | undefined {
  const [first, last] = [instantOf(from.at, OPEN_ENDS.from), instantOf(to.at, OPEN_ENDS.to)];
  if (first === undefined || last === undefined) return undefined;
  const start = from.isIncluded || from.at === '*' ? first : shiftInstant(first, 1);
  // `a..b` includes the day b, but not the minute or second b.
  const end =
    to.at === '*' ? last : last.includes('T') ? (to.isIncluded ? shiftInstant(last, 1) : last) : to.isIncluded ? last : shiftInstant(last, -1);
  const text = start === end ? start : `${start}..${end}`;
  return readWindow([text]) && !(start === end && end.includes('T')) ? text : undefined;
}

/** The range that a comparison such as `>2026-11-18` stands for; undefined for other text. */
export function rangeOfComparison(text: string): string | undefined {
  const [, sign = '', at = ''] = /^([<>]=?)(\S+)$/.exec(text) ?? [];
  const end = { at, isIncluded: sign.endsWith('=') };
  const open = { at: '*', isIncluded: true };
  if (sign === '' || at === '*') return undefined;
  return sign.startsWith('>') ? rangeBetween(end, open) : rangeBetween(open, end);
}

/** An instant as a `Window` holds it; undefined when the text is not one. */
function instantOf(text: string, ever: string): string | undefined {
  if (text === '*') return ever;
  const window = readWindow([text])?.window;
  return window?.kind === 'between' && window.from === window.to ? window.from : undefined;
}

const PRECISION_MS: Readonly<Record<number, number>> = { 10: 86_400_000, 16: 60_000, 19: 1000 };

/** The day, minute or second that is `count` after `instant`. */
function shiftInstant(instant: string, count: number): string {
  const start = Date.parse(`${instant}${instant.includes('T') ? '' : 'T00:00:00'}Z`);
  return new Date(start + count * (PRECISION_MS[instant.length] ?? 0)).toISOString().slice(0, instant.length);
}

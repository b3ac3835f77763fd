/** A line in the parts of a form: the question, its words, what narrows or shapes it, and its time. */

import type { Line } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { printWindow } from '../trail/time-window.ts';

export interface FormParts {
  /** The name of the question; empty for none. */
  readonly question: string;
  readonly words: string;
  /** Filters, and keys such as `by:` and `top:`. */
  readonly filters: string;
  readonly time: string;
}

/** A line in parts. Put together again they are the same line. */
export function partsOfLine({ name, words, window, ...rest }: Line): FormParts {
  const textOf = (part: Partial<Line>): string => printLine({ name: '', words: [], filters: [], ...part }).replace(/^""\s*/, '');
  return { question: name, words: textOf({ words }), filters: textOf(rest), time: window ? printWindow(window) : '' };
}

export const lineOfParts = ({ question, words, filters, time }: FormParts): string =>
  [question, words, filters, time]
    .map((part) => part.trim())
    .filter(Boolean)
    .join(' ');

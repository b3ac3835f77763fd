/**
 * A parsed question line: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. People type it, buttons carry it, and answers
 * repeat it.
 */
import { UserError } from '../errors.ts';
import type { Filter, Term } from '../trail/filter.ts';
import type { Interval } from '../trail/time-buckets.ts';
import type { Window } from '../trail/time-window.ts';

/** The orders of rows: most first, fewest first, latest first seen first, newest event first. */
export const SORTS = ['top', 'rare', 'new', 'time'] as const;
type Sort = (typeof SORTS)[number];

/** How a line asks to group, order and limit the answer. */
export interface AnswerShape {
  /** Fields to group by, by their printed names. */
  readonly by?: readonly string[];
  /** The length of the intervals to count in. */
  readonly every?: Interval;
  /** The maximum number of rows. */
  readonly top?: number;
  readonly sort?: Sort;
  /** How many days before the time show what is usual, for counts over time: `band:14d`. */
  readonly band?: number;
}

/** A parsed question line. */
export interface Line extends AnswerShape {
  readonly name: string;
  readonly words: readonly string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  /** The columns to show, by name, label or field: `cols:time,user,ip`. */
  readonly cols?: readonly string[];
  /** Dollars that the answer may cost without a confirmation: `spend:7`. */
  readonly spend?: number;
}

/** The most characters of a line. Reading one takes time, during which the process answers nobody. */
export const MAX_LINE_LENGTH = 2000;

/** A line without the blanks around it. @throws UserError for one that is too long, before anything else looks at it. */
export function trimLine(text: string): string {
  const trimmed = text.trim();
  const { length } = trimmed;
  if (length > MAX_LINE_LENGTH)
    throw new UserError(
      `A question has at most ${MAX_LINE_LENGTH.toLocaleString('en-US')} characters, and this one has ${length.toLocaleString('en-US')}. Ask about fewer names at once, or use the beginning of a name followed by *.`,
    );
  return trimmed;
}

/** The highest number that `top:` accepts. */
export const MAX_ROWS = 10_000;

/** A filter on one exact value. */
export const exactFilter = (field: string, text: string): Term => ({ field, negated: false, values: [{ text, wildcard: false }] });

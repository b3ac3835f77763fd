/**
 * A question line, as a value: `count source:s3 -user:"ci deploy" 30d by:event sort:rare`. It is what a person types, what a
 * button holds and what a message says it answered.
 */
import type { Filter, Term } from '../trail/filter.ts';
import type { Interval } from '../trail/time-buckets.ts';
import type { Window } from '../trail/time-window.ts';

/** How rows are ordered: most first, fewest first, first seen latest, newest event first. */
export const SORTS = ['top', 'rare', 'new', 'time'] as const;
type Sort = (typeof SORTS)[number];

/** What a line asks of the shape of its answer. */
export interface AnswerShape {
  /** Fields to group by, by their own names. */
  readonly by?: readonly string[];
  readonly every?: Interval;
  /** The most rows wanted. */
  readonly top?: number;
  readonly sort?: Sort;
}

/** A question line, read. */
export interface Line extends AnswerShape {
  readonly name: string;
  readonly words: readonly string[];
  readonly filters: readonly Filter[];
  readonly window?: Window;
  /** The columns wanted of the answer's table, by their names, labels or fields: `cols:time,user,ip`. */
  readonly cols?: readonly string[];
  /** Dollars that the answer may cost without being asked about: `spend:7`. */
  readonly spend?: number;
}

/** The highest number that `top:` takes. */
export const MAX_ROWS = 10_000;

/** A filter on exactly one value. Buttons and rows use it. */
export const exactFilter = (field: string, text: string): Term => ({ field, negated: false, values: [{ text, wildcard: false }] });

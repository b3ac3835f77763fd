/** Filters on the time, which are the window of a question that has no other: `time:2026-04-20..2026-05-02`. */
import { type Filter, isTerm, parseTimeRange, type Term } from '../trail/filter.ts';
import { type TimeRange, windowOfRange } from '../trail/time-window.ts';
import type { Line } from './line.ts';

/**
 * A line whose filters on one time each, of which all must match, are its window. So the days that are read are theirs, and an empty
 * answer names that time. With a window beside them, or times that exclude one another, the line is as it was.
 */
export function withTimeAsWindow(line: Line): Line {
  if (line.window) return line;
  const ranges = line.filters.map(rangeOf);
  const all = ranges.filter((range) => range !== undefined);
  const from = new Date(Math.max(...all.map((range) => range.from.getTime())));
  const to = new Date(Math.min(...all.map((range) => range.to.getTime())));
  if (all.length === 0 || from >= to) return line;
  return { ...line, filters: line.filters.filter((_, i) => ranges[i] === undefined), window: windowOfRange({ from, to }) };
}

/** The range of a filter that matches only events of one time. */
function rangeOf(filter: Filter): TimeRange | undefined {
  if (!isTerm(filter) || filter.field !== 'time' || filter.negated || filter.values.length !== 1) return undefined;
  const [value] = filter.values;
  return value && !value.wildcard ? parseTimeRange(value.text) : undefined;
}

/** The filters on a time that must match, or may, in groups too; not those that exclude one. */
export const includedTimes = (filters: readonly Filter[], isExcluded = false): readonly Term[] =>
  filters.flatMap((filter) => {
    const isNegated = filter.negated !== isExcluded;
    if (!isTerm(filter)) return includedTimes(filter.any.flat(), isNegated);
    return filter.field === 'time' && !isNegated ? [filter] : [];
  });

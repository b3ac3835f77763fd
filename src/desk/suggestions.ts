/** What to ask instead, when an answer is empty. */
import { suggestFilters } from '../analysis/filter-suggestions.ts';
import type { Finding, Next } from '../answer/answer.ts';
import type { Command } from '../answer/command.ts';
import type { Context } from '../answer/context.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printFilter, printLine } from '../question/print.ts';
import { formatCount, truncate } from '../text/format.ts';
import type { Filter } from '../trail/filter.ts';
import type { TimeRange, Window } from '../trail/time-window.ts';

/** Adds suggestions to an empty finding: first the nearest names, then the question without each filter. */
export async function withSuggestions(
  found: Finding,
  line: Line,
  { freeText = false }: Pick<Command, 'freeText'>,
  window: TimeRange,
  context: Context,
): Promise<Finding> {
  if (found.table?.rows.length !== 0) return found;
  const filters = await suggestFilters(line.filters, window, context).catch((error: unknown) => {
    // The answer is kept when a query for a suggestion would exceed a limit.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  const ownFollowUps = found.next ?? [];
  const changed = filters?.filter((filter) => !line.filters.includes(filter));
  const didYouMean: Next[] =
    filters && changed ? [{ label: `Did you mean ${changed.map(briefly).join(' ')}?`, line: printLine({ ...line, filters }) }] : [];
  const without = line.filters.slice(0, MAX_WITHOUT).map((filter) => ({
    label: `Without ${briefly(filter)}`,
    line: printLine({ ...line, filters: line.filters.filter((other) => other !== filter) }),
  }));
  const withoutWords = (freeText ? line.words : []).slice(0, MAX_WITHOUT).map((word, i) => ({
    label: `Without “${truncate(word)}”`,
    line: printLine({ ...line, words: line.words.toSpliced(i, 1) }),
  }));
  const isNew = ({ line: asked }: Next): boolean => ownFollowUps.every((other) => other.line !== asked);
  return {
    ...found,
    next: [
      ...didYouMean,
      ...ownFollowUps.filter(({ widens }) => !widens),
      ...[...withoutWords, ...without].filter(isNew),
      ...ownFollowUps.filter(({ widens }) => widens),
    ],
  };
}

/** The finding with a remark when its time is in minutes and was probably meant in months: `6m`. */
export function withMonths(found: Finding, line: Line): Finding {
  const count = countOfMinutes(line.window);
  if (count === undefined) return found;
  const remark = `${count}m is ${formatCount(count, 'minute')}; ${count}mo is ${formatCount(count, 'month')}.`;
  const inMonths = { label: `The same, ${count}mo`, line: printLine({ ...line, window: { kind: 'ago', count, unit: 'mo' } }) };
  // An empty answer says it in its sentence.
  const note = found.table?.rows.length === 0 ? found.note : [found.note, remark].filter(Boolean).join(' ');
  return { ...found, ...(note !== undefined && { note }), next: [inMonths, ...(found.next ?? [])] };
}

/** The count of a time in few minutes, such as `6m`, which was probably meant in months; undefined for other times. */
export const countOfMinutes = (window: Window | undefined): number | undefined =>
  window?.kind === 'ago' && window.unit === 'm' && window.count <= MAX_MONTHS ? window.count : undefined;

/** People ask about up to two years in months, and seldom about a few minutes. */
const MAX_MONTHS = 24;

const MAX_WITHOUT = 3;
const MAX_LABEL = 60;

/** A filter in a label; of a long one its field. */
function briefly(filter: Filter): string {
  const printed = printFilter(filter);
  if (printed.length <= MAX_LABEL) return printed;
  return 'field' in filter ? `${filter.field}:…` : '(…)';
}

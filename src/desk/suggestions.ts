/** What to ask instead, when an answer is empty. */
import { suggestFilters } from '../analysis/filter-suggestions.ts';
import type { Finding, Next } from '../answer/answer.ts';
import type { Context } from '../answer/context.ts';
import { UserError } from '../errors.ts';
import type { Line } from '../question/line.ts';
import { printFilter, printLine } from '../question/print.ts';
import type { Filter } from '../trail/filter.ts';
import type { TimeRange } from '../trail/time-window.ts';

/** Adds suggestions to an empty finding: first the nearest names, then the question without each filter. */
export async function withSuggestions(found: Finding, line: Line, window: TimeRange, context: Context): Promise<Finding> {
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
  const isNew = ({ line: asked }: Next): boolean => ownFollowUps.every((other) => other.line !== asked);
  return {
    ...found,
    next: [...didYouMean, ...ownFollowUps.filter(({ widens }) => !widens), ...without.filter(isNew), ...ownFollowUps.filter(({ widens }) => widens)],
  };
}

const MAX_WITHOUT = 3;
const MAX_LABEL = 60;

/** A filter in a label; of a long one its field. */
function briefly(filter: Filter): string {
  const printed = printFilter(filter);
  if (printed.length <= MAX_LABEL) return printed;
  return 'field' in filter ? `${filter.field}:…` : '(…)';
}

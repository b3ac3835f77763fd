/** For an empty answer: the same question with the nearest name in the trail. */

import { closestColumnValue, closestOther } from '../analysis/filter-suggestions.ts';
import { UserError } from '../errors.ts';
import type { Sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Next } from './answer.ts';
import type { Context } from './context.ts';

/** Where the names come from: a column of the events, or a list that is known without a query. */
export type NameSource = { readonly column: Sql } | { readonly among: 'accounts' | 'regions' };

/** The question with the name nearest to the typed one, as a follow-up; empty when no name is near. */
export async function didYouMean(
  names: NameSource,
  typed: string,
  window: TimeRange,
  context: Context,
  lineOf: (name: string) => string,
): Promise<Next[]> {
  const meant = await nearestName(names, typed, window, context).catch((error: unknown) => {
    // The answer is kept when a query for a suggestion would exceed a limit.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  return meant === undefined ? [] : [{ label: `Did you mean ${meant}?`, line: lineOf(meant) }];
}

const nearestName = async (names: NameSource, typed: string, window: TimeRange, context: Context): Promise<string | undefined> =>
  'column' in names ? closestColumnValue(names.column, typed, window, context) : closestOther(typed, (await context.extent())[names.among]);

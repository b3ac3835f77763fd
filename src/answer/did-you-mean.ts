/** What was most likely meant, where an answer is empty: the nearest name that the trail has, as the first question to offer. */

import { closestColumnValue, closestOther } from '../analysis/filter-suggestions.ts';
import { UserError } from '../errors.ts';
import type { Sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Next } from './answer.ts';
import type { Context } from './context.ts';

/** Where the names stand: in a column of the events, or in a list that the trail is known to have. */
export type Names = { readonly column: Sql } | { readonly among: 'accounts' | 'regions' };

/** The question with the name that is nearest to what was typed; none where no name is near. */
export async function didYouMean(
  names: Names,
  typed: string,
  window: TimeRange,
  context: Context,
  lineOf: (name: string) => string,
): Promise<Next[]> {
  const meant = await nearestName(names, typed, window, context).catch((error: unknown) => {
    // An answer is not lost because a better question would be dear.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  return meant === undefined ? [] : [{ label: `Did you mean ${meant}?`, line: lineOf(meant) }];
}

const nearestName = async (names: Names, typed: string, window: TimeRange, { ask, extent }: Context): Promise<string | undefined> =>
  'column' in names ? closestColumnValue(names.column, typed, window, ask) : closestOther(typed, (await extent())[names.among]);

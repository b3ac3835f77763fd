/** How many rows a table has: as many as a screen takes, or in an export all of them. */
import { isNowhere, type Places } from '../trail/places.ts';
import type { Query } from '../trail/sql.ts';
import { mapRows, type Row, type Table } from './answer.ts';
import type { Context } from './context.ts';
import { DEFAULT_ROWS } from './event-list.ts';

/** What was found for a table. */
interface TableRows<Found> {
  /** The first rows: all that a screen shows. */
  readonly found: readonly Found[];
  /** True when there are more than these. */
  readonly more: boolean;
  /** The rows for the table. */
  readonly rows: Pick<Table, 'rows' | 'rest' | 'more'>;
}

/**
 * Reads the rows of a table: up to `top:`, by default 1,000; in an export without `top:` all of them.
 *
 * @param queryUpTo the query for so many rows, or for all: it ends with `limit(max)`.
 * @param places where the rows may be; nothing is read when that is nowhere. Default: anywhere.
 */
export async function tableRows<Found>(
  { ask, askAll }: Context,
  typedTop: number | undefined,
  queryUpTo: (max: number | undefined) => Query<Found>,
  toRow: (found: Found) => Row,
  places?: Places,
): Promise<TableRows<Found>> {
  if (isNowhere(places)) return { found: [], more: false, rows: { rows: [], more: false } };
  const top = typedTop ?? DEFAULT_ROWS;
  if (askAll && typedTop === undefined) {
    const { rows: found, rest } = await askAll(queryUpTo(undefined), top);
    return { found, more: rest !== undefined, rows: { rows: found.map(toRow), ...(rest && { rest: mapRows(rest, toRow) }), more: false } };
  }
  const all = await ask(queryUpTo(top + 1));
  const [found, more] = [all.slice(0, top), all.length > top];
  return { found, more, rows: { rows: found.map(toRow), more } };
}

/** The rows of an export that a question needs in memory, all at once. */
const MAX_EXPORT_ROWS = 20_000;

/** A limit on rows that a question reads into memory: `onScreen`, and more in an export. */
export const memoryLimit = ({ askAll }: Context, onScreen: number): number => (askAll ? Math.max(onScreen, MAX_EXPORT_ROWS) : onScreen);

/** Event lists that hide routine calls but count them, and show them with the word `all`. */
import { z } from 'zod';
import { isRoutine } from './routine-calls.ts';
import { join, limit, type Query, query, raw, type Sql, sql } from './sql.ts';

/** The word `all` of a line, which shows routine calls. */
export const allWord = z
  .enum(['all'], 'The only word allowed here is “all”, which also shows routine calls. To search, use a field, such as user:maria*.')
  .optional();

/** A column and its SQL expression. The expression has no values, because Athena takes parameters only in WHERE. */
export interface ColumnExpression {
  readonly name: string;
  readonly from: Sql;
}

/** Where to read events. With `hidesRoutine`, the column `routine` is true for routine calls. */
export interface EventSource {
  readonly relation: Sql;
  readonly where: Sql;
  readonly hidesRoutine: boolean;
  /** Reads at most this many events of each call, the newest, so that a busy call cannot push out a rare one. */
  readonly maxPerCall?: number;
}

/** The source as `from … where …`. */
export function fromWhere({ relation, where, hidesRoutine, maxPerCall }: EventSource): Sql {
  const marked = hidesRoutine ? sql`(select *, ${isRoutine} as routine from ${relation} where ${where}) as marked` : sql`${relation}`;
  const from = hidesRoutine ? sql`from ${marked}` : sql`from ${marked} where ${where}`;
  if (maxPerCall === undefined) return from;
  const kind = hidesRoutine ? sql`eventsource, eventname, routine` : sql`eventsource, eventname`;
  const ranked = sql`select *, row_number() over (partition by ${kind} order by eventtime desc, eventid) as nth ${from}`;
  return sql`from (${ranked}) as ranked where ${hidesRoutine ? sql`routine or ` : sql``}nth <= ${maxPerCall}`;
}

/** An event of a list, or the row with the number of hidden events. */
export type EventOrHidden<Event> = Event | HiddenCount;
const hiddenCount = z.object({ eventtime: z.null(), hidden: z.coerce.number() });
type HiddenCount = z.output<typeof hiddenCount>;

/** The newest events of a source, newest first, or all without `maxRows`. Hidden events are counted in a first row without other values, which saves a second scan. */
export function newestEvents<Event extends { readonly eventtime: string }>(
  event: z.ZodType<Event>,
  columns: readonly ColumnExpression[],
  source: EventSource,
  maxRows: number | undefined,
): Query<EventOrHidden<Event>> {
  const row = z.union([event, hiddenCount]);
  const each = (write: (column: ColumnExpression) => Sql) => join(columns.map(write), ', ');
  if (!source.hidesRoutine) {
    return query(row)`
      select ${each(({ name, from }) => (from.text === name ? from : sql`${from} as ${raw(name)}`))}
      ${fromWhere(source)}
      order by eventtime desc, eventid
      ${limit(maxRows)}
    `;
  }
  return query(row)`
    select ${each(({ name }) => raw(name))}, count(distinct hiddenid) as hidden
    from (
      select ${each(({ name, from }) => sql`case when not routine then ${from} end as ${raw(name)}`)}, case when routine then eventid end as hiddenid
      ${fromWhere(source)}
    ) as listed
    group by ${each(({ name }) => raw(name))}
    order by eventtime desc nulls first, eventid nulls first
    ${limit(maxRows === undefined ? undefined : maxRows + 1)}
  `;
}

/** Splits the rows of `newestEvents` into events and the number of hidden ones. */
export function splitHidden<Event extends { readonly eventtime: string }>(
  rows: readonly EventOrHidden<Event>[],
): { readonly events: readonly Event[]; readonly hidden: number } {
  const isHidden = (row: EventOrHidden<Event>): row is HiddenCount => row.eventtime === null;
  return {
    events: rows.filter((row) => !isHidden(row)) as Event[],
    hidden: rows.reduce((sum, row) => sum + (isHidden(row) ? row.hidden : 0), 0),
  };
}

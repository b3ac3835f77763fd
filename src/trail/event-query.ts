/** Lists and counts that leave routine calls out: they say how many there were, and show them when asked for `all`. */
import { z } from 'zod';
import { isRoutine } from './routine-calls.ts';
import { join, limit, type Query, query, raw, type Sql, sql } from './sql.ts';

/** The word of a line that shows routine calls, too. */
export const allWord = z
  .enum(
    ['all'],
    'The one word that goes here is “all”, which shows routine calls, too. To search for anything else, name a field, as in user:maria*.',
  )
  .optional();

/** A column, and the expression that it is: fixed SQL without values, for Athena takes them in WHERE alone. */
export interface ColumnExpression {
  readonly name: string;
  readonly from: Sql;
}

/** Where events are read. In those that are `quiet`, `noise` says of each event whether it is some. */
export interface EventSource {
  readonly relation: Sql;
  readonly where: Sql;
  readonly hidesRoutine: boolean;
}

/** The source as `from … where …`. */
export const fromWhere = ({ relation, where, hidesRoutine: quiet }: EventSource): Sql =>
  quiet ? sql`from (select *, ${isRoutine} as noise from ${relation} where ${where}) as marked` : sql`from ${relation} where ${where}`;

/** An event of a list; or, with only its number, what was left out of it. */
export type EventOrHidden<Event> = Event | HiddenCount;
const left = z.object({ eventtime: z.null(), quieted: z.coerce.number() });
type HiddenCount = z.output<typeof left>;

/** The newest events of a source, newest first. What is left out of them comes first, as one row without values: to count it costs no second reading. */
export function newestEvents<Event extends { readonly eventtime: string }>(
  event: z.ZodType<Event>,
  columns: readonly ColumnExpression[],
  source: EventSource,
  most: number,
): Query<EventOrHidden<Event>> {
  const told = z.union([event, left]);
  const each = (write: (column: ColumnExpression) => Sql) => join(columns.map(write), ', ');
  if (!source.hidesRoutine) {
    return query(told)`
      select ${each(({ name, from }) => (from.text === name ? from : sql`${from} as ${raw(name)}`))}
      ${fromWhere(source)}
      order by eventtime desc, eventid
      ${limit(most)}
    `;
  }
  return query(told)`
    select ${each(({ name }) => raw(name))}, count(distinct quietid) as quieted
    from (
      select ${each(({ name, from }) => sql`case when not noise then ${from} end as ${raw(name)}`)}, case when noise then eventid end as quietid
      ${fromWhere(source)}
    ) as told
    group by ${each(({ name }) => raw(name))}
    order by eventtime desc nulls first, eventid nulls first
    ${limit(most + 1)}
  `;
}

/** The events among rows, and how many calls were left out of them. */
export function splitHidden<Event extends { readonly eventtime: string }>(
  rows: readonly EventOrHidden<Event>[],
): { readonly events: readonly Event[]; readonly hidden: number } {
  const isLeft = (row: EventOrHidden<Event>): row is HiddenCount => row.eventtime === null;
  return {
    events: rows.filter((row) => !isLeft(row)) as Event[],
    hidden: rows.reduce((sum, row) => sum + (isLeft(row) ? row.quieted : 0), 0),
  };
}

/** A preset as a list: its events, newest first, and how many were left out. */
import { z } from 'zod';
import type { Context, Finding } from '../answer.ts';
import { UserError } from '../errors.ts';
import { DEFAULT_ROWS, eventTable, listedRow, newestFirst } from '../listing.ts';
import { join, limit, type Query, query, type Sql, sql } from '../trail/sql.ts';
import { printWindow, type TimeRange, wider } from '../trail/window.ts';
import { type Computed, distinct, named, noiseNext, type Question, reading } from './question.ts';

/** An event of a list, with its computed columns. */
export type PresetEvent = z.output<typeof event>;
const event = listedRow.catchall(z.string().nullable());

/** The events of a question, from as much of its time as it takes. */
export async function list(question: Question, context: Context): Promise<Finding> {
  const { range, top = DEFAULT_ROWS, sort = 'time', line } = question;
  if (sort !== 'time') {
    throw new UserError(`sort:${sort} orders counts, and this is a list of events. Add by:event, or leave sort: out.`, line({ by: ['event'], sort }));
  }
  const rows = await newestFirst(context, range, {
    query: (part) => newest(question, part, top),
    isEnough: (some) => some.filter(isEvent).length > top,
    soFar: (some) => finding(question, some, top),
  });
  return finding(question, rows, top);
}

function finding(question: Question, rows: readonly Told[], top: number): Finding {
  const { caption, columns = [], hidden = [], range, line, said, counts } = question;
  const events = rows.filter(isEvent);
  const table = eventTable(caption, events, { most: top, hidden, extra: columns.map(({ from: _, ...column }) => ({ ...column, kind: 'text' })) });
  const listed = events.slice(0, top);
  const deeds = listed.filter(({ outcome }) => outcome === 'ok');
  const left = rows.reduce((sum, row) => sum + (isEvent(row) ? 0 : row.quieted), 0);
  const noise = noiseNext(question, left);
  return {
    data: {
      count: listed.length,
      more: table.more,
      newest: listed[0] ?? null,
      filtered: question.filters.length > 0,
      deeds: deeds.length,
      attempts: listed.length - deeds.length,
      latest: deeds[0] ?? listed[0] ?? null,
      actors: new Set(deeds.map(({ actor }) => actor)).size,
      hidden: left,
      ...question.told?.(listed),
    },
    table,
    next: distinct(
      events.length > 0
        ? [
            ...question.own,
            counts ? { label: 'Count them', line: line() } : { label: 'Count by event', line: line({ by: ['event'] }) },
            { label: 'Count by user', line: line({ by: ['user'] }) },
            ...noise,
          ]
        : [...noise, { label: `The same, ${printWindow(wider(range))}`, line: line({ ...said, window: wider(range) }) }],
    ),
  };
}

const usual = Object.keys(listedRow.shape).map((name) => ({ name, from: named(name) }));

/** An event of a list; or, with only its number, what was left out of it. */
const told = z.union([event, z.object({ eventtime: z.null(), quieted: z.coerce.number() })]);
type Told = z.output<typeof told>;

const isEvent = (row: Told): row is PresetEvent => row.eventtime !== null;

/** The newest events of a part of the window. What is left out comes first, as one row without values: to count it costs no second reading. */
function newest(question: Question, part: TimeRange, top: number): Query<Told> {
  const shown = [...usual, ...(question.columns ?? [])];
  const each = (write: (column: Pick<Computed, 'name' | 'from'>) => Sql) => join(shown.map(write), ', ');
  if (!question.quiet) {
    return query(told)`
      select ${each(({ name, from }) => (from.text === name ? from : sql`${from} as ${named(name)}`))}
      ${reading(question, part)}
      order by eventtime desc, eventid
      ${limit(top + 1)}
    `;
  }
  return query(told)`
    select ${each(({ name }) => named(name))}, count(distinct quietid) as quieted
    from (
      select ${each(({ name, from }) => sql`case when not noise then ${from} end as ${named(name)}`)}, case when noise then eventid end as quietid
      ${reading(question, part)}
    ) as told
    group by ${each(({ name }) => named(name))}
    order by eventtime desc nulls first, eventid nulls first
    ${limit(top + 2)}
  `;
}

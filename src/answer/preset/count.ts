/** A preset as a count: groups by fields, by steps of time or both, each leading to its events. */
import { z } from 'zod';
import { exactFilter } from '../../question/line.ts';
import { fromWhere } from '../../trail/event-query.ts';
import { distinctEventCount } from '../../trail/events.ts';
import { type Filter, groupColumn } from '../../trail/filter.ts';
import { join, limit, query, raw, type Sql, sql } from '../../trail/sql.ts';
import { countIntervals, intervalName, intervalStart, intervalWindow } from '../../trail/time-buckets.ts';
import type { Column, Finding, Row } from '../answer.ts';
import type { Context } from '../context.ts';
import { DEFAULT_ROWS, widerTime } from '../event-list.ts';
import { distinct, noiseNext, type PresetQuestion } from './preset-question.ts';

/** The groups of a question. */
export async function count(question: PresetQuestion, { ask }: Context): Promise<Finding> {
  const { by = [], every, top = DEFAULT_ROWS, sort = 'top', measures = [] } = question;
  const { range, filters, line, counts } = question;
  // What is high by another number can be far down by this one.
  const rival = sort === 'top' && !every ? question.alsoBy : undefined;
  const most = question.alsoBy && !every ? MOST_GROUPS : top;
  const found = await ask(groupsOf(question, every && sort === 'time' ? LATEST : ORDER[sort], most + 1));
  const hidden = found.reduce((sum, { key0, events }) => sum + (key0 === 'quiet' ? Number(events) : 0), 0);
  const groups = found.filter(({ key0 }) => key0 !== 'quiet');
  const [any] = groups;
  const highest = rival ? new Set(groups.toSorted((a, b) => Number(b[rival]) - Number(a[rival])).slice(0, top)) : new Set<unknown>();
  const names = [...(every ? ['step'] : []), ...by];
  const listing = counts ? ({ sort: 'time' } as const) : {};
  const read = groups.map((each): Row => {
    const keyed = names.map((name, i) => [name, each[`key${i + 1}`] ?? null] as const);
    const step = every && intervalWindow(each.key1 ?? '', every, range);
    // A user is looked for under every name; a row is of one.
    const picked = keyed.flatMap(([name, value]) =>
      name === 'step' ? [] : [value === null ? without(name) : exactFilter(name === 'user' ? 'actor' : name, value)],
    );
    return {
      cells: {
        ...Object.fromEntries(keyed),
        events: Number(each.events),
        ...Object.fromEntries(measures.map(({ name }) => [name, Number(each[name])])),
        first: each.first ?? null,
        last: each.last ?? null,
      },
      next: {
        label: keyed.map(([, value]) => value ?? '—').join(' '),
        line: line({ ...listing, filters: [...filters, ...picked], ...(step && { window: step }) }),
      },
    };
  });
  const shown = read.filter((_, i) => i < top || highest.has(groups[i]));
  const rows = every && sort === 'time' ? shown.toReversed() : shown;
  const sums = Object.fromEntries(['events', ...measures.map(({ name }) => name)].map((name) => [name, Number(any?.[`all_${name}`] ?? 0)]));
  const biggest = rows.find(({ cells }) => cells.events === Number(any?.most));
  const more = Number(any?.groups ?? 0) > rows.length;
  return {
    data: {
      groups: Number(any?.groups ?? 0),
      shown: rows.length,
      more,
      events: sums.events,
      failed: sums.failed ?? 0,
      by: WORDS.format(names.map((name) => (name === 'step' && every ? intervalName(every).one : name))),
      ...(every && by.length === 0 && { steps: countIntervals(range, every), step: intervalName(every) }),
      most: biggest && Number(any?.groups) > 1 ? { name: biggest.next?.label, events: biggest.cells.events } : null,
      filtered: filters.length > 0,
      hidden,
      ...question.toldOfCounts?.({ rows, read, sums, range }),
    },
    table: {
      caption: `${question.caption.replace(/, newest first$/, '')} by ${names.join(', ')}`,
      columns: [
        ...names.map((name): Column => (name === 'step' ? { name, label: 'From (UTC)', kind: 'time' } : { name, label: name, kind: 'text' })),
        { name: 'events', label: 'events', kind: 'count' },
        ...measures.map(({ from: _, ...column }): Column => ({ ...column, kind: 'count' })),
        { name: 'first', label: 'first (UTC)', kind: 'time' },
        { name: 'last', label: 'last (UTC)', kind: 'time' },
      ],
      rows,
      more,
    },
    next: distinct(
      rows.length > 0
        ? [...question.own, { label: 'List them', line: line(listing) }, ...noiseNext(question, hidden)]
        : [...noiseNext(question, hidden), widerTime(range, (wide) => line({ ...question.typedShape, window: wide }))],
    ),
  };
}

/** The first groups in an order, each with the sums over all of them: an event is in one group alone. What is left out is one group more. */
function groupsOf({ by = [], every, measures = [], quiet, source, range }: PresetQuestion, order: Sql, most: number) {
  const columns = [...(every ? [intervalStart(every)] : []), ...by.map(groupColumn)];
  const keys = [
    sql`${quiet ? sql`case when routine then 'quiet' else 'told' end` : sql`'told'`} as key0`,
    ...columns.map((column, i) => sql`${quiet ? sql`case when not routine then ${column} end` : column} as ${raw(`key${i + 1}`)}`),
  ];
  const positions = join(
    keys.map((_, i) => raw(String(i + 1))),
    ', ',
  );
  const numbers = [{ name: 'events', from: distinctEventCount }, ...measures];
  const ofAll = (name: string, sum: Sql): Sql => sql`${sum} over (partition by key0) as ${raw(name)}`;
  return query(group)`
    select *, ${join([ofAll('groups', sql`count(*)`), ofAll('most', sql`max(events)`), ...numbers.map(({ name }) => ofAll(`all_${name}`, sql`sum(${raw(name)})`))], ', ')}
    from (
      select ${join([...keys, ...numbers.map(({ name, from }) => sql`${from} as ${raw(name)}`)], ', ')}, min(eventtime) as first, max(eventtime) as last
      ${fromWhere(source(range))}
      group by ${positions}
    ) as grouped
    order by key0, ${order} nulls last, ${positions}
    ${limit(quiet ? most + 1 : most)}
  `;
}

/** A filter on events that have no value in a field: what a row of a count without one leads to. */
const without = (field: string): Filter => ({ field, negated: true, values: [{ text: '*', wildcard: true }] });

const ORDER = {
  top: sql`events desc`,
  rare: sql`events asc`,
  new: sql`first desc`,
  time: sql`first asc`,
} as const;

/** Of a long series the end is told. */
const LATEST = sql`key1 desc`;

const WORDS = new Intl.ListFormat('en-GB');

const MOST_GROUPS = 10_000;

// The columns of a group are named by position, so that no field's name meets a word that an engine keeps for itself.
const group = z.record(z.string(), z.string().nullable());

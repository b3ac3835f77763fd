/** A preset as a count: groups by fields, by steps of time or both, each leading to its events. */
import { z } from 'zod';
import type { Column, Context, Finding, Row } from '../answer.ts';
import { only } from '../line.ts';
import { DEFAULT_ROWS } from '../listing.ts';
import { eventCount } from '../trail/events.ts';
import { columnOf, type Filter } from '../trail/filter.ts';
import { stepOf, windowOf } from '../trail/series.ts';
import { join, limit, query, sql } from '../trail/sql.ts';
import { printWindow, wider } from '../trail/window.ts';
import { distinct, named, noiseNext, type Question, reading } from './question.ts';

/** The groups of a question. */
export async function count(question: Question, { ask }: Context): Promise<Finding> {
  const { by = [], every, top = DEFAULT_ROWS, sort = every ? 'time' : 'top', measures = [] } = question;
  const { quiet, range, filters, line, counts } = question;
  const columns = [...(every ? [stepOf(every)] : []), ...by.map(columnOf)];
  const keys = [
    ...(quiet ? [sql`case when noise then 'quiet' else 'told' end as key0`] : []),
    ...columns.map((column, i) => sql`${quiet ? sql`case when not noise then ${column} end` : column} as ${named(`key${i + 1}`)}`),
  ];
  const positions = join(
    keys.map((_, i) => named(String(i + 1))),
    ', ',
  );
  const numbers = measures.map(({ name, from: number }) => sql`, ${number} as ${named(name)}`);
  // What is high by another number can be far down by this one.
  const rival = sort === 'top' && !every ? question.alsoBy : undefined;
  const most = rival ? MOST_GROUPS : top;
  const found = await ask(query(counted)`
    select ${join(keys, ', ')}, ${eventCount} as events, min(eventtime) as first, max(eventtime) as last${numbers.reduce((text, number) => sql`${text}${number}`, sql``)}
    ${reading(question, range)}
    group by ${positions}
    order by ${quiet ? sql`1, ` : sql``}${ORDER[sort]} nulls last, ${positions}
    ${limit(quiet ? most + 2 : most + 1)}
  `);
  const left = found.reduce((sum, { key0, events }) => sum + (key0 === 'quiet' ? Number(events) : 0), 0);
  const groups = found.filter(({ key0 }) => key0 !== 'quiet');
  const highest = rival ? new Set(groups.toSorted((a, b) => Number(b[rival]) - Number(a[rival])).slice(0, top)) : new Set();
  const shown = groups.filter((group, i) => i < top || highest.has(group));
  const more = groups.length > shown.length;
  const names = [...(every ? ['step'] : []), ...by];
  const listing = counts ? ({ sort: 'time' } as const) : {};
  const rows = shown.map((group): Row => {
    const keyed = names.map((name, i) => [name, group[`key${i + 1}`] ?? null] as const);
    const step = every && windowOf(group.key1 ?? '', every, range);
    const picked = keyed.flatMap(([name, value]) => (name === 'step' ? [] : [value === null ? without(name) : only(name, value)]));
    return {
      cells: {
        ...Object.fromEntries(keyed),
        events: Number(group.events),
        ...Object.fromEntries(measures.map(({ name }) => [name, Number(group[name])])),
        first: group.first ?? null,
        last: group.last ?? null,
      },
      next: {
        label: keyed.map(([, value]) => value ?? '—').join(' '),
        line: line({ ...listing, filters: [...filters, ...picked], ...(step && { window: step }) }),
      },
    };
  });
  const [biggest] = rows.toSorted((a, b) => Number(b.cells.events) - Number(a.cells.events));
  return {
    data: {
      groups: rows.length,
      more,
      events: rows.reduce((sum, { cells }) => sum + Number(cells.events), 0),
      by: names.map((name) => (name === 'step' ? `steps of ${every?.count}${every?.unit}` : name)).join(' and '),
      most: biggest && { name: biggest.next?.label, events: biggest.cells.events },
      filtered: filters.length > 0,
      hidden: left,
      ...question.toldOfCounts?.(rows),
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
        ? [...question.own, { label: 'List them', line: line(listing) }, ...noiseNext(question, left)]
        : [
            ...noiseNext(question, left),
            {
              label: `The same, ${printWindow(wider(range))}`,
              line: line({ ...question.said, window: wider(range) }),
            },
          ],
    ),
  };
}

/** A filter on events that have no value in a field: what a row of a count without one leads to. */
const without = (field: string): Filter => ({ field, negated: true, values: [{ text: '*', wildcard: true }] });

const ORDER = {
  top: sql`events desc`,
  rare: sql`events asc`,
  new: sql`first desc`,
  time: sql`first asc`,
} as const;

const MOST_GROUPS = 10_000;

// The columns of a group are named by position, so that no field's name meets a word that an engine keeps for itself.
const counted = z.record(z.string(), z.string().nullable());

/** A preset as a count: groups by field, by time step or both. Each group leads to its events. */
import { z } from 'zod';
import { exactFilter } from '../../question/line.ts';
import { eventCount } from '../../trail/activity.ts';
import { fromWhere } from '../../trail/event-query.ts';
import { readDays } from '../../trail/events.ts';
import { type Filter, groupColumn } from '../../trail/filter.ts';
import { leftOutParts } from '../../trail/left-out.ts';
import { findPlaces } from '../../trail/places.ts';
import { join, limit, query, raw, type Sql, sql } from '../../trail/sql.ts';
import { countIntervals, intervalName, intervalStart, intervalWindow } from '../../trail/time-buckets.ts';
import { type Column, type Finding, mapRows, type Row } from '../answer.ts';
import type { Context } from '../context.ts';
import { DEFAULT_ROWS, widerTime } from '../event-list.ts';
import { type PresetQuestion, routineFollowUps, withoutRepeats } from './preset-question.ts';
import { seriesChart } from './series-chart.ts';

/** Counts the events of a question by group. */
export async function countEvents(question: PresetQuestion, context: Context): Promise<Finding> {
  const { ask, askAll } = context;
  const { by = [], every, top = DEFAULT_ROWS, sort = 'top', measures = [] } = question;
  const groupsUpTo = await groupsQuery(question, context);
  const { range, filters, line, counts } = question;
  // The highest groups by another measure may be far down in this order.
  const otherMeasure = sort === 'top' && !every ? question.alsoBy : undefined;
  const max = question.alsoBy && !every ? MAX_GROUPS : top;
  const isSeries = every && sort === 'time';
  const isAll = askAll !== undefined && question.typedTop === undefined;
  const { rows: found, rest } = isAll
    ? await askAll(groupsUpTo(isSeries ? ALL_STEPS : ORDER[sort], undefined), max + 1)
    : { rows: await ask(groupsUpTo(isSeries ? LATEST_STEPS : ORDER[sort], max + 1)), rest: undefined };
  const leftOutSum = Number(found.find(({ key0 }) => key0 !== 'routine')?.all_leftout ?? 0);
  // A column of zeros would only raise questions.
  const shownMeasures = leftOutSum > 0 ? [...measures, leftOutMeasure] : measures;
  const hidden = found.reduce((sum, { key0, events }) => sum + (key0 === 'routine' ? Number(events) : 0), 0);
  const groups = found.filter(({ key0 }) => key0 !== 'routine');
  const [firstGroup] = groups;
  const highest = otherMeasure
    ? new Set(groups.toSorted((a, b) => Number(b[otherMeasure]) - Number(a[otherMeasure])).slice(0, top))
    : new Set<unknown>();
  const names = [...(every ? ['step'] : []), ...by];
  const listing = counts ? ({ sort: 'time' } as const) : {};
  const toRow = (each: z.output<typeof countedGroup>): Row => {
    const values = names.map((name, i) => [name, each[`key${i + 1}`] ?? null] as const);
    const step = every && intervalWindow(each.key1 ?? '', every, range);
    // `user:` matches every name of a user; the row counts only one.
    const rowFilters = values.flatMap(([name, value]) =>
      name === 'step' ? [] : [value === null ? withoutValue(name) : exactFilter(name === 'user' ? 'actor' : name, value)],
    );
    return {
      cells: {
        ...Object.fromEntries(values),
        events: Number(each.events),
        ...Object.fromEntries(shownMeasures.map(({ name }) => [name, Number(each[name])])),
        first: each.first ?? null,
        last: each.last ?? null,
      },
      next: {
        label: values.map(([, value]) => value ?? '—').join(' '),
        line: line({ ...listing, filters: [...filters, ...rowFilters], ...(step && { window: step }) }),
      },
    };
  };
  const allRows = groups.map(toRow);
  const shown = allRows.filter((_, i) => isAll || i < top || highest.has(groups[i]));
  const rows = isSeries && !isAll ? shown.toReversed() : shown;
  const sums = Object.fromEntries(['events', ...measures.map(({ name }) => name)].map((name) => [name, Number(firstGroup?.[`all_${name}`] ?? 0)]));
  const biggest = rows.find(({ cells }) => cells.events === Number(firstGroup?.most));
  const more = !isAll && Number(firstGroup?.groups ?? 0) > rows.length;
  const caption = question.caption.replace(/, newest first$/, '');
  const { first, last } = await context.extent();
  return {
    ...(isSeries && !more && { charts: seriesChart({ caption, every, range, by, rows, first, last }) }),
    data: {
      groups: Number(firstGroup?.groups ?? 0),
      shown: rows.length,
      more,
      events: sums.events,
      failed: sums.failed ?? 0,
      by: LIST_FORMAT.format(names.map((name) => (name === 'step' && every ? intervalName(every).one : name))),
      ...(every && by.length === 0 && { steps: countIntervals(range, every), step: intervalName(every) }),
      most: biggest && Number(firstGroup?.groups) > 1 ? { name: biggest.next?.label, events: biggest.cells.events } : null,
      hidden,
      leftOut: leftOutSum,
      leftOutParts: 'request or response',
      ...question.countData?.({ rows, allRows, sums, range }),
    },
    table: {
      caption: `${caption} by ${names.join(', ')}`,
      columns: [
        ...names.map((name): Column => (name === 'step' ? { name, label: 'From (UTC)', kind: 'time' } : { name, label: name, kind: 'text' })),
        { name: 'events', label: 'events', kind: 'count' },
        ...shownMeasures.map(({ from: _, ...column }): Column => ({ ...column, kind: 'count' })),
        { name: 'first', label: 'first (UTC)', kind: 'time' },
        { name: 'last', label: 'last (UTC)', kind: 'time' },
      ],
      rows,
      ...(rest && { rest: mapRows(rest, toRow) }),
      more,
      hidden,
    },
    next: withoutRepeats(
      rows.length > 0
        ? [...question.ownFollowUps, { label: 'List them', line: line(listing) }, ...routineFollowUps(question, hidden)]
        : [...routineFollowUps(question, hidden), widerTime(range, (wide) => line({ ...question.typedShape, window: wide }))],
    ),
  };
}

/** Events that may be in a group only because CloudTrail left out a part of them. */
const leftOutMeasure = { name: 'leftout', label: 'left out', from: eventCount(sql`${leftOutParts} is not null`) };

/**
 * A function for the first groups in an order, each with the sums over all groups (each event is in exactly one). Hidden routine calls
 * are one more group.
 */
async function groupsQuery(question: PresetQuestion, context: Context) {
  const { by = [], every, measures = [], listsLeftOut, hidesRoutine } = question;
  const columns = [...(every ? [intervalStart(every)] : []), ...by.map(groupColumn)];
  const keys = [
    sql`${hidesRoutine ? sql`case when routine then 'routine' else 'shown' end` : sql`'shown'`} as key0`,
    ...columns.map((column, i) => sql`${hidesRoutine ? sql`case when not routine then ${column} end` : column} as ${raw(`key${i + 1}`)}`),
  ];
  const positions = join(
    keys.map((_, i) => raw(String(i + 1))),
    ', ',
  );
  const numbers = [{ name: 'events', from: eventCount() }, ...measures, ...(listsLeftOut ? [leftOutMeasure] : [])];
  const overAllGroups = (name: string, sum: Sql): Sql => sql`${sum} over (partition by key0) as ${raw(name)}`;
  const uses = [...keys, ...numbers.map(({ from }) => from)];
  const places = question.readsEvents(uses) ? await findPlaces(readDays(question.range), question.countPlaces, context) : undefined;
  return (order: Sql, max: number | undefined) => query(countedGroup)`
    select *, ${join([overAllGroups('groups', sql`count(*)`), overAllGroups('most', sql`max(events)`), ...numbers.map(({ name }) => overAllGroups(`all_${name}`, sql`sum(${raw(name)})`))], ', ')}
    from (
      select ${join([...keys, ...numbers.map(({ name, from }) => sql`${from} as ${raw(name)}`)], ', ')}, min(first) as first, max(last) as last
      ${fromWhere(question.countSource(context, uses, places))}
      group by ${positions}
    ) as grouped
    order by key0, ${order} nulls last, ${positions}
    ${limit(hidesRoutine && max !== undefined ? max + 1 : max)}
  `;
}

/** Matches events that have no value in a field: the filter for a group without a value. */
const withoutValue = (field: string): Filter => ({ field, negated: true, values: [{ text: '*', wildcard: true }] });

const ORDER = {
  top: sql`events desc`,
  rare: sql`events asc`,
  new: sql`first desc`,
  time: sql`first asc`,
} as const;

/** A long series is cut at its start. */
const LATEST_STEPS = sql`key1 desc`;
const ALL_STEPS = sql`key1 asc`;

const LIST_FORMAT = new Intl.ListFormat('en-GB');

const MAX_GROUPS = 10_000;

// Group columns are named by position, so that a field's name cannot collide with an SQL keyword.
const countedGroup = z.record(z.string(), z.string().nullable());

/** A list of events by any filters, newest first; or counts of them, by field and by step of time. */
import {
  type Asked,
  type Column,
  type Context,
  columnOf,
  command,
  DEFAULT_ROWS,
  eventCount,
  eventsDuring,
  eventTable,
  type Filter,
  type Finding,
  join,
  type ListedEvent,
  limit,
  listed,
  listedRow,
  matching,
  newestFirst,
  only,
  printLine,
  printWindow,
  query,
  type Row,
  sql,
  stepOf,
  UserError,
  wider,
  windowOf,
  z,
} from '#kit';

export default command({
  summary: 'Lists events by any filters, newest first, or counts them with by: and every:',
  example: 'source:s3 destructive:true 30d',
  words: {},
  window: '24h',
  filters: true,
  shape: ['by', 'every', 'top', 'sort'],

  answer(asked, context) {
    return asked.by || asked.every ? count(asked, context) : list(asked, context);
  },
});

async function list({ filters, window, said, top = DEFAULT_ROWS, sort = 'time' }: Asked, context: Context): Promise<Finding> {
  const line = (more: object) => printLine({ name: 'events', words: [], filters, window: said, ...more });
  if (sort !== 'time') {
    throw new UserError(`sort:${sort} orders counts, and this is a list of events. Add by:event, or leave sort: out.`, line({ by: ['event'], sort }));
  }
  const found = (events: readonly ListedEvent[]): Finding => {
    const table = eventTable('Events, newest first', events, { most: top });
    return {
      data: { count: table.rows.length, more: table.more, newest: events[0] ?? null, filtered: filters.length > 0 },
      table,
      next:
        events.length > 0
          ? [
              { label: 'Count by event', line: line({ by: ['event'] }) },
              { label: 'Count by user', line: line({ by: ['user'] }) },
            ]
          : [{ label: `The same, ${printWindow(wider(window))}`, line: line({ window: wider(window) }) }],
    };
  };
  const events = await newestFirst(context, window, {
    query: (part) => query(listedRow)`
      select ${listed}
      from ${eventsDuring(part)}
      where ${matching(filters)}
      order by eventtime desc, eventid
      ${limit(top + 1)}
    `,
    isEnough: (rows) => rows.length > top,
    soFar: found,
  });
  return found(events);
}

/** A filter on events that have no value in a field: what a row of a count without one leads to. */
const without = (field: string): Filter => ({ field, negated: true, values: [{ text: '*', wildcard: true }] });

const ORDER = {
  top: sql`events desc`,
  rare: sql`events asc`,
  new: sql`first desc`,
  time: sql`first asc`,
} as const;

// The columns of a group are named by position, so that no field's name meets a word that an engine keeps for itself.
const counted = z.record(z.string(), z.string().nullable());

async function count(
  { filters, window, said, by = [], every, top = DEFAULT_ROWS, sort = every ? 'time' : 'top' }: Asked,
  { ask }: Context,
): Promise<Finding> {
  const keys = [...(every ? [stepOf(every)] : []), ...by.map(columnOf)].map(({ text, values }, i) => ({ text: `${text} as key${i + 1}`, values }));
  const positions = join(
    keys.map((_, i) => ({ text: String(i + 1), values: [] })),
    ', ',
  );
  const groups = await ask(query(counted)`
    select ${join(keys, ', ')}, ${eventCount} as events, min(eventtime) as first, max(eventtime) as last
    from ${eventsDuring(window)}
    where ${matching(filters)}
    group by ${positions}
    order by ${ORDER[sort]} nulls last, ${positions}
    ${limit(top + 1)}
  `);
  const names = [...(every ? ['step'] : []), ...by];
  const rows = groups.slice(0, top).map((group): Row => {
    const keyed = names.map((name, i) => [name, group[`key${i + 1}`] ?? null] as const);
    const step = every && windowOf(group.key1 ?? '', every, window);
    const picked = keyed.flatMap(([name, value]) => (name === 'step' ? [] : [value === null ? without(name) : only(name, value)]));
    return {
      cells: { ...Object.fromEntries(keyed), events: Number(group.events), first: group.first ?? null, last: group.last ?? null },
      next: {
        label: keyed.map(([, value]) => value ?? '—').join(' '),
        line: printLine({ name: 'events', words: [], filters: [...filters, ...picked], window: step ?? said }),
      },
    };
  });
  const [most] = rows.toSorted((a, b) => Number(b.cells.events) - Number(a.cells.events));
  return {
    data: {
      groups: rows.length,
      more: groups.length > top,
      events: rows.reduce((sum, { cells }) => sum + Number(cells.events), 0),
      by: names.map((name) => (name === 'step' ? `steps of ${every?.count}${every?.unit}` : name)).join(' and '),
      most: most && { name: most.next?.label, events: most.cells.events },
    },
    table: {
      caption: `Events by ${names.join(', ')}`,
      columns: [
        ...names.map((name): Column => (name === 'step' ? { name, label: 'From (UTC)', kind: 'time' } : { name, label: name, kind: 'text' })),
        { name: 'events', label: 'events', kind: 'count' },
        { name: 'first', label: 'first (UTC)', kind: 'time' },
        { name: 'last', label: 'last (UTC)', kind: 'time' },
      ],
      rows,
      more: groups.length > top,
    },
    next:
      rows.length > 0
        ? [{ label: 'List them', line: printLine({ name: 'events', words: [], filters, window: said }) }]
        : [
            {
              label: `The same, ${printWindow(wider(window))}`,
              line: printLine({ name: 'events', words: [], filters, by, ...(every && { every }), window: wider(window) }),
            },
          ],
  };
}

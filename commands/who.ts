/** Who made a call, in all or on one thing: everyone, with how often, how it ended and from where. */
import {
  called,
  command,
  DEFAULT_ROWS,
  eventCount,
  eventsDuring,
  firstOf,
  limit,
  nameOf,
  naming,
  only,
  printLine,
  printWindow,
  query,
  type Row,
  sql,
  thingWord,
  wider,
  z,
} from '#kit';

const caller = z.object({
  actor: z.string().nullable(),
  actorkind: z.string(),
  eventname: z.string(),
  calls: z.coerce.number(),
  done: z.coerce.number(),
  accounts: z.coerce.number(),
  account: z.string().nullable(),
  addresses: z.coerce.number(),
  address: z.string().nullable(),
  first: z.string(),
  last: z.string(),
});

export default command({
  topic: 'who',
  summary: 'Tells who made a call, such as PutRolePolicy or Delete*, on anything or on one thing',
  example: 'PutRolePolicy orders-api-role 30d',
  words: { event: z.string().max(128, 'No call has a name of more than 128 letters.'), thing: thingWord.optional() },
  window: '30d',
  filters: false,
  shape: ['top'],

  async answer({ words: { event, thing }, window, said, top = DEFAULT_ROWS }, { ask }) {
    const callers = await ask(query(caller)`
      select actor, actorkind, eventname, ${eventCount} as calls, ${eventCount} filter (where outcome = 'ok') as done,
             cast(count(distinct recipientaccountid) as bigint) as accounts, min(recipientaccountid) as account,
             cast(count(distinct sourceipaddress) as bigint) as addresses, min(sourceipaddress) as address,
             min(eventtime) as first, max(eventtime) as last
      from ${eventsDuring(window)}
      where ${called(event)} and ${thing ? naming(thing) : sql`1 = 1`}
      group by actor, actorkind, eventname
      order by last desc, actor nulls last, actorkind, eventname
      ${limit(top + 1)}
    `);
    const shown = callers.slice(0, top);
    const of = thing ? [nameOf(thing)] : [];
    const actors = new Set(shown.map(({ actor }) => actor));
    return {
      data: {
        event,
        thing: thing?.name ?? null,
        callers: actors.size,
        more: callers.length > top,
        calls: shown.reduce((sum, { calls }) => sum + calls, 0),
        failed: shown.reduce((sum, { calls, done }) => sum + calls - done, 0),
        latest: shown[0] ?? null,
        busiest: shown.toSorted((a, b) => b.calls - a.calls)[0] ?? null,
      },
      table: {
        caption: `Who called ${event}`,
        columns: [
          { name: 'actor', label: 'Who', kind: 'text' },
          { name: 'eventname', label: 'Event', kind: 'text' },
          { name: 'calls', label: 'Calls', kind: 'count' },
          { name: 'failed', label: 'Failed', kind: 'count' },
          { name: 'address', label: 'From', kind: 'text' },
          { name: 'account', label: 'Account', kind: 'text' },
          { name: 'first', label: 'First (UTC)', kind: 'time' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
          { name: 'actorkind', label: 'Kind', kind: 'text', hidden: true },
        ],
        rows: shown.map(({ done, accounts, account, addresses, address, ...cells }): Row => {
          const filters = [only('event', cells.eventname), ...(cells.actor === null ? [] : [only('user', cells.actor)])];
          return {
            cells: { ...cells, failed: cells.calls - done, address: firstOf(address, addresses), account: firstOf(account, accounts) },
            next: { label: `${cells.actor ?? '—'} ${cells.eventname}`, line: printLine({ name: 'events', words: [], filters, window: said }) },
          };
        }),
        more: callers.length > top,
      },
      next: [
        ...(thing ? [{ label: 'Its whole life', line: printLine({ name: 'history', words: of, filters: [], window: said }) }] : []),
        ...(thing && shown.length === 0
          ? [{ label: 'On anything', line: printLine({ name: 'who', words: [event], filters: [], window: said }) }]
          : []),
        {
          label: `The same, ${printWindow(wider(window))}`,
          line: printLine({ name: 'who', words: [event, ...of], filters: [], window: wider(window) }),
        },
      ],
    };
  },
});

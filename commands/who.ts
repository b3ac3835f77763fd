/** Who made a call, in all or on one thing: everyone, with how often, how it ended and from where. */
import {
  accountsOf,
  type Context,
  command,
  DEFAULT_ROWS,
  didYouMean,
  didYouMeanResource,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  firstOf,
  isCall,
  limit,
  matching,
  type Next,
  nameOf,
  perAccount,
  printLine,
  type Question,
  query,
  type Row,
  resourceFilters,
  resourceWord,
  sql,
  whoAndWhere,
  widerTime,
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
  among: z.string().nullable(),
  addresses: z.coerce.number(),
  address: z.string().nullable(),
  first: z.string(),
  last: z.string(),
});

const words = { event: z.string().max(128, 'No call has a name of more than 128 letters.'), resource: resourceWord.optional() };
type Words = typeof words;

export default command({
  topic: 'who',
  summary: 'Tells who made a call, such as PutRolePolicy or Delete*, on anything or on one thing',
  example: 'PutRolePolicy orders-api-role 30d',
  words,
  window: '30d',
  filters: true,
  shape: ['top'],

  async answer(asked, context) {
    const { filters: also, window, typedWindow, top = DEFAULT_ROWS } = asked;
    const { event, resource } = asked.words;
    const wanted = [...also, ...(resource ? resourceFilters(resource) : [])];
    const callers = await context.ask(query(caller)`
      select actor, actorkind, eventname, ${distinctEventCount} as calls, ${distinctEventCount} filter (where outcome = 'ok') as done,
             cast(count(distinct recipientaccountid) as bigint) as accounts, min(recipientaccountid) as account,
             array_join(array_agg(distinct recipientaccountid), ' ') as among,
             cast(count(distinct sourceipaddress) as bigint) as addresses, min(sourceipaddress) as address,
             min(eventtime) as first, max(eventtime) as last
      from ${eventsDuring(window)}
      where ${isCall(event)} and ${matching(wanted)}
      group by actor, actorkind, eventname
      order by last desc, actor nulls last, actorkind, eventname
      ${limit(top + 1)}
    `);
    const shown = callers.slice(0, top);
    const of = resource ? [nameOf(resource)] : [];
    const [latest] = shown;
    const accounts = resource
      ? accountsOf(
          resource,
          shown.flatMap(({ among }) => among?.split(' ') ?? []),
        )
      : [];
    const about = (line: object) => printLine({ name: 'who', words: [event, ...of], filters: also, window: typedWindow, ...line });
    const actors = new Set(shown.map(({ actor }) => actor));
    return {
      data: {
        event,
        resource: resource?.name ?? null,
        callers: actors.size,
        accounts: accounts.length,
        more: callers.length > top,
        calls: shown.reduce((sum, { calls }) => sum + calls, 0),
        failed: shown.reduce((sum, { calls, done }) => sum + calls - done, 0),
        latest: latest ?? null,
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
        rows: shown.map(({ done, accounts: places, account, among: _, addresses, address, ...cells }): Row => {
          const filters = [
            ...wanted,
            exactFilter('event', cells.eventname),
            exactFilter('kind', cells.actorkind),
            ...(cells.actor === null ? [] : [exactFilter('actor', cells.actor)]),
          ];
          return {
            cells: { ...cells, failed: cells.calls - done, address: firstOf(address, addresses), account: firstOf(account, places) },
            next: { label: `${cells.actor ?? '—'} ${cells.eventname}`, line: printLine({ name: 'events', words: [], filters, window: typedWindow }) },
          };
        }),
        more: callers.length > top,
      },
      next: [
        ...(shown.length === 0 ? await meantBy(asked, context) : []),
        ...perAccount(accounts, (account) => about({ filters: [...also, account] })),
        ...(latest ? whoAndWhere(latest, typedWindow) : []),
        ...(resource ? [{ label: 'Its whole life', line: printLine({ name: 'history', words: of, filters: also, window: typedWindow }) }] : []),
        ...(resource && shown.length === 0 ? [{ label: 'On anything', line: about({ words: [event] }) }] : []),
        widerTime(window, (wide) => about({ window: wide })),
      ],
    };
  },
});

/** The question with the call that was meant; where the trail has the call, with the thing. */
async function meantBy({ words: { event, resource }, filters, window, typedWindow }: Question<Words>, context: Context): Promise<Next[]> {
  const of = resource ? [nameOf(resource)] : [];
  const line = (...words: string[]) => printLine({ name: 'who', words, filters, window: typedWindow });
  const found = event.includes('*') ? [] : await didYouMean({ column: sql`eventname` }, event, window, context, (name) => line(name, ...of));
  // Calls are found in whatever letters they are typed.
  const others = found.filter(({ line: meant }) => meant.toLowerCase() !== line(event, ...of).toLowerCase());
  if (others.length > 0 || !resource) return others;
  return didYouMeanResource(resource, window, context, (name) => line(event, name));
}

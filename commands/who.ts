/** Who made a call, on anything or on one resource: each actor with number of calls, failures and address. */
import {
  accountsSharing,
  activityDuring,
  actorAndAddress,
  type Context,
  command,
  didYouMean,
  didYouMeanResource,
  eventCount,
  exactFilter,
  FIRST_AND_LAST,
  firstAndMore,
  isCall,
  limit,
  matching,
  type Next,
  perAccount,
  placesOf,
  printLine,
  printResource,
  type Question,
  query,
  type Row,
  resourceFilters,
  resourceWord,
  sql,
  tableRows,
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
  accountlist: z.string().nullable(),
  addresses: z.coerce.number(),
  address: z.string().nullable(),
  first: z.string(),
  last: z.string(),
});

const whoWords = { event: z.string().max(128, 'An event name has at most 128 characters.'), resource: resourceWord.optional() };
type WhoWords = typeof whoWords;

export default command({
  topic: 'who',
  summary: 'Shows who made a call, such as PutRolePolicy or Delete*, on anything or on one resource',
  example: 'PutRolePolicy orders-api-role 30d',
  words: whoWords,
  window: '30d',
  filters: true,
  shape: ['top'],

  async answer(asked, context) {
    const { filters: typedFilters, window, typedWindow, top } = asked;
    const { event, resource } = asked.words;
    const allFilters = [...typedFilters, ...(resource ? resourceFilters(resource) : [])];
    const toRow = ({ done, accounts: accountCount, account, accountlist: _, addresses, address, ...cells }: z.output<typeof caller>): Row => {
      const filters = [
        ...allFilters,
        exactFilter('event', cells.eventname),
        exactFilter('kind', cells.actorkind),
        ...(cells.actor === null ? [] : [exactFilter('actor', cells.actor)]),
      ];
      return {
        cells: { ...cells, failed: cells.calls - done, address: firstAndMore(address, addresses), account: firstAndMore(account, accountCount) },
        next: { label: `${cells.actor ?? '—'} ${cells.eventname}`, line: printLine({ name: 'events', words: [], filters, window: typedWindow }) },
      };
    };
    const where = sql`${isCall(event)} and ${matching(allFilters)}`;
    const places = resource ? await placesOf(window, { filters: allFilters, where: isCall(event) }, context) : undefined;
    const queryUpTo = (max?: number) => query(caller)`
      select actor, actorkind, eventname, ${eventCount()} as calls, ${eventCount(sql`outcome = 'ok'`)} as done,
             cast(count(distinct recipientaccountid) as bigint) as accounts, min(recipientaccountid) as account,
             array_join(array_agg(distinct recipientaccountid), ' ') as accountlist,
             cast(count(distinct sourceipaddress) as bigint) as addresses, min(sourceipaddress) as address,
             min(first) as first, max(last) as last
      from ${activityDuring(window, { kept: context.kept, uses: [where], places, folders: context.foldersOf(allFilters) })}
      where ${where}
      group by actor, actorkind, eventname
      order by last desc, actor nulls last, actorkind, eventname
      ${limit(max)}
    `;
    const { found: shown, more, rows } = await tableRows(context, top, queryUpTo, toRow, places);
    const resourceWords = resource ? [printResource(resource)] : [];
    const [latest] = shown;
    const accounts = resource
      ? accountsSharing(
          resource,
          shown.flatMap(({ accountlist }) => accountlist?.split(' ') ?? []),
        )
      : [];
    const ask = (line: object) => printLine({ name: 'who', words: [event, ...resourceWords], filters: typedFilters, window: typedWindow, ...line });
    const actors = new Set(shown.map(({ actor }) => actor));
    return {
      data: {
        event,
        resource: resource?.name ?? null,
        callers: actors.size,
        accounts: accounts.length,
        more,
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
          ...FIRST_AND_LAST,
          { name: 'actorkind', label: 'Kind', kind: 'text', hidden: true },
        ],
        ...rows,
      },
      next: [
        ...(shown.length === 0 ? await nearestQuestions(asked, context) : []),
        ...perAccount(accounts, (account) => ask({ filters: [...typedFilters, account] })),
        ...(latest ? actorAndAddress(latest.actor, latest.address, typedWindow) : []),
        ...(resource
          ? [{ label: 'Full history', line: printLine({ name: 'history', words: resourceWords, filters: typedFilters, window: typedWindow }) }]
          : []),
        ...(resource && shown.length === 0 ? [{ label: 'On anything', line: ask({ words: [event] }) }] : []),
        widerTime(window, (wide) => ask({ window: wide })),
      ],
    };
  },
});

/** For an empty answer: the question with the nearest event name; when the trail has the event, with the nearest resource. */
async function nearestQuestions({ words: { event, resource }, filters, window, typedWindow }: Question<WhoWords>, context: Context): Promise<Next[]> {
  const resourceWords = resource ? [printResource(resource)] : [];
  const line = (...words: string[]) => printLine({ name: 'who', words, filters, window: typedWindow });
  const found = event.includes('*')
    ? []
    : await didYouMean({ column: sql`eventname` }, event, window, context, (name) => line(name, ...resourceWords));
  // Event names match in any case.
  const others = found.filter(({ line: other }) => other.toLowerCase() !== line(event, ...resourceWords).toLowerCase());
  if (others.length > 0 || !resource) return others;
  return didYouMeanResource(resource, window, context, (name) => line(event, name));
}

/** What an account has for the first time: calls, services, actors, regions, tools and addresses. */
import {
  activityDuring,
  type Context,
  command,
  countByDimension,
  DAY_MS,
  DIMENSIONS,
  dimensionValues,
  eventCount,
  exactFilter,
  FIRST_AND_LAST,
  type Filter,
  firstAndMore,
  fixedTime,
  isoSecond,
  matching,
  memoryLimit,
  printFilter,
  printLine,
  query,
  type Row,
  sql,
  type TimeRange,
  termsOf,
  USERS,
  widerTime,
  z,
} from '#kit';

const BASELINE_DAYS = 30;
const MAX_NEW_VALUES = 50;
const SHOWN_NEW_VALUES = 5;

const newValue = z.object({
  kind: z.enum(['account', 'region', 'service', 'call', 'actor', 'address', 'tool']),
  account: z.string().nullable(),
  value: z.string(),
  events: z.coerce.number(),
  failed: z.coerce.number(),
  actors: z.coerce.number(),
  actor: z.string().nullable(),
  first: z.string(),
  last: z.string(),
  earliest: z.string(),
  valuecount: z.coerce.number(),
});
type NewValue = z.output<typeof newValue>;

const NEW_DIMENSIONS = ['account', 'region', 'service', 'call', 'actor', 'address', 'tool'] as const;

export default command({
  topic: 'unusual',
  summary: 'Lists what an account had for the first time, against the 30 days before: calls, services, actors, regions, tools, addresses',
  example: '7d',
  words: {},
  window: '7d',
  filters: true,
  shape: ['top'],
  // The 7 days of the window and the 30 days before it.
  reads: 6,

  async answer({ filters, window, typedWindow, top: typedTop }, context) {
    const { ask } = context;
    const top = typedTop ?? memoryLimit(context, MAX_NEW_VALUES);
    const since = new Date(window.from.getTime() - BASELINE_DAYS * DAY_MS);
    const found = await ask(newValuesQuery(window, since, filters, top, context));
    const kinds = NEW_DIMENSIONS.flatMap((kind) => {
      const { title, many } = DIMENSIONS[kind];
      const each = found.filter((row) => row.kind === kind);
      const [first] = each;
      return first
        ? [
            {
              title,
              one: kind,
              many,
              valuecount: first.valuecount,
              shown: each.slice(0, SHOWN_NEW_VALUES),
              more: Math.max(0, first.valuecount - SHOWN_NEW_VALUES),
            },
          ]
        : [];
    });
    // With filters on other fields, an old account may have no earlier matches.
    const hasOtherFilters = termsOf(filters).some(({ field }) => field !== 'account');
    const accounts = hasOtherFilters ? found.filter(({ kind }) => kind === 'account') : [];
    const isFirstSeen = found.every(({ earliest }) => earliest >= isoSecond(window.from));
    const line = (more: object) => printLine({ name: 'new', words: [], filters, window: typedWindow, ...more });
    return {
      data: {
        kinds,
        filters: hasOtherFilters ? filters.map(printFilter).join(' ') : null,
        // Nothing matches the filters in the days before, so everything that matches is new.
        firstSeen:
          accounts.length > 0 && isFirstSeen
            ? {
                accounts: accounts.length,
                events: accounts.reduce((sum, { events }) => sum + events, 0),
                failed: accounts.reduce((sum, { failed }) => sum + failed, 0),
              }
            : null,
        total: kinds.reduce((sum, { valuecount }) => sum + valuecount, 0),
        since: isoSecond(since),
        from: isoSecond(window.from),
        days: BASELINE_DAYS,
      },
      table: {
        caption: 'Seen for the first time',
        columns: [
          { name: 'kind', label: 'What', kind: 'text' },
          { name: 'value', label: 'Which', kind: 'text' },
          { name: 'account', label: 'Account', kind: 'text' },
          { name: 'events', label: 'Events', kind: 'count' },
          { name: 'failed', label: 'Failed', kind: 'count' },
          { name: 'who', label: 'Who', kind: 'text' },
          ...FIRST_AND_LAST,
        ],
        rows: inDimensionOrder(found).map((each): Row => {
          const { valuecount: _, earliest: __, actor, actors, ...cells } = each;
          return {
            cells: { ...cells, who: firstAndMore(actor, actors) },
            next: {
              label: `${each.value} in ${each.account ?? '—'}`,
              line: printLine({
                name: 'events',
                words: [],
                filters: [
                  ...filters,
                  ...DIMENSIONS[each.kind].filters(each.value),
                  ...(each.account === null ? [] : [exactFilter('account', each.account)]),
                ],
                window: typedWindow,
              }),
            },
          };
        }),
        more: kinds.some(({ valuecount }) => valuecount > top),
      },
      next: [
        ...(termsOf(filters).some(({ field }) => field === 'kind') ? [] : [{ label: 'Users only', line: line({ filters: [...filters, USERS] }) }]),
        widerTime(window, (wide) => line({ window: wide })),
      ],
    };
  },
});

const inDimensionOrder = (found: readonly NewValue[]): NewValue[] => NEW_DIMENSIONS.flatMap((kind) => found.filter((row) => row.kind === kind));

/** Finds new values in one scan. For a new account it returns only the account, since everything in it is new. */
function newValuesQuery({ from, to }: TimeRange, since: Date, filters: readonly Filter[], top: number, { kept, foldersOf }: Context) {
  // All rows of a new value are in the window, so what the answer shows of it is counted only there.
  const inWindow = sql`first >= ${fixedTime(from)}`;
  return query(newValue)`
  select kind, account, value, events, failed, actors, actor, first, last, earliest, valuecount
  from (
    select *, row_number() over (partition by kind order by first desc, account, value) as newestrank, count(*) over (partition by kind) as valuecount
    from (
      select kind, recipientaccountid as account, value, events, failed, actors, actor, first, last,
             min(first) over (partition by recipientaccountid) as begun, min(first) over () as earliest
      from ${countByDimension(NEW_DIMENSIONS, {
        relation: activityDuring(
          { from: since, to },
          { kept, uses: [matching(filters), dimensionValues(NEW_DIMENSIONS)], folders: foldersOf(filters) },
        ),
        where: matching(filters),
        columns: sql`outcome, actor`,
        key: 'recipientaccountid',
        aggregates: sql`${eventCount(inWindow)} as events, ${eventCount(sql`${inWindow} and outcome <> 'ok'`)} as failed,
               cast(count(distinct actor) filter (where ${inWindow}) as bigint) as actors, min_by(actor, first || actor) filter (where ${inWindow}) as actor,
               min(first) as first, max(last) filter (where ${inWindow}) as last`,
      })} as grouped
      where value is not null
    ) as dated
    where first >= ${isoSecond(from)} and (kind = 'account' or begun < ${isoSecond(from)})
  ) as ranked
  where newestrank <= ${top}
  order by kind, newestrank
`;
}

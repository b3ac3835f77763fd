/** What was never seen before: calls, services, actors, regions, tools and addresses that an account has for the first time. */
import {
  command,
  DAY_MS,
  DIMENSIONS,
  dimensionValue,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  type Filter,
  firstOf,
  isoSecond,
  matching,
  printFilter,
  printLine,
  query,
  type Row,
  type TimeRange,
  termsOf,
  unnestDimensions,
  widerTime,
  z,
} from '#kit';

const BASELINE_DAYS = 30;
const MOST_OF_A_KIND = 50;
const SHOWN_OF_A_KIND = 5;

const novelty = z.object({
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
  together: z.coerce.number(),
});
type Novelty = z.output<typeof novelty>;

const KINDS = ['account', 'region', 'service', 'call', 'actor', 'address', 'tool'] as const;

export default command({
  topic: 'unusual',
  summary: 'Lists what an account had for the first time, against the 30 days before: calls, services, actors, regions, tools, addresses',
  example: '7d',
  words: {},
  window: '7d',
  filters: true,
  shape: ['top'],
  // The seven days themselves, and the thirty before them.
  reads: 6,

  async answer({ filters, window, typedWindow, top = MOST_OF_A_KIND }, { ask }) {
    const since = new Date(window.from.getTime() - BASELINE_DAYS * DAY_MS);
    const found = await ask(newIn(window, since, filters, top));
    const kinds = KINDS.flatMap((kind) => {
      const { title, many } = DIMENSIONS[kind];
      const each = found.filter((row) => row.kind === kind);
      const [first] = each;
      return first
        ? [
            {
              title,
              one: kind,
              many,
              together: first.together,
              shown: each.slice(0, SHOWN_OF_A_KIND),
              more: Math.max(0, first.together - SHOWN_OF_A_KIND),
            },
          ]
        : [];
    });
    // Of filters that tell more than the account, an account may have nothing before, and yet be old.
    const isNarrow = termsOf(filters).some(({ field }) => field !== 'account');
    const places = isNarrow ? found.filter(({ kind }) => kind === 'account') : [];
    const isUnseen = found.every(({ earliest }) => earliest >= isoSecond(window.from));
    const line = (more: object) => printLine({ name: 'new', words: [], filters, window: typedWindow, ...more });
    return {
      data: {
        kinds,
        filters: isNarrow ? filters.map(printFilter).join(' ') : null,
        // Nothing of the days before matches the filters: what is new is all that matches.
        unseen:
          places.length > 0 && isUnseen
            ? {
                accounts: places.length,
                events: places.reduce((sum, { events }) => sum + events, 0),
                failed: places.reduce((sum, { failed }) => sum + failed, 0),
              }
            : null,
        total: kinds.reduce((sum, { together }) => sum + together, 0),
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
          { name: 'first', label: 'First (UTC)', kind: 'time' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
        ],
        rows: kindsInOrder(found).map((each): Row => {
          const { together: _, earliest: __, actor, actors, ...cells } = each;
          return {
            cells: { ...cells, who: firstOf(actor, actors) },
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
        more: kinds.some(({ together }) => together > top),
      },
      next: [
        ...(termsOf(filters).some(({ field }) => field === 'kind')
          ? []
          : [{ label: 'Of people alone', line: line({ filters: [...filters, exactFilter('kind', 'human')] }) }]),
        widerTime(window, (wide) => line({ window: wide })),
      ],
    };
  },
});

const kindsInOrder = (found: readonly Novelty[]): Novelty[] => KINDS.flatMap((kind) => found.filter((row) => row.kind === kind));

/** One statement, which reads its days once. Of an account that is new itself only that is told: all in it is new. */
const newIn = ({ from, to }: TimeRange, since: Date, filters: readonly Filter[], top: number) => query(novelty)`
  select kind, account, value, events, failed, actors, actor, first, last, earliest, together
  from (
    select *, row_number() over (partition by kind order by first desc, account, value) as place, count(*) over (partition by kind) as together
    from (
      select *, min(first) over (partition by account) as begun, min(first) over () as earliest
      from (
        select kind, account, value, ${distinctEventCount} as events, ${distinctEventCount} filter (where outcome <> 'ok') as failed,
               cast(count(distinct actor) as bigint) as actors, min_by(actor, eventtime || eventid) as actor, min(eventtime) as first, max(eventtime) as last
        from (
          select eventid, eventtime, outcome, actor, recipientaccountid as account, kind, ${dimensionValue(KINDS)} as value
          from ${eventsDuring({ from: since, to })}
          ${unnestDimensions(KINDS)}
          where ${matching(filters)}
        ) as seen
        where value is not null
        group by kind, account, value
      ) as grouped
    ) as dated
    where first >= ${isoSecond(from)} and (kind = 'account' or begun < ${isoSecond(from)})
  ) as placed
  where place <= ${top}
  order by kind, place
`;

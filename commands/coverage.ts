/** What the trail covers: first and last day of every account and region, days without events, and whether data events are in it. */
import {
  command,
  DAY_MS,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  limit,
  printLine,
  printWindow,
  query,
  type Row,
  type TimeRange,
  type Window,
  widerTime,
  z,
} from '#kit';

const MOST_PLACES = 5000;

const words = (text: string | null): string[] => [...new Set(text?.split(' ').filter(Boolean))].sort();

const place = z.object({
  account: z.string().nullable(),
  region: z.string().nullable(),
  events: z.coerce.number(),
  first: z.string(),
  last: z.string(),
  days: z.string().nullable().transform(words),
  services: z.string().nullable().transform(words),
});
type Place = z.output<typeof place>;

export default command({
  topic: 'trail',
  summary: 'Tells what the trail covers: first and last event of every account and region, days without any, data events',
  example: '30d',
  words: {},
  window: '30d',
  filters: false,
  shape: ['top'],

  async answer({ window, typedWindow, top = MOST_PLACES }, { ask, now }) {
    const places = await ask(query(place)`
      select recipientaccountid as account, awsregion as region, ${distinctEventCount} as events, min(eventtime) as first, max(eventtime) as last,
             array_join(array_agg(distinct substr(eventtime, 1, 10)), ' ') as days,
             array_join(array_agg(distinct eventsource) filter (where eventcategory = 'Data' or managementevent = 'false'), ' ') as services
      from ${eventsDuring(window)}
      group by recipientaccountid, awsregion
      order by account nulls last, region nulls last
      ${limit(MOST_PLACES + 1)}
    `);
    const accounts = [...Map.groupBy(places, ({ account }) => account)].map(([account, each]) => ({
      account,
      regions: each.length,
      // A region may be idle for days. An account as a whole hardly ever is: AWS itself calls in it.
      gaps: gapsIn([...new Set(each.flatMap(({ days }) => days))].sort(), window),
    }));
    const newest = places.reduce<Place | undefined>((latest, each) => (latest === undefined || each.last > latest.last ? each : latest), undefined);
    const services = words(places.flatMap((each) => each.services).join(' '));
    const minutes = newest ? Math.max(0, Math.round((Math.min(now.getTime(), window.to.getTime()) - Date.parse(newest.last)) / 60_000)) : 0;
    const holed = accounts.filter(({ gaps }) => gaps.length > 0);
    return {
      data: {
        events: places.reduce((sum, { events }) => sum + events, 0),
        accounts: accounts.length,
        regions: new Set(places.map(({ region }) => region)).size,
        first: places.reduce<string | null>((least, { first }) => (least === null || first < least ? first : least), null),
        newest: newest ?? null,
        minutes,
        hours: Math.round(minutes / 60),
        days: Math.round(minutes / 1440),
        services: services.slice(0, 10),
        moreServices: Math.max(0, services.length - 10),
        holed: holed
          .slice(0, 10)
          .map(({ account, gaps }) => ({ account, gaps: gaps.slice(0, 5).map(printGap).join(', '), more: Math.max(0, gaps.length - 5) })),
        moreHoled: Math.max(0, holed.length - 10),
      },
      table: {
        caption: 'What the trail covers',
        columns: [
          { name: 'account', label: 'Account', kind: 'text' },
          { name: 'region', label: 'Region', kind: 'text' },
          { name: 'events', label: 'Events', kind: 'count' },
          { name: 'first', label: 'First (UTC)', kind: 'time' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
          { name: 'days', label: 'Days', kind: 'count' },
          { name: 'without', label: 'Days without', kind: 'count' },
          { name: 'data', label: 'Data events of', kind: 'text' },
        ],
        rows: places.slice(0, top).map(({ days, services: own, ...cells }): Row => {
          const filters = [
            ...(cells.account === null ? [] : [exactFilter('account', cells.account)]),
            ...(cells.region === null ? [] : [exactFilter('region', cells.region)]),
          ];
          return {
            cells: { ...cells, days: days.length, without: wholeDays(days[0] ?? '', days.at(-1) ?? '') - days.length, data: own.join(' ') || null },
            next: {
              label: `${cells.account ?? '—'} ${cells.region ?? '—'}`,
              line: printLine({ name: 'events', words: [], filters, every: { count: 1, unit: 'd' }, window: typedWindow }),
            },
          };
        }),
        more: places.length > Math.min(top, MOST_PLACES),
      },
      next: [
        ...(places.length > 0
          ? [
              {
                label: 'Events by day',
                line: printLine({ name: 'events', words: [], filters: [], every: { count: 1, unit: 'd' }, window: typedWindow }),
              },
            ]
          : []),
        widerTime(window, (wide) => printLine({ name: 'coverage', words: [], filters: [], window: wide })),
      ],
    };
  },
});

type Gap = Extract<Window, { kind: 'between' }>;

const printGap = (gap: Gap): string => printWindow(gap);

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);
const wholeDays = (first: string, last: string): number => Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;

/** The days without an event, as spans: between the first day with one and the end of the window, whose last day may not be over. */
function gapsIn(days: readonly string[], { to }: TimeRange): Gap[] {
  const end = dayOf(to.getTime() - 1);
  return [...days, end].slice(1).flatMap((day, i): Gap[] => {
    const [after, before] = [Date.parse(days[i] as string) + DAY_MS, Date.parse(day) - DAY_MS];
    return after > before ? [] : [{ kind: 'between', from: dayOf(after), to: dayOf(before) }];
  });
}

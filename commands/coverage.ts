/** What the trail covers: the first and last event of every account and region, days without events, and services with data events. */
import {
  activityDuring,
  command,
  DAY_MS,
  eventCount,
  exactFilter,
  FIRST_AND_LAST,
  limit,
  memoryLimit,
  printLine,
  printWindow,
  query,
  type Row,
  type TimeRange,
  type Window,
  widerTime,
  z,
} from '#kit';

const MAX_COVERAGE_ROWS = 5000;

const distinctWords = (text: string | null): string[] => [...new Set(text?.split(' ').filter(Boolean))].sort();

const coverageRow = z.object({
  account: z.string().nullable(),
  region: z.string().nullable(),
  events: z.coerce.number(),
  first: z.string(),
  last: z.string(),
  days: z.string().nullable().transform(distinctWords),
  services: z.string().nullable().transform(distinctWords),
});
type CoverageRow = z.output<typeof coverageRow>;

export default command({
  topic: 'trail',
  summary: 'Shows what the trail covers: first and last event of every account and region, days without events, data events',
  example: '30d',
  words: {},
  window: '30d',
  filters: false,
  shape: ['top'],

  async answer({ window, typedWindow, top: typedTop }, context) {
    const { ask, now, kept } = context;
    const max = memoryLimit(context, MAX_COVERAGE_ROWS);
    const top = typedTop ?? max;
    const rows = await ask(query(coverageRow)`
      select recipientaccountid as account, awsregion as region, ${eventCount()} as events, min(first) as first, max(last) as last,
             array_join(array_agg(distinct substr(first, 1, 10)), ' ') as days,
             array_join(array_agg(distinct eventsource) filter (where eventcategory = 'Data' or (eventcategory is null and managementevent = 'false')), ' ') as services
      from ${activityDuring(window, { kept, uses: [] })}
      group by recipientaccountid, awsregion
      order by account nulls last, region nulls last
      ${limit(max + 1)}
    `);
    const accounts = [...Map.groupBy(rows, ({ account }) => account)].map(([account, regions]) => ({
      account,
      // A region can be idle for days. An account hardly ever is, since AWS itself calls in it.
      gaps: gapsIn([...new Set(regions.flatMap(({ days }) => days))].sort(), window),
    }));
    const newest = rows.reduce<CoverageRow | undefined>(
      (latest, each) => (latest === undefined || each.last > latest.last ? each : latest),
      undefined,
    );
    const services = distinctWords(rows.flatMap((each) => each.services).join(' '));
    const minutes = newest ? Math.max(0, Math.round((Math.min(now.getTime(), window.to.getTime()) - Date.parse(newest.last)) / 60_000)) : 0;
    const accountsWithGaps = accounts.filter(({ gaps }) => gaps.length > 0);
    return {
      data: {
        events: rows.reduce((sum, { events }) => sum + events, 0),
        accounts: accounts.length,
        regions: new Set(rows.map(({ region }) => region)).size,
        first: rows.reduce<string | null>((least, { first }) => (least === null || first < least ? first : least), null),
        newest: newest ?? null,
        minutes,
        hours: Math.round(minutes / 60),
        days: Math.round(minutes / 1440),
        services: services.slice(0, 10),
        moreServices: Math.max(0, services.length - 10),
        accountsWithGaps: accountsWithGaps
          .slice(0, 10)
          .map(({ account, gaps }) => ({ account, gaps: gaps.slice(0, 5).map(printGap).join(', '), more: Math.max(0, gaps.length - 5) })),
        moreWithGaps: Math.max(0, accountsWithGaps.length - 10),
      },
      table: {
        caption: 'What the trail covers',
        columns: [
          { name: 'account', label: 'Account', kind: 'text' },
          { name: 'region', label: 'Region', kind: 'text' },
          { name: 'events', label: 'Events', kind: 'count' },
          ...FIRST_AND_LAST,
          { name: 'days', label: 'Days', kind: 'count' },
          { name: 'without', label: 'Days without events', kind: 'count' },
          { name: 'data', label: 'Data events of', kind: 'text' },
        ],
        rows: rows.slice(0, Math.min(top, max)).map(({ days, services: dataServices, ...cells }): Row => {
          const filters = [
            ...(cells.account === null ? [] : [exactFilter('account', cells.account)]),
            ...(cells.region === null ? [] : [exactFilter('region', cells.region)]),
          ];
          return {
            cells: {
              ...cells,
              days: days.length,
              without: countDays(days[0] ?? '', days.at(-1) ?? '') - days.length,
              data: dataServices.join(' ') || null,
            },
            next: {
              label: `${cells.account ?? '—'} ${cells.region ?? '—'}`,
              line: printLine({ name: 'events', words: [], filters, every: { count: 1, unit: 'd' }, window: typedWindow }),
            },
          };
        }),
        more: rows.length > Math.min(top, max),
      },
      next: [
        ...(rows.length > 0
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

type DayGap = Extract<Window, { kind: 'between' }>;

const printGap = (gap: DayGap): string => printWindow(gap);

const utcDate = (at: number): string => new Date(at).toISOString().slice(0, 10);
const countDays = (first: string, last: string): number => Math.round((Date.parse(last) - Date.parse(first)) / DAY_MS) + 1;

/** The gaps without events, from the first day with an event to the end of the window. The last day is left out: it may not be over. */
function gapsIn(days: readonly string[], { to }: TimeRange): DayGap[] {
  const end = utcDate(to.getTime() - 1);
  return [...days, end].slice(1).flatMap((day, i): DayGap[] => {
    const [after, before] = [Date.parse(days[i] as string) + DAY_MS, Date.parse(day) - DAY_MS];
    return after > before ? [] : [{ kind: 'between', from: utcDate(after), to: utcDate(before) }];
  });
}

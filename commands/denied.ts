/** Calls that were denied: whose, which, how many, how many in an hour when it happened at all, and which are new or happen every day. */
import { DAY_MS, distinctEventCount, preset, type Row, sql, type TimeRange } from '#kit';

export default preset({
  name: 'denied',
  topic: 'refused',
  summary: 'Counts denied calls by user and call, the top 10 by total and by mean per hour',
  example: '7d',
  window: '7d',
  where: sql`outcome = 'denied'`,
  caption: 'Denied calls',
  by: ['user', 'event'],
  top: 10,
  measures: [
    { name: 'days', label: 'on days', from: sql`count(distinct substr(eventtime, 1, 10))` },
    { name: 'hours', label: 'in hours', from: sql`count(distinct substr(eventtime, 1, 13))` },
    { name: 'mean', label: 'per such hour', from: sql`round(cast(${distinctEventCount} as double) / count(distinct substr(eventtime, 1, 13)), 1)` },
  ],
  alsoBy: 'mean',
  toldOfCounts: ({ rows, read, range }) => (rows.some(({ cells }) => 'step' in cells) ? {} : { bursts: burstsOf(rows), ...agesOf(read, range) }),
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'First denied latest', line: line({ sort: 'new' }) },
  ],
});

const MOST_TOLD = 3;

/** What was denied most in an hour. */
const burstsOf = (rows: readonly Row[]) =>
  rows
    .filter(({ cells }) => Number(cells.events) > 1)
    .toSorted((a, b) => Number(b.cells.mean) - Number(a.cells.mean))
    .slice(0, MOST_TOLD)
    .map(({ cells, next }) => ({ name: next?.label, ...cells }));

/** What is denied for the first time in the last seventh of the window, and what on most of its days: news, and what nobody mends. */
function agesOf(read: readonly Row[], { from, to }: TimeRange) {
  const days = Math.round((to.getTime() - from.getTime()) / DAY_MS);
  // In less time nothing can be told from what is always denied.
  if (days < 4) return {};
  const recentDays = Math.max(1, Math.round(days / 7));
  const since = new Date(to.getTime() - recentDays * DAY_MS).toISOString();
  const most = Math.ceil(days * 0.7);
  return {
    fresh: some(
      read.filter(({ cells }) => String(cells.first) >= since),
      { days: recentDays },
    ),
    chronic: some(
      read.filter(({ cells }) => Number(cells.days) >= most),
      { days: most, of: days },
    ),
  };
}

const some = (rows: readonly Row[], told: object) =>
  rows.length === 0
    ? null
    : {
        ...told,
        first: rows.slice(0, MOST_TOLD).map(({ cells, next }) => ({ name: next?.label, events: cells.events })),
        more: Math.max(0, rows.length - MOST_TOLD),
      };

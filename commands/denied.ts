/** Denied calls by user and call: how many, how many per hour with denials, and which are new or happen on most days. */
import { DAY_MS, eventCount, preset, type Row, sql, type TimeRange } from '#kit';

export default preset({
  name: 'denied',
  topic: 'refused',
  summary: 'Counts denied calls by user and call: the top 10 by total, and the top 10 by mean per hour',
  example: '7d',
  window: '7d',
  where: sql`outcome = 'denied'`,
  caption: 'Denied calls',
  by: ['user', 'event'],
  top: 10,
  measures: [
    { name: 'days', label: 'on days', from: sql`count(distinct substr(first, 1, 10))` },
    { name: 'hours', label: 'in hours', from: sql`count(distinct substr(first, 1, 13))` },
    { name: 'mean', label: 'per active hour', from: sql`round(cast(${eventCount()} as double) / count(distinct substr(first, 1, 13)), 1)` },
  ],
  alsoBy: 'mean',
  countData: ({ rows, allRows, range }) =>
    rows.some(({ cells }) => 'step' in cells) ? {} : { bursts: busiestGroups(rows), ...newAndChronic(allRows, range) },
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'Newest denials first', line: line({ sort: 'new' }) },
  ],
});

const MAX_NAMED_GROUPS = 3;

/** The groups with most denials per hour. */
const busiestGroups = (rows: readonly Row[]) =>
  rows
    .filter(({ cells }) => Number(cells.events) > 1)
    .toSorted((a, b) => Number(b.cells.mean) - Number(a.cells.mean))
    .slice(0, MAX_NAMED_GROUPS)
    .map(({ cells, next }) => ({ name: next?.label, ...cells }));

/** Groups first denied in the last seventh of the window, and groups denied on most of its days. */
function newAndChronic(rows: readonly Row[], { from, to }: TimeRange) {
  const days = Math.round((to.getTime() - from.getTime()) / DAY_MS);
  // A shorter window cannot show what is denied on most days.
  if (days < 4) return {};
  const recentDays = Math.max(1, Math.round(days / 7));
  const since = new Date(to.getTime() - recentDays * DAY_MS).toISOString();
  const minDays = Math.ceil(days * 0.7);
  return {
    fresh: firstGroups(
      rows.filter(({ cells }) => String(cells.first) >= since),
      { days: recentDays },
    ),
    chronic: firstGroups(
      rows.filter(({ cells }) => Number(cells.days) >= minDays),
      { days: minDays, of: days },
    ),
  };
}

const firstGroups = (rows: readonly Row[], data: object) =>
  rows.length === 0
    ? null
    : {
        ...data,
        first: rows.slice(0, MAX_NAMED_GROUPS).map(({ cells, next }) => ({ name: next?.label, events: cells.events })),
        more: Math.max(0, rows.length - MAX_NAMED_GROUPS),
      };

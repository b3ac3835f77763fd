/** Calls that were denied: whose, which, how many, and how many in an hour when it happened at all. */
import { eventCount, preset, sql } from '#kit';

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
    { name: 'mean', label: 'per such hour', from: sql`round(cast(${eventCount} as double) / count(distinct substr(eventtime, 1, 13)), 1)` },
  ],
  alsoBy: 'mean',
  toldOfCounts: (rows) => ({
    bursts: rows
      .filter(({ cells }) => Number(cells.events) > 1)
      .toSorted((a, b) => Number(b.cells.mean) - Number(a.cells.mean))
      .slice(0, 3)
      .map(({ cells, next }) => ({ name: next?.label, ...cells })),
  }),
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'First denied latest', line: line({ sort: 'new' }) },
  ],
});

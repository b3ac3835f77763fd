/** How much the API is used, over time. */
import { eventCount, preset, sql } from '#kit';

export default preset({
  name: 'volume',
  topic: 'look',
  summary: 'Counts calls in steps of time; by:source or by:account tells them apart',
  example: '7d',
  window: '24h',
  where: sql`1 = 1`,
  caption: 'Calls',
  every: { count: 1, unit: 'h' },
  measures: [
    { name: 'bad', label: 'not ok', from: sql`${eventCount} filter (where outcome <> 'ok')` },
    { name: 'actors', label: 'actors', from: sql`count(distinct actor)` },
  ],
  toldOfCounts: (rows) => ({ mean: Math.round(rows.reduce((sum, { cells }) => sum + Number(cells.events), 0) / Math.max(1, rows.length)) }),
  next: (_, line) => [
    { label: 'Every day of 30', line: line({ every: { count: 1, unit: 'd' }, window: { kind: 'ago', count: 30, unit: 'd' } }) },
    { label: 'By service', line: line({ by: ['source'] }) },
    { label: 'By outcome', line: line({ by: ['outcome'] }) },
  ],
});

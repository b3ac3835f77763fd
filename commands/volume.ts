/** API calls over time. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'volume',
  listedBy: 'events',
  topic: 'look',
  summary: 'Counts calls per hour or another interval; by:source or by:account splits them',
  example: '7d',
  window: '24h',
  where: sql`1 = 1`,
  caption: 'Calls',
  every: { count: 1, unit: 'h' },
  measures: [failures, { name: 'actors', label: 'actors', from: sql`count(distinct actor)` }],
  next: (_, line) => [
    { label: 'Every day for 30 days', line: line({ every: { count: 1, unit: 'd' }, window: { kind: 'ago', count: 30, unit: 'd' } }) },
    { label: 'By service', line: line({ by: ['source'] }) },
    { label: 'By outcome', line: line({ by: ['outcome'] }) },
  ],
});

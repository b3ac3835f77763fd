/** How much the API is used, over time. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'volume',
  listedBy: 'events',
  topic: 'look',
  summary: 'Counts calls in steps of time; by:source or by:account tells them apart',
  example: '7d',
  window: '24h',
  where: sql`1 = 1`,
  caption: 'Calls',
  every: { count: 1, unit: 'h' },
  measures: [failures, { name: 'actors', label: 'actors', from: sql`count(distinct actor)` }],
  next: (_, line) => [
    { label: 'Every day of 30', line: line({ every: { count: 1, unit: 'd' }, window: { kind: 'ago', count: 30, unit: 'd' } }) },
    { label: 'By service', line: line({ by: ['source'] }) },
    { label: 'By outcome', line: line({ by: ['outcome'] }) },
  ],
});

/** Throttled calls by user and call, or over time. */
import { preset, sql } from '#kit';

export default preset({
  name: 'throttled',
  topic: 'refused',
  summary: 'Counts throttled calls by user and call; every:5m shows when',
  example: '7d',
  window: '7d',
  where: sql`outcome = 'throttled'`,
  caption: 'Throttled calls',
  by: ['user', 'event'],
  top: 20,
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'By service and region', line: line({ by: ['source', 'region'] }) },
  ],
});

/** Failed calls that were neither denied nor throttled. */
import { preset, sql } from '#kit';

export default preset({
  name: 'failed',
  topic: 'refused',
  summary: 'Counts failed calls by call and error; for others see denied and throttled',
  example: '7d',
  window: '7d',
  where: sql`outcome = 'failed'`,
  caption: 'Failed calls',
  by: ['event', 'error'],
  top: 20,
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'Newest failures first', line: line({ sort: 'new' }) },
  ],
});

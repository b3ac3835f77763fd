/** Calls that failed for other reasons than rights and rates. */
import { preset, sql } from '#kit';

export default preset({
  name: 'failed',
  topic: 'refused',
  summary: 'Counts failed calls by call and error; denied and throttled ones have questions of their own',
  example: '7d',
  window: '7d',
  where: sql`outcome = 'failed'`,
  caption: 'Failed calls',
  by: ['event', 'error'],
  top: 20,
  next: (_, line) => [
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
    { label: 'First failed latest', line: line({ sort: 'new' }) },
  ],
});

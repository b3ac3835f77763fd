/** The most common calls. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'top',
  listedBy: 'events',
  topic: 'look',
  summary: 'Counts the most common calls',
  example: '7d',
  window: '24h',
  where: sql`1 = 1`,
  caption: 'Calls',
  measures: [failures],
  by: ['source', 'event'],
  top: 20,
  next: (_, line) => [{ label: 'Most active users', line: line({ by: ['user'] }) }],
});

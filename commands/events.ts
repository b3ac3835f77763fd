/** Lists events with any filters, newest first, or counts them by field and time step. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'events',
  countedBy: 'count',
  topic: 'look',
  summary: 'Lists events with any filters, newest first, or counts them with by: and every:',
  example: 'source:s3 destructive:true 30d',
  window: '24h',
  freeText: true,
  where: sql`1 = 1`,
  caption: 'Events, newest first',
  measures: [failures],
});

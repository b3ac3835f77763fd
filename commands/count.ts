/** How many events there are, of any filters, by field and by step of time. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'count',
  listedBy: 'events',
  topic: 'look',
  summary: 'Counts events by any filters: by:user,event groups them, every:1h makes a series, sort:rare turns it round',
  example: 'source:s3 by:user,event 7d',
  window: '24h',
  where: sql`1 = 1`,
  caption: 'Events',
  measures: [failures],
  by: ['event'],
  next: ({ by = ['event'], every }, line) => [
    every ? { label: 'By event', line: line({ by: ['event'] }) } : { label: 'Every day', line: line({ every: { count: 1, unit: 'd' } }) },
    { label: 'Rarest first', line: line({ by, sort: 'rare' }) },
  ],
});

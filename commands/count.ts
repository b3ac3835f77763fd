/** Counts events by field and time step, with any filters. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'count',
  listedBy: 'events',
  topic: 'look',
  summary: 'Counts events with any filters: by:user,event groups them, every:1h counts per hour, sort:rare puts the rarest first',
  example: 'source:s3 by:user,event 7d',
  window: '24h',
  freeText: true,
  where: sql`1 = 1`,
  caption: 'Events',
  measures: [failures],
  by: ['event'],
  next: ({ by = ['event'], every }, line) => [
    every ? { label: 'By event', line: line({ by: ['event'] }) } : { label: 'Every day', line: line({ every: { count: 1, unit: 'd' } }) },
    { label: 'Rarest first', line: line({ by, sort: 'rare' }) },
  ],
});

/** Successful requests to S3 that were signed in their URL: whoever has such a link needs no credentials. */
import { distinctEventCount, preset, sql, z } from '#kit';

export default preset({
  name: 'presigned',
  topic: 'data',
  summary: 'Counts successful requests by presigned URL, by signer, bucket and address',
  example: '7d',
  words: { bucket: z.string().optional() },
  window: '7d',
  where: ({ bucket }) => sql`eventsource = 's3.amazonaws.com' and outcome = 'ok'
    and json_extract_scalar(additionaleventdata, '$.AuthenticationMethod') = 'QueryString'
    and ${bucket === undefined ? sql`1 = 1` : sql`target = ${bucket}`}`,
  caption: 'Presigned requests',
  by: ['user', 'target', 'ip'],
  hidden: ['eventsource', 'outcome'],
  measures: [{ name: 'console', label: 'by the console', from: sql`${distinctEventCount} filter (where sessioncredentialfromconsole = 'true')` }],
  toldOfCounts: ({ sums }) => ({ console: sums.console }),
  next: (_, line) => [
    { label: 'By signer', line: line({ by: ['user', 'key'] }) },
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
  ],
});

/** Successful S3 requests with a presigned URL: anyone who has the URL needs no credentials. */
import { eventCount, preset, sql, z } from '#kit';

export default preset({
  name: 'presigned',
  topic: 'data',
  summary: 'Counts successful requests with a presigned URL, by signer, bucket and address',
  example: '7d',
  words: { bucket: z.string().optional() },
  window: '7d',
  where: ({ bucket }) => sql`eventsource = 's3.amazonaws.com' and outcome = 'ok'
    and json_extract_scalar(additionaleventdata, '$.AuthenticationMethod') = 'QueryString'
    and ${bucket === undefined ? sql`1 = 1` : sql`target = ${bucket}`}`,
  caption: 'Presigned requests',
  by: ['user', 'target', 'ip'],
  hidden: ['eventsource', 'outcome'],
  measures: [{ name: 'console', label: 'by the console', from: eventCount(sql`sessioncredentialfromconsole = 'true'`) }],
  countData: ({ sums }) => ({ console: sums.console }),
  next: (_, line) => [
    { label: 'By signer', line: line({ by: ['user', 'key'] }) },
    { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
  ],
});

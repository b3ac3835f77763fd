/** Keys whose material comes from outside of AWS: imported, or held in an external store. */
import { preset, sql } from '#kit';

/** The origin of a key that was made. A request may leave it out, and the answer tells. */
const ORIGIN = sql`case when eventsource = 'kms.amazonaws.com' and eventname in ('CreateKey', 'ReplicateKey') then coalesce(
  json_extract_scalar(responseelements, '$.keyMetadata.origin'),
  json_extract_scalar(responseelements, '$.replicaKeyMetadata.origin'),
  json_extract_scalar(requestparameters, '$.origin')
) end`;
const USAGE = sql`case when eventsource = 'kms.amazonaws.com' and eventname in ('CreateKey', 'ReplicateKey') then coalesce(
  json_extract_scalar(responseelements, '$.keyMetadata.keyUsage'),
  json_extract_scalar(responseelements, '$.replicaKeyMetadata.keyUsage'),
  json_extract_scalar(requestparameters, '$.keyUsage')
) end`;
const KEY = sql`coalesce(json_extract_scalar(responseelements, '$.keyMetadata.keyId'), json_extract_scalar(requestparameters, '$.keyId'), target)`;

export default preset({
  name: 'kms-external',
  topic: 'data',
  summary: 'Lists KMS keys made with an origin other than AWS’s own, and key material that was imported',
  example: '30d',
  window: '30d',
  where: sql`eventsource = 'kms.amazonaws.com'
    and (eventname = 'ImportKeyMaterial' or (eventname in ('CreateKey', 'ReplicateKey') and not starts_with(coalesce(${ORIGIN}, 'AWS_'), 'AWS_')))`,
  caption: 'Key material from outside',
  columns: [
    { name: 'origin', label: 'Origin', from: ORIGIN },
    { name: 'usage', label: 'Usage', from: USAGE },
    { name: 'identityarn', label: 'User ARN', from: sql`identityarn` },
    { name: 'key', label: 'Key', from: KEY },
  ],
  hidden: ['eventsource', 'target', 'sourceipaddress'],
  told: (events) => ({
    keys: [...Map.groupBy(events, ({ key }) => key)].slice(0, 5).map(([key, calls]) => ({
      key,
      calls: calls.toReversed().map(({ eventname, actor, eventtime, outcome, origin }) => ({ eventname, actor, eventtime, outcome, origin })),
    })),
  }),
});

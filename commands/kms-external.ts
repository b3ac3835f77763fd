/** KMS keys with key material from outside AWS: imported, or in an external key store. */
import { preset, sql } from '#kit';

/** The origin of a created key. A request may leave it out; then the response has it. */
const KEY_ORIGIN = sql`case when eventsource = 'kms.amazonaws.com' and eventname in ('CreateKey', 'ReplicateKey') then coalesce(
  json_extract_scalar(responseelements, '$.keyMetadata.origin'),
  json_extract_scalar(responseelements, '$.replicaKeyMetadata.origin'),
  json_extract_scalar(requestparameters, '$.origin')
) end`;
const KEY_USAGE = sql`case when eventsource = 'kms.amazonaws.com' and eventname in ('CreateKey', 'ReplicateKey') then coalesce(
  json_extract_scalar(responseelements, '$.keyMetadata.keyUsage'),
  json_extract_scalar(responseelements, '$.replicaKeyMetadata.keyUsage'),
  json_extract_scalar(requestparameters, '$.keyUsage')
) end`;
const KEY_ID = sql`coalesce(json_extract_scalar(responseelements, '$.keyMetadata.keyId'), json_extract_scalar(requestparameters, '$.keyId'), target)`;

export default preset({
  name: 'kms-external',
  topic: 'data',
  summary: 'Lists KMS keys created with an external origin, and imports of key material',
  example: '30d',
  window: '30d',
  where: sql`eventsource = 'kms.amazonaws.com'
    and (eventname = 'ImportKeyMaterial' or (eventname in ('CreateKey', 'ReplicateKey') and not starts_with(coalesce(${KEY_ORIGIN}, 'AWS_'), 'AWS_')))`,
  dependsOnRequest: sql`(eventsource = 'kms.amazonaws.com' and eventname in ('CreateKey', 'ReplicateKey') and ${KEY_ORIGIN} is null)`,
  caption: 'External key material',
  columns: [
    { name: 'origin', label: 'Origin', from: KEY_ORIGIN },
    { name: 'usage', label: 'Usage', from: KEY_USAGE },
    { name: 'identityarn', label: 'User ARN', from: sql`identityarn` },
    { name: 'key', label: 'Key', from: KEY_ID },
  ],
  hidden: ['eventsource', 'target', 'sourceipaddress'],
  listData: (events) => ({
    keys: [...Map.groupBy(events, ({ key }) => key)].slice(0, 5).map(([key, calls]) => ({
      key,
      calls: calls.toReversed().map(({ eventname, actor, eventtime, outcome, origin }) => ({ eventname, actor, eventtime, outcome, origin })),
    })),
  }),
});

/** Requests for secrets: secret values, decrypted parameters, passwords, credentials, private keys. */
import { failures, preset, sql } from '#kit';

export default preset({
  name: 'secrets',
  topic: 'data',
  summary: 'Counts requests for secrets, decrypted parameters, passwords and private keys, by user and secret',
  example: '7d',
  window: '7d',
  // CloudTrail often leaves out the request of a denied call. Then it is unknown whether a parameter was to be decrypted.
  // A network activity event repeats a call through a VPC endpoint, unless the endpoint's policy refused it.
  where: sql`(coalesce(eventcategory, '') <> 'NetworkActivity' or outcome <> 'ok') and (
    (eventsource = 'secretsmanager.amazonaws.com' and eventname in ('GetSecretValue', 'BatchGetSecretValue'))
    or (eventsource = 'ssm.amazonaws.com' and eventname in ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory')
      and (json_extract_scalar(requestparameters, '$.withDecryption') = 'true' or (outcome = 'denied' and coalesce(requestparameters, 'null') = 'null')))
    or (eventsource = 'ec2.amazonaws.com' and eventname = 'GetPasswordData')
    or (eventsource = 'lightsail.amazonaws.com'
      and eventname in ('GetInstanceAccessDetails', 'DownloadDefaultKeyPair', 'GetRelationalDatabaseMasterUserPassword'))
    or (eventsource = 'acm.amazonaws.com' and eventname = 'ExportCertificate')
    or (eventsource in ('redshift.amazonaws.com', 'redshift-serverless.amazonaws.com')
      and eventname in ('GetClusterCredentials', 'GetClusterCredentialsWithIAM', 'GetCredentials'))
    or (eventsource = 'apigateway.amazonaws.com' and eventname in ('GetApiKey', 'GetApiKeys')
      and json_extract_scalar(requestparameters, '$.includeValue') = 'true')
  )`,
  dependsOnRequest: sql`((eventsource = 'ssm.amazonaws.com' and eventname in ('GetParameter', 'GetParameters', 'GetParametersByPath', 'GetParameterHistory'))
    or (eventsource = 'apigateway.amazonaws.com' and eventname in ('GetApiKey', 'GetApiKeys')))`,
  caption: 'Requests for secrets',
  by: ['user', 'target'],
  measures: [failures],
  next: (_, line) => [
    { label: 'Newest first', line: line({ sort: 'new' }) },
    { label: 'By call', line: line({ by: ['event', 'user'] }) },
  ],
});

/** Attempts on the record itself: trails, the buckets and keys that hold them, and what else keeps a record: flow logs, log groups, access logs, Config, GuardDuty. */
import { eventsDuring, failures, isoSecond, preset, sql } from '#kit';

const TRAIL = sql`(eventsource = 'cloudtrail.amazonaws.com' and eventname in (
  'StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'PutInsightSelectors', 'DeleteEventDataStore', 'UpdateEventDataStore',
  'StopEventDataStoreIngestion', 'DeleteChannel', 'DeregisterOrganizationDelegatedAdmin'
))`;
/** Other records; and an account that leaves its organization takes itself out of the organization's trail. */
const RECORDS = sql`(
  (eventsource = 'ec2.amazonaws.com' and eventname = 'DeleteFlowLogs')
  or (eventsource = 'logs.amazonaws.com' and eventname in ('DeleteLogGroup', 'DeleteLogStream') and actorkind <> 'service')
  or (eventsource = 'route53resolver.amazonaws.com' and eventname in ('DeleteResolverQueryLogConfig', 'DisassociateResolverQueryLogConfig'))
  or (eventsource = 'config.amazonaws.com' and eventname in ('StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel'))
  or (eventsource = 'guardduty.amazonaws.com'
    and (eventname = 'DeleteDetector' or (eventname = 'UpdateDetector' and json_extract_scalar(requestparameters, '$.enable') = 'false')))
  or (eventsource = 's3.amazonaws.com' and eventname = 'PutBucketLogging' and requestparameters not like '%LoggingEnabled%')
  or (eventsource = 'organizations.amazonaws.com' and eventname = 'LeaveOrganization')
)`;
const BUCKET = sql`(eventsource = 's3.amazonaws.com' and readlike <> 'true'
  and regexp_like(eventname, '^(DeleteObject|DeleteObjects|DeleteBucket|(Put|Delete)(Bucket(Policy|Acl|Lifecycle|LifecycleConfiguration|Versioning|Encryption|Replication|PublicAccessBlock)|PublicAccessBlock|ObjectLockConfiguration))$'))`;
const KEY = sql`(eventsource = 'kms.amazonaws.com' and eventname in ('DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'DeleteImportedKeyMaterial'))`;
/** CloudTrail looks at the bucket and uses the key that it delivers with, several times a day. */
const DELIVERY = sql`(actor = 'cloudtrail.amazonaws.com' and eventname in ('GetBucketAcl', 'GenerateDataKey'))`;
/** In as much time CloudTrail has delivered something, and so shows its bucket and its key. */
const DELIVERED_WITHIN_MS = 3 * 24 * 3_600_000;
const THING = sql`regexp_extract(target, '([^:/]+)/{0,1}$', 1)`;

export default preset({
  name: 'trail-tampering',
  topic: 'changes',
  summary: 'Lists changes to trails, to the buckets and keys that hold their logs, and ends of other records such as flow logs, and tries',
  example: '30d',
  window: '30d',
  from: (window) => sql`(
    select *
    from (
      select *, max(case when ${DELIVERY} then 1 else 0 end) over (partition by ${THING}) as delivers
      from ${eventsDuring({ ...window, from: new Date(Math.min(window.from.getTime(), window.to.getTime() - DELIVERED_WITHIN_MS)) })}
      where ${TRAIL} or ${RECORDS} or ${BUCKET} or ${KEY} or ${DELIVERY}
    ) as told
    where eventtime >= ${isoSecond(window.from)}
  )`,
  where: sql`not ${DELIVERY} and (${TRAIL} or ${RECORDS} or delivers = 1 or (${BUCKET} and target like '%cloudtrail%'))`,
  caption: 'Changes to the record',
  measures: [failures],
  told: (events) => ({ tampering: events.filter(({ actorkind }) => actorkind !== 'service').slice(0, 5) }),
  next: (_, line) => [{ label: 'Who did what', line: line({ by: ['user', 'event', 'outcome'] }) }],
});

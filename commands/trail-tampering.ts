/** Attempts on the record itself: trails, the buckets and keys that hold them, and what else keeps a record: flow logs, log groups, Config, GuardDuty. */
import { eventsDuring, preset, sql } from '#kit';

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
  or (eventsource = 'guardduty.amazonaws.com' and eventname = 'DeleteDetector')
  or (eventsource = 'organizations.amazonaws.com' and eventname = 'LeaveOrganization')
)`;
const BUCKET = sql`(eventsource = 's3.amazonaws.com' and readlike <> 'true'
  and regexp_like(eventname, '^(DeleteObject|DeleteObjects|DeleteBucket|(Put|Delete)(Bucket(Policy|Acl|Lifecycle|LifecycleConfiguration|Versioning|Encryption|Replication|PublicAccessBlock)|PublicAccessBlock|ObjectLockConfiguration))$'))`;
const KEY = sql`(eventsource = 'kms.amazonaws.com' and eventname in ('DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'DeleteImportedKeyMaterial'))`;
/** CloudTrail looks at the bucket and uses the key that it delivers with, several times a day. */
const DELIVERY = sql`(actor = 'cloudtrail.amazonaws.com' and eventname in ('GetBucketAcl', 'GenerateDataKey'))`;
const THING = sql`regexp_extract(target, '([^:/]+)/{0,1}$', 1)`;

export default preset({
  name: 'trail-tampering',
  topic: 'changes',
  summary: 'Lists changes to trails, to the buckets and keys that hold their logs, and ends of other records such as flow logs, and tries',
  example: '30d',
  window: '30d',
  from: (window) => sql`(
    select *, max(case when ${DELIVERY} then 1 else 0 end) over (partition by ${THING}) as delivers
    from ${eventsDuring(window)}
    where ${TRAIL} or ${RECORDS} or ${BUCKET} or ${KEY} or ${DELIVERY}
  )`,
  where: sql`not ${DELIVERY} and (${TRAIL} or ${RECORDS} or delivers = 1 or (${BUCKET} and target like '%cloudtrail%'))`,
  caption: 'Changes to the record',
  told: (events) => ({ tampering: events.filter(({ actorkind }) => actorkind !== 'service').slice(0, 5) }),
  next: (_, line) => [{ label: 'Who did what', line: line({ by: ['user', 'event', 'outcome'] }) }],
});

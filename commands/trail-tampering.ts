/** Changes to trails, their buckets and keys, and to other logs: flow logs, log groups, access logs, Config, GuardDuty and other services that watch. */
import { eventsDuring, failures, isoSecond, isRequestLeftOut, preset, sql } from '#kit';

const TRAIL_CHANGES = sql`(eventsource = 'cloudtrail.amazonaws.com' and eventname in (
  'StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'PutInsightSelectors', 'DeleteEventDataStore', 'UpdateEventDataStore',
  'StopEventDataStoreIngestion', 'DeleteChannel', 'DeregisterOrganizationDelegatedAdmin'
))`;
/** Services that watch an account: what deletes, stops or leaves one of their things makes them see less. */
const WATCHERS = sql`eventsource in ('access-analyzer.amazonaws.com', 'config.amazonaws.com', 'detective.amazonaws.com', 'guardduty.amazonaws.com',
  'inspector.amazonaws.com', 'inspector2.amazonaws.com', 'macie2.amazonaws.com', 'securityhub.amazonaws.com', 'securitylake.amazonaws.com')`;
/**
 * Changes to other logs and to services that watch, by the catalogue's effects, whatever the service. An account that leaves its
 * organization also leaves the organization's trail.
 */
const OTHER_LOG_CHANGES = sql`(
  (${WATCHERS} and (effect in ('delete', 'stop') or regexp_like(eventname, '^(BatchDisable|Disassociate|CreateArchiveRule|(Create|Update)((Findings){0,1}Filter|IPSet|TrustedEntitySet)|UpdateMemberDetectors|UpdateOrganizationConfiguration|UpdateStandardsControl|BatchUpdateStandardsControl|UpdateSecurityControl|Put(ConfigurationRecorder|DeliveryChannel)$)'))
    and not regexp_like(eventname, 'Evaluation|Tags|Findings{0,1}$|Delete(Findings){0,1}Filter'))
  or ((effect in ('delete', 'stop') or regexp_like(eventname, '^(Disassociate|Detach|Remove)')) and regexp_like(eventname, 'FlowLog|AccessLog|ActivityStream|QueryLog|Logging|LogSubscription|LogDelivery|AuditLog|LogConfig|LogSource|Recording(Preferences|Configuration)')
    and not regexp_like(eventname, 'LogPattern|LogAnomaly'))
  or (eventsource = 'logs.amazonaws.com' and regexp_like(eventname, '^Delete(LogGroup|LogStream|MetricFilter|SubscriptionFilter|Destination|DeliverySource|Delivery|AccountPolicy)$') and actorkind <> 'service')
  or (eventsource = 'guardduty.amazonaws.com' and eventname = 'UpdateDetector' and regexp_like(requestparameters, '"enable": *false|"DISABLED"'))
  or (eventsource = 'macie2.amazonaws.com' and eventname = 'UpdateMacieSession' and json_extract_scalar(requestparameters, '$.status') = 'PAUSED')
  or (eventsource = 's3.amazonaws.com' and eventname = 'PutBucketLogging' and requestparameters not like '%LoggingEnabled%')
  or (eventname = 'ModifyLoadBalancerAttributes' and regexp_like(requestparameters, 'access_logs[.]s3[.]enabled"[^}]*"false"'))
  or (eventsource = 'eks.amazonaws.com' and eventname = 'UpdateClusterConfig' and regexp_like(requestparameters, '"clusterLogging".*"enabled": *false'))
  or (eventsource = 'monitoring.amazonaws.com' and eventname in ('DeleteAlarms', 'DisableAlarmActions') and actorkind <> 'service' and via <> 'service')
  or (eventsource = 'network-firewall.amazonaws.com' and eventname = 'UpdateLoggingConfiguration')
  or (eventsource = 'oam.amazonaws.com' and effect = 'delete')
  or (eventsource = 'organizations.amazonaws.com' and eventname in ('LeaveOrganization', 'DisableAWSServiceAccess'))
)`;
/** Changes to logs or not, by what they request. */
const BY_REQUEST = sql`eventname in ('UpdateDetector', 'UpdateMacieSession', 'PutBucketLogging', 'ModifyLoadBalancerAttributes', 'UpdateClusterConfig')`;
const BUCKET_CHANGES = sql`(eventsource = 's3.amazonaws.com' and readlike <> 'true'
  and regexp_like(eventname, '^(DeleteObject|DeleteObjects|DeleteBucket|(Put|Delete)(Bucket(Policy|Acl|Lifecycle|LifecycleConfiguration|Versioning|Encryption|Replication|PublicAccessBlock)|PublicAccessBlock|ObjectLockConfiguration))$'))`;
const KEY_CHANGES = sql`(eventsource = 'kms.amazonaws.com' and eventname in ('DisableKey', 'ScheduleKeyDeletion', 'PutKeyPolicy', 'DeleteImportedKeyMaterial'))`;
/** Several times a day, CloudTrail checks the bucket that it delivers to and uses its key. */
const DELIVERY = sql`(actor = 'cloudtrail.amazonaws.com' and eventname in ('GetBucketAcl', 'GenerateDataKey'))`;
/** Within this time CloudTrail has delivered something, which shows its bucket and its key. */
const DELIVERED_WITHIN_MS = 3 * 24 * 3_600_000;
const RESOURCE_NAME = sql`regexp_extract(target, '([^:/]+)/{0,1}$', 1)`;

export default preset({
  name: 'trail-tampering',
  topic: 'changes',
  summary: 'Lists changes to trails, their buckets and keys, to other logs, and to services that watch, such as GuardDuty, with failed attempts',
  example: '30d',
  window: '30d',
  from: (window) => sql`(
    select *
    from (
      select *, max(case when ${DELIVERY} then 1 else 0 end) over (partition by ${RESOURCE_NAME}) as delivers
      from ${eventsDuring({ ...window, from: new Date(Math.min(window.from.getTime(), window.to.getTime() - DELIVERED_WITHIN_MS)) })}
      where ${TRAIL_CHANGES} or ${OTHER_LOG_CHANGES} or ${BUCKET_CHANGES} or ${KEY_CHANGES} or ${DELIVERY} or (${BY_REQUEST} and ${isRequestLeftOut})
    ) as deliveries
    where eventtime >= ${isoSecond(window.from)}
  )`,
  where: sql`not ${DELIVERY} and (${TRAIL_CHANGES} or ${OTHER_LOG_CHANGES} or delivers = 1 or (${BUCKET_CHANGES} and target like '%cloudtrail%'))`,
  dependsOnRequest: BY_REQUEST,
  caption: 'Changes to trails and logs',
  measures: [failures],
  listData: (events) => ({ tampering: events.filter(({ actorkind }) => actorkind !== 'service').slice(0, 5) }),
  next: (_, line) => [{ label: 'By user, event and outcome', line: line({ by: ['user', 'event', 'outcome'] }) }],
});

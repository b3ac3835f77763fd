/** Changes to trails, their buckets and keys, and to other logs: flow logs, log groups, access logs, Config, GuardDuty and other services that watch. */
import { eventsDuring, failures, isoSecond, isRequestLeftOut, otherLogChanges, preset, sql, trailChanges } from '#kit';

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
      where ${trailChanges} or ${otherLogChanges} or ${BUCKET_CHANGES} or ${KEY_CHANGES} or ${DELIVERY} or (${BY_REQUEST} and ${isRequestLeftOut})
    ) as deliveries
    where eventtime >= ${isoSecond(window.from)}
  )`,
  where: sql`not ${DELIVERY} and (${trailChanges} or ${otherLogChanges} or delivers = 1 or (${BUCKET_CHANGES} and target like '%cloudtrail%'))`,
  dependsOnRequest: BY_REQUEST,
  caption: 'Changes to trails and logs',
  measures: [failures],
  listData: (events) => ({ tampering: events.filter(({ actorkind }) => actorkind !== 'service').slice(0, 5) }),
  next: (_, line) => [{ label: 'By user, event and outcome', line: line({ by: ['user', 'event', 'outcome'] }) }],
});

/** Calls that delete or switch off something: succeeded, failed and scheduled; and settings that cause or allow a deletion later. */
import {
  deletesLater,
  deletionColumns,
  destroysUnnamed,
  exactFilter,
  failures,
  preset,
  protectionOff,
  scheduledDeletions,
  sql,
  takenBack,
} from '#kit';

export default preset({
  name: 'destructive',
  topic: 'changes',
  summary: 'Lists calls that delete something or switch off its protection, with failed attempts and scheduled deletions',
  example: '7d',
  window: '7d',
  where: sql`(destructive = 'true' or ${destroysUnnamed} or ${deletesLater} or ${protectionOff})`,
  alsoReads: takenBack,
  dependsOnRequest: sql`regexp_like(eventname, '^(PutBucketLifecycle(Configuration){0,1}|PutBucketVersioning|PutObjectLegalHold|Modify(DBInstance|DBCluster|InstanceAttribute|LoadBalancerAttributes|ReplicationGroup|CacheCluster)|Update(Table|TerminationProtection|ContinuousBackups|UserPool)|SetTerminationProtection)$')`,
  caption: 'Destructive calls',
  measures: [failures],
  hidesRoutine: true,
  columns: deletionColumns,
  completes: scheduledDeletions,
  listData: (events) => ({
    scheduled: events.filter(({ due }) => due).slice(0, 5),
    failedAttempts: events.filter(({ outcome, actorkind }) => outcome !== 'ok' && actorkind !== 'service').slice(0, 5),
  }),
  next: ({ filters }, line) =>
    filters.length > 0
      ? []
      : [
          { label: 'Succeeded only', line: line({ filters: [exactFilter('outcome', 'ok')] }) },
          { label: 'Failed attempts only', line: line({ filters: [{ ...exactFilter('outcome', 'ok'), negated: true }] }) },
        ],
});

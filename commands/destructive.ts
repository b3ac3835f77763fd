/** Calls that delete or switch off something: succeeded, failed and scheduled; and settings that cause or allow a deletion later. */
import { exactFilter, failures, preset, sql } from '#kit';

/** Lifecycle and retention rules delete objects without delete calls, versioning keeps deleted objects, and deletion protection must be switched off before a deletion. */
const DELETES_LATER = sql`(
  (eventname in ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration') and requestparameters like '%Expiration%' and requestparameters like '%"Enabled"%')
  or (eventname = 'PutBucketVersioning' and requestparameters like '%"Suspended"%')
  or eventname = 'PutRetentionPolicy'
  or (eventname in ('ModifyDBInstance', 'ModifyDBCluster', 'UpdateTable') and regexp_like(requestparameters, '"deletionProtection(Enabled){0,1}": *false'))
)`;

export default preset({
  name: 'destructive',
  topic: 'changes',
  summary: 'Lists calls that delete or switch off something, with failed attempts and scheduled deletions',
  example: '7d',
  window: '7d',
  where: sql`(destructive = 'true' or ${DELETES_LATER})`,
  caption: 'Destructive calls',
  measures: [failures],
  hidesRoutine: true,
  columns: [
    {
      name: 'due',
      label: 'Takes effect',
      from: sql`case when eventname in ('ScheduleKeyDeletion', 'DeleteSecret') then json_extract_scalar(responseelements, '$.deletionDate') end`,
    },
  ],
  listData: (events) => ({
    scheduled: events.filter(({ due, outcome }) => due && outcome === 'ok').slice(0, 5),
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

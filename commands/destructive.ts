/** Calls that delete or switch off something: succeeded, failed and scheduled; and settings that cause or allow a deletion later. */
import { deletionColumns, exactFilter, failures, preset, scheduledDeletions, sql, takenBack } from '#kit';

/** Lifecycle and retention rules delete objects without delete calls. */
const DELETES_LATER = sql`(
  (eventname in ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration') and requestparameters like '%Expiration%' and requestparameters like '%"Enabled"%')
  or eventname = 'PutRetentionPolicy'
)`;
/** Calls that destroy something without a word for it. */
const DESTROYS = sql`(
  eventname in ('RebuildWorkspaces', 'DisassociateRecoveryPoint', 'RemoveFromGlobalCluster', 'DisableRegion')
  or (eventname = 'ChangeResourceRecordSets' and regexp_like(requestparameters, '"action": *"DELETE"'))
)`;
/** Protections that must be off before something can be deleted, read or lost: deletion protection, versioning, backups, encryption. */
const PROTECTION_OFF = sql`(
  regexp_like(eventname, '^(Disable|Deactivate|Stop|Suspend)[A-Za-z]*(Encryption|Protection|Backup|Rotation|Versioning|MFADevice|SnapshotCopy|DeletionLock)')
  or (eventname = 'PutBucketVersioning' and regexp_like(requestparameters, '"Suspended"|"MfaDelete": *"Disabled"'))
  or (readlike <> 'true' and regexp_like(eventname, '^(Modify|Update|Put|Set|Create|Register)')
    and regexp_like(lower(requestparameters), '"(deletion|termination)protection(enabled){0,1}": *(false|"false"|"inactive")|"terminationprotected": *false'))
  or (eventname = 'UpdateTerminationProtection' and regexp_like(requestparameters, '"enableTerminationProtection": *false'))
  or (eventname = 'ModifyInstanceAttribute' and regexp_like(requestparameters, '"disableApiTermination": *[{]"value": *false'))
  or (eventname = 'ModifyLoadBalancerAttributes' and regexp_like(requestparameters, 'deletion_protection[.]enabled"[^}]*"false"'))
  or (regexp_like(eventname, '^Modify(DBInstance|DBCluster|ReplicationGroup|CacheCluster)$')
    and regexp_like(requestparameters, '"(backupRetentionPeriod|snapshotRetentionLimit)": *0[,}]'))
  or (eventname = 'UpdateContinuousBackups' and regexp_like(requestparameters, '"pointInTimeRecoveryEnabled": *false'))
  or (eventname = 'PutObjectLegalHold' and regexp_like(requestparameters, '"OFF"'))
)`;

export default preset({
  name: 'destructive',
  topic: 'changes',
  summary: 'Lists calls that delete something or switch off its protection, with failed attempts and scheduled deletions',
  example: '7d',
  window: '7d',
  where: sql`(destructive = 'true' or ${DESTROYS} or ${DELETES_LATER} or ${PROTECTION_OFF})`,
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

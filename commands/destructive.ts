/** Calls that destroy or switch off: done, tried, and planned; and settings that delete by themselves later, or let it be done. */
import { exactFilter, failures, preset, sql } from '#kit';

/** Rules of a bucket delete without any call that is named so, without versions what is deleted is gone, and a protection is switched off first. */
const LATER = sql`(
  (eventname in ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration') and requestparameters like '%Expiration%' and requestparameters like '%"Enabled"%')
  or (eventname = 'PutBucketVersioning' and requestparameters like '%"Suspended"%')
  or eventname = 'PutRetentionPolicy'
  or (eventname in ('ModifyDBInstance', 'ModifyDBCluster', 'UpdateTable') and regexp_like(requestparameters, '"deletionProtection(Enabled){0,1}": *false'))
)`;

export default preset({
  name: 'destructive',
  topic: 'changes',
  summary: 'Lists calls that destroy or switch off something, done apart from tried',
  example: '7d',
  window: '7d',
  where: sql`(destructive = 'true' or ${LATER})`,
  caption: 'Destructive calls',
  measures: [failures],
  noise: true,
  columns: [
    {
      name: 'due',
      label: 'Takes effect',
      from: sql`case when eventname in ('ScheduleKeyDeletion', 'DeleteSecret') then json_extract_scalar(responseelements, '$.deletionDate') end`,
    },
  ],
  told: (events) => ({
    planned: events.filter(({ due, outcome }) => due && outcome === 'ok').slice(0, 5),
    tried: events.filter(({ outcome, actorkind }) => outcome !== 'ok' && actorkind !== 'service').slice(0, 5),
  }),
  next: ({ filters }, line) =>
    filters.length > 0
      ? []
      : [
          { label: 'Only what was done', line: line({ filters: [exactFilter('outcome', 'ok')] }) },
          { label: 'Only what was tried', line: line({ filters: [{ ...exactFilter('outcome', 'ok'), negated: true }] }) },
        ],
});

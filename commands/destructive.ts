/** Calls that destroy or switch off: done, tried, and planned; and settings that delete by themselves later. */
import { only, preset, sql } from '#kit';

export default preset({
  name: 'destructive',
  topic: 'changes',
  summary: 'Lists calls that destroy or switch off something, done apart from tried',
  example: '7d',
  window: '7d',
  // Rules of a bucket delete without any call that is named so, and without versions what is deleted is gone.
  where: sql`(destructive = 'true' or (
    eventname in ('PutBucketLifecycle', 'PutBucketLifecycleConfiguration', 'PutBucketVersioning', 'PutRetentionPolicy')
    and (eventname = 'PutRetentionPolicy' or requestparameters like '%Expiration%' or requestparameters like '%"Suspended"%')
  ))`,
  caption: 'Destructive calls',
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
          { label: 'Only what was done', line: line({ filters: [only('outcome', 'ok')] }) },
          { label: 'Only what was tried', line: line({ filters: [{ ...only('outcome', 'ok'), negated: true }] }) },
        ],
});

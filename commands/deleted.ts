/** Deletions, failed attempts, and scheduled deletions. */
import { failures, preset, sql, USERS } from '#kit';

export default preset({
  name: 'deleted',
  topic: 'changes',
  summary: 'Lists deletions, scheduled deletions and failed attempts',
  example: '7d',
  window: '7d',
  where: sql`readlike <> 'true'
    and regexp_like(eventname, '^(Batch){0,1}(Delete|Terminate|Deregister|Release|Purge|Destroy)|^ScheduleKeyDeletion$')`,
  caption: 'Delete calls',
  measures: [failures],
  hidesRoutine: true,
  columns: [
    {
      name: 'due',
      label: 'Takes effect',
      from: sql`case when eventname in ('ScheduleKeyDeletion', 'DeleteSecret') then json_extract_scalar(responseelements, '$.deletionDate') end`,
    },
  ],
  listData: (events) => ({ scheduled: events.filter(({ due, outcome }) => due && outcome === 'ok').slice(0, 5) }),
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Users only', line: line({ filters: [USERS] }) }]),
});

/** What was deleted, what somebody failed to delete, and what goes at a later date. */
import { exactFilter, failures, preset, sql } from '#kit';

export default preset({
  name: 'deleted',
  topic: 'changes',
  summary: 'Lists what was deleted or is planned to be, and tries that failed',
  example: '7d',
  window: '7d',
  where: sql`readlike <> 'true'
    and regexp_like(eventname, '^(Batch){0,1}(Delete|Terminate|Deregister|Release|Purge|Destroy)|^ScheduleKeyDeletion$')`,
  caption: 'Delete calls',
  measures: [failures],
  noise: true,
  columns: [
    {
      name: 'due',
      label: 'Takes effect',
      from: sql`case when eventname in ('ScheduleKeyDeletion', 'DeleteSecret') then json_extract_scalar(responseelements, '$.deletionDate') end`,
    },
  ],
  told: (events) => ({ planned: events.filter(({ due, outcome }) => due && outcome === 'ok').slice(0, 5) }),
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Only by people', line: line({ filters: [exactFilter('kind', 'human')] }) }]),
});

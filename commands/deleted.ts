/** Deletions, failed attempts, and scheduled deletions. */
import { deletionColumns, failures, preset, scheduledDeletions, sql, takenBack, USERS } from '#kit';

export default preset({
  name: 'deleted',
  topic: 'changes',
  summary: 'Lists deletions, scheduled deletions and failed attempts',
  example: '7d',
  window: '7d',
  where: sql`(effect in ('delete', 'schedule') or (readlike <> 'true' and regexp_like(eventname, '^(Batch){0,1}(Purge|Destroy)')))`,
  alsoReads: takenBack,
  caption: 'Delete calls',
  measures: [failures],
  hidesRoutine: true,
  columns: deletionColumns,
  completes: scheduledDeletions,
  listData: (events) => ({ scheduled: events.filter(({ due }) => due).slice(0, 5) }),
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Users only', line: line({ filters: [USERS] }) }]),
});

/** Create calls, without routine ones such as log streams, network interfaces and grants that services create all day. */
import { failures, preset, sql, USERS } from '#kit';

export default preset({
  name: 'created',
  topic: 'changes',
  summary: 'Lists create calls, without routine calls of services',
  example: '7d',
  window: '24h',
  where: sql`effect = 'create'`,
  caption: 'Create calls',
  measures: [failures],
  hidesRoutine: true,
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Users only', line: line({ filters: [USERS] }) }]),
});

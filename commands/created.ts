/** Create calls, without routine ones such as log streams, network interfaces and grants that services create all day. */
import { failures, preset, sql, USERS } from '#kit';

export default preset({
  name: 'created',
  topic: 'changes',
  summary: 'Lists create calls, without routine calls of services',
  example: '7d',
  window: '24h',
  where: sql`readlike <> 'true' and eventname not in ('CreateTags', 'CreateOrUpdateTags') and regexp_like(eventname,
    '^(Create|Run(Instances|JobFlow|Task)|Launch|Allocate|Import|Copy|Restore|Register(Image|TaskDefinition|JobDefinition|Domain)|Request(Spot|Certificate)|Purchase|Upload)')`,
  caption: 'Create calls',
  measures: [failures],
  hidesRoutine: true,
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Users only', line: line({ filters: [USERS] }) }]),
});

/** What was made: without the log streams, network interfaces and grants that machines make all day. */
import { exactFilter, failures, preset, sql } from '#kit';

export default preset({
  name: 'created',
  topic: 'changes',
  summary: 'Lists what was created, without the routine of machines',
  example: '7d',
  window: '24h',
  where: sql`readlike <> 'true' and eventname not in ('CreateTags', 'CreateOrUpdateTags') and regexp_like(eventname,
    '^(Create|Run(Instances|JobFlow|Task)|Launch|Allocate|Import|Copy|Restore|Register(Image|TaskDefinition|JobDefinition|Domain)|Request(Spot|Certificate)|Purchase|Upload)')`,
  caption: 'Create calls',
  measures: [failures],
  noise: true,
  next: ({ filters }, line) => (filters.length > 0 ? [] : [{ label: 'Only by people', line: line({ filters: [exactFilter('kind', 'human')] }) }]),
});

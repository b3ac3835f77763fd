/** Changes of access: users, keys, passwords, policies, trust, shares with other accounts, ports open to the world. */
import { accessDependsOnRequest, accessKind, exactFilter, failures, preset, sql } from '#kit';

export default preset({
  name: 'access-changes',
  topic: 'changes',
  summary: 'Lists access changes: users, keys, passwords, policies, trust, shares, ports opened to the world',
  example: '7d',
  window: '7d',
  where: sql`${accessKind} is not null`,
  dependsOnRequest: accessDependsOnRequest,
  caption: 'Access changes',
  measures: [failures],
  columns: [{ name: 'what', label: 'Kind', from: accessKind }],
  listData: (events) => ({
    // Attempts changed nothing.
    kinds: [
      ...Map.groupBy(
        events.filter(({ outcome }) => outcome === 'ok'),
        ({ what }) => what,
      ),
    ]
      .map(([what, { length }]) => ({ what, times: length }))
      .toSorted((a, b) => b.times - a.times),
  }),
  next: ({ filters }, line) =>
    filters.length > 0 ? [] : [{ label: 'Without services', line: line({ filters: [{ ...exactFilter('kind', 'service'), negated: true }] }) }],
});

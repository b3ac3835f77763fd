/** Who changed a resource: the last change, everyone who made one, and attempts. */
import { resourceQuestion } from '#kit';

export default resourceQuestion({
  name: 'who-changed',
  summary: 'Shows who changed a resource, by its id, ARN or name: the last change, everyone who made one, and attempts',
  example: 'orders-api-role 30d',
  window: '30d',
  calls: 'writes',
  actions: ['changed', 'put', 'scheduled'],
  hidesRoutine: true,
  caption: 'Changes',
  data({ done, attempts }) {
    const byActor = Map.groupBy(done, ({ actor }) => actor);
    return {
      changes: done.length,
      latest: done[0] ?? null,
      actors: [...byActor]
        .map(([actor, changes]) => ({ actor, changes: changes.length, calls: [...new Set(changes.map(({ eventname }) => eventname))].join(', ') }))
        .sort((a, b) => b.changes - a.changes)
        .slice(0, 5),
      everyone: byActor.size,
      attempts: attempts.slice(0, 5),
      tries: attempts.length,
    };
  },
});

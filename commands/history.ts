/** The full history of a resource: created, changed, used, deleted. */
import { exactFilter, type HistoryEvent, printLine, resourceQuestion } from '#kit';

export default resourceQuestion({
  name: 'history',
  summary: 'Shows the full history of a resource, by its id, ARN or name: created, changed, used, deleted, newest first',
  example: 'i-0c0ffee000000002b 90d',
  window: '90d',
  calls: 'writes',
  actions: ['created', 'put', 'changed', 'deleted', 'scheduled', 'kept', 'used'],
  hidesRoutine: true,
  caption: 'History',
  // AWS gives an id once. A name may be used again after the first resource of that name is gone.
  isEnough: (events, { kind, arn }) =>
    (kind === 'instance' || kind === 'resource') && !arn && events.some(({ action, isDone }) => action === 'created' && isDone),
  accountsFrom: ({ events }) => events,
  data({ events, done, attempts }) {
    const deleted = done.find(({ action }) => action === 'deleted');
    const isAfterDeletion = ({ eventtime }: HistoryEvent): boolean => deleted !== undefined && eventtime > deleted.eventtime;
    const creations = done.filter(({ action }) => action === 'created').toReversed();
    return {
      events: events.length,
      created: creations.find((event) => !isAfterDeletion(event)) ?? null,
      deleted: deleted ?? null,
      again: done.findLast((event) => (event.action === 'created' || event.action === 'kept') && isAfterDeletion(event)) ?? null,
      changes: done.filter(({ action }) => action === 'changed' || action === 'put' || action === 'scheduled' || action === 'kept').length,
      due: deleted ? null : (done.find(({ later }) => later?.state === 'scheduled') ?? null),
      uses: done.filter(({ action }) => action === 'used').length,
      attempts: attempts.length,
      latest: events[0] ?? null,
    };
  },
  next: ({ resource: { name } }, { filters, typedWindow: window }) => [
    { label: 'With reads', line: printLine({ name: 'events', words: [], filters: [exactFilter('target', name), ...filters], window }) },
    {
      label: 'Count by event',
      line: printLine({
        name: 'count',
        words: [],
        filters: [exactFilter('text', name), exactFilter('readonly', 'false'), ...filters],
        by: ['event'],
        window,
      }),
    },
  ],
});

/** Who deleted a resource, and who tried to. */
import { type HistoryEvent, resourceQuestion } from '#kit';

export default resourceQuestion({
  name: 'who-deleted',
  summary: 'Shows who deleted a resource, by its id, ARN or name, with failed attempts and scheduled deletions',
  example: 'example-customer-uploads-2019 90d',
  window: '90d',
  calls: 'deleting',
  actions: ['deleted', 'scheduled', 'kept'],
  caption: 'Deletions',
  isEnough: (events) => events.some(isDeletion),
  // Where it is not deleted at once, the last time that its deletion was scheduled.
  answer: (events) => events.find(isDeletion) ?? events.find(({ action, isDone }) => action === 'scheduled' && isDone),
  isFollowedBack: ({ actorkind, via }) => actorkind === 'service' || via === 'cloudformation',
  data: ({ answer, done, origins, attempts }) => ({
    deletion: answer ?? null,
    state: answer?.later?.state ?? null,
    later: answer?.later ?? null,
    restored: answer?.action === 'deleted' ? (done.find(({ action, eventtime }) => action === 'kept' && eventtime > answer.eventtime) ?? null) : null,
    cancellation: answer ? null : (done.find(({ action }) => action === 'kept') ?? null),
    origins,
    attempts: attempts.slice(0, 10),
  }),
});

const isDeletion = ({ action, isDone }: HistoryEvent): boolean => action === 'deleted' && isDone;

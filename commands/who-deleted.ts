/** Who deleted a resource, and who tried to. */
import { type HistoryEvent, resourceQuestion } from '#kit';

export default resourceQuestion({
  name: 'who-deleted',
  summary: 'Shows who deleted a resource, by its id, ARN or name, with failed attempts and scheduled deletions',
  example: 'example-customer-uploads-2019 90d',
  window: '90d',
  calls: 'deleting',
  actions: ['deleted', 'scheduled'],
  caption: 'Deletions',
  isEnough: (events) => events.some(isDeletion),
  // Where it is not deleted yet, the last time that its deletion was scheduled.
  answer: (events) => events.find(isDeletion) ?? events.find(({ isDone }) => isDone),
  isFollowedBack: ({ actorkind, via }) => actorkind === 'service' || via === 'cloudformation',
  data: ({ answer, origins, attempts }) => ({
    deletion: answer ?? null,
    isScheduled: answer?.action === 'scheduled',
    origins,
    attempts: attempts.slice(0, 10),
  }),
});

const isDeletion = ({ action, isDone }: HistoryEvent): boolean => action === 'deleted' && isDone;

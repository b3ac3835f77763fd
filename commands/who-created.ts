/** Who created a resource, followed back when a service did. */
import { type HistoryEvent, isUserKind, resourceQuestion, userBehind } from '#kit';

export default resourceQuestion({
  name: 'who-created',
  summary: 'Shows who created a resource, by its id, ARN or name, followed back through stacks, groups, fleets and clusters',
  example: 'checkout-asg 90d',
  window: '90d',
  calls: 'creating',
  actions: ['created', 'put'],
  caption: 'Creations',
  // Nothing happens to a resource before it is created; a name that was created twice means the last one.
  isEnough: (events) => events.some(isCreation),
  // Where calls only set it (PutParameter), the first of them created it.
  answer: (events) => events.find(isCreation) ?? events.findLast(({ isDone }) => isDone),
  // A user's own call needs no following back. A service's call with a user's credentials comes from a stack or a fleet.
  isFollowedBack: ({ actorkind, via }) => !((isUserKind(actorkind) || actorkind === 'root') && via !== 'service' && via !== 'cloudformation'),
  actor: ({ answer, origins }) => userBehind(origins) ?? answer?.actor ?? null,
  data: ({ answer, origins, attempts }) => ({
    creation: answer ?? null,
    isSet: answer?.action === 'put',
    isSessionName: answer?.actorbasis === 'session-name',
    origin: origins.findLast(({ by }) => by !== null) ?? null,
    origins,
    attempts: attempts.slice(0, 10),
  }),
});

const isCreation = ({ action, isDone }: HistoryEvent): boolean => action === 'created' && isDone;

/** Who made a thing, and on whose behalf when a service did. */
import {
  accountsOf,
  command,
  DEFAULT_ROWS,
  type Finding,
  findOrigins,
  type History,
  type HistoryEvent,
  historyOf,
  historyTable,
  type Origin,
  type Question,
  resourceFollowUps,
  resourceWord,
  subjectOf,
  withNearestResource,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who created anything, by its id, ARN or name, followed back through stacks, groups, fleets and clusters',
  example: 'checkout-asg 90d',
  words: { resource: resourceWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const history = await historyOf(asked, context, {
      calls: 'making',
      actions: ['created', 'put'],
      // Nothing happens to a thing before it is made, and of several makings the last is asked about.
      isEnough: (found) => found.some(isMaking),
      partial: (found) => finding(asked, found, []),
    });
    const making = makingOf(history.events);
    if (!making || isByHand(making)) return withNearestResource(finding(asked, history, []), asked, 'who-created', context);
    context.showPartial(finding(asked, history, []), asked.window.from);
    return finding(asked, history, await findOrigins(making, asked.window, context.ask));
  },
});

const isMaking = ({ action, isDone }: HistoryEvent): boolean => action === 'created' && isDone;

/** Behind a person's own call there is nobody else. What a service called with a person's credentials was made by a stack or a fleet. */
const isByHand = ({ actorkind, via }: HistoryEvent): boolean =>
  (actorkind === 'human' || actorkind === 'root') && via !== 'service' && via !== 'cloudformation';

/** The last making; where calls only set it (PutParameter), the first of these. */
const makingOf = (events: readonly HistoryEvent[]): HistoryEvent | undefined => events.find(isMaking) ?? events.findLast(({ isDone }) => isDone);

function finding(asked: Question<{ resource: typeof resourceWord }>, history: History, origins: readonly Origin[]): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { resource } = words;
  const { events } = history;
  const making = makingOf(events);
  const accounts = accountsOf(
    resource,
    events.filter(({ isDone }) => isDone).map(({ recipientaccountid }) => recipientaccountid),
  );
  const origin = origins.findLast(({ by }) => by !== null) ?? null;
  const person = origins.findLast(({ by }) => by?.actorkind === 'human')?.by?.actor ?? making?.actor ?? null;
  return {
    data: {
      subject: subjectOf(resource),
      name: resource.name,
      making: making ?? null,
      others: Math.max(0, accounts.length - 1),
      isSet: making?.action === 'put',
      isSessionName: making?.actorbasis === 'session-name',
      origin,
      origins,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 10),
    },
    table: historyTable(`Creations of ${resource.name}`, history, top),
    next: resourceFollowUps(asked, { name: 'who-created', event: making, actor: person, accounts }),
  };
}

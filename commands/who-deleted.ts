/** Who deleted a thing, and who tried to. */
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
  summary: 'Tells who deleted anything, by its id, ARN or name, with attempts that failed and deletions that are only planned',
  example: 'example-customer-uploads-2019 90d',
  words: { resource: resourceWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const history = await historyOf(asked, context, {
      calls: 'removing',
      actions: ['deleted', 'scheduled'],
      isEnough: (found) => found.some(({ action, isDone }) => action === 'deleted' && isDone),
      partial: (found) => finding(asked, found, []),
    });
    const deletion = deletionOf(history.events);
    const isByService = deletion?.actorkind === 'service' || deletion?.via === 'cloudformation';
    const origins = isByService ? await findOrigins(deletion, asked.window, context.ask) : [];
    return withNearestResource(finding(asked, history, origins), asked, 'who-deleted', context);
  },
});

/** The last deletion; where there is none, the last plan of one. */
const deletionOf = (events: readonly HistoryEvent[]): HistoryEvent | undefined =>
  events.find(({ action, isDone }) => action === 'deleted' && isDone) ?? events.find(({ isDone }) => isDone);

function finding(asked: Question<{ resource: typeof resourceWord }>, history: History, origins: readonly Origin[]): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { resource } = words;
  const { events } = history;
  const deletion = deletionOf(events);
  const accounts = accountsOf(
    resource,
    events.filter(({ isDone }) => isDone).map(({ recipientaccountid }) => recipientaccountid),
  );
  return {
    data: {
      subject: subjectOf(resource),
      name: resource.name,
      deletion: deletion ?? null,
      others: Math.max(0, accounts.length - 1),
      isPlanned: deletion?.action === 'scheduled',
      origins,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 10),
    },
    table: historyTable(`Deletions of ${resource.name}`, history, top),
    next: resourceFollowUps(asked, { name: 'who-deleted', event: deletion, actor: deletion?.actor ?? null, accounts }),
  };
}

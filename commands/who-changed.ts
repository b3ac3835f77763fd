/** Who changed a thing after it was made, last and before. */
import {
  accountsOf,
  allWord,
  command,
  DEFAULT_ROWS,
  type Finding,
  type History,
  historyOf,
  historyTable,
  type Question,
  resourceFollowUps,
  resourceWord,
  subjectOf,
  withNearestResource,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who changed anything, by its id, ARN or name: the last change, everyone who made one, and attempts',
  example: 'orders-api-role 30d',
  words: { resource: resourceWord, all: allWord },
  window: '30d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const history = await historyOf(asked, context, {
      calls: 'writes',
      actions: ['changed', 'put', 'scheduled'],
      quiet: asked.words.all === undefined,
      isEnough: () => false,
      partial: (found) => finding(asked, found),
    });
    return withNearestResource(finding(asked, history), asked, 'who-changed', context);
  },
});

function finding(asked: Question<{ resource: typeof resourceWord; all: typeof allWord }>, history: History): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { resource } = words;
  const { events, hidden } = history;
  const done = events.filter(({ isDone }) => isDone);
  const accounts = accountsOf(
    resource,
    done.map(({ recipientaccountid }) => recipientaccountid),
  );
  const people = Map.groupBy(done, ({ actor }) => actor);
  return {
    data: {
      subject: subjectOf(resource),
      name: resource.name,
      changes: done.length,
      more: history.more,
      accounts: accounts.length,
      latest: done[0] ?? null,
      people: [...people]
        .map(([actor, changes]) => ({ actor, changes: changes.length, calls: [...new Set(changes.map(({ eventname }) => eventname))].join(', ') }))
        .sort((a, b) => b.changes - a.changes)
        .slice(0, 5),
      everyone: people.size,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 5),
      tries: events.length - done.length,
      hidden,
    },
    table: historyTable(`Changes of ${resource.name}`, history, top),
    next: resourceFollowUps(asked, { name: 'who-changed', event: done[0], actor: done[0]?.actor ?? null, hidden, accounts }),
  };
}

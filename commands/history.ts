/** All that was done to a thing and with it, from its making to its end. */
import {
  accountsOf,
  allWord,
  command,
  DEFAULT_ROWS,
  exactFilter,
  type Finding,
  type History,
  historyOf,
  historyTable,
  printLine,
  type Question,
  resourceFollowUps,
  resourceWord,
  subjectOf,
  withNearestResource,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells the whole life of anything, by its id, ARN or name: made, changed, used, deleted, newest first',
  example: 'i-0c0ffee000000002b 90d',
  words: { resource: resourceWord, all: allWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const { resource, all } = asked.words;
    // An id is given once; a name may be given again after its first bearer is gone.
    const isId = resource.kind === 'instance' || resource.kind === 'resource';
    const history = await historyOf(asked, context, {
      calls: 'writes',
      actions: ['created', 'put', 'changed', 'deleted', 'scheduled', 'used'],
      quiet: all === undefined,
      isEnough: (found) => isId && !resource.arn && found.some(({ action, isDone }) => action === 'created' && isDone),
      partial: (found) => finding(asked, found),
    });
    return withNearestResource(finding(asked, history), asked, 'history', context);
  },
});

function finding(asked: Question<{ resource: typeof resourceWord; all: typeof allWord }>, history: History): Finding {
  const { words, filters, typedWindow, top = DEFAULT_ROWS } = asked;
  const { resource } = words;
  const { events, hidden } = history;
  const done = events.filter(({ isDone }) => isDone);
  const [made, ended] = [done.findLast(({ action }) => action === 'created'), done.find(({ action }) => action === 'deleted')];
  const accounts = accountsOf(
    resource,
    events.map(({ recipientaccountid }) => recipientaccountid),
  );
  const between = done.filter(({ action }) => action === 'changed' || action === 'put' || action === 'scheduled');
  return {
    data: {
      subject: subjectOf(resource),
      name: resource.name,
      events: events.length,
      made: made ?? null,
      ended: ended ?? null,
      isBack: made !== undefined && ended !== undefined && done.some(({ action, eventtime }) => action === 'created' && eventtime > ended.eventtime),
      changes: between.length,
      more: history.more,
      accounts: accounts.length,
      uses: done.filter(({ action }) => action === 'used').length,
      attempts: events.length - done.length,
      latest: events[0] ?? null,
      hidden,
    },
    table: historyTable(`The life of ${resource.name}`, history, top),
    next: [
      ...resourceFollowUps(asked, { name: 'history', event: done[0], actor: done[0]?.actor ?? null, hidden, accounts }),
      {
        label: 'Reads of it, too',
        line: printLine({ name: 'events', words: [], filters: [exactFilter('target', resource.name), ...filters], window: typedWindow }),
      },
      {
        label: 'Count by event',
        line: printLine({
          name: 'count',
          words: [],
          filters: [exactFilter('text', resource.name), exactFilter('readonly', 'false'), ...filters],
          by: ['event'],
          window: typedWindow,
        }),
      },
    ],
  };
}

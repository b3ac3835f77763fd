/** All that was done to a thing and with it, from its making to its end. */
import {
  type Asked,
  accountsOf,
  allWord,
  command,
  DEFAULT_ROWS,
  eventsAbout,
  type Finding,
  type Life,
  leadsFrom,
  lifeTable,
  only,
  orNearest,
  printLine,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells the whole life of anything, by its id, ARN or name: made, changed, used, deleted, newest first',
  example: 'i-0c0ffee000000002b 90d',
  words: { thing: thingWord, all: allWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const { thing, all } = asked.words;
    // An id is given once; a name may be given again after its first bearer is gone.
    const isId = thing.kind === 'instance' || thing.kind === 'resource';
    const life = await eventsAbout(asked, context, {
      calls: 'writes',
      deeds: ['made', 'set', 'changed', 'deleted', 'planned', 'used'],
      quiet: all === undefined,
      isEnough: (found) => isId && !thing.arn && found.some(({ deed, isDone }) => deed === 'made' && isDone),
      soFar: (found) => finding(asked, found),
    });
    return orNearest(finding(asked, life), asked, 'history', context);
  },
});

function finding(asked: Asked<{ thing: typeof thingWord; all: typeof allWord }>, life: Life): Finding {
  const { words, filters, typedWindow, top = DEFAULT_ROWS } = asked;
  const { thing } = words;
  const { events, hidden } = life;
  const done = events.filter(({ isDone }) => isDone);
  const [made, ended] = [done.findLast(({ deed }) => deed === 'made'), done.find(({ deed }) => deed === 'deleted')];
  const accounts = accountsOf(
    thing,
    events.map(({ recipientaccountid }) => recipientaccountid),
  );
  const between = done.filter(({ deed }) => deed === 'changed' || deed === 'set' || deed === 'planned');
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      events: events.length,
      made: made ?? null,
      ended: ended ?? null,
      isBack: made !== undefined && ended !== undefined && done.some(({ deed, eventtime }) => deed === 'made' && eventtime > ended.eventtime),
      changes: between.length,
      more: life.more,
      accounts: accounts.length,
      uses: done.filter(({ deed }) => deed === 'used').length,
      attempts: events.length - done.length,
      latest: events[0] ?? null,
      hidden,
    },
    table: lifeTable(`The life of ${thing.name}`, life, top),
    next: [
      ...leadsFrom(asked, { name: 'history', event: done[0], actor: done[0]?.actor ?? null, hidden, accounts }),
      {
        label: 'Reads of it, too',
        line: printLine({ name: 'events', words: [], filters: [only('target', thing.name), ...filters], window: typedWindow }),
      },
      {
        label: 'Count by event',
        line: printLine({
          name: 'count',
          words: [],
          filters: [only('text', thing.name), only('readonly', 'false'), ...filters],
          by: ['event'],
          window: typedWindow,
        }),
      },
    ],
  };
}

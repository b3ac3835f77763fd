/** Who changed a thing after it was made, last and before. */
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
  orNearest,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who changed anything, by its id, ARN or name: the last change, everyone who made one, and attempts',
  example: 'orders-api-role 30d',
  words: { thing: thingWord, all: allWord },
  window: '30d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const life = await eventsAbout(asked, context, {
      calls: 'writes',
      deeds: ['changed', 'set', 'planned'],
      quiet: asked.words.all === undefined,
      isEnough: () => false,
      soFar: (found) => finding(asked, found),
    });
    return orNearest(finding(asked, life), asked, 'who-changed', context);
  },
});

function finding(asked: Asked<{ thing: typeof thingWord; all: typeof allWord }>, life: Life): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { thing } = words;
  const { events, hidden } = life;
  const done = events.filter(({ isDone }) => isDone);
  const accounts = accountsOf(
    thing,
    done.map(({ recipientaccountid }) => recipientaccountid),
  );
  const people = Map.groupBy(done, ({ actor }) => actor);
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      changes: done.length,
      more: life.more,
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
    table: lifeTable(`Changes of ${thing.name}`, life, top),
    next: leadsFrom(asked, { name: 'who-changed', event: done[0], actor: done[0]?.actor ?? null, hidden, accounts }),
  };
}

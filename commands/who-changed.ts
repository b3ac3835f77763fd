/** Who changed a thing after it was made, last and before. */
import {
  type Asked,
  command,
  DEFAULT_ROWS,
  eventsAbout,
  type Finding,
  type Life,
  leadsFrom,
  lifeTable,
  nameOf,
  printLine,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who changed anything, by its id, ARN or name: the last change, everyone who made one, and attempts',
  example: 'orders-api-role 30d',
  words: { thing: thingWord },
  window: '30d',
  filters: false,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const life = await eventsAbout(asked.words.thing, asked.window, context, {
      calls: 'writes',
      deeds: ['changed', 'set', 'planned'],
      isEnough: () => false,
      soFar: (found) => finding(asked, found),
    });
    return finding(asked, life);
  },
});

function finding({ words: { thing }, said, window, top = DEFAULT_ROWS }: Asked<{ thing: typeof thingWord }>, life: Life): Finding {
  const { events } = life;
  const done = events.filter(({ isDone }) => isDone);
  const people = Map.groupBy(done, ({ actor }) => actor);
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      changes: done.length,
      more: life.more,
      latest: done[0] ?? null,
      people: [...people]
        .map(([actor, changes]) => ({ actor, changes: changes.length, calls: [...new Set(changes.map(({ eventname }) => eventname))].join(', ') }))
        .sort((a, b) => b.changes - a.changes)
        .slice(0, 5),
      everyone: people.size,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 5),
      tries: events.length - done.length,
    },
    table: lifeTable(`Changes of ${thing.name}`, life, top),
    next: [
      ...leadsFrom(thing, { name: 'who-changed', window, said, event: done[0], actor: done[0]?.actor ?? null }),
      { label: 'Its whole life', line: printLine({ name: 'history', words: [nameOf(thing)], filters: [], window: said }) },
      { label: 'Who created it', line: printLine({ name: 'who-created', words: [nameOf(thing)], filters: [], window: said }) },
    ],
  };
}

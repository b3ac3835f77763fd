/** All that was done to a thing and with it, from its making to its end. */
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
  only,
  printLine,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells the whole life of anything, by its id, ARN or name: made, changed, used, deleted, newest first',
  example: 'i-0c0ffee000000002b 90d',
  words: { thing: thingWord },
  window: '90d',
  filters: false,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const { thing } = asked.words;
    // An id is given once; a name may be given again after its first bearer is gone.
    const isId = thing.kind === 'instance' || thing.kind === 'resource';
    const life = await eventsAbout(thing, asked.window, context, {
      calls: 'writes',
      deeds: ['made', 'set', 'changed', 'deleted', 'planned', 'used'],
      isEnough: (found) => isId && !thing.arn && found.some(({ deed, isDone }) => deed === 'made' && isDone),
      soFar: (found) => finding(asked, found),
    });
    return finding(asked, life);
  },
});

function finding({ words: { thing }, said, window, top = DEFAULT_ROWS }: Asked<{ thing: typeof thingWord }>, life: Life): Finding {
  const { events } = life;
  const done = events.filter(({ isDone }) => isDone);
  const [made, ended] = [done.findLast(({ deed }) => deed === 'made'), done.find(({ deed }) => deed === 'deleted')];
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
      uses: done.filter(({ deed }) => deed === 'used').length,
      attempts: events.length - done.length,
      latest: events[0] ?? null,
    },
    table: lifeTable(`The life of ${thing.name}`, life, top),
    next: [
      ...leadsFrom(thing, { name: 'history', window, said, event: done[0], actor: done[0]?.actor ?? null }),
      { label: 'Who created it', line: printLine({ name: 'who-created', words: [nameOf(thing)], filters: [], window: said }) },
      { label: 'Reads of it, too', line: printLine({ name: 'events', words: [], filters: [only('target', thing.name)], window: said }) },
    ],
  };
}

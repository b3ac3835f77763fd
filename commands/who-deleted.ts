/** Who deleted a thing, and who tried to. */
import {
  type Asked,
  command,
  DEFAULT_ROWS,
  eventsAbout,
  type Finding,
  followBack,
  type Hop,
  type Life,
  type LifeEvent,
  leadsFrom,
  lifeTable,
  nameOf,
  printLine,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who deleted anything, by its id, ARN or name, with attempts that failed and deletions that are only planned',
  example: 'example-customer-uploads-2019 90d',
  words: { thing: thingWord },
  window: '90d',
  filters: false,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const { thing } = asked.words;
    const life = await eventsAbout(thing, asked.window, context, {
      calls: 'removing',
      deeds: ['deleted', 'planned'],
      isEnough: (found) => found.some(({ deed, isDone }) => deed === 'deleted' && isDone),
      soFar: (found) => finding(asked, found, []),
    });
    const deletion = deletionOf(life.events);
    const isByService = deletion?.actorkind === 'service' || deletion?.via === 'cloudformation';
    return finding(asked, life, isByService ? await followBack(deletion, asked.window, context.ask) : []);
  },
});

/** The last deletion; where there is none, the last plan of one. */
const deletionOf = (events: readonly LifeEvent[]): LifeEvent | undefined =>
  events.find(({ deed, isDone }) => deed === 'deleted' && isDone) ?? events.find(({ isDone }) => isDone);

function finding(
  { words: { thing }, said, window, top = DEFAULT_ROWS }: Asked<{ thing: typeof thingWord }>,
  life: Life,
  hops: readonly Hop[],
): Finding {
  const { events } = life;
  const deletion = deletionOf(events);
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      deletion: deletion ?? null,
      isPlanned: deletion?.deed === 'planned',
      hops,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 10),
    },
    table: lifeTable(`Deletions of ${thing.name}`, life, top),
    next: [
      ...leadsFrom(thing, { name: 'who-deleted', window, said, event: deletion, actor: deletion?.actor ?? null }),
      { label: 'Its whole life', line: printLine({ name: 'history', words: [nameOf(thing)], filters: [], window: said }) },
      { label: 'Who created it', line: printLine({ name: 'who-created', words: [nameOf(thing)], filters: [], window: said }) },
    ],
  };
}

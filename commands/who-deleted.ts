/** Who deleted a thing, and who tried to. */
import {
  type Asked,
  accountsOf,
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
  orNearest,
  subjectOf,
  thingWord,
} from '#kit';

export default command({
  topic: 'who',
  summary: 'Tells who deleted anything, by its id, ARN or name, with attempts that failed and deletions that are only planned',
  example: 'example-customer-uploads-2019 90d',
  words: { thing: thingWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const life = await eventsAbout(asked, context, {
      calls: 'removing',
      deeds: ['deleted', 'planned'],
      isEnough: (found) => found.some(({ deed, isDone }) => deed === 'deleted' && isDone),
      soFar: (found) => finding(asked, found, []),
    });
    const deletion = deletionOf(life.events);
    const isByService = deletion?.actorkind === 'service' || deletion?.via === 'cloudformation';
    const hops = isByService ? await followBack(deletion, asked.window, context.ask) : [];
    return orNearest(finding(asked, life, hops), asked, 'who-deleted', context);
  },
});

/** The last deletion; where there is none, the last plan of one. */
const deletionOf = (events: readonly LifeEvent[]): LifeEvent | undefined =>
  events.find(({ deed, isDone }) => deed === 'deleted' && isDone) ?? events.find(({ isDone }) => isDone);

function finding(asked: Asked<{ thing: typeof thingWord }>, life: Life, hops: readonly Hop[]): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { thing } = words;
  const { events } = life;
  const deletion = deletionOf(events);
  const accounts = accountsOf(
    thing,
    events.filter(({ isDone }) => isDone).map(({ recipientaccountid }) => recipientaccountid),
  );
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      deletion: deletion ?? null,
      others: Math.max(0, accounts.length - 1),
      isPlanned: deletion?.deed === 'planned',
      hops,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 10),
    },
    table: lifeTable(`Deletions of ${thing.name}`, life, top),
    next: leadsFrom(asked, { name: 'who-deleted', event: deletion, actor: deletion?.actor ?? null, accounts }),
  };
}

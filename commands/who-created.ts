/** Who made a thing, and on whose behalf when a service did. */
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
  summary: 'Tells who created anything, by its id, ARN or name, followed back through stacks, groups, fleets and clusters',
  example: 'checkout-asg 90d',
  words: { thing: thingWord },
  window: '90d',
  filters: true,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const life = await eventsAbout(asked, context, {
      calls: 'making',
      deeds: ['made', 'set'],
      // Nothing happens to a thing before it is made, and of several makings the last is asked about.
      isEnough: (found) => found.some(isMaking),
      soFar: (found) => finding(asked, found, []),
    });
    const making = makingOf(life.events);
    if (!making || isByHand(making)) return orNearest(finding(asked, life, []), asked, 'who-created', context);
    context.showPartial(finding(asked, life, []), asked.window.from);
    return finding(asked, life, await followBack(making, asked.window, context.ask));
  },
});

const isMaking = ({ deed, isDone }: LifeEvent): boolean => deed === 'made' && isDone;

/** Behind a person's own call there is nobody else. What a service called with a person's credentials was made by a stack or a fleet. */
const isByHand = ({ actorkind, via }: LifeEvent): boolean =>
  (actorkind === 'human' || actorkind === 'root') && via !== 'service' && via !== 'cloudformation';

/** The last making; where calls only set it (PutParameter), the first of these. */
const makingOf = (events: readonly LifeEvent[]): LifeEvent | undefined => events.find(isMaking) ?? events.findLast(({ isDone }) => isDone);

function finding(asked: Asked<{ thing: typeof thingWord }>, life: Life, hops: readonly Hop[]): Finding {
  const { words, top = DEFAULT_ROWS } = asked;
  const { thing } = words;
  const { events } = life;
  const making = makingOf(events);
  const accounts = accountsOf(
    thing,
    events.filter(({ isDone }) => isDone).map(({ recipientaccountid }) => recipientaccountid),
  );
  const origin = hops.findLast(({ by }) => by !== null) ?? null;
  const person = hops.findLast(({ by }) => by?.actorkind === 'human')?.by?.actor ?? making?.actor ?? null;
  return {
    data: {
      subject: subjectOf(thing),
      name: thing.name,
      making: making ?? null,
      others: Math.max(0, accounts.length - 1),
      isSet: making?.deed === 'set',
      isSessionName: making?.actorbasis === 'session-name',
      origin,
      hops,
      attempts: events.filter(({ isDone }) => !isDone).slice(0, 10),
    },
    table: lifeTable(`Creations of ${thing.name}`, life, top),
    next: leadsFrom(asked, { name: 'who-created', event: making, actor: person, accounts }),
  };
}

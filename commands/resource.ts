/** Everything about one thing: who reads, uses and changes it, and from where. */
import { cardOf, command, isNamed, namedIn, nameOf, printLine, sql, thingWord } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of a resource, by its id, ARN or name: who reads, uses and changes it, calls, refusals, what is new',
  example: 'orders-api 30d',
  words: { thing: thingWord },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { thing }, ...asked }, context) {
    const { typedWindow } = asked;
    const ask = (name: string) => printLine({ name, words: [nameOf(thing)], filters: [], window: typedWindow });
    return cardOf(asked, context, {
      card: 'resource',
      word: nameOf(thing),
      name: thing.name,
      filters: namedIn(thing),
      names: isNamed(thing) ? { column: sql`target` } : undefined,
      aspects: ['actor', 'call', 'account', 'address', 'service', 'region', 'error'],
      next: [
        { label: 'Its whole life', line: ask('history') },
        { label: 'Who created it', line: ask('who-created') },
        { label: 'Who changed it', line: ask('who-changed') },
      ],
    });
  },
});

/** Everything about one thing: who reads, uses and changes it, and from where. */
import { command, isNamed, nameOf, printLine, profileOf, resourceFilters, resourceWord, sql } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of a resource, by its id, ARN or name: who reads, uses and changes it, calls, refusals, what is new',
  example: 'orders-api 30d',
  words: { resource: resourceWord },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { resource }, ...asked }, context) {
    const { typedWindow } = asked;
    const ask = (name: string) => printLine({ name, words: [nameOf(resource)], filters: [], window: typedWindow });
    return profileOf(asked, context, {
      command: 'resource',
      word: nameOf(resource),
      name: resource.name,
      filters: resourceFilters(resource),
      names: isNamed(resource) ? { column: sql`target` } : undefined,
      dimensions: ['actor', 'call', 'account', 'address', 'service', 'region', 'error'],
      next: [
        { label: 'Its whole life', line: ask('history') },
        { label: 'Who created it', line: ask('who-created') },
        { label: 'Who changed it', line: ask('who-changed') },
      ],
    });
  },
});

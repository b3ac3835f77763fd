/** Everything about one access key: whose it is, from where it is used and for what. */
import { command, exactFilter, printLine, profileOf, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of an access key: whose it is, first and last use, addresses, tools, calls, refusals, what is new',
  example: 'AKIAUKLSVEZN3I7SLQHX 30d',
  words: {
    key: z
      .string()
      .toUpperCase()
      .regex(/^(?:AKIA|ASIA)[A-Z0-9]{12,}$/, 'An access key id looks like AKIAIOSFODNN7EXAMPLE.'),
  },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { key }, ...asked }, context) {
    const { typedWindow } = asked;
    return profileOf(asked, context, {
      command: 'key',
      word: key,
      name: key,
      filters: [exactFilter('key', key)],
      dimensions: ['actor', 'account', 'address', 'tool', 'service', 'call', 'region', 'error'],
      next: [
        { label: 'Who created it', line: printLine({ name: 'who-created', words: [key], filters: [], window: typedWindow }) },
        { label: 'Its sessions', line: printLine({ name: 'session', words: [key], filters: [], window: typedWindow }) },
        { label: 'Its rare calls', line: printLine({ name: 'rare', words: [], filters: [exactFilter('key', key)], window: typedWindow }) },
      ],
    });
  },
});

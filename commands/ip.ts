/** Everything about one address or network: who comes from there, with which keys, and for what. */
import { command, exactFilter, printLine, profileOf, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of an address or a network: who comes from it, accounts, keys, tools, calls, refusals, what is new',
  example: '192.0.2.250 30d',
  words: { address: z.string().regex(/^[0-9a-f.:]{2,45}(?:[/]\d{1,3})?$/i, 'An address looks like 203.0.113.7, a network like 203.0.113.0/24.') },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { address }, ...asked }, context) {
    const { typedWindow } = asked;
    return profileOf(asked, context, {
      command: 'ip',
      word: address,
      name: address,
      filters: [exactFilter('ip', address)],
      dimensions: ['actor', 'account', 'key', 'tool', 'service', 'call', 'region', 'error'],
      next: [
        { label: 'New this week', line: printLine({ name: 'new', words: [], filters: [exactFilter('ip', address)] }) },
        { label: 'Sign-ins from it', line: printLine({ name: 'logins', words: [], filters: [exactFilter('ip', address)], window: typedWindow }) },
      ],
    });
  },
});

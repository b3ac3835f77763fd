/** Everything about one account: who works in it, where, and what is refused. */
import { command, exactFilter, printLine, profileOf, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of an account: who works in it, services, regions, top and rare calls, refusals, addresses, what is new',
  example: '444455556666 7d',
  words: { account: z.string().regex(/^\d{12}$/, 'An account is twelve digits, such as 111122223333.') },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { account }, ...asked }, context) {
    return profileOf(asked, context, {
      command: 'account',
      word: account,
      name: account,
      filters: [exactFilter('account', account)],
      names: { among: 'accounts' },
      dimensions: ['actor', 'service', 'region', 'call', 'address', 'tool', 'error'],
      next: [{ label: 'New this week', line: printLine({ name: 'new', words: [], filters: [exactFilter('account', account)] }) }],
    });
  },
});

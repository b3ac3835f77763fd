/** The profile of an account: who works in it, where, and what is denied. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'account',
  summary: 'Shows the profile of an account: who works in it, services, regions, top and rare calls, denials, addresses, what is new',
  example: '444455556666 7d',
  words: { account: z.string().regex(/^\d{12}$/, 'An account has an id of 12 digits, such as 111122223333, or a name.') },
  subject: ({ account }) => ({ name: account, filters: [exactFilter('account', account)], names: 'accounts' }),
  dimensions: ['actor', 'service', 'region', 'call', 'address', 'tool', 'error'],
  next: [{ label: 'New this week', command: 'new', by: 'filters', inDefaultTime: true }],
});

/** The profile of a user: accounts, addresses, common and rare calls, denials. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'user',
  summary: 'Shows the profile of a user: first and last seen, accounts, services, top and rare calls, denials, addresses, keys, what is new',
  example: 'jonas.weber@example.com 30d',
  words: { user: z.string().min(1) },
  subject: ({ user }) => ({ name: user, filters: [exactFilter('user', user)], names: 'actors' }),
  dimensions: ['account', 'service', 'call', 'address', 'tool', 'key', 'region', 'error'],
  next: [
    { label: 'Its sessions', command: 'session', by: 'name' },
    { label: 'Its rare calls', command: 'rare', by: 'filters' },
    { label: 'New this week', command: 'new', by: 'filters', inDefaultTime: true },
  ],
});

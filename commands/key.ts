/** The profile of an access key: whose it is, where it is used from, and for which calls. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'key',
  summary: 'Shows the profile of an access key: whose it is, first and last use, addresses, tools, calls, denials, what is new',
  example: 'AKIAUKLSVEZN3I7SLQHX 30d',
  words: {
    key: z
      .string()
      .toUpperCase()
      .regex(/^(?:AKIA|ASIA)[A-Z0-9]{12,}$/, 'An access key id looks like AKIAIOSFODNN7EXAMPLE.'),
  },
  subject: ({ key }) => ({ name: key, filters: [exactFilter('key', key)] }),
  dimensions: ['actor', 'account', 'address', 'tool', 'service', 'call', 'region', 'error'],
  next: [
    { label: 'Who created it', command: 'who-created', by: 'name' },
    { label: 'Its sessions', command: 'session', by: 'name' },
    { label: 'Its rare calls', command: 'rare', by: 'filters' },
  ],
});

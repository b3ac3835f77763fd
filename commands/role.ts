/** The profile of a role: where it is used, and for which calls. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'role',
  summary: 'Shows the profile of a role: accounts, services, top and rare calls, denials, addresses, what is new',
  example: 'partner-sync 30d',
  words: {
    role: z
      .string()
      .min(1)
      .transform((text) => text.replace(/^arn:.*:role[/](?:.*[/])?/, '')),
  },
  subject: ({ role }) => ({ name: role, filters: [exactFilter('role', role)], names: 'roles' }),
  dimensions: ['account', 'service', 'call', 'address', 'tool', 'region', 'error'],
  next: [
    { label: 'Its sessions', command: 'session', by: 'name' },
    { label: 'Its rare calls', command: 'rare', by: 'filters' },
    { label: 'Who changed it', command: 'who-changed', by: 'name' },
  ],
});

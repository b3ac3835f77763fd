/** The profile of an address or a network: who calls from it, with which keys, and what they call. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'ip',
  summary: 'Shows the profile of an address or a network: who calls from it, accounts, keys, tools, calls, denials, what is new',
  example: '192.0.2.250 30d',
  words: { address: z.string().regex(/^[0-9a-f.:]{2,45}(?:[/]\d{1,3})?$/i, 'An address looks like 203.0.113.7, a network like 203.0.113.0/24.') },
  subject: ({ address }) => ({ name: address, filters: [exactFilter('ip', address)] }),
  dimensions: ['actor', 'account', 'key', 'tool', 'service', 'call', 'region', 'error'],
  next: [
    { label: 'New this week', command: 'new', by: 'filters', inDefaultTime: true },
    { label: 'Sign-ins from it', command: 'logins', by: 'filters' },
  ],
});

/** The profile of a region: who works in it, in which accounts, and with which tools. */
import { exactFilter, profile, z } from '#kit';

export default profile({
  name: 'region',
  summary: 'Shows the profile of a region: who works in it, accounts, services, top and rare calls, denials, what is new',
  example: 'ap-southeast-1 30d',
  words: {
    region: z
      .string()
      .toLowerCase()
      .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'A region looks like eu-central-1.'),
  },
  subject: ({ region }) => ({ name: region, filters: [exactFilter('region', region)], names: 'regions' }),
  dimensions: ['actor', 'account', 'service', 'call', 'address', 'tool', 'error'],
  next: [{ label: 'New this week', command: 'new', by: 'filters', inDefaultTime: true }],
});

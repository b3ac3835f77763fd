/** Everything about one region: who works there, in which accounts, and with what. */
import { command, exactFilter, printLine, profileOf, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of a region: who works there, accounts, services, top and rare calls, refusals, what is new',
  example: 'ap-southeast-1 30d',
  words: {
    region: z
      .string()
      .toLowerCase()
      .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'A region looks like eu-central-1.'),
  },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { region }, ...asked }, context) {
    return profileOf(asked, context, {
      command: 'region',
      word: region,
      name: region,
      filters: [exactFilter('region', region)],
      names: { among: 'regions' },
      dimensions: ['actor', 'account', 'service', 'call', 'address', 'tool', 'error'],
      next: [{ label: 'New this week', line: printLine({ name: 'new', words: [], filters: [exactFilter('region', region)] }) }],
    });
  },
});

/** Everything about one role: who works in it, where, and what it does. */
import { command, exactFilter, printLine, profileOf, sql, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of a role: who works in it, accounts, services, top and rare calls, refusals, addresses, what is new',
  example: 'partner-sync 30d',
  words: {
    role: z
      .string()
      .min(1)
      .transform((text) => text.replace(/^arn:.*:role[/](?:.*[/])?/, '')),
  },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { role }, ...asked }, context) {
    const { typedWindow } = asked;
    return profileOf(asked, context, {
      command: 'role',
      word: role,
      name: role,
      filters: [exactFilter('role', role)],
      names: { column: sql`sessionissuername` },
      dimensions: ['account', 'service', 'call', 'address', 'tool', 'region', 'error'],
      next: [
        { label: 'Its sessions', line: printLine({ name: 'session', words: [role], filters: [], window: typedWindow }) },
        { label: 'Its rare calls', line: printLine({ name: 'rare', words: [], filters: [exactFilter('role', role)], window: typedWindow }) },
        { label: 'Who changed it', line: printLine({ name: 'who-changed', words: [role], filters: [], window: typedWindow }) },
      ],
    });
  },
});

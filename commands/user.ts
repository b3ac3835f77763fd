/** Everything about one actor: where it works, what it does often and seldom, what was refused, from where. */
import { actorNames, command, exactFilter, printLine, profileOf, z } from '#kit';

export default command({
  topic: 'about',
  summary: 'Tells what is known of a user: first and last seen, accounts, services, top and rare calls, refusals, addresses, keys, what is new',
  example: 'jonas.weber@example.com 30d',
  words: { user: z.string().min(1) },
  window: '30d',
  filters: false,
  shape: ['top'],

  answer({ words: { user }, ...asked }, context) {
    const { typedWindow } = asked;
    return profileOf(asked, context, {
      command: 'user',
      word: user,
      name: user,
      filters: [exactFilter('user', user)],
      names: { column: actorNames },
      dimensions: ['account', 'service', 'call', 'address', 'tool', 'key', 'region', 'error'],
      next: [
        { label: 'Its sessions', line: printLine({ name: 'session', words: [user], filters: [], window: typedWindow }) },
        { label: 'Its rare calls', line: printLine({ name: 'rare', words: [], filters: [exactFilter('user', user)], window: typedWindow }) },
        { label: 'New this week', line: printLine({ name: 'new', words: [], filters: [exactFilter('user', user)] }) },
      ],
    });
  },
});

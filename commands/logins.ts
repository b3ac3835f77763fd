/** Every sign-in, and what is known of its second factor. */
import { exactFilter, preset, printLine, signInsDuring, sql } from '#kit';

/** What may be known of a second factor, and how an answer says it. */
const FACTORS = [
  ['yes', 'with MFA'],
  ['no', 'without MFA'],
  ['unknown, at the identity provider', 'where only the identity provider knows'],
  ['unknown', 'that tell nothing of MFA'],
] as const;

export default preset({
  name: 'logins',
  topic: 'sign-in',
  summary: 'Lists sign-ins to the console and to Identity Center, with address, outcome and MFA: yes, no, or unknown at the identity provider',
  example: '7d',
  window: '7d',
  from: signInsDuring,
  where: sql`eventsource = 'signin.amazonaws.com'`,
  caption: 'Sign-ins',
  columns: [
    { name: 'page', label: 'To', from: sql`case when eventname = 'ConsoleLogin' then 'console' else 'portal' end` },
    { name: 'mfa', label: 'MFA', from: sql`mfa` },
    { name: 'reason', label: 'Reason', from: sql`errorcode` },
  ],
  hidden: ['eventname', 'eventsource', 'target', 'awsregion'],
  told: (events) => {
    const good = events.filter(({ outcome }) => outcome === 'ok');
    const bare = good.filter(({ mfa }) => mfa === 'no');
    const factors = FACTORS.map(([value, phrase]) => ({ phrase, logins: good.filter(({ mfa }) => mfa === value).length }));
    return { factors: factors.filter(({ logins }) => logins > 0), bare: bare.slice(0, 5) };
  },
  next: ({ filters, typedWindow }, line) => [
    ...(filters.length > 0 ? [] : [{ label: 'Only failures', line: line({ filters: [{ ...exactFilter('outcome', 'ok'), negated: true }] }) }]),
    { label: 'By MFA', line: line({ by: ['mfa'] }) },
    { label: 'Failures by address', line: printLine({ name: 'signin-failures', words: [], filters, window: typedWindow }) },
  ],
});

/** Every sign-in, with MFA as far as it is known. */
import { exactFilter, preset, printLine, signInsDuring, sql } from '#kit';

/** The values of `mfa`, and how an answer puts them. */
const MFA_PHRASES = [
  ['yes', 'with MFA'],
  ['no', 'without MFA'],
  ['unknown, at the identity provider', 'with MFA known only to the identity provider'],
  ['unknown', 'with MFA unknown'],
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
    { name: 'page', label: 'Page', from: sql`case when eventname = 'ConsoleLogin' then 'console' else 'portal' end` },
    { name: 'mfa', label: 'MFA', from: sql`mfa` },
    { name: 'reason', label: 'Reason', from: sql`errorcode` },
  ],
  hidden: ['eventname', 'eventsource', 'target', 'awsregion'],
  listData: (events) => {
    const succeeded = events.filter(({ outcome }) => outcome === 'ok');
    const withoutMfa = succeeded.filter(({ mfa }) => mfa === 'no');
    const factors = MFA_PHRASES.map(([value, phrase]) => ({ phrase, logins: succeeded.filter(({ mfa }) => mfa === value).length }));
    const [newest, ...others] = withoutMfa;
    return {
      factors: factors.filter(({ logins }) => logins > 0),
      alarm: newest ? { newest, others: others.length } : null,
      withoutMfa: others.slice(0, 4),
    };
  },
  next: ({ filters, typedWindow }, line) => [
    ...(filters.length > 0 ? [] : [{ label: 'Failures only', line: line({ filters: [{ ...exactFilter('outcome', 'ok'), negated: true }] }) }]),
    { label: 'By MFA', line: line({ by: ['mfa'] }) },
    { label: 'Failures by address', line: printLine({ name: 'signin-failures', words: [], filters, window: typedWindow }) },
  ],
});

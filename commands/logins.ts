/** Every sign-in to the console, and what is known of its second factor. */
import { only, preset, printLine, sql } from '#kit';

const SAID = sql`lower(json_extract_scalar(additionaleventdata, '$.MFAUsed'))`;

/** Of whoever signs in elsewhere, CloudTrail says that no second factor was used, for AWS saw none. */
const MFA = sql`case
  when ${SAID} = 'yes' then 'yes'
  when identitytype not in ('IAMUser', 'Root') then 'unknown, at the identity provider'
  when ${SAID} = 'no' then 'no'
  else 'unknown'
end`;

export default preset({
  name: 'logins',
  topic: 'sign-in',
  summary: 'Lists console sign-ins with address, outcome and MFA: yes, no, or unknown at the identity provider',
  example: '7d',
  window: '7d',
  where: sql`eventsource = 'signin.amazonaws.com' and eventname = 'ConsoleLogin'`,
  caption: 'Console sign-ins',
  columns: [
    { name: 'mfa', label: 'MFA', from: MFA },
    { name: 'reason', label: 'Reason', from: sql`errormessage` },
  ],
  hidden: ['eventname', 'eventsource', 'target'],
  told: (events) => {
    const good = events.filter(({ outcome }) => outcome === 'ok');
    const bare = good.filter(({ mfa }) => mfa === 'no');
    return { none: bare.length, unknown: good.filter(({ mfa }) => mfa?.startsWith('unknown')).length, bare: bare.slice(0, 5) };
  },
  next: ({ filters, said }, line) => [
    ...(filters.length > 0 ? [] : [{ label: 'Only failures', line: line({ filters: [{ ...only('outcome', 'ok'), negated: true }] }) }]),
    { label: 'Failures by address', line: printLine({ name: 'signin-failures', words: [], filters, window: said }) },
  ],
});

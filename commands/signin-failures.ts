/** Failed sign-ins by address or by user, with a verdict for each: spraying, guessing, or a slip. */
import {
  type ClassifiedAddress,
  type ClassifiedUser,
  CONSOLE_SESSION_MS,
  type Context,
  classifySignIns,
  command,
  exactFilter,
  FIRST_AND_LAST,
  type Finding,
  memoryLimit,
  type Next,
  preset,
  printLine,
  type Question,
  type Row,
  signInAttempts,
  signInsDuring,
  sql,
  type Table,
  widerTime,
} from '#kit';

const failureCounts = preset({
  name: 'signin-failures',
  topic: 'sign-in',
  summary:
    'Lists failed sign-ins to the console and to Identity Center by address or user, with a verdict: spraying, guessing, or a slip before a sign-in; by:reason or by:mfa counts them',
  example: '30d',
  window: '7d',
  from: signInsDuring,
  where: sql`outcome <> 'ok'`,
  caption: 'Failed sign-ins',
  by: ['ip'],
  columns: [{ name: 'reason', label: 'Reason', from: sql`errorcode` }],
  hidden: ['eventname', 'eventsource', 'target'],
  next: (_, line) => [
    { label: 'Verdicts by address', line: line() },
    { label: 'Verdicts by user', line: line({ by: ['user'] }) },
  ],
});

export default command({
  ...failureCounts,
  answer(asked, context) {
    const { by = ['ip'], every, sort } = asked;
    const hasVerdicts = !every && !sort && (by.join() === 'ip' || by.join() === 'user');
    return hasVerdicts ? verdicts(asked, context) : failureCounts.answer(asked, context);
  },
});

const MAX_VERDICT_ROWS = 1000;
/** Combinations of user, address and reason to read. */
const MAX_COMBINATIONS = 10_000;
const MAX_SUSPECTS = 5;

async function verdicts({ filters, window, typedWindow, by = ['ip'], top: typedTop }: Question, context: Context): Promise<Finding> {
  const max = memoryLimit(context, MAX_COMBINATIONS);
  const top = typedTop ?? memoryLimit(context, MAX_VERDICT_ROWS);
  const attempts = await context.ask(signInAttempts(window, filters, max));
  const isCut = attempts.length > max;
  const { tries, addresses, users, reasons } = classifySignIns(attempts);
  const line = (more: object = {}) => printLine({ name: 'signin-failures', words: [], filters, window: typedWindow, ...more });
  const logins = (field: string, value: string | null) =>
    printLine({ name: 'logins', words: [], filters: [...filters, ...(value === null ? [] : [exactFilter(field, value)])], window: typedWindow });
  const isByUser = by.join() === 'user';
  const suspects = [
    ...users.filter(({ isSuspect }) => isSuspect).map((each) => ({ ...each, of: 'user' })),
    ...addresses.filter(({ isSuspect }) => isSuspect).map(({ ip, ...each }) => ({ ...each, name: ip, of: 'address' })),
  ];
  const broken = users.filter(({ isSuspect, inside, verdict }) => isSuspect && inside !== null && verdict === 'guessing, got in');
  const suspectsInOrder = suspects.toSorted((a, b) => Number(b.verdict.endsWith('got in')) - Number(a.verdict.endsWith('got in')));
  const table = isByUser ? userTable(users, top, ({ user }) => logins('actor', user)) : addressTable(addresses, top, ({ ip }) => logins('ip', ip));
  return {
    data: {
      tries,
      addresses: addresses.filter((each) => each.tries > 0).length,
      slips: users.filter(({ verdict }) => verdict === 'slip').length,
      reason: reasons[0] ?? null,
      broken: broken[0] ?? null,
      suspects: suspectsInOrder.slice(0, MAX_SUSPECTS),
      moreSuspects: Math.max(0, suspectsInOrder.length - MAX_SUSPECTS),
    },
    table: {
      ...table,
      ...(isCut && { limitation: `Only the ${max.toLocaleString('en-US')} combinations of user and address with most failures were read.` }),
    },
    next:
      tries > 0
        ? [
            ...broken.slice(0, 2).flatMap(afterSignIn),
            isByUser ? { label: 'By address', line: line() } : { label: 'By user', line: line({ by: ['user'] }) },
            { label: 'By reason', line: line({ by: ['error'] }) },
            { label: 'By MFA', line: line({ by: ['mfa'] }) },
            { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
            { label: 'List them', line: line({ sort: 'time' }) },
          ]
        : [widerTime(window, (wide) => line({ window: wide, ...(isByUser && { by }) }))],
  };
}

/** The follow-up that lists what a user did after a suspicious sign-in. */
function afterSignIn({ user, inside }: ClassifiedUser): Next[] {
  if (user === null || inside === null) return [];
  const to = new Date(Date.parse(inside.at) + CONSOLE_SESSION_MS).toISOString().slice(0, 16);
  const window = { kind: 'between', from: inside.at.slice(0, 16), to } as const;
  return [{ label: `Activity of ${user} after it`, line: printLine({ name: 'events', words: [], filters: [exactFilter('actor', user)], window }) }];
}

const addressTable = (addresses: readonly ClassifiedAddress[], top: number, lineOf: (address: ClassifiedAddress) => string): Table => ({
  caption: 'Failed sign-ins by address',
  columns: [
    { name: 'ip', label: 'From', kind: 'text' },
    { name: 'verdict', label: 'Verdict', kind: 'text' },
    { name: 'tries', label: 'Failures', kind: 'count' },
    { name: 'users', label: 'Users', kind: 'count' },
    { name: 'names', label: 'Who', kind: 'text' },
    { name: 'inside', label: 'Signed in', kind: 'text' },
    ...FIRST_AND_LAST,
  ],
  rows: addresses.slice(0, top).map((address): Row => {
    const { isSuspect: _, ...cells } = address;
    return { cells, next: { label: `${address.ip ?? 'no address'}: ${address.verdict}`, line: lineOf(address) } };
  }),
  more: addresses.length > top,
});

const userTable = (users: readonly ClassifiedUser[], top: number, lineOf: (user: ClassifiedUser) => string): Table => ({
  caption: 'Failed sign-ins by user',
  columns: [
    { name: 'user', label: 'Who', kind: 'text' },
    { name: 'verdict', label: 'Verdict', kind: 'text' },
    { name: 'events', label: 'Failures', kind: 'count' },
    { name: 'addresses', label: 'Addresses', kind: 'count' },
    { name: 'from', label: 'From', kind: 'text' },
    { name: 'inside', label: 'Signed in from', kind: 'text' },
    { name: 'mfa', label: 'MFA', kind: 'text' },
    ...FIRST_AND_LAST,
  ],
  rows: users.slice(0, top).map((user): Row => {
    const { name, verdict, tries, addresses, from, inside, first, last } = user;
    const cells = { user: name, verdict, events: tries, addresses, from, inside: inside?.ip ?? null, mfa: inside?.mfa ?? null, first, last };
    return { cells, next: { label: `${name}: ${verdict}`, line: lineOf(user) } };
  }),
  more: users.length > top,
});

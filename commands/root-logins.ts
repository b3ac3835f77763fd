/** Every root sign-in with the calls after it, and other ways to root: password resets and AssumeRoot. */
import {
  CONSOLE_SESSION_MS,
  type Context,
  command,
  eventsDuring,
  eventsDuringAny,
  eventTable,
  exactFilter,
  type Finding,
  failures,
  isNowhere,
  limit,
  listed,
  listedRow,
  matching,
  memoryLimit,
  placesOf,
  preset,
  printLine,
  type Question,
  query,
  sql,
  valueList,
  widerTime,
  z,
} from '#kit';

const rootSignIn = listedRow.extend({ mfa: z.string().nullable(), reason: z.string().nullable(), member: z.string().nullable() });
type RootSignIn = z.output<typeof rootSignIn>;

const rootCall = listedRow.extend({ readlike: z.string() });
type RootCall = z.output<typeof rootCall>;

/** Other ways to root: a new password or email address, and AssumeRoot, by which an organization's admins act as root of a member account. */
const CREDENTIAL_EVENTS = ['PasswordRecoveryRequested', 'PasswordRecoveryCompleted', 'PasswordUpdated', 'EmailUpdated'];
const ASSUME_ROOT = 'AssumeRoot';
const OTHER_WAYS_TO_ROOT = {
  ...exactFilter('event', ASSUME_ROOT),
  values: [...CREDENTIAL_EVENTS, ASSUME_ROOT].map((text) => ({ text, wildcard: false })),
};

const MAX_SIGN_INS = 1000;
const MAX_ROOT_CALLS = 10_000;

const rootSignInCounts = preset({
  name: 'root-logins',
  topic: 'sign-in',
  summary: 'Lists every root sign-in, with address, MFA, outcome and the calls after it, and other ways to root',
  example: '6mo',
  window: '6mo',
  where: sql`eventsource = 'signin.amazonaws.com' and identitytype = 'Root' and eventname = 'ConsoleLogin'`,
  caption: 'Root sign-ins',
  measures: [failures],
});

export default command({
  ...rootSignInCounts,
  // Even the list reads the whole window.
  isNewestFirst: () => false,
  answer(asked, context) {
    const { by, every, sort = 'time' } = asked;
    return by || every || sort !== 'time' ? rootSignInCounts.answer(asked, context) : listRootSignIns(asked, context);
  },
});

/** The newest of some sign-ins, and how many others there are; null for none. */
const newestAndMore = (signIns: readonly RootSignIn[]): { readonly newest: RootSignIn; readonly others: number } | null =>
  signIns[0] === undefined ? null : { newest: signIns[0], others: signIns.length - 1 };

async function listRootSignIns({ filters, window, typedWindow, top: typedTop }: Question, context: Context): Promise<Finding> {
  const { ask } = context;
  const maxCalls = memoryLimit(context, MAX_ROOT_CALLS);
  const max = memoryLimit(context, MAX_SIGN_INS);
  const top = typedTop ?? max;
  const signedIn = sql`(eventsource in ('signin.amazonaws.com', 'sts.amazonaws.com') and ((eventsource = 'signin.amazonaws.com' and identitytype = 'Root' and eventname in (${valueList(['ConsoleLogin', ...CREDENTIAL_EVENTS])}))
        or (eventsource = 'sts.amazonaws.com' and eventname = ${ASSUME_ROOT})))`;
  const places = await placesOf(window, { filters, where: signedIn }, context);
  const found = isNowhere(places)
    ? []
    : await ask(query(rootSignIn)`
    select ${listed}, json_extract_scalar(additionaleventdata, '$.MFAUsed') as mfa, errormessage as reason,
           json_extract_scalar(requestparameters, '$.targetPrincipal') as member
    from ${eventsDuring(window, { places, folders: context.foldersOf(filters), notable: true })}
    where ${signedIn} and ${matching(filters)}
    order by eventtime desc, eventid
    ${limit(max + 1)}
  `);
  const [signIns, otherWays] = [found.filter(isSignIn), found.filter((each) => !isSignIn(each))];
  const shown = signIns.slice(0, max);
  const rootCalls = shown.some(({ outcome }) => outcome === 'ok') ? await callsAfter(shown, maxCalls, context) : [];
  const rows = shown.map((each) => ({ ...each, ...activityAfter(each, shown, rootCalls) }));
  const succeeded = rows.filter(({ outcome }) => outcome === 'ok');
  const withWrites = rows.filter(({ writes }) => writes.length > 0);
  return {
    data: {
      successes: succeeded.length,
      failures: rows.length - succeeded.length,
      latest: succeeded[0] ?? null,
      withoutMfa: newestAndMore(succeeded.filter(({ mfa }) => mfa === 'no')),
      withWrites: withWrites.slice(0, 5),
      otherWays: otherWays.slice(0, 5),
      otherWaysTotal: otherWays.length,
    },
    table: {
      ...eventTable(
        'Root sign-ins',
        rows.map(({ writes: _, member: __, isChanging: ___, ...row }) => row),
        {
          max: top,
          more: signIns.length > Math.min(top, max) || found.length > max,
          hidden: ['actor', 'eventname', 'eventsource', 'awsregion'],
          extra: [
            { name: 'mfa', label: 'MFA', kind: 'text' },
            { name: 'did', label: 'Writes after it', kind: 'text' },
            { name: 'reads', label: 'Reads after it', kind: 'count' },
            { name: 'reason', label: 'Reason', kind: 'text', hidden: true },
          ],
        },
      ),
      ...(rootCalls.length >= maxCalls && { limitation: `What root did after is from its newest ${maxCalls.toLocaleString('en-US')} calls only.` }),
    },
    next: [
      ...withWrites.slice(0, 2).map(({ eventtime }) => ({
        label: `Root activity on ${eventtime.slice(0, 10)}`,
        line: printLine({
          name: 'events',
          words: [],
          filters: [exactFilter('kind', 'root')],
          window: { kind: 'between', from: eventtime.slice(0, 10), to: eventtime.slice(0, 10) },
        }),
      })),
      ...(otherWays.length > 0
        ? [
            {
              label: 'Other ways to root',
              line: printLine({ name: 'events', words: [], filters: [...filters, OTHER_WAYS_TO_ROOT], window: typedWindow }),
            },
          ]
        : []),
      {
        label: 'Count root activity',
        line: printLine({ name: 'count', words: [], filters: [exactFilter('kind', 'root')], by: ['event'], window: typedWindow }),
      },
      { label: 'Sign-ins by address', line: printLine({ name: 'root-logins', words: [], filters, by: ['ip'], window: typedWindow }) },
      { label: 'All root activity', line: printLine({ name: 'events', words: [], filters: [exactFilter('kind', 'root')], window: typedWindow }) },
      ...(rows.length === 0 ? [widerTime(window, (wide) => printLine({ name: 'root-logins', words: [], filters, window: wide }))] : []),
    ],
  };
}

const isSignIn = ({ eventname }: RootSignIn): boolean => eventname === 'ConsoleLogin';

/** The calls of the root user in the sessions that the sign-ins started, without calls that services made for root. */
async function callsAfter(signIns: readonly RootSignIn[], max: number, context: Context): Promise<RootCall[]> {
  const sessions = signIns
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ eventtime }) => ({ from: new Date(eventtime), to: new Date(Date.parse(eventtime) + CONSOLE_SESSION_MS) }));
  const called = sql`actorkind = 'root' and eventsource <> 'signin.amazonaws.com'`;
  const [from, to] = [Math.min(...sessions.map((each) => each.from.getTime())), Math.max(...sessions.map((each) => each.to.getTime()))];
  const places = await placesOf({ from: new Date(from), to: new Date(to) }, { where: called }, context);
  return context.ask(query(rootCall)`
    select ${listed}, readlike
    from ${eventsDuringAny(sessions, { places, notable: true })}
    where ${called}
    order by eventtime desc, eventid
    ${limit(max)}
  `);
}

/** The calls after one sign-in, up to the next sign-in in its account or the end of the session. */
function activityAfter({ eventtime, outcome, recipientaccountid, mfa }: RootSignIn, signIns: readonly RootSignIn[], calls: readonly RootCall[]) {
  const start = Date.parse(eventtime);
  const later = signIns.filter((other) => other.recipientaccountid === recipientaccountid && other.outcome === 'ok' && other.eventtime > eventtime);
  const end = Math.min(start + CONSOLE_SESSION_MS, ...later.map((other) => Date.parse(other.eventtime)));
  const ownCalls = calls.filter(
    (each) =>
      outcome === 'ok' && each.recipientaccountid === recipientaccountid && Date.parse(each.eventtime) >= start && Date.parse(each.eventtime) < end,
  );
  const writes = ownCalls.filter(({ readlike }) => readlike !== 'true');
  const names = Map.groupBy(writes.toReversed(), (each) => `${each.eventname}${each.outcome === 'ok' ? '' : ` (${each.outcome})`}`);
  const did = [...names].map(([name, same]) => (same.length > 1 ? `${name} ×${same.length}` : name)).join(', ');
  // CloudTrail's own examples write both Yes and YES.
  const reads = ownCalls.filter((each) => each.readlike === 'true' && each.outcome === 'ok').length;
  return { mfa: mfa?.toLowerCase() ?? null, writes: [...names.keys()], isChanging: writes.some((each) => each.outcome === 'ok'), did, reads };
}

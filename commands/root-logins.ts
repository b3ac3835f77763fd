/** Every sign-in as root, what root did after each, and who else took root's rights or its password: reads counted, writes named. */
import {
  type Context,
  command,
  eventsDuring,
  eventsDuringAny,
  eventTable,
  exactFilter,
  type Finding,
  failures,
  limit,
  listed,
  listedRow,
  matching,
  preset,
  printLine,
  type Question,
  query,
  sql,
  valueList,
  widerTime,
  z,
} from '#kit';

const signIn = listedRow.extend({ mfa: z.string().nullable(), reason: z.string().nullable(), member: z.string().nullable() });
type SignIn = z.output<typeof signIn>;

const deed = listedRow.extend({ readlike: z.string() });
type Deed = z.output<typeof deed>;

/** What leads to root beside a sign-in: another password or address, and the root of a member account, lent to whoever manages its organization. */
const RESETS = ['PasswordRecoveryRequested', 'PasswordRecoveryCompleted', 'PasswordUpdated', 'EmailUpdated'];
const LENT = 'AssumeRoot';
const OTHER_DOORS = { ...exactFilter('event', LENT), values: [...RESETS, LENT].map((text) => ({ text, wildcard: false })) };

const MOST_SIGN_INS = 1000;
const MOST_DEEDS = 10_000;
/** AWS ends a console session of root after twelve hours at the latest. */
const SESSION_MS = 12 * 3_600_000;

const counts = preset({
  name: 'root-logins',
  topic: 'sign-in',
  summary: 'Lists every sign-in as root, with address, MFA and outcome, what root did after each, and other ways to root',
  example: '6mo',
  window: '6mo',
  where: sql`eventsource = 'signin.amazonaws.com' and identitytype = 'Root' and eventname = 'ConsoleLogin'`,
  caption: 'Root sign-ins',
  measures: [failures],
});

export default command({
  ...counts,
  // Even as a list it reads all of its time.
  isNewestFirst: () => false,
  answer(asked, context) {
    const { by, every, sort = 'time' } = asked;
    return by || every || sort !== 'time' ? counts.answer(asked, context) : story(asked, context);
  },
});

async function story({ filters, window, typedWindow, top = MOST_SIGN_INS }: Question, { ask }: Context): Promise<Finding> {
  const found = await ask(query(signIn)`
    select ${listed}, json_extract_scalar(additionaleventdata, '$.MFAUsed') as mfa, errormessage as reason,
           json_extract_scalar(requestparameters, '$.targetPrincipal') as member
    from ${eventsDuring(window)}
    where ((eventsource = 'signin.amazonaws.com' and identitytype = 'Root' and eventname in (${valueList(['ConsoleLogin', ...RESETS])}))
        or (eventsource = 'sts.amazonaws.com' and eventname = ${LENT}))
      and ${matching(filters)}
    order by eventtime desc, eventid
    ${limit(MOST_SIGN_INS + 1)}
  `);
  const [signIns, doors] = [found.filter(isSignIn), found.filter((each) => !isSignIn(each))];
  const shown = signIns.slice(0, MOST_SIGN_INS);
  const deeds = shown.some(({ outcome }) => outcome === 'ok') ? await deedsAfter(shown, ask) : [];
  const told = shown.map((each) => ({ ...each, ...after(each, shown, deeds) }));
  const good = told.filter(({ outcome }) => outcome === 'ok');
  const busy = told.filter(({ writes }) => writes.length > 0);
  return {
    data: {
      successes: good.length,
      failures: told.length - good.length,
      latest: good[0] ?? null,
      withoutMfa: good.filter(({ mfa }) => mfa === 'no').length,
      busy: busy.slice(0, 5),
      doors: doors.slice(0, 5),
      doorsTotal: doors.length,
      filtered: filters.length > 0,
    },
    table: eventTable(
      'Root sign-ins',
      told.map(({ writes: _, member: __, ...row }) => row),
      {
        most: top,
        more: signIns.length > Math.min(top, MOST_SIGN_INS) || found.length > MOST_SIGN_INS,
        hidden: ['actor', 'eventname', 'eventsource', 'awsregion'],
        extra: [
          { name: 'mfa', label: 'MFA', kind: 'text' },
          { name: 'did', label: 'Then did', kind: 'text' },
          { name: 'reads', label: 'Reads', kind: 'count' },
          { name: 'reason', label: 'Reason', kind: 'text', hidden: true },
        ],
      },
    ),
    next: [
      ...busy.slice(0, 2).map(({ eventtime }) => ({
        label: `What root did ${eventtime.slice(0, 10)}`,
        line: printLine({
          name: 'events',
          words: [],
          filters: [exactFilter('kind', 'root')],
          window: { kind: 'between', from: eventtime.slice(0, 10), to: eventtime.slice(0, 10) },
        }),
      })),
      ...(doors.length > 0
        ? [
            {
              label: 'Other ways to root',
              line: printLine({ name: 'events', words: [], filters: [...filters, OTHER_DOORS], window: typedWindow }),
            },
          ]
        : []),
      {
        label: 'Count what root did',
        line: printLine({ name: 'count', words: [], filters: [exactFilter('kind', 'root')], by: ['event'], window: typedWindow }),
      },
      { label: 'Sign-ins by address', line: printLine({ name: 'root-logins', words: [], filters, by: ['ip'], window: typedWindow }) },
      { label: 'All that root did', line: printLine({ name: 'events', words: [], filters: [exactFilter('kind', 'root')], window: typedWindow }) },
      ...(told.length === 0 ? [widerTime(window, (wide) => printLine({ name: 'root-logins', words: [], filters, window: wide }))] : []),
    ],
  };
}

const isSignIn = ({ eventname }: SignIn): boolean => eventname === 'ConsoleLogin';

/** What root, the person, did in the sessions that the sign-ins began. Calls that a service made in root's name are none of theirs. */
async function deedsAfter(signIns: readonly SignIn[], ask: Context['ask']): Promise<Deed[]> {
  const sessions = signIns
    .filter(({ outcome }) => outcome === 'ok')
    .map(({ eventtime }) => ({ from: new Date(eventtime), to: new Date(Date.parse(eventtime) + SESSION_MS) }));
  return ask(query(deed)`
    select ${listed}, readlike
    from ${eventsDuringAny(sessions)}
    where actorkind = 'root' and eventsource <> 'signin.amazonaws.com'
    order by eventtime desc, eventid
    ${limit(MOST_DEEDS)}
  `);
}

/** What followed one sign-in, up to the next one in its account or the end of the session. */
function after({ eventtime, outcome, recipientaccountid, mfa }: SignIn, signIns: readonly SignIn[], deeds: readonly Deed[]) {
  const start = Date.parse(eventtime);
  const later = signIns.filter((other) => other.recipientaccountid === recipientaccountid && other.outcome === 'ok' && other.eventtime > eventtime);
  const end = Math.min(start + SESSION_MS, ...later.map((other) => Date.parse(other.eventtime)));
  const own = deeds.filter(
    (each) =>
      outcome === 'ok' && each.recipientaccountid === recipientaccountid && Date.parse(each.eventtime) >= start && Date.parse(each.eventtime) < end,
  );
  const writes = own.filter(({ readlike }) => readlike !== 'true');
  const names = Map.groupBy(writes.toReversed(), (each) => `${each.eventname}${each.outcome === 'ok' ? '' : ` (${each.outcome})`}`);
  const did = [...names].map(([name, calls]) => (calls.length > 1 ? `${name} ×${calls.length}` : name)).join(', ');
  // CloudTrail's own examples write both Yes and YES.
  return { mfa: mfa?.toLowerCase() ?? null, writes: [...names.keys()], did, reads: own.length - writes.length };
}

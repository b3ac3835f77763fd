/** Sign-ins that failed, by address, with what to make of each: a slip of the hand, or somebody at work. */
import {
  type Asked,
  type Context,
  command,
  eventCount,
  eventsDuring,
  type Finding,
  limit,
  matching,
  only,
  preset,
  printLine,
  printWindow,
  query,
  type Row,
  sql,
  wider,
  z,
} from '#kit';

/** One user at one address. */
const pair = z.object({
  sourceipaddress: z.string().nullable(),
  who: z.string().nullable(),
  failures: z.coerce.number(),
  successes: z.coerce.number(),
  first: z.string().nullable(),
  last: z.string().nullable(),
  success: z.string().nullable(),
});
type Pair = z.output<typeof pair>;

const MOST_PAIRS = 10_000;
/** So many users who do not get in from one address are no coincidence. */
const MANY_USERS = 3;
/** So many tries are no slip of one user. */
const MANY_TRIES = 8;

const SIGN_IN = sql`eventsource = 'signin.amazonaws.com' and eventname = 'ConsoleLogin'`;

const counts = preset({
  name: 'signin-failures',
  topic: 'sign-in',
  summary: 'Tells failed console sign-ins by address: spraying, guessing, or a slip of somebody who then got in',
  example: '30d',
  window: '7d',
  where: sql`${SIGN_IN} and outcome <> 'ok'`,
  caption: 'Failed sign-ins',
  by: ['ip'],
  columns: [{ name: 'reason', label: 'Reason', from: sql`errormessage` }],
  hidden: ['eventname', 'eventsource', 'target'],
  next: (_, line) => [{ label: 'Verdicts by address', line: line() }],
});

export default command({
  ...counts,
  answer: (asked, context) => (asked.by || asked.every || asked.sort ? counts.answer(asked, context) : byAddress(asked, context)),
});

async function byAddress({ filters, window, said, top = 1000 }: Asked, { ask }: Context): Promise<Finding> {
  const pairs = await ask(query(pair)`
    select sourceipaddress, coalesce(username, actor) as who,
           ${eventCount} filter (where outcome <> 'ok') as failures, ${eventCount} filter (where outcome = 'ok') as successes,
           min(case when outcome <> 'ok' then eventtime end) as first, max(case when outcome <> 'ok' then eventtime end) as last,
           max(case when outcome = 'ok' then eventtime end) as success
    from ${eventsDuring(window)}
    where ${SIGN_IN} and ${matching(filters)}
    group by 1, 2
    order by failures desc, 1, 2
    ${limit(MOST_PAIRS)}
  `);
  const line = (more: object = {}) => printLine({ name: 'signin-failures', words: [], filters, window: said, ...more });
  const addresses = [...Map.groupBy(pairs, ({ sourceipaddress }) => sourceipaddress)]
    .map(([ip, users]) => ({ ip, ...judged(users) }))
    .filter(({ tries }) => tries > 0)
    .toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.tries - a.tries);
  const rows = addresses.slice(0, top).map((cells): Row => {
    const logins = printLine({
      name: 'logins',
      words: [],
      filters: [...filters, ...(cells.ip === null ? [] : [only('ip', cells.ip)])],
      window: said,
    });
    return { cells, next: { label: `${cells.ip ?? 'no address'}: ${cells.verdict}`, line: logins } };
  });
  const suspects = addresses.filter(({ verdict }) => verdict !== 'slip' && verdict !== 'gave up');
  return {
    data: {
      tries: addresses.reduce((sum, { tries }) => sum + tries, 0),
      addresses: addresses.length,
      slips: addresses.filter(({ verdict }) => verdict === 'slip').length,
      suspects: suspects.slice(0, 5),
      moreSuspects: Math.max(0, suspects.length - 5),
      filtered: filters.length > 0,
    },
    table: {
      caption: 'Failed sign-ins by address',
      columns: [
        { name: 'ip', label: 'From', kind: 'text' },
        { name: 'verdict', label: 'Verdict', kind: 'text' },
        { name: 'tries', label: 'Failures', kind: 'count' },
        { name: 'users', label: 'Users', kind: 'count' },
        { name: 'names', label: 'Who', kind: 'text' },
        { name: 'inside', label: 'Got in', kind: 'text' },
        { name: 'first', label: 'First (UTC)', kind: 'time' },
        { name: 'last', label: 'Last (UTC)', kind: 'time' },
      ],
      rows,
      more: addresses.length > rows.length,
    },
    next:
      rows.length > 0
        ? [
            { label: 'By user', line: line({ by: ['user'] }) },
            { label: 'Every hour', line: line({ every: { count: 1, unit: 'h' } }) },
            { label: 'List them', line: line({ sort: 'time' }) },
          ]
        : [{ label: `The same, ${printWindow(wider(window))}`, line: line({ window: wider(window) }) }],
  };
}

/** Worst first. */
const VERDICTS = ['spraying, got in', 'guessing, got in', 'spraying', 'guessing', 'gave up', 'slip'] as const;

/** What the sign-ins from one address come to. */
function judged(users: readonly Pair[]) {
  const failed = users.filter(({ failures }) => failures > 0);
  const tries = failed.reduce((sum, { failures }) => sum + failures, 0);
  const first = failed.map((each) => each.first ?? '').toSorted()[0] ?? null;
  const last =
    failed
      .map((each) => each.last ?? '')
      .toSorted()
      .at(-1) ?? null;
  const gotIn = (each: Pair): boolean => each.success !== null && each.success > (each.first ?? '');
  const shut = failed.filter((each) => !gotIn(each));
  const inside = users.filter(({ success }) => success !== null && success > (first ?? ''));
  return {
    verdict: verdictOf(),
    tries,
    users: failed.length,
    names: failed
      .map(({ who }) => who ?? '—')
      .slice(0, 10)
      .join(', '),
    inside:
      inside.length > 0
        ? inside
            .map(({ who }) => who ?? '—')
            .slice(0, 10)
            .join(', ')
        : null,
    first,
    last,
  };

  function verdictOf(): (typeof VERDICTS)[number] {
    if (shut.length >= MANY_USERS) return inside.length > 0 ? 'spraying, got in' : 'spraying';
    if (failed.some((each) => each.failures >= MANY_TRIES))
      return failed.some((each) => each.failures >= MANY_TRIES && gotIn(each)) ? 'guessing, got in' : 'guessing';
    return shut.length > 0 ? 'gave up' : 'slip';
  }
}

/** The monthly report for an auditor: who changed access, to what, and what root did. */
import {
  accessKind,
  classesBefore,
  DIMENSIONS,
  distinctEventCount,
  eventsDuring,
  exactFilter,
  isoSecond,
  isUserKind,
  limit,
  matching,
  printFilter,
  printLine,
  query,
  type Row,
  raw,
  report,
  type Window,
  z,
} from '#kit';

const MAX_ACCESS_ROWS = 5000;
const MAX_LISTED_OF_MONTH = 10;
const ACTOR_COLUMN = raw(DIMENSIONS.actor.value);

const accessRow = z.object({
  part: z.enum(['access', 'root']),
  /** What of access a call changes; null for other calls of root. */
  what: z.string().nullable(),
  account: z.string().nullable(),
  actor: z.string().nullable(),
  actorkind: z.string(),
  eventsource: z.string(),
  eventname: z.string(),
  target: z.string().nullable(),
  outcome: z.string(),
  readlike: z.string(),
  events: z.coerce.number(),
  first: z.string(),
  last: z.string(),
  /** Of all rows of the part. */
  changes: z.coerce.number(),
  calls: z.coerce.number(),
});
type AccessRow = z.output<typeof accessRow>;

export default report({
  summary: 'Last month, for an auditor: who changed access and to what, with attempts apart, and what root did in each account',
  period: 'month',
  schedule: 'monthly 1 09:00',

  async answer(month, context) {
    const { ask, filters, foldersOf } = context;
    // Each part has a limit of its own, so that many changes do not hide what root did. Totals are of all rows, also of those beyond it.
    const found = await ask(query(accessRow)`
      select *
      from (
        select *, sum(case when outcome = 'ok' then events else 0 end) over (partition by part) as changes, sum(events) over (partition by part) as calls,
          row_number() over (partition by part order by events desc, account, actor, eventname, target, outcome, what, readlike, eventsource, actorkind) as nth
        from (
          select case when actorkind = 'root' then 'root' else 'access' end as part, actorkind, recipientaccountid as account, ${ACTOR_COLUMN} as actor,
            ${accessKind} as what, eventsource, eventname, target, outcome, readlike, ${distinctEventCount} as events, min(eventtime) as first,
            max(eventtime) as last
          from ${eventsDuring(month, { notable: true, folders: foldersOf(filters) })}
          where (actorkind = 'root' or (actorkind <> 'service' and ${accessKind} is not null)) and ${matching(filters)}
          group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
        ) as grouped
      ) as numbered
      where nth <= ${MAX_ACCESS_ROWS}
      order by part desc, nth
      ${limit(2 * MAX_ACCESS_ROWS)}
    `);
    const [root, access] = [found.filter(({ part }) => part === 'root'), found.filter(({ part }) => part === 'access')];
    const rows = [...root, ...access];
    const changes = access.filter(({ outcome }) => outcome === 'ok');
    const signIns = root.filter(isRootSignIn);
    const isCut = access.length >= MAX_ACCESS_ROWS || root.length >= MAX_ACCESS_ROWS;
    const { loadedAt = null } = await context.extent();
    const { classOf, problems } = await classesBefore(month.to, context);
    const window: Window = { kind: 'between', from: isoSecond(month.from).slice(0, 16), to: isoSecond(month.to).slice(0, 16) };
    const line = (name: string, own: readonly ReturnType<typeof exactFilter>[] = [], by?: readonly string[]): string =>
      printLine({ name, words: [], filters: [...own, ...filters], window, ...(by && { by }) });
    const classNameOf = ({ actor, actorkind }: AccessRow): string => CLASS_NAMES[classOf(actor, actorkind) ?? 'unclear'];
    const people = groupsBy(changes, ({ actor, actorkind }) => JSON.stringify([actor, actorkind]));
    return {
      data: {
        filters: filters.map(printFilter).join(' '),
        period: isoSecond(new Date((month.from.getTime() + month.to.getTime()) / 2)),
        loadedAt,
        changes: access[0]?.changes ?? 0,
        attempts: (access[0]?.calls ?? 0) - (access[0]?.changes ?? 0),
        rootChanges: sumOfRows(root.filter(({ what, outcome }) => what !== null && outcome === 'ok')),
        users: new Set(changes.filter(({ actorkind }) => isUserKind(actorkind)).map(({ actor }) => actor)).size,
        others: new Set(changes.filter(({ actorkind }) => !isUserKind(actorkind)).map(({ actor }) => actor)).size,
        accounts: new Set(changes.map(({ account }) => account)).size,
        actors: people
          .slice(0, MAX_LISTED_OF_MONTH)
          .map(([{ actor, actorkind }, events]) => ({ actor, actorkind, actorClass: classOf(actor, actorkind), events })),
        classes: groupsBy(changes, classNameOf).map(([first, events]) => ({ name: classNameOf(first), events })),
        problems,
        moreActors: Math.max(0, people.length - MAX_LISTED_OF_MONTH),
        calls: groupsBy(changes, ({ eventname }) => eventname)
          .slice(0, MAX_LISTED_OF_MONTH)
          .map(([{ eventname }, events]) => ({ eventname, events })),
        root: groupsBy(root, ({ account }) => account ?? '').map(([{ account }]) => {
          const own = root.filter((each) => each.account === account);
          const writes = own.filter((each) => !isRootSignIn(each) && each.readlike !== 'true' && each.outcome === 'ok');
          return {
            account,
            signIns: sumOfRows(own.filter((each) => isRootSignIn(each) && each.outcome === 'ok')),
            failedSignIns: sumOfRows(own.filter((each) => isRootSignIn(each) && each.outcome !== 'ok')),
            reads: sumOfRows(own.filter(({ readlike }) => readlike === 'true')),
            writes: sumOfRows(writes),
            did: [...new Set(writes.map(({ eventname }) => eventname))].slice(0, MAX_LISTED_OF_MONTH),
          };
        }),
        rootSignIns: sumOfRows(signIns.filter(({ outcome }) => outcome === 'ok')),
        isCut,
      },
      table: {
        caption: 'Access changes, and what root did',
        columns: [
          { name: 'account', label: 'Account', kind: 'text' },
          { name: 'actor', label: 'Who', kind: 'text' },
          { name: 'actorkind', label: 'Kind', kind: 'text' },
          { name: 'class', label: 'Class', kind: 'text' },
          { name: 'eventname', label: 'Call', kind: 'text' },
          { name: 'eventsource', label: 'Service', kind: 'text' },
          { name: 'what', label: 'What', kind: 'text' },
          { name: 'target', label: 'On', kind: 'text' },
          { name: 'outcome', label: 'Outcome', kind: 'text' },
          { name: 'events', label: 'Times', kind: 'count' },
          { name: 'first', label: 'First (UTC)', kind: 'time' },
          { name: 'last', label: 'Last (UTC)', kind: 'time' },
        ],
        rows: rows.map(
          ({ part: _, readlike: __, changes: ___, calls: ____, ...cells }): Row => ({
            cells: { ...cells, class: classOf(cells.actor, cells.actorkind) },
          }),
        ),
        more: isCut,
        exportOnly: true,
      },
      next: [
        { label: 'Access changes', line: line('access-changes') },
        { label: 'By user and call', line: line('access-changes', [], ['user', 'event']) },
        { label: 'Root sign-ins', line: line('root-logins') },
        ...(root.length > 0 ? [{ label: 'What root did', line: line('events', [exactFilter('kind', 'root')]) }] : []),
      ],
    };
  },
});

const CLASS_NAMES = {
  human: 'people',
  pipeline: 'pipelines',
  scanner: 'scanners',
  service: 'services',
  unclear: 'actors whose class is not clear',
} as const;

const isRootSignIn = ({ eventsource, eventname }: AccessRow): boolean => eventsource === 'signin.amazonaws.com' && eventname === 'ConsoleLogin';

const sumOfRows = (rows: readonly AccessRow[]): number => rows.reduce((total, { events }) => total + events, 0);

/** The first row and the sum of each group, the largest first. */
function groupsBy(rows: readonly AccessRow[], keyOf: (row: AccessRow) => string): [first: AccessRow, events: number][] {
  return [...Map.groupBy(rows, keyOf).values()]
    .map((own): [AccessRow, number] => [own[0] as AccessRow, sumOfRows(own)])
    .sort(([, a], [, b]) => b - a);
}

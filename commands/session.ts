/** What was done in a session, and in those that it came from and led to: one timeline across accounts. */
import {
  type Context,
  command,
  containing,
  depthOf,
  eventsDuring,
  eventTable,
  exactFilter,
  type Filter,
  isOnBehalf,
  isPrivateAddress,
  join,
  limit,
  listed,
  listedRow,
  matching,
  type Next,
  nameOf,
  networksOf,
  printLine,
  profileFollowUps,
  type Question,
  query,
  type ResourceId,
  resourceWord,
  type Session,
  type Sql,
  sessionsOf,
  sql,
  valueList,
  type Window,
  widerTime,
  z,
} from '#kit';

const nullable = z.string().nullable();
const call = listedRow.extend({
  actorbasis: z.string(),
  readlike: z.string(),
  invokedby: nullable,
  identityaccountid: nullable,
  principalid: nullable,
  identityarn: nullable,
  accesskeyid: nullable,
  created: nullable,
  sharedeventid: nullable,
  givenkey: nullable,
  givenid: nullable,
  switchedfrom: nullable,
});
type Call = z.output<typeof call>;

const MOST_CALLS = 2000;
/** Steps from session to session: longer chains of roles are rare, and each step reads the window again. */
const MOST_STEPS = 3;
const SHOWN_SESSIONS = 12;

export default command({
  topic: 'about',
  summary:
    'Follows a session of a key, a role or a person: role switches and chains across accounts, and all that was done in them; with filters, the sessions with a call that matches',
  example: 'production-deploy 30d',
  words: { who: resourceWord },
  window: '24h',
  filters: true,
  shape: ['top'],
  reads: 1 + MOST_STEPS,

  async answer(asked, context) {
    const { filters, typedWindow, window, top = MOST_CALLS } = asked;
    const { who } = asked.words;
    const { calls, more } = await callsOf(asked, context);
    const sessions = sessionsOf(calls);
    const number = new Map(sessions.flatMap((session, i) => session.calls.map(({ eventid }) => [eventid, i + 1] as const)));
    const told = sessions.map((session, i) => describe(session, i + 1, sessions));
    const all = sessions.flatMap((session) => session.calls).toSorted((a, b) => (a.eventtime < b.eventtime ? 1 : a.eventtime > b.eventtime ? -1 : 0));
    const longest = Math.max(0, ...sessions.map(depthOf));
    return {
      data: {
        who: who.name,
        filtered: filters.length > 0,
        calls: all.length,
        more,
        sessions: told.slice(0, SHOWN_SESSIONS),
        total: sessions.length,
        unshown: Math.max(0, sessions.length - SHOWN_SESSIONS),
        accounts: new Set(all.map(({ recipientaccountid }) => recipientaccountid)).size,
        writes: all.filter(({ readlike }) => readlike !== 'true').length,
        refused: all.filter(({ outcome }) => outcome !== 'ok').length,
        first: all.at(-1)?.eventtime ?? null,
        last: all[0]?.eventtime ?? null,
        longest,
        chain: longest > 0 ? chainOf(sessions.toSorted((a, b) => depthOf(b) - depthOf(a))[0] as Session<Call>) : [],
        isChosen: all.some(({ actorbasis }) => actorbasis === 'session-name' || actorbasis === 'role'),
      },
      table: eventTable(
        `Sessions of ${who.name}, newest first`,
        all.map((each) => ({ ...shownOf(each), session: number.get(each.eventid) ?? null })),
        { most: top, more: more || all.length > top, hidden: ['eventsource'], extra: [{ name: 'session', label: 'Session', kind: 'count' }] },
      ),
      next:
        all.length > 0
          ? following(asked, sessions, told)
          : [
              widerTime(window, (wide) => printLine({ name: 'session', words: [nameOf(who)], filters, window: wide })),
              {
                label: 'All that names it',
                line: printLine({ name: 'events', words: [], filters: [exactFilter('target', who.name)], window: typedWindow }),
              },
            ],
    };
  },
});

/** A session as it is told. */
type Told = ReturnType<typeof describe>;

const MOST_CHANGES = 3;
const BEFORE_MS = 15 * 60_000;

/** What was changed, who it was and from where, what was denied, what came before, and all of it in numbers. */
function following(
  { words: { who }, filters, typedWindow }: Question<{ who: typeof resourceWord }>,
  sessions: readonly Session<Call>[],
  told: readonly Told[],
): Next[] {
  const all = sessions.flatMap(({ calls }) => calls);
  const [first, last] = spanOf(all);
  const whole = windowOf(first, last);
  const own = all.filter((each) => !isOnBehalf(each));
  const addresses = new Set(own.map(({ sourceipaddress }) => sourceipaddress));
  const cards = own.flatMap((each) =>
    profileFollowUps({ ...each, accesskeyid: null, sourceipaddress: addresses.size === 1 ? each.sourceipaddress : null }, whole),
  );
  const refused = own.find(({ outcome }) => outcome === 'denied');
  const before = new Date(Date.parse(first) - BEFORE_MS).toISOString();
  return [
    ...told
      .filter(({ actor, isChanging }) => actor !== null && isChanging)
      .slice(0, MOST_CHANGES)
      .map(({ actor, first: from, last: to }) => ({
        label: `What ${actor} changed`,
        line: printLine({
          name: 'events',
          words: [],
          filters: [exactFilter('actor', actor as string), exactFilter('reads', 'false'), exactFilter('outcome', 'ok')],
          window: windowOf(from, to),
        }),
      })),
    ...cards.filter(({ line }, i) => cards.findIndex((other) => other.line === line) === i).slice(0, MOST_CARDS),
    ...(refused?.actor
      ? [
          {
            label: `What ${refused.actor} was denied`,
            line: printLine({ name: 'denied', words: [], filters: [exactFilter('actor', refused.actor)], window: whole }),
          },
        ]
      : []),
    { label: '15 minutes before it', line: printLine({ name: 'events', words: [], filters: [], window: windowOf(before, first) }) },
    {
      label: 'Count its calls',
      line: printLine({ name: 'count', words: [], filters: [...filtersOf(who), ...filters], by: ['event'], window: typedWindow }),
    },
  ];
}

const MOST_CARDS = 3;

/** The first and the last moment of calls. */
function spanOf(calls: readonly Call[]): [first: string, last: string] {
  const times = calls.map(({ eventtime }) => eventtime).toSorted();
  return [times[0] ?? '', times.at(-1) ?? ''];
}

/** Whole minutes, with the last one. */
function windowOf(first: string, last: string): Window {
  const after = new Date(Date.parse(last) + 60_000).toISOString();
  return { kind: 'between', from: first.slice(0, 16), to: after.slice(0, 16) };
}

/** The columns of a list, and no more: the rest is ours. */
const shownOf = (each: Call) => listedRow.parse(each);

/** The calls of the sessions that were asked about, and of every one that they came from or led to. */
async function callsOf(
  { words: { who }, filters, window }: Question<{ who: typeof resourceWord }>,
  { ask }: Context,
): Promise<{ readonly calls: Call[]; readonly more: boolean }> {
  const found = new Map<string, Call>();
  const asked = new Set<string>();
  let wanted: readonly Clue[] = [{ key: 'start', where: sql`(${isOf(who)} and ${matching(filters)})` }];
  let first: ReadonlySet<string> | undefined;
  let more = false;
  for (let step = 0; wanted.length > 0 && step <= MOST_STEPS; step += 1) {
    for (const { key } of wanted) asked.add(key);
    const rows = await ask(query(call)`
      select ${listed}, actorbasis, readlike, invokedby, identityaccountid, principalid, identityarn, accesskeyid, sessioncreationdate as created,
             sharedeventid,
             case when eventsource = 'sts.amazonaws.com' then json_extract_scalar(responseelements, '$.credentials.accessKeyId') end as givenkey,
             case when eventsource = 'sts.amazonaws.com' then json_extract_scalar(responseelements, '$.assumedRoleUser.assumedRoleId') end as givenid,
             case when eventname = 'SwitchRole' then json_extract_scalar(additionaleventdata, '$.SwitchFrom') end as switchedfrom
      from ${eventsDuring(window)}
      where ${join(
        wanted.map(({ where }) => where),
        ' or ',
      )}
      order by eventtime desc, eventid
      ${limit(MOST_CALLS + 1)}
    `);
    more ||= rows.length > MOST_CALLS;
    const fresh = rows.filter(({ eventid }) => !found.has(eventid));
    for (const each of fresh) found.set(each.eventid, each);
    // What matches filters is part of sessions, of which the rest is to be told, too.
    wanted = dropKnown([...cluesIn(fresh), ...(first === undefined && filters.length > 0 ? keysIn(fresh) : [])], asked);
    first ??= new Set(found.keys());
  }
  return { calls: reached([...found.values()], first ?? new Set()), more };
}

/** Something to look for next: sessions that calls came from or led to. */
interface Clue {
  readonly key: string;
  readonly where: Sql;
}

/** So many sessions are followed at each step. */
const MOST_CLUES = 20;

const dropKnown = (clues: readonly Clue[], asked: ReadonlySet<string>): Clue[] =>
  [...new Map(clues.filter(({ key }) => !asked.has(key)).map((clue) => [clue.key, clue])).values()].slice(0, MOST_CLUES);

function isOf({ kind, name, arn }: ResourceId): Sql {
  if (kind === 'key') {
    return sql`(accesskeyid = ${name} or (eventsource = 'sts.amazonaws.com' and responseelements like ${containing(`"${name}"`)} escape '!'))`;
  }
  if (kind === 'session' && arn) return sql`identityarn = ${arn.text}`;
  const [role = '', session] = name.split('/');
  if (session && kind === 'name') return sql`(sessionissuername = ${role} and sessionname = ${session})`;
  if (kind === 'principal') return sql`(principalid = ${name} or principalid like ${`${name}:%`} escape '!')`;
  return matching([exactFilter('user', name)]);
}

/** The same as filters of a line, without the call that gave a key. */
function filtersOf({ kind, name, arn }: ResourceId): readonly Filter[] {
  if (kind === 'key') return [exactFilter('key', name)];
  if (kind === 'session' && arn) return [exactFilter('user', arn.text)];
  const [role = '', session] = name.split('/');
  if (session && kind === 'name') return [exactFilter('role', role), exactFilter('user', session)];
  if (kind !== 'principal') return [exactFilter('user', name)];
  const isPrincipal = {
    ...exactFilter('principal', name),
    values: [
      { text: name, wildcard: false },
      { text: `${name}:*`, wildcard: true },
    ],
  };
  return [isPrincipal];
}

function cluesIn(calls: readonly Call[]): Clue[] {
  return calls.flatMap((each): Clue[] => [
    // Forward: the session that was given away.
    ...(each.givenkey === null ? [] : [{ key: each.givenkey, where: sql`(accesskeyid = ${each.givenkey}${orOf(each.givenid, each.eventtime)})` }]),
    // Its own: the console takes another key for each request.
    ...(each.principalid === null || each.created === null
      ? []
      : [
          {
            key: `${each.principalid} ${each.created}`,
            where: sql`(principalid = ${each.principalid} and (sessioncreationdate = ${each.created} or eventsource = 'signin.amazonaws.com'))`,
          },
        ]),
    // Back: whoever was given this session, and the session that a role was switched from.
    ...(each.principalid === null || !each.principalid.startsWith('AROA') || each.created === null
      ? []
      : [{ key: `< ${each.principalid} ${each.created}`, where: givenAt(each.principalid, each.created, each.accesskeyid) }]),
    ...(each.switchedfrom === null ? [] : [{ key: `${each.switchedfrom} ${each.eventtime}`, where: openAt(each.switchedfrom, each.eventtime) }]),
  ]);
}

/** The calls with the keys of users, which have no session. */
const keysIn = (calls: readonly Call[]): Clue[] =>
  calls.flatMap(({ accesskeyid, created }) =>
    accesskeyid === null || created !== null ? [] : [{ key: `key ${accesskeyid}`, where: sql`accesskeyid = ${accesskeyid}` }],
  );

/** The same session by its principal, where the console took another key. A session is created when it is given, or within the second. */
const orOf = (principal: string | null, at: string): Sql =>
  principal === null ? sql`` : sql` or (principalid = ${principal} and sessioncreationdate in (${valueList(secondsAround(at, 1))}))`;

/** To a service STS answers with the credentials alone, and does not say whose they are. */
const givenAt = (principal: string, created: string, key: string | null): Sql =>
  sql`(eventsource = 'sts.amazonaws.com' and eventtime in (${valueList(secondsAround(created, 2))}) and (${join(
    [principal, ...(key === null ? [] : [key])].map((given) => sql`responseelements like ${containing(`"${given}"`)} escape '!'`),
    ' or ',
  )}))`;

function secondsAround(at: string, spread: number): string[] {
  const middle = Date.parse(at);
  if (Number.isNaN(middle)) return [at];
  return Array.from({ length: 2 * spread + 1 }, (_, i) => `${new Date(middle + (i - spread) * 1000).toISOString().slice(0, 19)}Z`);
}

/** The console ends a session after twelve hours at the latest. */
const LONGEST_MS = 12 * 3_600_000;

/** The calls of whoever switched a role, before that. */
function openAt(arn: string, at: string): Sql {
  const earliest = new Date(Date.parse(at) - LONGEST_MS).toISOString();
  return sql`(identityarn = ${arn} and eventtime >= ${earliest} and eventtime <= ${at})`;
}

/** The calls of the sessions that were asked about, of those that they came from and of those that they led to: a role has others, of which nobody asked. */
function reached(calls: readonly Call[], asked: ReadonlySet<string>): Call[] {
  const sessions = sessionsOf(calls);
  const own = sessions.filter((session) => session.calls.some(({ eventid }) => asked.has(eventid)));
  const kept = new Set([...own.flatMap(pathTo), ...sessions.filter((session) => pathTo(session).some((above) => own.includes(above)))].map(idOf));
  return sessions.filter((session) => kept.has(idOf(session))).flatMap((session) => [...session.calls]);
}

const idOf = ({ principal, created, calls }: Session<Call>): string => `${principal} ${created} ${calls[0]?.eventid}`;

/** A session and those that it came from. */
const pathTo = (session: Session<Call>): Session<Call>[] => [...(session.begun?.in ? pathTo(session.begun.in) : []), session];

/** The actors of a chain, from its beginning. */
const chainOf = (session: Session<Call>): string[] => [
  ...(session.begun?.in ? chainOf(session.begun.in) : []),
  session.calls[0]?.actor ?? session.principal,
];

function describe(session: Session<Call>, number: number, sessions: readonly Session<Call>[]) {
  const { calls, begun } = session;
  const [first, last] = [calls[0] as Call, calls.at(-1) as Call];
  const own = calls.filter((each) => !isOnBehalf(each));
  const behalf = calls.filter(isOnBehalf);
  const networks = networksOf(session);
  const addresses = [...networks.values()].flat();
  const writes = calls.filter(({ readlike, eventsource }) => readlike !== 'true' && eventsource !== 'signin.amazonaws.com');
  return {
    no: number,
    actor: first.actor,
    account: (own[0] ?? first).recipientaccountid,
    depth: depthOf(session),
    isChanging: writes.some(({ outcome }) => outcome === 'ok'),
    first: first.eventtime,
    last: last.eventtime,
    calls: calls.length,
    refused: calls.filter(({ outcome }) => outcome !== 'ok').length,
    writes: [...Map.groupBy(writes, ({ eventname }) => eventname)]
      .map(([name, each]) => (each.length > 1 ? `${name} ×${each.length}` : name))
      .join(', '),
    via: [...new Set(own.map(({ via }) => via))].join(', ') || null,
    by: begun?.by.eventname ?? null,
    from: begun?.in ? sessions.findIndex(({ principal, created }) => principal === begun.in?.principal && created === begun.in.created) + 1 : null,
    address: addresses[0] ?? null,
    isApart: networks.size > 1,
    addresses: addresses.slice(0, 5).join(', '),
    places: networks.size,
    isPrivate: addresses.some(isPrivateAddress),
    isFunction: begun?.by.invokedby === 'lambda.amazonaws.com',
    // A service's own calls are on nobody's behalf.
    services: first.identityarn === null ? 0 : behalf.length,
    service: behalf[0]?.invokedby ?? behalf[0]?.sourceipaddress ?? null,
  };
}

/** The calls of a session, of the sessions that it came from and of those that it started: one timeline across accounts. */
import {
  allPlaces,
  CONSOLE_SESSION_MS,
  type Context,
  clueToName,
  command,
  containing,
  eventsDuring,
  eventTable,
  exactFilter,
  type Filter,
  findPlaces,
  isInActivity,
  isNowhere,
  isPrivateAddress,
  join,
  limit,
  listed,
  listedRow,
  matching,
  memoryLimit,
  type Next,
  type PlaceQueries,
  placesInActivity,
  placesOfClue,
  printLine,
  printResource,
  profileFollowUps,
  type Question,
  query,
  type ResourceId,
  readDays,
  resourceWord,
  type Sql,
  sql,
  type TimeRange,
  valueList,
  type Window,
  widerTime,
  z,
} from '#kit';
import { depthOf, isOnBehalf, networksOf, type Session, sessionsOf } from './sessions.ts';

const nullableField = z.string().nullable();
const sessionEvent = listedRow.extend({
  actorbasis: z.string(),
  readlike: z.string(),
  invokedby: nullableField,
  identityaccountid: nullableField,
  principalid: nullableField,
  identityarn: nullableField,
  accesskeyid: nullableField,
  created: nullableField,
  sharedeventid: nullableField,
  givenkey: nullableField,
  givenid: nullableField,
  switchedfrom: nullableField,
});
type SessionEvent = z.output<typeof sessionEvent>;

const MAX_SESSION_CALLS = 2000;
/** Maximum steps from session to session. Longer role chains are rare, and each step reads the window again. */
const MAX_STEPS = 3;
const SHOWN_SESSIONS = 12;

export default command({
  topic: 'about',
  summary:
    'Follows the sessions of a key, a role or a person through role switches and chains across accounts, with all their calls; with filters, only sessions with a matching call',
  example: 'production-deploy 30d',
  words: { who: resourceWord },
  window: '24h',
  filters: true,
  shape: ['top'],
  reads: 1 + MAX_STEPS,

  async answer(asked, context) {
    const { filters, typedWindow, window, top = memoryLimit(context, MAX_SESSION_CALLS) } = asked;
    const { who } = asked.words;
    const { calls, more } = await readSessionCalls(asked, context);
    const sessions = sessionsOf(calls);
    const number = new Map(sessions.flatMap((session, i) => session.calls.map(({ eventid }) => [eventid, i + 1] as const)));
    const summaries = sessions.map((session, i) => summarizeSession(session, i + 1, sessions));
    const all = sessions.flatMap((session) => session.calls).toSorted((a, b) => (a.eventtime < b.eventtime ? 1 : a.eventtime > b.eventtime ? -1 : 0));
    const longest = Math.max(0, ...sessions.map(depthOf));
    return {
      data: {
        who: who.name,
        calls: all.length,
        more,
        sessions: summaries.slice(0, SHOWN_SESSIONS),
        total: sessions.length,
        moreSessions: Math.max(0, sessions.length - SHOWN_SESSIONS),
        accounts: new Set(all.map(({ recipientaccountid }) => recipientaccountid)).size,
        writes: all.filter((each) => isWriteCall(each) && each.outcome === 'ok').length,
        failed: all.filter(({ outcome }) => outcome !== 'ok').length,
        first: all.at(-1)?.eventtime ?? null,
        last: all[0]?.eventtime ?? null,
        longest,
        chain: longest > 0 ? chainActors(sessions.toSorted((a, b) => depthOf(b) - depthOf(a))[0] as Session<SessionEvent>) : [],
        isChosen: all.some(({ actorbasis }) => actorbasis === 'session-name' || actorbasis === 'role'),
      },
      table: eventTable(
        `Sessions of ${who.name}, newest first`,
        all.map((each) => ({ ...toListedRow(each), session: number.get(each.eventid) ?? null })),
        { max: top, more: more || all.length > top, hidden: ['eventsource'], extra: [{ name: 'session', label: 'Session', kind: 'count' }] },
      ),
      next:
        all.length > 0
          ? sessionFollowUps(asked, sessions, summaries)
          : [
              widerTime(window, (wide) => printLine({ name: 'session', words: [printResource(who)], filters, window: wide })),
              {
                label: 'All calls that name it',
                line: printLine({ name: 'events', words: [], filters: [exactFilter('target', who.name)], window: typedWindow }),
              },
            ],
    };
  },
});

/** A session as the template shows it. */
type SessionSummary = ReturnType<typeof summarizeSession>;

const MAX_CHANGES = 3;
const BEFORE_MS = 15 * 60_000;

/** Follow-ups: changes, profiles, denials, the calls before the session, and counts. */
function sessionFollowUps(
  { words: { who }, filters, typedWindow }: Question<{ who: typeof resourceWord }>,
  sessions: readonly Session<SessionEvent>[],
  summaries: readonly SessionSummary[],
): Next[] {
  const all = sessions.flatMap(({ calls }) => calls);
  const [first, last] = firstAndLastTime(all);
  const sessionWindow = wholeMinutes(first, last);
  const ownCalls = all.filter((each) => !isOnBehalf(each));
  const addresses = new Set(ownCalls.map(({ sourceipaddress }) => sourceipaddress));
  const profiles = ownCalls.flatMap((each) =>
    profileFollowUps({ ...each, accesskeyid: null, sourceipaddress: addresses.size === 1 ? each.sourceipaddress : null }, sessionWindow),
  );
  const denied = ownCalls.find(({ outcome }) => outcome === 'denied');
  const before = new Date(Date.parse(first) - BEFORE_MS).toISOString();
  return [
    ...summaries
      .filter(({ actor, isChanging }) => actor !== null && isChanging)
      .slice(0, MAX_CHANGES)
      .map(({ actor, first: from, last: to }) => ({
        label: `Changes by ${actor}`,
        line: printLine({
          name: 'events',
          words: [],
          filters: [exactFilter('actor', actor as string), exactFilter('reads', 'false'), exactFilter('outcome', 'ok')],
          window: wholeMinutes(from, to),
        }),
      })),
    ...profiles.filter(({ line }, i) => profiles.findIndex((other) => other.line === line) === i).slice(0, MAX_PROFILES),
    ...(denied?.actor
      ? [
          {
            label: `Denials of ${denied.actor}`,
            line: printLine({ name: 'denied', words: [], filters: [exactFilter('actor', denied.actor)], window: sessionWindow }),
          },
        ]
      : []),
    { label: '15 minutes before it', line: printLine({ name: 'events', words: [], filters: [], window: wholeMinutes(before, first) }) },
    {
      label: 'Count its calls',
      line: printLine({ name: 'count', words: [], filters: [...filtersFor(who), ...filters], by: ['event'], window: typedWindow }),
    },
  ];
}

const MAX_PROFILES = 3;

/** The times of the first and the last call. */
function firstAndLastTime(calls: readonly SessionEvent[]): [first: string, last: string] {
  const times = calls.map(({ eventtime }) => eventtime).toSorted();
  return [times[0] ?? '', times.at(-1) ?? ''];
}

/** A window of whole minutes that includes the last one. */
function wholeMinutes(first: string, last: string): Window {
  const after = new Date(Date.parse(last) + 60_000).toISOString();
  return { kind: 'between', from: first.slice(0, 16), to: after.slice(0, 16) };
}

/** Only the columns of a list of events. */
const toListedRow = (each: SessionEvent) => listedRow.parse(each);

/** Reads the calls of the sessions asked about, and of the sessions that they came from or started. */
async function readSessionCalls(
  { words: { who }, filters, window }: Question<{ who: typeof resourceWord }>,
  context: Context,
): Promise<{ readonly calls: SessionEvent[]; readonly more: boolean }> {
  const max = memoryLimit(context, MAX_SESSION_CALLS);
  const found = new Map<string, SessionEvent>();
  const asked = new Set<string>();
  let lookups: readonly SessionLookup[] = [
    { key: 'start', where: sql`(${isCallOf(who)} and ${matching(filters)})`, places: (range) => placesOfCalls(who, filters, range) },
  ];
  let first: ReadonlySet<string> | undefined;
  let more = false;
  for (let step = 0; lookups.length > 0 && step <= MAX_STEPS; step += 1) {
    for (const { key } of lookups) asked.add(key);
    const current = lookups;
    const places = await findPlaces(
      readDays(window),
      () => [allPlaces(current.map((each) => each.places(window)))].filter((each) => each !== undefined),
      context,
    );
    const rows = isNowhere(places)
      ? []
      : await context.ask(query(sessionEvent)`
      select ${listed}, actorbasis, readlike, invokedby, identityaccountid, principalid, identityarn, accesskeyid, sessioncreationdate as created,
             sharedeventid,
             case when eventsource = 'sts.amazonaws.com' then json_extract_scalar(responseelements, '$.credentials.accessKeyId') end as givenkey,
             case when eventsource = 'sts.amazonaws.com' then json_extract_scalar(responseelements, '$.assumedRoleUser.assumedRoleId') end as givenid,
             case when eventname = 'SwitchRole' then json_extract_scalar(additionaleventdata, '$.SwitchFrom') end as switchedfrom
      from ${eventsDuring(window, { places })}
      where ${join(
        lookups.map(({ where }) => where),
        ' or ',
      )}
      order by eventtime desc, eventid
      ${limit(max + 1)}
    `);
    more ||= rows.length > max;
    const fresh = rows.filter(({ eventid }) => !found.has(eventid));
    for (const each of fresh) found.set(each.eventid, each);
    // Filters match some calls of a session. The next step reads the others.
    const next = newLookups([...lookupsFrom(fresh), ...(first === undefined && filters.length > 0 ? keyLookups(fresh) : [])], asked);
    more ||= next.length > MAX_LOOKUPS;
    lookups = next.slice(0, MAX_LOOKUPS);
    first ??= new Set(found.keys());
  }
  return { calls: connectedCalls([...found.values()], first ?? new Set()), more };
}

/** A condition that finds sessions that calls came from or started, and a key to search for it only once. */
interface SessionLookup {
  readonly key: string;
  readonly where: Sql;
  /** Queries for where such calls are; undefined for anywhere. */
  places(range: TimeRange): PlaceQueries | undefined;
}

/** Maximum sessions to follow at each step. */
const MAX_LOOKUPS = 20;

const newLookups = (clues: readonly SessionLookup[], asked: ReadonlySet<string>): SessionLookup[] => [
  ...new Map(clues.filter(({ key }) => !asked.has(key)).map((clue) => [clue.key, clue])).values(),
];

function isCallOf({ kind, name, arn }: ResourceId): Sql {
  if (kind === 'key') {
    return sql`(accesskeyid = ${name} or (eventsource = 'sts.amazonaws.com' and responseelements like ${containing(`"${name}"`)} escape '!'))`;
  }
  if (kind === 'session' && arn) return sql`identityarn = ${arn.text}`;
  const [role = '', session] = name.split('/');
  if (session && kind === 'name') return sql`(sessionissuername = ${role} and sessionname = ${session})`;
  if (kind === 'principal') return sql`(principalid = ${name} or principalid like ${`${name}:%`} escape '!')`;
  return matching([exactFilter('user', name)]);
}

/** `isCallOf` as filters of a line, without the call that returned the key. */
function filtersFor({ kind, name, arn }: ResourceId): readonly Filter[] {
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

function lookupsFrom(calls: readonly SessionEvent[]): SessionLookup[] {
  return calls.flatMap((each): SessionLookup[] => [
    // Forward: the session whose credentials the call returned.
    ...(each.givenkey === null ? [] : [keptLookup(each.givenkey, sql`(accesskeyid = ${each.givenkey}${orSessionOf(each.givenid, each.eventtime)})`)]),
    // The same session: the console uses another key for each request.
    ...(each.principalid === null || each.created === null
      ? []
      : [
          keptLookup(
            `${each.principalid} ${each.created}`,
            sql`(principalid = ${each.principalid} and (sessioncreationdate = ${each.created} or eventsource = 'signin.amazonaws.com'))`,
          ),
        ]),
    // Back: the call that returned this session's credentials, and the session that a role was switched from.
    ...(each.principalid === null || !each.principalid.startsWith('AROA') || each.created === null
      ? []
      : [issuedAt(each.principalid, each.created, each.accesskeyid)]),
    ...(each.switchedfrom === null ? [] : [callsBeforeSwitch(each.switchedfrom, each.eventtime)]),
  ]);
}

/** Finds the calls with the same long-term keys, which have no session. */
const keyLookups = (calls: readonly SessionEvent[]): SessionLookup[] =>
  calls.flatMap(({ accesskeyid, created }) =>
    accesskeyid === null || created !== null ? [] : [keptLookup(`key ${accesskeyid}`, sql`accesskeyid = ${accesskeyid}`)],
  );

/** The same session by its principal, for calls with another key. A session is created within a second of the call that returns it. */
const orSessionOf = (principal: string | null, at: string): Sql =>
  principal === null ? sql`` : sql` or (principalid = ${principal} and sessioncreationdate in (${valueList(secondsAround(at, 1))}))`;

/** Calls that returned a session's credentials. To a service, STS returns only the credentials, without the role. */
function issuedAt(principal: string, created: string, key: string | null): SessionLookup {
  const times = secondsAround(created, 2);
  const hours = [...new Set(times.map((time) => time.slice(0, 13)))];
  return {
    key: `< ${principal} ${created}`,
    where: sql`(eventsource = 'sts.amazonaws.com' and eventtime in (${valueList(times)}) and (${join(
      [principal, ...(key === null ? [] : [key])].map((given) => sql`responseelements like ${containing(`"${given}"`)} escape '!'`),
      ' or ',
    )}))`,
    places: (range) => placesInActivity(range, sql`eventsource = 'sts.amazonaws.com' and hour in (${valueList(hours)})`),
  };
}

/** A lookup by what activity has. */
const keptLookup = (key: string, where: Sql): SessionLookup => ({ key, where, places: (range) => placesInActivity(range, where) });

/** Queries for where the calls of `isCallOf` are that match filters: what the filters allow is read anyway. */
function placesOfCalls(who: ResourceId, filters: readonly Filter[], range: TimeRange): PlaceQueries | undefined {
  if (who.kind !== 'key')
    return placesInActivity(
      range,
      join(
        [isCallOf(who), ...filters.map((filter) => matching([filter]))].filter((each) => isInActivity([each])),
        ' and ',
      ),
    );
  const clue = clueToName(who.name, { mayBeSecret: false });
  return clue && [...placesInActivity(range, sql`accesskeyid = ${who.name}`), ...placesOfClue(clue, range, { ofCalls: true })];
}

function secondsAround(at: string, spread: number): string[] {
  const middle = Date.parse(at);
  if (Number.isNaN(middle)) return [at];
  return Array.from({ length: 2 * spread + 1 }, (_, i) => `${new Date(middle + (i - spread) * 1000).toISOString().slice(0, 19)}Z`);
}

/** The calls of the session that switched a role, before the switch. */
function callsBeforeSwitch(arn: string, at: string): SessionLookup {
  const earliest = new Date(Date.parse(at) - CONSOLE_SESSION_MS).toISOString();
  return {
    key: `${arn} ${at}`,
    where: sql`(identityarn = ${arn} and eventtime >= ${earliest} and eventtime <= ${at})`,
    places: (range) => placesInActivity(range, sql`identityarn = ${arn} and last >= ${earliest} and first <= ${at}`),
  };
}

/** Keeps the sessions asked about, those that they came from and those that they started. A role has other sessions too. */
function connectedCalls(calls: readonly SessionEvent[], asked: ReadonlySet<string>): SessionEvent[] {
  const sessions = sessionsOf(calls);
  const startSessions = sessions.filter((session) => session.calls.some(({ eventid }) => asked.has(eventid)));
  const connected = new Set(
    [...startSessions.flatMap(withOrigins), ...sessions.filter((session) => withOrigins(session).some((above) => startSessions.includes(above)))].map(
      sessionId,
    ),
  );
  return sessions.filter((session) => connected.has(sessionId(session))).flatMap((session) => [...session.calls]);
}

const sessionId = ({ principal, created, calls }: Session<SessionEvent>): string => `${principal} ${created} ${calls[0]?.eventid}`;

/** A session and the sessions that it came from. */
const withOrigins = (session: Session<SessionEvent>): Session<SessionEvent>[] => [
  ...(session.start?.in ? withOrigins(session.start.in) : []),
  session,
];

/** The actors of a role chain, first one first. */
const chainActors = (session: Session<SessionEvent>): string[] => [
  ...(session.start?.in ? chainActors(session.start.in) : []),
  session.calls[0]?.actor ?? session.principal,
];

/** A sign-in is logged as a write, and changes nothing. */
const isWriteCall = ({ readlike, eventsource }: SessionEvent): boolean => readlike !== 'true' && eventsource !== 'signin.amazonaws.com';

function summarizeSession(session: Session<SessionEvent>, number: number, sessions: readonly Session<SessionEvent>[]) {
  const { calls, start } = session;
  const [first, last] = [calls[0] as SessionEvent, calls.at(-1) as SessionEvent];
  const ownCalls = calls.filter((each) => !isOnBehalf(each));
  const serviceCalls = calls.filter(isOnBehalf);
  const networks = networksOf(session);
  const addresses = [...networks.values()].flat();
  const writes = calls.filter(isWriteCall);
  return {
    no: number,
    actor: first.actor,
    account: (ownCalls[0] ?? first).recipientaccountid,
    depth: depthOf(session),
    isChanging: writes.some(({ outcome }) => outcome === 'ok'),
    first: first.eventtime,
    last: last.eventtime,
    calls: calls.length,
    failed: calls.filter(({ outcome }) => outcome !== 'ok').length,
    writes: [...Map.groupBy(writes, ({ eventname, outcome }) => (outcome === 'ok' ? eventname : `${eventname} (${outcome})`))]
      .map(([name, each]) => (each.length > 1 ? `${name} ×${each.length}` : name))
      .join(', '),
    via: [...new Set(ownCalls.map(({ via }) => via))].join(', ') || null,
    by: start?.by.eventname ?? null,
    from: start?.in ? sessions.findIndex(({ principal, created }) => principal === start.in?.principal && created === start.in.created) + 1 : null,
    address: addresses[0] ?? null,
    hasSeveralNetworks: networks.size > 1,
    addresses: addresses.slice(0, 5).join(', '),
    networks: networks.size,
    isPrivateAddress: addresses.some(isPrivateAddress),
    isFunction: start?.by.invokedby === 'lambda.amazonaws.com',
    // In a service's own session, no call is on behalf of somebody.
    services: first.identityarn === null ? 0 : serviceCalls.length,
    service: serviceCalls[0]?.invokedby ?? serviceCalls[0]?.sourceipaddress ?? null,
  };
}

/**
 * Sessions: the calls of one login or one set of temporary credentials, and how one session led to the next. The console
 * takes a new access key for every request, so a session is its principal and the moment it was created (CloudTrail User
 * Guide, "CloudTrail userIdentity element"); what AssumeRole gave away leads from one session to another.
 */
import { isIP } from 'node:net';

/** One call, as far as it tells of sessions. */
export interface SessionCall {
  readonly eventid: string;
  readonly eventtime: string;
  readonly eventname: string;
  readonly eventsource: string;
  readonly actor: string | null;
  readonly actorbasis: string;
  readonly outcome: string;
  readonly readlike: string;
  readonly via: string;
  readonly invokedby: string | null;
  readonly sourceipaddress: string | null;
  readonly recipientaccountid: string | null;
  readonly identityaccountid: string | null;
  readonly principalid: string | null;
  readonly identityarn: string | null;
  readonly accesskeyid: string | null;
  readonly created: string | null;
  readonly sharedeventid: string | null;
  /** What the call gave away: an access key, and the id and the ARN of the session that it is for. */
  readonly givenkey: string | null;
  readonly givenid: string | null;
  /** The session in whose place a role was switched to. */
  readonly switchedfrom: string | null;
}

export interface Session<Call extends SessionCall = SessionCall> {
  readonly principal: string;
  readonly created: string | null;
  /** Oldest first. */
  readonly calls: readonly Call[];
  /** How it began, and in which session: undefined where the trail of this time does not show that. */
  readonly begun?: { readonly by: Call; readonly in: Session<Call> | undefined };
}

/** Calls as sessions, the first begun first, each with the one that it came from. A call that two accounts logged is there once. */
export function sessionsOf<Call extends SessionCall>(calls: readonly Call[]): Session<Call>[] {
  const inOrder = once(calls).toSorted((a, b) => order(a.eventtime, b.eventtime) || order(a.eventid, b.eventid));
  const groups = Map.groupBy(inOrder, (call) => nameOf(call, inOrder));
  const plain = [...groups.values()].map(
    (each): Session<Call> => ({ principal: principalOf(each[0] as Call), created: createdOf(each), calls: each }),
  );
  return linked(plain);
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Of a call that was logged in the accounts of its caller and of its object, the caller's record: it says who that was. */
function once<Call extends SessionCall>(calls: readonly Call[]): Call[] {
  const groups = Map.groupBy(calls, ({ eventid, sharedeventid, eventname }) => (sharedeventid === null ? eventid : `${sharedeventid} ${eventname}`));
  return [...groups.values()].map((each) => each.find((call) => call.identityarn !== null) ?? (each[0] as Call));
}

const principalOf = ({ principalid, actor }: SessionCall): string => principalid ?? actor ?? '';
const createdOf = (calls: readonly SessionCall[]): string | null => calls.find(({ created }) => created !== null)?.created ?? null;

/** What calls of one session have in common. At the sign-in page nobody has credentials yet: what happens there belongs to the session beside it. */
function nameOf(call: SessionCall, calls: readonly SessionCall[]): string {
  const principal = principalOf(call);
  if (call.created !== null) return `${principal} ${call.created}`;
  if (call.eventsource !== 'signin.amazonaws.com') return `${principal} ${call.accesskeyid}`;
  const at = Date.parse(call.eventtime);
  const nearest = calls
    .filter((other) => other.created !== null && principalOf(other) === principal && Date.parse(other.created) <= at + NEAR_MS)
    .reduce<string | null>((latest, { created }) => (latest === null || (created as string) > latest ? created : latest), null);
  return `${principal} ${nearest ?? 'sign-in'}`;
}

/** Between what gives credentials and when these say that they were created. */
const NEAR_MS = 60_000;

function linked<Call extends SessionCall>(sessions: readonly Session<Call>[]): Session<Call>[] {
  const done = new Map<Session<Call>, Session<Call>>();
  const link = (session: Session<Call>, above: readonly Session<Call>[]): Session<Call> => {
    const known = done.get(session);
    if (known) return known;
    const found = beginningOf(
      session,
      sessions.filter((other) => other !== session && !above.includes(other)),
    );
    const whole = found ? { ...session, begun: { by: found.by, in: found.in && link(found.in, [...above, session]) } } : session;
    done.set(session, whole);
    return whole;
  };
  return sessions.map((session) => link(session, []));
}

/** The call that a session began with, and the session of that call. */
function beginningOf<Call extends SessionCall>(session: Session<Call>, others: readonly Session<Call>[]): Session<Call>['begun'] {
  const keys = new Set(session.calls.map(({ accesskeyid }) => accesskeyid));
  const gaveIt = (call: Call): boolean =>
    (call.givenkey !== null && keys.has(call.givenkey)) ||
    (call.givenid !== null && call.givenid === session.principal && isNear(call.eventtime, session.created));
  for (const other of others) {
    const by = other.calls.find(gaveIt);
    if (by) return { by, in: other };
  }
  const by = session.calls.find(({ eventname }) => eventname === 'SwitchRole' || eventname === 'ConsoleLogin');
  if (!by) return undefined;
  return { by, in: by.switchedfrom === null ? undefined : lastBefore(by, others) };
}

const lastBefore = <Call extends SessionCall>({ switchedfrom, eventtime }: Call, others: readonly Session<Call>[]): Session<Call> | undefined =>
  others.findLast(({ calls }) => calls.some((call) => call.identityarn === switchedfrom && call.eventtime <= eventtime));

const isNear = (one: string, other: string | null): boolean => other !== null && Math.abs(Date.parse(one) - Date.parse(other)) <= NEAR_MS;

/** How many roles a session is away from where its chain begins: 0 for one that came from none. */
export const depthOf = ({ begun }: Session): number => (begun?.in ? 1 + depthOf(begun.in) : 0);

/** A call that a service made on the session's behalf comes from the service's address, which is no second place. An older console calls itself one. */
export const isOnBehalf = ({ invokedby, sourceipaddress }: SessionCall): boolean =>
  (invokedby !== null && invokedby !== 'signin.amazonaws.com') || sourceipaddress === null || isIP(sourceipaddress) === 0;

/** The networks that a session was used from: /24 of IPv4, /48 of IPv6, for one provider gives its clients neighbouring addresses. */
export function networksOf({ calls }: Session): ReadonlyMap<string, readonly string[]> {
  const addresses = [...new Set(calls.filter((call) => !isOnBehalf(call)).map(({ sourceipaddress }) => sourceipaddress as string))];
  return Map.groupBy(addresses, (address) => address.split(/[.:]/).slice(0, 3).join('.'));
}

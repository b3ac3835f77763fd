/**
 * Groups calls into sessions, and links sessions through the credentials that AssumeRole returns. A session is one sign-in or
 * one set of temporary credentials. The console uses a new access key for every request, so a session is identified by its
 * principal and its creation time (CloudTrail User Guide, "CloudTrail userIdentity element").
 */
import { isIP } from 'node:net';

/** The fields of a call that identify its session. */
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
  /** The access key that the call returned, and the principal id of its session. */
  readonly givenkey: string | null;
  readonly givenid: string | null;
  /** The ARN of the session that a role was switched from. */
  readonly switchedfrom: string | null;
}

export interface Session<Call extends SessionCall = SessionCall> {
  readonly principal: string;
  readonly created: string | null;
  /** Oldest first. */
  readonly calls: readonly Call[];
  /** The call that started the session, and the session of that call; undefined when it is not among the calls. */
  readonly start?: { readonly by: Call; readonly in: Session<Call> | undefined };
}

/** Groups calls into sessions, oldest first, each linked to the session that started it. A call that two accounts logged counts once. */
export function sessionsOf<Call extends SessionCall>(calls: readonly Call[]): Session<Call>[] {
  const inOrder = withoutDuplicates(calls).toSorted((a, b) => compareText(a.eventtime, b.eventtime) || compareText(a.eventid, b.eventid));
  const groups = Map.groupBy(inOrder, (call) => sessionKeyOf(call, inOrder));
  const sessions = [...groups.values()].map(
    (each): Session<Call> => ({ principal: principalOf(each[0] as Call), created: createdOf(each), calls: each }),
  );
  return linkSessions(sessions);
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** When the accounts of the caller and of the resource both logged a call, keeps the caller's record, which names the caller. */
function withoutDuplicates<Call extends SessionCall>(calls: readonly Call[]): Call[] {
  const groups = Map.groupBy(calls, ({ eventid, sharedeventid, eventname }) => (sharedeventid === null ? eventid : `${sharedeventid} ${eventname}`));
  return [...groups.values()].map((each) => each.find((call) => call.identityarn !== null) ?? (each[0] as Call));
}

const principalOf = ({ principalid, actor }: SessionCall): string => principalid ?? actor ?? '';
const createdOf = (calls: readonly SessionCall[]): string | null => calls.find(({ created }) => created !== null)?.created ?? null;

/** The key of a call's session. Calls at the sign-in page have no credentials yet, so they belong to the session created next to them. */
function sessionKeyOf(call: SessionCall, calls: readonly SessionCall[]): string {
  const principal = principalOf(call);
  if (call.created !== null) return `${principal} ${call.created}`;
  if (call.eventsource !== 'signin.amazonaws.com') return `${principal} ${call.accesskeyid}`;
  const at = Date.parse(call.eventtime);
  const nearest = calls
    .filter((other) => other.created !== null && principalOf(other) === principal && Date.parse(other.created) <= at + CREATED_WITHIN_MS)
    .reduce<string | null>((latest, { created }) => (latest === null || (created as string) > latest ? created : latest), null);
  return `${principal} ${nearest ?? 'sign-in'}`;
}

/** Maximum time between a call that returns credentials and their recorded creation time. */
const CREATED_WITHIN_MS = 60_000;

function linkSessions<Call extends SessionCall>(sessions: readonly Session<Call>[]): Session<Call>[] {
  const done = new Map<Session<Call>, Session<Call>>();
  const link = (session: Session<Call>, above: readonly Session<Call>[]): Session<Call> => {
    const known = done.get(session);
    if (known) return known;
    const start = findStart(
      session,
      sessions.filter((other) => other !== session && !above.includes(other)),
    );
    const linked = start ? { ...session, start: { by: start.by, in: start.in && link(start.in, [...above, session]) } } : session;
    done.set(session, linked);
    return linked;
  };
  return sessions.map((session) => link(session, []));
}

/** The call that started a session, and the session of that call. */
function findStart<Call extends SessionCall>(session: Session<Call>, others: readonly Session<Call>[]): Session<Call>['start'] {
  const keys = new Set(session.calls.map(({ accesskeyid }) => accesskeyid));
  const returnedIt = (call: Call): boolean =>
    (call.givenkey !== null && keys.has(call.givenkey)) ||
    (call.givenid !== null && call.givenid === session.principal && isNear(call.eventtime, session.created));
  for (const other of others) {
    const by = other.calls.find(returnedIt);
    if (by) return { by, in: other };
  }
  const by = session.calls.find(({ eventname }) => eventname === 'SwitchRole' || eventname === 'ConsoleLogin');
  if (!by) return undefined;
  return { by, in: by.switchedfrom === null ? undefined : lastBefore(by, others) };
}

const lastBefore = <Call extends SessionCall>({ switchedfrom, eventtime }: Call, others: readonly Session<Call>[]): Session<Call> | undefined =>
  others.findLast(({ calls }) => calls.some((call) => call.identityarn === switchedfrom && call.eventtime <= eventtime));

const isNear = (one: string, other: string | null): boolean => other !== null && Math.abs(Date.parse(one) - Date.parse(other)) <= CREATED_WITHIN_MS;

/** The position of a session in its role chain: 0 for the first. */
export const depthOf = ({ start }: Session): number => (start?.in ? 1 + depthOf(start.in) : 0);

/** A service behind proxies logs the caller's address first, and the proxies' after it. */
const callerAddress = (text: string): string => text.split(',')[0] ?? '';

/** True for a call that a service made on behalf of the session: its address is the service's. Older consoles name themselves as a service. */
export const isOnBehalf = ({ invokedby, sourceipaddress }: SessionCall): boolean =>
  (invokedby !== null && invokedby !== 'signin.amazonaws.com') || sourceipaddress === null || isIP(callerAddress(sourceipaddress)) === 0;

/** The networks that a session was used from: /24 of IPv4, /48 of IPv6, since a provider gives its clients neighbouring addresses. */
export function networksOf({ calls }: Session): ReadonlyMap<string, readonly string[]> {
  const addresses = [...new Set(calls.filter((call) => !isOnBehalf(call)).map(({ sourceipaddress }) => callerAddress(sourceipaddress as string)))];
  return Map.groupBy(addresses, (address) => address.split(/[.:]/).slice(0, 3).join('.'));
}

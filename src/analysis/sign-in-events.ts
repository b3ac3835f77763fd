/**
 * The sign-ins among events that were read already, by the rules of `signInsDuring` and `signInAttempts`, which SQL follows: a digest
 * reads the events of a day once for all that it counts.
 */
import { UNKNOWN_USER } from '../trail/events.ts';
import type { AttemptCounts } from './sign-in-attacks.ts';

/** An event of a sign-in, as CloudTrail logs it; null for a field that it lacks. */
export interface SignInEvent {
  readonly eventid: string;
  readonly eventtime: string;
  readonly eventname: string;
  readonly outcome: string;
  readonly actor: string;
  readonly actorbasis: string;
  readonly identitytype: string | null;
  readonly ip: string | null;
  readonly identityaccountid: string | null;
  readonly recipientaccountid: string | null;
  readonly errorcode: string | null;
  readonly errormessage: string | null;
  /** From additionalEventData. */
  readonly credentialType: string | null;
  readonly typedName: string | null;
  readonly workflow: string | null;
  readonly mfaUsed: string | null;
}

/** A sign-in, or an attempt. */
interface SignIn extends Pick<SignInEvent, 'eventid' | 'eventtime' | 'outcome' | 'actor' | 'ip'> {
  readonly actoraccount: string | null;
  /** Why it failed; null when it did not. */
  readonly reason: string | null;
  readonly mfa: 'yes' | 'no' | 'unknown';
}

/** The attempts to sign in, as `signInAttempts` finds them. */
export function attemptsOf(events: readonly SignInEvent[]): AttemptCounts[] {
  const signIns = signInsOf(events);
  const runs = [...Map.groupBy(signIns, (each) => keyOfParts(each.ip, ...userOf(each))).values()].flatMap(withRuns);
  const failuresBy = (keyOf: (each: (typeof runs)[number]) => string): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const each of runs) if (each.outcome !== 'ok') counts.set(keyOf(each), (counts.get(keyOf(each)) ?? 0) + 1);
    return counts;
  };
  const here = failuresBy(({ ip }) => keyOfParts(ip));
  const anywhere = failuresBy((each) => keyOfParts(...userOf(each)));
  const streakKey = (each: (typeof runs)[number]): string => keyOfParts(each.ip, ...userOf(each), each.run);
  const streaks = failuresBy(streakKey);
  const groups = Map.groupBy(runs, ({ ip, actor, actoraccount, reason }) => keyOfParts(ip, actor, actoraccount, reason));
  return [...groups.values()].flatMap((same) => {
    const [one] = same as [(typeof same)[number]];
    if (!here.has(keyOfParts(one.ip)) && !anywhere.has(keyOfParts(...userOf(one)))) return [];
    const failed = same.filter(({ outcome }) => outcome !== 'ok').map(({ eventtime }) => eventtime);
    const succeeded = same.filter(({ outcome }) => outcome === 'ok');
    const times = (mfa: SignIn['mfa']): string[] => succeeded.filter((each) => each.mfa === mfa).map(({ eventtime }) => eventtime);
    const successes = succeeded.map(({ eventtime }) => eventtime);
    return [
      {
        ip: one.ip,
        actor: one.actor,
        actoraccount: one.actoraccount,
        reason: one.reason,
        failures: failed.length,
        streak: Math.max(...same.map((each) => streaks.get(streakKey(each)) ?? 0)),
        first: failed.toSorted()[0] ?? null,
        last: failed.toSorted().at(-1) ?? null,
        firstsuccess: successes.toSorted()[0] ?? null,
        lastsuccess: successes.toSorted().at(-1) ?? null,
        lastwithmfa: times('yes').toSorted().at(-1) ?? null,
        lastwithoutmfa: times('no').toSorted().at(-1) ?? null,
      },
    ];
  });
}

const keyOfParts = (...parts: readonly (string | number | null)[]): string => JSON.stringify(parts);

/** Identity Center ignores the case of user names. */
const userOf = ({ actor, actoraccount }: Pick<SignIn, 'actor' | 'actoraccount'>) => [actor.toLowerCase(), actoraccount] as const;

const inOrder = <Each extends Pick<SignInEvent, 'eventtime' | 'eventid'>>(some: readonly Each[]): Each[] =>
  some.toSorted((a, b) => compare(a.eventtime, b.eventtime) || compare(a.eventid, b.eventid));
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Numbers the runs of failures between successes of one user at one address. */
function withRuns(same: readonly SignIn[]): (SignIn & { readonly run: number })[] {
  let run = 0;
  return inOrder(same).map((each) => {
    if (each.outcome === 'ok') run += 1;
    return { ...each, run };
  });
}

/** The sign-ins, each once. A portal sign-in that leads to the console is one: the console's, with the portal's credentials. */
function signInsOf(events: readonly SignInEvent[]): SignIn[] {
  const once = [...new Map(events.map((event) => [event.eventid, event])).values()];
  const typedNames = new Map<string, string>();
  for (const { workflow, typedName } of once) {
    const known = workflow === null ? undefined : typedNames.get(workflow);
    if (workflow !== null && typedName !== null && (known === undefined || known < typedName)) typedNames.set(workflow, typedName);
  }
  const steps = once
    .map((event) => ({ ...event, ...typedActor(event, typedNames) }))
    .filter(({ eventname, outcome }) => eventname !== 'CredentialChallenge' && (eventname !== 'CredentialVerification' || outcome !== 'ok'))
    .map((event) => ({ ...event, step: stepOf(event) }));
  const bySource = Map.groupBy(steps, ({ actor, ip, step }) => keyOfParts(actor.toLowerCase(), ip, Number(step === 'other')));
  return [...bySource.values()].flatMap((same) => {
    // Within the same second, the portal sorts before the console.
    const ordered = same.toSorted((a, b) => compare(a.eventtime, b.eventtime) || compare(b.step, a.step) || compare(a.eventid, b.eventid));
    let vouched: string | null = null;
    return ordered.flatMap((event, i) => {
      if (event.step === 'portal') vouched = event.credentialType;
      if (event.step === 'portal' && ordered[i + 1]?.step === 'console') return [];
      return [signInOf(event, event.step === 'console' ? vouched : event.credentialType)];
    });
  });
}

/** The user name that was typed at the portal is the actor of all events of that sign-in. A name that does not exist is hidden. */
function typedActor({ actor, actorbasis, workflow }: SignInEvent, typedNames: ReadonlyMap<string, string>) {
  const typed = workflow === null ? undefined : typedNames.get(workflow);
  if (typed === undefined) return { actor, actorbasis };
  return typed === 'HIDDEN_DUE_TO_SECURITY_REASONS'
    ? { actor: UNKNOWN_USER, actorbasis: 'unknown-user' }
    : { actor: typed, actorbasis: 'identity-center' };
}

function stepOf({ eventname, outcome, actorbasis }: SignInEvent): 'portal' | 'console' | 'other' {
  if (outcome !== 'ok') return 'other';
  if (eventname === 'UserAuthentication') return 'portal';
  return eventname === 'ConsoleLogin' && actorbasis === 'identity-center' ? 'console' : 'other';
}

function signInOf(event: SignInEvent, credentials: string | null): SignIn {
  const { eventid, eventtime, outcome, actor, ip, identitytype, identityaccountid, recipientaccountid, errorcode, errormessage } = event;
  const isInAccount = identitytype === 'IAMUser' || identitytype === 'Root';
  const reason = errorcode ?? errormessage ?? (credentials === null ? null : `${credentials} not accepted`);
  return {
    eventid,
    eventtime,
    outcome,
    actor,
    ip,
    actoraccount: isInAccount ? (identityaccountid ?? recipientaccountid) : null,
    reason: outcome === 'ok' ? null : reason,
    mfa: mfaOf(event, credentials),
  };
}

/** As `mfaColumn`. */
function mfaOf({ eventname, identitytype, mfaUsed }: SignInEvent, credentials: string | null): SignIn['mfa'] {
  if (eventname === 'CredentialVerification') return 'unknown';
  if (mfaUsed?.toLowerCase() === 'yes' || (credentials !== null && /,|TOTP|WEBAUTHN|SMARTCARD/.test(credentials))) return 'yes';
  if (credentials === 'PASSWORD' || credentials === 'EMAIL_OTP') return 'no';
  if (credentials === 'EXTERNAL_IDP') return 'unknown';
  if (eventname === 'ConsoleLogin' && identitytype !== null && identitytype !== 'IAMUser' && identitytype !== 'Root') return 'unknown';
  return mfaUsed?.toLowerCase() === 'no' ? 'no' : 'unknown';
}

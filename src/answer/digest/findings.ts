/**
 * The findings of a day: what somebody should look at, the worst first. Each has a score, which is the sum of the points below, so that
 * a reader can check it.
 */
import type { ActorClass } from '../../analysis/actor-class.ts';
import { type ClassifiedSignIns, classifySignIns } from '../../analysis/sign-in-attacks.ts';
import { attemptsOf, type SignInEvent } from '../../analysis/sign-in-events.ts';
import { formatCount } from '../../text/format.ts';
import { nounOf } from '../../trail/call-names.ts';
import { UNIT_MS } from '../../trail/time-window.ts';
import { isUserKind } from '../follow-ups.ts';
import { type DayGroup, signInEvents } from './day-groups.ts';
import { DENIED, type UnusualHours } from './hour-counts.ts';
import { MIN_PAST_DAYS, type Past, sumOfNumbers } from './past.ts';
import { type Risk, recoveryOf, type Technique, techniqueOf } from './risk-notes.ts';

/** Points of a finding by what it is. docs/digests.md lists them. */
export const POINTS = {
  signedInAfterGuessing: 90,
  blind: 80,
  root: 70,
  expose: 70,
  unprotect: 55,
  outsideAws: 75,
  newAccount: 45,
  guessing: 40,
  destroy: 40,
  newKey: 40,
  newRegion: 35,
  access: 40,
  execute: 20,
  denials: 35,
  secrets: 35,
  withoutMfa: 35,
  outOfBand: 30,
  rare: 20,
  newActor: 25,
  newNetwork: 10,
  newTool: 10,
} as const;
/** Points that are added for what makes it more or less worth a look. */
export const MORE_POINTS = {
  byHand: 10,
  byRoot: 20,
  neverSeenCall: 20,
  rareCall: 10,
  firstByActor: 5,
  cannotBeUndone: 10,
  manyThings: 10,
  newActorWrites: 15,
  newActorDenied: 10,
  withoutMfa: 10,
  tenTimesUsual: 10,
  firstByPerson: 15,
  everyDayForActor: -30,
  repeated: -15,
  deniedScanner: -15,
  failed: -20,
  byProgram: -10,
} as const;

/** Findings with fewer points are only in the details. */
export const MIN_SHOWN_SCORE = 30;
/** So many things at once are more than a slip. */
const MANY_THINGS = 10;
/** A call that was made so often before is rare. */
const RARE_CALLS = 3;
/** An actor who made a call on so many of the days before makes it every day. */
const ROUTINE_DAYS = 10;
/** A pipeline does again what it did on so many days, and so does who runs code on machines. */
const REPEATED_DAYS = 3;
/** So many different calls that an actor was never denied before are a search for permissions; and so many denials are, of any calls. */
const MIN_NEW_DENIED_CALLS = 5;
const MIN_NEW_DENIALS = 15;
/** So many reads of secrets by an actor who never made the call are a search. */
const MIN_SECRET_READS = 5;
/** A call that only reads, by its name, as in events.sql. */
const READ_CALL = /^(?:Get|List|Describe|Head|BatchGet|Lookup|Search|Select|Scan|Query|Check|View)/;
/** Calls of one actor belong together while there is no longer break than this. A group has the calls of an hour. */
const BURST_GAP_MS = UNIT_MS.h;

/** A call and how often it was made. */
interface CountedCall {
  readonly eventsource: string;
  readonly eventname: string;
  readonly times: number;
}

/** What can be new, in words. */
const NEW_WORDS = {
  account: 'account',
  region: 'region',
  actor: 'actor',
  key: 'access key',
  network: 'network',
  tool: 'tool',
  withoutMfa: 'sign-in without MFA by',
} as const;

/** Something to look at. */
export interface DigestFinding {
  readonly kind: 'risk' | 'root' | 'sign-in' | 'new' | 'rare' | 'denied' | 'out-of-band' | 'outside-aws' | 'secrets';
  readonly score: number;
  /** Of kind `risk`: what the calls risk. */
  readonly risk: Risk | null;
  /** Of kind `new`: what is new. */
  readonly newKind: keyof typeof NEW_WORDS | null;
  /** The same in words. */
  readonly newTitle: string | null;
  readonly newValue: string | null;
  /** Of kind `out-of-band`: the service, or `denied`, and how many events are usual. */
  readonly counted: string | null;
  readonly usual: number | null;
  /** Of kind `sign-in`: the verdict on the user's or the address's sign-ins. */
  readonly verdict: string | null;
  readonly actor: string | null;
  readonly actorkind: string | null;
  /** The class of the actor; null where it is not clear. */
  readonly actorClass: ActorClass | null;
  /** With a console or the AWS CLI, not with a program. */
  readonly isByHand: boolean;
  readonly via: string | null;
  readonly account: string | null;
  readonly region: string | null;
  readonly address: string | null;
  readonly calls: readonly CountedCall[];
  readonly targets: readonly string[];
  readonly events: number;
  readonly succeeded: boolean;
  /** It happened before the day of the report, and was delivered too late for the report of its own. */
  readonly isLate: boolean;
  /** eventTimes. */
  readonly first: string;
  readonly last: string;
  /** Why it is here: sentences without names from the trail. */
  readonly why: readonly string[];
  readonly technique: Technique | null;
}

const BARE_FINDING = {
  risk: null,
  newKind: null,
  newTitle: null,
  newValue: null,
  counted: null,
  usual: null,
  verdict: null,
  actor: null,
  actorkind: null,
  actorClass: null,
  isByHand: false,
  via: null,
  account: null,
  region: null,
  address: null,
  calls: [],
  targets: [],
  succeeded: true,
  isLate: false,
  why: [],
  technique: null,
} as const satisfies Partial<DigestFinding>;

/** A call that carries a risk or makes something, or that root made. */
interface RiskCall extends Pick<DayGroup, 'events' | 'first' | 'last'> {
  /** It happened before the day, and its log file was delivered after the report of its day. */
  readonly isLate: boolean;
  readonly risk: string;
  readonly effect: string;
  readonly eventsource: string;
  readonly eventname: string;
  readonly outcome: string;
  readonly actor: string;
  readonly actorkind: string;
  readonly via: string;
  readonly account: string;
  readonly region: string;
  readonly affected: string;
  readonly address: string;
}

function readRiskCall({ kind, value, events, first, last }: DayGroup): RiskCall {
  const [risk = '', effect = '', eventsource = '', eventname = '', outcome = '', actor = '', actorkind = '', via = '', account = '', region = ''] =
    value;
  const [affected = '', address = ''] = value.slice(10);
  return {
    risk,
    effect,
    eventsource,
    eventname,
    outcome,
    actor,
    actorkind,
    via,
    account,
    region,
    affected,
    address,
    events,
    first,
    last,
    isLate: kind === 'lateRisk',
  };
}

/** All findings of a day, the worst first. `outside` are the calls with credentials of instances from addresses that are not AWS's. */
export function findingsOf(
  groups: readonly DayGroup[],
  past: Past,
  unusual: readonly UnusualHours[],
  outside: readonly DayGroup[],
): readonly DigestFinding[] {
  const calls = groups.filter((group) => group.kind === 'risk' || (group.kind === 'lateRisk' && past.wasTold(group) === false)).map(readRiskCall);
  const signIns = signInEvents(groups);
  const found = [
    ...riskFindings(calls, past),
    ...rootFindings(calls, signIns),
    ...newSignInFindings(signIns, past),
    ...outsideFindings(outside, past),
  ];
  const known = withUnusualHours([...found, ...deniedFindings(groups, past, found)], unusual);
  // What is known of too few days is not called new or rare.
  if (past.days < MIN_PAST_DAYS) return mostPointsFirst(known);
  const news = newFindings(groups, past);
  const newActors = new Set(news.flatMap(({ newKind, newValue }) => (newKind === 'actor' ? [newValue] : [])));
  const told = known.map((finding) => (newActors.has(finding.actor) ? asNewActor(finding, past) : finding));
  const toldActors = new Set([...known, ...news.filter(({ newKind }) => newKind === 'withoutMfa')].map(({ actor }) => actor));
  const others = news.filter(({ newKind, newValue }) => newKind !== 'actor' || !toldActors.has(newValue));
  return mostPointsFirst([...told, ...others, ...secretFindings(groups, past), ...rareFindings(groups, past, [...known, ...others])]);
}

const mostPointsFirst = (findings: readonly DigestFinding[]): DigestFinding[] =>
  findings.toSorted((a, b) => b.score - a.score || (a.first < b.first ? -1 : 1));

/** A finding about an actor that is new, too: it is worth no less than the new actor alone. */
const asNewActor = (finding: DigestFinding, past: Past): DigestFinding => ({
  ...finding,
  score: Math.max(finding.score + MORE_POINTS.newActorWrites, POINTS.newActor + MORE_POINTS.newActorDenied),
  why: [...finding.why, `an actor that was not seen in the ${past.days} days before`],
});

// --- Calls that carry a risk ----------------------------------------------------------------------------------------------

const RISKS: ReadonlySet<string> = new Set<Risk>(['blind', 'expose', 'destroy', 'unprotect', 'access', 'execute']);

/** A person at a keyboard: where the class of an actor is not known, a user with the AWS CLI counts as one. */
const isByHand = ({ via, actorkind }: Pick<RiskCall, 'via' | 'actorkind'>, actorClass: ActorClass | null): boolean =>
  via === 'console' || actorkind === 'root' || (via === 'cli' && isPerson(actorkind, actorClass));

const isPerson = (actorkind: string, actorClass: ActorClass | null): boolean =>
  actorClass === null ? isUserKind(actorkind) : actorClass === 'human';

/** Calls of one actor in one account with one risk, as long as they go on, are one finding. Root's are told with root's. */
function riskFindings(calls: readonly RiskCall[], past: Past): DigestFinding[] {
  const made = madeBy(calls);
  const isShortLived = (call: RiskCall): boolean => {
    const since = made.get(thingKey(call));
    if (call.affected === '' || since === undefined) return false;
    // To set a thing up, or to take it away again; but what was deleted before it was made is another one.
    return call.risk === 'destroy' ? since < call.first : call.risk !== 'expose' && call.risk !== 'access' && since <= call.last;
  };
  const risky = calls.filter(({ risk, actorkind }) => RISKS.has(risk) && actorkind !== 'root');
  const alike = Map.groupBy(risky, ({ risk, actor, actorkind, account, outcome }) =>
    JSON.stringify([risk, actor, actorkind, account, outcome === 'ok']),
  );
  const found = [...alike.values()].flatMap(bursts).flatMap((burst) => {
    const kept = burst.filter((call) => !isShortLived(call));
    return kept.length === 0 ? [] : [riskFinding(kept, sumOfNumbers(burst.filter(isShortLived).map(({ events }) => events)), past)];
  });
  return withAttempts(found);
}

/** When an actor first made each thing of the day. */
function madeBy(calls: readonly RiskCall[]): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  for (const call of calls) {
    const known = made.get(thingKey(call));
    if (call.effect === 'create' && call.outcome === 'ok' && (known === undefined || call.first < known)) made.set(thingKey(call), call.first);
  }
  return made;
}

/** What a call is about: two calls with the same key are about one thing, which their actor made, changed or deleted. */
const thingKey = ({ actor, account, region, eventsource, eventname, affected }: RiskCall): string =>
  JSON.stringify([actor, account, region, eventsource, nounOf(eventname), affected]);

/** Failed attempts at what the same actor did soon after are told with it. */
function withAttempts(found: readonly DigestFinding[]): DigestFinding[] {
  const succeeded = found.filter((finding) => finding.succeeded);
  const includes = (done: DigestFinding, attempt: DigestFinding): boolean =>
    done.risk === attempt.risk &&
    done.actor === attempt.actor &&
    done.account === attempt.account &&
    attempt.targets.length > 0 &&
    attempt.first <= done.last &&
    Date.parse(done.first) - Date.parse(attempt.last) <= BURST_GAP_MS &&
    attempt.targets.every((name) => done.targets.includes(name)) &&
    attempt.calls.every((call) => done.calls.some(({ eventname }) => eventname === call.eventname));
  const attempts = found
    .filter((finding) => !finding.succeeded)
    .map((attempt) => ({ attempt, done: succeeded.find((finding) => includes(finding, attempt)) }));
  return [
    ...succeeded.map((finding) => {
      const own = sumOfNumbers(attempts.flatMap(({ attempt, done }) => (done === finding ? [attempt.events] : [])));
      return own === 0 ? finding : { ...finding, why: [`with ${formatCount(own, 'failed attempt')}`, ...finding.why] };
    }),
    ...attempts.flatMap(({ attempt, done }) => (done ? [] : [attempt])),
  ];
}

/** Calls in the order of time, cut where nothing happened for too long. */
function bursts(calls: readonly RiskCall[]): RiskCall[][] {
  const parts: RiskCall[][] = [];
  let end = '';
  for (const call of calls.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const part = parts.at(-1);
    if (part && Date.parse(call.first) - Date.parse(end) <= BURST_GAP_MS) part.push(call);
    else parts.push([call]);
    if (parts.at(-1)?.length === 1 || call.last > end) end = call.last;
  }
  return parts;
}

/** `shortLived` is the number of calls that are left out. */
function riskFinding(calls: readonly RiskCall[], shortLived: number, past: Past): DigestFinding {
  const [one] = calls as readonly [RiskCall, ...RiskCall[]];
  const risk = one.risk as Risk;
  const succeeded = one.outcome === 'ok';
  const targets = [...new Set(calls.map(({ affected }) => affected).filter((name) => name !== ''))];
  const counted = countCalls(calls);
  const actorClass = past.classOf(one.actor, one.actorkind, one.account);
  const hand = calls.some((call) => isByHand(call, actorClass));
  const recovery =
    succeeded && risk !== 'access' && risk !== 'expose' ? counted.flatMap((call) => recoveryOf(call.eventsource, call.eventname) ?? []) : [];
  const novelty = noveltyOf(counted, one, actorClass, past);
  const points = [
    POINTS[risk],
    // What only reads otherwise is no program that does this.
    hand ? MORE_POINTS.byHand : risk === 'access' || actorClass === 'scanner' ? 0 : MORE_POINTS.byProgram,
    novelty.points,
    succeeded ? 0 : MORE_POINTS.failed,
    recovery.some(({ canBeUndone }) => !canBeUndone) ? MORE_POINTS.cannotBeUndone : 0,
    targets.length >= MANY_THINGS ? MORE_POINTS.manyThings : 0,
  ];
  return {
    ...BARE_FINDING,
    kind: 'risk',
    score: sumOfNumbers(points),
    risk,
    actor: one.actor,
    actorkind: one.actorkind,
    actorClass,
    isByHand: hand,
    via: one.via,
    account: one.account,
    region: one.region,
    address: one.address,
    calls: counted,
    targets,
    events: sumOfNumbers(calls.map(({ events }) => events)),
    succeeded,
    isLate: calls.every((call) => call.isLate),
    first: firstTime(calls),
    last: lastTime(calls),
    why: [
      ...novelty.why,
      ...(hand && actorClass === 'pipeline' ? ['the actor is a pipeline otherwise'] : []),
      ...new Set(recovery.map(({ how }) => how)),
      ...(shortLived > 0 ? [`without ${formatCount(shortLived, 'call')} on what the actor made on that day`] : []),
    ],
    technique: techniqueOf(risk, one.eventsource, one.eventname),
  };
}

/** How unusual calls are for the organization, for persons, and for their actor. */
function noveltyOf(
  calls: readonly CountedCall[],
  { actor, actorkind, risk }: Pick<RiskCall, 'actor' | 'actorkind' | 'risk'>,
  actorClass: ActorClass | null,
  past: Past,
): { points: number; why: string[] } {
  if (past.days < MIN_PAST_DAYS) return { points: 0, why: [] };
  const seen = calls.map((call) => ({
    ...call,
    before: past.seen('call', [call.eventsource, call.eventname])?.events ?? 0,
    own: past.seen('ownCall', [actor, actorkind, call.eventsource, call.eventname])?.days ?? 0,
  }));
  const rarest = seen.reduce((least, each) => (each.before < least.before ? each : least));
  if (rarest.before === 0) return { points: MORE_POINTS.neverSeenCall, why: [`no ${rarest.eventname} in the ${past.days} days before`] };
  const first = actorClass === 'human' ? calls.find((call) => isNewToPersons(call, past)) : undefined;
  const byPerson = first ? { points: MORE_POINTS.firstByPerson, why: [`first ${first.eventname} by a person`] } : { points: 0, why: [] };
  if (rarest.before < RARE_CALLS)
    return {
      points: MORE_POINTS.rareCall + byPerson.points,
      why: [`${formatCount(rarest.before, rarest.eventname, rarest.eventname)} in the ${past.days} days before`, ...byPerson.why],
    };
  if (first) return byPerson;
  const leastOwn = seen.reduce((least, each) => (each.own < least.own ? each : least));
  if (leastOwn.own === 0)
    return { points: MORE_POINTS.firstByActor, why: [`no ${leastOwn.eventname} by this actor in the ${past.days} days before`] };
  if (leastOwn.own >= ROUTINE_DAYS) return { points: MORE_POINTS.everyDayForActor, why: [] };
  // Who opened a session on a machine some days will open others.
  const isRepeated = actorClass === 'pipeline' || risk === 'execute';
  return { points: isRepeated && leastOwn.own >= REPEATED_DAYS ? MORE_POINTS.repeated : 0, why: [] };
}

/** Whether all who made a call before are known to be programs, and some did. */
function isNewToPersons({ eventsource, eventname }: Pick<CountedCall, 'eventsource' | 'eventname'>, past: Past): boolean {
  const eventsBy = (actorClass: ActorClass): number => past.seen('callByClass', [eventsource, eventname, actorClass])?.events ?? 0;
  const byPrograms = eventsBy('pipeline') + eventsBy('scanner') + eventsBy('service');
  return byPrograms > 0 && byPrograms >= (past.seen('call', [eventsource, eventname])?.events ?? 0);
}

// --- Root and sign-ins ----------------------------------------------------------------------------------------------------

/** What root did in an account is one finding, and what it tried is another; reads are only counted. */
function rootFindings(calls: readonly RiskCall[], signIns: readonly SignInEvent[]): DigestFinding[] {
  const byAccount = Map.groupBy(
    calls.filter(({ actorkind }) => actorkind === 'root'),
    ({ account, outcome }) => JSON.stringify([account, outcome === 'ok']),
  );
  return [...byAccount.values()].map((own) => {
    const account = own[0]?.account ?? '';
    const risks = own.flatMap(({ risk, outcome }) => (RISKS.has(risk) && outcome === 'ok' ? [risk as Risk] : []));
    const worst = risks.toSorted((a, b) => POINTS[b] - POINTS[a])[0] ?? null;
    const succeeded = own.some(({ outcome }) => outcome === 'ok');
    const risky = worst === null ? undefined : own.find(({ risk }) => risk === worst);
    const reads = sumOfNumbers(own.map(({ effect, events }) => (effect === 'read' ? events : 0)));
    const changes = own.filter(({ effect }) => effect !== 'read');
    const isWithoutMfa =
      succeeded &&
      signIns.some(
        ({ identitytype, recipientaccountid, outcome, mfaUsed }) =>
          identitytype === 'Root' && recipientaccountid === account && outcome === 'ok' && mfaUsed?.toLowerCase() === 'no',
      );
    const points = [
      worst === null ? POINTS.root : Math.max(POINTS.root, POINTS[worst]) + MORE_POINTS.byRoot,
      succeeded ? 0 : MORE_POINTS.failed,
      isWithoutMfa ? MORE_POINTS.withoutMfa : 0,
    ];
    return {
      ...BARE_FINDING,
      kind: 'root',
      score: sumOfNumbers(points),
      risk: worst,
      actor: 'root',
      actorkind: 'root',
      isLate: own.every((call) => call.isLate),
      isByHand: true,
      via: own[0]?.via ?? null,
      account,
      region: own[0]?.region ?? null,
      address: own[0]?.address ?? null,
      calls: countCalls(changes.length > 0 ? changes : own),
      targets: [...new Set(own.flatMap(({ risk, affected }) => (RISKS.has(risk) && affected !== '' ? [affected] : [])))],
      events: sumOfNumbers(own.map(({ events }) => events)),
      succeeded,
      first: firstTime(own),
      last: lastTime(own),
      why: [...(isWithoutMfa ? ['signed in without MFA'] : []), ...(reads > 0 && changes.length > 0 ? [`with ${formatCount(reads, 'read')}`] : [])],
      technique: risky && worst !== null ? techniqueOf(worst, risky.eventsource, risky.eventname) : { id: 'T1078.004', name: 'Cloud Accounts' },
    };
  });
}

/**
 * Sign-ins of the day with those of the day before: a password that was guessed before midnight may be used after it. What was known of
 * the day before alone was told in its report.
 */
function newSignInFindings(signIns: readonly SignInEvent[], past: Past): DigestFinding[] {
  const findingsIn = (events: readonly SignInEvent[]): DigestFinding[] => signInFindings(classifySignIns(attemptsOf(events)));
  const known = new Set(findingsIn(past.signIns).map((finding) => JSON.stringify(finding)));
  return findingsIn([...past.signIns, ...signIns]).filter((finding) => !known.has(JSON.stringify(finding)));
}

/** Users who were guessed, and addresses that tried many users. */
function signInFindings({ users, addresses }: ClassifiedSignIns): DigestFinding[] {
  const technique = { id: 'T1110', name: 'Brute Force' } as const;
  const common = { ...BARE_FINDING, kind: 'sign-in', technique } as const;
  return [
    ...users
      .filter(({ isSuspect }) => isSuspect)
      .map(({ name, verdict, tries, inside, first, last, from }) => ({
        ...common,
        score: inside && verdict.endsWith('got in') ? POINTS.signedInAfterGuessing : POINTS.guessing,
        verdict,
        actor: name,
        address: inside?.ip ?? from,
        events: tries,
        succeeded: inside !== null && verdict.endsWith('got in'),
        first: first ?? '',
        last: last ?? '',
        why: inside ? [`signed in ${inside.mfa === 'no' ? 'without MFA' : inside.mfa === 'yes' ? 'with MFA' : 'with MFA unknown'}`] : [],
      })),
    ...addresses
      .filter(({ isSuspect }) => isSuspect)
      .map(({ ip, verdict, tries, inside, first, last }) => ({
        ...common,
        score: inside === null ? POINTS.guessing : POINTS.signedInAfterGuessing,
        verdict,
        actor: inside,
        address: ip,
        events: tries,
        succeeded: inside !== null,
        first: first ?? '',
        last: last ?? '',
      })),
  ];
}

/** Credentials of instances that are used elsewhere, by role and address. */
const outsideFindings = (outside: readonly DayGroup[], past: Past): DigestFinding[] =>
  outside.map(({ value, actor, events, first, last }) => {
    const [role = '', account = '', address = ''] = value;
    const days = past.seen('instance', value)?.days ?? 0;
    const instance = actor?.split('/').at(-1) ?? null;
    return {
      ...BARE_FINDING,
      kind: 'outside-aws',
      score: POINTS.outsideAws + (days >= ROUTINE_DAYS ? MORE_POINTS.everyDayForActor : 0),
      actor: role,
      actorkind: 'role',
      account,
      address,
      targets: instance === null ? [] : [instance],
      events,
      first,
      last,
      why: days === 0 ? [] : [`as on ${formatCount(days, 'day')} of the ${past.days} before`],
      technique: { id: 'T1552.005', name: 'Cloud Instance Metadata API' },
    };
  });

// --- What is new and rare ---------------------------------------------------------------------------------------------------

function newFindings(groups: readonly DayGroup[], past: Past): DigestFinding[] {
  const news = groups.filter(({ kind, value }) => kind in NEW_POINTS && !past.seen(kind as keyof typeof NEW_POINTS, value));
  const newAccounts = new Set(news.flatMap(({ kind, value }) => (kind === 'account' ? value : [])));
  return news.flatMap(({ kind, value, actor, events, first, last }) => {
    const newKind = kind as keyof typeof NEW_POINTS;
    const [name = '', second = ''] = value;
    // All that is in a new account is new.
    const account = newKind === 'region' || newKind === 'account' ? name : newKind === 'key' || newKind === 'withoutMfa' ? second : null;
    if (newKind !== 'account' && newKind !== 'withoutMfa' && account !== null && newAccounts.has(account)) return [];
    const ofActor = (kind: 'ownCall' | 'denial'): readonly DayGroup[] =>
      newKind === 'actor' ? groups.filter((each) => each.kind === kind && each.value[0] === name && each.value[1] === second) : [];
    const writes = ofActor('ownCall');
    const made = sumOfNumbers(writes.map((each) => each.events));
    // One who was refused all that would have changed something is told with what was refused.
    const denied = writes.length > 0 ? [] : ofActor('denial');
    return [
      {
        ...BARE_FINDING,
        kind: 'new' as const,
        score:
          NEW_POINTS[newKind] +
          (made > 0 ? MORE_POINTS.newActorWrites : 0) +
          (denied.length > 0 ? MORE_POINTS.newActorDenied : 0) +
          (made >= MANY_THINGS ? MORE_POINTS.manyThings : 0),
        succeeded: denied.length === 0,
        calls: [...writes, ...denied].map(({ value: [, , eventsource = '', eventname = ''], events: times }) => ({ eventsource, eventname, times })),
        newKind,
        newTitle: NEW_WORDS[newKind],
        newValue: newKind === 'region' ? second : name,
        actor: newKind === 'actor' || newKind === 'withoutMfa' ? name : actor,
        actorkind: newKind === 'actor' ? second : newKind === 'withoutMfa' ? 'user' : null,
        actorClass: newKind === 'actor' ? past.classOf(name, second) : null,
        account,
        events,
        first,
        last,
        why: [`not seen in the ${past.days} days before`],
      },
    ];
  });
}

const NEW_POINTS = {
  account: POINTS.newAccount,
  region: POINTS.newRegion,
  actor: POINTS.newActor,
  key: POINTS.newKey,
  network: POINTS.newNetwork,
  tool: POINTS.newTool,
  withoutMfa: POINTS.withoutMfa,
} as const;

/** Writes that were made seldom before, without those that are in another finding. Those of one actor are one finding. */
function rareFindings(groups: readonly DayGroup[], past: Past, found: readonly DigestFinding[]): DigestFinding[] {
  const told = new Set(
    found.flatMap(({ actor, calls }) => calls.map(({ eventsource, eventname }) => JSON.stringify([actor, eventsource, eventname]))),
  );
  const rare = groups.flatMap((group) => {
    if (group.kind !== 'ownCall') return [];
    const [actor = '', actorkind = '', eventsource = '', eventname = ''] = group.value;
    const before = past.seen('call', [eventsource, eventname])?.events ?? 0;
    if (before >= RARE_CALLS || actorkind === 'root' || told.has(JSON.stringify([actor, eventsource, eventname]))) return [];
    return [{ ...group, actor, actorkind, eventsource, eventname, before }];
  });
  const byActor = Map.groupBy(rare, ({ actor, actorkind }) => JSON.stringify([actor, actorkind]));
  return [...byActor.values()].map((own) => {
    const [one] = own as [(typeof own)[number]];
    const actorClass = past.classOf(one.actor, one.actorkind);
    const isFirstByPerson = actorClass === 'human' && own.some((call) => isNewToPersons(call, past));
    const unseen = own.filter(({ before }) => before === 0).length;
    return {
      ...BARE_FINDING,
      kind: 'rare',
      score:
        POINTS.rare +
        (unseen > 1 ? MORE_POINTS.rareCall : 0) +
        (isPerson(one.actorkind, actorClass) ? 0 : MORE_POINTS.byProgram) +
        (isFirstByPerson ? MORE_POINTS.firstByPerson : 0) +
        (own.length >= MANY_THINGS ? MORE_POINTS.manyThings : 0),
      actor: one.actor,
      actorkind: one.actorkind,
      actorClass,
      calls: own.map(({ eventsource, eventname, events }) => ({ eventsource, eventname, times: events })),
      events: sumOfNumbers(own.map(({ events }) => events)),
      first: firstTime(own),
      last: lastTime(own),
      why: [
        own.length === 1
          ? one.before === 0
            ? `not made in the ${past.days} days before`
            : `made ${formatCount(one.before, 'time')} in the ${past.days} days before`
          : unseen === 0
            ? `each made fewer than ${RARE_CALLS} times in the ${past.days} days before`
            : `${unseen === own.length ? 'none of them' : `${unseen} of them not`} seen in the ${past.days} days before`,
        ...(isFirstByPerson ? ['first by a person'] : []),
      ],
    };
  });
}

/** Reads of secrets by an actor who never made these calls before, when they are many. */
function secretFindings(groups: readonly DayGroup[], past: Past): DigestFinding[] {
  const first = groups.filter(({ kind, value }) => kind === 'secretRead' && !past.seen('secretRead', value));
  const byActor = Map.groupBy(first, ({ value: [actor, actorkind] }) => JSON.stringify([actor, actorkind]));
  return [...byActor.values()].flatMap((own) => {
    const reads = sumOfNumbers(own.map(({ events }) => events));
    if (reads < MIN_SECRET_READS) return [];
    const [actor = '', actorkind = ''] = own[0]?.value ?? [];
    return [
      {
        ...BARE_FINDING,
        kind: 'secrets' as const,
        score: POINTS.secrets,
        actor,
        actorkind,
        actorClass: past.classOf(actor, actorkind),
        calls: own.map(({ value: [, , eventsource = '', eventname = ''], events }) => ({ eventsource, eventname, times: events })),
        events: reads,
        first: firstTime(own),
        last: lastTime(own),
        why: [`this actor made none of these calls in the ${past.days} days before`],
        technique: { id: 'T1555.006', name: 'Cloud Secrets Management Stores' },
      },
    ];
  });
}

/** Calls that an actor is not known to have been denied before, when they are many. A scanner's reads count only the first time that it is denied anything. */
function deniedFindings(groups: readonly DayGroup[], past: Past, found: readonly DigestFinding[]): DigestFinding[] {
  const attempts = new Set(
    found.flatMap(({ actor, succeeded, calls }) =>
      succeeded ? [] : calls.map(({ eventsource, eventname }) => JSON.stringify([actor, eventsource, eventname])),
    ),
  );
  const denied = groups.filter(
    ({ kind, value }) => kind === 'denial' && !past.seen('denial', value) && !attempts.has(JSON.stringify([value[0], value[2], value[3]])),
  );
  const byActor = Map.groupBy(denied, ({ value: [actor, actorkind] }) => JSON.stringify([actor, actorkind]));
  return [...byActor.values()].flatMap((all) => {
    const [name = '', kind = ''] = all[0]?.value ?? [];
    const actorClass = past.classOf(name, kind);
    const isUsual = actorClass === 'scanner' && past.seen('deniedActor', [name, kind]) !== undefined;
    const own = isUsual ? all.filter(({ value: [, , , eventname = ''] }) => !READ_CALL.test(eventname)) : all;
    const denials = sumOfNumbers(own.map(({ events }) => events));
    if (own.length < MIN_NEW_DENIED_CALLS && denials < MIN_NEW_DENIALS) return [];
    const [actor = '', actorkind = ''] = own[0]?.value ?? [];
    return [
      {
        ...BARE_FINDING,
        kind: 'denied' as const,
        score:
          POINTS.denials +
          (own.length >= MANY_THINGS ? MORE_POINTS.manyThings : 0) +
          (actorClass === 'scanner' && !isUsual ? MORE_POINTS.deniedScanner : 0),
        actor,
        actorkind,
        actorClass,
        calls: own.map(({ value: [, , eventsource = '', eventname = ''], events }) => ({ eventsource, eventname, times: events })),
        events: denials,
        succeeded: false,
        first: firstTime(own),
        last: lastTime(own),
        why: [
          `${formatCount(denials, 'denial')}${past.days < MIN_PAST_DAYS ? '' : `, none of these calls was denied in the ${past.days} days before`}`,
        ],
        technique: { id: 'T1580', name: 'Cloud Infrastructure Discovery' },
      },
    ];
  });
}

// --- Hours that are out of band -------------------------------------------------------------------------------------------

/** More of them would be one cause, told many times. */
const MAX_OUT_OF_BAND = 3;
const SIGN_IN_SOURCE = 'signin.amazonaws.com';

/** Findings with hours that had many more or fewer events than usual: a remark where another finding is of the same service and time. */
function withUnusualHours(found: readonly DigestFinding[], unusual: readonly UnusualHours[]): DigestFinding[] {
  const findings = [...found];
  let added = 0;
  for (const each of unusual) {
    const at = findings.findIndex((finding) => isWithinHours(finding, each));
    const known = findings[at];
    if (known) findings[at] = { ...known, why: [...known.why, unusualText(each)] };
    else if (added < MAX_OUT_OF_BAND) {
      findings.push(outOfBandFinding(each));
      added += 1;
    }
  }
  return findings;
}

/** Whether a finding is worth telling, and of the service and the hours. */
const isWithinHours = ({ kind, score, calls, first, last }: DigestFinding, { name, from, to }: UnusualHours): boolean =>
  score >= MIN_SHOWN_SCORE &&
  first < to &&
  last >= from &&
  (name === DENIED ? kind === 'denied' : kind === 'sign-in' ? name === SIGN_IN_SOURCE : calls.some(({ eventsource }) => eventsource === name));

const unusualText = ({ name, direction, actual, usual }: UnusualHours): string => {
  const what = name === DENIED ? formatCount(actual, 'denial') : `${formatCount(actual, 'call')} of ${name.replace(/[.]amazonaws[.]com$/, '')}`;
  return `in these hours ${what}, ${direction === 'below' ? 'instead of about' : 'usually'} ${usual}`;
};

const outOfBandFinding = (unusual: UnusualHours): DigestFinding => ({
  ...BARE_FINDING,
  kind: 'out-of-band',
  score: POINTS.outOfBand + (unusual.actual >= 10 * Math.max(1, unusual.usual) ? MORE_POINTS.tenTimesUsual : 0),
  counted: unusual.name,
  usual: unusual.usual,
  events: unusual.actual,
  first: unusual.from,
  last: unusual.to,
  why: [`usually ${unusual.usual} at this time, by the weeks before`],
});

// --- Sums -------------------------------------------------------------------------------------------------------------------

const firstTime = (some: readonly { readonly first: string }[]): string => some.map(({ first }) => first).toSorted()[0] ?? '';
const lastTime = (some: readonly { readonly last: string }[]): string =>
  some
    .map(({ last }) => last)
    .toSorted()
    .at(-1) ?? '';

/** Calls by name, the most frequent first. */
function countCalls(calls: readonly Pick<RiskCall, 'eventsource' | 'eventname' | 'events'>[]): CountedCall[] {
  const byName = Map.groupBy(calls, ({ eventsource, eventname }) => JSON.stringify([eventsource, eventname]));
  return [...byName.values()]
    .map((same) => ({
      eventsource: same[0]?.eventsource ?? '',
      eventname: same[0]?.eventname ?? '',
      times: sumOfNumbers(same.map(({ events }) => events)),
    }))
    .toSorted((a, b) => b.times - a.times || (a.eventname < b.eventname ? -1 : 1));
}

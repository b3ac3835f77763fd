/**
 * Classifies failed sign-ins by address and by user: password spraying (many users from one address), guessing (many tries for
 * one user), or a user who mistyped and then got in.
 */
import { z } from 'zod';
import { actorAccount, distinctEventCount, UNKNOWN_USER } from '../trail/events.ts';
import { type Filter, isTerm, matching } from '../trail/filter.ts';
import { limit, type Query, query } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { signInsDuring } from './sign-ins.ts';

/** Worst first. */
const SIGN_IN_VERDICTS = ['guessing, got in', 'spraying, got in', 'guessing', 'spraying', 'gave up', 'slip'] as const;
type SignInVerdict = (typeof SIGN_IN_VERDICTS)[number];

/** An address with failed sign-ins; or one without, from which a user got in whose password was guessed elsewhere. */
export interface ClassifiedAddress {
  readonly ip: string | null;
  /** The worst of its own verdict and its users': one failure is guessing when many addresses guess that user. */
  readonly verdict: SignInVerdict;
  /** True when an answer should name it. */
  readonly isSuspect: boolean;
  readonly tries: number;
  /** How many users failed. */
  readonly users: number;
  readonly names: string;
  /** The users who got in after the first failure. */
  readonly inside: string | null;
  readonly first: string | null;
  readonly last: string | null;
}

/** A user with failed sign-ins. */
export interface ClassifiedUser {
  readonly user: string | null;
  /** With the account, when several accounts have a user of the name. */
  readonly name: string;
  readonly verdict: SignInVerdict;
  /** True when an answer should name the user. */
  readonly isSuspect: boolean;
  readonly tries: number;
  readonly addresses: number;
  readonly from: string;
  /** The sign-in to look at; null when the user did not get in after the first failure. */
  readonly inside: { readonly ip: string | null; readonly at: string; readonly mfa: 'yes' | 'no' | 'unknown' } | null;
  readonly first: string | null;
  readonly last: string | null;
}

/** The failed sign-ins of a range, classified, worst first. */
export interface ClassifiedSignIns {
  readonly tries: number;
  readonly addresses: readonly ClassifiedAddress[];
  readonly users: readonly ClassifiedUser[];
  /** Most common first. */
  readonly reasons: readonly { readonly reason: string | null; readonly tries: number }[];
}

const nullableColumn = z.string().nullable();
const attemptRow = z.object({
  ip: nullableColumn,
  actor: nullableColumn,
  actoraccount: nullableColumn,
  reason: nullableColumn,
  failures: z.coerce.number(),
  /** The most failures in a row. */
  streak: z.coerce.number(),
  /** Times of the first and last failure, the first and last success, and the last success with and without MFA. */
  first: nullableColumn,
  last: nullableColumn,
  firstsuccess: nullableColumn,
  lastsuccess: nullableColumn,
  lastwithmfa: nullableColumn,
  lastwithoutmfa: nullableColumn,
});
/** The sign-ins of one user from one address, with one row for each reason of failure. */
export type AttemptCounts = z.output<typeof attemptRow>;

/** Combinations of user, address and reason that are read. */
const MAX_ATTEMPT_ROWS = 10_000;

/** Filters on these fields apply only to failures: a success counts wherever and however the user signed in. */
const FAILURE_FIELDS = ['ip', 'error', 'mfa', 'outcome'];

/** The failed sign-ins that match, with the successful ones of the same users and addresses; one row more than `max` when there are more. */
export function signInAttempts(range: TimeRange, filters: readonly Filter[], max: number = MAX_ATTEMPT_ROWS): Query<AttemptCounts> {
  const successFilters = filters.filter((filter) => !isTerm(filter) || !FAILURE_FIELDS.includes(filter.field));
  return query(attemptRow)`
    select ip, actor, actoraccount, reason, cast(sum(failures) as bigint) as failures, cast(max(streak) as bigint) as streak,
      min(first) as first, max(last) as last, min(firstsuccess) as firstsuccess, max(lastsuccess) as lastsuccess, max(lastwithmfa) as lastwithmfa, max(lastwithoutmfa) as lastwithoutmfa
    from (
      select *, sum(failures) over (partition by ip) as here, sum(failures) over (partition by lower(actor), actoraccount) as anywhere,
        sum(failures) over (partition by ip, lower(actor), actoraccount, run) as streak
      from (
        select ip, actor, actoraccount, run, case when outcome <> 'ok' then errorcode end as reason,
          ${distinctEventCount} filter (where outcome <> 'ok') as failures,
          min(case when outcome <> 'ok' then eventtime end) as first, max(case when outcome <> 'ok' then eventtime end) as last,
          min(case when outcome = 'ok' then eventtime end) as firstsuccess, max(case when outcome = 'ok' then eventtime end) as lastsuccess,
          max(case when outcome = 'ok' and mfa = 'yes' then eventtime end) as lastwithmfa,
          max(case when outcome = 'ok' and mfa = 'no' then eventtime end) as lastwithoutmfa
        from (
          -- A run is the failures between two successes.
          select *, count(case when outcome = 'ok' then eventid end) over (
            partition by ip, lower(actor), actoraccount order by eventtime, eventid rows between unbounded preceding and current row) as run
          from (
            select *, sourceipaddress as ip, ${actorAccount} as actoraccount
            from ${signInsDuring(range)}
            where (outcome <> 'ok' and ${matching(filters)}) or (outcome = 'ok' and ${matching(successFilters)})
          ) as signins
        ) as runs
        group by 1, 2, 3, 4, 5
      ) as grouped
    ) as summed
    where here > 0 or anywhere > 0
    group by 1, 2, 3, 4
    order by failures desc, ip nulls last, actor nulls last, actoraccount nulls last, reason nulls last
    ${limit(max + 1)}
  `;
}

/** This many users who fail from one address and do not get in are spraying. */
const MIN_SPRAYED_USERS = 3;
/** This many failures in a row are guessing, not mistyping. */
const MIN_GUESSES = 8;
/** This many addresses with failures and no success are guessing: a user who travels has two or three. */
const MIN_GUESSING_ADDRESSES = 5;
/** A user who changes networks signs in again within this time. */
const SOON_MS = 10 * 60_000;
/** Actors of failed sign-ins that name no user. */
const UNNAMED_USERS: readonly (string | null)[] = [null, UNKNOWN_USER, 'anonymous'];

/** One user at one address. */
type UserAtAddress = Omit<AttemptCounts, 'reason'>;

/**
 * Classifies sign-ins.
 *
 * @param rows of `signInAttempts`.
 */
export function classifySignIns(rows: readonly AttemptCounts[]): ClassifiedSignIns {
  const nameOf = displayNames(rows);
  const pairs = [...Map.groupBy(rows, (row) => `${userKey(row)} ${row.ip}`).values()].map(mergeReasons);
  const groups = [...Map.groupBy(pairs, ({ ip }) => ip)].map(([ip, same]) => ({ ip, pairs: same, verdict: addressVerdict(same) }));
  const sprayers = new Set(groups.filter(({ verdict }) => verdict.startsWith('spraying')).map(({ ip }) => ip));
  const users = new Map(
    [...Map.groupBy(pairs, userKey)].filter(([, same]) => same.some(hasFailed)).map(([user, same]) => [user, classifyUser(same, sprayers, nameOf)]),
  );
  const addresses = groups.map((group) => classifyAddress(group, users, nameOf));
  const reasons = Map.groupBy(
    rows.filter(({ failures }) => failures > 0),
    ({ reason }) => reason,
  );
  return {
    tries: sumFailures(rows),
    addresses: worstFirst(addresses.filter(({ tries, verdict }) => tries > 0 || verdict === 'guessing, got in')),
    users: worstFirst([...users.values()]),
    reasons: [...reasons].map(([reason, each]) => ({ reason, tries: sumFailures(each) })).toSorted((a, b) => b.tries - a.tries),
  };
}

const sumFailures = (some: readonly Pick<AttemptCounts, 'failures'>[]): number => some.reduce((sum, { failures }) => sum + failures, 0);

const worstFirst = <Each extends { readonly verdict: SignInVerdict; readonly tries: number }>(some: readonly Each[]): Each[] =>
  some.toSorted((a, b) => SIGN_IN_VERDICTS.indexOf(a.verdict) - SIGN_IN_VERDICTS.indexOf(b.verdict) || b.tries - a.tries);

/** Identity Center ignores the case of user names. */
const userKey = ({ actor, actoraccount }: UserAtAddress): string => JSON.stringify([actor?.toLowerCase() ?? null, actoraccount]);

type DisplayName = (pair: UserAtAddress) => string;

/** Names of users, with the account when several accounts have a user of the name. */
function displayNames(rows: readonly UserAtAddress[]): DisplayName {
  const accounts = Map.groupBy(new Map(rows.map((row) => [userKey(row), row])).values(), ({ actor }) => actor);
  return ({ actor, actoraccount }) =>
    actoraccount !== null && (accounts.get(actor)?.length ?? 0) > 1 ? `${actor} (${actoraccount})` : (actor ?? '—');
}

const MAX_LISTED_NAMES = 10;

const joinNames = (names: readonly string[]): string =>
  [...names.slice(0, MAX_LISTED_NAMES), ...(names.length > MAX_LISTED_NAMES ? [`${names.length - MAX_LISTED_NAMES} more`] : [])].join(', ');

const sortedTimes = (some: readonly (string | null)[]): string[] => some.filter((at) => at !== null).toSorted();
const earliest = (some: readonly (string | null)[]): string | null => sortedTimes(some)[0] ?? null;
const latest = (some: readonly (string | null)[]): string | null => sortedTimes(some).at(-1) ?? null;
const isAfter = (at: string | null, then: string | null): boolean => at !== null && at > (then ?? '');

function mergeReasons(same: readonly AttemptCounts[]): UserAtAddress {
  const { ip, actor, actoraccount } = same[0] as AttemptCounts;
  return {
    ip,
    actor,
    actoraccount,
    failures: sumFailures(same),
    streak: Math.max(...same.map(({ streak }) => streak)),
    first: earliest(same.map(({ first }) => first)),
    last: latest(same.map(({ last }) => last)),
    firstsuccess: earliest(same.map(({ firstsuccess }) => firstsuccess)),
    lastsuccess: latest(same.map(({ lastsuccess }) => lastsuccess)),
    lastwithmfa: latest(same.map(({ lastwithmfa }) => lastwithmfa)),
    lastwithoutmfa: latest(same.map(({ lastwithoutmfa }) => lastwithoutmfa)),
  };
}

const hasFailed = ({ failures }: UserAtAddress): boolean => failures > 0;
const isGuessing = ({ streak }: UserAtAddress): boolean => streak >= MIN_GUESSES;
const gotIn = ({ lastsuccess, first }: UserAtAddress): boolean => isAfter(lastsuccess, first);

/** The verdict on one address, from its own sign-ins only. */
function addressVerdict(pairs: readonly UserAtAddress[]): SignInVerdict {
  const failed = pairs.filter(hasFailed);
  const shutOut = failed.filter((each) => !gotIn(each));
  if (shutOut.length >= MIN_SPRAYED_USERS) return gotInAfterFailure(pairs).length > 0 ? 'spraying, got in' : 'spraying';
  if (failed.some(isGuessing)) return failed.some((each) => isGuessing(each) && gotIn(each)) ? 'guessing, got in' : 'guessing';
  return shutOut.length > 0 ? 'gave up' : 'slip';
}

/** Who got in from one address after the first failure there. */
function gotInAfterFailure(pairs: readonly UserAtAddress[]): UserAtAddress[] {
  const first = earliest(pairs.map((each) => each.first));
  return pairs.filter(({ lastsuccess }) => isAfter(lastsuccess, first));
}

/** The sign-ins from one address, by user. */
interface AddressGroup {
  readonly ip: string | null;
  readonly pairs: readonly UserAtAddress[];
  readonly verdict: SignInVerdict;
}

function classifyAddress({ ip, pairs, verdict }: AddressGroup, users: ReadonlyMap<string, ClassifiedUser>, nameOf: DisplayName): ClassifiedAddress {
  const failed = pairs.filter(hasFailed);
  const inside = gotInAfterFailure(pairs);
  const guessed = (each: UserAtAddress): ClassifiedUser | undefined => {
    const user = users.get(userKey(each));
    return user?.isSuspect ? user : undefined;
  };
  const isEntrance = pairs.some((each) => guessed(each)?.verdict === 'guessing, got in' && guessed(each)?.inside?.ip === ip);
  const isOneOfMany = !verdict.startsWith('spraying') && failed.some((each) => guessed(each) && !gotIn(each));
  const verdicts: SignInVerdict[] = [
    verdict,
    ...(isEntrance ? (['guessing, got in'] as const) : []),
    ...(isOneOfMany ? (['guessing'] as const) : []),
  ];
  return {
    ip,
    verdict: SIGN_IN_VERDICTS.find((each) => verdicts.includes(each)) ?? verdict,
    isSuspect: verdict.startsWith('spraying') || failed.some((each) => isGuessing(each) && !guessed(each)),
    tries: sumFailures(failed),
    users: failed.length,
    names: joinNames(failed.map(nameOf)),
    inside: inside.length > 0 ? joinNames(inside.map(nameOf)) : null,
    first: earliest(failed.map(({ first }) => first)),
    last: latest(failed.map(({ last }) => last)),
  };
}

/** Classifies one user from the sign-ins at all addresses. */
function classifyUser(pairs: readonly UserAtAddress[], sprayers: ReadonlySet<string | null>, nameOf: DisplayName): ClassifiedUser {
  const user = pairs[0] as UserAtAddress;
  const failed = pairs.filter(hasFailed);
  const first = earliest(failed.map((each) => each.first));
  const since = pairs.filter(({ lastsuccess }) => isAfter(lastsuccess, first));
  const isWithoutMfa = ({ lastwithoutmfa }: UserAtAddress): boolean => isAfter(lastwithoutmfa, first);
  // An address from which the user signed in before the first failure is the user's own.
  const unfamiliar = since.filter((each) => isAfter(each.firstsuccess, first) || isWithoutMfa(each));
  const isNamed = !UNNAMED_USERS.includes(user.actor);
  const unexplained = failed.filter((each) => isGuessing(each) || !(gotIn(each) || isFollowedBySignIn(each, pairs)));
  // Failures at a spraying address do not count as guessing of each sprayed user.
  const targeted = unexplained.filter(({ ip }) => !sprayers.has(ip));
  const isGuessed =
    targeted.some(isGuessing) ||
    (isNamed && (targeted.length >= MIN_GUESSING_ADDRESSES || sumFailures(targeted) >= MIN_GUESSES)) ||
    (isNamed && unexplained.some(isGuessing) && unfamiliar.length > 0);
  const verdict = verdictOf();
  const [entrance] = (verdict === 'guessing, got in' ? unfamiliar : since).toSorted(
    (a, b) => Number(isWithoutMfa(b)) - Number(isWithoutMfa(a)) || (isAfter(a.lastsuccess, b.lastsuccess) ? -1 : 1),
  );
  return {
    user: user.actor,
    name: nameOf(user),
    verdict,
    isSuspect: isGuessed && isNamed,
    tries: sumFailures(failed),
    addresses: failed.length,
    from: joinNames(failed.map(({ ip }) => ip ?? '—')),
    inside: entrance ? signInOf(entrance) : null,
    first,
    last: latest(failed.map((each) => each.last)),
  };

  function verdictOf(): SignInVerdict {
    if (isGuessed) return unfamiliar.length > 0 ? 'guessing, got in' : 'guessing';
    const sprayed = failed.filter(({ ip }) => sprayers.has(ip));
    if (sprayed.length > 0) return sprayed.some(gotIn) ? 'spraying, got in' : 'spraying';
    return since.length > 0 ? 'slip' : 'gave up';
  }

  function signInOf(pair: UserAtAddress): NonNullable<ClassifiedUser['inside']> {
    const { ip, lastsuccess, lastwithoutmfa, lastwithmfa } = pair;
    if (isWithoutMfa(pair)) return { ip, at: lastwithoutmfa as string, mfa: 'no' };
    return { ip, at: lastsuccess as string, mfa: lastwithmfa === lastsuccess ? 'yes' : 'unknown' };
  }
}

/** True when the user signed in from any address soon after the failure, and few addresses failed just before that. */
function isFollowedBySignIn({ last }: UserAtAddress, pairs: readonly UserAtAddress[]): boolean {
  const isSoon = (at: string | null, then: string | null): boolean => {
    const ms = Date.parse(then ?? '') - Date.parse(at ?? '');
    return ms >= 0 && ms <= SOON_MS;
  };
  return pairs
    .flatMap(({ firstsuccess, lastsuccess }) => [firstsuccess, lastsuccess])
    .some((then) => isSoon(last, then) && pairs.filter((other) => isSoon(other.last, then)).length < MIN_SPRAYED_USERS);
}

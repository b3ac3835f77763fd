/**
 * What failed sign-ins come to, by address and by user: somebody at work who tries many users from one address, or one
 * user from many; or a slip of somebody who then got in.
 */
import { z } from 'zod';
import { actorAccount, distinctEventCount } from '../trail/events.ts';
import { type Filter, isTerm, matching } from '../trail/filter.ts';
import { limit, type Query, query } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import { signInsDuring } from './sign-ins.ts';

/** Worst first. */
const VERDICTS = ['guessing, got in', 'spraying, got in', 'guessing', 'spraying', 'gave up', 'slip'] as const;
type Verdict = (typeof VERDICTS)[number];

/** An address that sign-ins failed from; or, with no failure of its own, the one from which a user that was guessed got in. */
export interface ClassifiedAddress {
  readonly ip: string | null;
  /** With what is made of its users: an address of many that guess one user is no slip. */
  readonly verdict: Verdict;
  /** What is to be said of it by itself. */
  readonly isSuspect: boolean;
  readonly tries: number;
  readonly users: number;
  readonly names: string;
  readonly inside: string | null;
  readonly first: string | null;
  readonly last: string | null;
}

export interface ClassifiedUser {
  readonly user: string | null;
  /** With the account, where users of several bear the name. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly isSuspect: boolean;
  readonly tries: number;
  readonly addresses: number;
  readonly from: string;
  /** The sign-in to look at, where the user got in after the first failure. */
  readonly inside: { readonly ip: string | null; readonly at: string; readonly mfa: 'yes' | 'no' | 'unknown' } | null;
  readonly first: string | null;
  readonly last: string | null;
}

export interface ClassifiedSignIns {
  readonly tries: number;
  readonly addresses: readonly ClassifiedAddress[];
  readonly users: readonly ClassifiedUser[];
  /** Most common first. */
  readonly reasons: readonly { readonly reason: string | null; readonly tries: number }[];
}

const text = z.string().nullable();
const tried = z.object({
  ip: text,
  actor: text,
  homeaccount: text,
  reason: text,
  failures: z.coerce.number(),
  /** The most of them without getting in between. */
  streak: z.coerce.number(),
  /** When it failed, and when somebody got in: at first, at last, at last with and without a second factor. */
  first: text,
  last: text,
  entered: text,
  success: text,
  factored: text,
  bare: text,
});
/** The sign-ins of one user from one address, and those that failed for one reason apart. */
type Tried = z.output<typeof tried>;

const MOST_TRIED = 10_000;

/** Where and how somebody got in is no matter of how it was tried: filters on that are for failures alone. */
const OF_FAILURES = ['ip', 'error', 'mfa', 'outcome'];

/** The failures that match, with the sign-ins of their users and from their addresses that did not fail. */
export function signInAttempts(range: TimeRange, filters: readonly Filter[]): Query<Tried> {
  const ofSuccesses = filters.filter((filter) => !isTerm(filter) || !OF_FAILURES.includes(filter.field));
  return query(tried)`
    select ip, actor, homeaccount, reason, cast(sum(failures) as bigint) as failures, cast(max(streak) as bigint) as streak,
      min(first) as first, max(last) as last, min(entered) as entered, max(success) as success, max(factored) as factored, max(bare) as bare
    from (
      select *, sum(failures) over (partition by ip) as here, sum(failures) over (partition by lower(actor), homeaccount) as anywhere,
        sum(failures) over (partition by ip, lower(actor), homeaccount, run) as streak
      from (
        select ip, actor, homeaccount, run, case when outcome <> 'ok' then errorcode end as reason,
          ${distinctEventCount} filter (where outcome <> 'ok') as failures,
          min(case when outcome <> 'ok' then eventtime end) as first, max(case when outcome <> 'ok' then eventtime end) as last,
          min(case when outcome = 'ok' then eventtime end) as entered, max(case when outcome = 'ok' then eventtime end) as success,
          max(case when outcome = 'ok' and mfa = 'yes' then eventtime end) as factored,
          max(case when outcome = 'ok' and mfa = 'no' then eventtime end) as bare
        from (
          -- What lies between two sign-ins that went well is one run.
          select *, count(case when outcome = 'ok' then eventid end) over (
            partition by ip, lower(actor), homeaccount order by eventtime, eventid rows between unbounded preceding and current row) as run
          from (
            select *, sourceipaddress as ip, ${actorAccount} as homeaccount
            from ${signInsDuring(range)}
            where (outcome <> 'ok' and ${matching(filters)}) or (outcome = 'ok' and ${matching(ofSuccesses)})
          ) as signed
        ) as told
        group by 1, 2, 3, 4, 5
      ) as grouped
    ) as summed
    where here > 0 or anywhere > 0
    group by 1, 2, 3, 4
    order by failures desc, ip nulls last, actor nulls last, homeaccount nulls last, reason nulls last
    ${limit(MOST_TRIED)}
  `;
}

/** So many users who do not get in from one address are no coincidence. */
const MANY_USERS = 3;
/** So many tries are no slip of one user. */
const MANY_TRIES = 8;
/** Nobody fails at so many addresses without getting in there: on the move, it is two or three. */
const MANY_ADDRESSES = 5;
/** Whoever goes on from a phone to another network gets in there soon. */
const SOON_MS = 10 * 60_000;
/** Names of nobody: a name that does not exist is not told, for it may be a password (CloudTrail User Guide, "AWS Management Console sign-in events"). */
const NAMELESS: readonly (string | null)[] = [null, 'HIDDEN_DUE_TO_SECURITY_REASONS', 'anonymous'];

/** One user at one address. */
type Pair = Omit<Tried, 'reason'>;

/** @param rows of `signInAttempts`. */
export function classifySignIns(rows: readonly Tried[]): ClassifiedSignIns {
  const nameOf = naming(rows);
  const pairs = [...Map.groupBy(rows, (row) => `${userOf(row)} ${row.ip}`).values()].map(together);
  const places = [...Map.groupBy(pairs, ({ ip }) => ip)].map(([ip, here]) => ({ ip, here, own: addressVerdict(here) }));
  const sprays = new Set(places.filter(({ own }) => own.startsWith('spraying')).map(({ ip }) => ip));
  const users = new Map(
    [...Map.groupBy(pairs, userOf)].filter(([, own]) => own.some(hasFailed)).map(([user, own]) => [user, judgedUser(own, sprays, nameOf)]),
  );
  const addresses = places.map((place) => judgedAddress(place, users, nameOf));
  const reasons = Map.groupBy(
    rows.filter(({ failures }) => failures > 0),
    ({ reason }) => reason,
  );
  return {
    tries: sumOf(rows),
    addresses: worstFirst(addresses.filter(({ tries, verdict }) => tries > 0 || verdict === 'guessing, got in')),
    users: worstFirst([...users.values()]),
    reasons: [...reasons].map(([reason, each]) => ({ reason, tries: sumOf(each) })).toSorted((a, b) => b.tries - a.tries),
  };
}

const sumOf = (some: readonly Pick<Tried, 'failures'>[]): number => some.reduce((sum, { failures }) => sum + failures, 0);

const worstFirst = <Each extends { readonly verdict: Verdict; readonly tries: number }>(some: readonly Each[]): Each[] =>
  some.toSorted((a, b) => VERDICTS.indexOf(a.verdict) - VERDICTS.indexOf(b.verdict) || b.tries - a.tries);

/** Identity Center takes a name in any letters. */
const userOf = ({ actor, homeaccount }: Pair): string => JSON.stringify([actor?.toLowerCase() ?? null, homeaccount]);

type Naming = (pair: Pair) => string;

/** Where users of several accounts bear one name, it is told which. */
function naming(rows: readonly Pair[]): Naming {
  const accounts = Map.groupBy(new Map(rows.map((row) => [userOf(row), row])).values(), ({ actor }) => actor);
  return ({ actor, homeaccount }) => (homeaccount !== null && (accounts.get(actor)?.length ?? 0) > 1 ? `${actor} (${homeaccount})` : (actor ?? '—'));
}

const MOST_NAMES = 10;

const fewOf = (names: readonly string[]): string =>
  [...names.slice(0, MOST_NAMES), ...(names.length > MOST_NAMES ? [`${names.length - MOST_NAMES} more`] : [])].join(', ');

const timesOf = (some: readonly (string | null)[]): string[] => some.filter((at) => at !== null).toSorted();
const earliest = (some: readonly (string | null)[]): string | null => timesOf(some)[0] ?? null;
const latest = (some: readonly (string | null)[]): string | null => timesOf(some).at(-1) ?? null;
const isAfter = (at: string | null, then: string | null): boolean => at !== null && at > (then ?? '');

function together(same: readonly Tried[]): Pair {
  const { ip, actor, homeaccount } = same[0] as Tried;
  return {
    ip,
    actor,
    homeaccount,
    failures: sumOf(same),
    streak: Math.max(...same.map(({ streak }) => streak)),
    first: earliest(same.map(({ first }) => first)),
    last: latest(same.map(({ last }) => last)),
    entered: earliest(same.map(({ entered }) => entered)),
    success: latest(same.map(({ success }) => success)),
    factored: latest(same.map(({ factored }) => factored)),
    bare: latest(same.map(({ bare }) => bare)),
  };
}

const hasFailed = ({ failures }: Pair): boolean => failures > 0;
const isOften = ({ streak }: Pair): boolean => streak >= MANY_TRIES;
const gotIn = ({ success, first }: Pair): boolean => isAfter(success, first);

/** What the sign-ins from one address come to, whatever happened elsewhere. */
function addressVerdict(here: readonly Pair[]): Verdict {
  const failed = here.filter(hasFailed);
  const shut = failed.filter((each) => !gotIn(each));
  if (shut.length >= MANY_USERS) return insideOf(here).length > 0 ? 'spraying, got in' : 'spraying';
  if (failed.some(isOften)) return failed.some((each) => isOften(each) && gotIn(each)) ? 'guessing, got in' : 'guessing';
  return shut.length > 0 ? 'gave up' : 'slip';
}

/** Who got in from one address after the first failure there. */
function insideOf(here: readonly Pair[]): Pair[] {
  const first = earliest(here.map((each) => each.first));
  return here.filter(({ success }) => isAfter(success, first));
}

interface Place {
  readonly ip: string | null;
  readonly here: readonly Pair[];
  readonly own: Verdict;
}

function judgedAddress({ ip, here, own }: Place, users: ReadonlyMap<string, ClassifiedUser>, nameOf: Naming): ClassifiedAddress {
  const failed = here.filter(hasFailed);
  const inside = insideOf(here);
  const guessed = (each: Pair): ClassifiedUser | undefined => {
    const user = users.get(userOf(each));
    return user?.isSuspect ? user : undefined;
  };
  const isDoor = here.some((each) => guessed(each)?.verdict === 'guessing, got in' && guessed(each)?.inside?.ip === ip);
  const isOneOfMany = !own.startsWith('spraying') && failed.some((each) => guessed(each) && !gotIn(each));
  const verdicts: Verdict[] = [own, ...(isDoor ? (['guessing, got in'] as const) : []), ...(isOneOfMany ? (['guessing'] as const) : [])];
  return {
    ip,
    verdict: VERDICTS.find((each) => verdicts.includes(each)) ?? own,
    isSuspect: own.startsWith('spraying') || failed.some((each) => isOften(each) && !guessed(each)),
    tries: sumOf(failed),
    users: failed.length,
    names: fewOf(failed.map(nameOf)),
    inside: inside.length > 0 ? fewOf(inside.map(nameOf)) : null,
    first: earliest(failed.map(({ first }) => first)),
    last: latest(failed.map(({ last }) => last)),
  };
}

/** What the sign-ins of one user come to, from wherever they were. */
function judgedUser(own: readonly Pair[], sprays: ReadonlySet<string | null>, nameOf: Naming): ClassifiedUser {
  const user = own[0] as Pair;
  const failed = own.filter(hasFailed);
  const first = earliest(failed.map((each) => each.first));
  const since = own.filter(({ success }) => isAfter(success, first));
  const isBare = ({ bare }: Pair): boolean => isAfter(bare, first);
  // Where somebody came from before it began is a place of theirs.
  const strange = since.filter((each) => isAfter(each.entered, first) || isBare(each));
  const isNamed = !NAMELESS.includes(user.actor);
  const open = failed.filter((each) => isOften(each) || !(gotIn(each) || isMended(each, own)));
  // Of many users that one address tries, each is told by itself only who got in then.
  const alone = open.filter(({ ip }) => !sprays.has(ip));
  const isGuessed =
    alone.some(isOften) ||
    (isNamed && (alone.length >= MANY_ADDRESSES || sumOf(alone) >= MANY_TRIES)) ||
    (isNamed && open.some(isOften) && strange.length > 0);
  const verdict = verdictOf();
  const [door] = (verdict === 'guessing, got in' ? strange : since).toSorted(
    (a, b) => Number(isBare(b)) - Number(isBare(a)) || (isAfter(a.success, b.success) ? -1 : 1),
  );
  return {
    user: user.actor,
    name: nameOf(user),
    verdict,
    isSuspect: isGuessed && isNamed,
    tries: sumOf(failed),
    addresses: failed.length,
    from: fewOf(failed.map(({ ip }) => ip ?? '—')),
    inside: door ? entranceOf(door) : null,
    first,
    last: latest(failed.map((each) => each.last)),
  };

  function verdictOf(): Verdict {
    if (isGuessed) return strange.length > 0 ? 'guessing, got in' : 'guessing';
    const sprayed = failed.filter(({ ip }) => sprays.has(ip));
    if (sprayed.length > 0) return sprayed.some(gotIn) ? 'spraying, got in' : 'spraying';
    return since.length > 0 ? 'slip' : 'gave up';
  }

  function entranceOf(pair: Pair): NonNullable<ClassifiedUser['inside']> {
    const { ip, success, bare, factored } = pair;
    if (isBare(pair)) return { ip, at: bare as string, mfa: 'no' };
    return { ip, at: success as string, mfa: factored === success ? 'yes' : 'unknown' };
  }
}

/** A failure that was followed soon by a sign-in of the user from elsewhere, and was not one of many before that. */
function isMended({ last }: Pair, own: readonly Pair[]): boolean {
  const isSoon = (at: string | null, then: string | null): boolean => {
    const ms = Date.parse(then ?? '') - Date.parse(at ?? '');
    return ms >= 0 && ms <= SOON_MS;
  };
  return own
    .flatMap(({ entered, success }) => [entered, success])
    .some((then) => isSoon(last, then) && own.filter((other) => isSoon(other.last, then)).length < MANY_USERS);
}

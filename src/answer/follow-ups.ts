/** Follow-ups from an event: the profiles of its actor, address and access key, the calls around it, and one per account. */
import { isIP } from 'node:net';
import { readResourceId } from '../analysis/resource-id.ts';
import { exactFilter } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import type { Filter } from '../trail/filter.ts';
import type { Window } from '../trail/time-window.ts';
import type { Next } from './answer.ts';

const USER_KINDS = ['human', 'user'];

/** True for a user: a person as far as somebody vouches for it, or a user that may be a program. False for root, roles and services. */
export const isUserKind = (actorkind: string): boolean => USER_KINDS.includes(actorkind);

/** The filter that finds the calls of users. */
export const USERS: Filter = { field: 'kind', negated: false, values: USER_KINDS.map((text) => ({ text, wildcard: false })) };

/** The names in an event that have profiles. */
export interface ActorEvent {
  readonly actor: string | null;
  readonly actorkind: string;
  readonly sourceipaddress?: string | null;
  readonly accesskeyid?: string | null;
}

/** The profiles of everything that an event names. A service has no profile. Neither has an address that is a service's name. */
export function profileFollowUps({ actor, actorkind, sourceipaddress, accesskeyid }: ActorEvent, window: Window): Next[] {
  const profile = (name: string, word: string): Next => ({ label: `About ${word}`, line: printLine({ name, words: [word], filters: [], window }) });
  return [
    ...actorProfile(actor, actorkind).map(([name, word]) => profile(name, word)),
    ...(sourceipaddress && isIP(sourceipaddress) ? [profile('ip', sourceipaddress)] : []),
    ...(accesskeyid && readResourceId(accesskeyid).kind === 'key' ? [profile('key', accesskeyid)] : []),
  ];
}

function actorProfile(actor: string | null, kind: string): (readonly [name: string, word: string])[] {
  if (actor === null) return [];
  // The part of a role session's name after the slash differs in each session.
  if (kind === 'role') return [['role', actor.split('/')[0] as string]];
  if (kind === 'account') return [['account', actor]];
  return isUserKind(kind) ? [['user', actor]] : [];
}

/** The profiles of an actor and of an address. A service's name in place of an address has none. */
export const actorAndAddress = (actor: string | null, address: string | null, window: Window): Next[] => [
  ...(actor === null ? [] : [{ label: `About ${actor}`, line: printLine({ name: 'user', words: [actor], filters: [], window }) }]),
  ...(address === null || !isIP(address)
    ? []
    : [{ label: `About ${address}`, line: printLine({ name: 'ip', words: [address], filters: [], window }) }]),
];

/** The events of 15 minutes before and after an event, in its account. */
export function eventsAround({ eventtime, recipientaccountid }: { readonly eventtime: string; readonly recipientaccountid: string | null }): Next {
  const window: Window = { kind: 'around', at: eventtime.slice(0, 19), count: 15, unit: 'm' };
  const filters = recipientaccountid ? [exactFilter('account', recipientaccountid)] : [];
  return { label: '15 minutes around it', line: printLine({ name: 'events', words: [], filters, window }) };
}

const MAX_ACCOUNTS = 4;

/** The same question for each account, when several use the name. */
export const perAccount = (accounts: readonly string[], lineOf: (account: Filter) => string): Next[] =>
  accounts.length > 1
    ? accounts.slice(0, MAX_ACCOUNTS).map((account) => ({ label: `Only in ${account}`, line: lineOf(exactFilter('account', account)) }))
    : [];

/** Where the names in an event lead: to the card of who acted, of the address, and of the access key. */
import { isIP } from 'node:net';
import { readResourceId } from '../analysis/resource-id.ts';
import { printLine } from '../question/print.ts';
import type { Window } from '../trail/time-window.ts';
import type { Next } from './answer.ts';

/** What of an event can be asked about by itself. */
export interface Named {
  readonly actor: string | null;
  readonly actorkind: string;
  readonly sourceipaddress?: string | null;
  readonly accesskeyid?: string | null;
}

/** The cards of all that an event names. A service has none, and neither has an address that is a service's name. */
export function profileFollowUps({ actor, actorkind, sourceipaddress, accesskeyid }: Named, window: Window): Next[] {
  const card = (name: string, word: string): Next => ({ label: `About ${word}`, line: printLine({ name, words: [word], filters: [], window }) });
  return [
    ...cardOfActor(actor, actorkind).map(([name, word]) => card(name, word)),
    ...(sourceipaddress && isIP(sourceipaddress) ? [card('ip', sourceipaddress)] : []),
    ...(accesskeyid && readResourceId(accesskeyid).kind === 'key' ? [card('key', accesskeyid)] : []),
  ];
}

function cardOfActor(actor: string | null, kind: string): (readonly [name: string, word: string])[] {
  if (actor === null) return [];
  // The part of a role's session after the slash is of that session alone.
  if (kind === 'role') return [['role', actor.split('/')[0] as string]];
  if (kind === 'account') return [['account', actor]];
  return kind === 'human' ? [['user', actor]] : [];
}

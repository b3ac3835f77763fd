/** The columns of a list of deletions that tell when each takes effect, and whether it was taken back. */
import { DELAYED_CALLS, type DeletionState, deletionState, UNDOING_CALLS, type UndoingCall } from '../analysis/planned-deletions.ts';
import { spellingsOf } from '../analysis/resource-names.ts';
import { raw, type Sql } from '../trail/sql.ts';
import type { ComputedColumn, PresetEvent } from './preset/preset-question.ts';

const callIn = (names: Iterable<string>): string => `eventname in (${[...names].map((name) => `'${name}'`).join(', ')})`;

/** The condition that a call takes a scheduled deletion back. Lists read these calls too, to tell how a deletion stands. */
export const takenBack: Sql = raw(callIn(UNDOING_CALLS));

/** `due` and `state`, filled by `scheduledDeletions` from what was asked and answered. */
export const deletionColumns: readonly ComputedColumn[] = [
  { name: 'due', label: 'Due (UTC)', kind: 'time', hidden: true, from: raw(`case when ${callIn(DELAYED_CALLS)} then requestparameters end`) },
  { name: 'state', label: 'Takes effect', from: raw(`case when ${callIn(DELAYED_CALLS)} then responseelements end`) },
];

/**
 * Fills `due` and `state` of a list, newest first: "scheduled for 2026-11-27", "cancelled by alice", "due 2026-11-27, now past"; both are null for any other
 * call. The calls that only took a deletion back are left out.
 */
export function scheduledDeletions(now: Date): (event: PresetEvent) => PresetEvent | undefined {
  const undoing: (UndoingCall & { readonly names: ReadonlySet<string> })[] = [];
  return ({ due: request = null, state: response = null, ...event }) => {
    const names = spellingsOf(event.target ?? '');
    if (UNDOING_CALLS.has(event.eventname)) {
      if (event.outcome === 'ok') undoing.push({ ...event, names: new Set(names) });
      return undefined;
    }
    const later = undoing.filter(({ names: theirs }) => names.some((name) => theirs.has(name)));
    const found = event.outcome === 'ok' ? deletionState({ ...event, request, response }, later, now) : undefined;
    return { ...event, due: found?.due ?? null, state: found ? inWords(found) : null };
  };
}

const inWords = ({ state, due, cancelled }: DeletionState): string => {
  if (cancelled) return `cancelled by ${cancelled.actor}`;
  const day = due.slice(0, 10);
  return state === 'past' ? `due ${day}, now past` : `scheduled for ${day}`;
};

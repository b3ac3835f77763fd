/** The columns of a list of deletions that tell when each takes effect, and whether it was taken back. */
import { DELAYED_CALLS, type DeletionState, deletionStates, UNDOING_CALLS } from '../analysis/planned-deletions.ts';
import { spellingsOf } from '../analysis/resource-names.ts';
import { raw, type Sql, sql } from '../trail/sql.ts';
import type { ComputedColumn, PresetEvent } from './preset/preset-question.ts';

const isDelayedCall = `eventname in (${DELAYED_CALLS.map((name) => `'${name}'`).join(', ')})`;

/** The condition that a call takes a scheduled deletion back. Lists read these calls too, to tell how a deletion stands. */
export const takenBack: Sql = sql`eventname in (${raw([...UNDOING_CALLS].map((name) => `'${name}'`).join(', '))})`;

/** `due` and `state`, filled by `scheduledDeletions` from what was asked and answered. */
export const deletionColumns: readonly ComputedColumn[] = [
  { name: 'due', label: 'Takes effect (UTC)', kind: 'time', from: raw(`case when ${isDelayedCall} then requestparameters end`) },
  { name: 'state', label: 'State', from: raw(`case when ${isDelayedCall} then responseelements end`) },
];

/**
 * Fills `due` and `state` of a list, newest first: "scheduled", "cancelled by alice", "due date passed"; both are null for any other call. The
 * calls that only took a deletion back are left out.
 */
export function scheduledDeletions(events: readonly PresetEvent[], now: Date): readonly PresetEvent[] {
  const isSame = (one: string | null, other: string | null): boolean => {
    const names = new Set(spellingsOf(one ?? ''));
    return spellingsOf(other ?? '').some((name) => names.has(name));
  };
  const completed = events.map((event, i) => {
    const about = events.slice(0, i + 1).filter(({ target }) => isSame(target, event.target));
    const calls = about.map(({ due, state, ...call }) => ({
      ...call,
      request: due ?? null,
      response: state ?? null,
      isDone: call.outcome === 'ok',
      isDeletion: call.outcome === 'ok' && call.eventid === event.eventid,
    }));
    const found = deletionStates(calls, now).at(-1);
    return { ...event, due: found?.due ?? null, state: found ? inWords(found) : null };
  });
  return completed.filter(({ eventname }) => !UNDOING_CALLS.has(eventname));
}

const inWords = ({ state, cancelled }: DeletionState): string =>
  cancelled ? `cancelled by ${cancelled.actor}` : state === 'past' ? 'due date passed' : 'scheduled';

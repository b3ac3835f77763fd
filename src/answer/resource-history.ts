/** The history of a resource: the calls that name it, newest first, each with what it did to the resource. */
import { z } from 'zod';
import { type Action, actionColumns, actionRow, classifyAction, creatingCalls, deletingCalls, namesResource } from '../analysis/resource-actions.ts';
import type { ResourceId } from '../analysis/resource-id.ts';
import { type EventOrHidden, newestEvents, splitHidden } from '../trail/event-query.ts';
import { eventsDuring } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Finding, Table } from './answer.ts';
import type { Context } from './context.ts';
import { eventTable, type ListedEvent, listedColumns, listedRow, newestFirst } from './event-list.ts';

const historyRow = listedRow.extend({ ...actionRow, actorbasis: z.string() });
type HistoryRow = z.output<typeof historyRow>;
const HISTORY_COLUMNS = [...listedColumns, { name: 'actorbasis', from: sql`actorbasis` }, ...actionColumns];

/** One call that names the resource. */
export interface HistoryEvent extends ListedEvent {
  readonly actorbasis: string;
  readonly action: Action;
  /** The action's outcome, in words: "created it", "attempt: AccessDenied". */
  readonly effect: string;
  readonly isDone: boolean;
}

/** Calls that name a resource, newest first. */
export interface History {
  readonly events: readonly HistoryEvent[];
  /** True when older events were not read. */
  readonly more: boolean;
  /** How many routine calls were left out. */
  readonly hidden: number;
}

/** The calls to read: all writes, or only those that create or delete. */
const CALLS = {
  writes: sql`readlike = 'false'`,
  creating: sql`readlike = 'false' and ${creatingCalls}`,
  deleting: sql`readlike = 'false' and ${deletingCalls}`,
} as const satisfies Record<string, Sql>;

/** What to read of a resource's history. */
export interface HistoryQuery {
  readonly calls: keyof typeof CALLS;
  readonly actions: readonly Action[];
  /** Leaves routine calls out, and counts them. */
  readonly hidesRoutine: boolean;
  readonly filters: readonly Filter[];
  readonly window: TimeRange;
  /** True when older events can add nothing to the answer. */
  isEnough(events: readonly HistoryEvent[]): boolean;
  /** The answer from what was read so far. */
  partial(history: History): Finding;
}

const MAX_EVENTS = 1000;

/** Reads a resource's history, newest first, and no more of the window than it takes. */
export async function readHistory(
  resource: ResourceId,
  context: Context,
  { calls, actions, hidesRoutine, filters, window, isEnough, partial }: HistoryQuery,
): Promise<History> {
  const where = sql`${CALLS[calls]} and ${namesResource(resource)} and ${matching(filters)}`;
  const historyFrom = (rows: readonly EventOrHidden<HistoryRow>[]): History => {
    const { events, hidden } = splitHidden(rows);
    const shown = events.slice(0, MAX_EVENTS).map((row) => toHistoryEvent(row, resource));
    return { events: shown.filter(({ action }) => actions.includes(action)), more: events.length > MAX_EVENTS, hidden };
  };
  const rows = await newestFirst(context, window, {
    query: (part) => newestEvents(historyRow, HISTORY_COLUMNS, { relation: eventsDuring(part), where, hidesRoutine }, MAX_EVENTS + 1),
    isEnough(found) {
      const history = historyFrom(found);
      return history.more || isEnough(history.events);
    },
    partial: (found) => partial({ ...historyFrom(found), more: true }),
  });
  return historyFrom(rows);
}

function toHistoryEvent(row: HistoryRow, resource: ResourceId): HistoryEvent {
  const { readlike: _read, instances: _ids, errormessage: _message, request: _request, response: _response, ...event } = row;
  const action = classifyAction(row, resource);
  const isDone = event.outcome === 'ok';
  return { ...event, action, isDone, effect: isDone ? EFFECTS[action] : attempt(event) };
}

/** A dry run changes nothing, whatever its error code. */
const attempt = ({ errorcode, outcome }: ListedEvent): string =>
  errorcode?.includes('DryRunOperation') ? 'dry run, nothing done' : `attempt: ${errorcode ?? outcome}`;

const EFFECTS: Readonly<Record<Action, string>> = {
  created: 'created it',
  put: 'created or set it',
  changed: 'changed it',
  deleted: 'deleted it',
  scheduled: 'scheduled its deletion',
  used: 'used it for something else',
  read: 'read it',
};

/** The history as a table. */
export const historyTable = (caption: string, { events, more }: History, max: number): Table =>
  eventTable(caption, events, {
    max,
    more: more || events.length > max,
    hidden: ['target', 'outcome', 'via'],
    extra: [{ name: 'effect', label: 'Effect', kind: 'text' }],
  });

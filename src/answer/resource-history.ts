/** The history of a resource: the calls that name it, newest first, each with what it did to the resource. */
import { z } from 'zod';
import { createsStack } from '../analysis/change-sets.ts';
import { type DeletionState, deletionState } from '../analysis/planned-deletions.ts';
import {
  type Action,
  actionColumns,
  actionRow,
  classifyAction,
  creatingCalls,
  deletingCalls,
  namesakeClue,
  namesResource,
} from '../analysis/resource-actions.ts';
import type { ResourceId } from '../analysis/resource-id.ts';
import type { Effect } from '../trail/call-names.ts';
import { type EventOrHidden, newestEvents, splitHidden } from '../trail/event-query.ts';
import { eventsDuring, readDays } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { filterPlaces, placesOfClue, placesOfLeftOut } from '../trail/filter-places.ts';
import { isRequestLeftOut } from '../trail/left-out.ts';
import { clueToName } from '../trail/name-clue.ts';
import { findPlaces, type PlaceQueries } from '../trail/places.ts';
import { type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';
import type { Finding, Table } from './answer.ts';
import type { Context } from './context.ts';
import { eventTable, type ListedEvent, listedColumns, listedRow, newestFirst } from './event-list.ts';
import { memoryLimit } from './table-rows.ts';

const historyRow = listedRow.extend({ ...actionRow, actorbasis: z.string(), leftout: z.string().nullable() });
type HistoryRow = z.output<typeof historyRow>;
const HISTORY_COLUMNS = [
  ...listedColumns,
  { name: 'actorbasis', from: sql`actorbasis` },
  { name: 'leftout', from: sql`case when ${isRequestLeftOut} then 'request' end` },
  ...actionColumns,
];

/** One call that names the resource. */
export interface HistoryEvent extends ListedEvent {
  readonly actorbasis: string;
  readonly action: Action;
  /** The action's outcome, in words: "created it", "attempt: AccessDenied". */
  readonly effect: string;
  readonly isDone: boolean;
  /** Of a deletion that takes effect later: when, and whether it was cancelled or is past; null for any other event. */
  readonly later: DeletionState | null;
}

/** Calls that name a resource, newest first. */
export interface History {
  readonly events: readonly HistoryEvent[];
  /** True when older events were not read. */
  readonly more: boolean;
  /** How many routine calls were left out. */
  readonly hidden: number;
  /** How many calls may have named the resource in a request that CloudTrail left out. */
  readonly leftOut: number;
  /** How many successful calls on an object's bucket name no objects, and may have deleted it. */
  readonly nameless: number;
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

/** The condition that a call may concern a resource although its record does not name it. */
const mayConcern = ({ kind, within }: ResourceId): Sql =>
  sql`((${isRequestLeftOut} and coalesce(eventcategory, '') <> 'Data')${
    kind === 'object' && within !== undefined
      ? sql` or (eventname = 'DeleteObjects' and strpos(requestparameters, ${JSON.stringify(within)}) > 0)`
      : sql``
  })`;

/** Queries for where the calls are that name a resource, or may concern it. */
function historyPlaces(resource: ResourceId, filters: readonly Filter[], window: TimeRange): readonly PlaceQueries[] {
  const clues = [
    namesakeClue(resource),
    ...(resource.kind === 'object' && resource.within !== undefined ? [clueToName(resource.within, { mayBeSecret: false })] : []),
  ];
  const known = clues.filter((clue) => clue !== undefined);
  const naming = known.flatMap((clue) => placesOfClue(clue, window, { ofCalls: true, ofWrites: true }));
  return [...(known.length === clues.length ? [[...naming, ...placesOfLeftOut(window)]] : []), ...filterPlaces(filters, undefined, window)];
}

/** Events of one call that are read, and of all calls. More of one call cannot push out another. */
const MAX_PER_CALL = 1000;
const MAX_EVENTS = 20_000;

/** Reads a resource's history, newest first, and no more of the window than it takes. */
export async function readHistory(
  resource: ResourceId,
  context: Context,
  { calls, actions, hidesRoutine, filters, window, isEnough, partial }: HistoryQuery,
): Promise<History> {
  const where = sql`${CALLS[calls]} and (${namesResource(resource)} or ${mayConcern(resource)}) and ${matching(filters)}`;
  const places = await findPlaces(readDays(window), () => historyPlaces(resource, filters, window), context);
  const folders = context.foldersOf(filters);
  const maxPerCall = memoryLimit(context, MAX_PER_CALL);
  const historyFrom = (rows: readonly EventOrHidden<HistoryRow>[]): History => {
    const { events, hidden } = splitHidden(rows);
    const perCall = Map.groupBy(events, ({ eventsource, eventname }) => `${eventsource} ${eventname}`);
    const isCut = events.length > MAX_EVENTS || [...perCall.values()].some(({ length }) => length > maxPerCall);
    const shown = events.slice(0, MAX_EVENTS).filter((event) => {
      const same = perCall.get(`${event.eventsource} ${event.eventname}`) ?? [];
      return same.length <= maxPerCall || same.indexOf(event) < maxPerCall;
    });
    const classified = shown.map((row) => ({ row, ...classifyAction(row, resource) }));
    const isNameless = ({ row, role }: (typeof classified)[number]): boolean =>
      role === 'mentioned' && resource.kind === 'object' && row.eventname === 'DeleteObjects';
    const isLeftOut = ({ row, role }: (typeof classified)[number]): boolean => role === 'mentioned' && row.leftout !== null;
    const known = classified.filter((each) => !isNameless(each) && !isLeftOut(each)).map(({ row }) => row);
    return {
      events: toHistory(known, resource, context.now).filter(({ action }) => actions.includes(action)),
      more: isCut,
      hidden,
      leftOut: classified.filter(isLeftOut).length,
      nameless: classified.filter((each) => isNameless(each) && each.row.outcome === 'ok').length,
    };
  };
  const rows = await newestFirst(context, window, {
    places,
    query: (part) =>
      newestEvents(
        historyRow,
        HISTORY_COLUMNS,
        { relation: eventsDuring(part, { places, folders }), where, hidesRoutine, maxPerCall: maxPerCall + 1 },
        MAX_EVENTS + 1,
      ),
    isEnough(found) {
      const history = historyFrom(found);
      return history.more || isEnough(history.events);
    },
    partial: (found) => partial({ ...historyFrom(found), more: true }),
  });
  return historyFrom(rows);
}

/** Rows, newest first, with what each did. */
function toHistory(rows: readonly HistoryRow[], resource: ResourceId, now: Date): HistoryEvent[] {
  const classified = rows.map((row) => ({ row, ...classifyAction(row, resource), isDone: row.outcome === 'ok' }));
  return classified.map(({ row, action: own, effect, isDone }, i) => {
    const {
      readlike: _read,
      errormessage: _message,
      resourcesjson: _resources,
      request: _request,
      response: _response,
      leftout: _left,
      ...event
    } = row;
    const isCreation = own === 'changed' && isDone && createsStack(row, rows);
    const action = isCreation ? 'created' : own;
    const undoing = classified.slice(0, i).filter(({ action, isDone: done }) => done && action === 'kept');
    const later =
      own === 'scheduled' && isDone
        ? (deletionState(
            row,
            undoing.map(({ row: call }) => call),
            now,
          ) ?? null)
        : null;
    return { ...event, action, isDone, later, effect: isDone ? wordsFor(action, effect, isCreation, later) : attempt(event) };
  });
}

function wordsFor(action: Action, effect: Effect, withChangeSet: boolean, later: DeletionState | null): string {
  if (withChangeSet) return 'created it with a change set';
  if (later)
    return later.state === 'scheduled'
      ? `${DONE.scheduled} on ${later.due.slice(0, 10)}`
      : `${DONE.scheduled}, ${later.state === 'past' ? 'and the date is past' : 'cancelled since'}`;
  return (action === 'changed' ? KINDS_OF_CHANGE[effect] : undefined) ?? DONE[action];
}

/** Changes that have a word of their own. */
const KINDS_OF_CHANGE: Readonly<Partial<Record<Effect, string>>> = {
  start: 'started it',
  stop: 'stopped it',
  tag: 'tagged it',
  share: 'shared it',
  cancel: 'cancelled it',
};

/** A dry run changes nothing, whatever its error code. */
const attempt = ({ errorcode, outcome }: ListedEvent): string =>
  errorcode?.includes('DryRunOperation') ? 'dry run, nothing done' : `attempt: ${errorcode ?? outcome}`;

const DONE: Readonly<Record<Action, string>> = {
  created: 'created it',
  put: 'created or set it',
  changed: 'changed it',
  deleted: 'deleted it',
  scheduled: 'scheduled its deletion',
  kept: 'cancelled its deletion',
  used: 'used it for something else',
  read: 'read it',
};

/** The history as a table. */
export const historyTable = (caption: string, { events, more, hidden }: History, max: number): Table =>
  eventTable(caption, events, {
    max,
    more: more || events.length > max,
    hiddenCalls: hidden,
    hidden: ['target', 'outcome', 'via'],
    extra: [{ name: 'effect', label: 'Effect', kind: 'text' }],
  });

/** The life of a thing: every event that names it, with what each did to it, attempts told from deeds. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type Action, actionColumns, actionRow, classifyAction, creatingCalls, deletingCalls, namesResource } from '../analysis/resource-actions.ts';
import { type ResourceId, readResourceId } from '../analysis/resource-id.ts';
import { exactFilter } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { type allWord, type EventOrHidden, newestEvents, splitHidden } from '../trail/event-query.ts';
import { eventsDuring } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { type Sql, sql } from '../trail/sql.ts';
import type { TimeRange, Window } from '../trail/time-window.ts';
import type { Finding, Next, Table } from './answer.ts';
import type { Question } from './command.ts';
import type { Context } from './context.ts';
import { didYouMean } from './did-you-mean.ts';
import { eventTable, type ListedEvent, listedColumns, listedRow, newestFirst, widerTime } from './event-list.ts';

const LONGEST_NAME = 300;

/** The word of a line that names a thing, in any way. */
export const resourceWord = z
  .string()
  .min(1, 'An id, an ARN or a name is needed.')
  .max(LONGEST_NAME, `That is longer than any name of AWS's: ${LONGEST_NAME} characters are the most.`)
  .transform(readResourceId);

const historyRow = listedRow.extend({ ...actionRow, actorbasis: z.string() });
const COLUMNS = [...listedColumns, { name: 'actorbasis', from: sql`actorbasis` }, ...actionColumns];
type HistoryRow = z.output<typeof historyRow>;

/** A question about a thing. With `all`, where it knows that word, routine calls are told, too. */
interface AboutThing extends Pick<Question, 'filters' | 'window' | 'typedWindow'> {
  readonly words: { readonly resource: ResourceId; readonly all?: z.output<typeof allWord> };
}

/** One event of a thing's life. */
export interface HistoryEvent extends ListedEvent {
  readonly actorbasis: string;
  readonly action: Action;
  /** What it came to, in words. */
  readonly effect: string;
  readonly isDone: boolean;
}

/** The calls that may have done what is looked for: all writes, of these those that make things, or those that remove them. */
const CALLS = {
  writes: sql`readlike = 'false'`,
  making: sql`readlike = 'false' and ${creatingCalls}`,
  removing: sql`readlike = 'false' and ${deletingCalls}`,
} as const satisfies Record<string, Sql>;

/** What is looked for in a thing's life. */
interface Wanted {
  readonly calls: keyof typeof CALLS;
  readonly actions: readonly Action[];
  /** True where routine calls are left out. */
  readonly quiet?: boolean;
  /** True when older events can add nothing. */
  isEnough(events: readonly HistoryEvent[]): boolean;
  partial(history: History): Finding;
}

const MOST_EVENTS = 1000;

/** Events of a thing's life, newest first; `more` when there are older ones that were not read; and how many routine calls were left out. */
export interface History {
  readonly events: readonly HistoryEvent[];
  readonly more: boolean;
  readonly hidden: number;
}

/** Events of a thing's life, newest first, from as much of the window as it takes. */
export async function historyOf({ words: { resource }, filters, window }: AboutThing, context: Context, wanted: Wanted): Promise<History> {
  const { calls, actions, quiet = false, isEnough, partial } = wanted;
  const where = sql`${CALLS[calls]} and ${namesResource(resource)} and ${matching(filters)}`;
  const lifeOf = (rows: readonly EventOrHidden<HistoryRow>[]): History => {
    const { events, hidden } = splitHidden(rows);
    const listed = events.slice(0, MOST_EVENTS).map((row) => toHistoryEvent(row, resource));
    return { events: listed.filter(({ action }) => actions.includes(action)), more: events.length > MOST_EVENTS, hidden };
  };
  const rows = await newestFirst(context, window, {
    query: (part) => newestEvents(historyRow, COLUMNS, { relation: eventsDuring(part), where, hidesRoutine: quiet }, MOST_EVENTS + 1),
    isEnough(found) {
      const history = lifeOf(found);
      return history.more || isEnough(history.events);
    },
    partial: (found) => partial({ ...lifeOf(found), more: true }),
  });
  return lifeOf(rows);
}

function toHistoryEvent(row: HistoryRow, resource: ResourceId): HistoryEvent {
  const { readlike: _read, instances: _ids, errormessage: _message, request: _request, response: _response, ...event } = row;
  const action = classifyAction(row, resource);
  const isDone = event.outcome === 'ok';
  return { ...event, action, isDone, effect: isDone ? DONE[action] : failureOf(event) };
}

/** What an attempt came to. A dry run does nothing, whatever it is answered. */
const failureOf = ({ errorcode, outcome }: ListedEvent): string =>
  errorcode?.includes('DryRunOperation') ? 'dry run, nothing done' : `attempt: ${errorcode ?? outcome}`;

const DONE: Readonly<Record<Action, string>> = {
  created: 'created it',
  put: 'created or set it',
  changed: 'changed it',
  deleted: 'deleted it',
  scheduled: 'planned its deletion',
  used: 'used it for something else',
  read: 'read it',
};

/** The events as evidence. */
export const historyTable = (caption: string, { events, more }: History, most: number): Table =>
  eventTable(caption, events, {
    most,
    more: more || events.length > most,
    hidden: ['target', 'outcome', 'via'],
    extra: [{ name: 'effect', label: 'Effect', kind: 'text' }],
  });

/** "The IAM role", to begin a sentence with; empty for a name alone. */
export const subjectOf = ({ what }: ResourceId): string => (what === '' ? '' : `The ${what} `);

/** A thing as a line names it. */
export const nameOf = ({ arn, name }: ResourceId): string => arn?.text ?? name;

/** What a question about a thing found: the event that answers it, who is behind that, and how many routine calls it left out. */
interface Found {
  /** The command that was asked. */
  readonly name: string;
  readonly event: HistoryEvent | undefined;
  readonly actor: string | null;
  readonly hidden?: number;
  /** The accounts that it found the name in. */
  readonly accounts: readonly string[];
}

/** The accounts that things of this name are in, of those that events are of: an ARN, an id and a bucket's name are of one thing, a name may be that of several. */
export const accountsOf = (resource: ResourceId, accounts: readonly (string | null)[]): string[] =>
  resource.arn || resource.kind === 'bucket' || !isNamed(resource) ? [] : [...new Set(accounts.filter((account) => account !== null))].sort();

const NAMED: ReadonlySet<ResourceId['kind']> = new Set(['name', 'bucket', 'user', 'role', 'email']);

/** True of what has a name of people's own choice, which is easily mistyped, and which each account may give again. */
export const isNamed = ({ kind }: ResourceId): boolean => NAMED.has(kind);

/** What was found; where that is nothing, with the nearest name of a thing that the trail has. */
export async function withNearestResource(
  found: Finding,
  { words: { resource }, filters, window, typedWindow }: AboutThing,
  command: string,
  context: Context,
): Promise<Finding> {
  if (found.table?.rows.length !== 0) return found;
  const about = (name: string) => printLine({ name: command, words: [name], filters, window: typedWindow });
  return { ...found, next: [...(await didYouMeanResource(resource, window, context, about)), ...(found.next ?? [])] };
}

/** The question about the thing whose name is nearest; none of an id, which another one's would only look like. */
export const didYouMeanResource = async (
  resource: ResourceId,
  window: TimeRange,
  context: Context,
  lineOf: (name: string) => string,
): Promise<Next[]> => (isNamed(resource) ? didYouMean({ column: sql`target` }, resource.name, window, context, lineOf) : []);

/** The questions that follow from the answer: what happened around it, who that was and from where, the rest of its life; or the same of a wider time. */
export function resourceFollowUps(
  { words: { resource, all }, filters, window, typedWindow }: AboutThing,
  { name, event, actor, hidden = 0, accounts }: Found,
): Next[] {
  const about = (command: string, time: Window, ...more: string[]) =>
    printLine({ name: command, words: [nameOf(resource), ...more], filters, window: time });
  const same = (time: Window) => about(name, time, ...(all ? [all] : []));
  return [
    ...perAccount(accounts, (account) =>
      printLine({ name, words: [nameOf(resource), ...(all ? [all] : [])], filters: [...filters, account], window: typedWindow }),
    ),
    ...(event ? leadsFromEvent(event, actor, typedWindow) : []),
    ...(hidden > 0 ? [{ label: 'Show routine calls, too', line: about(name, typedWindow, 'all') }] : []),
    ...(all ? [{ label: 'Without routine calls', line: about(name, typedWindow) }] : []),
    ...(event ? [] : [widerTime(window, (wide) => same(wide))]),
    ...(name === 'history' ? [] : [{ label: 'Its whole life', line: about('history', typedWindow) }]),
    ...(name === 'who-created' ? [] : [{ label: 'Who created it', line: about('who-created', typedWindow) }]),
  ];
}

/** The cards of who did it, and of where from. */
export const whoAndWhere = ({ actor, address }: { readonly actor: string | null; readonly address: string | null }, typedWindow: Window): Next[] => [
  ...(actor === null ? [] : [{ label: `About ${actor}`, line: printLine({ name: 'user', words: [actor], filters: [], window: typedWindow }) }]),
  ...(address === null || !isIP(address)
    ? []
    : [{ label: `About ${address}`, line: printLine({ name: 'ip', words: [address], filters: [], window: typedWindow }) }]),
];

const MOST_ACCOUNTS = 4;

/** The same question of each account alone, where several have the name. */
export const perAccount = (accounts: readonly string[], lineOf: (account: Filter) => string): Next[] =>
  accounts.length > 1
    ? accounts.slice(0, MOST_ACCOUNTS).map((account) => ({ label: `In ${account} alone`, line: lineOf(exactFilter('account', account)) }))
    : [];

function leadsFromEvent(
  { recipientaccountid, eventtime, sourceipaddress: address }: HistoryEvent,
  actor: string | null,
  typedWindow: Window,
): Next[] {
  const account = recipientaccountid ? [exactFilter('account', recipientaccountid)] : [];
  const around: Window = { kind: 'around', at: eventtime.slice(0, 19), count: 15, unit: 'm' };
  return [
    { label: '15 minutes around it', line: printLine({ name: 'events', words: [], filters: account, window: around }) },
    ...whoAndWhere({ actor, address }, typedWindow),
  ];
}

/** The life of a thing: every event that names it, with what each did to it, attempts told from deeds. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { type Deed, deedColumns, deedOf, deedRow, isMaking, isRemoving, naming } from '../analysis/resource-actions.ts';
import { type Thing, thingOf } from '../analysis/resource-id.ts';
import { only } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { type allWord, newestOf, type Told, toldOf } from '../trail/event-query.ts';
import { eventsDuring } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { type Sql, sql } from '../trail/sql.ts';
import type { TimeRange, Window } from '../trail/time-window.ts';
import type { Finding, Next, Table } from './answer.ts';
import type { Question } from './command.ts';
import type { Context } from './context.ts';
import { didYouMean } from './did-you-mean.ts';
import { eventTable, type ListedEvent, listedColumns, listedRow, newestFirst, ofWiderTime } from './event-list.ts';

const LONGEST_NAME = 300;

/** The word of a line that names a thing, in any way. */
export const thingWord = z
  .string()
  .min(1, 'An id, an ARN or a name is needed.')
  .max(LONGEST_NAME, `That is longer than any name of AWS's: ${LONGEST_NAME} characters are the most.`)
  .transform(thingOf);

const lifeRow = listedRow.extend({ ...deedRow, actorbasis: z.string() });
const COLUMNS = [...listedColumns, { name: 'actorbasis', from: sql`actorbasis` }, ...deedColumns];
type LifeRow = z.output<typeof lifeRow>;

/** A question about a thing. With `all`, where it knows that word, routine calls are told, too. */
interface AboutThing extends Pick<Question, 'filters' | 'window' | 'typedWindow'> {
  readonly words: { readonly thing: Thing; readonly all?: z.output<typeof allWord> };
}

/** One event of a thing's life. */
export interface LifeEvent extends ListedEvent {
  readonly actorbasis: string;
  readonly deed: Deed;
  /** What it came to, in words. */
  readonly effect: string;
  readonly isDone: boolean;
}

/** The calls that may have done what is looked for: all writes, of these those that make things, or those that remove them. */
const CALLS = {
  writes: sql`readlike = 'false'`,
  making: sql`readlike = 'false' and ${isMaking}`,
  removing: sql`readlike = 'false' and ${isRemoving}`,
} as const satisfies Record<string, Sql>;

/** What is looked for in a thing's life. */
interface Wanted {
  readonly calls: keyof typeof CALLS;
  readonly deeds: readonly Deed[];
  /** True where routine calls are left out. */
  readonly quiet?: boolean;
  /** True when older events can add nothing. */
  isEnough(events: readonly LifeEvent[]): boolean;
  soFar(life: Life): Finding;
}

const MOST_EVENTS = 1000;

/** Events of a thing's life, newest first; `more` when there are older ones that were not read; and how many routine calls were left out. */
export interface Life {
  readonly events: readonly LifeEvent[];
  readonly more: boolean;
  readonly hidden: number;
}

/** Events of a thing's life, newest first, from as much of the window as it takes. */
export async function eventsAbout({ words: { thing }, filters, window }: AboutThing, context: Context, wanted: Wanted): Promise<Life> {
  const { calls, deeds, quiet = false, isEnough, soFar } = wanted;
  const where = sql`${CALLS[calls]} and ${naming(thing)} and ${matching(filters)}`;
  const lifeOf = (rows: readonly Told<LifeRow>[]): Life => {
    const { events, hidden } = toldOf(rows);
    const lived = events.slice(0, MOST_EVENTS).map((row) => livedOf(row, thing));
    return { events: lived.filter(({ deed }) => deeds.includes(deed)), more: events.length > MOST_EVENTS, hidden };
  };
  const rows = await newestFirst(context, window, {
    query: (part) => newestOf(lifeRow, COLUMNS, { relation: eventsDuring(part), where, quiet }, MOST_EVENTS + 1),
    isEnough(found) {
      const life = lifeOf(found);
      return life.more || isEnough(life.events);
    },
    soFar: (found) => soFar({ ...lifeOf(found), more: true }),
  });
  return lifeOf(rows);
}

function livedOf(row: LifeRow, thing: Thing): LifeEvent {
  const { readlike: _read, instances: _ids, errormessage: _message, request: _request, response: _response, ...event } = row;
  const deed = deedOf(row, thing);
  const isDone = event.outcome === 'ok';
  return { ...event, deed, isDone, effect: isDone ? DONE[deed] : failureOf(event) };
}

/** What an attempt came to. A dry run does nothing, whatever it is answered. */
const failureOf = ({ errorcode, outcome }: ListedEvent): string =>
  errorcode?.includes('DryRunOperation') ? 'dry run, nothing done' : `attempt: ${errorcode ?? outcome}`;

const DONE: Readonly<Record<Deed, string>> = {
  made: 'created it',
  set: 'created or set it',
  changed: 'changed it',
  deleted: 'deleted it',
  planned: 'planned its deletion',
  used: 'used it for something else',
  read: 'read it',
};

/** The events as evidence. */
export const lifeTable = (caption: string, { events, more }: Life, most: number): Table =>
  eventTable(caption, events, {
    most,
    more: more || events.length > most,
    hidden: ['target', 'outcome', 'via'],
    extra: [{ name: 'effect', label: 'Effect', kind: 'text' }],
  });

/** "The IAM role", to begin a sentence with; empty for a name alone. */
export const subjectOf = ({ what }: Thing): string => (what === '' ? '' : `The ${what} `);

/** A thing as a line names it. */
export const nameOf = ({ arn, name }: Thing): string => arn?.text ?? name;

/** What a question about a thing found: the event that answers it, who is behind that, and how many routine calls it left out. */
interface Found {
  /** The command that was asked. */
  readonly name: string;
  readonly event: LifeEvent | undefined;
  readonly actor: string | null;
  readonly hidden?: number;
  /** The accounts that it found the name in. */
  readonly accounts: readonly string[];
}

/** The accounts that things of this name are in, of those that events are of: an ARN, an id and a bucket's name are of one thing, a name may be that of several. */
export const accountsOf = (thing: Thing, accounts: readonly (string | null)[]): string[] =>
  thing.arn || thing.kind === 'bucket' || !isNamed(thing) ? [] : [...new Set(accounts.filter((account) => account !== null))].sort();

const NAMED: ReadonlySet<Thing['kind']> = new Set(['name', 'bucket', 'user', 'role', 'email']);

/** True of what has a name of people's own choice, which is easily mistyped, and which each account may give again. */
export const isNamed = ({ kind }: Thing): boolean => NAMED.has(kind);

/** What was found; where that is nothing, with the nearest name of a thing that the trail has. */
export async function orNearest(
  found: Finding,
  { words: { thing }, filters, window, typedWindow }: AboutThing,
  command: string,
  context: Context,
): Promise<Finding> {
  if (found.table?.rows.length !== 0) return found;
  const about = (name: string) => printLine({ name: command, words: [name], filters, window: typedWindow });
  return { ...found, next: [...(await meantThing(thing, window, context, about)), ...(found.next ?? [])] };
}

/** The question about the thing whose name is nearest; none of an id, which another one's would only look like. */
export const meantThing = async (thing: Thing, window: TimeRange, context: Context, lineOf: (name: string) => string): Promise<Next[]> =>
  isNamed(thing) ? didYouMean({ column: sql`target` }, thing.name, window, context, lineOf) : [];

/** The questions that follow from the answer: what happened around it, who that was and from where, the rest of its life; or the same of a wider time. */
export function leadsFrom(
  { words: { thing, all }, filters, window, typedWindow }: AboutThing,
  { name, event, actor, hidden = 0, accounts }: Found,
): Next[] {
  const about = (command: string, time: Window, ...more: string[]) =>
    printLine({ name: command, words: [nameOf(thing), ...more], filters, window: time });
  const same = (time: Window) => about(name, time, ...(all ? [all] : []));
  return [
    ...leadsToAccounts(accounts, (account) =>
      printLine({ name, words: [nameOf(thing), ...(all ? [all] : [])], filters: [...filters, account], window: typedWindow }),
    ),
    ...(event ? leadsFromEvent(event, actor, typedWindow) : []),
    ...(hidden > 0 ? [{ label: 'Show routine calls, too', line: about(name, typedWindow, 'all') }] : []),
    ...(all ? [{ label: 'Without routine calls', line: about(name, typedWindow) }] : []),
    ...(event ? [] : [ofWiderTime(window, (wide) => same(wide))]),
    ...(name === 'history' ? [] : [{ label: 'Its whole life', line: about('history', typedWindow) }]),
    ...(name === 'who-created' ? [] : [{ label: 'Who created it', line: about('who-created', typedWindow) }]),
  ];
}

/** The cards of who did it, and of where from. */
export const leadsToCards = ({ actor, address }: { readonly actor: string | null; readonly address: string | null }, typedWindow: Window): Next[] => [
  ...(actor === null ? [] : [{ label: `About ${actor}`, line: printLine({ name: 'user', words: [actor], filters: [], window: typedWindow }) }]),
  ...(address === null || !isIP(address)
    ? []
    : [{ label: `About ${address}`, line: printLine({ name: 'ip', words: [address], filters: [], window: typedWindow }) }]),
];

const MOST_ACCOUNTS = 4;

/** The same question of each account alone, where several have the name. */
export const leadsToAccounts = (accounts: readonly string[], lineOf: (account: Filter) => string): Next[] =>
  accounts.length > 1
    ? accounts.slice(0, MOST_ACCOUNTS).map((account) => ({ label: `In ${account} alone`, line: lineOf(only('account', account)) }))
    : [];

function leadsFromEvent({ recipientaccountid, eventtime, sourceipaddress: address }: LifeEvent, actor: string | null, typedWindow: Window): Next[] {
  const account = recipientaccountid ? [only('account', recipientaccountid)] : [];
  const around: Window = { kind: 'around', at: eventtime.slice(0, 19), count: 15, unit: 'm' };
  return [
    { label: '15 minutes around it', line: printLine({ name: 'events', words: [], filters: account, window: around }) },
    ...leadsToCards({ actor, address }, typedWindow),
  ];
}

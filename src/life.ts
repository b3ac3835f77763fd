/** The life of a thing: every event that names it, with what each did to it, attempts told from deeds. */
import { z } from 'zod';
import type { Context, Finding, Next, Table } from './answer.ts';
import { only, printLine } from './line.ts';
import { eventTable, type ListedEvent, listed, listedRow, newestFirst } from './listing.ts';
import { type Deed, deedColumns, deedOf, deedRow, isMaking, isRemoving, naming } from './trail/about.ts';
import { eventsDuring } from './trail/events.ts';
import { limit, query, type Sql, sql } from './trail/sql.ts';
import { type Thing, thingOf } from './trail/thing.ts';
import { printWindow, type TimeRange, type Window, wider } from './trail/window.ts';

const LONGEST_NAME = 300;

/** The word of a line that names a thing, in any way. */
export const thingWord = z
  .string()
  .min(1, 'An id, an ARN or a name is needed.')
  .max(LONGEST_NAME, `That is longer than any name of AWS's: ${LONGEST_NAME} characters are the most.`)
  .transform(thingOf);

const lifeRow = listedRow.extend({ ...deedRow, actorbasis: z.string() });
type LifeRow = z.output<typeof lifeRow>;

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
  /** True when older events can add nothing. */
  isEnough(events: readonly LifeEvent[]): boolean;
  soFar(life: Life): Finding;
}

const MOST_EVENTS = 1000;

/** Events of a thing's life, newest first; `more` when there are older ones that were not read. */
export interface Life {
  readonly events: readonly LifeEvent[];
  readonly more: boolean;
}

/** Events of a thing's life, newest first, from as much of the window as it takes. */
export async function eventsAbout(thing: Thing, window: TimeRange, context: Context, { calls, deeds, isEnough, soFar }: Wanted): Promise<Life> {
  const told = (rows: readonly LifeRow[]): LifeEvent[] => rows.map((row) => lived(row, thing)).filter(({ deed }) => deeds.includes(deed));
  const rows = await newestFirst<LifeRow>(context, window, {
    query: (part) => query(lifeRow)`
      select ${listed}, actorbasis, ${deedColumns}
      from ${eventsDuring(part)}
      where ${CALLS[calls]} and ${naming(thing)}
      order by eventtime desc, eventid
      ${limit(MOST_EVENTS + 1)}
    `,
    isEnough: (found) => found.length > MOST_EVENTS || isEnough(told(found)),
    soFar: (found) => soFar({ events: told(found), more: true }),
  });
  return { events: told(rows.slice(0, MOST_EVENTS)), more: rows.length > MOST_EVENTS };
}

function lived(row: LifeRow, thing: Thing): LifeEvent {
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

/** Where a question about a thing stands. */
interface Standing {
  /** The command that was asked. */
  readonly name: string;
  readonly window: TimeRange;
  readonly said: Window;
  /** The event that answers it, and who is behind that. */
  readonly event: ListedEvent | undefined;
  readonly actor: string | null;
}

/** The questions that follow from the answer: what happened around it, and what else they did; or the same of a wider time. */
export function leadsFrom(thing: Thing, { name, window, said, event, actor }: Standing): Next[] {
  if (!event) {
    return [
      { label: `The same, ${printWindow(wider(window))}`, line: printLine({ name, words: [nameOf(thing)], filters: [], window: wider(window) }) },
    ];
  }
  const account = event.recipientaccountid ? [only('account', event.recipientaccountid)] : [];
  const around: Window = { kind: 'around', at: event.eventtime.slice(0, 19), count: 15, unit: 'm' };
  return [
    { label: '15 minutes around it', line: printLine({ name: 'events', words: [], filters: account, window: around }) },
    ...(actor === null
      ? []
      : [{ label: 'What else they did', line: printLine({ name: 'events', words: [], filters: [only('user', actor)], window: said }) }]),
  ];
}

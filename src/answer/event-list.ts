/** A list of events: the columns every such list has, and how a row of it leads on to its event. */
import { z } from 'zod';
import { printLine } from '../question/print.ts';
import { type Query, raw, type Sql, sql } from '../trail/sql.ts';
import { printWindow, type TimeRange, type Window, widerWindow } from '../trail/time-window.ts';
import type { Column, Finding, Next, Row, Table } from './answer.ts';
import type { Context } from './context.ts';

/** Rows of an answer when the requester names no number. */
export const DEFAULT_ROWS = 1000;

/** The columns of `events` that a list shows. */
export const listed: Sql = sql`eventtime, actor, actorkind, eventname, eventsource, target, outcome, errorcode,
    sourceipaddress, via, awsregion, recipientaccountid, eventid`;

const nullable = z.string().nullable();

/** A row of `select ${listed} from …`. */
export const listedRow = z.object({
  eventtime: z.string(),
  actor: nullable,
  actorkind: z.string(),
  eventname: z.string(),
  eventsource: z.string(),
  target: nullable,
  outcome: z.string(),
  errorcode: nullable,
  sourceipaddress: nullable,
  via: z.string(),
  awsregion: nullable,
  recipientaccountid: nullable,
  eventid: z.string(),
});
/** The same columns, one by one. */
export const listedColumns = Object.keys(listedRow.shape).map((name) => ({ name, from: raw(name) }));
export type ListedEvent = z.output<typeof listedRow>;

const COLUMNS: readonly Column[] = [
  { name: 'eventtime', label: 'Time (UTC)', kind: 'time' },
  { name: 'actor', label: 'Who', kind: 'text' },
  { name: 'eventname', label: 'Event', kind: 'text' },
  { name: 'eventsource', label: 'Service', kind: 'text' },
  { name: 'target', label: 'On', kind: 'text' },
  { name: 'outcome', label: 'Outcome', kind: 'text' },
  { name: 'errorcode', label: 'Error', kind: 'text', hidden: true },
  { name: 'sourceipaddress', label: 'From', kind: 'text' },
  { name: 'via', label: 'Via', kind: 'text', hidden: true },
  { name: 'awsregion', label: 'Region', kind: 'text' },
  { name: 'recipientaccountid', label: 'Account', kind: 'text' },
  { name: 'actorkind', label: 'Kind', kind: 'text', hidden: true },
  { name: 'eventid', label: 'Event id', kind: 'text', hidden: true },
];

/** What a list has beside the usual. */
interface Listing {
  /** The most rows; more of them were found than are listed. */
  readonly most?: number;
  readonly more?: boolean;
  /** Columns added to the right. */
  readonly extra?: readonly Column[];
  /** Columns that say the same in every row, and are left off screens. */
  readonly hidden?: readonly string[];
}

/** Events as evidence, each leading to its record. */
export function eventTable<Event extends ListedEvent>(
  caption: string,
  events: readonly Event[],
  { most = DEFAULT_ROWS, more = events.length > most, extra = [], hidden = [] }: Listing = {},
): Table {
  const usual = COLUMNS.map((column) => (hidden.includes(column.name) ? { ...column, hidden: true } : column));
  const rows = events.slice(0, most).map((event): Row => ({ cells: { ...event }, next: toEvent(event) }));
  return { caption, columns: [...usual, ...extra], rows, more };
}

/** The first of several names in a few words; a table has no room for all. */
export const firstOf = (first: string | null, count: number): string | null =>
  first !== null && count > 1 ? `${first} and ${count - 1} more` : first;

/** A search that may stop before all of its window was read. */
interface Search<Found> {
  /** The rows of one part of the window, newest first. */
  query(part: TimeRange): Query<Found>;
  isEnough(rows: readonly Found[]): boolean;
  /** The finding to show while older rows are still being read. */
  partial?(rows: readonly Found[]): Finding;
}

/** Rows newest first, from as much of the window as it takes. Where reading is paid for, what lies further back is not read. */
export async function newestFirst<Found>({ ask, parts, showPartial }: Context, window: TimeRange, search: Search<Found>): Promise<Found[]> {
  const rows: Found[] = [];
  const all = parts(window);
  for (const [i, part] of all.entries()) {
    rows.push(...(await ask(search.query(part))));
    if (search.isEnough(rows)) break;
    if (search.partial && rows.length > 0 && i < all.length - 1) showPartial(search.partial(rows), part.from);
  }
  return rows;
}

/** The same question of a wider time. */
export function widerTime(window: TimeRange, lineOf: (wide: Window) => string): Next {
  const wide = widerWindow(window);
  return { label: `The same, ${printWindow(wide)}`, line: lineOf(wide), widens: true };
}

/** The question that shows one event's record. Its day is named, so that no more than that day is read. */
export function toEvent({ eventid, eventtime, eventname }: Pick<ListedEvent, 'eventid' | 'eventtime' | 'eventname'>): NonNullable<Row['next']> {
  const day = eventtime.slice(0, 10);
  const window: Window = { kind: 'between', from: day, to: day };
  return {
    label: `${eventname} ${eventtime.slice(0, 19).replace('T', ' ')}`,
    line: printLine({ name: 'event', words: [eventid], filters: [], window }),
  };
}

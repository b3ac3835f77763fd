/** Lists of events: their columns, and the follow-up from a row to its event. */
import { z } from 'zod';
import { printLine } from '../question/print.ts';
import { isNowhere, type Places } from '../trail/places.ts';
import { type Query, raw, type Sql, sql } from '../trail/sql.ts';
import { printWindow, type TimeRange, type Window, widerWindow } from '../trail/time-window.ts';
import { type Column, type Finding, mapRows, type Next, type Row, type Table } from './answer.ts';
import type { Context } from './context.ts';

/** Maximum rows of an answer without `top:`. */
export const DEFAULT_ROWS = 1000;

/** The columns of a list, for `select ${listed} from …`. */
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
/** The columns of a list, one by one. */
export const listedColumns = Object.keys(listedRow.shape).map((name) => ({ name, from: raw(name) }));
export type ListedEvent = z.output<typeof listedRow>;

const EVENT_COLUMNS: readonly Column[] = [
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

/** The columns for the first and the last event of a row that stands for several. */
export const FIRST_AND_LAST: readonly Column[] = [
  { name: 'first', label: 'First (UTC)', kind: 'time' },
  { name: 'last', label: 'Last (UTC)', kind: 'time' },
];

/** What differs from a usual list. */
interface EventTableOptions {
  /** Maximum rows; and whether more were found. */
  readonly max?: number;
  readonly more?: boolean;
  /** The events after these, in an export. */
  readonly rest?: AsyncIterable<ListedEvent> | undefined;
  /** How many routine calls were left out. */
  readonly hiddenCalls?: number;
  /** Columns to add on the right. */
  readonly extra?: readonly Column[];
  /** Names of columns to hide, because they have the same value in every row. */
  readonly hidden?: readonly string[];
}

/** Events as a table. Each row leads to its event. */
export function eventTable<Event extends ListedEvent>(
  caption: string,
  events: readonly Event[],
  { max = DEFAULT_ROWS, more = events.length > max, rest, hiddenCalls = 0, extra = [], hidden = [] }: EventTableOptions = {},
): Table {
  const usual = EVENT_COLUMNS.map((column) => (hidden.includes(column.name) ? { ...column, hidden: true } : column));
  const toRow = (event: ListedEvent): Row => ({ cells: { ...event }, next: toEvent(event) });
  const rows = (rest ? events : events.slice(0, max)).map(toRow);
  return { caption, columns: [...usual, ...extra], rows, ...(rest && { rest: mapRows(rest, toRow) }), more: more && !rest, hidden: hiddenCalls };
}

/** The first of several names, and the number of the others: "maria and 2 more". */
export const firstAndMore = (first: string | null, count: number): string | null =>
  first !== null && count > 1 ? `${first} and ${count - 1} more` : first;

/** A search that can stop before it has read the whole window. */
interface Search<Found> {
  /** The rows of one part of the window, newest first. */
  query(part: TimeRange): Query<Found>;
  isEnough(rows: readonly Found[]): boolean;
  /** Where the rows may be. Nothing is read when they are nowhere. Default: anywhere. */
  readonly places?: Places | undefined;
  /** The partial results to show while older rows are still being read. */
  partial?(rows: readonly Found[]): Finding;
}

/** Reads rows, newest first, until they are enough. When queries cost money, the older part of the window is then not read. */
export async function newestFirst<Found>({ ask, parts, showPartial }: Context, window: TimeRange, search: Search<Found>): Promise<Found[]> {
  const rows: Found[] = [];
  if (isNowhere(search.places)) return rows;
  const all = parts(window);
  for (const [i, part] of all.entries()) {
    rows.push(...(await ask(search.query(part))));
    if (search.isEnough(rows)) break;
    if (search.partial && rows.length > 0 && i < all.length - 1) showPartial(search.partial(rows), part.from);
  }
  return rows;
}

/** The same question over a wider time. */
export function widerTime(window: TimeRange, lineOf: (wide: Window) => string): Next {
  const wide = widerWindow(window);
  return { label: `The same, ${printWindow(wide)}`, line: lineOf(wide), widens: true };
}

/** The question that shows one event. It names the event's day, so that only that day is read. */
function toEvent({ eventid, eventtime, eventname }: Pick<ListedEvent, 'eventid' | 'eventtime' | 'eventname'>): NonNullable<Row['next']> {
  const day = eventtime.slice(0, 10);
  const window: Window = { kind: 'between', from: day, to: day };
  return {
    label: `${eventname} ${eventtime.slice(0, 19).replace('T', ' ')}`,
    line: printLine({ name: 'event', words: [eventid], filters: [], window }),
  };
}

/** The data of an answer, without any formatting. A command or report returns a Finding; the desk turns it into an Answer. */
import type { AccountNames } from '../text/account-names.ts';
import type { QuestionGrant } from './grant.ts';

export type Cell = string | number | null;

/**
 * A column of a table. Times are ISO text in UTC; a `member` is a user or a channel of Slack by its id, or another name. A `hidden` column is
 * in JSON and CSV, but not on a screen.
 */
export interface Column {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'time' | 'count' | 'member';
  readonly hidden?: boolean;
}

/** A row of a table, with the question to ask when it is picked. */
export interface Row {
  readonly cells: Readonly<Record<string, Cell>>;
  readonly next?: Next;
}

/** The table of an answer. A row for one event has its `eventid`. */
export interface Table {
  /** What the rows are, in a few words: "Root sign-ins". */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** The rows after these, in an export: they are read as they are printed. */
  readonly rest?: AsyncIterable<Row>;
  /** True when more rows were found than these and `rest`. */
  readonly more?: boolean;
  /** How many routine calls were left out. */
  readonly hidden?: number;
  /** Why rows may be missing or not complete, as a sentence: a limit on what was read for them. */
  readonly limitation?: string;
  /** True for a table that is only in JSON and CSV: the template already shows all of it. */
  readonly exportOnly?: boolean;
}

/** Intervals in a row outside what is usual for a count. Times are ISO text in UTC; `to` is the end of the last interval. */
export interface OutsideEpisode {
  readonly direction: 'above' | 'below';
  readonly from: string;
  readonly to: string;
  /** The events in it, and how many are usual. */
  readonly actual: number;
  readonly usual: number;
  readonly deviations: number;
}

/** What is outside the band of a count, by time; `knownTo` is the end of the last interval that is known, null when none is. */
interface OutsideBand {
  readonly knownTo: string | null;
  readonly episodes: readonly OutsideEpisode[];
}

/** A follow-up question. */
export interface Next {
  readonly label: string;
  readonly line: string;
  /** True for the same question over a wider time. It is not offered when the window covers the whole trail already. */
  readonly widens?: boolean;
}

/** Counts over time, or by name. A value that is not known is null. */
export interface Chart {
  readonly title: string;
  readonly kind: 'line' | 'bar' | 'area';
  /** The points, in order: times or names. */
  readonly categories: readonly string[];
  /** A value for each point. Two series may be the limits of a band: of what is usual. */
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[]; readonly limit?: 'upper' | 'lower' }[];
  readonly yLabel?: string;
  /** The index of the point to show where not all fit: with its neighbours. Default: the newest. */
  readonly focus?: number;
}

/** Follow-up questions in a menu. `prompt` is what it shows while nothing is chosen. */
interface Menu {
  readonly prompt: string;
  readonly options: readonly Next[];
}

/** A value of the events in a list, and the question of the list changed by it: with this value alone, without it, and counted by its field. */
export interface Refinement {
  /** The field, as filters name it. */
  readonly field: string;
  readonly next: readonly Next[];
}

/** What a command or a report found. */
export interface Finding {
  /** The data for the template. */
  readonly data: object;
  /** The template, where it is not the one with the name of the command or report. */
  readonly template?: string;
  /** Of a count with a band: what is outside it. */
  readonly outside?: OutsideBand;
  readonly table?: Table;
  /** At most two. */
  readonly charts?: readonly Chart[];
  readonly next?: readonly Next[];
  /** More follow-ups, in a menu. */
  readonly menu?: Menu;
  /** Of events: the values by which the question can be changed. */
  readonly refinements?: readonly Refinement[];
  /** A remark on the answer: for example, that not all of the window was read. */
  readonly note?: string;
  /** True for a report that lacks what is still expected: it can be made again. */
  readonly isPartial?: true;
  /** Details for those who want more: where the answer is posted, they are a reply in its thread. */
  readonly details?: Details;
}

/** What is said in a thread below an answer, with a template of its own. */
export interface Details extends Omit<Finding, 'details' | 'template'> {
  readonly template: string;
  /** The names of accounts, to show beside their ids. The data, the table and the lines have ids. */
  readonly accountNames?: AccountNames;
}

/** What was searched, how long it took and what it cost. */
export interface Coverage {
  /** ISO text in UTC, [from, to); null when the question has no window. */
  readonly from: string | null;
  readonly to: string | null;
  /** eventTime of the newest event in the trail. Later events are not delivered yet. */
  readonly asOf: string | null;
  readonly first: string | null;
  readonly accounts: number;
  readonly regions: number;
  /** Files and events of the trail that could not be read. */
  readonly skippedFiles: number;
  readonly skippedEvents: number;
  /** The part of the time whose log files are archived and were not read, [from, to). */
  readonly archived?: { readonly from: string; readonly to: string };
  /** Set when new files of the trail could not be loaded: when all of them were loaded last, ISO text in UTC. */
  readonly loadedAt?: string;
  readonly rows: number;
  readonly queries: number;
  readonly ms: number;
  readonly bytes: number | null;
  /** What the queries cost; null where they cost nothing. */
  readonly dollars: number | null;
  readonly queryIds: readonly string[];
}

/** A finding with its template, the line that it answers, and its coverage. */
export interface Answer extends Omit<Finding, 'template'> {
  readonly template: string;
  readonly line?: string;
  /** The line with the exact time that was searched: asked later, it is the same question. */
  readonly pinned?: string;
  readonly coverage?: Coverage;
  /** What was granted for it; undefined without a policy. */
  readonly grant?: QuestionGrant;
  /** What the rows lack that the requester did not leave out: sentences. */
  readonly missing?: readonly string[];
  /** As in its details. */
  readonly accountNames?: AccountNames;
  /** What it is in a case: it is posted in the case’s channel or thread, for everyone. */
  readonly inCase?: { readonly id: string; readonly kind: 'opened' | 'note' };
  /** True for what is kept for people, such as their subscriptions or the audit log: it is for who asked alone, wherever they asked. */
  readonly isPrivate?: true;
}

/** Rows made one by one from what an iterable yields. */
export async function* mapRows<Each>(all: AsyncIterable<Each>, toRow: (each: Each) => Row): AsyncGenerator<Row> {
  for await (const each of all) yield toRow(each);
}

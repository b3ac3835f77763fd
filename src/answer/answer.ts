/** What is found, before anyone knows how it looks. Commands and reports return a Finding; the desk makes it an Answer. */

export type Cell = string | number | null;

/** A column of evidence. Times are ISO text in UTC; a `hidden` column is in JSON and CSV but not on a screen. */
export interface Column {
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'time' | 'count';
  readonly hidden?: boolean;
}

/** A row of evidence, with the question it leads to when it is picked. */
export interface Row {
  readonly cells: Readonly<Record<string, Cell>>;
  readonly next?: Next;
}

/** The evidence. A row that is one event carries its `eventid`. */
export interface Table {
  /** What the rows are, in a few words: "Root sign-ins". */
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** More rows than these were found. */
  readonly more?: boolean;
  /** Only for JSON and CSV: the template already says all of it. */
  readonly unseen?: boolean;
}

/** A follow-up question. */
export interface Next {
  readonly label: string;
  readonly line: string;
  /** True where it is the same of a wider time: not offered to whoever has asked of all the trail already. */
  readonly widens?: boolean;
}

/** What a command or a report found. */
export interface Finding {
  /** What the template is filled with. */
  readonly data: object;
  readonly table?: Table;
  readonly next?: readonly Next[];
  /** What is to be known of it beside: that not all was read, for instance. */
  readonly note?: string;
}

/** What was searched, and what it took. */
export interface Coverage {
  /** ISO text in UTC, [from, to); null when no time was asked about. */
  readonly from: string | null;
  readonly to: string | null;
  /** eventTime of the newest event the trail holds: what happened later cannot be seen yet. */
  readonly asOf: string | null;
  readonly first: string | null;
  readonly accounts: number;
  readonly regions: number;
  /** Files and events of the trail that could not be read. */
  readonly skippedFiles: number;
  readonly skippedEvents: number;
  readonly rows: number;
  readonly queries: number;
  readonly ms: number;
  readonly bytes: number | null;
  /** What the queries cost; null where they cost nothing. */
  readonly dollars: number | null;
  readonly queryIds: readonly string[];
}

/** An answer: the finding, the template that says it, the line it answers and the ground it stands on. */
export interface Answer extends Finding {
  readonly template: string;
  readonly line?: string;
  readonly coverage?: Coverage;
}

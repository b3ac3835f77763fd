/** What the two threads of a load hand each other: files of lines, a record each, with what is known of its place in front. */

/** A file of lines of one day. DuckDB parses some 2,000 lines at once, however long they are, so a stage is kept short. */
export interface Stage {
  readonly path: string;
  /** 'yyyy/MM/dd' */
  readonly day: string;
  readonly bytes: number;
  /** Bytes of its longest line. */
  readonly longestLine: number;
}

/** What a line says of its place. The name of such a field is the load's mark and the field's number here. */
export const PLACE_FIELDS = ['line', 'file', 'digest', 'day', 'account', 'region'] as const;
export type PlaceField = (typeof PLACE_FIELDS)[number];

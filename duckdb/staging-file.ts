/** Staging files: NDJSON files of records that the unpack thread writes and DuckDB reads. */

/** A file with lines of one day. DuckDB parses about 2,000 lines at once, however long they are, so the files are small. */
export interface StagingFile {
  readonly path: string;
  /** 'yyyy/MM/dd' */
  readonly day: string;
  readonly bytes: number;
  /** Bytes of its longest line. */
  readonly longestLine: number;
}

/**
 * Fields that unpacking adds to each record. Their names in the line are the load's prefix plus the index here. `asked` and
 * `answered` are where the request and the response name what the call is about, by the catalogue of calls.
 */
export const LINE_FIELDS = ['line', 'file', 'digest', 'day', 'account', 'region', 'asked', 'answered'] as const;
export type LineField = (typeof LINE_FIELDS)[number];

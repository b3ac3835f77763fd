/** Rows that were paid for, kept for a while: a question that was asked about on its way goes on from there, and is not paid for anew. */
import { lately } from './lately.ts';
import type { Query } from './trail/sql.ts';

export interface Paid {
  keep(query: Query, rows: readonly unknown[], now: Date): void;
  /** The rows of the very same statement with the very same values; undefined when they are not known any more. */
  find(query: Query, now: Date): unknown[] | undefined;
}

const KEPT = { most: 20, ms: 15 * 60_000 };
/** Of a longer list the rest would take too much memory. */
const MOST_ROWS = 2000;

export function openPaid(): Paid {
  const known = lately<readonly unknown[]>(KEPT);
  return {
    keep(query, rows, now) {
      if (rows.length <= MOST_ROWS) known.keep(keyOf(query), rows, now);
    },
    find(query, now) {
      const rows = known.find(keyOf(query), now);
      return rows && [...rows];
    },
  };
}

const keyOf = ({ text, values }: Query): string => JSON.stringify([text, values]);

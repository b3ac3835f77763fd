/** Rows that were paid for, kept for a while: a question that was asked about on its way goes on from there, and is not paid for anew. */
import type { Query } from './trail/sql.ts';

export interface Paid {
  keep(query: Query, rows: readonly unknown[], now: Date): void;
  /** The rows of the very same statement with the very same values; undefined when they are not known any more. */
  find(query: Query, now: Date): unknown[] | undefined;
}

const KEPT_MS = 15 * 60_000;
const MOST = 20;
/** Of a longer list the rest would take too much memory. */
const MOST_ROWS = 2000;

export function openPaid(): Paid {
  const kept = new Map<string, { readonly rows: readonly unknown[]; readonly at: number }>();
  return {
    keep(query, rows, now) {
      if (rows.length > MOST_ROWS) return;
      const key = keyOf(query);
      kept.delete(key);
      kept.set(key, { rows, at: now.getTime() });
      for (const oldest of kept.keys()) if (kept.size > MOST) kept.delete(oldest);
    },
    find(query, now) {
      const found = kept.get(keyOf(query));
      return found && Math.abs(now.getTime() - found.at) < KEPT_MS ? [...found.rows] : undefined;
    },
  };
}

const keyOf = ({ text, values }: Query): string => JSON.stringify([text, values]);

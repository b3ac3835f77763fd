/** Rows that were paid for, kept for 15 minutes: a question that was confirmed on its way goes on from them and does not pay again. */
import { LRUCache } from 'lru-cache';
import type { Query } from '../trail/sql.ts';

export interface QueryCache {
  keep(query: Query, rows: readonly unknown[], now: Date): void;
  /** The rows of the same statement with the same values; undefined when they are not in the cache. */
  find(query: Query, now: Date): unknown[] | undefined;
}

const MAX_QUERIES = 20;
const TTL_MS = 15 * 60_000;
/** Longer lists would take too much memory. */
const MAX_CACHED_ROWS = 2000;

export function openQueryCache(): QueryCache {
  let now = 0;
  const cache = new LRUCache<string, readonly unknown[]>({ max: MAX_QUERIES, ttl: TTL_MS, ttlResolution: 0, perf: { now: () => now } });
  return {
    keep(query, rows, at) {
      now = at.getTime();
      if (rows.length <= MAX_CACHED_ROWS) cache.set(statementKey(query), rows);
    },
    find(query, at) {
      now = at.getTime();
      const rows = cache.get(statementKey(query));
      return rows && [...rows];
    },
  };
}

const statementKey = ({ text, values }: Query): string => JSON.stringify([text, values]);

/** Caches paid rows for 15 minutes, so that a question that goes on after a confirmation does not pay for them again. */
import { LRUCache } from 'lru-cache';
import type { Query } from '../trail/sql.ts';

export interface QueryCache {
  store(query: Query, rows: readonly unknown[], now: Date): void;
  /** The rows of the same statement with the same values; undefined when they are not in the cache. */
  find(query: Query, now: Date): unknown[] | undefined;
}

const MAX_QUERIES = 20;
const ROWS_TTL_MS = 15 * 60_000;
/** Longer lists would take too much memory. */
const MAX_CACHED_ROWS = 2000;

export function openQueryCache(): QueryCache {
  let now = 0;
  const cache = new LRUCache<string, readonly unknown[]>({ max: MAX_QUERIES, ttl: ROWS_TTL_MS, ttlResolution: 0, perf: { now: () => now } });
  return {
    store(query, rows, at) {
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

/** Rows that questions with a band need not read again, in memory: a watch asks each hour for weeks of which only the last days change. */
import { LRUCache } from 'lru-cache';
import type { KnownRows, RowMemory } from '../answer/context.ts';

/** Of all that is known, at about 100 bytes each. */
const MAX_KNOWN_ROWS = 500_000;

export function openRowMemory(): RowMemory {
  const cache = new LRUCache<string, KnownRows<unknown>>({ maxSize: MAX_KNOWN_ROWS, sizeCalculation: ({ rows }) => rows.length + 1 });
  return {
    // A key has rows of one type: it names the query.
    find: <Row>(key: string) => cache.get(key) as KnownRows<Row> | undefined,
    store: (key, known) => void cache.set(key, known),
  };
}

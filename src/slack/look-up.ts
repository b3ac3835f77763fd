/** Looks something up in Slack by its id, and remembers it. What needs a scope that the app lacks, or takes long, is unknown. */
import { LRUCache } from 'lru-cache';

const MAX_IDS = 1000;
/** A question does not wait longer for it. */
const MAX_LOOKUP_MS = 2000;
/** After a failure it is tried again, but not at each question. */
const FORGET_FAILURE_MS = 60_000;

/** A function that gives what `find` does, remembered for `ttlMs`; undefined when it fails or takes longer than two seconds. */
export function openLookUp<T>(find: (id: string) => Promise<T>, ttlMs: number): (id: string) => Promise<T | undefined> {
  const found = new LRUCache<string, Promise<T | undefined>>({ max: MAX_IDS, ttl: ttlMs });
  const findInTime = async (id: string): Promise<T | undefined> => {
    const value = await Promise.race([find(id).catch(() => undefined), afterLookUp()]);
    if (value === undefined) found.set(id, Promise.resolve(undefined), { ttl: Math.min(FORGET_FAILURE_MS, ttlMs) });
    return value;
  };
  return (id) => {
    const known = found.get(id);
    if (known) return known;
    const finding = findInTime(id);
    found.set(id, finding);
    return finding;
  };
}

const afterLookUp = (): Promise<undefined> =>
  new Promise((resolve) => {
    AbortSignal.timeout(MAX_LOOKUP_MS).addEventListener('abort', () => resolve(undefined), { once: true });
  });

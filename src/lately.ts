/** Values of the last minutes: so many at most, the oldest given up first. */

export interface Lately<Value> {
  keep(key: string, value: Value, now: Date): void;
  /** Undefined for what was never kept, is too old, or was given up. */
  find(key: string, now: Date): Value | undefined;
}

export function lately<Value>({ most, ms }: { readonly most: number; readonly ms: number }): Lately<Value> {
  const kept = new Map<string, { readonly value: Value; readonly at: number }>();
  return {
    keep(key, value, now) {
      kept.delete(key);
      kept.set(key, { value, at: now.getTime() });
      for (const oldest of kept.keys()) if (kept.size > most) kept.delete(oldest);
    },
    find(key, now) {
      const found = kept.get(key);
      // A question may be asked as of another time than the one before it.
      return found && Math.abs(now.getTime() - found.at) < ms ? found.value : undefined;
    },
  };
}

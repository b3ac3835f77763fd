/** A value that is looked up once, and again in the background when it is old, so that no question waits for it. */

export interface RefreshOptions<Value> {
  read(): Promise<Value>;
  readonly clock: () => Date;
  readonly maxAgeMs: number;
}

/**
 * Reads the value and returns a function that gives the latest one. When a later read fails, the value before it stays.
 *
 * @throws what the first read throws.
 */
export async function openRefreshed<Value>({ read, clock, maxAgeMs }: RefreshOptions<Value>): Promise<() => Value> {
  let value = await read();
  let readAt = clock().getTime();
  let isReading = false;
  const refresh = async (): Promise<void> => {
    isReading = true;
    value = await read().catch(() => value);
    readAt = clock().getTime();
    isReading = false;
  };
  return () => {
    if (!isReading && clock().getTime() - readAt >= maxAgeMs) void refresh();
    return value;
  };
}

/** Tests wait for a condition, never for a fixed time. */
import { vi } from 'vitest';

/** Longer than the slowest machine needs, and shorter than the timeout of a test, so that the failed condition is shown. */
const NEVER_MS = 90_000;

/** Waits until `check` does not throw, and returns its result. */
export const until = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: NEVER_MS, interval: 10 });

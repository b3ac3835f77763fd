/** Waiting in tests is for a condition, never for a while. */
import { vi } from 'vitest';

/** Longer than any machine takes, and shorter than a test may: what never comes is told by what was waited for. */
const NEVER_MS = 90_000;

/** Waits until `check` no longer throws, and gives what it gave. */
export const until = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: NEVER_MS, interval: 10 });

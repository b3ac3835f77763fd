/** Requests that are still being answered after they were acknowledged. Bolt's stop() does not wait for them. */
import { UserError } from '../errors.ts';

/** Time to send their requesters a message after the remaining questions were stopped. */
const MAX_NOTIFY_MS = 2000;

export interface RequestTracker {
  /** Aborted when a drain times out. */
  readonly signal: AbortSignal;
  track<T>(handle: () => Promise<T>): Promise<T>;
  /** Waits up to `timeoutMs` until all requests are answered, then aborts the rest. True when none had to be aborted. */
  drain(timeoutMs: number): Promise<boolean>;
}

export function trackRequests(): RequestTracker {
  const controller = new AbortController();
  const running = new Set<Promise<unknown>>();
  return {
    signal: controller.signal,
    async track(handle) {
      const request = handle();
      running.add(request);
      try {
        return await request;
      } finally {
        running.delete(request);
      }
    },
    async drain(timeoutMs) {
      if (await areSettled(running, timeoutMs)) return true;
      controller.abort(new UserError('trailbot is restarting and had to stop this question. Ask again in a minute.'));
      await areSettled(running, MAX_NOTIFY_MS);
      return false;
    },
  };
}

/** Waits up to `timeoutMs` until no request is running; true when none is. */
async function areSettled(running: ReadonlySet<Promise<unknown>>, timeoutMs: number): Promise<boolean> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const timedOut = new Promise<void>((resolve) => timeout.addEventListener('abort', () => resolve(), { once: true }));
  while (running.size > 0 && !timeout.aborted) await Promise.race([Promise.allSettled(running), timedOut]);
  return running.size === 0;
}

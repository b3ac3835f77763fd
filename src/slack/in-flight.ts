/** Work that goes on after Slack was acknowledged. Bolt's stop() does not wait for it, so we count it ourselves. */

import { UserError } from '../errors.ts';

/** How long a requester whose question was stopped may take to hear of it. */
const LAST_WORDS_MS = 2000;

export interface InFlight {
  /** Aborted when a drain runs out of patience. */
  readonly signal: AbortSignal;
  track<T>(work: () => Promise<T>): Promise<T>;
  /** Waits until nothing is at work, `patience` milliseconds at most, then tells the rest to stop. True when all had ended. */
  drain(patience: number): Promise<boolean>;
}

export function openInFlight(): InFlight {
  const controller = new AbortController();
  const working = new Set<Promise<unknown>>();
  return {
    signal: controller.signal,
    async track(work) {
      const job = work();
      working.add(job);
      try {
        return await job;
      } finally {
        working.delete(job);
      }
    },
    async drain(patience) {
      const ended = await settled(working, patience);
      if (ended) return true;
      controller.abort(new UserError('I am being restarted and had to stop. Ask again in a minute.'));
      await settled(working, LAST_WORDS_MS);
      return false;
    },
  };
}

/** Waits until `working` is empty, `patience` milliseconds at most; true when it is. */
async function settled(working: ReadonlySet<Promise<unknown>>, patience: number): Promise<boolean> {
  const impatience = AbortSignal.timeout(patience);
  const outOfPatience = new Promise<void>((resolve) => impatience.addEventListener('abort', () => resolve(), { once: true }));
  while (working.size > 0 && !impatience.aborted) await Promise.race([Promise.allSettled(working), outOfPatience]);
  return working.size === 0;
}

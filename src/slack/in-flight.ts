/** Work that goes on after Slack was acknowledged. Bolt's stop() does not wait for it, so we count it ourselves. */

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
      const impatience = AbortSignal.timeout(patience);
      while (working.size > 0 && !impatience.aborted) {
        const outOfPatience = new Promise<void>((resolve) => impatience.addEventListener('abort', () => resolve(), { once: true }));
        await Promise.race([Promise.allSettled(working), outOfPatience]);
      }
      const ended = working.size === 0;
      if (!ended) controller.abort(new Error('trailbot is stopping'));
      return ended;
    },
  };
}

/** A desk that loads new trail files before it answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Desk } from './desk.ts';

export interface FileLoading {
  /** Loads the files that are new. */
  load(): Promise<unknown>;
  readonly clock: () => Date;
  /** Gets the error of a load that failed; questions are then answered from the files loaded before. */
  onError(error: unknown): void;
}

/** The trail's folder is checked for new files at most this often, when a question comes. */
const LOAD_EVERY_MS = 60_000;
/** A question waits at most this long for a load; after that it is answered from the files loaded before. */
const MAX_LOAD_WAIT_MS = 5000;

/** The same desk, which loads new files before each answer and report. */
export function withFreshFiles(desk: Desk, { load, clock, onError }: FileLoading): Desk {
  let checkedAt = clock().getTime();
  let loading: Promise<unknown> = Promise.resolve();
  const loadNewFiles = (): Promise<unknown> => {
    const now = clock().getTime();
    if (now - checkedAt >= LOAD_EVERY_MS) {
      checkedAt = now;
      loading = load().catch(onError);
    }
    return Promise.race([loading, sleep(MAX_LOAD_WAIT_MS)]);
  };
  return {
    ...desk,
    answer: (line, options) => loadNewFiles().then(() => desk.answer(line, options)),
    report: (name, period, options) => loadNewFiles().then(() => desk.report(name, period, options)),
  };
}

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

/**
 * The same desk, which loads new files before each answer and report. A person waits a few seconds for them; a report waits until all are
 * loaded, since a count of a part of its day would look like the whole.
 */
export function withFreshFiles(desk: Desk, { load, clock, onError }: FileLoading): Desk {
  let checkedAt = clock().getTime();
  let loading: Promise<unknown> = Promise.resolve();
  const start = (): Promise<unknown> => {
    checkedAt = clock().getTime();
    loading = load().catch(onError);
    return loading;
  };
  const loadForPerson = (): Promise<unknown> => {
    if (clock().getTime() - checkedAt >= LOAD_EVERY_MS) start();
    return Promise.race([loading, sleep(MAX_LOAD_WAIT_MS)]);
  };
  /** A load that runs already may have listed the files before the newest came. */
  const loadAll = async (signal: AbortSignal): Promise<void> => {
    await abortable(loading, signal);
    await abortable(start(), signal);
  };
  return {
    ...desk,
    answer: (line, options) => loadForPerson().then(() => desk.answer(line, options)),
    report: (name, period, options) => loadAll(options.signal).then(() => desk.report(name, period, options)),
  };
}

/** Waits for work, or rejects with the signal's reason as soon as it is aborted. */
async function abortable(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

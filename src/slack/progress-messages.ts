/** Messages to a requester who waits: the place in the queue, how much was scanned, and partial results. There are few, since the answer follows. */
import pLimit from 'p-limit';
import type { Answer } from '../answer/answer.ts';
import type { AskOptions } from '../desk/runner.ts';

/** What to report while a question runs. */
export type ProgressUpdate =
  /** The place in the queue (0: running), and the bytes scanned so far. */
  | { readonly kind: 'waiting'; readonly queuePosition: number; readonly bytes: number }
  /** Results so far; events before `until` are still being scanned. */
  | { readonly kind: 'partial'; readonly answer: Answer; readonly until: Date };

export interface ProgressReporter extends Required<Pick<AskOptions, 'onProgress' | 'onPartial'>> {
  /** Sends no more; resolves when messages that are being sent have been sent. */
  end(): Promise<void>;
}

const NOTHING_KNOWN = { kind: 'waiting', queuePosition: 0, bytes: 0 } as const;

/**
 * Sends the latest update at each of the times `afterMs`, in milliseconds from now, if there is a new one. A response_url
 * takes five messages: three updates leave one for the answer, and one for the answer with its table as text.
 */
export function reportProgress(afterMs: readonly number[], send: (update: ProgressUpdate) => Promise<void>): ProgressReporter {
  let waiting: Extract<ProgressUpdate, { kind: 'waiting' }> | undefined;
  let partial: ProgressUpdate | undefined;
  const inTurn = pLimit(1);
  let hasReportedScan = false;
  let hasReported = false;

  const timers = afterMs.map((ms) =>
    setTimeout(() => {
      // The first message always comes, so that the question can be stopped.
      const update = partial ?? waiting ?? (hasReported ? undefined : NOTHING_KNOWN);
      hasReported = true;
      if (!update) return;
      [partial, waiting] = [undefined, undefined];
      hasReportedScan ||= update.kind === 'waiting' && update.queuePosition === 0;
      void inTurn(() => send(update)).catch(() => undefined);
    }, ms),
  );
  return {
    onProgress({ queuePosition, bytes }) {
      // A running scan is reported once, not every minute. A place in the queue is outdated once the query runs.
      waiting = queuePosition > 0 || (bytes > 0 && !hasReportedScan) ? { kind: 'waiting', queuePosition, bytes } : undefined;
    },
    onPartial(answer, until) {
      partial = { kind: 'partial', answer, until };
    },
    async end() {
      for (const timer of timers) clearTimeout(timer);
      await inTurn(async () => undefined);
    },
  };
}

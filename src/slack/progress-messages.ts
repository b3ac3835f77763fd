/** What a requester who waits is told: what is searched, the place in the queue, how much was scanned, and partial results. There are few messages, since the answer follows. */
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

/** When to report, in milliseconds after the question. */
export interface ProgressTimes {
  /** At each of these; the first one always, so that the question can be stopped. */
  readonly afterMs: readonly number[];
  /** Then again and again, where a message is edited. Default: never. */
  readonly everyMs?: number;
}

const NOTHING_KNOWN = { kind: 'waiting', queuePosition: 0, bytes: 0 } as const;

/** Sends the latest update at each of the times, if there is a new one. */
export function reportProgress({ afterMs, everyMs }: ProgressTimes, send: (update: ProgressUpdate) => Promise<void>): ProgressReporter {
  let waiting: Extract<ProgressUpdate, { kind: 'waiting' }> | undefined;
  let partial: ProgressUpdate | undefined;
  const inTurn = pLimit(1);
  const isEdited = everyMs !== undefined;
  let hasReportedScan = false;
  let hasReported = false;
  let repeated: NodeJS.Timeout | undefined;

  const report = (): void => {
    const update = partial ?? waiting ?? (hasReported ? undefined : NOTHING_KNOWN);
    hasReported = true;
    // An edit of a slow Slack does not wait behind others.
    if (!update || inTurn.pendingCount > 0) return;
    [partial, waiting] = [undefined, undefined];
    hasReportedScan ||= update.kind === 'waiting' && update.bytes > 0;
    void inTurn(() => send(update)).catch(() => undefined);
  };
  const timers = afterMs.map((ms) => setTimeout(report, ms));
  if (everyMs !== undefined)
    timers.push(
      setTimeout(
        () => {
          repeated = setInterval(report, everyMs);
        },
        Math.max(0, ...afterMs),
      ),
    );
  return {
    onProgress({ queuePosition, bytes }) {
      // In messages of its own, a running scan is reported once. A place in the queue is outdated once the query runs.
      waiting = queuePosition > 0 || (bytes > 0 && (isEdited || !hasReportedScan)) ? { kind: 'waiting', queuePosition, bytes } : undefined;
    },
    onPartial(answer, until) {
      partial = { kind: 'partial', answer, until };
    },
    async end() {
      for (const timer of timers) clearTimeout(timer);
      clearInterval(repeated);
      await inTurn(async () => undefined);
    },
  };
}

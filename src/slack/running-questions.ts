/** Questions that run now, which the person who asked can stop. */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { UserError } from '../errors.ts';
import type { Cancellations } from '../state/cancellations.ts';
import { formatBytes } from '../text/format.ts';

interface RunningQuestion {
  readonly id: string;
  /** Aborted when it is stopped, with a UserError that says what it had cost. */
  readonly signal: AbortSignal;
  /** Notes how much was scanned so far. */
  scanned(bytes: number): void;
  /** Notes that the person was shown how to cancel it: from now on it is looked whether another replica was told to. */
  offersCancel(): void;
  end(): void;
}

export interface RunningQuestions {
  begin(user: string): RunningQuestion;
  /** Stops a question, here or where it runs. Returns what became of it. */
  stop(id: string, user: string): Promise<'stopped' | 'ended' | 'elsewhere' | 'of another'>;
}

export interface RunningOptions {
  readonly clock: () => Date;
  readonly cancellations: Cancellations;
  /** How often a question looks whether another replica was told to stop it. Default: every 3 seconds. */
  readonly lookEveryMs?: number;
}

const LOOK_EVERY_MS = 3000;
/** Questions that ended here, whose button to cancel may still be shown. */
const MAX_ENDED = 1000;

export function openRunningQuestions({ clock, cancellations, lookEveryMs = LOOK_EVERY_MS }: RunningOptions): RunningQuestions {
  const ended = new LRUCache<string, true>({ max: MAX_ENDED });
  const running = new Map<string, { readonly user: string; readonly stop: () => void }>();
  return {
    begin(user) {
      const id = randomBytes(6).toString('hex');
      const controller = new AbortController();
      const began = clock().getTime();
      let bytes = 0;
      let look: NodeJS.Timeout | undefined;
      const stop = (): void => {
        const seconds = Math.round((clock().getTime() - began) / 1000);
        controller.abort(new UserError(`Cancelled after ${seconds} s${bytes > 0 ? `; ${formatBytes(bytes)} had been scanned` : ''}.`));
      };
      const lookOnce = async (): Promise<void> => {
        // A state that cannot be read now is read again soon.
        const cancelledBy = await cancellations.find(id).catch(() => undefined);
        if (cancelledBy === undefined) return;
        await cancellations.remove(id).catch(() => undefined);
        if (cancelledBy === user) stop();
      };
      running.set(id, { user, stop });
      return {
        id,
        signal: controller.signal,
        scanned: (now) => {
          bytes = Math.max(bytes, now);
        },
        offersCancel() {
          look ??= setInterval(() => void lookOnce(), lookEveryMs);
        },
        end() {
          clearInterval(look);
          running.delete(id);
          ended.set(id, true);
        },
      };
    },
    async stop(id, user) {
      if (ended.has(id)) return 'ended';
      const question = running.get(id);
      if (!question) {
        await cancellations.add(id, user, clock());
        return 'elsewhere';
      }
      if (question.user !== user) return 'of another';
      question.stop();
      return 'stopped';
    },
  };
}

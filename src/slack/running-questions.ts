/** Questions that run now, which the person who asked can stop. */
import { randomBytes } from 'node:crypto';
import { UserError } from '../errors.ts';
import { formatBytes } from '../text/format.ts';

interface RunningQuestion {
  readonly id: string;
  /** Aborted when it is stopped, with a UserError that says what it had cost. */
  readonly signal: AbortSignal;
  /** Notes how much was scanned so far. */
  scanned(bytes: number): void;
  end(): void;
}

export interface RunningQuestions {
  begin(user: string): RunningQuestion;
  /** Stops a question. Returns why not, as a sentence; undefined when it was stopped. */
  stop(id: string, user: string): string | undefined;
}

export function openRunningQuestions(clock: () => Date): RunningQuestions {
  const running = new Map<string, { readonly user: string; readonly stop: () => void }>();
  return {
    begin(user) {
      const id = randomBytes(6).toString('hex');
      const controller = new AbortController();
      const began = clock().getTime();
      let bytes = 0;
      const stop = (): void => {
        const seconds = Math.round((clock().getTime() - began) / 1000);
        controller.abort(new UserError(`Cancelled after ${seconds} s${bytes > 0 ? `; ${formatBytes(bytes)} had been scanned` : ''}.`));
      };
      running.set(id, { user, stop });
      return {
        id,
        signal: controller.signal,
        scanned: (now) => {
          bytes = Math.max(bytes, now);
        },
        end: () => void running.delete(id),
      };
    },
    stop(id, user) {
      const question = running.get(id);
      if (!question) return 'This question runs no more here. Where several replicas run, another one may have it.';
      if (question.user !== user) return 'Only the person who asked can cancel a question.';
      question.stop();
      return undefined;
    },
  };
}

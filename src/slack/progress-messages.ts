/** What someone hears who waits: their place in line, what was read so far, what was found so far. Little of it, for an answer is what they want. */
import pLimit from 'p-limit';
import type { Answer } from '../answer/answer.ts';
import type { AskOptions } from '../desk/runner.ts';

/** Something to say while the answer is not there yet. */
export type Notice =
  | { readonly kind: 'waiting'; readonly place: number; readonly bytes: number }
  /** What was found, with what happened before `until` still to be looked at. */
  | { readonly kind: 'found'; readonly answer: Answer; readonly until: Date };

export interface Notices extends Required<Pick<AskOptions, 'onProgress' | 'onPartial'>> {
  /** Says no more; resolves when what is being said has been. */
  end(): Promise<void>;
}

/**
 * Tells of what is new at each of the times `after`, in milliseconds from now. A response_url takes five messages: three
 * notices leave one for the answer, and one for it in plainer blocks.
 */
export function openNotices(after: readonly number[], tell: (notice: Notice) => Promise<void>): Notices {
  let waiting: Extract<Notice, { kind: 'waiting' }> | undefined;
  let found: Notice | undefined;
  const inTurn = pLimit(1);
  let hasRead = false;

  const timers = after.map((ms) =>
    setTimeout(() => {
      const notice = found ?? waiting;
      if (!notice) return;
      [found, waiting] = [undefined, undefined];
      hasRead ||= notice.kind === 'waiting' && notice.place === 0;
      void inTurn(() => tell(notice)).catch(() => undefined);
    }, ms),
  );
  return {
    onProgress({ queuePosition: place, bytes }) {
      // That something is still being read is worth one word, not one each minute; and a place in line is none once the turn has come.
      waiting = place > 0 || (bytes > 0 && !hasRead) ? { kind: 'waiting', place, bytes } : undefined;
    },
    onPartial(answer, until) {
      found = { kind: 'found', answer, until };
    },
    async end() {
      for (const timer of timers) clearTimeout(timer);
      await inTurn(async () => undefined);
    },
  };
}

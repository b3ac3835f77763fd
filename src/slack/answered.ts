/** Answers that were paid for, kept for a while: to share one shows what its asker saw, and does not pay for it again. */
import type { Answer } from '../answer.ts';

export interface Answered {
  /** Keeps an answer of one person's, and gives it back. */
  keep(user: string, answer: Answer): Answer;
  /** What they were answered to a line, if it is still known. */
  find(user: string, line: string): Answer | undefined;
}

/** As long as the buttons under an answer work through their response_url. */
const KEPT_MS = 30 * 60_000;
const MOST = 50;

export function openAnswered(clock: () => Date): Answered {
  const kept = new Map<string, { readonly answer: Answer; readonly at: number }>();
  return {
    keep(user, answer) {
      if (!answer.line || !answer.coverage?.dollars) return answer;
      const key = keyOf(user, answer.line);
      kept.delete(key);
      kept.set(key, { answer, at: clock().getTime() });
      for (const oldest of kept.keys()) if (kept.size > MOST) kept.delete(oldest);
      return answer;
    },
    find(user, line) {
      const found = kept.get(keyOf(user, line));
      return found && clock().getTime() - found.at < KEPT_MS ? found.answer : undefined;
    },
  };
}

const keyOf = (user: string, line: string): string => `${user} ${line}`;

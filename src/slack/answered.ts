/** Answers that were paid for, kept for a while: to share one shows what its asker saw, and does not pay for it again. */
import type { Answer } from '../answer.ts';
import { lately } from '../lately.ts';

export interface Answered {
  /** Keeps an answer of one person's, and gives it back. */
  keep(user: string, answer: Answer): Answer;
  /** What they were answered to a line, if it is still known. */
  find(user: string, line: string): Answer | undefined;
}

/** As long as the buttons under an answer work through their response_url. */
const KEPT = { most: 50, ms: 30 * 60_000 };

export function openAnswered(clock: () => Date): Answered {
  const known = lately<Answer>(KEPT);
  return {
    keep(user, answer) {
      if (answer.line && answer.coverage?.dollars) known.keep(keyOf(user, answer.line), answer, clock());
      return answer;
    },
    find: (user, line) => known.find(keyOf(user, line), clock()),
  };
}

const keyOf = (user: string, line: string): string => `${user} ${line}`;

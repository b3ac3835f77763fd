/** Answers that were paid for, kept for 30 minutes: sharing one shows what its requester saw, and does not pay again. */
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';

export interface AnswerCache {
  /** Keeps an answer to one person, and returns it. */
  keep(user: string, answer: Answer): Answer;
  /** What they were answered to a line; undefined when it is not in the cache. */
  find(user: string, line: string): Answer | undefined;
}

const MAX_ANSWERS = 50;
/** As long as the buttons under an answer work through their response_url. */
const TTL_MS = 30 * 60_000;

export function openAnswerCache(clock: () => Date): AnswerCache {
  const cache = new LRUCache<string, Answer>({ max: MAX_ANSWERS, ttl: TTL_MS, ttlResolution: 0, perf: { now: () => clock().getTime() } });
  return {
    keep(user, answer) {
      if (answer.line && answer.coverage?.dollars) cache.set(`${user} ${answer.line}`, answer);
      return answer;
    },
    find: (user, line) => cache.get(`${user} ${line}`),
  };
}

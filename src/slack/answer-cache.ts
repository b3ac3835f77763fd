/** Paid answers, cached for 30 minutes: sharing an answer posts what its requester saw and costs nothing more. */
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';

export interface AnswerCache {
  /** Caches a user's answer if it was paid for, and returns it. */
  add(user: string, answer: Answer): Answer;
  /** A user's cached answer to a line. */
  find(user: string, line: string): Answer | undefined;
}

const MAX_ANSWERS = 50;
/** A response_url, through which the buttons under an answer reply, is valid for the same time. */
const ANSWER_TTL_MS = 30 * 60_000;

export function openAnswerCache(clock: () => Date): AnswerCache {
  const cache = new LRUCache<string, Answer>({ max: MAX_ANSWERS, ttl: ANSWER_TTL_MS, ttlResolution: 0, perf: { now: () => clock().getTime() } });
  return {
    add(user, answer) {
      if (answer.line && answer.coverage?.dollars) cache.set(`${user} ${answer.line}`, answer);
      return answer;
    },
    find: (user, line) => cache.get(`${user} ${line}`),
  };
}

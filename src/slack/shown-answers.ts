/** The answers that were shown lately, by an id: sharing, exporting and turning a page show what was seen, and ask nothing again. */
import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Answer } from '../answer/answer.ts';

export interface ShownAnswers {
  /** Keeps an answer with the statements that found it, as text, where they are known. Returns its id. */
  add(answer: Answer, statements?: readonly string[]): string;
  /** An answer by its id; undefined when it is not kept any more, or in another process. */
  find(id: string): Answer | undefined;
  /** The statements that found an answer. */
  statementsOf(id: string): readonly string[] | undefined;
}

/** A response_url, through which the buttons under an answer reply, is valid for the same time. */
const ANSWER_TTL_MS = 30 * 60_000;
/** Rows of all answers together, at about 1 kB each. */
const MAX_SHOWN_ROWS = 20_000;

export function openShownAnswers(clock: () => Date): ShownAnswers {
  const cache = new LRUCache<string, { readonly answer: Answer; readonly statements: readonly string[] | undefined }>({
    maxSize: MAX_SHOWN_ROWS,
    sizeCalculation: ({ answer: { table } }) => (table?.rows.length ?? 0) + 1,
    ttl: ANSWER_TTL_MS,
    ttlResolution: 0,
    perf: { now: () => clock().getTime() },
  });
  return {
    add(answer, statements) {
      const id = newAnswerId(clock());
      cache.set(id, { answer, statements });
      return id;
    },
    find: (id) => cache.get(id)?.answer,
    statementsOf: (id) => cache.get(id)?.statements,
  };
}

const MS_OF_DAY = 24 * 60 * 60_000;

/** The day, by which ids are in order, and six random digits. */
const newAnswerId = (now: Date): string => `${Math.floor(now.getTime() / MS_OF_DAY).toString(36)}${randomBytes(3).toString('hex')}`;

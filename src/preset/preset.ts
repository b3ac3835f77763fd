/**
 * A question that is a condition of ours, the filters of the asker, and words for the answer. It lists its events, newest
 * first, or counts them, as `by:` and `every:` say; one leads to the other.
 */
import type { z } from 'zod';
import { type Command, command } from '../command.ts';
import { allWord } from '../routine.ts';
import { count } from './count.ts';
import { list } from './list.ts';
import { type Preset, questionOf } from './question.ts';

/** Declares a command that lists and counts. */
export function preset<const Words extends z.ZodRawShape = Record<never, never>>(declared: Preset<Words>): Command<Words> {
  const { topic, summary, example, window, words, noise } = declared;
  return command({
    topic,
    summary,
    example,
    words: { ...words, ...(noise && { all: allWord }) } as unknown as Words,
    window,
    filters: true,
    shape: ['by', 'every', 'top', 'sort'],
    isNewestFirst(asked) {
      const { by, every } = questionOf(declared, asked);
      return !by && !every;
    },

    answer(asked, context) {
      const question = questionOf(declared, asked);
      return question.by || question.every ? count(question, context) : list(question, context);
    },
  });
}

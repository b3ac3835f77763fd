/**
 * A question that is a condition of ours, the filters of the requester, and words for the answer. It lists its events, newest
 * first, or counts them, as `by:` and `every:` say; one leads to the other.
 */
import type { z } from 'zod';
import { allWord } from '../../trail/event-query.ts';
import { type Command, command } from '../command.ts';
import { count } from './count.ts';
import { list } from './list.ts';
import { type Preset, presetQuestion } from './preset-question.ts';

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
      const { by, every } = presetQuestion(declared, asked);
      return !by && !every;
    },

    answer(asked, context) {
      const question = presetQuestion(declared, asked);
      return question.by || question.every ? count(question, context) : list(question, context);
    },
  });
}

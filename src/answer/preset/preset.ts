/**
 * A question with a fixed SQL condition, the requester's filters and a template. It lists the events, newest first, or counts
 * them when `by:` or `every:` is given; each form offers the other as a follow-up.
 */
import type { z } from 'zod';
import { allWord } from '../../trail/event-query.ts';
import { type Command, command } from '../command.ts';
import { countWithBand } from './banded-count.ts';
import { countEvents } from './count.ts';
import { listEvents } from './list.ts';
import { type Preset, presetQuestion } from './preset-question.ts';

/** Declares a command that lists and counts. */
export function preset<const Words extends z.ZodRawShape = Record<never, never>>(declared: Preset<Words>): Command<Words> {
  const { topic, summary, example, window, words, hidesRoutine, freeText = false } = declared;
  return command({
    topic,
    summary,
    example,
    words: { ...words, ...(hidesRoutine && { all: allWord }) } as unknown as Words,
    window,
    filters: true,
    freeText,
    shape: ['by', 'every', 'band', 'top', 'sort'],
    isNewestFirst(asked) {
      const { by, every } = presetQuestion(declared, asked);
      return !by && !every;
    },

    answer(asked, context) {
      const question = presetQuestion(declared, asked);
      if (asked.band) return countWithBand(declared, asked, context);
      return question.by || question.every ? countEvents(question, context) : listEvents(question, context);
    },
  });
}

/** A command: one kind of question, one file in commands/. */
import { z } from 'zod';
import type { AnswerShape } from '../question/line.ts';
import type { Filter } from '../trail/filter.ts';
import { readWindow, type TimeRange, type Window } from '../trail/time-window.ts';
import type { Finding } from './answer.ts';
import type { Context } from './context.ts';

/** The topics of commands, in the order in which help lists them. */
export const TOPICS = {
  who: 'Who did it',
  look: 'Search and count',
  unusual: 'Unusual activity',
  'sign-in': 'Sign-ins',
  changes: 'Changes',
  refused: 'Denied and failed calls',
  data: 'Data and keys',
  about: 'Profiles',
  trail: 'The trail and its cost',
} as const;
export type Topic = keyof typeof TOPICS;

/** A key that shapes the answer, such as `by:` or `top:`. */
export type ShapeKey = keyof AnswerShape;

/** A question as it was asked of one command. */
export interface Question<Words extends z.ZodRawShape = z.ZodRawShape> extends AnswerShape {
  readonly words: z.output<z.ZodObject<Words>>;
  readonly filters: readonly Filter[];
  /** The window in UTC, [from, to); and as typed, for follow-ups. */
  readonly window: TimeRange;
  readonly typedWindow: Window;
}

/**
 * One subcommand of `/trail`. The file's name is the command's name and its template's: commands/rare.ts answers
 * `/trail rare …` through templates/rare.hbs.
 */
export interface Command<Words extends z.ZodRawShape = z.ZodRawShape> {
  /** The topic in help. */
  readonly topic: Topic;
  /** What it answers, in one sentence without a full stop. */
  readonly summary: string;
  /** Text after the name. Help shows it, and the tests ask it on every engine. */
  readonly example: string;
  /** The words after the name, in order. Usage lines are generated from them. */
  readonly words: Words;
  /** The default window, as people type it. */
  readonly window: string;
  readonly filters: boolean;
  /** True when words that it has no place for are text to search for in the whole record. Default: false, they are mistakes. */
  readonly freeText?: boolean;
  readonly shape: readonly ShapeKey[];
  /** How many times it reads its window, for the cost estimate; 0 when it does not read the trail. Default: 1. */
  readonly reads?: number;
  /** True when it reads with `newestFirst`, so that the newest part of the window may be enough. Default: false. */
  isNewestFirst?(asked: Question<Words>): boolean;
  answer(asked: Question<Words>, context: Context): Promise<Finding>;
}

/** Declares a command. It only gives `answer` the types of `words`. */
export const command = <const Words extends z.ZodRawShape>(declared: Command<Words>): Command<Words> => declared;

/** "who-started <instance> [time]" */
export function usage(name: string, { words, filters, freeText, shape }: Command): string {
  const shown = Object.entries(words).map(([key, type]) => (isOptional(type) ? `[${key}]` : `<${key}>`));
  return [name, ...shown, '[time]', ...(filters ? ['[filters]'] : []), ...(freeText ? ['[text]'] : []), ...shape.map((key) => `[${key}:]`)].join(' ');
}

export const isOptional = (type: z.ZodRawShape[string]): boolean => z.safeParse(type, undefined).success;

/** A command's default window. */
export function defaultWindow({ window: phrase }: Command): Window {
  const read = readWindow(phrase.split(' '));
  if (!read) throw new Error(`A command's window is not a time: ${phrase}`);
  return read.window;
}

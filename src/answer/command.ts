/** The unit of extension: a question, one file in commands/. */
import { z } from 'zod';
import type { AnswerShape } from '../question/line.ts';
import type { Filter } from '../trail/filter.ts';
import { readWindow, type TimeRange, type Window } from '../trail/time-window.ts';
import type { Finding } from './answer.ts';
import type { Context } from './context.ts';

/** What questions are about, in the order in which help tells them. */
export const TOPICS = {
  who: 'Who did it',
  look: 'Looking',
  unusual: 'Unusual and out of place',
  'sign-in': 'Signing in',
  changes: 'Changes',
  refused: 'Refused and failed',
  data: 'Data and keys',
  about: 'All about one thing',
  trail: 'The trail itself',
} as const;
export type Topic = keyof typeof TOPICS;

/** What a question may be shaped by, beside its words. */
export type ShapeKey = keyof AnswerShape;

/** A question as it was asked of one command. */
export interface Question<Words extends z.ZodRawShape = z.ZodRawShape> extends AnswerShape {
  readonly words: z.output<z.ZodObject<Words>>;
  readonly filters: readonly Filter[];
  /** The window pinned to the clock, [from, to) in UTC; and as it was said, to be said on. */
  readonly window: TimeRange;
  readonly typedWindow: Window;
}

/**
 * One subcommand of `/trail`. The file's name is the command's name and its template's: commands/rare.ts answers
 * `/trail rare …` through templates/rare.hbs.
 */
export interface Command<Words extends z.ZodRawShape = z.ZodRawShape> {
  /** Where help has it. */
  readonly topic: Topic;
  /** What it answers, in one sentence without a full stop. */
  readonly summary: string;
  /** Text after the name that works; shown in help, and asked of every engine by the tests. */
  readonly example: string;
  /** The words after the name, in order. Usage lines are read off this, so they cannot go stale. */
  readonly words: Words;
  /** The window when none is given, as people say it. */
  readonly window: string;
  readonly filters: boolean;
  readonly shape: readonly ShapeKey[];
  /** How often it reads its window as a rule, which its price depends on: once, if it does not say; never, if it asks nothing of the trail. */
  readonly reads?: number;
  /** Whether it asks with `newestFirst`, and may be answered by the newest part of its window: never, if it does not say. */
  isNewestFirst?(asked: Question<Words>): boolean;
  answer(asked: Question<Words>, context: Context): Promise<Finding>;
}

/** Declares a command. It only lends `answer` the types of `words`. */
export const command = <const Words extends z.ZodRawShape>(declared: Command<Words>): Command<Words> => declared;

/** "who-started <instance> [time]" */
export function usage(name: string, { words, filters, shape }: Command): string {
  const shown = Object.entries(words).map(([key, type]) => (isOptional(type) ? `[${key}]` : `<${key}>`));
  return [name, ...shown, '[time]', ...(filters ? ['[filters]'] : []), ...shape.map((key) => `[${key}:]`)].join(' ');
}

export const isOptional = (type: z.ZodRawShape[string]): boolean => z.safeParse(type, undefined).success;

/** A command's default window. */
export function defaultWindow({ window: phrase }: Command): Window {
  const read = readWindow(phrase.split(' '));
  if (!read) throw new Error(`A command's window is not a time: ${phrase}`);
  return read.window;
}

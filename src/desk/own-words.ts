/** Lines about what trailbot keeps for people, such as subscriptions and snoozes: the desk answers them by their first word. */
import type { Answer } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { UnreadableFile } from '../state/versioned-files.ts';
import type { AskOptions } from './runner.ts';

/** Answers a line. Gets the text after the word. */
export type OwnWord = (rest: string, options: AskOptions) => Promise<Answer>;

/** What is about the subscriptions, cases, snoozes and classes that somebody keeps. */
const KEPT_WORDS: ReadonlySet<string> = new Set([
  ...['subscribe', 'subscriptions', 'pause', 'resume', 'unsubscribe', 'test', 'watch'],
  ...['case', 'cases', 'note'],
  ...['snooze', 'snoozes', 'unsnooze', 'expect', 'class', 'classes', 'audit'],
]);
/** Other words that no saved question can have as its name: also those of reports, which can be subscribed to. */
const OTHER_WORDS: ReadonlySet<string> = new Set(['again', 'help', 'price', 'save', 'saved', 'forget', 'daily', 'weekly', 'monthly']);

/** All of them. */
export const OWN_WORDS: readonly string[] = [...KEPT_WORDS, ...OTHER_WORDS];

/** Whether a word begins such a line, so that no saved question can have it as its name. */
export const isOwnWord = (word: string): boolean => KEPT_WORDS.has(word) || OTHER_WORDS.has(word);

/** Whether a word begins a line about what trailbot keeps for people, whose answer is for who asked alone. */
export const isKeptWord = (word: string): boolean => KEPT_WORDS.has(word);

/** The words of a text, as they were typed: what is in quotes is one word, with its quotes. */
export const typedWords = (text: string): string[] => text.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"]|")+/g) ?? [];

/** What is kept, in words: “The snooze”, “Snoozes”. */
export interface ChangedState {
  readonly one: string;
  readonly many: string;
}

/** @throws UserError that says what cannot be read */
export async function readableState<Value>({ many }: ChangedState, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new UserError(`${many} cannot be read: ${error.file} ${error.code === undefined ? 'is damaged' : `gives the error ${error.code}`}.`);
  }
}

/** @throws UserError that says that nothing was saved */
export async function writableState<Value>(state: ChangedState, write: () => Promise<Value>): Promise<Value> {
  try {
    return await readableState(state, write);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new UserError(`${state.one} was not saved: the state of trailbot cannot be written (${code}).`);
  }
}

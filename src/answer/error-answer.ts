/** Turns an error into an answer. */
import { NotPermitted, UserError } from '../errors.ts';
import type { Answer } from './answer.ts';

/** Turns any error into an answer. The details of an internal error are only in the log, under `reference`. */
export function errorAnswer(error: unknown, reference: string): Answer {
  const userError = error instanceof UserError ? error : undefined;
  const suggestion = userError?.suggestion;
  return {
    template: 'error',
    data: {
      message: userError?.message ?? null,
      suggestion: suggestion ?? null,
      reference,
      ...(error instanceof NotPermitted && { isRefusal: true }),
    },
    next: suggestion ? [{ label: 'Ask this', line: suggestion }] : (userError?.choices ?? []),
  };
}

/** A mistake of the user as an answer. */
export const mistakeAnswer = (sentence: string): Answer => errorAnswer(new UserError(sentence), '');

/** Failures, and what is said of them. */
import type { Answer, Next } from './answer.ts';

/** A failure the person who asked can mend. Its message is written for them, with the next thing to try. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The nearest line that would work, when one can be told. It is offered, never run unasked. */
  readonly suggestion: string | undefined;
  /** What can be asked instead, where there is more to choose from than one line that was meant. */
  readonly choices: readonly Next[];

  constructor(message: string, suggestion?: string, choices: readonly Next[] = []) {
    super(message);
    this.suggestion = suggestion;
    this.choices = choices;
  }
}

/** Any failure as something to say. What went wrong inside stays in the log, under `reference`. */
export function sorry(error: unknown, reference: string): Answer {
  const mendable = error instanceof UserError;
  const suggestion = mendable ? error.suggestion : undefined;
  return {
    template: 'sorry',
    data: { message: mendable ? error.message : null, suggestion: suggestion ?? null, reference },
    next: suggestion ? [{ label: 'Ask that', line: suggestion }] : mendable ? error.choices : [],
  };
}

/** Failures, and what is said of them. */
import type { Answer } from './answer.ts';

/** A failure the person who asked can mend. Its message is written for them, with the next thing to try. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The nearest line that would work, when one can be told. It is offered, never run unasked. */
  readonly suggestion: string | undefined;

  constructor(message: string, suggestion?: string) {
    super(message);
    this.suggestion = suggestion;
  }
}

/** Any failure as something to say. What went wrong inside stays in the log, under `reference`. */
export function sorry(error: unknown, reference: string): Answer {
  const mendable = error instanceof UserError;
  const suggestion = mendable ? error.suggestion : undefined;
  return {
    template: 'sorry',
    data: { message: mendable ? error.message : null, suggestion: suggestion ?? null, reference },
    next: suggestion ? [{ label: 'Ask that', line: suggestion }] : [],
  };
}

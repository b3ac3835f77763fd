/** The failure that the person who asked can mend. */

/** A failure the person who asked can mend. Its message is written for them, with the next thing to try. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The nearest line that would work, when one can be told. It is offered, never run unasked. */
  readonly suggestion: string | undefined;
  /** Lines to ask instead, with the labels of their buttons, where there is more to choose from than one line that was meant. */
  readonly choices: readonly { readonly label: string; readonly line: string }[];

  constructor(message: string, suggestion?: string, choices: UserError['choices'] = []) {
    super(message);
    this.suggestion = suggestion;
    this.choices = choices;
  }
}

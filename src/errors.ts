/** The error for mistakes that the user can correct. */

/** An error that the user can correct. Its message is shown to the user and says what to try next. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** The closest line that would work, if there is one. It is offered as a button, never run unasked. */
  readonly suggestion: string | undefined;
  /** Other lines to offer as buttons, when there is more than one way to continue. */
  readonly choices: readonly { readonly label: string; readonly line: string }[];

  constructor(message: string, suggestion?: string, choices: UserError['choices'] = []) {
    super(message);
    this.suggestion = suggestion;
    this.choices = choices;
  }
}

/** A refusal by the policy of what somebody asked. */
export class NotPermitted extends UserError {
  /** False where it is not known now whether it is allowed, such as when Slack does not say who is in a user group. */
  readonly isCertain: boolean;

  constructor(message: string, { isCertain = true } = {}) {
    super(message);
    this.isCertain = isCertain;
  }
}

/** Finds what Slack would reject in a message, and hostile text that works in it. */
import { messageProblems } from '../../playground/slack-limits.ts';
import { type AllowedReferences, hostileTextProblems } from './slack-hostile-text.ts';

/** Each violation as a sentence with its JSON pointer; empty for a harmless message that Slack would accept. `isLarge`: by its published limits alone. */
export function slackProblems(message: unknown, { isLarge = false, ...allowed }: AllowedReferences & { readonly isLarge?: boolean } = {}): string[] {
  return [...messageProblems(message, { isLarge }), ...hostileTextProblems(message, allowed)];
}

/** Finds what Slack would reject in a message or a view, and hostile text that works in it. */
import { messageProblems, viewRefusal } from '../../playground/slack-limits.ts';
import { type AllowedReferences, hostileTextProblems } from './slack-hostile-text.ts';

/** Each violation as a sentence with its JSON pointer; empty for a harmless message that Slack would accept. `isLarge`: by its published limits alone. */
export function slackProblems(message: unknown, { isLarge = false, ...allowed }: AllowedReferences & { readonly isLarge?: boolean } = {}): string[] {
  return [...messageProblems(message, { isLarge }), ...hostileTextProblems(message, allowed)];
}

/** The same for a modal, or the Home tab. */
export const viewProblems = (view: unknown, allowed: AllowedReferences = {}): string[] => [
  ...(viewRefusal(view)?.problems ?? []),
  ...hostileTextProblems(view, allowed),
];

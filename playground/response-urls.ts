/**
 * Slack's response_urls: the bot answers a command or a click through one. Each is unguessable and expires after five messages
 * or 30 minutes: https://docs.slack.dev/interactivity/handling-user-interaction
 */
import { randomBytes } from 'node:crypto';

/** Where the messages sent to a response_url go. */
export interface ResponseTarget {
  readonly channel: string;
  /** The key of the message whose button was clicked; undefined for a slash command. */
  readonly clicked?: string;
  /** True when it was clicked in the panel of that message: the answer is shown there, and not in the channel. */
  readonly isInPanel?: boolean;
}

export interface ResponseUrls {
  /** The path of a new response_url. */
  create(target: ResponseTarget): string;
  /** Counts one use. Undefined when the path is unknown, used five times or expired. */
  use(path: string): ResponseTarget | undefined;
}

const MAX_USES = 5;
const LIFETIME_MS = 30 * 60 * 1000;

export function openResponseUrls(now: () => number = Date.now): ResponseUrls {
  const valid = new Map<string, { target: ResponseTarget; usesLeft: number; expiresAt: number }>();
  return {
    create(target) {
      const path = `/response/${randomBytes(24).toString('base64url')}`;
      valid.set(path, { target, usesLeft: MAX_USES, expiresAt: now() + LIFETIME_MS });
      return path;
    },
    use(path) {
      const found = valid.get(path);
      if (!found) return undefined;
      found.usesLeft -= 1;
      const isExpired = now() > found.expiresAt;
      if (found.usesLeft === 0 || isExpired) valid.delete(path);
      return isExpired ? undefined : found.target;
    },
  };
}

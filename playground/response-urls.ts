/**
 * The addresses at which a bot may answer later. Each is unguessable, belongs to one question or one click, and lives for
 * five answers or thirty minutes, whichever ends first: https://docs.slack.dev/interactivity/handling-user-interaction
 */
import { randomBytes } from 'node:crypto';

/** Where an answer belongs. */
export interface Place {
  readonly channel: string;
  /** The message whose button was pressed. A slash command has none. */
  readonly original?: string;
}

export interface ResponseUrls {
  /** A fresh path for answers to `place`. */
  open(place: Place): string;
  /** Spends one use. Undefined when the path is unknown, used up or too old. */
  use(path: string): Place | undefined;
}

const USES = 5;
const LIFETIME_MS = 30 * 60 * 1000;

export function responseUrls(now: () => number = Date.now): ResponseUrls {
  const open = new Map<string, { place: Place; uses: number; until: number }>();
  return {
    open(place) {
      const path = `/response/${randomBytes(24).toString('base64url')}`;
      open.set(path, { place, uses: USES, until: now() + LIFETIME_MS });
      return path;
    },
    use(path) {
      const found = open.get(path);
      if (!found) return undefined;
      found.uses -= 1;
      if (found.uses === 0 || now() > found.until) open.delete(path);
      return now() > found.until ? undefined : found.place;
    },
  };
}

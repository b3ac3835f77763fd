/** The time zones of Slack users. Reading them takes the scope users:read; without it everyone has the default. */
import { LRUCache } from 'lru-cache';
import { isTimeZone } from '../text/time-zone.ts';

/** True when a text may have a day or a time of day in words, which depends on the time zone of the user. */
export const mayHaveLocalTime = (text: string): boolean =>
  /\d:\d\d|\d ?[ap]m\b|\b(?:today|yesterday|noon|midnight|this (?:week|month|year)|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\b/i.test(text);

const MAX_USERS = 1000;
const TIME_ZONE_TTL_MS = 60 * 60_000;
/** A question does not wait longer for it. */
const MAX_LOOKUP_MS = 2000;

/**
 * A function that gives a user's time zone, an IANA name. `lookUp` reads it from Slack; the default is used when that fails, takes
 * long, or gives a name that is no time zone.
 */
export function openTimeZones(lookUp: (user: string) => Promise<string | undefined>, defaultZone: string): (user: string) => Promise<string> {
  const zones = new LRUCache<string, Promise<string>>({ max: MAX_USERS, ttl: TIME_ZONE_TTL_MS });
  const find = async (user: string): Promise<string> => {
    const zone = await Promise.race([lookUp(user).catch(() => undefined), afterLookup()]);
    return zone !== undefined && isTimeZone(zone) ? zone : defaultZone;
  };
  return (user) => {
    const known = zones.get(user) ?? find(user);
    zones.set(user, known);
    return known;
  };
}

const afterLookup = (): Promise<undefined> =>
  new Promise((resolve) => {
    AbortSignal.timeout(MAX_LOOKUP_MS).addEventListener('abort', () => resolve(undefined), { once: true });
  });

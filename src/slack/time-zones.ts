/** The time zones of Slack users. Reading them takes the scope users:read; without it everyone has the default. */
import { isTimeZone } from '../text/time-zone.ts';

/** True when a text may have a day or a time of day in words, which depends on the time zone of the user. */
export const mayHaveLocalTime = (text: string): boolean =>
  /subscri|band:|watch|\d:\d\d|\d ?[ap]m\b|\b(?:today|yesterday|noon|midnight|this (?:week|month|year)|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*)\b/i.test(
    text,
  );

/** The zone of a profile; the default when it has none, or one that is no IANA name. */
export const timeZoneIn = (profile: { readonly tz?: string | undefined } | undefined, defaultZone: string): string =>
  profile?.tz !== undefined && isTimeZone(profile.tz) ? profile.tz : defaultZone;

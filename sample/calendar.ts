/** Durations and times in milliseconds (UTC), and CloudTrail's formats of times. */
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** `2026-11-20T09:14:07Z`: CloudTrail's event times have seconds, no fractions. */
export const isoSeconds = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

/** `Nov 20, 2026, 9:14:07 AM`: the format of STS and IAM in responseElements. */
export function longDate(at: number): string {
  const [, day, month, year, hours, rest] = /, (\d+) (\w+) (\d+) (\d+):(\S+)/.exec(new Date(at).toUTCString())!;
  return `${month} ${Number(day)}, ${year}, ${Number(hours) % 12 || 12}:${rest} ${Number(hours) < 12 ? 'AM' : 'PM'}`;
}

export const startOfUtcDay = (at: number) => Math.floor(at / DAY) * DAY;

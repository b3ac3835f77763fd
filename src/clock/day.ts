/** Days as people of one time zone have them: 23 to 25 hours long, from one local midnight to the next. */
import type { TimeRange } from '../trail/window.ts';

const DAY_MS = 24 * 3_600_000;

/** The whole day before the one that `now` is in, [from, to) in UTC. */
export function dayBefore(now: Date, timeZone: string): TimeRange {
  const to = midnight(localDate(now, timeZone), timeZone);
  // Noon of the day before is that day, whatever the clocks did in the night.
  const from = midnight(localDate(new Date(to.getTime() - DAY_MS / 2), timeZone), timeZone);
  return { from, to };
}

/** The day `date` ('2026-11-20'); undefined when there is no such day. */
export function dayNamed(date: string, timeZone: string): TimeRange | undefined {
  const noon = new Date(`${date}T12:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(date) || Number.isNaN(noon.getTime()) || noon.toISOString().slice(0, 10) !== date) return undefined;
  const next = new Date(noon.getTime() + DAY_MS).toISOString().slice(0, 10);
  return { from: midnight(date, timeZone), to: midnight(next, timeZone) };
}

/** '2026-11-20': the day that `at` falls on in a time zone. */
export function localDate(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

/** The first instant of a local day. Where clocks skip midnight, it is the instant they skip to; where they repeat it, the first. */
function midnight(date: string, timeZone: string): Date {
  const utc = Date.parse(`${date}T00:00:00Z`);
  // Clocks change at most once within a day of midnight, so its offset is the one before or the one after.
  const [earlier = utc, later = utc] = [utc - DAY_MS, utc + DAY_MS].map((at) => utc - offsetMs(new Date(at), timeZone)).sort((a, b) => a - b);
  return new Date(localDate(new Date(earlier), timeZone) === date ? earlier : later);
}

/** How far a zone's clocks are ahead of UTC at an instant. */
function offsetMs(at: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.find((each) => each.type === type)?.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return local - Math.floor(at.getTime() / 1000) * 1000;
}

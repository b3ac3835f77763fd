/** Days as the folders of a trail name them: 'yyyy/MM/dd'. */
import { dayFolder } from '../src/trail/events.ts';
import { DAY_MS } from '../src/trail/time-window.ts';

/** Midnight UTC of a day, in milliseconds since 1970. */
export const dayStartMs = (day: string): number => Date.parse(`${isoDay(day)}T00:00:00Z`);

/** A day as ISO text: 'yyyy-MM-dd'. */
export const isoDay = (day: string): string => day.replaceAll('/', '-');

/** The day before a day. */
export const dayBefore = (day: string): string => dayFolder(new Date(dayStartMs(day) - DAY_MS));

/** The day after a day. */
export const nextDay = (day: string): string => dayFolder(new Date(dayStartMs(day) + DAY_MS));

/** All days from `first` to `last`, both included. */
export function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = [];
  for (let at = dayStartMs(first); at <= dayStartMs(last); at += DAY_MS) days.push(dayFolder(new Date(at)));
  return days;
}

/** When an organisation works: office hours in UTC+1, quiet weekends, machines at all hours. */
import { DAY, HOUR } from './calendar.ts';
import { draw } from './random.ts';

const OFFICE_UTC_OFFSET = HOUR;
/** How busy people are at each hour of their own day, with a dip for lunch. */
const PEOPLE_BY_HOUR = [0.3, 0.2, 0.1, 0.1, 0.1, 0.3, 1, 3, 8, 12, 13, 11, 7, 10, 12, 11, 9, 6, 3, 2, 1.5, 1, 0.7, 0.4];

export const hourOfPeople = draw(PEOPLE_BY_HOUR.map((weight, hour) => [(hour * HOUR - OFFICE_UTC_OFFSET + DAY) % DAY, weight] as const));

function isWeekend(at: number) {
  const weekday = new Date(at + OFFICE_UTC_OFFSET).getUTCDay();
  return weekday === 0 || weekday === 6;
}

/** How busy people are on this day, where 1 is an ordinary working day. */
export const bustle = (at: number) => (isWeekend(at) ? 0.12 : 1);

/** A day's events as a multiple of an ordinary working day's: machines make three quarters of them. */
const load = (at: number) => 0.75 + 0.25 * bustle(at);

/** Shares `total` events out over days, the first of which begins at `start`, to the last event. */
export function shareOut(total: number, days: number, start: number): readonly number[] {
  const loads = Array.from({ length: days }, (_, day) => load(start + day * DAY + DAY / 2));
  const sum = loads.reduce((a, b) => a + b, 0);
  let due = 0;
  let given = 0;
  return loads.map((part) => {
    due += (part / sum) * total;
    const now = Math.round(due) - given;
    given += now;
    return now;
  });
}

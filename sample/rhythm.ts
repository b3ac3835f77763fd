/** The organization's activity over time: office hours in UTC+1, quiet weekends, and machines at all hours. */
import { DAY, HOUR } from './calendar.ts';
import { weightedPick } from './random.ts';

const OFFICE_UTC_OFFSET = HOUR;
/** People's activity in each local hour, lower at lunch time. */
const ACTIVITY_BY_HOUR = [0.3, 0.2, 0.1, 0.1, 0.1, 0.3, 1, 3, 8, 12, 13, 11, 7, 10, 12, 11, 9, 6, 3, 2, 1.5, 1, 0.7, 0.4];

export const pickWorkingHour = weightedPick(ACTIVITY_BY_HOUR.map((weight, hour) => [(hour * HOUR - OFFICE_UTC_OFFSET + DAY) % DAY, weight] as const));

function isOfficeWeekend(at: number) {
  const weekday = new Date(at + OFFICE_UTC_OFFSET).getUTCDay();
  return weekday === 0 || weekday === 6;
}

/** People's activity on a day; 1 is a working day. */
export const peopleActivity = (at: number) => (isOfficeWeekend(at) ? 0.12 : 1);

/** The number of a day's events, where 1 is a working day: machines make three quarters of its events. */
const dayWeight = (at: number) => 0.75 + 0.25 * peopleActivity(at);

/** The number of events of each day, from the day at `start`; the sum is `total`. */
export function distributeEvents(total: number, days: number, start: number): readonly number[] {
  const weights = Array.from({ length: days }, (_, day) => dayWeight(start + day * DAY + DAY / 2));
  const sum = weights.reduce((a, b) => a + b, 0);
  let due = 0;
  let assigned = 0;
  return weights.map((weight) => {
    due += (weight / sum) * total;
    const count = Math.round(due) - assigned;
    assigned += count;
    return count;
  });
}

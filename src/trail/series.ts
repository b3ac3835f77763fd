/** Steps of time: the start of the step that an event falls in, as text that sorts. */
import type { Sql } from './sql.ts';

/** The width of a step. Minutes divide an hour and hours a day, so that steps begin where people expect. */
export interface Every {
  readonly count: number;
  readonly unit: 'm' | 'h' | 'd';
}

const WHOLE = { m: 60, h: 24, d: 1 } as const;

/** True where `every` is a step that days are made of: every:15m, every:6h, every:1d, but not every:7m. */
export const isStep = ({ count, unit }: Every): boolean => count > 0 && WHOLE[unit] % count === 0;

/** The step of `eventtime`, such as 2026-11-20T14:15 for a quarter of an hour. By the remainder, for engines divide integers differently. */
export function stepOf({ count, unit }: Every): Sql {
  if (!isStep({ count, unit })) throw new RangeError(`Not a step: ${count}${unit}`);
  const number = (start: number) => `cast(substr(eventtime, ${start}, 2) as integer)`;
  const floor = (start: number) => `lpad(cast(${number(start)} - ${number(start)} % ${count} as varchar), 2, '0')`;
  const text = {
    m: `substr(eventtime, 1, 14) || ${floor(15)}`,
    h: `substr(eventtime, 1, 11) || ${floor(12)} || ':00'`,
    d: `substr(eventtime, 1, 10)`,
  }[unit];
  return { text, values: [] };
}

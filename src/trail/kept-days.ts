/** The days of delivery of which an engine keeps `activity` and `mentions`, so that a question need not read their events. */
import { type Days, join, type Sql, sql } from './sql.ts';
import { DAY_MS } from './time-window.ts';

/** All days, as on an engine that makes both as it loads; or ranges with a gap between each two, and none on an engine that keeps nothing. */
export type KeptDays = 'all' | readonly Days[];

/** The parts of the kept ranges that are within some days. */
export const keptWithin = ({ first, last }: Days, kept: readonly Days[]): readonly Days[] =>
  kept
    .filter((range) => range.first <= last && range.last >= first)
    .map((range) => ({ first: range.first > first ? range.first : first, last: range.last < last ? range.last : last }));

/** True when all of some days are kept. */
export const isKeptWhole = ({ first, last }: Days, kept: readonly Days[]): boolean =>
  kept.some((range) => range.first <= first && last <= range.last);

const numberOf = (ranges: readonly Days[]): number =>
  ranges.reduce((sum, { first, last }) => sum + (Date.parse(last.replaceAll('/', '-')) - Date.parse(first.replaceAll('/', '-'))) / DAY_MS + 1, 0);

/** Fewer days than these are read sooner than asked where something is in them. */
const MIN_DAYS_TO_ASK = 3;

/** The kept days among some, when asking them is worth a query; none otherwise. */
export function worthAsking(days: Days, kept: readonly Days[]): readonly Days[] {
  const within = keptWithin(days, kept);
  return numberOf(within) >= MIN_DAYS_TO_ASK ? within : [];
}

/** The condition that a day is in one of some ranges, of which there is at least one. */
export const isOnDays = (ranges: readonly Days[]): Sql =>
  sql`(${join(
    ranges.map(({ first, last }) => sql`day between ${first} and ${last}`),
    ' or ',
  )})`;

/** The condition that a day is in none of some ranges, in a form of which Athena knows the days that are left. */
export const isOnOtherDays = (ranges: readonly Days[]): Sql =>
  sql`(${join(
    ranges.map(({ first, last }) => sql`(day < ${first} or day > ${last})`),
    ' and ',
  )})`;

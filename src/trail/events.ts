/** The relation `events`: the only way a query names the trail, so none can forget the bounds that keep a scan small. */
import { readFileSync } from 'node:fs';
import { type Sql, sql } from './sql.ts';
import type { TimeRange } from './window.ts';

const DAY_MS = 24 * 3_600_000;

/**
 * CloudTrail files an event under the day it was delivered, in UTC, which can be the day after it happened.
 */
const PROMPT_DAYS = 1;
/** For as many days CloudTrail tries again when it could not deliver (CloudTrail User Guide, "Getting and viewing log files"). */
const LATE_DAYS = 30;

/** The derived columns, from the flat ones; every engine builds its relation `events` with this text. */
export const derivedColumns: string = readFileSync(new URL('events.sql', import.meta.url), 'utf8');

/**
 * The events of `range`, [from, to). `day` prunes partitions; `eventtime` makes it exact. What was delivered more than a
 * day late is not among them, unless `late` asks for it: that is for the question after one event that must be there,
 * since it reads a month of partitions more.
 */
export function eventsDuring({ from, to }: TimeRange, { late = false } = {}): Sql {
  // `to` itself is no longer in the range: a day that ends at midnight is followed by one day of folders, not by two.
  const delivered = new Date(to.getTime() - 1 + (late ? LATE_DAYS : PROMPT_DAYS) * DAY_MS);
  return sql`(
    select * from events
    where day between ${dayOf(from)} and ${dayOf(delivered)}
      and eventtime >= ${secondOf(from)} and eventtime < ${secondOf(to)}
  )`;
}

/**
 * How many events: one that was delivered twice counts once. A hash of the id takes a fifth of the memory that the id
 * takes, and two of a billion events share one with a chance of 1 in 40.
 */
export const eventCount: Sql = sql`count(distinct from_big_endian_64(xxhash64(to_utf8(eventid))))`;

/** An instant as eventTime is written. Both are ISO text in UTC, so comparing text compares time, in any engine. */
export const secondOf = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10).replaceAll('-', '/');

/** The relation `events`: the only way a query names the trail, so none can forget the bounds that keep a scan small. */
import { readFileSync } from 'node:fs';
import { type Sql, sql } from './sql.ts';
import type { TimeRange } from './window.ts';

/**
 * CloudTrail files an event under the day it was delivered, in UTC, which can be the day after it happened. (After an
 * outage it can be up to 30 days later; an answer's coverage says up to when it has seen data.)
 */
const DELIVERY_SLACK_MS = 24 * 3_600_000;

/** The derived columns, from the flat ones; every engine builds its relation `events` with this text. */
export const derivedColumns: string = readFileSync(new URL('events.sql', import.meta.url), 'utf8');

/** The events of `range`, [from, to). `day` prunes partitions; `eventtime` makes it exact. */
export function eventsDuring({ from, to }: TimeRange): Sql {
  const delivered = new Date(to.getTime() + DELIVERY_SLACK_MS);
  return sql`(
    select * from events
    where day between ${dayOf(from)} and ${dayOf(delivered)}
      and eventtime >= ${secondOf(from)} and eventtime < ${secondOf(to)}
  )`;
}

/** An instant as eventTime is written. Both are ISO text in UTC, so comparing text compares time, in any engine. */
export const secondOf = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

const dayOf = (at: Date): string => at.toISOString().slice(0, 10).replaceAll('-', '/');

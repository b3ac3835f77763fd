/**
 * Console work in old records. Since version 1.08 of its records, and not at once for all services, CloudTrail marks calls with
 * credentials of the console by `sessionCredentialFromConsole`. In older records the session shows it: the console signs a user in,
 * calls with a browser's user agent or its own, and takes a new access key for each request (CloudTrail User Guide, "CloudTrail
 * userIdentity element").
 */
import { eventColumns, eventsDuring } from '../trail/events.ts';
import { join, raw, type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

/** Newer records are marked. Versions are compared as text: 1.08 is before 1.09 and 1.10. */
const IS_OLD = sql`(sessioncredentialfromconsole is null and coalesce(eventversion, '1.0') < '1.09')`;

/** One session has one principal and one creation time. A sign-in has no session yet: it is the start of the one created then. */
const SESSION = sql`case when ${IS_OLD} then principalid || ' ' || coalesce(sessioncreationdate, case when eventname = 'ConsoleLogin' then eventtime end) end`;

/** A program of a role may have several keys of the same second, for example in copies of a function. A user's program has one. */
const TAKES_NEW_KEYS = sql`(actorkind in ('human', 'user', 'root') and firstkey <> lastkey)`;

const columns = join(
  eventColumns.map((name) =>
    name === 'via'
      ? sql`case when isold and via in ('sdk', 'other') and (seen = 1 or ${TAKES_NEW_KEYS}) then 'console' else via end as via`
      : raw(name),
  ),
  ', ',
);

/**
 * The events of `range` that `condition` selects, and those of old records, with the columns of `events`. In an old record `via` is
 * `console` too where the session is the console's.
 */
export const withConsoleSessions = (range: TimeRange, condition: Sql): Sql => sql`(
    select ${columns}
    from (
      select *,
        max(case when via = 'console' then 1 else 0 end) over (partition by session) as seen,
        min(accesskeyid) over (partition by session) as firstkey, max(accesskeyid) over (partition by session) as lastkey
      from (
        select *, ${IS_OLD} as isold, coalesce(${SESSION}, eventid) as session
        from ${eventsDuring(range)}
        where ${IS_OLD} or ${condition}
      ) as keyed
    ) as grouped
  )`;

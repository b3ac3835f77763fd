/**
 * The relation `activity`: what was called in each hour, by whom, from where, with which tool and outcome. A row stands for all events
 * of an hour that are the same in these columns, so that counts, comparisons with the past and series read a small part of the trail.
 * Real trails have 5 to 35 rows for 100 events.
 *
 * Rows are added up: most kept rows stand for `events` events, and have no `singleid`; a row with a `singleid` is one event, and has 0 in
 * `events`. `eventCount` counts both. Single are the events that are not kept yet, and kept ones from the end of a day, which may be
 * delivered again on the next. On an engine that keeps nothing, all rows are single events.
 */
import { eventColumns, eventsDuring, isoSecond, readDays } from './events.ts';
import { type Folders, folderName } from './folders.ts';
import { joinParts } from './joined-parts.ts';
import { isOnDays, isOnOtherDays, type KeptDays, keptWithin } from './kept-days.ts';
import type { Places } from './places.ts';
import { isRoutine } from './routine-calls.ts';
import { join, raw, type Sql, sql } from './sql.ts';
import { type TimeRange, UNIT_MS } from './time-window.ts';

/** The columns of `events` in `activity`: all but ids, exact times, resources, and texts that differ from call to call. */
const SHARED_COLUMNS = `day account region eventsource eventname eventtype eventcategory eventversion apiversion awsregion recipientaccountid readonly
  managementevent sourceipaddress useragent errorcode vpcendpointid vpcendpointaccountid identitytype principalid identityarn identityaccountid username
  accesskeyid invokedby sessionissuertype sessionissuerarn sessionissuername sessionname sessioncreationdate mfaauthenticated sourceidentity
  sessioncredentialfromconsole actor actorkind actorbasis names via outcome destructive readlike effect risk`.split(/\s+/);

/**
 * The columns of `activity`. `affected` is the target of a call that carries a risk or makes something, and null for others; `signin` has
 * what `signInsDuring` needs of an event of a sign-in besides the other columns (see `joinParts`). `hour` is the start of an eventTime,
 * `2026-11-20T14`; `first` and `last` are eventTimes.
 */
export const activityColumns: readonly string[] = [...SHARED_COLUMNS, 'affected', 'signin', 'hour', 'singleid', 'events', 'first', 'last'];

const HOUR_COLUMN = sql`substr(eventtime, 1, 13) as hour`;
const AFFECTED = sql`case when risk is not null or (effect = 'create' and actorkind <> 'service' and not ${isRoutine}) then target end`;
const detail = (key: string): string => `json_extract_scalar(additionaleventdata, '$.${key}')`;
/** The parts of `signin`. */
export const SIGN_IN_PARTS = {
  eventid: 'eventid',
  errormessage: 'errormessage',
  credentialType: detail('CredentialType'),
  typedName: detail('UserName'),
  workflow: detail('AuthWorkflowID'),
  mfaUsed: detail('MFAUsed'),
} as const;
/** The events of sign-ins to the console and to the access portal. */
export const isSignInEvent: Sql = sql`(eventsource = 'signin.amazonaws.com' and eventname in ('ConsoleLogin', 'CredentialChallenge', 'CredentialVerification', 'UserAuthentication'))`;
const SIGN_IN = sql`case when ${isSignInEvent} then ${raw(joinParts(...Object.values(SIGN_IN_PARTS)))} end`;
/** What is made of several columns of `events`, and by what it is grouped. */
const MADE = sql`${AFFECTED} as affected, ${SIGN_IN} as signin`;
const shared = raw(SHARED_COLUMNS.join(', '));
const all = raw(activityColumns.join(', '));

/** What a single event adds to the columns of `events`. */
const SINGLE = sql`eventid as singleid, cast(0 as bigint) as events, eventtime as first, eventtime as last`;

/**
 * Whether an event is kept as a row of its own: when it is of the last hour of its day of delivery. It may be delivered again soon, and
 * after midnight that is on the next day, which may not be kept yet: by its id, the event counts once. One that is delivered again more
 * than an hour later, after midnight, counts twice until the next day is kept, too. AWS documents no time.
 */
const IS_SINGLE = sql`substr(eventtime, 1, 13) >= replace(day, '/', '-') || 'T23'`;
const KEPT_ID = sql`case when ${IS_SINGLE} then eventid end`;

/**
 * `activity` of all of `events`: one row for each combination of values. `count` counts the events of a row: all rows where each event is
 * there once, as where activity is kept, or `distinctEventCount`.
 */
export const activityOf = (count: Sql): Sql => sql`select ${shared}, ${MADE}, ${HOUR_COLUMN}, ${KEPT_ID} as singleid,
  cast(case when ${IS_SINGLE} then 0 else ${count} end as bigint) as events, min(eventtime) as first, max(eventtime) as last
  from events
  group by ${shared}, ${AFFECTED}, ${SIGN_IN}, substr(eventtime, 1, 13), ${KEPT_ID}`;

/** `activity` of all of `events` on an engine that keeps nothing: one row for each event. */
export const singleActivity: Sql = sql`select ${shared}, ${MADE}, ${HOUR_COLUMN}, ${SINGLE} from events`;

/** The columns of `events` that `activity` does not have. */
const MISSING_COLUMNS = eventColumns.filter((name) => !SHARED_COLUMNS.includes(name));
const USES_MISSING = new RegExp(`\\b(?:${MISSING_COLUMNS.join('|')})\\b`);

/** True for conditions and expressions that need no column of `events` but those that `activity` has. */
export const isInActivity = (parts: readonly Sql[]): boolean => !parts.some(({ text }) => USES_MISSING.test(text));

/** What a count reads, and from what. */
export interface ActivityOptions {
  /** The days of which the engine keeps activity. */
  readonly kept: KeptDays;
  /** All conditions and expressions that the count has of the rows. When one needs a column that `activity` lacks, its events are read. */
  readonly uses: readonly Sql[];
  /** Where to read events, when `activity` does not do. Default: anywhere. */
  readonly places?: Places | undefined;
  /** The folders to read. Default: all. */
  readonly folders?: Folders | undefined;
  /** Reads the days of delivery of this range. Default: those of the range itself. */
  readonly deliveredFor?: TimeRange | undefined;
}

/**
 * The activity of `range`, [from, to), with the columns of `activity`; or its events with all of their columns and, as single rows,
 * `singleid`, `events`, `first` and `last`, when `uses` needs them. Hours that the range cuts are read from its events.
 */
export function activityDuring(range: TimeRange, { kept, uses, places, folders, deliveredFor = range }: ActivityOptions): Sql {
  if (!isInActivity(uses)) return singlesOf(eventsDuring(range, { deliveredFor, places, folders }));
  const days = readDays(deliveredFor);
  const known = kept === 'all' ? undefined : keptWithin(days, kept);
  const singlesFrom = (events: Sql): Sql => sql`select ${shared}, ${MADE}, ${HOUR_COLUMN}, ${SINGLE} from ${events}`;
  if (known?.length === 0) return sql`(${singlesFrom(eventsDuring(range, { deliveredFor, folders }))})`;
  const [from, to] = [nextHour(wholeSecond(range.from)), hourOf(range.to)];
  const cut =
    from < to
      ? [
          { from: wholeSecond(range.from), to: from },
          { from: to, to: wholeSecond(range.to) },
        ].filter((part) => part.from < part.to)
      : [range];
  const isKnown = known ? sql` and ${isOnDays(known)}` : sql``;
  const whole = sql`select ${all} from activity where day between ${days.first} and ${days.last}${isKnown} and hour >= ${hourText(from)} and hour < ${hourText(to)}`;
  const parts = cut.map((part) => singlesFrom(eventsDuring(part, { deliveredFor, onDays: known && isOnDays(known) })));
  // Of the other days, all events are read once.
  const others = known ? [singlesFrom(eventsDuring(range, { deliveredFor, folders, onDays: isOnOtherDays(known) }))] : [];
  return {
    ...sql`(${join([...(from < to ? [whole] : []), ...parts, ...others], ' union all ')})`,
    reads: [{ ...days, ...(folders && { folders: folders.map(folderName) }) }],
  };
}

/** Events of any relation as single rows of activity, with all of their own columns. */
export const singlesOf = (events: Sql): Sql => sql`(select *, ${MADE}, ${HOUR_COLUMN}, ${SINGLE} from ${events})`;

/**
 * The number of events in rows of `activityDuring` or `singlesOf` that match a condition, or of all. An event that is not kept may be
 * in several files, and counts once (see `distinctEventCount`).
 */
export function eventCount(condition?: Sql): Sql {
  const filter = condition ? sql` filter (where ${condition})` : sql``;
  return sql`cast(coalesce(sum(events)${filter}, 0) + ${DISTINCT_SINGLES}${filter} as bigint)`;
}

/** The single events, each once. An engine that has each event once may count them as they are. */
export const DISTINCT_SINGLES: Sql = sql`count(distinct from_big_endian_64(xxhash64(to_utf8(singleid))))`;

/** `eventsDuring` compares whole seconds. */
const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000);
const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / UNIT_MS.h) * UNIT_MS.h);
const nextHour = (at: Date): Date => new Date(Math.ceil(at.getTime() / UNIT_MS.h) * UNIT_MS.h);
const hourText = (at: Date): string => isoSecond(at).slice(0, 13);

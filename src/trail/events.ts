/** The relation `events`: the only way a query names the trail, so none can forget the bounds that keep a scan small. */
import { readFileSync } from 'node:fs';
import { type Days, join, type Sql, sql } from './sql.ts';
import { DAY_MS, type TimeRange } from './time-window.ts';

/**
 * CloudTrail files an event under the day it was delivered, in UTC, which can be the day after it happened.
 */
const PROMPT_DAYS = 1;
/** For as many days CloudTrail tries again when it could not deliver (CloudTrail User Guide, "Getting and viewing log files"). */
const LATE_DAYS = 30;

/** The derived columns, from the flat ones; every engine builds its relation `events` with this text. */
export const derivedColumns: string = readFileSync(new URL('events.sql', import.meta.url), 'utf8');

/** The columns of the relation `events`, flat and derived, in the order in which Athena's view has them. */
export const eventColumns: readonly string[] = `day account region eventtime eventid eventsource eventname eventtype eventcategory
  eventversion requestid apiversion awsregion recipientaccountid sharedeventid readonly managementevent sourceipaddress useragent errorcode
  errormessage requestparameters responseelements additionaleventdata serviceeventdetails resources resourcesjson vpcendpointid
  vpcendpointaccountid tlsversion tlsdetails addendum edgedevicedetails useridentity identitytype principalid identityarn identityaccountid
  username accesskeyid invokedby sessionissuertype sessionissuerarn sessionissuername sessionname sessioncreationdate mfaauthenticated
  sourceidentity sessioncredentialfromconsole actor actorkind actorbasis names target instances via outcome destructive readlike`.split(/\s+/);

/**
 * The events of `range`, [from, to). `day` prunes partitions; `eventtime` makes it exact. What was delivered more than a
 * day late is not among them, unless `late` asks for it: that is for the question after one event that must be there,
 * since it reads a month of partitions more.
 */
export function eventsDuring({ from, to }: TimeRange, { late = false } = {}): Sql {
  // `to` itself is no longer in the range: a day that ends at midnight is followed by one day of folders, not by two.
  const delivered = new Date(to.getTime() - 1 + (late ? LATE_DAYS : PROMPT_DAYS) * DAY_MS);
  const days: Days = { first: dayOf(from), last: dayOf(delivered) };
  const events = sql`(
    select * from events
    where day between ${days.first} and ${days.last}
      and eventtime >= ${isoSecond(from)} and eventtime < ${isoSecond(to)}
  )`;
  return { ...events, reads: [days] };
}

/** Ranges that are apart for less than this are read as one: each range reads a day more, for files that were delivered late. */
const NEAR_MS = 2 * DAY_MS;
const MOST_RANGES = 8;

/**
 * The events of any of several ranges, in any order, each event once. What lies between them is not read, as far as there
 * are few gaps: the smallest are closed.
 */
export function eventsDuringAny(ranges: readonly TimeRange[]): Sql {
  const apart: TimeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from.getTime() - b.from.getTime())) {
    const last = apart.at(-1);
    if (last && range.from.getTime() - last.to.getTime() < NEAR_MS) apart.splice(-1, 1, together(last, range));
    else apart.push(range);
  }
  while (apart.length > MOST_RANGES) {
    const gaps = apart.slice(1).map(({ from }, i) => from.getTime() - (apart[i] as TimeRange).to.getTime());
    const least = gaps.indexOf(Math.min(...gaps));
    apart.splice(least, 2, together(apart[least] as TimeRange, apart[least + 1] as TimeRange));
  }
  if (apart.length === 0) throw new RangeError('There is no range to read');
  const each = apart.map((range) => sql`select * from ${eventsDuring(range)}`);
  return sql`(${join(each, ' union all ')})`;
}

const together = (one: TimeRange, other: TimeRange): TimeRange => ({
  from: one.from,
  to: new Date(Math.max(one.to.getTime(), other.to.getTime())),
});

/**
 * A range in parts, newest first, each four times as long as the one after it, so that a search that may stop early reads
 * little. Each part reads a day more than its own, for files that were delivered late: short ranges stay whole.
 */
export function splitNewestFirst({ from, to }: TimeRange): readonly TimeRange[] {
  const parts: TimeRange[] = [];
  let end = to.getTime();
  for (let days = FIRST_PART_DAYS; end - from.getTime() > 2 * days * DAY_MS; days *= 4) {
    const start = end - days * DAY_MS;
    parts.push({ from: new Date(start), to: new Date(end) });
    end = start;
  }
  return [...parts, { from, to: new Date(end) }];
}

const FIRST_PART_DAYS = 2;

/**
 * How many events: one that was delivered twice counts once. A hash of the id takes a fifth of the memory that the id
 * takes, and two of a billion events share one with a chance of 1 in 40.
 */
export const distinctEventCount: Sql = sql`count(distinct from_big_endian_64(xxhash64(to_utf8(eventid))))`;

/**
 * The account whose user acted: users of one name in two accounts are two, and each account has a root. A person of
 * Identity Center is the same in all accounts, and has none.
 */
export const actorAccount: Sql = sql`case when identitytype in ('IAMUser', 'Root') then coalesce(identityaccountid, recipientaccountid) end`;

/** An instant as eventTime is written. Both are ISO text in UTC, so comparing text compares time, in any engine. */
export const isoSecond = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** The day of delivery that an instant is in, as folders are named: 'yyyy/MM/dd'. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10).replaceAll('-', '/');

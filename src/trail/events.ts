/** The relation `events`. Queries reach it only through `eventsDuring`, so none can forget the day bounds that keep a scan small. */
import { readFileSync } from 'node:fs';
import { CALL_DATE } from './call-names.ts';
import { effectExpression } from './calls.ts';
import { type Folders, folderName, inFolders } from './folders.ts';
import { eventsAt, type Places } from './places.ts';
import { riskExpression } from './risks.ts';
import { type Days, join, raw, type Sql, sql } from './sql.ts';
import { DAY_MS, type TimeRange } from './time-window.ts';

/** CloudTrail puts an event in the folder of the UTC day on which it was delivered, which can be the day after it happened. */
const NORMAL_DELAY_DAYS = 1;
/** CloudTrail retries a failed delivery for 30 days (CloudTrail User Guide, "Getting and viewing log files"). */
const LATE_DELAY_DAYS = 30;

/** The SQL that adds the derived columns to the flat ones. Every engine builds its relation `events` from it. */
export const derivedColumns: string = readFileSync(new URL('events.sql', import.meta.url), 'utf8')
  .replace('{{callDate}}', CALL_DATE)
  .replace('{{effect}}', () => effectExpression)
  .replace('{{risk}}', () => riskExpression.text);

/** The columns of the relation `events`, flat and derived, in the order of Athena's view. */
export const eventColumns: readonly string[] = `day folder account region eventtime eventid eventsource eventname eventtype eventcategory
  eventversion requestid apiversion awsregion recipientaccountid sharedeventid readonly managementevent sourceipaddress useragent errorcode
  errormessage requestparameters responseelements additionaleventdata serviceeventdetails resources resourcesjson vpcendpointid
  vpcendpointaccountid tlsversion tlsdetails addendum edgedevicedetails useridentity identitytype principalid identityarn identityaccountid
  username accesskeyid invokedby sessionissuertype sessionissuerarn sessionissuername sessionname sessioncreationdate mfaauthenticated
  sourceidentity sessioncredentialfromconsole actor actorkind actorbasis names target instances via outcome destructive readlike effect risk notable`.split(
  /\s+/,
);

/** What else to read besides the usual. */
interface ReadOptions {
  /** Reads another month of partitions, for events that were delivered more than a day late. Only to find one event that must exist. */
  readonly late?: boolean;
  /** Reads the days in which events of this range may have been delivered; a part of it is then complete as in the whole. Default: the range. */
  readonly deliveredFor?: TimeRange;
  /** Reads only what is at these places. Default: anywhere. */
  readonly places?: Places | undefined;
  /** Reads only days of delivery that fulfil this condition, besides those of the range. */
  readonly onDays?: Sql | undefined;
  /** Reads only these folders. Default: all. */
  readonly folders?: Folders | undefined;
  /** Reads only notable events (see events.sql), of which the compacted copy has files of their own. Default: false. */
  readonly notable?: boolean | undefined;
}

/** The days of delivery to read for the events of a range. */
export function readDays({ from, to }: TimeRange, { late = false } = {}): Days {
  // `to` is not in the range: a range that ends at midnight needs one more day of folders, not two.
  const delivered = new Date(to.getTime() - 1 + (late ? LATE_DELAY_DAYS : NORMAL_DELAY_DAYS) * DAY_MS);
  return { first: dayFolder(from), last: dayFolder(delivered) };
}

/**
 * The events of `range`, [from, to). `day` prunes partitions; `eventtime` makes it exact. Events delivered more than a day late are
 * missing unless `late` is set.
 */
export function eventsDuring(
  { from, to }: TimeRange,
  { late = false, deliveredFor = { from, to }, places, folders, onDays, notable = false }: ReadOptions = {},
): Sql {
  const days = readDays(deliveredFor, { late });
  const time = sql`day between ${days.first} and ${days.last}${onDays ? sql` and ${onDays}` : sql``}${inFolders(folders)}
      and eventtime >= ${isoSecond(from)} and eventtime < ${isoSecond(to)}${notable ? sql` and notable = 'true'` : sql``}`;
  const events = eventsAt(time, places);
  return { ...events, reads: [{ ...days, ...(folders && { folders: folders.map(folderName) }) }] };
}

/** Ranges with a smaller gap are read as one, because each range reads one more day for late files. */
const MERGE_GAP_MS = 2 * DAY_MS;
const MAX_RANGES = 8;

/**
 * The events of several ranges, given in any order, each event once. The gaps are not read, except the smallest when there are
 * more than eight ranges.
 */
export function eventsDuringAny(ranges: readonly TimeRange[], { places, notable }: Pick<ReadOptions, 'places' | 'notable'> = {}): Sql {
  const separate: TimeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from.getTime() - b.from.getTime())) {
    const last = separate.at(-1);
    if (last && range.from.getTime() - last.to.getTime() < MERGE_GAP_MS) separate.splice(-1, 1, merge(last, range));
    else separate.push(range);
  }
  while (separate.length > MAX_RANGES) {
    const gaps = separate.slice(1).map(({ from }, i) => from.getTime() - (separate[i] as TimeRange).to.getTime());
    const smallest = gaps.indexOf(Math.min(...gaps));
    separate.splice(smallest, 2, merge(separate[smallest] as TimeRange, separate[smallest + 1] as TimeRange));
  }
  if (separate.length === 0) throw new RangeError('There is no range to read');
  const each = separate.map((range) => sql`select * from ${eventsDuring(range, { places, notable })}`);
  return sql`(${join(each, ' union all ')})`;
}

const merge = (one: TimeRange, other: TimeRange): TimeRange => ({
  from: one.from,
  to: new Date(Math.max(one.to.getTime(), other.to.getTime())),
});

/**
 * Splits a range into parts, newest first, each four times as long as the one before, so that a search that may stop early reads
 * little; none is longer than `maxDays`. Each part reads one more day for late files, so short ranges are not split.
 */
export function splitNewestFirst({ from, to }: TimeRange, maxDays: number = Number.POSITIVE_INFINITY): readonly TimeRange[] {
  const parts: TimeRange[] = [];
  let end = to.getTime();
  for (
    let days = Math.min(FIRST_PART_DAYS, maxDays);
    end - from.getTime() > Math.min(2 * days, maxDays) * DAY_MS;
    days = Math.min(days * 4, maxDays)
  ) {
    const start = end - days * DAY_MS;
    parts.push({ from: new Date(start), to: new Date(end) });
    end = start;
  }
  return [...parts, { from, to: new Date(end) }];
}

const FIRST_PART_DAYS = 2;

/**
 * The number of events; one that was delivered twice counts once. It counts hashes of the id, which need a fifth of the memory.
 * With a billion events, the chance that any two share a hash is 1 in 40.
 */
export const distinctEventCount: Sql = sql`count(distinct from_big_endian_64(xxhash64(to_utf8(eventid))))`;

/**
 * The account of an IAM user or root, to tell apart users of the same name in two accounts. Null for Identity Center users, who
 * are the same in all accounts, and for every other actor.
 */
export const actorAccount: Sql = sql`case when identitytype in ('IAMUser', 'Root') then coalesce(identityaccountid, recipientaccountid) end`;

/** The actor of a sign-in with a user name that does not exist. CloudTrail hides the name: it may be a password. */
export const UNKNOWN_USER = 'a user name that does not exist';

/** An instant as eventTime is written. Both are ISO text in UTC, so comparing text compares time, in any engine. */
export const isoSecond = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** An eventTime as fixed SQL, for where Athena takes no parameters. */
export const fixedTime = (at: Date): Sql => raw(`'${isoSecond(at)}'`);

/** The day of delivery that an instant is in, as folders are named: 'yyyy/MM/dd'. */
export const dayFolder = (at: Date): string => at.toISOString().slice(0, 10).replaceAll('-', '/');

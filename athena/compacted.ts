/**
 * The compacted copy of a trail: Iceberg tables in a bucket of trailbot's own, with the events of each delivery day in columns, and the
 * activity and the mentions of that day. The raw table's properties say which days are complete; the views read the others from the log files.
 */
import { createHash } from 'node:crypto';
import { activityOf } from '../src/trail/activity.ts';
import { distinctEventCount } from '../src/trail/events.ts';
import { mentionsOf } from '../src/trail/mentions.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import { type Days, type Reading, raw } from '../src/trail/sql.ts';
import { dayBefore, daysBetween, nextDay } from './days.ts';
import { compactedTable, createViewStatement, RAW_EVENTS, RELATION_COLUMNS, sqlString, type TableNames } from './tables.ts';

/** The properties of the raw table with the days of the copy, and with the rules by which it was made. */
export const COMPACTED_DAYS = 'trailbot.compacted.days';
export const COMPACTED_SHAPE = 'trailbot.compacted.shape';

/** Each event is in the copy once, so rows are counted. */
const ROW_COUNT = raw('count(*)');

/** A checksum of all rules by which the copy is made of log files. A copy made by others is not read. */
export const COPY_SHAPE: string = createHash('sha256')
  .update(
    [
      createViewStatement({ database: 'd', table: 't' }, RAW_EVENTS, { partitions: { folder: 'string', day: 'string' }, compacted: [] }),
      activityOf(ROW_COUNT).text,
      mentionsOf(ROW_COUNT).text,
    ].join('\n'),
  )
  .digest('hex')
  .slice(0, 16);

// --- The days ------------------------------------------------------------------------------------------------------------

/** The days that are complete in the copy, oldest first; none when it was made by other rules. */
export function readCompactedDays(properties: Readonly<Record<string, string>>): readonly Days[] {
  if (properties[COMPACTED_SHAPE] !== COPY_SHAPE) return [];
  return (properties[COMPACTED_DAYS] ?? '').split(',').flatMap((range) => {
    const [, first, last] = /^(\d{4}\/\d\d\/\d\d)-(\d{4}\/\d\d\/\d\d)$/.exec(range) ?? [];
    return first !== undefined && last !== undefined ? [{ first, last }] : [];
  });
}

/** The properties that say which days are complete. */
export const compactedProperties = (days: readonly Days[]): Readonly<Record<string, string>> => ({
  [COMPACTED_SHAPE]: COPY_SHAPE,
  [COMPACTED_DAYS]: days.map(({ first, last }) => `${first}-${last}`).join(',') || 'none',
});

export const isInDays = (day: string, ranges: readonly Days[]): boolean => ranges.some(({ first, last }) => first <= day && day <= last);

/** Days as the fewest ranges, oldest first. */
export function toRanges(days: Iterable<string>): readonly Days[] {
  const ranges: { first: string; last: string }[] = [];
  for (const day of [...new Set(days)].sort()) {
    const range = ranges.at(-1);
    if (range && nextDay(range.last) === day) range.last = day;
    else ranges.push({ first: day, last: day });
  }
  return ranges;
}

/** What of a reading is in the copy, and what is not. */
export function splitReading(
  reading: Reading,
  compacted: readonly Days[],
): { readonly copied: readonly Days[]; readonly others: readonly Reading[] } {
  const days = daysBetween(reading.first, reading.last);
  const copied = toRanges(days.filter((day) => isInDays(day, compacted)));
  const others = toRanges(days.filter((day) => !isInDays(day, compacted)));
  return { copied, others: others.map((range) => ({ ...reading, ...range })) };
}

export const daysOf = (ranges: readonly Days[]): readonly string[] => ranges.flatMap(({ first, last }) => daysBetween(first, last));

/** After so many days the views read them from the copy. */
export const DAYS_PER_CHUNK = 7;

/** What a fill starts from: the trail's first day, the days of the copy, and those that are missing, newest first. */
interface FillState {
  readonly first: string;
  readonly copied: readonly Days[];
  readonly missing: readonly string[];
}

/**
 * What filling days takes: their log files are read to copy them, and to prove the copy; and so are those of the day before, where it is not in
 * the copy by then, as before the first day of a week.
 */
export const fillReads = (days: readonly string[], { first, copied, missing }: FillState): readonly Reading[] =>
  days.flatMap((day) => {
    const [before, at] = [dayBefore(day), missing.indexOf(day)];
    const isOfSameWeek = at >= 0 && missing[at + 1] === before && (at + 1) % DAYS_PER_CHUNK !== 0;
    const isThere = before < first || isOfSameWeek || isInDays(before, copied);
    return (isThere ? [day, day] : [day, day, before, before]).map((each) => ({ first: each, last: each }));
  });

// --- Statements ----------------------------------------------------------------------------------------------------------

const COLUMN_TYPES: Readonly<Record<string, string>> = { resources: 'array<string>', events: 'bigint', writes: 'bigint' };

/** Rows of `mentions` are divided by their name into this many files a day, so that a question about a name reads one of them. */
const MENTION_BUCKETS = 64;

const PARTITIONING: Readonly<Record<Relation, readonly string[]>> = {
  // Reports and questions about root and sign-ins read only the small files of notable events.
  events: ['day', 'notable'],
  activity: ['day'],
  // At most 100 files can be written at a time (Athena User Guide, "Considerations and limitations for INSERT"), so one day is inserted at a time.
  mentions: ['day', `bucket(${MENTION_BUCKETS}, name)`],
};

/** The columns of a table of the copy, with their types. */
export const compactedColumns = (relation: Relation): Readonly<Record<string, string>> =>
  Object.fromEntries(RELATION_COLUMNS[relation].map((name) => [name, COLUMN_TYPES[name] ?? 'string']));

/** Where a table of the copy lies in the copy's location: each database has a folder of its own, since another trail may share the bucket. */
export const locationOf = (location: string, { database }: TableNames, relation: Relation): string => `${location}${database}/${relation}/`;

/** The statement that creates a table of the copy in a location that ends with a slash. */
export function createCompactedStatement(names: TableNames, relation: Relation, location: string): string {
  const columns = Object.entries(compactedColumns(relation)).map(([name, type]) => `  ${name} ${type}`);
  return [
    `create table ${names.database}.${compactedTable(relation)} (`,
    columns.join(',\n'),
    ')',
    `partitioned by (${PARTITIONING[relation].join(', ')})`,
    `location ${sqlString(locationOf(location, names, relation))}`,
    "tblproperties ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')",
  ].join('\n');
}

/** Where the events of the day before are: in the copy, or, where that day is not complete there, in the log files. */
export type DayBefore = 'in the copy' | 'in the log files';

/** The condition that an event of a day is not one of the day before: around midnight, an event may be delivered on both, and the first counts. */
const isNew = ({ database }: TableNames, day: string, before: DayBefore): string =>
  `eventid not in (select eventid from ${database}.${before === 'in the copy' ? compactedTable('events') : RAW_EVENTS} where day = '${dayBefore(day)}')`;

/** The statement that fills one day of a table: `events` from the log files, the others from `events` of the copy. */
export function insertStatement(names: TableNames, relation: Relation, day: string, before: DayBefore = 'in the copy'): string {
  const { database } = names;
  const columns = RELATION_COLUMNS[relation].join(', ');
  const into = `insert into ${database}.${compactedTable(relation)} (${columns})`;
  if (relation === 'events') {
    return `${into}
select ${columns}
from (
  select *, row_number() over (partition by eventid order by folder, eventtime) as delivery
  from ${database}.${RAW_EVENTS}
  where day = '${day}' and ${isNew(names, day, before)}
) as delivered
where delivery = 1`;
  }
  const { text } = relation === 'activity' ? activityOf(ROW_COUNT) : mentionsOf(ROW_COUNT);
  return `${into}
with events as (select * from ${database}.${compactedTable('events')} where day = '${day}'),
${relation} as (
${text}
)
select ${columns}
from ${relation === 'activity' ? SORTED_ACTIVITY : relation}`;
}

/**
 * Activity in an order in which its files are a quarter smaller. Trino leaves out an ORDER BY of an insert, but not a number that is
 * compared; and the order is within each account, so that the rows of a day need not be sorted in one place.
 */
const SORTED_ACTIVITY = `(
  select *, row_number() over (partition by account order by actor, accesskeyid, hour, eventsource, eventname) as place
  from activity
) as sorted
where place > 0`;

export const deleteStatement = ({ database }: TableNames, relation: Relation, day: string): string =>
  `delete from ${database}.${compactedTable(relation)} where day = '${day}'`;

/**
 * The statements that tidy the tables: small files of some days are joined, a day at a time because Athena writes at most 100 partitions
 * in a statement, and files that no recent snapshot has are removed.
 */
export const tidyStatements = ({ database }: TableNames, days: readonly string[]): readonly string[] =>
  RELATIONS.map(compactedTable).flatMap((table) => [
    ...days.map((day) => `optimize ${database}.${table} rewrite data using bin_pack where day = '${day}'`),
    `vacuum ${database}.${table}`,
  ]);

/**
 * The query for what the copy has of some days: a row for each day with the rows of each table, and what they must be when each event is
 * there once.
 */
export const copyCounts = ({ database }: TableNames, { first, last }: Days): string => {
  const from = (relation: Relation): string => `from ${database}.${compactedTable(relation)} where day between '${first}' and '${last}' group by day`;
  const none = 'cast(0 as bigint)';
  return `select day, cast(sum(events) as bigint) as events, cast(sum(ids) as bigint) as ids, cast(sum(activity) as bigint) as activity,
  cast(sum(mentions) as bigint) as mentions, cast(sum(names) as bigint) as names
from (
  select day, count(*) as events, ${distinctEventCount.text} as ids, ${none} as activity, ${none} as mentions, ${none} as names ${from('events')}
  union all
  select day, ${none}, ${none}, coalesce(sum(events), 0) + count(singleid), ${none}, ${none} ${from('activity')}
  union all
  select day, ${none}, ${none}, ${none}, count(*), count(distinct from_big_endian_64(xxhash64(to_utf8(concat_ws(chr(10), account, region, coalesce(eventsource, ''), coalesce(eventname, ''), name))))) ${from('mentions')}
) as counted
group by day
order by day`;
};

/** The query for the number of events in the log files of a day, each counted once, without those of the day before. */
export const rawCount = (names: TableNames, day: string, before: DayBefore): string =>
  `select cast(${distinctEventCount.text} as bigint) as ids from ${names.database}.${RAW_EVENTS} where day = '${day}' and ${isNew(names, day, before)}`;

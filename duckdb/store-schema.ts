/** The schema of a store: the fields of a record, the columns of `events`, and the Parquet format of a part. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { derivedColumns } from '../src/trail/events.ts';
import { LINE_FIELDS, type LineField, type StagingFile } from './staging-file.ts';

// Increase it when the schema changes without a change of the SQL below.
const FORMAT = 7;
const readSql = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
const flattenQuery = readSql('flatten.sql');

/** Athena's functions as DuckDB macros. Run them in each DuckDB that queries the store. */
const eventMacros = readSql('macros.sql');
export const macros: string = [eventMacros, readSql('kept-macros.sql')].join('\n');

/** A checksum of the schema. A store with another one is rebuilt. */
export const SHAPE: string = createHash('sha256').update([FORMAT, eventMacros, flattenQuery, derivedColumns].join('\n')).digest('hex').slice(0, 16);

/** The fields of a record. Objects are read as JSON, so that no service's contents are an error. */
const TEXTS = `eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID eventType
  eventCategory readOnly managementEvent recipientAccountId sharedEventID vpcEndpointId sessionCredentialFromConsole apiVersion vpcEndpointAccountId`.split(
  /\s+/,
);
const OBJECTS =
  'userIdentity requestParameters responseElements additionalEventData serviceEventDetails resources tlsDetails addendum edgeDeviceDetails'.split(
    ' ',
  );
const RECORD_FIELDS: readonly (readonly [name: string, type: string])[] = [
  ...TEXTS.map((name) => [name, 'varchar'] as const),
  ...OBJECTS.map((name) => [name, 'json'] as const),
];

/**
 * Prefix of the fields that unpacking adds to a record. It is random, so that no record can fake them, and short, because
 * they are in every line.
 */
export const FIELD_PREFIX = `t${randomBytes(6).toString('hex')}`;
const lineFieldName = (name: LineField): string => `${FIELD_PREFIX}${LINE_FIELDS.indexOf(name)}`;
const LINE_FIELD_TYPES: { readonly [name in LineField]: string } = {
  line: 'integer',
  file: 'integer',
  digest: 'varchar',
  day: 'varchar',
  account: 'varchar',
  region: 'varchar',
  asked: 'varchar[]',
  answered: 'varchar[]',
};

/** A query for the records of staging files, with the added fields. A line that is not JSON gives no row. */
export function recordsQuery(stagingFiles: readonly StagingFile[], fields: readonly string[] = RECORD_FIELDS.map(([name]) => name)): string {
  const columns = [
    ...LINE_FIELDS.map((name) => [lineFieldName(name), LINE_FIELD_TYPES[name]] as const),
    ...RECORD_FIELDS.filter(([name]) => fields.includes(name)),
  ];
  const longest = Math.max(1_000_000, ...stagingFiles.map(({ longestLine }) => longestLine + 1));
  const from =
    stagingFiles.length > 0
      ? `read_json([${stagingFiles.map(({ path }) => sqlQuoted(path)).join(', ')}], format = 'newline_delimited', ignore_errors = true, maximum_object_size = ${longest},
        columns = {${columns.map(([name, type]) => `${name}: '${type}'`).join(', ')}})`
      : `(select ${columns.map(([name, type]) => `null::${type} as ${name}`).join(', ')} limit 0)`;
  return `select ${LINE_FIELDS.map((name) => `${lineFieldName(name)} as ${name}`).join(', ')}, ${fields.join(', ')} from ${from} where file is not null`;
}

/** An eventID in the form that AWS gives it, and what tells apart two events that have the same. */
const EVENT_ID_PATTERN = '(?i)[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';
const AWS_CONTENT = `concat_ws('|', substr(eventTime, 1, 19), eventSource, eventName, requestID)`;

/**
 * A query for the loader's checks: file, day, identity and validity of each line. Two lines are the same event when they have the
 * same `id` and the same `content`:
 *
 * - With an eventID that AWS gave, the same event may be in several files, of two trails, regions or accounts, and not byte for byte
 *   the same. The id decides, with time, call and request: in public sets of events, another event may have been given its id.
 * - With another eventID, such as a masked one, the whole record decides. The unpack thread adds its `digest` to such records.
 * - Without an eventID, as in version 1.0, the digest is the id.
 */
export const linesQuery = (stagingFiles: readonly StagingFile[]): string => `select
  line, file, day, substr(eventTime, 1, 19) || 'Z' as eventtime, replace(substr(eventTime, 1, 10), '-', '/') as event_day,
  case
    when digest is null or regexp_full_match(eventID, '${EVENT_ID_PATTERN}') then try_cast(eventID as uuid)
    else coalesce(cast(md5(nullif(eventID, '')) as uuid), try_cast(digest as uuid))
  end as id,
  md5_number_lower(case
    when digest is null or regexp_full_match(eventID, '${EVENT_ID_PATTERN}') then ${AWS_CONTENT}
    else digest
  end) as content,
  coalesce(id is not null and eventName <> '' and eventSource <> '' and regexp_full_match(eventTime, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z')
    and try_cast(eventTime as timestamp) is not null, false) as is_valid
  from (${recordsQuery(stagingFiles, ['eventTime', 'eventName', 'eventSource', 'eventID', 'requestID'])})`;

/**
 * A query for records in which those that share their eventID with another event have an id of their own. `ownIds` is a variable with
 * a bit for each line.
 */
export const withOwnIds = (records: string, ownIds: string): string =>
  `select * replace (case when get_bit(getvariable('${ownIds}'), line) = 1 then coalesce(digest, cast(cast(md5(eventID || '|' || ${AWS_CONTENT}) as uuid) as varchar)) else eventID end as eventID) from (${records})`;

const HELPER_COLUMNS = 'own, hint, resourcearn, typed, agent, service, plainname';

/** A query for the rows of `events` from records, as stored in parts. */
const eventsQuery = (records: string, exclude: string): string =>
  `with records as (${records}), flat as (${flattenQuery}), events as (${derivedColumns}) select * exclude (${exclude}) from events`;

/** Writes the events of `records`, all of one day, to one file. Only one row group is held in memory. */
export const copyDayStatement = (records: string, file: string): string =>
  `copy (${eventsQuery(records, `${HELPER_COLUMNS}, day`)}) to ${sqlQuoted(file)} (${PART_FORMAT})`;

/**
 * Writes the events of `records`, of several days, to `<name>-0.parquet` in the folder of each day. One statement is planned
 * only once, which for a small day takes longer than writing it, but all rows are held in memory.
 */
export const copyDaysStatement = (records: string, store: string, name: string): string =>
  `copy (${eventsQuery(records, HELPER_COLUMNS)}) to ${sqlQuoted(join(store, 'events'))}
   (${PART_FORMAT}, partition_by (day), filename_pattern ${sqlQuoted(`${name}-{i}`)}, overwrite_or_ignore)`;

/** A part without rows, which gives `events` its columns while the trail is empty. */
export const SCHEMA_PART = 'events/day=0000%2F00%2F00/schema.parquet';

/** Rows per row group. Few, so that a question about one call skips nearly all of a day. */
const ROW_GROUP = 8192;

/** A row group of wide rows has fewer, because it is held in memory when it is written. An ordinary one has 25 MB. */
const ROW_GROUP_BYTES = '64MB';

/** Enough for a dictionary of the event ids of a row group. DuckDB allocates it for every column, used or not. */
const DICTIONARY_BYTES = 400_000;

/** A dictionary gives a column a Bloom filter, so that a search for an unknown id reads no row group. */
export const PART_FORMAT = `format parquet, compression zstd, compression_level 1, row_group_size ${ROW_GROUP}, row_group_size_bytes '${ROW_GROUP_BYTES}', dictionary_size_limit ${ROW_GROUP}, string_dictionary_page_size_limit ${DICTIONARY_BYTES}`;

/** The sort order in a part. Questions filter by call more often than by anything else. */
export const PART_ORDER = 'eventsource, eventname, eventtime, eventid';

/** The path of a part in the store; `day` is 'yyyy/MM/dd'. */
export const partFile = (day: string, name: string): string => `events/day=${day.replaceAll('/', '%2F')}/${name}.parquet`;

/** A table function over Parquet files of the store. */
export const readParquet = (store: string, files: readonly string[], options = ''): string =>
  `read_parquet([${files.map((file) => sqlQuoted(join(store, file))).join(', ')}]${options})`;

/** The number of rows of each file of the store, by the footers. */
export async function footerRows(store: string, connection: DuckDBConnection, files: readonly string[]): Promise<number[]> {
  if (files.length === 0) return [];
  const paths = files.map((file) => join(store, file));
  const reader = await connection.runAndReadAll(`select file_name, num_rows from parquet_file_metadata([${paths.map(sqlQuoted).join(', ')}])`);
  const rows = new Map(reader.getRows().map(([path, count]) => [String(path), Number(count)]));
  return paths.map((path) => rows.get(path) ?? 0);
}

/** @throws Error when the footer of a file of the store has another number of rows than it should. */
export async function checkRows(store: string, connection: DuckDBConnection, expected: Readonly<Record<string, number>>): Promise<void> {
  const files = Object.keys(expected);
  const rows = await footerRows(store, connection, files);
  const wrong = files.find((file, n) => rows[n] !== expected[file]);
  if (wrong !== undefined) throw new Error(`${wrong} has ${rows[files.indexOf(wrong)]} rows instead of ${expected[wrong]}`);
}

export const countRows = async (store: string, connection: DuckDBConnection, files: readonly string[]): Promise<number> =>
  (await footerRows(store, connection, files)).reduce((sum, rows) => sum + rows, 0);

/** A SQL string; quotes are doubled, because the store's folder may have any name. */
export const sqlQuoted = (name: string): string => `'${name.replaceAll("'", "''")}'`;

/** A query for skipped files and events over the ledgers of a store, or for files that are no log files. Only the newest load of each file counts. */
export const skippedFilesQuery = (store: string, files: readonly string[], { isOther = false } = {}): string =>
  `select path, reason, skipped from ${readParquet(store, files)} as ledger
   where reason is not null and other = ${isOther} and load = (select max(load) from ${readParquet(store, files)} as newer where newer.path = ledger.path)`;

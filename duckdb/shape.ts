/** The shape of a store: the fields of a record, the columns of the relation, how a part is written. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { derivedColumns } from '../src/trail/events.ts';
import { PLACE_FIELDS, type PlaceField, type Stage } from './stage.ts';

// Raise it when the shape of a store changes and none of the texts below does.
const FORMAT = 4;
const text = (file: string): string => readFileSync(new URL(file, import.meta.url), 'utf8');
const flattened = text('flatten.sql');

/** Athena's words for DuckDB: for whoever opens a DuckDB over the store. */
export const macros: string = text('macros.sql');

/** What a store's columns are made by, in a word. A store of another shape is built anew. */
export const SHAPE: string = createHash('sha256').update([FORMAT, macros, flattened, derivedColumns].join('\n')).digest('hex').slice(0, 16);

/** The fields of a record, with their types. Objects are read as JSON: whatever a service puts there is no error. */
const TEXTS = `eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID eventType
  eventCategory readOnly managementEvent recipientAccountId sharedEventID vpcEndpointId sessionCredentialFromConsole apiVersion vpcEndpointAccountId`.split(
  /\s+/,
);
const OBJECTS =
  'userIdentity requestParameters responseElements additionalEventData serviceEventDetails resources tlsDetails addendum edgeDeviceDetails'.split(
    ' ',
  );
const FIELDS: readonly (readonly [name: string, type: string])[] = [
  ...TEXTS.map((name) => [name, 'varchar'] as const),
  ...OBJECTS.map((name) => [name, 'json'] as const),
];

/**
 * What a staged record says of its place stands among the record's own fields, under names that nobody who writes a
 * record can know: a file cannot pass for another's. They are short because they stand in every line.
 */
export const MARK = `t${randomBytes(6).toString('hex')}`;
const placed = (name: PlaceField): string => `${MARK}${PLACE_FIELDS.indexOf(name)}`;
const PLACE_TYPES: { readonly [name in PlaceField]: string } = {
  line: 'integer',
  file: 'integer',
  digest: 'varchar',
  day: 'varchar',
  account: 'varchar',
  region: 'varchar',
};

/** The records of stages, with what their lines say of their place; without a stage there are none. A line that is no JSON gives no row. */
export function recordsOf(stages: readonly Stage[], fields: readonly string[] = FIELDS.map(([name]) => name)): string {
  const columns = [...PLACE_FIELDS.map((name) => [placed(name), PLACE_TYPES[name]] as const), ...FIELDS.filter(([name]) => fields.includes(name))];
  const longest = Math.max(1_000_000, ...stages.map(({ longestLine }) => longestLine + 1));
  const from =
    stages.length > 0
      ? `read_json([${stages.map(({ path }) => quoted(path)).join(', ')}], format = 'newline_delimited', ignore_errors = true, maximum_object_size = ${longest},
        columns = {${columns.map(([name, type]) => `${name}: '${type}'`).join(', ')}})`
      : `(select ${columns.map(([name, type]) => `null::${type} as ${name}`).join(', ')} limit 0)`;
  return `select ${PLACE_FIELDS.map((name) => `${placed(name)} as ${name}`).join(', ')}, ${fields.join(', ')} from ${from} where file is not null`;
}

/** What the loader looks at before it writes anything: is each line an event, of which file and day, and which one. */
export const looked = (stages: readonly Stage[]): string => `select
  line, file, day, substr(eventTime, 1, 19) || 'Z' as eventtime, replace(substr(eventTime, 1, 10), '-', '/') as ownday,
  coalesce(try_cast(eventID as uuid), cast(md5(nullif(eventID, '')) as uuid), try_cast(digest as uuid)) as key,
  coalesce(key is not null and eventName <> '' and eventSource <> '' and regexp_full_match(eventTime, '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z')
    and try_cast(eventTime as timestamp) is not null, false) as sound
  from (${recordsOf(stages, ['eventTime', 'eventName', 'eventSource', 'eventID'])})`;

const SERVANTS = 'hint, resourcearn, typed, agent, service';

/** The relation `events` over such records, as it goes into parts. A part's folder says its `day`. */
const derived = (records: string, exclude: string): string =>
  `with records as (${records}), flat as (${flattened}), events as (${derivedColumns}) select * exclude (${exclude}) from events`;

/** Writes the events of `records`, all of one day, to one file. Nothing is held but a row group. */
export const copyDay = (records: string, file: string): string =>
  `copy (${derived(records, `${SERVANTS}, day`)}) to ${quoted(file)} (${PART_FORMAT})`;

/**
 * Writes the events of `records`, of several days, to the file `<name>-0.parquet` in the folder of each. It is planned once, which for a
 * small day takes longer than writing it; but the rows of all the days are held.
 */
export const copyDays = (records: string, store: string, name: string): string =>
  `copy (${derived(records, SERVANTS)}) to ${quoted(join(store, 'events'))}
   (${PART_FORMAT}, partition_by (day), filename_pattern ${quoted(`${name}-{i}`)}, overwrite_or_ignore)`;

/** A part without rows: it gives the relation its columns while the trail is empty. */
export const SCHEMA_PART = 'events/day=0000%2F00%2F00/schema.parquet';

/** Rows of a row group: few, so that a question about one call skips nearly all of a day. */
const ROW_GROUP = 8192;

/** Room for a dictionary of as many event ids as a row group has. DuckDB takes it for every column at once, used or not. */
const DICTIONARY_BYTES = 400_000;

/** A dictionary for every column gives every column a Bloom filter, and an id that nobody has seen is looked for in no row group. */
export const PART_FORMAT = `format parquet, compression zstd, compression_level 1, row_group_size ${ROW_GROUP}, dictionary_size_limit ${ROW_GROUP}, string_dictionary_page_size_limit ${DICTIONARY_BYTES}`;

/** The order in a part: a question names a call more often than anything else. */
export const PART_ORDER = 'eventsource, eventname, eventtime, eventid';

/** The file of a part, below the store; `day` is 'yyyy/MM/dd'. */
export const partFile = (day: string, name: string): string => `events/day=${day.replaceAll('/', '%2F')}/${name}.parquet`;

/** Parquet files of the store as a table function. The names are ours, but the folder is the user's: quotes are doubled. */
export const parquet = (store: string, files: readonly string[], options = ''): string =>
  `read_parquet([${files.map((file) => quoted(join(store, file))).join(', ')}]${options})`;

export const quoted = (name: string): string => `'${name.replaceAll("'", "''")}'`;

/** What could not be loaded, over the ledgers of a store: a file that was mended or replaced since is no longer among them. */
export const asideIn = (store: string, files: readonly string[]): string =>
  `select path, reason, aside from ${parquet(store, files)} as ledger
   where reason is not null and load = (select max(load) from ${parquet(store, files)} as newer where newer.path = ledger.path)`;

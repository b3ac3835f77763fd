/** The shape of a store: the fields of a record, the columns of the relation, how a part is written. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { derivedColumns } from '../src/trail/events.ts';
import type { Stage } from './unpack.ts';

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
  eventCategory readOnly managementEvent recipientAccountId sharedEventID vpcEndpointId sessionCredentialFromConsole`.split(/\s+/);
const OBJECTS = 'userIdentity requestParameters responseElements additionalEventData serviceEventDetails resources tlsDetails addendum'.split(' ');
const FIELDS: readonly (readonly [name: string, type: string])[] = [
  ...TEXTS.map((name) => [name, 'varchar'] as const),
  ...OBJECTS.map((name) => [name, 'json'] as const),
];

/**
 * What a staged record says of its file stands among the record's own fields, under names that nobody who writes a
 * record can know: a file cannot pass for another's.
 */
const MARK = `trailbot_${randomBytes(8).toString('hex')}`;
const PLACE = ['file', 'day', 'account', 'region'] as const;

/** The beginning of a line of a stage; a record without its opening brace completes it. */
export function lineHead(place: {
  readonly file: number;
  readonly day: string | null;
  readonly account: string | null;
  readonly region: string | null;
}): string {
  return `{${PLACE.map((name) => `"${MARK}_${name}":${JSON.stringify(place[name])}`).join(',')},`;
}

/** The records of a stage, with what the folders of their files say; without a stage there are none. A line that is no JSON reads as nothing but nulls. */
export function recordsOf(stage?: Stage): string {
  const columns = [...PLACE.map((name) => [`${MARK}_${name}`, name === 'file' ? 'integer' : 'varchar'] as const), ...FIELDS];
  const from = stage
    ? `read_json(${quoted(stage.path)}, format = 'newline_delimited', ignore_errors = true, maximum_object_size = ${Math.max(1_000_000, stage.longestLine + 1)},
        columns = {${columns.map(([name, type]) => `${name}: '${type}'`).join(', ')}})`
    : `(select ${columns.map(([name, type]) => `null::${type} as ${name}`).join(', ')} limit 0)`;
  return `select ${PLACE.map((name) => `${MARK}_${name} as ${name}`).join(', ')}, ${FIELDS.map(([name]) => name).join(', ')} from ${from} where ${MARK}_file is not null`;
}

/** The relation `events` over such records, with `file` and `sound` for the loader; see flatten.sql. */
export const derived = (records: string): string =>
  `with records as (${records}), flat as (${flattened}), events as (${derivedColumns})
   select * exclude (hint, signin, resourcearn, agent, service) from events`;

/** What of that goes into a part: its folder says the day. */
export const PART_COLUMNS = '* exclude (file, sound, day)';

/** A part without rows: it gives the relation its columns while the trail is empty. */
export const SCHEMA_PART = 'events/day=0000%2F00%2F00/schema.parquet';

/** Rows of a row group: few, so that a question about one call skips nearly all of a day. */
const ROW_GROUP = 8192;

/** Room for a dictionary of as many event ids as a row group has. DuckDB takes it for every column at once, used or not. */
const DICTIONARY_BYTES = 400_000;

/** A dictionary for every column gives every column a Bloom filter, and an id that nobody has seen is looked for in no row group. */
export const PART_FORMAT = `(format parquet, compression zstd, compression_level 1, row_group_size ${ROW_GROUP}, dictionary_size_limit ${ROW_GROUP}, string_dictionary_page_size_limit ${DICTIONARY_BYTES})`;

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

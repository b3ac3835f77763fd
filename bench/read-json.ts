/**
 * DuckDB without trailbot: loads log files with `read_json`, and searches them for a name. It measures itself; the bench runs it in a
 * process of its own.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { median, timed } from './measure.ts';

const [trail = '', file = '', name = ''] = process.argv.slice(2);
const database = await DuckDBInstance.create(file);
const connection = await database.connect();

const RECORDS = `select unnest(Records) as record
  from read_json('${trail}/**/*_CloudTrail_*.json.gz', columns = {Records: 'json[]'}, maximum_object_size = 1000000000)`;
const COLUMNS = `record->>'eventTime' as eventtime, record->>'eventID' as eventid, record->>'eventSource' as eventsource, record->>'eventName' as eventname,
  record->>'$.userIdentity.arn' as arn, record->>'sourceIPAddress' as sourceipaddress, record->>'errorCode' as errorcode, record::varchar as record`;

/** The events with the name in their record, newest first. */
async function search(relation: string): Promise<number> {
  const found = await connection.runAndReadAll(`select * from ${relation} where contains(record, ?) order by eventtime desc, eventid`, [name]);
  return new Set(found.getRowObjects().map(({ eventid }) => eventid)).size;
}

const [load = Number.NaN] = await timed(1, async () => {
  await connection.run(`create table events as select ${COLUMNS} from (${RECORDS})`);
  await connection.run('checkpoint');
});
const eventsWithName = await search('events');
const scan = median(await timed(5, () => search('events')));
const [raw = Number.NaN] = await timed(1, () => search(`(select ${COLUMNS} from (${RECORDS}))`));
process.stdout.write(JSON.stringify({ load, scan, raw, found: eventsWithName }));

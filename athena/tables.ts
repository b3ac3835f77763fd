/** The tables that trailbot creates: the raw table over the log files, with partition projection, and a view for each relation. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { activityColumns, activityOf } from '../src/trail/activity.ts';
import { derivedColumns, distinctEventCount, eventColumns } from '../src/trail/events.ts';
import { folderName } from '../src/trail/folders.ts';
import { mentionColumns, mentionsOf } from '../src/trail/mentions.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import type { Days } from '../src/trail/sql.ts';
import { type BucketLayout, foldersOfLayout } from './bucket-layout.ts';
import { namedRelation } from './target-sql.ts';

const flattenSql = readFileSync(new URL('flatten.sql', import.meta.url), 'utf8').replace('{{named}}', () => namedRelation);

/** Names of the database and the raw table. */
export interface TableNames {
  readonly database: string;
  /** The raw table. The views in the same database always have the names of the relations. */
  readonly table: string;
}

/**
 * Columns of the raw table: those of AWS (Athena User Guide, "Create a table for CloudTrail logs in Athena using partition
 * projection") and documented CloudTrail fields that AWS's table lacks: sourceidentity, assumedroot, credentialid,
 * identityprovider, inscopeof, invokedbydelegate, arnprefix, keyexchange, managementevent.
 */
export const RAW_COLUMNS: Readonly<Record<string, string>> = {
  eventversion: 'string',
  useridentity: struct({
    type: 'string',
    principalid: 'string',
    arn: 'string',
    accountid: 'string',
    invokedby: 'string',
    accesskeyid: 'string',
    username: 'string',
    credentialid: 'string',
    identityprovider: 'string',
    onbehalfof: struct({ userid: 'string', identitystorearn: 'string' }),
    inscopeof: struct({ sourcearn: 'string', sourceaccount: 'string', issuertype: 'string', credentialsissuedto: 'string' }),
    invokedbydelegate: struct({ accountid: 'string' }),
    sessioncontext: struct({
      attributes: struct({ mfaauthenticated: 'string', creationdate: 'string' }),
      sessionissuer: struct({ type: 'string', principalid: 'string', arn: 'string', accountid: 'string', username: 'string' }),
      ec2roledelivery: 'string',
      sourceidentity: 'string',
      assumedroot: 'string',
      webidfederationdata: struct({ federatedprovider: 'string', attributes: 'map<string,string>' }),
    }),
  }),
  eventtime: 'string',
  eventsource: 'string',
  eventname: 'string',
  awsregion: 'string',
  sourceipaddress: 'string',
  useragent: 'string',
  errorcode: 'string',
  errormessage: 'string',
  requestparameters: 'string',
  responseelements: 'string',
  additionaleventdata: 'string',
  requestid: 'string',
  eventid: 'string',
  resources: `array<${struct({ arn: 'string', arnprefix: 'string', accountid: 'string', type: 'string' })}>`,
  eventtype: 'string',
  apiversion: 'string',
  readonly: 'string',
  managementevent: 'string',
  recipientaccountid: 'string',
  serviceeventdetails: 'string',
  sharedeventid: 'string',
  vpcendpointid: 'string',
  vpcendpointaccountid: 'string',
  eventcategory: 'string',
  addendum: struct({ reason: 'string', updatedfields: 'string', originalrequestid: 'string', originaleventid: 'string' }),
  sessioncredentialfromconsole: 'string',
  edgedevicedetails: 'string',
  tlsdetails: struct({ tlsversion: 'string', ciphersuite: 'string', clientprovidedhostheader: 'string', keyexchange: 'string' }),
};

/** What partitions the raw table: a column for each part of a log file's path, in order. All are strings. */
export type Partitions = Readonly<Record<string, string>>;

/** One column for account and region, so that Athena lists only the folders that exist: `111122223333/CloudTrail/eu-central-1`. */
const BY_FOLDER: Partitions = { folder: 'string', day: 'string' };
/** A column for each, which makes up every region for every account. */
const BY_ACCOUNT_AND_REGION: Partitions = { account: 'string', region: 'string', day: 'string' };

/** Athena allows 262,144 bytes in a statement, and the one that creates the table has more than this list. Glue allows 512,000 in a property. */
const MAX_FOLDER_LIST_LENGTH = 240_000;

/** The partition columns for a layout: folders, unless it has so many that their list is too long for a statement. */
export const partitionsOf = (layout: BucketLayout): Partitions =>
  folderList(layout).length <= MAX_FOLDER_LIST_LENGTH ? BY_FOLDER : BY_ACCOUNT_AND_REGION;

const isByFolder = (partitions: Partitions): boolean => 'folder' in partitions;

const folderList = (layout: BucketLayout): string => foldersOfLayout(layout).map(folderName).join(',');

/** Marks what trailbot created. Anything without it is never changed. */
export const MANAGED_PROPERTY = 'trailbot.made';
/** Says that the account and the region of a folder are those of its events, so that a question about an account reads only its folders. */
export const FOLDERS_PROVED = 'trailbot.folders.proved';
/** The property with a checksum of the text of all views, which no API returns. */
export const VIEW_CHECKSUM = 'trailbot.view';

/** The properties of the raw table: partition projection from the layout. No partition is registered. */
export function tableProperties(layout: BucketLayout): Readonly<Record<string, string>> {
  const lists = isByFolder(partitionsOf(layout));
  const enumOf = (column: string, values: string) => ({ [`projection.${column}.type`]: 'enum', [`projection.${column}.values`]: values });
  return {
    'projection.enabled': 'true',
    ...(lists
      ? enumOf('folder', folderList(layout))
      : { ...enumOf('account', layout.accounts.map(({ id }) => id).join(',')), ...enumOf('region', layout.regions.join(',')) }),
    'projection.day.type': 'date',
    'projection.day.format': 'yyyy/MM/dd',
    'projection.day.range': `${layout.firstDay},NOW`,
    'projection.day.interval': '1',
    'projection.day.interval.unit': 'DAYS',
    // The trailing slash is required (Athena User Guide, "Set up partition projection"), though AWS's sample lacks it.
    'storage.location.template': `${layout.root}${lists ? `\${folder}` : `\${account}/CloudTrail/\${region}`}/\${day}/`,
    [MANAGED_PROPERTY]: 'true',
  };
}

/** What the views read. */
export interface ViewSources {
  readonly partitions: Partitions;
  /** The delivery days that are read from the compacted copy; undefined without a copy. */
  readonly compacted?: readonly Days[] | undefined;
}

/** The views for some sources, in the order in which each reads those before it. */
export const viewsFor = ({ compacted }: ViewSources): readonly View[] => [...(compacted ? ([RAW_EVENTS] as const) : []), ...RELATIONS];

/** A checksum of the text of all views. */
export const viewChecksum = (names: TableNames, sources: ViewSources): string =>
  createHash('sha256')
    .update(
      viewsFor(sources)
        .map((view) => createViewStatement(names, view, sources))
        .join('\n'),
    )
    .digest('hex')
    .slice(0, 16);

/** The statement that creates the raw table, with more properties, in Hive's dialect like all Athena DDL. The same layout gives the same text. */
export function createTableStatement(layout: BucketLayout, names: TableNames, more: Readonly<Record<string, string>> = {}): string {
  const columns = Object.entries(RAW_COLUMNS).map(([name, type]) => `  ${name} ${type}`);
  const partitions = Object.entries(partitionsOf(layout)).map(([name, type]) => `${name} ${type}`);
  // The property is set from the start, so that it exists even when setup stops before the view's checksum is stored.
  const properties = Object.entries({ ...tableProperties(layout), ...more, [VIEW_CHECKSUM]: 'none' }).map(
    ([name, value]) => `  ${sqlString(name)} = ${sqlString(value)}`,
  );
  return [
    `create external table ${names.database}.${names.table} (`,
    columns.join(',\n'),
    ')',
    `partitioned by (${partitions.join(', ')})`,
    "row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'",
    "stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'",
    "outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
    `location ${sqlString(layout.root)}`,
    'tblproperties (',
    properties.join(',\n'),
    ')',
  ].join('\n');
}

/** The view of the events in the log files, beside the compacted copy. */
export const RAW_EVENTS = 'raw_events';
type View = Relation | typeof RAW_EVENTS;

/** The tables of the compacted copy, which are Iceberg's. Each has the columns of its relation. */
export const compactedTable = (relation: Relation): string => `compacted_${relation}`;

/** The columns of a relation, in the order of its view. */
export const RELATION_COLUMNS: Readonly<Record<Relation, readonly string[]>> = {
  events: eventColumns,
  activity: activityColumns,
  mentions: mentionColumns,
};

/** The statement that creates or replaces a view, in Trino's dialect. Athena keeps the text, so it has no comments. */
export const createViewStatement = (names: TableNames, view: View, sources: ViewSources): string =>
  `create or replace view ${names.database}.${view} as\n${withoutComments(viewQuery(names, view, sources))}`;

function viewQuery(names: TableNames, view: View, sources: ViewSources): string {
  const { compacted } = sources;
  if (view === RAW_EVENTS) return rawEvents(names, sources);
  if (!compacted) return view === 'events' ? rawEvents(names, sources) : computed(view, `${names.database}.events`, '');
  const columns = RELATION_COLUMNS[view].join(',\n  ');
  const days = [...compacted].sort((a, b) => (a.first < b.first ? -1 : 1));
  const isCopied = days.map(({ first, last }) => `day between '${first}' and '${last}'`).join(' or ') || '1 = 0';
  const isOther = `where ${days.map(({ first, last }) => `(day < '${first}' or day > '${last}')`).join(' and ') || '1 = 1'}`;
  const others =
    view === 'events' ? `select * from ${names.database}.${RAW_EVENTS} ${isOther}` : computed(view, `${names.database}.${RAW_EVENTS}`, isOther);
  return `with compacted as (
  select ${columns} from ${names.database}.${compactedTable(view)} where ${isCopied}
),
others as (
${others}
),
joined as (
  select ${columns} from compacted union all select ${columns} from others
)
select
  ${columns}
from joined`;
}

/** The query for the events of the raw table. */
const rawEvents = ({ database, table }: TableNames, { partitions }: ViewSources): string =>
  `with raw as (select *, ${pathColumns(partitions)} from ${database}.${table}),\nflat as (\n${flattenSql.trim()}\n),\nderived as (\n${derivedColumns.trim()}\n)\nselect\n  ${eventColumns.join(',\n  ')}\nfrom derived`;

/** The query for `activity` or `mentions` of the events of a view, of which each may be there twice. */
function computed(relation: 'activity' | 'mentions', view: string, where: string): string {
  const { text } = relation === 'activity' ? activityOf(distinctEventCount) : mentionsOf(distinctEventCount);
  return `with events as (select * from ${view}${where && ` ${where}`}),\n${relation} as (\n${text}\n)\nselect\n  ${RELATION_COLUMNS[relation].join(',\n  ')}\nfrom ${relation}`;
}

/** The columns of `events` for the path of a file, made of the others. */
const pathColumns = (partitions: Partitions): string =>
  isByFolder(partitions)
    ? `split_part(folder, '/', 1) as account, split_part(folder, '/', 3) as region`
    : `account || '/CloudTrail/' || region as folder`;

/** SQL without its comments. */
const withoutComments = (text: string): string =>
  text
    .replace(/('(?:[^']|'')*')|--[^\n]*/g, (_, quoted?: string) => quoted ?? '')
    .replace(/[ ]+$/gm, '')
    .replace(/\n{2,}/g, '\n');

/** The statement that sets properties of the raw table. */
export const setPropertiesStatement = (properties: Readonly<Record<string, string>>, { database, table }: TableNames): string =>
  `alter table ${database}.${table} set tblproperties (${Object.entries(properties)
    .map(([name, value]) => `${sqlString(name)} = ${sqlString(value)}`)
    .join(', ')})`;

function struct(fields: Readonly<Record<string, string>>): string {
  return `struct<${Object.entries(fields)
    .map(([name, type]) => `${name}:${type}`)
    .join(',')}>`;
}

/** A SQL string for folder names and constants; quotes are doubled. */
export const sqlString = (value: string): string => `'${value.replaceAll("'", "''")}'`;

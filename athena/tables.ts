/** The tables that trailbot creates: the raw table over the log files, with partition projection, and a view for each relation. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { activityColumns, activityOf } from '../src/trail/activity.ts';
import { derivedColumns, distinctEventCount, eventColumns } from '../src/trail/events.ts';
import { mentionColumns, mentionsOf } from '../src/trail/mentions.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import type { Sql } from '../src/trail/sql.ts';
import type { BucketLayout } from './bucket-layout.ts';
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

/** The partition columns: the folders of a log file, in order. */
export const PARTITIONS: Readonly<Record<string, string>> = { account: 'string', region: 'string', day: 'string' };

/** Marks what trailbot created. Anything without it is never changed. */
export const MANAGED_PROPERTY = 'trailbot.made';
/** The property with a checksum of the text of all views, which no API returns. */
export const VIEW_CHECKSUM = 'trailbot.view';

/** The properties of the raw table: partition projection from the layout. No partition is registered. */
export function tableProperties(layout: BucketLayout): Readonly<Record<string, string>> {
  return {
    'projection.enabled': 'true',
    'projection.account.type': 'enum',
    'projection.account.values': layout.accounts.map(({ id }) => id).join(','),
    'projection.region.type': 'enum',
    'projection.region.values': layout.regions.join(','),
    'projection.day.type': 'date',
    'projection.day.format': 'yyyy/MM/dd',
    'projection.day.range': `${layout.firstDay},NOW`,
    'projection.day.interval': '1',
    'projection.day.interval.unit': 'DAYS',
    // The trailing slash is required (Athena User Guide, "Set up partition projection"), though AWS's sample lacks it.
    'storage.location.template': `${layout.root}\${account}/CloudTrail/\${region}/\${day}/`,
    [MANAGED_PROPERTY]: 'true',
  };
}

/** A checksum of the text of all views. */
export const viewChecksum = (names: TableNames): string =>
  createHash('sha256')
    .update(RELATIONS.map((view) => createViewStatement(names, view)).join('\n'))
    .digest('hex')
    .slice(0, 16);

/** The statement that creates the raw table, in Hive's dialect like all Athena DDL. The same layout gives the same text. */
export function createTableStatement(layout: BucketLayout, names: TableNames): string {
  const columns = Object.entries(RAW_COLUMNS).map(([name, type]) => `  ${name} ${type}`);
  const partitions = Object.entries(PARTITIONS).map(([name, type]) => `${name} ${type}`);
  // The property is set from the start, so that it exists even when setup stops before the view's checksum is stored.
  const properties = Object.entries({ ...tableProperties(layout), [VIEW_CHECKSUM]: 'none' }).map(
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

/** The statement that creates or replaces a view, in Trino's dialect. */
export const createViewStatement = (names: TableNames, view: Relation): string =>
  `create or replace view ${names.database}.${view} as\n${VIEW_QUERIES[view](names)}`;

const overEvents = ({ database }: TableNames, relation: Relation, { text }: Sql, columns: readonly string[]): string =>
  `with events as (select * from ${database}.events),\n${relation} as (\n${text}\n)\nselect\n  ${columns.join(',\n  ')}\nfrom ${relation}`;

const VIEW_QUERIES: Readonly<Record<Relation, (names: TableNames) => string>> = {
  events: ({ database, table }) =>
    `with raw as (select * from ${database}.${table}),\nflat as (\n${flattenSql.trim()}\n),\nevents as (\n${derivedColumns.trim()}\n)\nselect\n  ${eventColumns.join(',\n  ')}\nfrom events`,
  activity: (names) => overEvents(names, 'activity', activityOf(distinctEventCount), activityColumns),
  mentions: (names) => overEvents(names, 'mentions', mentionsOf(distinctEventCount), mentionColumns),
};

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
const sqlString = (value: string): string => `'${value.replaceAll("'", "''")}'`;

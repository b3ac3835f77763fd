/** The tables that trailbot makes: the raw table over the trail's files, with partition projection, and the view that yields `events`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { derivedColumns, eventColumns } from '../src/trail/events.ts';
import type { Layout } from './bucket-layout.ts';

const flattened = readFileSync(new URL('flatten.sql', import.meta.url), 'utf8');

/** Where the tables are. */
export interface Names {
  readonly database: string;
  /** The raw table; the view is called `events` beside it, for that is what every question names. */
  readonly table: string;
}

export const VIEW = 'events';

/**
 * Columns of the raw table: AWS's own (Athena User Guide, "Create a table for CloudTrail logs in Athena using partition
 * projection"), and those that CloudTrail documents and that text lacks: sourceidentity, assumedroot, credentialid,
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

/** The folders of a log file, in their order. */
export const PARTITIONS: Readonly<Record<string, string>> = { account: 'string', region: 'string', day: 'string' };

/** The property by which trailbot knows what it made. What does not bear it is never changed. */
export const MARK = 'trailbot.made';
/** The property that keeps a digest of the view's text, which no API gives back. */
export const VIEW_DIGEST = 'trailbot.view';

/** The properties of the raw table: how its partitions are reckoned from the layout, without any being registered. */
export function propertiesOf(layout: Layout): Readonly<Record<string, string>> {
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
    // The slash at its end is a must (Athena User Guide, "Set up partition projection"), though AWS's own sample lacks it.
    'storage.location.template': `${layout.root}\${account}/CloudTrail/\${region}/\${day}/`,
    [MARK]: 'true',
  };
}

/** A digest of the view's text. */
export const digestOfView = (names: Names): string => createHash('sha256').update(viewOf(names)).digest('hex').slice(0, 16);

/** The statement that makes the raw table; Hive's dialect, as all of Athena's DDL. The same layout gives the same text. */
export function rawTable(layout: Layout, names: Names): string {
  const columns = Object.entries(RAW_COLUMNS).map(([name, type]) => `  ${name} ${type}`);
  const partitions = Object.entries(PARTITIONS).map(([name, type]) => `${name} ${type}`);
  // A digest from the start tells that a view beside the table is ours, also when we are stopped before it is noted.
  const properties = Object.entries({ ...propertiesOf(layout), [VIEW_DIGEST]: 'none' }).map(([name, value]) => `  ${text(name)} = ${text(value)}`);
  return [
    `create external table ${names.database}.${names.table} (`,
    columns.join(',\n'),
    ')',
    `partitioned by (${partitions.join(', ')})`,
    "row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'",
    "stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'",
    "outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
    `location ${text(layout.root)}`,
    'tblproperties (',
    properties.join(',\n'),
    ')',
  ].join('\n');
}

/** The statement that makes or replaces the view `events`; Trino's dialect. */
export function viewOf(names: Names): string {
  const raw = `raw as (select * from ${names.database}.${names.table})`;
  return `create or replace view ${names.database}.${VIEW} as\nwith ${raw},\nflat as (\n${flattened.trim()}\n),\nevents as (\n${derivedColumns.trim()}\n)\nselect\n  ${eventColumns.join(',\n  ')}\nfrom events`;
}

/** The statement that sets properties of the raw table. */
export const setProperties = (properties: Readonly<Record<string, string>>, { database, table }: Names): string =>
  `alter table ${database}.${table} set tblproperties (${Object.entries(properties)
    .map(([name, value]) => `${text(name)} = ${text(value)}`)
    .join(', ')})`;

function struct(fields: Readonly<Record<string, string>>): string {
  return `struct<${Object.entries(fields)
    .map(([name, type]) => `${name}:${type}`)
    .join(',')}>`;
}

/** Fixed text of ours and names of folders; a quote is doubled all the same. */
const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

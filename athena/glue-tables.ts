/**
 * What would bring the tables in step with the bucket: it is looked what there is, and what differs is planned as steps.
 * What trailbot did not make is never changed: a table of ours bears a property that says so.
 */
import { type Athena, MetadataException } from '@aws-sdk/client-athena';
import { UserError } from '../src/errors.ts';
import type { Layout } from './bucket-layout.ts';
import { lookUp } from './lookup.ts';
import {
  digestOfView,
  MARK,
  type Names,
  PARTITIONS,
  propertiesOf,
  RAW_COLUMNS,
  rawTable,
  setProperties,
  VIEW,
  VIEW_DIGEST,
  viewOf,
} from './tables.ts';

/** One statement to run, and why, a line for each difference. */
export interface Step {
  readonly title: string;
  readonly reasons: readonly string[];
  readonly statement: string;
  /** What it does: makes something (a view that is there is replaced), drops it, or sets properties of the table. */
  readonly kind: 'make' | 'drop' | 'set';
}

/** What would be done, in order; nothing when all is in step. */
export interface Plan {
  readonly steps: readonly Step[];
  /** Accounts and regions of the bucket that the table did not know. */
  readonly appeared: { readonly accounts: readonly string[]; readonly regions: readonly string[] };
}

export interface Looked {
  readonly columns: Readonly<Record<string, string>>;
  readonly partitions: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
}

const CATALOG = 'AwsDataCatalog';

export interface Planning {
  readonly client: Athena;
  /** Undefined when there is none yet: Athena refuses to look anything up in one that it does not know. */
  readonly workGroup: string | undefined;
  readonly layout: Layout;
  readonly names: Names;
  readonly signal: AbortSignal;
}

/**
 * Compares what there is with what the bucket asks for. Reads metadata only: no statement is run.
 *
 * @throws UserError when a table or view of these names is there that trailbot did not make.
 */
export async function planTables({ client, workGroup, layout, names, signal }: Planning): Promise<Plan> {
  const { database, table } = names;
  const look = (name: string) => lookAt(client, database, name, workGroup, signal);
  const [raw, view, isDatabase] = [await look(table), await look(VIEW), await hasDatabase(client, database, workGroup, signal)];
  if (raw && raw.properties[MARK] !== 'true') throw notOurs(`table ${database}.${table}`, 'ATHENA_TABLE');
  if (view && !isOurView(view)) throw notOurs(`view ${database}.${VIEW}`, 'ATHENA_DATABASE');

  const known = kept(layout, raw);
  const wanted = propertiesOf(known);
  const steps: Step[] = [];
  if (!isDatabase)
    steps.push({
      kind: 'make',
      title: `create database ${database}`,
      reasons: ['there is none'],
      statement: `create database if not exists ${database}`,
    });
  const shape = raw && [...differences('column', raw.columns, RAW_COLUMNS), ...differences('partition column', raw.partitions, PARTITIONS)];
  const isNew = !raw || (shape !== undefined && shape.length > 0);
  if (raw && isNew) {
    // The table is only a description: the log files are not touched.
    steps.push({
      kind: 'drop',
      title: `drop table ${database}.${table}`,
      reasons: shape ?? [],
      statement: `drop table if exists ${database}.${table}`,
    });
  }
  if (isNew) {
    steps.push({
      kind: 'make',
      title: `create table ${database}.${table}`,
      reasons: raw ? ['its columns changed'] : ['there is none'],
      statement: rawTable(known, names),
    });
  } else {
    const changed = Object.entries(wanted).filter(([name, value]) => raw.properties[name] !== value);
    if (changed.length > 0) {
      steps.push({
        kind: 'set',
        title: `set ${changed.length === 1 ? 'a property' : `${changed.length} properties`} of ${database}.${table}`,
        reasons: changed.map(([name, value]) => `${name}: ${said(raw.properties[name])} → ${said(value)}`),
        statement: setProperties(Object.fromEntries(changed), names),
      });
    }
  }
  const digest = digestOfView(names);
  if (!view || isNew || raw.properties[VIEW_DIGEST] !== digest) {
    const why = !view ? 'there is none' : isNew ? 'its table is new' : 'its text changed';
    steps.push({ kind: 'make', title: `${view ? 'replace' : 'create'} view ${database}.${VIEW}`, reasons: [why], statement: viewOf(names) });
    // Last, so that a view that could not be made is made next time.
    steps.push({
      kind: 'set',
      title: `note the view in ${database}.${table}`,
      reasons: ['no API gives back the text of a view'],
      statement: setProperties({ [VIEW_DIGEST]: digest }, names),
    });
  }
  return { steps, appeared: appearedIn(layout, raw) };
}

const listOf = (raw: Looked | undefined, name: 'account' | 'region'): string[] =>
  (raw?.properties[`projection.${name}.values`] ?? '').split(',').filter(Boolean);

/** The layout with what the table knows already: an account that was closed still has its logs. */
function kept(layout: Layout, raw: Looked | undefined): Layout {
  const accounts = new Map([
    ...listOf(raw, 'account').map((id) => [id, { id, regions: [] as string[] }] as const),
    ...layout.accounts.map((each) => [each.id, each] as const),
  ]);
  const [firstDay] = [layout.firstDay, raw?.properties['projection.day.range']?.split(',')[0]].filter((day) => day !== undefined).sort();
  return {
    ...layout,
    firstDay: firstDay ?? layout.firstDay,
    accounts: [...accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    regions: [...new Set([...listOf(raw, 'region'), ...layout.regions])].sort(),
  };
}

function appearedIn(layout: Layout, raw: Looked | undefined): Plan['appeared'] {
  if (!raw) return { accounts: [], regions: [] };
  const [accounts, regions] = [new Set(listOf(raw, 'account')), new Set(listOf(raw, 'region'))];
  return {
    accounts: layout.accounts.map(({ id }) => id).filter((id) => !accounts.has(id)),
    regions: layout.regions.filter((region) => !regions.has(region)),
  };
}

function differences(what: string, found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].flatMap((name) => {
    const [is, should] = [found[name], wanted[name]];
    if (is === should) return [];
    if (is === undefined) return [`${what} ${name} is missing`];
    return should === undefined ? [`${what} ${name} is not wanted`] : [`${what} ${name} is another type`];
  });
}

const MOST_SAID = 60;
const said = (value: string | undefined): string =>
  value === undefined ? 'not set' : value.length > MOST_SAID ? `${value.slice(0, MOST_SAID)}… (${value.length} characters)` : value;

/** Views bear no properties of their own: one of ours has columns, in any version, that nobody else's has. */
const isOurView = ({ columns }: Looked): boolean =>
  ['actor', 'actorkind', 'actorbasis', 'via', 'outcome', 'readlike'].every((name) => name in columns);

const notOurs = (what: string, setting: string): UserError =>
  new UserError(`There is a ${what} that trailbot did not make, so it is left alone. Set ${setting} to another name.`);

/** A table or view as the catalog has it; undefined when there is none. Without a workgroup it is looked up in none. */
export async function lookAt(
  client: Athena,
  database: string,
  table: string,
  workGroup: string | undefined,
  signal: AbortSignal,
): Promise<Looked | undefined> {
  const where = { CatalogName: CATALOG, DatabaseName: database, TableName: table, WorkGroup: workGroup };
  const ground = { database, workGroup: workGroup ?? '' };
  const found = await lookUp({ client, ground, signal, ask: (options) => client.getTableMetadata(where, options), isMissing });
  if (!found) return undefined;
  const types = (columns: readonly { readonly Name?: string | undefined; readonly Type?: string | undefined }[] = []) =>
    Object.fromEntries(columns.map(({ Name = '', Type = '' }) => [Name, Type.toLowerCase().replace(/\s/g, '')]));
  const { Columns, PartitionKeys, Parameters = {} } = found.TableMetadata ?? {};
  return { columns: types(Columns), partitions: types(PartitionKeys), properties: Parameters };
}

async function hasDatabase(client: Athena, database: string, workGroup: string | undefined, signal: AbortSignal): Promise<boolean> {
  const where = { CatalogName: CATALOG, DatabaseName: database, WorkGroup: workGroup };
  const ground = { database, workGroup: workGroup ?? '' };
  return (await lookUp({ client, ground, signal, ask: (options) => client.getDatabase(where, options), isMissing })) !== undefined;
}

/** Athena hands on what Glue says, in words alone. */
const isMissing = (error: unknown): boolean => error instanceof MetadataException && /EntityNotFound|not found|does not exist/i.test(error.message);

/**
 * Compares the tables with the bucket and plans the steps that bring them up to date. Tables that trailbot did not create
 * are never changed: its own have a property that marks them.
 */
import { type Athena, MetadataException } from '@aws-sdk/client-athena';
import { UserError } from '../src/errors.ts';
import { folderName } from '../src/trail/folders.ts';
import { RELATIONS, type Relation } from '../src/trail/relations.ts';
import { type BucketLayout, foldersOfLayout } from './bucket-layout.ts';
import {
  COMPACTED_DAYS,
  COMPACTED_SHAPE,
  COPY_SHAPE,
  compactedProperties,
  createCompactedStatement,
  locationOf,
  readCompactedDays,
} from './compacted.ts';
import { requestIfExists } from './request.ts';
import {
  compactedTable,
  createTableStatement,
  createViewStatement,
  FOLDERS_PROVED,
  MANAGED_PROPERTY,
  partitionsOf,
  RAW_COLUMNS,
  RAW_EVENTS,
  setPropertiesStatement,
  type TableNames,
  tableProperties,
  VIEW_CHECKSUM,
  type ViewSources,
  viewChecksum,
  viewsFor,
} from './tables.ts';
import { readTrailFolders } from './trail-folders.ts';

/** One statement to run, with a line for each reason. */
export interface TableStep {
  readonly title: string;
  readonly reasons: readonly string[];
  readonly statement: string;
  /** `create` also replaces an existing view; `set` sets table properties. */
  readonly kind: 'create' | 'drop' | 'set';
  /** Where a table is made that must be alone there: `s3://my-trailbot/trailbot/events/`. */
  readonly emptyLocation?: string;
}

/** The steps, in order. Empty when the tables are up to date. */
export interface TablePlan {
  readonly steps: readonly TableStep[];
  readonly newInBucket: NewInBucket;
}

/** What the bucket has and the table does not list yet. */
export interface NewInBucket {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** Names of new folders of an account and a region that are both known. */
  readonly folders: readonly string[];
  /** Names of all new folders. */
  readonly all: readonly string[];
}

/** A table or view in the data catalog. */
export interface CatalogTable {
  readonly columns: Readonly<Record<string, string>>;
  readonly partitions: Readonly<Record<string, string>>;
  readonly properties: Readonly<Record<string, string>>;
}

const CATALOG = 'AwsDataCatalog';

export interface TablePlanRequest {
  readonly client: Athena;
  /** Undefined when it does not exist yet: Athena rejects metadata requests with an unknown workgroup. */
  readonly workGroup: string | undefined;
  readonly layout: BucketLayout;
  readonly names: TableNames;
  /** Where the compacted copy lies, `s3://…/`; undefined without one. */
  readonly copyLocation?: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Compares the tables with the bucket. Reads metadata only; no query runs.
 *
 * @throws UserError when a table or view of that name exists that trailbot did not create, or that is for another trail.
 */
export async function planTables({ client, workGroup, layout, names, copyLocation, signal }: TablePlanRequest): Promise<TablePlan> {
  const { database, table } = names;
  const read = (name: string) => readTable(client, database, name, workGroup, signal);
  const [raw, databaseExists] = [await read(table), await findDatabase(client, database, workGroup, signal)];
  if (raw && raw.properties[MANAGED_PROPERTY] !== 'true') throw notManagedError(`table ${database}.${table}`, 'ATHENA_TABLE');
  if (raw && rootOf(raw) !== layout.root) throw otherTrailError(names, rootOf(raw), layout.root);
  const views = new Map<string, CatalogTable>();
  for (const name of copyLocation === undefined ? RELATIONS : ([RAW_EVENTS, ...RELATIONS] as const)) {
    const view = await read(name);
    if (view && !isOwnView(name, view)) throw notManagedError(`view ${database}.${name}`, 'ATHENA_DATABASE');
    if (view) views.set(name, view);
  }

  const wanted = withListedFolders(layout, raw);
  const [wantedProperties, partitions] = [tableProperties(wanted), partitionsOf(wanted)];
  const copySteps = copyLocation === undefined ? [] : await planCopy({ names, location: copyLocation, properties: raw?.properties ?? {}, read });
  const steps: TableStep[] = [];
  if (!databaseExists)
    steps.push({
      kind: 'create',
      title: `create database ${database}`,
      reasons: ['it does not exist'],
      statement: `create database if not exists ${database}`,
    });
  const tableDifferences = raw && [
    ...columnDifferences('column', raw.columns, RAW_COLUMNS),
    ...columnDifferences('partition column', raw.partitions, partitions),
  ];
  const isNew = !raw || (tableDifferences !== undefined && tableDifferences.length > 0);
  if (raw && isNew) {
    // Dropping an external table does not touch the log files.
    steps.push({
      kind: 'drop',
      title: `drop table ${database}.${table}`,
      reasons: tableDifferences ?? [],
      statement: `drop table if exists ${database}.${table}`,
    });
  }
  if (isNew) {
    steps.push({
      kind: 'create',
      title: `create table ${database}.${table}`,
      reasons: raw ? ['its columns changed'] : ['it does not exist'],
      statement: createTableStatement(wanted, names, raw ? noted(raw.properties) : {}),
    });
  } else {
    const changed = Object.entries(wantedProperties).filter(([name, value]) => raw.properties[name] !== value);
    if (changed.length > 0) {
      steps.push({
        kind: 'set',
        title: `set ${changed.length === 1 ? 'a property' : `${changed.length} properties`} of ${database}.${table}`,
        reasons: changed.map(([name, value]) => `${name}: ${shortValue(raw.properties[name])} → ${shortValue(value)}`),
        statement: setPropertiesStatement(Object.fromEntries(changed), names),
      });
    }
  }
  const sources: ViewSources = {
    partitions,
    ...(copyLocation !== undefined && { compacted: copySteps.length > 0 || !raw ? [] : readCompactedDays(raw.properties) }),
  };
  // The views must not read tables that are made anew.
  if (copySteps.some(({ kind }) => kind === 'drop'))
    for (const name of RELATIONS.filter((view) => views.has(view)))
      steps.push({
        kind: 'create',
        title: `let view ${database}.${name} read the log files meanwhile`,
        reasons: ['the tables of the compacted copy are made anew'],
        statement: createViewStatement(names, name, { partitions }),
      });
  steps.push(...copySteps);
  const wantedViews = viewsFor(sources);
  const checksum = viewChecksum(names, sources);
  const isStale = isNew || raw.properties[VIEW_CHECKSUM] !== checksum;
  if (isStale || wantedViews.some((name) => !views.has(name))) {
    for (const name of wantedViews) {
      const exists = views.has(name);
      if (exists && !isStale) continue;
      steps.push({
        kind: 'create',
        title: `${exists ? 'replace' : 'create'} view ${database}.${name}`,
        reasons: [!exists ? 'it does not exist' : isNew ? 'its table is new' : 'its text changed'],
        statement: createViewStatement(names, name, sources),
      });
    }
    // Last, so that a view that could not be created is planned again.
    steps.push({
      kind: 'set',
      title: `store the views' checksum in ${database}.${table}`,
      reasons: ['no Athena API returns the text of a view'],
      statement: setPropertiesStatement({ [VIEW_CHECKSUM]: checksum }, names),
    });
  }
  return { steps, newInBucket: findNewInBucket(layout, raw) };
}

/** What was found out about the trail, which a new table for the same trail keeps. */
const NOTED: readonly string[] = [FOLDERS_PROVED, COMPACTED_DAYS, COMPACTED_SHAPE];
const noted = (properties: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => NOTED.includes(name)));

interface CopyPlanRequest {
  readonly names: TableNames;
  readonly location: string;
  /** The raw table's. */
  readonly properties: Readonly<Record<string, string>>;
  read(name: string): Promise<CatalogTable | undefined>;
}

/** The steps that make the tables of the compacted copy. A table that was made by other rules is made anew, and filled again. */
async function planCopy({ names, location, properties, read }: CopyPlanRequest): Promise<TableStep[]> {
  const steps: TableStep[] = [];
  const isOutdated = properties[COMPACTED_SHAPE] !== COPY_SHAPE;
  for (const relation of RELATIONS) {
    const name = `${names.database}.${compactedTable(relation)}`;
    const table = await read(compactedTable(relation));
    const own = locationOf(location, names, relation);
    if (table && !table.properties.metadata_location?.startsWith(own)) throw otherCopyError(name, own, table.properties.metadata_location);
    if (table && !isOutdated) continue;
    if (table)
      steps.push({
        kind: 'drop',
        title: `drop table ${name}`,
        reasons: ['it was made by another version of trailbot'],
        statement: `drop table if exists ${name}`,
      });
    steps.push({
      kind: 'create',
      title: `create table ${name}`,
      reasons: [table ? 'it was made by another version of trailbot' : 'it does not exist', `its files lie in ${own}`],
      statement: createCompactedStatement(names, relation, location),
      ...(!table && { emptyLocation: own }),
    });
  }
  return steps.length === 0 && !isOutdated
    ? []
    : [
        ...steps,
        {
          kind: 'set',
          title: `note in ${names.database}.${names.table} that no day is compacted yet`,
          reasons: ['npm run compact fills the tables'],
          statement: setPropertiesStatement(compactedProperties([]), names),
        },
      ];
}

const otherCopyError = (name: string, wanted: string, found: string | undefined): UserError =>
  new UserError(
    `The table ${name} exists but does not lie in ${wanted}${found === undefined ? '' : ` (${found})`}, so it is not changed. Set TRAILBOT_BUCKET to where it lies, or ATHENA_DATABASE to another name.`,
  );

/** The layout plus the folders that the table already lists. The first day is the bucket's: older files may have expired. */
function withListedFolders(layout: BucketLayout, raw: CatalogTable | undefined): BucketLayout {
  // A table with a column for accounts and one for regions lists pairs that the bucket does not have.
  const listed = raw?.properties['projection.folder.values'] === undefined ? [] : readTrailFolders(raw.properties).folders;
  const byAccount = Map.groupBy([...listed, ...foldersOfLayout(layout)], ({ account }) => account);
  const accounts = new Map([
    ...layout.accounts.map(({ id }) => [id, { id, regions: [] as string[] }] as const),
    ...[...byAccount].map(([id, own]) => [id, { id, regions: [...new Set(own.map(({ region }) => region))].sort() }] as const),
  ]);
  return {
    ...layout,
    accounts: [...accounts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    regions: [...new Set([...listed.map(({ region }) => region), ...layout.regions])].sort(),
  };
}

function findNewInBucket(layout: BucketLayout, raw: CatalogTable | undefined): NewInBucket {
  if (!raw) return { accounts: [], regions: [], folders: [], all: [] };
  const listed = readTrailFolders(raw.properties);
  const [accounts, regions, folders] = [new Set(listed.accounts), new Set(listed.regions), new Set(listed.folders.map(folderName))];
  const added = foldersOfLayout(layout).filter((folder) => !folders.has(folderName(folder)));
  return {
    accounts: layout.accounts.filter(({ id, regions: own }) => own.length > 0 && !accounts.has(id)).map(({ id }) => id),
    regions: layout.regions.filter((region) => !regions.has(region)),
    folders: added.filter(({ account, region }) => accounts.has(account) && regions.has(region)).map(folderName),
    all: added.map(folderName),
  };
}

function columnDifferences(what: string, found: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): string[] {
  return [...new Set([...Object.keys(wanted), ...Object.keys(found)])].flatMap((name) => {
    const [actual, expected] = [found[name], wanted[name]];
    if (actual === expected) return [];
    if (actual === undefined) return [`${what} ${name} is missing`];
    return expected === undefined ? [`${what} ${name} is not needed`] : [`${what} ${name} has another type`];
  });
}

const MAX_REASON_LENGTH = 60;
const shortValue = (value: string | undefined): string =>
  value === undefined ? 'not set' : value.length > MAX_REASON_LENGTH ? `${value.slice(0, MAX_REASON_LENGTH)}… (${value.length} characters)` : value;

/** Views have no properties. One of trailbot is recognized by columns that every version of it has. */
const OWN_COLUMNS: Readonly<Record<Relation, readonly string[]>> = {
  events: ['actor', 'actorkind', 'actorbasis', 'via', 'outcome', 'readlike'],
  activity: ['actor', 'actorkind', 'outcome', 'hour', 'events', 'first', 'last'],
  mentions: ['eventname', 'name', 'events', 'writes', 'first', 'last'],
};

/** The parent folder of the accounts that a table reads, as in a layout. */
const rootOf = ({ properties }: CatalogTable): string => {
  const { bucket, root } = readTrailFolders(properties);
  return `s3://${bucket}/${root}`;
};

/** Days and folders of one trail say nothing about another, and questions would silently be about another trail than before. */
const otherTrailError = ({ database, table }: TableNames, known: string, found: string): UserError =>
  new UserError(
    `The table ${database}.${table} is for the trail in ${known}, and TRAIL_BUCKET leads to ${found}, which is another. To ask about both, set ATHENA_DATABASE to another name for this one. To replace it, run in Athena: drop table ${database}.${table}. That deletes no log file. Then run setup again.`,
  );

export const isOwnView = (name: Relation | typeof RAW_EVENTS, { columns }: CatalogTable): boolean =>
  OWN_COLUMNS[name === RAW_EVENTS ? 'events' : name].every((column) => column in columns);

const notManagedError = (what: string, setting: string): UserError =>
  new UserError(`The ${what} exists but was not created by trailbot, so it is not changed. Set ${setting} to another name.`);

/** Reads a table or view from the catalog; undefined when it does not exist. */
export async function readTable(
  client: Athena,
  database: string,
  table: string,
  workGroup: string | undefined,
  signal: AbortSignal,
): Promise<CatalogTable | undefined> {
  const request = { CatalogName: CATALOG, DatabaseName: database, TableName: table, WorkGroup: workGroup };
  const context = { database, workGroup: workGroup ?? '' };
  const found = await requestIfExists({
    client,
    context,
    signal,
    operation: 'GetTableMetadata',
    send: (options) => client.getTableMetadata(request, options),
    isMissing: isTableMissing,
  });
  if (!found) return undefined;
  const types = (columns: readonly { readonly Name?: string | undefined; readonly Type?: string | undefined }[] = []) =>
    Object.fromEntries(columns.map(({ Name = '', Type = '' }) => [Name, Type.toLowerCase().replace(/\s/g, '')]));
  const { Columns, PartitionKeys, Parameters = {} } = found.TableMetadata ?? {};
  return { columns: types(Columns), partitions: types(PartitionKeys), properties: Parameters };
}

async function findDatabase(client: Athena, database: string, workGroup: string | undefined, signal: AbortSignal): Promise<boolean> {
  const request = { CatalogName: CATALOG, DatabaseName: database, WorkGroup: workGroup };
  const context = { database, workGroup: workGroup ?? '' };
  const found = await requestIfExists({
    client,
    context,
    signal,
    operation: 'GetDatabase',
    send: (options) => client.getDatabase(request, options),
    isMissing: isTableMissing,
  });
  return found !== undefined;
}

/** Athena passes on Glue's error as text only. */
const isTableMissing = (error: unknown): boolean =>
  error instanceof MetadataException && /EntityNotFound|not found|does not exist/i.test(error.message);

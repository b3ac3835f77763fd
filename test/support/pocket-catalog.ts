/**
 * A loopback Athena with workgroups and a data catalog. It runs setup's DDL through StartQueryExecution and returns the
 * result through GetTableMetadata and GetDatabase, with the same errors as the real one. It checks requests against AWS's models.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Athena, type AthenaClient, type CreateWorkGroupInput, type WorkGroup } from '@aws-sdk/client-athena';
import { daysBetween } from '../../athena/days.ts';
import { requestFaults, throwFaults } from './aws-requests.ts';

interface StoredTable {
  readonly columns: readonly { readonly Name: string; readonly Type: string }[];
  readonly partitions: readonly { readonly Name: string; readonly Type: string }[];
  readonly properties: Record<string, string>;
}

export interface PocketCatalog extends AsyncDisposable {
  readonly client: Athena;
  readonly databases: Set<string>;
  /** By name. `primary` exists, as in every AWS account. */
  readonly workGroups: Map<string, WorkGroup>;
  /** The inputs of CreateWorkGroup. */
  readonly creations: readonly CreateWorkGroupInput[];
  /** By `database.table`. */
  readonly tables: Map<string, StoredTable>;
  /** Every call, by name. */
  readonly calls: string[];
  /** Denies a call from now on, with the message of IAM. */
  deny(call: string, message: string): void;
  /** Allows it again. */
  allow(call: string): void;
  /** Runs one statement of DDL, as Athena would. */
  run(statement: string): Promise<void>;
}

export interface CatalogOptions {
  /** The response to EXPLAIN; by default a plan as Trino returns it. */
  explain?(statement: string): string;
  /** Gets each statement of DDL before it is noted, to run it elsewhere too. */
  onStatement?(statement: string): Promise<void>;
}

/** Opens the server. Statements other than DDL and EXPLAIN are forwarded to `queries`. */
export async function openPocketCatalog(
  queries?: AthenaClient,
  { explain = planOf, onStatement = async () => undefined }: CatalogOptions = {},
): Promise<PocketCatalog> {
  const workGroups = new Map<string, WorkGroup>([['primary', PRIMARY]]);
  const creations: CreateWorkGroupInput[] = [];
  const plans = new Map<string, readonly string[]>();
  const denied = new Map<string, string>();
  const databases = new Set<string>();
  const tables = new Map<string, StoredTable>();
  const calls: string[] = [];
  const faults: string[] = [];

  function run(statement: string): void {
    const named = (pattern: RegExp): string | undefined => pattern.exec(statement)?.[1];
    const created = named(/^create external table (\S+) \(/);
    const kept = named(/^create table (\S+) \(/);
    const viewed = named(/^create or replace view (\S+) as/);
    const altered = named(/^alter table (\S+) set tblproperties/);
    const dropped = named(/^drop (?:table|view) if exists (\S+)$/);
    const database = named(/^create database if not exists (\S+)$/);
    if (database) databases.add(database);
    else if (dropped) tables.delete(dropped);
    else if (created) {
      if (tables.has(created)) throw new Error(`Table ${created} already exists`);
      const [, columns = '', partitions = ''] = /\(\n([^)]*)\n\)\npartitioned by \(([^)]*)\)/.exec(statement) ?? [];
      tables.set(created, {
        columns: parseColumns(columns.split(',\n')),
        partitions: parseColumns(partitions.split(', ')),
        properties: parseProperties(statement),
      });
    } else if (kept) {
      if (tables.has(kept)) throw new Error(`Table ${kept} already exists`);
      const [, columns = '', partitions = '', location = ''] = /\(\n([^)]*)\n\)\npartitioned by \((.*)\)\nlocation '([^']*)'/.exec(statement) ?? [];
      if (!/'table_type' = 'ICEBERG'/.test(statement) || partitions === '') throw new Error('A table that is not external is one of Iceberg');
      const properties = { table_type: 'ICEBERG', metadata_location: `${location}metadata/00000-0.metadata.json` };
      tables.set(kept, { columns: parseColumns(columns.split(',\n')), partitions: [], properties });
    } else if (viewed) {
      const [, names = ''] = /\nselect\n {2}([^()]*)\nfrom \w+$/.exec(statement) ?? [];
      const columns = names.split(',\n').map((name) => ({ Name: name.trim(), Type: 'string' }));
      tables.set(viewed, { columns, partitions: [], properties: { presto_view: 'true' } });
    } else if (altered) Object.assign(tables.get(altered)?.properties ?? {}, parseProperties(statement));
    else throw new Error(`No DDL: ${statement}`);
  }

  /** DDL and EXPLAIN end at once, and their ids have the kind as a prefix. */
  const isSetupStatement = (name: string, { QueryString = '', QueryExecutionId = '' }: Record<string, string>): boolean =>
    name === 'StartQueryExecution' ? /^(create|alter|drop|explain) /.test(QueryString) : /^(ddl|explain)-/.test(QueryExecutionId);
  async function statementCalls(name: string, { QueryString = '', QueryExecutionId = '' }: Record<string, string>): Promise<unknown> {
    const isPlan = QueryExecutionId.startsWith('explain-');
    if (name === 'GetQueryExecution') {
      const kind = isPlan ? { StatementType: 'UTILITY', SubstatementType: 'EXPLAIN' } : { StatementType: 'DDL' };
      return { QueryExecution: { ...kind, Status: { State: 'SUCCEEDED' }, Statistics: { DataScannedInBytes: 0 } } };
    }
    if (name === 'GetQueryResults') {
      const lines = plans.get(QueryExecutionId) ?? [];
      const Rows = lines.map((line) => ({ Data: [{ VarCharValue: line }] }));
      return { ResultSet: { Rows, ResultSetMetadata: { ColumnInfo: isPlan ? [{ Name: 'Query Plan', Type: 'varchar' }] : [] } } };
    }
    if (QueryString.startsWith('explain ')) {
      const id = `explain-${randomUUID()}`;
      plans.set(id, explain(QueryString).split('\n'));
      return { QueryExecutionId: id };
    }
    await onStatement(QueryString);
    run(QueryString);
    return { QueryExecutionId: `ddl-${randomUUID()}` };
  }

  function workGroupCalls(name: string, input: unknown): unknown {
    if (name === 'GetWorkGroup') return { WorkGroup: workGroups.get((input as { WorkGroup: string }).WorkGroup) };
    const creation = input as CreateWorkGroupInput;
    const { Name = '', Description, Configuration = {} } = creation;
    const { ManagedQueryResultsConfiguration, ResultConfiguration, EngineVersion } = Configuration;
    if (workGroups.has(Name)) throw new Error('WorkGroup is already created');
    if (ManagedQueryResultsConfiguration?.Enabled && ResultConfiguration?.OutputLocation) throw new Error('Managed results cannot have a location');
    creations.push(creation);
    const engine = { ...EngineVersion, EffectiveEngineVersion: EngineVersion?.SelectedEngineVersion };
    workGroups.set(Name, { Name, State: 'ENABLED', Description, Configuration: { ...Configuration, EngineVersion: engine } });
    return {};
  }

  const metadata: Record<string, (input: Record<string, string>) => unknown> = {
    GetDatabase: ({ DatabaseName = '' }) => (databases.has(DatabaseName) ? { Database: { Name: DatabaseName } } : undefined),
    GetTableMetadata: ({ DatabaseName, TableName }) => {
      const table = tables.get(`${DatabaseName}.${TableName}`);
      return table && { TableMetadata: { Name: TableName, Columns: table.columns, PartitionKeys: table.partitions, Parameters: table.properties } };
    },
  };
  /** Undefined for requests to forward. */
  async function answerOf(name: string, input: Record<string, string>): Promise<object | undefined> {
    if (denied.has(name)) return { __type: 'AccessDeniedException', Message: `User is ${denied.get(name)}` };
    const { WorkGroup: workGroup } = input;
    if (workGroup !== undefined && !workGroups.has(workGroup))
      return { __type: 'InvalidRequestException', Message: `WorkGroup ${workGroup} is not found.` };
    if (/WorkGroup$/.test(name)) return workGroupCalls(name, input) as object;
    if (isSetupStatement(name, input)) return (await statementCalls(name, input)) as object;
    const read = metadata[name];
    return read && ((read(input) ?? { __type: 'MetadataException', Message: 'EntityNotFoundException: Entity Not Found' }) as object);
  }
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
    calls.push(name);
    const body = await bodyOf(request);
    const input = JSON.parse(body) as Record<string, string>;
    let answer: object | undefined;
    const found = requestFaults('athena', name, input);
    faults.push(...found);
    try {
      if (found.length > 0) throw new Error(found.join('; '));
      answer = await answerOf(name, input);
    } catch (error) {
      answer = { __type: 'InvalidRequestException', Message: (error as Error).message };
    }
    if (!answer && queries) {
      const { hostname = '', port } = (await queries.config.endpoint?.()) ?? {};
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': String(request.headers['x-amz-target']),
        authorization: String(request.headers.authorization),
      };
      const forwarded = await fetch(`http://${hostname}:${port}/`, { method: 'POST', headers, body });
      response.writeHead(forwarded.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(await forwarded.text());
      return;
    }
    response.writeHead(answer && !('__type' in answer) ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(answer ?? { __type: 'InvalidRequestException', Message: `No ${name} here` }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Athena({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' },
  });
  return {
    client,
    databases,
    workGroups,
    creations,
    deny: (call, message) => denied.set(call, message),
    allow: (call) => denied.delete(call),
    tables,
    calls,
    async run(statement) {
      await onStatement(statement);
      run(statement);
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      await once(server, 'close');
      throwFaults(faults);
    },
  };
}

/** The workgroup that AWS creates in every account. */
const PRIMARY: WorkGroup = {
  Name: 'primary',
  State: 'ENABLED',
  Configuration: {
    ResultConfiguration: {},
    EnforceWorkGroupConfiguration: false,
    PublishCloudWatchMetricsEnabled: false,
    EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
  },
};

/** The plan of a statement with bounds on the day and a list of folders, in Trino's format (test/trino reads a real one). */
function planOf(statement: string): string {
  const [, first = '', last = ''] = /day between '([\d/]+)' and '([\d/]+)'/.exec(statement) ?? [];
  const [, folders] = /folder in \(([^)]*)\)/.exec(statement) ?? [];
  return planReading(
    daysBetween(first, last),
    folders?.split(', ').map((name) => name.slice(1, -1)),
  );
}

/** A plan that reads these days, and these folders or all. */
export function planReading(days: readonly string[], folders?: readonly string[]): string {
  const limitOf = (columnName: string, values: readonly string[]) => {
    const ranges = values.map((value) => ({ low: { value, bound: 'EXACTLY' }, high: { value, bound: 'EXACTLY' } }));
    return { columnName, type: 'varchar', domain: { nullsAllowed: false, ranges } };
  };
  const limits = [limitOf('day', days), ...(folders ? [limitOf('folder', folders)] : [])];
  const table = { catalog: 'awsdatacatalog', schemaTable: { schema: 'trailbot', table: 'cloudtrail' } };
  const plan = { inputTableColumnInfos: [{ table, constraint: { none: false, columnConstraints: limits }, estimate: {} }], estimate: {} };
  return JSON.stringify(plan, null, 2);
}

const parseColumns = (lines: readonly string[]) =>
  lines.map((line) => {
    const [name = '', ...type] = line.trim().split(' ');
    return { Name: name, Type: type.join(' ') };
  });

const parseProperties = (statement: string): Record<string, string> =>
  Object.fromEntries(
    [...statement.slice(statement.indexOf('tblproperties')).matchAll(/'((?:[^']|'')*)' = '((?:[^']|'')*)'/g)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll("''", "'"),
    ]),
  );

async function bodyOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}

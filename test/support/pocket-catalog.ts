/**
 * A loopback server that keeps workgroups, and tables as Athena's data catalog does: it takes our DDL through
 * StartQueryExecution and tells of it through GetTableMetadata and GetDatabase, with the errors that the real one gives.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Athena, type AthenaClient, type CreateWorkGroupInput, type WorkGroup } from '@aws-sdk/client-athena';
import { daysBetween } from '../../athena/pruning.ts';

interface Kept {
  readonly columns: readonly { readonly Name: string; readonly Type: string }[];
  readonly partitions: readonly { readonly Name: string; readonly Type: string }[];
  readonly properties: Record<string, string>;
}

export interface PocketCatalog extends AsyncDisposable {
  readonly client: Athena;
  readonly databases: Set<string>;
  /** By name. As in every account of AWS, there is one called primary. */
  readonly workGroups: Map<string, WorkGroup>;
  /** What workgroups were asked to be made with. */
  readonly creations: readonly CreateWorkGroupInput[];
  /** By `database.table`. */
  readonly tables: Map<string, Kept>;
  /** Every call, by name. */
  readonly calls: string[];
  /** From now on, a call is refused as IAM refuses it. */
  deny(call: string, message: string): void;
  /** Runs one statement of DDL, as Athena would. */
  run(statement: string): Promise<void>;
}

/** How EXPLAIN is answered: with a plan, or an Error, as Trino does by default. */
export interface Explaining {
  explain?(statement: string): string;
}

/** Opens the server. Statements that are neither DDL nor EXPLAIN are handed on to `queries`, when it is given. */
export async function openPocketCatalog(queries?: AthenaClient, { explain = planOf }: Explaining = {}): Promise<PocketCatalog> {
  const workGroups = new Map<string, WorkGroup>([['primary', PRIMARY]]);
  const creations: CreateWorkGroupInput[] = [];
  const plans = new Map<string, readonly string[]>();
  const denied = new Map<string, string>();
  const databases = new Set<string>();
  const tables = new Map<string, Kept>();
  const calls: string[] = [];

  function run(statement: string): void {
    const named = (pattern: RegExp): string | undefined => pattern.exec(statement)?.[1];
    const created = named(/^create external table (\S+) \(/);
    const viewed = named(/^create or replace view (\S+) as/);
    const altered = named(/^alter table (\S+) set tblproperties/);
    const dropped = named(/^drop table if exists (\S+)$/);
    const database = named(/^create database if not exists (\S+)$/);
    if (database) databases.add(database);
    else if (dropped) tables.delete(dropped);
    else if (created) {
      if (tables.has(created)) throw new Error(`Table ${created} already exists`);
      const [, columns = '', partitions = ''] = /\(\n([^)]*)\n\)\npartitioned by \(([^)]*)\)/.exec(statement) ?? [];
      tables.set(created, { columns: typed(columns.split(',\n')), partitions: typed(partitions.split(', ')), properties: propertiesIn(statement) });
    } else if (viewed) {
      const [, names = ''] = /\nselect\n {2}([^()]*)\nfrom events$/.exec(statement) ?? [];
      const columns = names.split(',\n').map((name) => ({ Name: name.trim(), Type: 'string' }));
      tables.set(viewed, { columns, partitions: [], properties: { presto_view: 'true' } });
    } else if (altered) Object.assign(tables.get(altered)?.properties ?? {}, propertiesIn(statement));
    else throw new Error(`No DDL: ${statement}`);
  }

  /** DDL and plans are done as soon as they are started, and their ids say what they were. */
  const isOurs = (name: string, { QueryString = '', QueryExecutionId = '' }: Record<string, string>): boolean =>
    name === 'StartQueryExecution' ? /^(create|alter|drop|explain) /.test(QueryString) : /^(ddl|explain)-/.test(QueryExecutionId);
  function statementCalls(name: string, { QueryString = '', QueryExecutionId = '' }: Record<string, string>): unknown {
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
    run(QueryString);
    return { QueryExecutionId: `ddl-${randomUUID()}` };
  }

  function workGroupCalls(name: string, input: unknown): unknown {
    if (name === 'GetWorkGroup') return { WorkGroup: workGroups.get((input as { WorkGroup: string }).WorkGroup) };
    const creation = input as CreateWorkGroupInput;
    const { Name = '', Description, Configuration = {} } = creation;
    const { ManagedQueryResultsConfiguration, ResultConfiguration, BytesScannedCutoffPerQuery = 1e12, EngineVersion } = Configuration;
    if (workGroups.has(Name)) throw new Error('WorkGroup is already created');
    if (ManagedQueryResultsConfiguration?.Enabled && ResultConfiguration?.OutputLocation) throw new Error('Results are managed, and have a location');
    if (BytesScannedCutoffPerQuery < 10_000_000) throw new Error('BytesScannedCutoffPerQuery must be 10000000 at least');
    creations.push(creation);
    const engine = { ...EngineVersion, EffectiveEngineVersion: EngineVersion?.SelectedEngineVersion };
    workGroups.set(Name, { Name, State: 'ENABLED', Description, Configuration: { ...Configuration, EngineVersion: engine } });
    return {};
  }

  const metadata: Record<string, (input: Record<string, string>) => unknown> = {
    GetDatabase: ({ DatabaseName = '' }) => (databases.has(DatabaseName) ? { Database: { Name: DatabaseName } } : undefined),
    GetTableMetadata: ({ DatabaseName, TableName }) => {
      const kept = tables.get(`${DatabaseName}.${TableName}`);
      return kept && { TableMetadata: { Name: TableName, Columns: kept.columns, PartitionKeys: kept.partitions, Parameters: kept.properties } };
    },
  };
  /** Undefined when it is a statement of others. */
  function answerOf(name: string, input: Record<string, string>): object | undefined {
    if (denied.has(name)) return { __type: 'AccessDeniedException', Message: `User is ${denied.get(name)}` };
    const { WorkGroup: workGroup } = input;
    if (workGroup !== undefined && !workGroups.has(workGroup))
      return { __type: 'InvalidRequestException', Message: `WorkGroup ${workGroup} is not found.` };
    if (/WorkGroup$/.test(name)) return workGroupCalls(name, input) as object;
    if (isOurs(name, input)) return statementCalls(name, input) as object;
    const look = metadata[name];
    return look && ((look(input) ?? { __type: 'MetadataException', Message: 'EntityNotFoundException: Entity Not Found' }) as object);
  }
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
    calls.push(name);
    const body = await bodyOf(request);
    const input = JSON.parse(body) as Record<string, string>;
    let answer: object | undefined;
    try {
      answer = answerOf(name, input);
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
      const handedOn = await fetch(`http://${hostname}:${port}/`, { method: 'POST', headers, body });
      response.writeHead(handedOn.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(await handedOn.text());
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
    tables,
    calls,
    run: async (statement) => run(statement),
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** As an account has it from its first day on. */
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

/** The plan of a statement that names its days, in the shape that Trino gives it (test/trino reads a real one). */
function planOf(statement: string): string {
  const [, first = '', last = ''] = /day between '([\d/]+)' and '([\d/]+)'/.exec(statement) ?? [];
  return planReading(daysBetween(first, last));
}

/** A plan that reads these days. */
export function planReading(days: readonly string[]): string {
  const ranges = days.map((value) => ({ low: { value, bound: 'EXACTLY' }, high: { value, bound: 'EXACTLY' } }));
  const day = { columnName: 'day', type: 'varchar', domain: { nullsAllowed: false, ranges } };
  const table = { catalog: 'awsdatacatalog', schemaTable: { schema: 'trailbot', table: 'cloudtrail' } };
  const plan = { inputTableColumnInfos: [{ table, constraint: { none: false, columnConstraints: [day] }, estimate: {} }], estimate: {} };
  return JSON.stringify(plan, null, 2);
}

const typed = (lines: readonly string[]) =>
  lines.map((line) => {
    const [name = '', ...type] = line.trim().split(' ');
    return { Name: name, Type: type.join(' ') };
  });

const propertiesIn = (statement: string): Record<string, string> =>
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

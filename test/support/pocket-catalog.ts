/**
 * A loopback server that keeps tables as Athena's data catalog does: it takes our DDL through StartQueryExecution and tells
 * of it through GetTableMetadata and GetDatabase, with the errors that the real one gives.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Athena, type AthenaClient } from '@aws-sdk/client-athena';

interface Kept {
  readonly columns: readonly { readonly Name: string; readonly Type: string }[];
  readonly partitions: readonly { readonly Name: string; readonly Type: string }[];
  readonly properties: Record<string, string>;
}

export interface PocketCatalog extends AsyncDisposable {
  readonly client: Athena;
  readonly databases: Set<string>;
  /** By `database.table`. */
  readonly tables: Map<string, Kept>;
  /** Every call, by name. */
  readonly calls: string[];
  /** Runs one statement of DDL, as Athena would. */
  run(statement: string): Promise<void>;
}

/** Opens the server. Statements that are no DDL are handed on to `queries`, when it is given. */
export async function openPocketCatalog(queries?: AthenaClient): Promise<PocketCatalog> {
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
    } else if (viewed) tables.set(viewed, { columns: [], partitions: [], properties: { presto_view: 'true' } });
    else if (altered) Object.assign(tables.get(altered)?.properties ?? {}, propertiesIn(statement));
    else throw new Error(`No DDL: ${statement}`);
  }

  /** DDL is done as soon as it is started, and its id says that it was. */
  const isDdl = (name: string, { QueryString = '', QueryExecutionId = '' }: Record<string, string>): boolean =>
    name === 'StartQueryExecution' ? /^(create|alter|drop) /.test(QueryString) : QueryExecutionId.startsWith(DDL);
  function statementCalls(name: string, { QueryString = '' }: Record<string, string>): unknown {
    if (name === 'GetQueryExecution')
      return { QueryExecution: { StatementType: 'DDL', Status: { State: 'SUCCEEDED' }, Statistics: { DataScannedInBytes: 0 } } };
    if (name === 'GetQueryResults') return { ResultSet: { Rows: [], ResultSetMetadata: { ColumnInfo: [] } } };
    run(QueryString);
    return { QueryExecutionId: `${DDL}${randomUUID()}` };
  }

  const answers: Record<string, (input: Record<string, string>) => unknown> = {
    GetDatabase: ({ DatabaseName = '' }) => (databases.has(DatabaseName) ? { Database: { Name: DatabaseName } } : undefined),
    GetTableMetadata: ({ DatabaseName, TableName }) => {
      const kept = tables.get(`${DatabaseName}.${TableName}`);
      return kept && { TableMetadata: { Name: TableName, Columns: kept.columns, PartitionKeys: kept.partitions, Parameters: kept.properties } };
    },
  };
  const server = createServer(async (request, response) => {
    const name = String(request.headers['x-amz-target']).replace('AmazonAthena.', '');
    calls.push(name);
    const body = await bodyOf(request);
    const input = JSON.parse(body) as Record<string, string>;
    if (!(name in answers) && !isDdl(name, input) && queries) {
      const { hostname = '', port } = (await queries.config.endpoint?.()) ?? {};
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': String(request.headers['x-amz-target']),
        authorization: String(request.headers.authorization),
      };
      const answer = await fetch(`http://${hostname}:${port}/`, { method: 'POST', headers, body });
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(await answer.text());
      return;
    }
    const found = isDdl(name, input) ? statementCalls(name, input) : answers[name]?.(input);
    response.writeHead(found ? 200 : 400, { 'content-type': 'application/x-amz-json-1.1' });
    response.end(JSON.stringify(found ?? { __type: 'MetadataException', Message: 'EntityNotFoundException: Entity Not Found' }));
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

const DDL = 'ddl-';

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

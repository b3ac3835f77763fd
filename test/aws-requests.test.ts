/** The check of requests against AWS's models: what it finds, which operations it covers, and that the loopback servers use it. */
import { globSync, readFileSync } from 'node:fs';
import { Athena, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { s3Faults, stsFaults } from './support/aws-inputs.ts';
import { REQUEST_MODELS, requestFaults } from './support/aws-requests.ts';
import { pocketBucket } from './support/bucket.ts';
import { pocketAthena } from './support/pocket-athena.ts';
import { openPocketCatalog } from './support/pocket-catalog.ts';
import { pocketSts } from './support/sts.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const START = { QueryString: 'select 1', ClientRequestToken: TOKEN };
const GROUP = { Name: 'trailbot' };
const grouped = (Configuration: object): object => ({ ...GROUP, Configuration });

describe('A request to Athena', () => {
  test.each<[string, string, unknown]>([
    ['a statement', 'StartQueryExecution', START],
    ['values of all lengths', 'StartQueryExecution', { ...START, ExecutionParameters: ['1', 'é'.repeat(1024), '😀'.repeat(1024)] }],
    ['a member without a value', 'GetQueryResults', { QueryExecutionId: 'q-1', NextToken: undefined, MaxResults: 1000 }],
    ['a map', 'CreateWorkGroup', grouped({ EngineConfiguration: { AdditionalConfigs: { 'a key': 'a value, é' } } })],
    ['a catalog with other letters', 'GetDatabase', { CatalogName: 'Données 😀', DatabaseName: 'trailbot' }],
    ['a key', 'CreateWorkGroup', grouped({ CustomerContentEncryptionConfiguration: { KmsKey: 'arn:aws:kms:eu-central-1:111122223333:key/1a-2b' } })],
  ])('is valid with %s', (_, operation, input) => {
    expect(requestFaults('athena', operation, input)).toEqual([]);
  });

  test.each<[string, string, unknown, string]>([
    ['an operation that has no model', 'ListDatabases', {}, 'ListDatabases is not in the models of athena'],
    ['no object as its input', 'GetWorkGroup', ['trailbot'], 'GetWorkGroup is not of type structure'],
    ['an unknown member', 'StartQueryExecution', { ...START, Database: 'x' }, 'StartQueryExecution.Database is unknown'],
    [
      'an unknown member of a member',
      'StartQueryExecution',
      { ...START, QueryExecutionContext: { database: 'x' } },
      'StartQueryExecution.QueryExecutionContext.database is unknown',
    ],
    ['a required member missing', 'GetDatabase', { DatabaseName: 'x' }, 'GetDatabase.CatalogName is missing'],
    [
      'a required member of a member missing',
      'CreateWorkGroup',
      grouped({ ManagedQueryResultsConfiguration: {} }),
      'CreateWorkGroup.Configuration.ManagedQueryResultsConfiguration.Enabled is missing',
    ],
    ['null for a text', 'GetQueryExecution', { QueryExecutionId: null }, 'GetQueryExecution.QueryExecutionId is not of type string'],
    ['a text for a number', 'GetQueryResults', { QueryExecutionId: 'q', MaxResults: '9' }, 'GetQueryResults.MaxResults is not of type integer'],
    ['a fraction', 'GetQueryResults', { QueryExecutionId: 'q', MaxResults: 1.5 }, 'GetQueryResults.MaxResults is not of type integer'],
    [
      'a text for a boolean',
      'CreateWorkGroup',
      grouped({ EnforceWorkGroupConfiguration: 'true' }),
      'CreateWorkGroup.Configuration.EnforceWorkGroupConfiguration is not of type boolean',
    ],
    [
      'a list for a map',
      'CreateWorkGroup',
      grouped({ ResultConfiguration: [] }),
      'CreateWorkGroup.Configuration.ResultConfiguration is not of type structure',
    ],
    [
      'a text for a list',
      'StartQueryExecution',
      { ...START, ExecutionParameters: 'x' },
      'StartQueryExecution.ExecutionParameters is not of type list',
    ],
    [
      'a number in a list of texts',
      'StartQueryExecution',
      { ...START, ExecutionParameters: ['1', 2] },
      'StartQueryExecution.ExecutionParameters[1] is not of type string',
    ],
    ['a short text', 'StartQueryExecution', { ...START, ClientRequestToken: 'x' }, 'StartQueryExecution.ClientRequestToken is shorter than 32'],
    ['a long text', 'StartQueryExecution', { ...START, QueryString: 'x'.repeat(262_145) }, 'StartQueryExecution.QueryString is longer than 262144'],
    [
      'a long text in a list',
      'StartQueryExecution',
      { ...START, ExecutionParameters: ['x'.repeat(1025)] },
      'StartQueryExecution.ExecutionParameters[0] is longer than 1024',
    ],
    [
      'an empty list',
      'StartQueryExecution',
      { ...START, ExecutionParameters: [] },
      'StartQueryExecution.ExecutionParameters has fewer members than 1',
    ],
    [
      'a long list',
      'CreateWorkGroup',
      grouped({ SystemTableStatuses: Array(51).fill({ TableName: 'QUERY_EXECUTIONS', Enabled: true }) }),
      'CreateWorkGroup.Configuration.SystemTableStatuses has more members than 50',
    ],
    ['a high number', 'GetQueryResults', { QueryExecutionId: 'q', MaxResults: 1001 }, 'GetQueryResults.MaxResults is more than 1000'],
    [
      'a low number',
      'CreateWorkGroup',
      grouped({ BytesScannedCutoffPerQuery: 9_999_999 }),
      'CreateWorkGroup.Configuration.BytesScannedCutoffPerQuery is less than 10000000',
    ],
    ['a text of another pattern', 'GetWorkGroup', { WorkGroup: 'a b' }, 'GetWorkGroup.WorkGroup does not match [a-zA-Z0-9._-]{1,128}'],
    [
      'a text that is too long for its pattern',
      'GetWorkGroup',
      { WorkGroup: 'x'.repeat(129) },
      'GetWorkGroup.WorkGroup does not match [a-zA-Z0-9._-]{1,128}',
    ],
    [
      'a text that is none of an enum',
      'GetQueryResults',
      { QueryExecutionId: 'q', QueryResultType: 'ROWS' },
      'GetQueryResults.QueryResultType is not one of DATA_MANIFEST, DATA_ROWS',
    ],
    [
      'a long key of a map',
      'StartQueryExecution',
      { ...START, EngineConfiguration: { AdditionalConfigs: { ['k'.repeat(256)]: 'v' } } },
      `the key StartQueryExecution.EngineConfiguration.AdditionalConfigs.${'k'.repeat(256)} is longer than 255`,
    ],
    [
      'a number in a map of texts',
      'StartQueryExecution',
      { ...START, EngineConfiguration: { AdditionalConfigs: { k: 1 } } },
      'StartQueryExecution.EngineConfiguration.AdditionalConfigs.k is not of type string',
    ],
  ])('is refused with %s', (_, operation, input, fault) => {
    expect(requestFaults('athena', operation, input)).toEqual([fault]);
  });

  test('is refused with all of its faults', () => {
    expect(requestFaults('athena', 'GetTableMetadata', { CatalogName: '', WorkGroup: '?', Name: 'x' })).toEqual([
      'GetTableMetadata.DatabaseName is missing',
      'GetTableMetadata.TableName is missing',
      'GetTableMetadata.CatalogName is shorter than 1',
      'GetTableMetadata.WorkGroup does not match [a-zA-Z0-9._-]{1,128}',
      'GetTableMetadata.Name is unknown',
    ]);
  });
});

describe('A request to S3', () => {
  const listed = (query: string, headers = {}) =>
    s3Faults('ListObjectsV2', { bucket: 'b', key: '', parameters: new URLSearchParams(query), headers: new Headers(headers) });

  test('is read from its address and headers, without what the SDK adds to every request', () => {
    const signed = { 'x-amz-date': '20261121T000000Z', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'amz-sdk-request': 'attempt=1' };
    expect(listed('list-type=2&x-id=ListObjectsV2&max-keys=1&encoding-type=url&fetch-owner=true&prefix=', signed)).toEqual([]);
    expect(listed('', { 'x-amz-expected-bucket-owner': '111122223333', 'x-amz-optional-object-attributes': 'RestoreStatus' })).toEqual([]);
    const read = { bucket: 'b', key: 'k', parameters: new URLSearchParams('partNumber=1&response-expires=Sat, 21 Nov 2026 00:00:00 GMT') };
    expect(s3Faults('GetObject', { ...read, headers: new Headers({ 'if-modified-since': 'Sat, 21 Nov 2026 00:00:00 GMT' }) })).toEqual([]);
  });

  test.each<[string, string, Record<string, string>, string]>([
    ['an unknown parameter', 'Prefix=x', {}, 'ListObjectsV2 has an unknown parameter Prefix'],
    ['a parameter of another operation', 'versionId=x', {}, 'ListObjectsV2 has an unknown parameter versionId'],
    ['an unknown header', '', { 'x-amz-bucket-owner': '1' }, 'ListObjectsV2 has an unknown header x-amz-bucket-owner'],
    ['a header as a parameter', 'x-amz-request-payer=requester', {}, 'ListObjectsV2 has an unknown parameter x-amz-request-payer'],
    ['a text for a number', 'max-keys=many', {}, 'ListObjectsV2.MaxKeys is not of type integer'],
    ['a text for a boolean', 'fetch-owner=yes', {}, 'ListObjectsV2.FetchOwner is not of type boolean'],
    ['a text that is none of an enum', 'encoding-type=xml', {}, 'ListObjectsV2.EncodingType is not one of url'],
    [
      'a wrong text in a list',
      '',
      { 'x-amz-optional-object-attributes': 'x' },
      'ListObjectsV2.OptionalObjectAttributes[0] is not one of RestoreStatus',
    ],
  ])('is refused with %s', (_, query, headers, fault) => {
    expect(listed(query, headers)).toEqual([fault]);
  });

  test('is refused with a text for a time, and without a key to read', () => {
    const headers = new Headers({ 'if-modified-since': 'yesterday' });
    expect(s3Faults('HeadObject', { bucket: 'b', key: '', parameters: new URLSearchParams(), headers })).toEqual([
      'HeadObject.IfModifiedSince is not of type timestamp',
      'HeadObject.Key is shorter than 1',
    ]);
  });
});

test('A request to STS is refused with another operation, another version or a member', () => {
  expect(stsFaults('Action=GetCallerIdentity&Version=2011-06-15')).toEqual([]);
  expect(stsFaults('Action=GetSessionToken&Version=2011-06-15')).toEqual(['GetSessionToken is not in the models of sts']);
  expect(stsFaults('Action=GetCallerIdentity&Version=2012-01-01&Token=x')).toEqual([
    'Version is not 2011-06-15',
    'GetCallerIdentity.Token is unknown',
  ]);
});

describe('The models', () => {
  test('cover the operations that trailbot calls, and no other', () => {
    const modelled = Object.entries(REQUEST_MODELS).flatMap(([service, { operations }]) =>
      Object.keys(operations).map((name) => `${service} ${name}`),
    );
    const files = globSync('{athena,src}/**/*.ts').map((file) => readFileSync(file, 'utf8'));
    expect([...new Set(files.flatMap(calledOperations))].toSorted()).toEqual(modelled.toSorted());
  });

  test('miss an operation that is new', () => {
    const list = `import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';\nawait s3.send(new ListBucketsCommand({}));`;
    expect(calledOperations(list)).toEqual(['s3 ListBuckets']);
    expect(calledOperations('await clients.athena.listDatabases({}, options)')).toEqual(['athena ListDatabases']);
    expect(calledOperations('client.destroy(); await client.send(command); names.toSorted()')).toEqual([]);
  });

  test('have only types and patterns that are checked', () => {
    for (const [service, { shapes }] of Object.entries(REQUEST_MODELS)) {
      for (const [name, { type, pattern }] of Object.entries(shapes)) {
        expect(type, `${service} ${name}`).toMatch(/^(string|boolean|integer|long|timestamp|list|map|structure|blob)$/);
        if (pattern !== undefined) expect(() => new RegExp(`^(?:${pattern})$`, 'u'), `${service} ${name}`).not.toThrow();
      }
    }
  });
});

/** The operations that a file calls: the commands and the paginators that it imports, and the methods of the Athena client. */
function calledOperations(text: string): string[] {
  const commands = [...text.matchAll(/import (?:type )?\{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(([, names = '', service = '']) =>
    [...names.matchAll(/\b(\w+)Command\b|\bpaginate(\w+)\b/g)].map(([, command, paged]) => `${service} ${command ?? paged}`),
  );
  const methods = [...text.matchAll(/\.(\w+)\(/g)].flatMap(([, name = '']) =>
    ATHENA_METHODS.has(name) ? [`athena ${name.charAt(0).toUpperCase()}${name.slice(1)}`] : [],
  );
  return [...commands, ...methods];
}

const ATHENA_METHODS = new Set(
  Object.getOwnPropertyNames(Athena.prototype).filter((name) => !/^(constructor|destroy|send|paginate|waitUntil)/.test(name)),
);

describe('An invalid request is refused with its fault, which closing the server throws again, by the loopback', () => {
  const noRows = { execute: async () => ({ rows: [], cost: { ms: 0 } }) };
  const refusal = (fault: string) => expect.objectContaining({ name: 'InvalidRequestException', message: fault });
  const closed = (server: AsyncDisposable): Promise<void> => Promise.resolve(server[Symbol.asyncDispose]());
  const thrown = (fault: string): string => `AWS would refuse requests of this test: ${fault}`;

  test('Athena, also where a failure was planned', async () => {
    const athena = await pocketAthena(noRows);
    athena.failNext('StartQueryExecution', { error: 'TooManyRequestsException' });
    const fault = 'StartQueryExecution.ClientRequestToken is shorter than 32';
    await expect(athena.client.send(new StartQueryExecutionCommand({ ...START, ClientRequestToken: 'x' }))).rejects.toEqual(refusal(fault));
    await expect(athena.client.send(new StartQueryExecutionCommand(START))).rejects.toThrow('TooManyRequestsException');
    await expect(closed(athena)).rejects.toThrow(thrown(fault));
  });

  test('catalog, where nothing is created', async () => {
    const catalog = await openPocketCatalog();
    const fault = 'CreateWorkGroup.Configuration.BytesScannedCutoffPerQuery is less than 10000000';
    await expect(catalog.client.createWorkGroup({ Name: 'x', Configuration: { BytesScannedCutoffPerQuery: 1 } })).rejects.toEqual(refusal(fault));
    expect(catalog.creations).toEqual([]);
    await expect(closed(catalog)).rejects.toThrow(thrown(fault));
  });

  test('S3', async () => {
    const bucket = await pocketBucket(['file']);
    const fault = 'ListObjectsV2.EncodingType is not one of url';
    const list = new ListObjectsV2Command({ Bucket: bucket.name, EncodingType: 'xml' as 'url' });
    await expect(bucket.client().send(list)).rejects.toEqual(expect.objectContaining({ name: 'InvalidArgument', message: fault }));
    await expect(closed(bucket)).rejects.toThrow(thrown(fault));
  });

  test('S3, where a response without a body cannot say it', async () => {
    const bucket = await pocketBucket(['file']);
    const head = new HeadObjectCommand({ Bucket: bucket.name, Key: 'file', ChecksumMode: 'ON' as 'ENABLED' });
    await expect(bucket.client().send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
    await expect(closed(bucket)).rejects.toThrow(thrown('HeadObject.ChecksumMode is not one of ENABLED'));
  });

  test('STS', async () => {
    const sts = await pocketSts({ arn: 'arn:aws:iam::111122223333:user/me' });
    const { hostname = '', port } = (await sts.client.config.endpoint?.()) ?? {};
    const response = await fetch(`http://${hostname}:${port}/`, { method: 'POST', body: 'Action=GetUser&Version=2011-06-15' });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('GetUser is not in the models of sts')]);
    await expect(closed(sts)).rejects.toThrow(thrown('GetUser is not in the models of sts'));
  });
});

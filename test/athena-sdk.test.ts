/** What the AWS SDK sends from the production clients, and to which hosts of AWS. No host is really contacted. */

import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { readLayout } from '../athena/bucket-layout.ts';
import { getCaller } from '../athena/caller.ts';
import { openClients, openClientsWithSts } from '../athena/clients.ts';
import { openAthena } from '../athena/engine.ts';
import { readTable } from '../athena/glue-tables.ts';
import type { RawRow } from '../src/trail/engine.ts';
import { sql } from '../src/trail/sql.ts';
import { s3Faults, stsFaults } from './support/aws-inputs.ts';
import { requestFaults } from './support/aws-requests.ts';

const signal = new AbortController().signal;
const ID = '11112222-3333-4444-5555-666677778888';
const BUCKET = 'example-trail';

/** Everything that the SDK reads settings from, so that the settings of this machine do not count. */
const NOTHING_SET = {
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PROFILE: undefined,
  AWS_DEFAULT_REGION: undefined,
  AWS_ENDPOINT_URL: undefined,
  AWS_ENDPOINT_URL_ATHENA: undefined,
  AWS_ENDPOINT_URL_S3: undefined,
  AWS_USE_FIPS_ENDPOINT: undefined,
  AWS_MAX_ATTEMPTS: undefined,
  AWS_RETRY_MODE: undefined,
  AWS_SESSION_TOKEN: undefined,
};
const KEY = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

/** Requests to hosts that a test did not expect. They are counted because the SDK may retry after the failure. */
const strays: string[] = [];
const stray = ({ method, url }: Request): void => void strays.push(`${method} ${url}`);

/** What AWS would refuse in the requests. */
const faults: string[] = [];

beforeAll(() => {
  nock.disableNetConnect();
  nock.emitter.on('no match', stray);
});
beforeEach(() => {
  for (const [name, value] of Object.entries({ ...NOTHING_SET, ...KEY, AWS_REGION: 'eu-central-1' })) vi.stubEnv(name, value);
});
afterEach(() => {
  vi.unstubAllEnvs();
  const unasked = nock.pendingMocks();
  nock.cleanAll();
  expect({ unasked, strays: strays.splice(0), faults: faults.splice(0) }).toEqual({ unasked: [], strays: [], faults: [] });
});
afterAll(() => {
  nock.emitter.off('no match', stray);
  nock.restore();
  nock.enableNetConnect();
});

/** A request to Athena as it was sent. */
interface Sent {
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

type Reply = readonly [status: number, body: object] | 'reset';

/** An Athena host that gives these replies to one operation, in order, and records the requests. */
function athenaAt(host: string, operation: string, ...replies: readonly Reply[]): Sent[] {
  const sent: Sent[] = [];
  for (const reply of replies) {
    nock(`https://${host}`)
      .post('/')
      .matchHeader('x-amz-target', `AmazonAthena.${operation}`)
      .reply(async (request: Request) => {
        const input = z.record(z.string(), z.unknown()).parse(await request.json());
        sent.push({ headers: request.headers, body: input });
        faults.push(...requestFaults('athena', operation, input));
        if (reply === 'reset') throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
        const [status, body] = reply;
        return [status, body, { 'content-type': 'application/x-amz-json-1.1' }];
      });
  }
  return sent;
}

/** Replies for a started query with one row. */
function succeedsAt(host: string): void {
  const execution = { QueryExecutionId: ID, SubstatementType: 'SELECT', Status: { State: 'SUCCEEDED' }, Statistics: { DataScannedInBytes: 7 } };
  const rows = ['one', '1'].map((VarCharValue) => ({ Data: [{ VarCharValue }] }));
  athenaAt(host, 'GetQueryExecution', [200, { QueryExecution: execution }]);
  athenaAt(host, 'GetQueryResults', [200, { ResultSet: { ResultSetMetadata: { ColumnInfo: [{ Name: 'one', Type: 'integer' }] }, Rows: rows } }]);
}

const STARTED: Reply = [200, { QueryExecutionId: ID }];

/** Runs a query as in production. */
async function ask(): Promise<readonly RawRow[]> {
  const clients = openClients(AS_USUAL);
  onTestFinished(() => clients.close());
  const extent = () => Promise.reject(new Error('Nobody asks for it'));
  const engine = openAthena({ client: clients.athena, database: 'trailbot', workGroup: 'trailbot', extent, clock: () => new Date(0), pollMs: 1 });
  const { rows } = await engine.execute(sql`select 1 as one where 'x' = ${'x'}`, { signal });
  await engine.close();
  return rows;
}

/** `Credential=KEY/20261121/REGION/SERVICE/aws4_request`: the scope of a signature. */
const signedFor = ({ headers }: { readonly headers: Headers }): string | undefined =>
  /^AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/([^/]+\/[^/]+)\/aws4_request, /.exec(headers.get('authorization') ?? '')?.[1];

describe('Requests to Athena go', () => {
  test.each([
    ['eu-central-1', 'athena.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'athena.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'athena.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'athena.eusc-de-east-1.amazonaws.eu'],
  ])('to AWS_REGION, such as %s at %s, with a signature for that region', async (region, host) => {
    vi.stubEnv('AWS_REGION', region);
    const starts = athenaAt(host, 'StartQueryExecution', STARTED);
    succeedsAt(host);
    expect(await ask()).toEqual([{ one: '1' }]);
    expect(starts.map(signedFor)).toEqual([`${region}/athena`]);
    expect(starts.map(({ headers }) => headers.get('content-type'))).toEqual(['application/x-amz-json-1.1']);
  });

  test('to the FIPS hosts when FIPS is set', async () => {
    vi.stubEnv('AWS_REGION', 'us-gov-west-1');
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    const starts = athenaAt('athena-fips.us-gov-west-1.amazonaws.com', 'StartQueryExecution', STARTED);
    succeedsAt('athena-fips.us-gov-west-1.amazonaws.com');
    expect(await ask()).toEqual([{ one: '1' }]);
    expect(starts.map(signedFor)).toEqual(['us-gov-west-1/athena']);
  });

  test('nowhere useful when a page answers, and the error names the operation', async () => {
    const pages = nock('https://athena.eu-central-1.amazonaws.com')
      .persist()
      .post('/')
      .reply(500, '<!doctype html><title>500 Internal Server Error</title>', { 'content-type': 'text/html' });
    const clients = openClients(AS_USUAL);
    onTestFinished(() => clients.close());
    await expect(readTable(clients.athena, 'trailbot', 'cloudtrail', 'trailbot', signal)).rejects.toThrow(
      'The answer to GetTableMetadata is a page instead of data: it is from a proxy, or from a host that is not AWS’s and does not have GetTableMetadata. Check HTTPS_PROXY and AWS_ENDPOINT_URL; without them, trailbot asks AWS in eu-central-1.',
    );
    expect(pages.isDone()).toBe(true);
  });

  test('out with the statement, its values, a token and the workgroup', async () => {
    const host = 'athena.eu-central-1.amazonaws.com';
    const starts = athenaAt(host, 'StartQueryExecution', STARTED);
    succeedsAt(host);
    await ask();
    expect(starts[0]?.body).toEqual({
      QueryString: "select 1 as one where 'x' = ?",
      ExecutionParameters: ["'x'"],
      ClientRequestToken: expect.stringMatching(/^[0-9a-f]{64}$/),
      QueryExecutionContext: { Database: 'trailbot' },
      WorkGroup: 'trailbot',
    });
  });

  test('out with the session token of a role, and without one for a user’s access key', async () => {
    const host = 'athena.eu-central-1.amazonaws.com';
    const starts = athenaAt(host, 'StartQueryExecution', STARTED, STARTED);
    succeedsAt(host);
    await ask();
    vi.stubEnv('AWS_SESSION_TOKEN', 'example-session-token');
    succeedsAt(host);
    await ask();
    expect(starts.map(({ headers }) => headers.get('x-amz-security-token'))).toEqual([null, 'example-session-token']);
    expect(starts[1]?.headers.get('authorization')).toMatch(/SignedHeaders=[a-z0-9;-]*x-amz-security-token/);
  });
});

describe('A start without a response is sent again with the same token, so that the query runs once,', () => {
  const host = 'athena.eu-central-1.amazonaws.com';

  test.each<[string, ...Reply[]]>([
    ['a 503', [503, { __type: 'ServiceUnavailableException', message: 'Service unavailable' }]],
    ['trouble inside of Athena', [500, { __type: 'InternalServerException', Message: 'Internal failure' }]],
    ['a connection that was reset', 'reset'],
    ['two of these', [503, {}], 'reset'],
  ])('after %s', async (_, ...troubles) => {
    const starts = athenaAt(host, 'StartQueryExecution', ...troubles, STARTED);
    succeedsAt(host);
    expect(await ask()).toEqual([{ one: '1' }]);
    expect(starts.map(({ headers }) => headers.get('amz-sdk-request'))).toEqual([...troubles, STARTED].map((_, i) => `attempt=${i + 1}; max=3`));
    expect(new Set(starts.map(({ body }) => body.ClientRequestToken)).size).toBe(1);
  });

  test('but the same question asked again is a new query', async () => {
    const starts = athenaAt(host, 'StartQueryExecution', STARTED, STARTED);
    succeedsAt(host);
    await ask();
    succeedsAt(host);
    await ask();
    expect(new Set(starts.map(({ body }) => body.ClientRequestToken)).size).toBe(2);
  });
});

const FOLDERS = [
  'AWSLogs/111122223333/',
  'AWSLogs/111122223333/CloudTrail/',
  'AWSLogs/111122223333/CloudTrail/eu-central-1/',
  'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/',
  'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/',
  'AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/20/',
];
const AS_USUAL = { forcePathStyle: false, paysRequests: false };
const XML = { 'content-type': 'application/xml' };

/** A bucket host that lists these folders and records the requests. */
function bucketAt(host: string): Request[] {
  const sent: Request[] = [];
  nock(`https://${host}`)
    .persist()
    .get('/')
    .query(true)
    .reply((request: Request) => {
      sent.push(request);
      const { searchParams } = new URL(request.url);
      faults.push(...s3Faults('ListObjectsV2', { bucket: BUCKET, key: '', parameters: searchParams, headers: request.headers }));
      const prefix = searchParams.get('prefix') ?? '';
      // Without a delimiter, a list of the first file.
      if (!searchParams.has('delimiter')) {
        const file = `${FOLDERS.at(-1)}file.json.gz`;
        return [200, `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>${file}</Key></Contents></ListBucketResult>`, XML];
      }
      const folders = FOLDERS.filter((folder) => folder.startsWith(prefix) && folder.slice(prefix.length).split('/').length === 2);
      const entries = folders.map((folder) => `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`);
      return [200, `<ListBucketResult><EncodingType>url</EncodingType>${entries.join('')}</ListBucketResult>`, XML];
    });
  return sent;
}

/** Finds the root of the trail in the bucket, as in production. */
async function look(): Promise<string> {
  const clients = openClients(AS_USUAL);
  onTestFinished(() => clients.close());
  const { root, firstDay } = await readLayout({ s3: clients.s3, bucket: BUCKET, prefix: '', today: new Date('2026-11-21T00:00:00Z'), signal });
  return `${root} since ${firstDay}`;
}

const FOUND = `s3://${BUCKET}/AWSLogs/ since 2026/11/20`;

describe('Requests to S3 go', () => {
  test.each([
    ['eu-central-1', `${BUCKET}.s3.eu-central-1.amazonaws.com`],
    ['us-east-1', `${BUCKET}.s3.us-east-1.amazonaws.com`],
    ['us-gov-west-1', `${BUCKET}.s3.us-gov-west-1.amazonaws.com`],
    ['cn-north-1', `${BUCKET}.s3.cn-north-1.amazonaws.com.cn`],
  ])('in %s to the host of the bucket, %s, for URL-encoded names', async (region, host) => {
    vi.stubEnv('AWS_REGION', region);
    const lists = bucketAt(host);
    expect(await look()).toBe(FOUND);
    expect(new Set(lists.map(signedFor))).toEqual(new Set([`${region}/s3`]));
    expect(lists.length).toBeGreaterThan(3);
    for (const { url } of lists) expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({ 'list-type': '2', 'encoding-type': 'url' });
  });

  test('nowhere else when the bucket is in another region, which the error names', async () => {
    const moved = '<Error><Code>PermanentRedirect</Code><Message>The bucket must be addressed using the specified endpoint.</Message></Error>';
    nock(`https://${BUCKET}.s3.eu-central-1.amazonaws.com`)
      .persist()
      .intercept(/^[/]/, 'GET')
      .reply(301, moved, { ...XML, 'x-amz-bucket-region': 'ap-southeast-2' });
    await expect(look()).rejects.toThrow('AWS_REGION=ap-southeast-2');
  });

  test('with the bucket in the path, and as the one who pays, where the settings say so', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://bucket.example');
    const sent: Request[] = [];
    nock('http://bucket.example')
      .get(`/${BUCKET}/`)
      .query(true)
      .reply((request: Request) => {
        sent.push(request);
        return [200, '<ListBucketResult><EncodingType>url</EncodingType></ListBucketResult>', XML];
      });
    const clients = openClients({ forcePathStyle: true, paysRequests: true });
    onTestFinished(() => clients.close());
    await clients.s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'AWSLogs/' }));
    expect(sent.map(({ headers }) => headers.get('x-amz-request-payer'))).toEqual(['requester']);
  });

  test('nowhere useful when a page answers, which the error says', async () => {
    nock(`https://${BUCKET}.s3.eu-central-1.amazonaws.com`)
      .persist()
      .get('/')
      .query(true)
      .reply(200, '<!DOCTYPE html><html><p>Sign in</html>', { 'content-type': 'text/html' });
    await expect(look()).rejects.toThrow('answered with a page instead of data');
  });

  test('out again after throttling', async () => {
    const host = `${BUCKET}.s3.eu-central-1.amazonaws.com`;
    const slower = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
    nock(`https://${host}`).get('/').query(true).reply(503, slower, XML);
    const lists = bucketAt(host);
    expect(await look()).toBe(FOUND);
    expect(lists[0]?.headers.get('amz-sdk-request')).toBe('attempt=2; max=3');
  });
});

describe('Requests to STS go', () => {
  test.each([
    ['eu-west-1', 'sts.eu-west-1.amazonaws.com', 'aws'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com', 'aws-us-gov'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn', 'aws-cn'],
  ])('to the given region, such as %s at %s, and not to AWS_REGION', async (region, host, partition) => {
    const asked: Request[] = [];
    const arn = `arn:${partition}:sts::111122223333:assumed-role/trailbot/example`;
    const result = `<GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AROAEXAMPLE:example</UserId><Account>111122223333</Account></GetCallerIdentityResult>`;
    nock(`https://${host}`)
      .post('/', /Action=GetCallerIdentity/)
      .reply(async (request: Request) => {
        asked.push(request);
        faults.push(...stsFaults(await request.text()));
        return [200, `<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>`, { 'content-type': 'text/xml' }];
      });
    const clients = openClientsWithSts(AS_USUAL, region);
    onTestFinished(() => clients.close());
    expect(await getCaller(clients.sts, signal)).toEqual({ account: '111122223333', partition, arn });
    expect(asked.map(signedFor)).toEqual([`${region}/sts`]);
  });
});

/**
 * A loopback S3 with one bucket. `emulate` (0.12.2) has one too, but it ignores max-keys for folders, leaves them out of KeyCount,
 * ignores encoding-type and the conditions of writes, sorts by locale, never denies or redirects, and needs a request per file. Tests
 * with an organization's folders, and with state in S3, need all of that. It checks requests against AWS's models.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { s3Faults } from './aws-inputs.ts';
import { throwFaults } from './aws-requests.ts';

/** A list request, the number of entries in its response, and whether there were more. */
interface Listing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly token: string | null;
  readonly keyCount: number;
  readonly truncated: boolean;
}

/** Behavior of the bucket. */
interface Behavior {
  readonly name?: string;
  readonly region?: string;
  /** True when the policy allows listing a prefix. */
  allows?(prefix: string): boolean;
  /** True when S3 throttles the list request. */
  slows?(prefix: string): boolean;
  /** True when a list request gets no response. */
  withholds?(prefix: string): boolean;
  /** True for a bucket that can be written to. Default: false. */
  readonly isWritable?: boolean;
  /** What goes wrong with a write: two of them meet, or its answer is lost. */
  failsToWrite?(file: string): 'conflict' | 'lost' | undefined;
  /** Other buckets, and their files. */
  readonly others?: Readonly<Record<string, readonly string[]>>;
  /** The region of a bucket, if it is not that of this one. */
  readonly regions?: Readonly<Record<string, string>>;
  /** The account that owns the bucket. */
  readonly owner?: string;
  /** ARN of the KMS key of a file. */
  keyOf?(file: string): string | undefined;
  /** Content and time of a file. */
  content?(file: string): Buffer;
  writtenAt?(file: string): Date;
  /** The storage class of a file. Default: STANDARD. */
  classOf?(file: string): string;
  /** The denied action when a file is read: s3:GetObject or kms:Decrypt. */
  denies?(file: string): string | undefined;
}

export interface PocketBucket extends AsyncDisposable {
  readonly name: string;
  /** All list requests, in order. */
  readonly listings: readonly Listing[];
  /** The files of all HEAD requests that were answered, in order. */
  readonly heads: readonly string[];
  /** The number of open requests, now and at most. */
  readonly openNow: number;
  readonly maxConcurrentLists: number;
  /** A client of the real SDK, by default with the bucket's region and valid credentials. */
  client(config?: S3ClientConfig): S3Client;
}

const ACCEPTED = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

/** Region and credentials of the bucket, for a client that takes them from the environment. */
export const BUCKET_ENV = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: ACCEPTED.accessKeyId,
  AWS_SECRET_ACCESS_KEY: ACCEPTED.secretAccessKey,
} as const;

/** Opens a bucket with these files in it. */
export async function pocketBucket(files: Iterable<string>, behavior: Behavior = {}): Promise<PocketBucket> {
  const { name = 'example-trail', region = 'eu-central-1', allows = () => true, slows = () => false, withholds = () => false } = behavior;
  const {
    owner = '111122223333',
    keyOf = () => undefined,
    content = () => Buffer.from('?'),
    writtenAt,
    denies = () => undefined,
    classOf = () => 'STANDARD',
    others = {},
    regions = {},
    isWritable = false,
    failsToWrite = () => undefined,
  } = behavior;
  const own = [...new Set(files)].sort();
  const written = new Map<string, WrittenFile>();
  const contentOf = (file: string): Buffer => written.get(file)?.content ?? content(file);
  const listings: Listing[] = [];
  const heads: string[] = [];
  const faults: string[] = [];
  const clients: S3Client[] = [];
  const open = { now: 0, most: 0 };

  const server = createServer(async (request, response) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    response.once('close', () => {
      open.now -= 1;
    });
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, bucket = '', ...path] = url.pathname.split('/').map(decodeURIComponent);
    const file = path.join('/');
    const parameters = url.searchParams;
    // AWS4-HMAC-SHA256 Credential=AKIA…/20260501/eu-central-1/s3/aws4_request, …
    const [, key, , signedFor] = /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\//.exec(request.headers.authorization ?? '') ?? [];
    const isList = file === '' && request.method === 'GET' && parameters.get('list-type') === '2';
    const operation = isList ? 'ListObjectsV2' : OPERATIONS[request.method ?? ''];
    if (operation === undefined || (!isList && file === '') || (WRITES.has(operation) && !isWritable)) {
      return refuse(response, 501, 'NotImplemented', 'Only list and read requests are implemented here.');
    }
    const sent = await buffer(request);
    const headers = new Headers(request.headers as Record<string, string>);
    const found = s3Faults(operation, { bucket, key: file, parameters, headers });
    faults.push(...found);
    if (found.length > 0) return refuse(response, 400, 'InvalidArgument', found.join('; '));
    if (key !== ACCEPTED.accessKeyId) return refuse(response, 403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist.');
    const keys = bucket === name ? own : others[bucket]?.toSorted();
    if (!keys) return refuse(response, 404, 'NoSuchBucket', 'The specified bucket does not exist');
    const there = regions[bucket] ?? region;
    // S3 has two responses to requests in the wrong region, depending on the endpoint.
    if (signedFor !== there && signedFor === 'us-east-1') {
      const message = `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${there}'`;
      return refuse(response, 400, 'AuthorizationHeaderMalformed', message);
    }
    response.setHeader('x-amz-bucket-region', there);
    if (signedFor !== there) return refuse(response, 301, 'PermanentRedirect', 'The bucket must be addressed using the specified endpoint.');
    if ((request.headers['x-amz-expected-bucket-owner'] ?? owner) !== owner) return refuse(response, 403, 'AccessDenied', 'Access Denied');
    if (operation === 'PutObject') {
      const failure = failsToWrite(file);
      if (failure === 'conflict') return refuse(response, 409, 'ConditionalRequestConflict', 'A conflicting operation is in progress.');
      if (headers.get('if-none-match') === '*' && own.includes(file))
        return refuse(response, 412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
      written.set(file, { content: sent, metadata: [...headers].filter(([name]) => name.startsWith('x-amz-meta-')) });
      if (!own.includes(file)) own.splice(lowerBound(own, file), 0, file);
      if (failure === 'lost') return void response.destroy();
      return void response.writeHead(200, { etag: '"EXAMPLE"' }).end();
    }
    if (operation === 'DeleteObject') {
      if (own.includes(file)) own.splice(own.indexOf(file), 1);
      written.delete(file);
      return void response.writeHead(204).end();
    }
    if (!isList) {
      const denied = denies(file);
      if (denied) return refuse(response, 403, 'AccessDenied', `User is not authorized to perform: ${denied} on resource: "${file}"`);
      if (!keys.includes(file)) return refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
      const body = contentOf(file);
      const kmsKey = keyOf(file);
      if (operation === 'HeadObject') heads.push(file);
      response.writeHead(200, {
        'content-length': body.length,
        ...Object.fromEntries(written.get(file)?.metadata ?? []),
        ...(kmsKey && { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': kmsKey }),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
      return undefined;
    }
    const prefix = parameters.get('prefix') ?? '';
    if (!allows(prefix)) return refuse(response, 403, 'AccessDenied', 'User is not authorized to perform: s3:ListBucket');
    if (slows(prefix)) return refuse(response, 503, 'SlowDown', 'Please reduce your request rate.');
    if (withholds(prefix)) return undefined;

    const delimiter = parameters.get('delimiter') ?? '';
    const maxKeys = Math.min(Number(parameters.get('max-keys') ?? 1000), 1000);
    const token = parameters.get('continuation-token');
    const after = parameters.get('start-after') ?? '';
    const from = token === null ? lowerBound(keys, after === '' ? '' : `${after}\0`) : lowerBound(keys, Buffer.from(token, 'base64').toString());
    const { files, folders, next } = pageOf(keys, { prefix, delimiter, maxKeys, from });
    const keyCount = files.length + folders.length;
    listings.push({ prefix, delimiter, maxKeys, token, keyCount, truncated: next !== undefined });
    const encodeName = parameters.get('encoding-type') === 'url' ? encoded : escaped;
    const elements = [
      element('Name', bucket),
      element('Prefix', encodeName(prefix)),
      token === null && after !== '' ? element('StartAfter', encodeName(after)) : '',
      token === null ? '' : element('ContinuationToken', token),
      // The token is the first key of the next page. Tokens of S3 are opaque.
      next === undefined ? '' : element('NextContinuationToken', Buffer.from(next).toString('base64')),
      element('KeyCount', keyCount),
      element('MaxKeys', maxKeys),
      delimiter === '' ? '' : element('Delimiter', encodeName(delimiter)),
      parameters.get('encoding-type') === 'url' ? element('EncodingType', 'url') : '',
      element('IsTruncated', next !== undefined),
      ...files.map((each) => {
        const written = writtenAt ? element('LastModified', writtenAt(each).toISOString()) : '';
        const size = element('Size', contentOf(each).length);
        return element('Contents', `${element('Key', encodeName(each))}${written}${size}${element('StorageClass', classOf(each))}`);
      }),
      ...folders.map((folder) => element('CommonPrefixes', element('Prefix', encodeName(folder)))),
    ];
    answer(response, 200, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${elements.join('')}</ListBucketResult>`);
    return undefined;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    name,
    listings,
    heads,
    get openNow() {
      return open.now;
    },
    get maxConcurrentLists() {
      return open.most;
    },
    client(config = {}) {
      const client = new S3Client({ endpoint, forcePathStyle: true, region, credentials: ACCEPTED, ...config });
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      throwFaults(faults);
    },
  };
}

interface WrittenFile {
  readonly content: Buffer;
  readonly metadata: readonly (readonly [name: string, value: string])[];
}

/** The operations on a file, by HTTP method. */
const OPERATIONS: Readonly<Record<string, Parameters<typeof s3Faults>[0]>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};
const WRITES: ReadonlySet<string> = new Set(['PutObject', 'DeleteObject']);

/** A page of the keys below a prefix. With a delimiter, keys with the same text up to it are one entry, a folder. */
function pageOf(
  keys: readonly string[],
  { prefix, delimiter, maxKeys, from }: { readonly prefix: string; readonly delimiter: string; readonly maxKeys: number; readonly from: number },
): { readonly files: string[]; readonly folders: string[]; readonly next: string | undefined } {
  const files: string[] = [];
  const folders: string[] = [];
  let at = Math.max(from, lowerBound(keys, prefix));
  for (let key = keys[at]; key?.startsWith(prefix); key = keys[at]) {
    if (files.length + folders.length === maxKeys) return { files, folders, next: key };
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0) {
      files.push(key);
      at += 1;
    } else {
      const folder = key.slice(0, end + delimiter.length);
      folders.push(folder);
      at = lowerBound(keys, `${folder}\u{ffff}`);
    }
  }
  return { files, folders, next: undefined };
}

/** Index of the first key that does not sort before `text`. */
function lowerBound(keys: readonly string[], text: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

const refuse = (response: ServerResponse, status: number, code: string, message: string): void =>
  answer(response, status, element('Error', `${element('Code', code)}${element('Message', message)}${element('RequestId', 'EXAMPLE')}`));

function answer(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'x-amz-request-id': 'EXAMPLE' });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
}

const element = (name: string, content: string | number | boolean): string => `<${name}>${content}</${name}>`;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
/** Encodes a name as S3 does with encoding-type=url: everything but slashes, and a space is a plus. */
const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+');

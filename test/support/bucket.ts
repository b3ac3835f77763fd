/**
 * A pocket S3 on loopback: one bucket, and of S3's calls those that list and read. `emulate` (0.12.2) has them too, but gives all
 * folders on one page whatever max-keys says, counts none of them in KeyCount, leaves encoding-type unheeded, sorts by locale, and
 * neither refuses nor redirects; and every file must be put there by a request. An organization's folders need all of that.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** A request as it came, and what it was given: how many entries, and whether there was more. */
interface Listing {
  readonly prefix: string;
  readonly delimiter: string;
  readonly maxKeys: number;
  readonly token: string | null;
  readonly keyCount: number;
  readonly truncated: boolean;
}

/** How the bucket behaves. */
interface Manner {
  readonly name?: string;
  readonly region?: string;
  /** Whether a policy allows to list a prefix. */
  allows?(prefix: string): boolean;
  /** Whether S3 asks for fewer requests instead of listing a prefix. */
  slows?(prefix: string): boolean;
  /** Whether a listing is left without an answer, for as long as the client waits. */
  withholds?(prefix: string): boolean;
  /** The account that the bucket belongs to. */
  readonly owner?: string;
  /** ARN of the KMS key that its files are encrypted with. */
  readonly key?: string;
  /** What a file holds, and when it was written. */
  content?(file: string): Buffer;
  writtenAt?(file: string): Date;
  /** The action that a policy denies to whoever reads a file: s3:GetObject or kms:Decrypt. */
  denies?(file: string): string | undefined;
}

export interface PocketBucket extends AsyncDisposable {
  readonly name: string;
  /** What was listed, in the order of the requests. */
  readonly listings: readonly Listing[];
  /** Requests that are open now, and the most that were open at once. */
  readonly openNow: number;
  readonly atOnce: number;
  /** A client of the real SDK, in the bucket's region and with credentials that are accepted, unless told otherwise. */
  client(config?: S3ClientConfig): S3Client;
}

const ACCEPTED = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };

/** Opens a bucket with these files in it. */
export async function pocketBucket(files: Iterable<string>, manner: Manner = {}): Promise<PocketBucket> {
  const { name = 'example-trail', region = 'eu-central-1', allows = () => true, slows = () => false, withholds = () => false } = manner;
  const { owner = '111122223333', key: kmsKey, content = () => Buffer.from('?'), writtenAt, denies = () => undefined } = manner;
  const keys = [...new Set(files)].sort();
  const listings: Listing[] = [];
  const clients: S3Client[] = [];
  const open = { now: 0, most: 0 };

  const server = createServer((request, response) => {
    open.now += 1;
    open.most = Math.max(open.most, open.now);
    response.once('close', () => {
      open.now -= 1;
    });
    const url = new URL(request.url ?? '/', 'http://localhost');
    const [, bucket = '', ...path] = url.pathname.split('/').map(decodeURIComponent);
    const file = path.join('/');
    const asked = url.searchParams;
    // AWS4-HMAC-SHA256 Credential=AKIA…/20260501/eu-central-1/s3/aws4_request, …
    const [, key, , signedFor] = /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\//.exec(request.headers.authorization ?? '') ?? [];
    const isList = file === '' && request.method === 'GET' && asked.get('list-type') === '2';
    if (!isList && (file === '' || !['GET', 'HEAD'].includes(request.method ?? ''))) {
      return refuse(response, 501, 'NotImplemented', 'I can only list and read.');
    }
    if (key !== ACCEPTED.accessKeyId) return refuse(response, 403, 'InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist.');
    if (bucket !== name) return refuse(response, 404, 'NoSuchBucket', 'The specified bucket does not exist');
    // S3 has two answers to whoever asks in another region; which one it gives is a matter of the endpoint.
    if (signedFor !== region && signedFor === 'us-east-1') {
      const message = `The authorization header is malformed; the region '${signedFor}' is wrong; expecting '${region}'`;
      return refuse(response, 400, 'AuthorizationHeaderMalformed', message);
    }
    response.setHeader('x-amz-bucket-region', region);
    if (signedFor !== region) return refuse(response, 301, 'PermanentRedirect', 'The bucket must be addressed using the specified endpoint.');
    if ((request.headers['x-amz-expected-bucket-owner'] ?? owner) !== owner) return refuse(response, 403, 'AccessDenied', 'Access Denied');
    if (!isList) {
      const denied = denies(file);
      if (denied) return refuse(response, 403, 'AccessDenied', `User is not authorized to perform: ${denied} on resource: "${file}"`);
      if (!keys.includes(file)) return refuse(response, 404, 'NoSuchKey', 'The specified key does not exist.');
      const body = content(file);
      response.writeHead(200, {
        'content-length': body.length,
        ...(kmsKey && { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': kmsKey }),
      });
      response.end(request.method === 'HEAD' ? undefined : body);
      return undefined;
    }
    const prefix = asked.get('prefix') ?? '';
    if (!allows(prefix)) return refuse(response, 403, 'AccessDenied', 'User is not authorized to perform: s3:ListBucket');
    if (slows(prefix)) return refuse(response, 503, 'SlowDown', 'Please reduce your request rate.');
    if (withholds(prefix)) return undefined;

    const delimiter = asked.get('delimiter') ?? '';
    const maxKeys = Math.min(Number(asked.get('max-keys') ?? 1000), 1000);
    const token = asked.get('continuation-token');
    const after = asked.get('start-after') ?? '';
    const from = token === null ? lowerBound(keys, after === '' ? '' : `${after}\0`) : lowerBound(keys, Buffer.from(token, 'base64').toString());
    const { files, folders, next } = pageOf(keys, { prefix, delimiter, maxKeys, from });
    const keyCount = files.length + folders.length;
    listings.push({ prefix, delimiter, maxKeys, token, keyCount, truncated: next !== undefined });
    const shown = asked.get('encoding-type') === 'url' ? encoded : escaped;
    const elements = [
      element('Name', name),
      element('Prefix', shown(prefix)),
      token === null && after !== '' ? element('StartAfter', shown(after)) : '',
      token === null ? '' : element('ContinuationToken', token),
      // S3's tokens cannot be read; this one is the key where the next page begins.
      next === undefined ? '' : element('NextContinuationToken', Buffer.from(next).toString('base64')),
      element('KeyCount', keyCount),
      element('MaxKeys', maxKeys),
      delimiter === '' ? '' : element('Delimiter', shown(delimiter)),
      asked.get('encoding-type') === 'url' ? element('EncodingType', 'url') : '',
      element('IsTruncated', next !== undefined),
      ...files.map((each) => {
        const written = writtenAt ? element('LastModified', writtenAt(each).toISOString()) : '';
        const size = element('Size', content(each).length);
        return element('Contents', `${element('Key', shown(each))}${written}${size}${element('StorageClass', 'STANDARD')}`);
      }),
      ...folders.map((folder) => element('CommonPrefixes', element('Prefix', shown(folder)))),
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
    get openNow() {
      return open.now;
    },
    get atOnce() {
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
    },
  };
}

/** A page of the keys below a prefix. With a delimiter, all that share what stands before it are one entry, a folder. */
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

/** Where the first key stands that is not before `text`. */
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
/** As S3 encodes a name when asked to: all but slashes, and a space is a plus. */
const encoded = (text: string): string => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+');

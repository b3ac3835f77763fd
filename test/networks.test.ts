/** Trusted networks and AWS's ranges, fetched from a server on loopback and cached in a folder. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { jsonFile } from '../src/state/json-file.ts';
import { openNetworks } from '../src/state/networks.ts';
import { DisposalStack } from './support/disposal-stack.ts';

const MORNING = '2026-05-02T06:00:00Z';
const EVENING = '2026-05-02T22:00:00Z';
const NEXT_DAY = '2026-05-03T06:00:00Z';

const ranges = (createDate: string, ...prefixes: readonly string[]) =>
  JSON.stringify({
    syncToken: '1777701600',
    createDate,
    prefixes: prefixes.map((ip_prefix) => ({ ip_prefix, region: 'eu-central-1', service: 'EC2', network_border_group: 'eu-central-1' })),
    ipv6_prefixes: [{ ipv6_prefix: '2001:db8:1200::/40', region: 'eu-central-1', service: 'S3', network_border_group: 'eu-central-1' }],
  });
const MAY_1 = ranges('2026-05-01-21-03-10', '198.51.100.128/25', '198.51.100.128/25', '192.0.2.7/32');
const MAY_3 = ranges('2026-05-03-01-00-00', '203.0.113.0/24');

/** The server's next response. A body of undefined is never finished. */
type Reply = { readonly status?: number; readonly body: string | undefined };

/** A server instead of AWS's, and a folder for the cache. */
async function awsAt(first: Reply) {
  const stack = new DisposalStack();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-networks-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  let reply = first;
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json' });
    if (reply.body === undefined) response.write('{');
    else response.end(reply.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ip-ranges.json`;
  const file = join(folder, 'store', 'aws-ranges.json');
  return {
    url,
    file,
    respondWith: (next: Reply) => {
      reply = next;
    },
    requests: () => requests,
    /** The addresses for a process that starts at that time. */
    aws: (now: string, awsRanges = url, more = {}) =>
      openNetworks({ trusted: [], awsRanges, cache: jsonFile(file), clock: () => new Date(now), ...more }).aws(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('AWS’s addresses', () => {
  test('are those of its IPv4 and IPv6 ranges', async () => {
    await using at = await awsAt({ body: MAY_1 });
    const aws = await at.aws(MORNING);
    expect(aws).toMatchObject({ asOf: '2026-05-01T21:03:10Z', fault: null });
    const addresses = ['198.51.100.128', '198.51.100.255', '192.0.2.7', '2001:db8:12ff::1', '2001:DB8:1200:0:0::9'];
    expect(addresses.filter((each) => !aws.has(each))).toEqual([]);
    const others = ['198.51.100.127', '192.0.2.8', '2001:db8:1300::1', '2001:db8::', '', 'AWS Internal', 's3.amazonaws.com', '198.51.100.128/32'];
    expect(others.filter((each) => aws.has(each))).toEqual([]);
  });

  test('are fetched once a day, also for other processes', async () => {
    await using at = await awsAt({ body: MAY_1 });
    await at.aws(MORNING);
    at.respondWith({ body: MAY_3 });
    expect(await at.aws(EVENING)).toMatchObject({ asOf: '2026-05-01T21:03:10Z', fault: null });
    expect(at.requests()).toBe(1);
    const later = await at.aws(NEXT_DAY);
    expect(later).toMatchObject({ asOf: '2026-05-03T01:00:00Z', fault: null });
    expect([later.has('203.0.113.9'), later.has('192.0.2.7')]).toEqual([true, false]);
    expect(at.requests()).toBe(2);
  });

  test.each([
    ['returns an error', { status: 500, body: 'oops' }, 'answered with status 500'],
    ['has other JSON', { body: '{"prefixes":[]}' }, 'is not AWS’s ip-ranges.json'],
    ['has no ranges', { body: ranges('2026-05-03-01-00-00') }, 'is not AWS’s ip-ranges.json'],
    ['has an invalid range', { body: ranges('2026-05-03-01-00-00', 'everywhere') }, 'is not AWS’s ip-ranges.json'],
    ['is an HTML page', { body: '<html>Sign in to the proxy</html>' }, 'is not AWS’s ip-ranges.json'],
  ])('are the cached ones when their source %s, and none without a cache', async (_, broken, why) => {
    await using at = await awsAt({ body: MAY_1 });
    await at.aws(MORNING);
    at.respondWith(broken);
    const old = await at.aws(NEXT_DAY);
    expect(old).toMatchObject({ asOf: '2026-05-01T21:03:10Z', fault: { source: at.url, why } });
    expect(old.has('192.0.2.7')).toBe(true);
    await rm(at.file);
    const none = await at.aws(NEXT_DAY);
    expect(none).toMatchObject({ asOf: null, fault: { source: at.url, why } });
    expect(none.has('192.0.2.7')).toBe(false);
    at.respondWith({ body: MAY_3 });
    expect(await at.aws(NEXT_DAY)).toMatchObject({ asOf: '2026-05-03T01:00:00Z', fault: null });
  });

  test('are not waited for longer than the timeout', async () => {
    await using at = await awsAt({ body: undefined });
    const fault = { why: 'did not answer within 0.05 seconds' };
    expect(await at.aws(MORNING, at.url, { timeoutMs: 50 })).toMatchObject({ asOf: null, fault });
    at.respondWith({ body: MAY_1 });
    await at.aws(MORNING);
    at.respondWith({ body: undefined });
    expect(await at.aws(NEXT_DAY, at.url, { timeoutMs: 50 })).toMatchObject({ asOf: '2026-05-01T21:03:10Z', fault });
  });

  test('are unknown when their host cannot be reached', async () => {
    await using at = await awsAt({ body: MAY_1 });
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(await at.aws(MORNING, `http://127.0.0.1:${port}/`)).toMatchObject({ asOf: null, fault: { why: 'could not be read (ECONNREFUSED)' } });
  });

  test('are fetched again when the cache is from another source or damaged', async () => {
    await using at = await awsAt({ body: MAY_1 });
    await at.aws(MORNING);
    await at.aws(EVENING, `${at.url}?mirror`);
    expect(at.requests()).toBe(2);
    await writeFile(at.file, '{"source":"');
    expect(await at.aws(EVENING)).toMatchObject({ fault: null });
    expect(at.requests()).toBe(3);
  });

  test('are returned even when they cannot be cached', async () => {
    await using at = await awsAt({ body: MAY_1 });
    const cache = { ...jsonFile(at.file), write: () => Promise.reject(new Error('read-only file system')) };
    const aws = await openNetworks({ trusted: [], awsRanges: at.url, cache, clock: () => new Date(MORNING) }).aws();
    expect([aws.has('192.0.2.7'), aws.fault]).toEqual([true, null]);
  });

  test('are read from a file each time when AWS_RANGES is a path', async () => {
    await using at = await awsAt({ body: undefined });
    const copy = `${at.file}.copy`;
    expect(await at.aws(MORNING, copy)).toMatchObject({ asOf: null, fault: { source: copy, why: 'could not be read (ENOENT)' } });
    await jsonFile(copy).write(JSON.parse(MAY_1));
    expect((await at.aws(MORNING, copy)).has('192.0.2.7')).toBe(true);
    await jsonFile(copy).write(JSON.parse(MAY_3));
    expect(await at.aws(MORNING, copy)).toMatchObject({ asOf: '2026-05-03T01:00:00Z' });
    expect(at.requests()).toBe(0);
  });
});

test('The trusted networks are the addresses and ranges of TRUSTED_CIDRS', async () => {
  const open = (...cidrs: string[]) => openNetworks({ trusted: cidrs, awsRanges: '', cache: jsonFile(''), clock: () => new Date(MORNING) }).trusted;
  const trusted = open('203.0.113.7/24', '198.51.100.7', '2001:db8:aa00::/39', '2001:db8::1');
  const addresses = ['203.0.113.0', '203.0.113.255', '198.51.100.7', '2001:db8:ab00::1', '2001:db8::1'];
  expect(addresses.filter((each) => !trusted?.has(each))).toEqual([]);
  expect(['203.0.112.255', '198.51.100.8', '2001:db8:ac00::1', '2001:db8::2'].filter((each) => trusted?.has(each))).toEqual([]);
  expect(open()).toBeUndefined();
});

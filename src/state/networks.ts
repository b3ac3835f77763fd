/**
 * Which network an IP address belongs to: a trusted one, or AWS, which publishes the ranges of its addresses. The ranges are
 * fetched when a question first needs them, and cached for a day.
 */
import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { AddressSet, Networks } from '../answer/context.ts';
import { DAY_MS } from '../trail/time-window.ts';
import type { JsonFile } from './json-file.ts';

interface NetworkSources {
  /** The trusted addresses and CIDR ranges. */
  readonly trusted: readonly string[];
  /** URL or path of AWS's ip-ranges.json. */
  readonly awsRanges: string;
  /** Keeps fetched ranges. */
  readonly cache: JsonFile;
  readonly clock: () => Date;
  readonly timeoutMs?: number;
}

/** AWS writes 2026-11-19-21-03-10, in UTC (docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html). */
const ipRangesFile = z.object({
  createDate: z
    .string()
    .regex(/^\d{4}(?:-\d\d){5}$/)
    .transform((text) => `${text.slice(0, 10)}T${text.slice(11).replaceAll('-', ':')}Z`),
  prefixes: z.array(z.object({ ip_prefix: z.cidrv4() })).min(1),
  ipv6_prefixes: z.array(z.object({ ipv6_prefix: z.cidrv6() })),
});

const cachedRanges = z.object({ source: z.string(), fetched: z.string(), asOf: z.string(), ranges: z.array(z.union([z.cidrv4(), z.cidrv6()])) });

/** Opens the trusted networks and AWS's. A file of ranges is read each time; fetched ranges are used for a day. */
export function openNetworks({ trusted, awsRanges: source, cache, clock, timeoutMs = 5000 }: NetworkSources): Networks {
  return {
    ...(trusted.length > 0 && { trusted: addressesOf(trusted) }),
    async aws() {
      const now = clock();
      const { data: cached } = cachedRanges.safeParse(await cache.read());
      const old = cached?.source === source ? cached : undefined;
      if (old && now.getTime() - Date.parse(old.fetched) < DAY_MS) return { ...addressesOf(old.ranges), asOf: old.asOf, fault: null };
      try {
        const isFetched = /^https?:/.test(source);
        const { asOf, ranges } = parseIpRanges(isFetched ? await fetchText(source, timeoutMs) : await readFile(source, 'utf8'));
        // Ranges that cannot be cached are fetched again the next time.
        if (isFetched) await cache.write({ source, fetched: now.toISOString(), asOf, ranges }).catch(() => undefined);
        return { ...addressesOf(ranges), asOf, fault: null };
      } catch (error) {
        const fault = { source, why: reasonOf(error, timeoutMs) };
        return old ? { ...addressesOf(old.ranges), asOf: old.asOf, fault } : { ...addressesOf([]), asOf: null, fault };
      }
    },
  };
}

function addressesOf(ranges: readonly string[]): AddressSet {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, familyOf(address)) };
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

function parseIpRanges(text: string): { readonly asOf: string; readonly ranges: readonly string[] } {
  const { createDate, prefixes, ipv6_prefixes } = ipRangesFile.parse(JSON.parse(text));
  const ranges = [...prefixes.map(({ ip_prefix }) => ip_prefix), ...ipv6_prefixes.map(({ ipv6_prefix }) => ipv6_prefix)];
  // AWS lists a range once for each service that uses it.
  return { asOf: createDate, ranges: [...new Set(ranges)] };
}

async function fetchText(url: string, timeoutMs: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  if (!response.ok) throw new HttpStatusError(response.status);
  return response.text();
}

class HttpStatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** Why ranges could not be read, as the rest of a sentence that begins with their source. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof HttpStatusError) return `answered with status ${error.status}`;
  if (error instanceof DOMException && error.name === 'TimeoutError') return `did not answer within ${timeoutMs / 1000} seconds`;
  if (error instanceof SyntaxError || error instanceof z.ZodError) return 'is not AWS’s ip-ranges.json';
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return `could not be read${code ? ` (${code})` : ''}`;
}

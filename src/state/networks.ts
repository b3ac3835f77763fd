/**
 * Whose an address is: of our own networks, or of AWS, which publishes the ranges of its addresses. Those are had when a
 * question first needs them, and kept for a day.
 */
import { readFile } from 'node:fs/promises';
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { AddressSet, Networks } from '../answer/context.ts';
import { DAY_MS } from '../trail/time-window.ts';

/** Where networks are known from. */
interface Sources {
  /** Addresses and ranges of our own. */
  readonly ours: readonly string[];
  /** URL or file of what AWS publishes. */
  readonly awsRanges: string;
  /** Where fetched ranges are kept. */
  readonly kept: { read(): Promise<unknown>; write(value: unknown): Promise<void> };
  readonly clock: () => Date;
  /** How long a fetch may take. */
  readonly patienceMs?: number;
}

/** AWS writes 2026-11-19-21-03-10, in UTC (docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html). */
const published = z.object({
  createDate: z
    .string()
    .regex(/^\d{4}(?:-\d\d){5}$/)
    .transform((text) => `${text.slice(0, 10)}T${text.slice(11).replaceAll('-', ':')}Z`),
  prefixes: z.array(z.object({ ip_prefix: z.cidrv4() })).min(1),
  ipv6_prefixes: z.array(z.object({ ipv6_prefix: z.cidrv6() })),
});

const keptRanges = z.object({ source: z.string(), fetched: z.string(), asOf: z.string(), ranges: z.array(z.union([z.cidrv4(), z.cidrv6()])) });

/** Networks as they are named, and AWS's as they are published. A file is read each time; what was fetched serves for a day. */
export function openNetworks({ ours, awsRanges: source, kept, clock, patienceMs = 5000 }: Sources): Networks {
  return {
    ...(ours.length > 0 && { trusted: addressesOf(ours) }),
    async aws() {
      const now = clock();
      const { data: before } = keptRanges.safeParse(await kept.read());
      const old = before?.source === source ? before : undefined;
      if (old && now.getTime() - Date.parse(old.fetched) < DAY_MS) return { ...addressesOf(old.ranges), asOf: old.asOf, fault: null };
      try {
        const isFetched = /^https?:/.test(source);
        const { asOf, ranges } = readPublished(isFetched ? await fetched(source, patienceMs) : await readFile(source, 'utf8'));
        // What cannot be kept is fetched anew the next time.
        if (isFetched) await kept.write({ source, fetched: now.toISOString(), asOf, ranges }).catch(() => undefined);
        return { ...addressesOf(ranges), asOf, fault: null };
      } catch (error) {
        const fault = { source, why: whyNot(error, patienceMs) };
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

function readPublished(text: string): { readonly asOf: string; readonly ranges: readonly string[] } {
  const { createDate, prefixes, ipv6_prefixes } = published.parse(JSON.parse(text));
  const ranges = [...prefixes.map(({ ip_prefix }) => ip_prefix), ...ipv6_prefixes.map(({ ipv6_prefix }) => ipv6_prefix)];
  // A range is listed once for each service that has it.
  return { asOf: createDate, ranges: [...new Set(ranges)] };
}

async function fetched(url: string, patienceMs: number): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
  if (!response.ok) throw new Refused(response.status);
  return response.text();
}

class Refused extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

function whyNot(error: unknown, patienceMs: number): string {
  if (error instanceof Refused) return `answered with status ${error.status}`;
  if (error instanceof DOMException && error.name === 'TimeoutError') return `did not answer within ${patienceMs / 1000} seconds`;
  if (error instanceof SyntaxError || error instanceof z.ZodError) return 'does not hold what AWS publishes';
  const { code } = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
  return `cannot be had${code ? ` (${code})` : ''}`;
}

/** The daily report over public trails of attacks: whether it names the attack in its first three findings. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Networks } from '../src/answer/context.ts';
import type { DigestFinding } from '../src/answer/digest/findings.ts';
import type { DigestMemory } from '../src/answer/report.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import { DAY_MS } from '../src/trail/time-window.ts';
import { type OpenTrail, openFolder } from './support/trail-folder.ts';

/** Public trails beside the checkout. */
const DATA = fileURLToPath(new URL('../../shared/data/', import.meta.url));
const signal = new AbortController().signal;

/** The events of one technique, on days of its own in an account of its own. */
interface Technique {
  readonly source: string;
  readonly technique: string;
  readonly accounts: readonly string[];
  readonly events: readonly { readonly eventTime: string; readonly eventSource: string; readonly eventName: string }[];
}

const techniques = (await readFile(join(DATA, 'labels/techniques.jsonl'), 'utf8'))
  .split('\n')
  .filter(Boolean)
  .map((line): Technique => JSON.parse(line))
  .filter(({ source }) => source === 'stratus-red-team');

let root: string;
let registry: Registry;
let stratus: OpenTrail;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trailbot-real-digests-'));
  registry = await loadRegistry(new URL('../', import.meta.url));
  stratus = await openSet('stratus');
});
afterAll(async () => {
  await stratus[Symbol.asyncDispose]();
  await rm(root, { recursive: true, force: true });
});

const openSet = (set: string) => openFolder({ trail: join(DATA, 'trails', set), store: join(root, set) });

/** Ranges without any of the addresses in these trails: anonymous addresses are nobody's. */
const networks: Networks = { aws: async () => ({ has: () => false, asOf: '2024-07-01T00:00:00Z', fault: null }) };

/** What an organization knows after 60 days in which each call of these attacks was made often, in this account, by others. */
function busyPast(from: Date, account: string): DigestMemory {
  const date = (daysAgo: number): string => new Date(from.getTime() - daysAgo * DAY_MS).toISOString().slice(0, 10);
  const hash = (value: readonly string[]): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 12);
  const often = { [date(1).slice(0, 9)]: [20, 500] };
  const calls = techniques.flatMap(({ events }) => events.map(({ eventSource, eventName }) => hash([eventSource, eventName])));
  const past = {
    through: `${date(0)}T00:00:00Z`,
    days: Object.fromEntries(Array.from({ length: 60 }, (_, i) => [date(i + 1), 1000])),
    values: { account: { [hash([account])]: often }, call: Object.fromEntries(calls.map((call) => [call, often])) },
    ...{ hours: {}, told: [], signIns: [], ends: {} },
  };
  return { newestUntil: async () => past, write: async () => undefined };
}

async function findingsOn(day: string, account: string, { engine }: OpenTrail): Promise<readonly DigestFinding[]> {
  const from = new Date(day);
  const to = new Date(from.getTime() + DAY_MS);
  const desk = openDesk(registry, { ...engine, kept: async () => [] }, { networks, memory: () => busyPast(from, account) });
  const { data } = await desk.report(`daily account:${account}`, { from, to }, { now: to, signal });
  return (data as { readonly findings: readonly DigestFinding[] }).findings;
}

describe('The daily report of an attack names it in its first three findings, also where its calls are usual', () => {
  /** What many do who are no attackers: to take on a role and to ask who one is. */
  const isPlain = (call: string): boolean => call === 'AssumeRole' || call === 'GetCallerIdentity';
  /** Attacks that are no call of their own. */
  const told: Readonly<Record<string, (finding: DigestFinding) => boolean>> = {
    'aws.credential-access.ec2-steal-instance-credentials': ({ kind }) => kind === 'outside-aws',
    'aws.initial-access.console-login-without-mfa': ({ newKind }) => newKind === 'withoutMfa',
  };

  test.each(techniques.map((each) => [each.technique, each] as const))('%s', async (technique, { accounts, events }) => {
    const [account = ''] = accounts;
    const days = [...new Set(events.map(({ eventTime }) => eventTime.slice(0, 10)))];
    const found = (await Promise.all(days.map((day) => findingsOn(day, account, stratus)))).flatMap((findings) => findings.slice(0, 3));
    const own = new Set(events.map(({ eventName }) => eventName).filter((call) => !isPlain(call)));
    const isNamed = told[technique] ?? (({ calls }: DigestFinding) => calls.some(({ eventname }) => own.has(eventname)));
    expect(found.some(isNamed), JSON.stringify(found, null, 1)).toBe(true);
  });

  test('the stolen credentials of an instance, with which a bucket was emptied', async () => {
    await using trail = await openSet('otrf-s3-exfil');
    const [first] = await findingsOn('2020-09-14', '123456789123', trail);
    expect(first).toMatchObject({ kind: 'outside-aws', address: '1.2.3.4', targets: ['i-0317f6c6b66ae9c40'], events: 11 });
  });
});

test('There are 35 techniques', () => {
  expect(techniques).toHaveLength(35);
});

/**
 * One slot, two replicas over one state, and faults at random: a process dies before or after any step, is frozen, loses the answer of a
 * write or of Slack, or leaves a damaged record; Slack fails before or after it took the message. When the faults are over, the channel
 * must have exactly one message. Each run has a seed, so that one that fails can be repeated.
 */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { DigestChannel } from '../src/answer/posting.ts';
import { type DueSlot, openSlotRunner, type SlotRunner } from '../src/clock/slot-runner.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { UnreadableFile, type VersionedFiles } from '../src/state/versioned-files.ts';

const MINUTE_MS = 60_000;
const DUE = Date.parse('2026-11-20T07:00:00Z');
const log = pino({ level: 'silent' });
const { signal } = new AbortController();

/** What a run leaves out, to prove that the test finds it. */
interface Omission {
  /** A look in the channel never finds anything. */
  readonly isBlind?: boolean;
  /** Each process takes a version that another has taken, too. */
  readonly takesAll?: boolean;
}

/** A process, until it dies. What it awaits then never comes. */
interface Process {
  readonly runner: SlotRunner;
  readonly death: Promise<void>;
  isDead(): boolean;
}

/** Random numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a run met, by name. */
type Met = Map<string, number>;

/** The messages in the channel after a run, and the step of the slot. */
async function run(seed: number, met: Met, { isBlind = false, takesAll = false }: Omission = {}) {
  const random = randomFrom(seed);
  const state = openVersionMemory();
  const messages: string[] = [];
  let now = DUE;
  let isCalm = false;
  const happens = (name: string, chance: number): boolean => {
    const does = !isCalm && random() < chance;
    if (does) met.set(name, (met.get(name) ?? 0) + 1);
    return does;
  };

  function start(): Process {
    const dying = Promise.withResolvers<void>();
    let dead = false;
    const never = new Promise<never>(() => undefined);
    /** The steps of the replicas are in another order in each run. */
    const step = async (name: string): Promise<void> => {
      if (happens('frozen', 0.01)) {
        now += 12 * MINUTE_MS;
        for (let turns = 0; turns < 200; turns += 1) await undefined;
      }
      for (let turns = Math.floor(random() * 6); turns > 0; turns -= 1) await undefined;
      if (dead) return never;
      if (!happens(`dies ${name}`, 0.04)) return;
      dead = true;
      dying.resolve();
      return never;
    };
    const files: VersionedFiles = {
      ...state,
      async read(name) {
        await step('before a read');
        if (happens('a read fails', 0.03)) throw new UnreadableFile(name, 0, Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
        return state.read(name);
      },
      async add(name, version, value) {
        await step('before a write');
        if (happens('a write fails', 0.03)) throw new Error('timeout');
        const isDamaged = happens('a write is damaged', 0.02);
        const isFirst = (await state.add(name, version, isDamaged ? '' : value)) || takesAll;
        await step('after a write');
        if (isDamaged || happens('the answer of a write is lost', 0.03)) throw new Error('timeout');
        return isFirst;
      },
    };
    const channel: DigestChannel = {
      async post(_, slot) {
        // Not frozen here: a process that wakes up in the middle of sending cannot know that its time is over.
        if (dead || happens('dies before the message', 0.06)) {
          dead = true;
          dying.resolve();
          return never;
        }
        const fate = random();
        if (!isCalm && fate < 0.1) return { kind: 'later', waitMs: Math.floor(random() * 10) * MINUTE_MS };
        if (!isCalm && fate < 0.25) return { kind: 'unknown', reason: 'HTTP 500' };
        messages.push(slot);
        await step('after the message');
        if (!isCalm && fate < 0.45) return { kind: 'unknown', reason: 'timeout' };
        return { kind: 'posted', ts: `${messages.length}.0` };
      },
      async find(slot) {
        await step('before a look');
        if (happens('a look fails', 0.1)) return { kind: 'later', reason: 'HTTP 500' };
        const isThere = !isBlind && messages.includes(slot);
        await step('after a look');
        return isThere ? { kind: 'found', ts: '1.0' } : { kind: 'absent' };
      },
    };
    const runner = openSlotRunner({ files, channel, clock: () => new Date(now), log, signal });
    return { runner, death: dying.promise, isDead: () => dead };
  }

  const slot: DueSlot = {
    name: 'daily-2026-11-19',
    due: new Date(DUE),
    period: { from: new Date('2026-11-18T23:00:00Z'), to: new Date('2026-11-19T23:00:00Z') },
    precedesState: false,
    isSuperseded: false,
    maxAgeMs: undefined,
    async ask() {
      if (happens('the report fails', 0.1)) throw new Error('Athena is away');
      return { template: 'error', data: {} };
    },
    describeFailure: () => ({ template: 'no-report', data: {} }),
  };
  const replicas = [start(), start()];
  for (let round = 0; round < 60; round += 1) {
    isCalm = round >= 20;
    await Promise.all(
      replicas.map(async (process, i) => {
        const replica = process.isDead() && (isCalm || random() < 0.5) ? start() : process;
        replicas[i] = replica;
        await Promise.race([replica.runner.run(slot).catch(() => undefined), replica.death]);
      }),
    );
    now += isCalm ? 15 * MINUTE_MS : Math.floor(random() * 8) * MINUTE_MS;
    const ended = await state.read(slot.name);
    if (isCalm && /"step":"(posted|failed|done)"/.test(JSON.stringify(ended.value))) break;
  }
  const { value } = await state.read(slot.name);
  return { messages: messages.length, step: (value as { readonly step: string }).step };
}

test('In 10,000 runs with faults, the channel gets exactly one message', async () => {
  const met: Met = new Map();
  for (let seed = 1; seed <= 10_000; seed += 1) {
    const { messages, step } = await run(seed, met);
    if (messages !== 1 || step !== 'posted') expect({ seed, messages, step }).toEqual({ seed, messages: 1, step: 'posted' });
  }
  // Each kind of fault was met.
  const rarest = Math.min(...met.values());
  expect([met.size, rarest]).toEqual([14, expect.toSatisfy((count: number) => count > 100)]);
});

test.each([
  ['the look in the channel', { isBlind: true }],
  ['the comparison of versions', { takesAll: true }],
])('Without %s, the same runs find a second message', async (_, omission) => {
  const counts: number[] = [];
  for (let seed = 1; seed <= 300; seed += 1) counts.push((await run(seed, new Map(), omission)).messages);
  expect(counts.filter((messages) => messages > 1).length).toBeGreaterThan(5);
});

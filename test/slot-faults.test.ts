/** Two replicas over one state, with faults at random. When the faults are over, the channel has heard of each slot exactly once. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Clock, startClock } from '../src/clock/clock.ts';
import { type DueSlot, openSlotRunner, type SlotRunner } from '../src/clock/slot-runner.ts';
import { type FaultyParts, type FaultyWorld, type Omission, openFaultyWorld } from './support/faulty-world.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const log = pino({ level: 'silent' });
const { signal } = new AbortController();
const report = (world: FaultyWorld) => async () => {
  if (world.happens('the report fails', 0.1)) throw new Error('Athena is away');
  return { template: 'error', data: {} };
};

describe('One slot', () => {
  interface Replica extends FaultyParts {
    readonly runner: SlotRunner;
  }

  /** The number of messages in the channel after a run, and the step of the slot. */
  async function run(seed: number, met: Map<string, number>, omission: Omission = {}) {
    const due = Date.parse('2026-11-20T07:00:00Z');
    const world = openFaultyWorld(seed, due, met, omission);
    const slot: DueSlot = {
      name: 'daily-2026-11-19',
      due: new Date(due),
      period: { from: new Date('2026-11-18T23:00:00Z'), to: new Date('2026-11-19T23:00:00Z') },
      precedesState: false,
      isSuperseded: false,
      maxAgeMs: undefined,
      ask: report(world),
      describeFailure: () => ({ template: 'no-report', data: {} }),
    };
    const start = (): Replica => {
      const parts = world.start();
      return { ...parts, runner: openSlotRunner({ ...parts, clock: () => new Date(world.now), log, signal }) };
    };
    const replicas = [start(), start()];
    const stepOf = async () => ((await world.state.read(slot.name)).value as { readonly step?: string }).step;
    for (let round = 0; round < 60; round += 1) {
      world.isCalm = round >= 20;
      await Promise.all(
        replicas.map(async (process, i) => {
          const replica = process.isDead() && (world.isCalm || world.random() < 0.5) ? start() : process;
          replicas[i] = replica;
          await Promise.race([replica.runner.run(slot).catch(() => undefined), replica.death]);
        }),
      );
      world.now += world.isCalm ? 15 * MINUTE_MS : Math.floor(world.random() * 8) * MINUTE_MS;
      if (world.isCalm && (await stepOf()) === 'posted') break;
    }
    return { messages: world.messages.length, step: await stepOf() };
  }

  test('gets exactly one message in each of 10,000 runs', async () => {
    const met = new Map<string, number>();
    for (let seed = 1; seed <= 10_000; seed += 1) {
      const { messages, step } = await run(seed, met);
      if (messages !== 1 || step !== 'posted') expect({ seed, messages, step }).toEqual({ seed, messages: 1, step: 'posted' });
    }
    // Each kind of fault was met often.
    expect(met.size).toBe(17);
    expect(Math.min(...met.values())).toBeGreaterThan(100);
  });

  test.each([
    ['the look in the channel', { isBlind: true }],
    ['the comparison of versions', { takesAll: true }],
  ])('gets a second message in some of these runs without %s', async (_, omission) => {
    const counts: number[] = [];
    for (let seed = 1; seed <= 300; seed += 1) counts.push((await run(seed, new Map(), omission)).messages);
    expect(counts.filter((messages) => messages > 1).length).toBeGreaterThan(5);
  });
});

describe('A week of daily reports', () => {
  // Looks happen when the test says so.
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }));
  afterEach(() => void vi.useRealTimers());

  interface Replica extends FaultyParts {
    readonly clock: Clock;
  }

  /** The days whose reports came due, and what the channel heard of each: `11-19 posted`, `11-20 missed`. */
  async function run(seed: number, met: Map<string, number>) {
    const first = Date.parse('2026-11-19T12:00:00Z');
    const world = openFaultyWorld(seed, first, met);
    const ask = report(world);
    const start = (): Replica => {
      const parts = world.start();
      const tasks = new Map([['daily', { schedule: '0 8 * * *', period: 'day' as const, ask }]]);
      return {
        ...parts,
        clock: startClock({
          ...parts,
          tasks: async () => ({ tasks, isComplete: true }),
          timeZone: 'UTC',
          clock: () => new Date(world.now),
          log,
          signal,
        }),
      };
    };
    // A first start that works.
    world.isCalm = true;
    const replicas: (Replica | undefined)[] = [start(), undefined];
    let lastLook = first;
    await replicas[0]?.clock.look();
    for (let calmRounds = 0; calmRounds < 40; ) {
      world.isCalm = world.now > first + 7 * DAY_MS;
      if (world.isCalm) calmRounds += 1;
      if (world.happens('both are down', 0.05)) {
        replicas.fill(undefined);
        world.now += Math.floor(world.random() * 40) * HOUR_MS;
      }
      for (const i of [0, 1]) if (!replicas[i] || replicas[i].isDead()) replicas[i] = world.isCalm || world.random() < 0.7 ? start() : undefined;
      lastLook = world.now;
      await Promise.all(replicas.map((replica) => replica && Promise.race([replica.clock.look(), replica.death])));
      world.now += Math.floor(1 + world.random() * 45) * MINUTE_MS;
    }
    vi.clearAllTimers();
    const heard = world.messages.flatMap(({ slot, answer }) => {
      if (slot.startsWith('daily-2026-')) return [`${slot.slice(-5)} posted`];
      const { missed } = answer.data as { readonly missed: readonly { readonly periods: string }[] };
      return missed.flatMap(({ periods }) => [...periods.matchAll(/Nov (\d+)/g)].map(([, day]) => `11-${day} missed`));
    });
    const days: string[] = [];
    for (let due = first - 4 * HOUR_MS; due <= lastLook; due += DAY_MS) days.push(new Date(due - DAY_MS).toISOString().slice(5, 10));
    return { days, heard };
  }

  test('has each of them posted or told as missed exactly once, in each of 100 runs', async () => {
    const met = new Map<string, number>();
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 100; seed += 1) {
      const { days, heard } = await run(seed, met);
      const heardDays = heard.map((each) => each.slice(0, 5)).sort();
      if (heardDays.join() !== days.join()) expect({ seed, heard }).toEqual({ seed, heard: days });
      for (const each of heard) outcomes.add(each.slice(6));
    }
    expect(outcomes).toEqual(new Set(['posted', 'missed']));
    expect(met.get('both are down')).toBeGreaterThan(100);
  });
});

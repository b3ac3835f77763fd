/**
 * State and Slack as replicas meet them on a bad day: a process dies before or after any step, is frozen, loses the answer of a write or of
 * Slack, or leaves a damaged record; Slack fails before or after it took the message. What happens follows from a seed.
 */
import type { Answer } from '../../src/answer/answer.ts';
import type { DigestChannel } from '../../src/answer/posting.ts';
import { openVersionMemory } from '../../src/state/version-memory.ts';
import { UnreadableFile, type VersionedFiles } from '../../src/state/versioned-files.ts';

const MINUTE = 60_000;

/** What a world leaves out, to prove that a test finds it. */
export interface Omission {
  /** A look in the channel never finds anything. */
  readonly isBlind?: boolean;
  /** Each process takes a version that another has taken, too. */
  readonly takesAll?: boolean;
}

/** State and Slack as one process meets them. When it has died, what it awaits never comes. */
export interface FaultyParts {
  readonly files: VersionedFiles;
  channelOf(): DigestChannel;
  readonly death: Promise<void>;
  isDead(): boolean;
}

export interface FaultyWorld {
  /** The time, in milliseconds. */
  now: number;
  /** True when no faults happen any more. */
  isCalm: boolean;
  /** What is stored, without faults. */
  readonly state: VersionedFiles;
  /** What is in the channel. */
  readonly messages: readonly { readonly slot: string; readonly answer: Answer }[];
  /** A number in [0, 1). */
  random(): number;
  /** True when a fault happens, which is then counted. */
  happens(fault: string, chance: number): boolean;
  start(): FaultyParts;
}

/** `met` counts the faults by name. */
export function openFaultyWorld(
  seed: number,
  now: number,
  met: Map<string, number>,
  { isBlind = false, takesAll = false }: Omission = {},
): FaultyWorld {
  const random = randomFrom(seed);
  const state = openVersionMemory();
  const messages: { slot: string; answer: Answer }[] = [];
  const world: FaultyWorld = {
    now,
    isCalm: false,
    state,
    messages,
    random,
    happens(fault, chance) {
      const does = !world.isCalm && random() < chance;
      if (does) met.set(fault, (met.get(fault) ?? 0) + 1);
      return does;
    },
    start,
  };

  function start(): FaultyParts {
    const dying = Promise.withResolvers<void>();
    let dead = false;
    const never = new Promise<never>(() => undefined);
    const die = (): Promise<never> => {
      dead = true;
      dying.resolve();
      return never;
    };
    /** The steps of the replicas are in another order in each run. */
    const step = async (name: string): Promise<void> => {
      if (world.happens('is frozen', 0.01)) {
        world.now += 12 * MINUTE;
        for (let turns = 0; turns < 200; turns += 1) await undefined;
      }
      for (let turns = Math.floor(random() * 6); turns > 0; turns -= 1) await undefined;
      if (dead) return never;
      return world.happens(`dies ${name}`, 0.04) ? die() : undefined;
    };
    const files: VersionedFiles = {
      ...state,
      async read(name) {
        await step('before a read');
        if (world.happens('a read fails', 0.03)) throw new UnreadableFile(name, 0, Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' }));
        return state.read(name);
      },
      async add(name, version, value) {
        await step('before a write');
        if (world.happens('a write fails', 0.03)) throw new Error('timeout');
        // Without the record of what was looked at, all slots before are as old as those before a first start.
        const isDamaged = name !== 'looked' && world.happens('a write is damaged', 0.02);
        const isFirst = (await state.add(name, version, isDamaged ? '' : value)) || takesAll;
        await step('after a write');
        if (isDamaged || world.happens('the answer of a write is lost', 0.03)) throw new Error('timeout');
        return isFirst;
      },
    };
    const channel: DigestChannel = {
      update: async (ts) => ({ kind: 'posted', ts }),
      async post(answer, slot) {
        // Not frozen here: a process that wakes up in the middle of sending cannot know that its time is over.
        if (dead || world.happens('dies before a message', 0.06)) return die();
        if (world.happens('Slack limits the rate', 0.1)) return { kind: 'later', waitMs: Math.floor(random() * 10) * MINUTE };
        if (world.happens('Slack fails before a message', 0.15)) return { kind: 'unknown', reason: 'HTTP 500' };
        messages.push({ slot, answer });
        await step('after a message');
        if (world.happens('Slack fails after a message', 0.2)) return { kind: 'unknown', reason: 'timeout' };
        return { kind: 'posted', ts: `${messages.length}.0` };
      },
      async find(slot, _since, except) {
        if (except !== undefined) return { kind: 'absent' };
        await step('before a look');
        if (world.happens('a look fails', 0.1)) return { kind: 'later', reason: 'HTTP 500' };
        const isThere = !isBlind && messages.some((message) => message.slot === slot);
        await step('after a look');
        return isThere ? { kind: 'found', ts: '1.0' } : { kind: 'absent' };
      },
    };
    return { files, channelOf: () => channel, death: dying.promise, isDead: () => dead };
  }
  return world;
}

/** Random numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let mixed = seed;
  return () => {
    mixed = (mixed + 0x6d2b79f5) | 0;
    let bits = Math.imul(mixed ^ (mixed >>> 15), 1 | mixed);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

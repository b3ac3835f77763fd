/** A channel for digests in memory, which does with each message what a test says. */
import type { Answer } from '../../src/answer/answer.ts';
import type { DigestChannel, PostOutcome, Sighting } from '../../src/answer/posting.ts';

/** A message that arrived. */
interface Arrived {
  readonly slot: string;
  readonly answer: Answer;
}

export interface FakeChannel extends DigestChannel {
  readonly arrived: readonly Arrived[];
  /** What happens to the next messages, in order; after them, each arrives. `lost` arrives, but without an answer. */
  readonly fates: (PostOutcome | 'lost' | 'throws')[];
  /** What a look finds, instead of what arrived. */
  sighting: Sighting | undefined;
  /** The slots that were looked for. */
  readonly looks: string[];
  /** The messages that replaced others. */
  readonly updates: { readonly ts: string; readonly answer: Answer }[];
}

export function fakeChannel(): FakeChannel {
  const arrived: Arrived[] = [];
  const channel: FakeChannel = {
    arrived,
    fates: [],
    sighting: undefined,
    looks: [],
    updates: [],
    async post(answer, slot) {
      const fate = channel.fates.shift();
      if (fate === 'throws') throw new Error('the template is broken');
      if (fate !== undefined && fate !== 'lost') return fate;
      arrived.push({ slot, answer });
      return fate === 'lost' ? { kind: 'unknown', reason: 'timeout' } : { kind: 'posted', ts: `${arrived.length}.0` };
    },
    async update(ts, answer) {
      channel.updates.push({ ts, answer });
      return { kind: 'posted', ts };
    },
    async find(slot, _since, except) {
      if (except === undefined) channel.looks.push(slot);
      if (channel.sighting) return channel.sighting;
      const at = arrived.findIndex((message, i) => message.slot === slot && `${i + 1}.0` !== except);
      return at < 0 ? { kind: 'absent' } : { kind: 'found', ts: `${at + 1}.0` };
    },
  };
  return channel;
}

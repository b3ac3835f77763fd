/** Watches: an episode has one message, which grows and ends, whatever happens in between. */
import { pino } from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Answer, OutsideEpisode } from '../src/answer/answer.ts';
import { type Clock, startClock } from '../src/clock/clock.ts';
import { subscribedTasks } from '../src/clock/subscribed.ts';
import { UserError } from '../src/errors.ts';
import { toText } from '../src/message/message.ts';
import { openSubscriptions, type Subscription, type Subscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { type FakeChannel, fakeChannel } from './support/fake-channel.ts';

const templates = new URL('../templates/', import.meta.url);
const signal = new AbortController().signal;
const WATCH: Subscription = {
  line: 'denied every:1h band:14d',
  cron: '15 * * * *',
  timeZone: 'UTC',
  words: 'each hour',
  channel: 'C0SEC',
  workspace: null,
  by: 'U0ALICE',
  at: '2026-11-20T09:00:00Z',
  since: '2026-11-20T09:00:00Z',
  watch: { direction: null },
  paused: null,
};

let now: number;
let subscriptions: Subscriptions;
let slots: VersionedFiles;
let watched: VersionedFiles;
let channel: FakeChannel;
/** What the question finds, and until when it knows. */
let outside: OutsideEpisode[];
let knownTo: string | null;
let failure: Error | undefined;
/** A window for which the question fails. */
let failing: string | undefined;
let asked: string[];

beforeEach(async () => {
  now = Date.parse('2026-11-20T09:00:00Z');
  subscriptions = openSubscriptions(openVersionMemory());
  slots = openVersionMemory();
  watched = openVersionMemory();
  channel = fakeChannel();
  outside = [];
  failure = undefined;
  failing = undefined;
  asked = [];
  await subscriptions.add(WATCH);
});

const episode = (from: string, to: string, actual: number, direction: OutsideEpisode['direction'] = 'above'): OutsideEpisode => ({
  direction,
  from: `2026-11-20T${from}:00Z`,
  to: `2026-11-20T${to}:00Z`,
  actual,
  usual: 10,
  deviations: 8,
});

async function answer(line: string): Promise<Answer> {
  asked.push(line);
  if (failure) throw failure;
  if (failing && line.endsWith(failing)) throw new Error('throttled');
  return { template: 'banded-count', data: { spike: null }, outside: { knownTo, episodes: outside } };
}

function start(): Clock {
  const log = pino({ level: 'silent' });
  const options = {
    subscriptions,
    watched,
    incomplete: openVersionMemory(),
    files: slots,
    channelOf: () => channel,
    reports: new Map(),
    clock: () => new Date(now),
    log,
    timeoutMs: 90_000,
    ask: async () => Promise.reject(new Error('no report')),
    answer,
    refusal: async () => undefined,
    tell: async () => undefined,
  };
  return startClock({ ...options, tasks: async () => ({ tasks: await subscribedTasks(options), isComplete: true }), timeZone: 'UTC', signal });
}

/** Looks at 15 minutes past an hour; the trail is known up to the hour. */
async function lookAt(clock: Clock, hour: string): Promise<void> {
  now = Date.parse(`2026-11-20T${hour}:15:00Z`);
  knownTo = `2026-11-20T${hour}:00:00Z`;
  await clock.look();
  await clock.look();
}

async function withClock(work: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = start();
  try {
    await work(clock);
  } finally {
    await clock.stop();
  }
}

const posted = () => channel.arrived.map((message) => toText(message.answer, templates));
const edits = () => channel.updates.map((update) => `${update.ts} ${toText(update.answer, templates)}`);

describe('A watch', () => {
  test('says nothing while nothing is outside', async () => {
    await withClock(async (clock) => {
      for (const hour of ['09', '10', '11']) await lookAt(clock, hour);
      expect(asked).toEqual(Array.from({ length: 3 }, () => 'denied every:1h band:14d 2d'));
      expect(posted()).toEqual([]);
    });
  });

  test('posts an episode once, edits its message as it grows, and says when it is over', async () => {
    await withClock(async (clock) => {
      outside = [episode('09:00', '10:00', 80)];
      await lookAt(clock, '10');
      expect(posted()).toEqual([
        'Outside what is usual: 2026-11-20 09:00:00 UTC to 2026-11-20 10:00:00 UTC: 80 events, usually 10. This message is edited as it goes on.',
      ]);
      expect(asked.at(-1)).toBe('denied every:1h band:14d 2026-11-20T09:00..2026-11-20T10:00');
      outside = [episode('09:00', '11:00', 170)];
      await lookAt(clock, '11');
      await lookAt(clock, '12');
      expect(edits()).toEqual([
        '1.0 Outside what is usual: 2026-11-20 09:00:00 UTC to 2026-11-20 11:00:00 UTC: 170 events, usually 10. This message is edited as it goes on.',
      ]);
      await lookAt(clock, '14');
      expect(edits()[1]).toBe(
        '1.0 Was outside what is usual: 2026-11-20 09:00:00 UTC to 2026-11-20 11:00:00 UTC: 170 events, usually 10. It is over.',
      );
      await lookAt(clock, '15');
      await lookAt(clock, '16');
      expect([posted().length, edits().length]).toEqual([1, 2]);
      outside = [episode('09:00', '11:00', 170), episode('16:00', '17:00', 90)];
      await lookAt(clock, '17');
      expect(posted()).toHaveLength(2);
    });
  });

  test('posts only the side that it watches', async () => {
    await subscriptions.change('1', (current) => ({ ...current, watch: { direction: 'below' } }));
    await withClock(async (clock) => {
      outside = [episode('09:00', '10:00', 80)];
      await lookAt(clock, '10');
      expect(posted()).toEqual([]);
      outside = [episode('09:00', '10:00', 80), episode('10:00', '11:00', 0, 'below')];
      await lookAt(clock, '11');
      expect(posted()).toEqual([
        'Outside what is usual: 2026-11-20 10:00:00 UTC to 2026-11-20 11:00:00 UTC: 0 events instead of about 10. This message is edited as it goes on.',
      ]);
    });
  });

  test('posts an episode once from two processes, and from one that took over after a crash', async () => {
    const [first, second] = [start(), start()];
    try {
      outside = [episode('09:00', '10:00', 80)];
      now = Date.parse('2026-11-20T10:15:00Z');
      knownTo = '2026-11-20T10:00:00Z';
      await Promise.all([first.look(), second.look()]);
      await Promise.all([first.look(), second.look()]);
      expect(posted()).toHaveLength(1);
      channel.fates.push('lost');
      outside = [episode('09:00', '10:00', 80), episode('14:00', '15:00', 90)];
      await lookAt(first, '14');
      await lookAt(first, '15');
      for (const minute of ['16', '17', '18', '20']) {
        now = Date.parse(`2026-11-20T15:${minute}:00Z`);
        await Promise.all([first.look(), second.look()]);
      }
      expect(posted()).toHaveLength(2);
    } finally {
      await Promise.all([first.stop(), second.stop()]);
    }
  });

  test('tells of an episode at the next look when its message could not be made or posted', async () => {
    await withClock(async (clock) => {
      outside = [episode('09:00', '10:00', 80)];
      failing = '2026-11-20T09:00..2026-11-20T10:00';
      await lookAt(clock, '10');
      expect(posted()).toEqual([]);
      failing = undefined;
      channel.fates.push({ kind: 'refused', reason: 'msg_too_long', remedy: 'Ask about less.' });
      await lookAt(clock, '11');
      expect(posted()).toEqual([]);
      await lookAt(clock, '12');
      expect(posted()).toHaveLength(1);
    });
  });

  test('of days tells of one although the day is known only with the first event after it', async () => {
    await subscriptions.change('1', (current) => ({ ...current, line: 'denied every:1d band:28d', cron: '15 0 * * *' }));
    await withClock(async (clock) => {
      now = Date.parse('2026-11-21T00:15:00Z');
      knownTo = '2026-11-20T00:00:00Z';
      outside = [{ ...episode('00:00', '10:00', 80), from: '2026-11-19T00:00:00Z', to: '2026-11-20T00:00:00Z' }];
      await clock.look();
      await clock.look();
      expect(posted()).toHaveLength(1);
    });
  });

  test('tells of what began while nobody looked, and not of what is long over', async () => {
    await withClock(async (clock) => {
      outside = [{ ...episode('09:00', '10:00', 80), from: '2026-11-19T02:00:00Z', to: '2026-11-19T03:00:00Z' }];
      await lookAt(clock, '10');
      expect(posted()).toEqual([]);
      outside = [episode('09:00', '10:00', 80)];
      await lookAt(clock, '18');
      expect(posted()).toEqual(['Was outside what is usual: 2026-11-20 09:00:00 UTC to 2026-11-20 10:00:00 UTC: 80 events, usually 10. It is over.']);
    });
  });

  test('says once that it cannot be asked, after three times, and again only after it worked', async () => {
    await withClock(async (clock) => {
      failure = new UserError('This reads about 40 GB ($0.20). Run it?');
      for (const hour of ['09', '10', '11', '12', '13']) await lookAt(clock, hour);
      expect(posted()).toEqual([
        'Watch 1 could not be asked 3 times in a row: denied every:1h band:14d. This reads about 40 GB ($0.20). Run it? It goes on trying, and does not say so again until it worked.',
      ]);
      failure = undefined;
      await lookAt(clock, '14');
      failure = new Error('secret of the log');
      for (const hour of ['15', '16', '17']) await lookAt(clock, hour);
      expect(posted()[1]).toContain('The log of trailbot says why.');
    });
  });
});

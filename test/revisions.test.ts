/** Reports that were posted before all log files were there: they are made again, and their message is edited. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { startDigests } from '../src/clock/digests.ts';
import { toText } from '../src/message/message.ts';
import { openSubscriptions, type Subscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import { type FakeChannel, fakeChannel } from './support/fake-channel.ts';

const templates = new URL('../templates/', import.meta.url);
const MINUTE = 60_000;

let now: number;
let channel: FakeChannel;
let subscriptions: Subscriptions;
let files: VersionedFiles;
let incomplete: VersionedFiles;
/** What the report says; it is not whole while this is true. */
let says: string;
let isPartial: boolean;
/** When the report was made. */
let asked: string[];
let stop: (() => Promise<void>) | undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  at('2026-11-20T07:59:30Z');
  channel = fakeChannel();
  subscriptions = openSubscriptions(openVersionMemory());
  files = openVersionMemory();
  incomplete = openVersionMemory();
  says = 'log files of 3 folders are missing';
  isPartial = true;
  asked = [];
});
afterEach(async () => {
  await stop?.();
  vi.useRealTimers();
});

const at = (time: string): void => {
  now = Date.parse(time);
};

async function start({ postsReports = true } = {}): Promise<void> {
  const report = { summary: 'Yesterday', period: 'day', schedule: 'daily 08:00', answer: async () => ({ data: {} }) } as const;
  stop = await startDigests({
    reports: new Map([['daily', report]]),
    postsReports,
    subscriptions,
    files,
    incomplete,
    watched: openVersionMemory(),
    announced: openVersionMemory(),
    answer: async () => Promise.reject(new Error('no question')),
    async ask(name, { from }, { requester }): Promise<Answer> {
      asked.push(`${new Date(now).toISOString().slice(5, 16)} ${name} ${from.toISOString().slice(5, 10)}${requester ? ` for ${requester}` : ''}`);
      return { template: 'error', data: { message: says, suggestion: null, reference: '' }, ...(isPartial && { isPartial: true }) };
    },
    refusal: async () => undefined,
    tell: async () => undefined,
    channelOf: () => channel,
    athena: undefined,
    appliesNewAccounts: false,
    compacting: undefined,
    postsAtStart: false,
    timeZone: 'UTC',
    clock: () => new Date(now),
    log: pino({ level: 'silent' }),
    signal: new AbortController().signal,
    timeoutMs: 90_000,
  });
}

/** Lets the clock look each minute up to a time. */
async function runUntil(time: string): Promise<void> {
  while (now < Date.parse(time)) {
    now += MINUTE;
    await vi.advanceTimersByTimeAsync(MINUTE);
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
  }
}

const posted = () => channel.arrived.map(({ answer }) => toText(answer, templates));
const edits = () => channel.updates.map(({ ts, answer }) => `${ts} ${toText(answer, templates)}`);

describe('A report that is not whole', () => {
  test('says until when it is edited, is edited once when more is there, and is then left alone', async () => {
    await start();
    await runUntil('2026-11-20T08:01:00Z');
    const until = 'When more log files come, this message is edited, until 00:00 on Nov 21 (UTC).';
    expect(posted()).toEqual([expect.stringContaining(says)]);
    expect(channel.arrived[0]?.answer.note).toBe(until);
    await runUntil('2026-11-20T09:15:00Z');
    // It was made again, and said the same.
    expect(asked).toEqual(['11-20T08:00 daily 11-19', '11-20T08:30 daily 11-19']);
    expect(edits()).toEqual([]);
    says = 'nothing to look at';
    isPartial = false;
    await runUntil('2026-11-21T01:00:00Z');
    expect(edits()).toEqual([expect.stringMatching(/^1\.0 nothing to look at/)]);
    expect(channel.updates[0]?.answer.note).toBe('Edited at 09:30 (UTC), when more log files were there.');
    expect(asked).toHaveLength(3);
    expect(await incomplete.names()).toEqual([]);
    expect(posted()).toHaveLength(1);
  });

  test('is looked at less and less often, for the last time a day after the end of its day', async () => {
    await start();
    await runUntil('2026-11-21T07:00:00Z');
    expect(asked.map((each) => each.slice(0, 11))).toEqual([
      ...['11-20T08:00', '11-20T08:30', '11-20T09:30', '11-20T11:30', '11-20T15:30', '11-20T19:30', '11-20T23:30', '11-21T00:00'],
    ]);
    expect(await incomplete.names()).toEqual([]);
  });

  test('is edited after a restart, and again where it is not known whether Slack took the edit', async () => {
    await start();
    await runUntil('2026-11-20T08:05:00Z');
    await stop?.();
    says = 'two findings';
    isPartial = false;
    const outcomes = ['unknown', 'posted'];
    const { update } = channel;
    channel.update = async (ts, answer) => (outcomes.shift() === 'unknown' ? { kind: 'unknown', reason: 'timeout' } : update(ts, answer));
    await start();
    await runUntil('2026-11-20T12:00:00Z');
    expect(asked.map((each) => each.slice(0, 11))).toEqual(['11-20T08:00', '11-20T08:30', '11-20T09:30']);
    expect(edits()).toEqual([expect.stringMatching(/^1\.0 two findings/)]);
    expect(await incomplete.names()).toEqual([]);
  });

  test('of a subscription is paid again by who subscribed', async () => {
    await subscriptions.add({
      ...{
        line: 'daily account:111122223333',
        cron: '0 9 * * *',
        timeZone: 'UTC',
        words: 'daily 09:00',
        channel: 'C0SEC',
        workspace: null,
        by: 'U0ALICE',
      },
      ...{ at: '2026-11-20T07:00:00Z', since: '2026-11-20T07:00:00Z', watch: null, paused: null },
    });
    await start({ postsReports: false });
    await runUntil('2026-11-20T09:41:00Z');
    expect(asked).toEqual(['11-20T09:00', '11-20T09:30'].map((time) => `${time} daily account:111122223333 11-19 for U0ALICE`));
  });

  test('is forgotten when its message was never posted', async () => {
    await start();
    channel.fates.push({ kind: 'refused', reason: 'is_archived', remedy: 'choose another channel' });
    await runUntil('2026-11-20T09:00:00Z');
    expect(asked).toHaveLength(1);
    expect(await incomplete.names()).toEqual([]);
  });
});

test('A report that is whole is not made again', async () => {
  isPartial = false;
  await start();
  await runUntil('2026-11-20T10:00:00Z');
  expect(asked).toHaveLength(1);
  expect(channel.arrived[0]?.answer.note).toBeUndefined();
});

test('A report that is due just after its period waits half an hour for log files, and is not called late', async () => {
  at('2026-11-20T23:50:00Z');
  isPartial = false;
  await subscriptions.add({
    ...{ line: 'daily', cron: '5 0 * * *', timeZone: 'UTC', words: 'daily 00:05', channel: 'C0SEC', workspace: null, by: null },
    ...{ at: '2026-11-20T07:00:00Z', since: '2026-11-20T07:00:00Z', watch: null, paused: null },
  });
  await start({ postsReports: false });
  await runUntil('2026-11-21T03:00:00Z');
  expect(asked).toEqual(['11-21T00:30 daily 11-20']);
  expect(channel.arrived[0]?.answer.note).toBeUndefined();
});

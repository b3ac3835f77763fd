/** Digests from the clock through the real bot into the emulated Slack: nothing between them is a stand-in. */
import { WebClient } from '@slack/web-api';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientOptionsOf } from '../playground/slack.ts';
import type { Answer } from '../src/answer/answer.ts';
import { startDigests } from '../src/clock/digests.ts';
import { toMessage } from '../src/message/message.ts';
import { type Bot, openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openSubscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { deskAnswering } from './support/fake-desk.ts';
import { slackProblems } from './support/slack-limits.ts';
import { openSlackProxy, type RequestFailure, type SlackProxy } from './support/slack-proxy.ts';
import { until } from './support/until.ts';

const templates = new URL('../templates/', import.meta.url);
const SLOT = 'daily-2026-11-19';
const METADATA = { event_type: 'trailbot_digest', event_payload: { slot: SLOT } };

let slack: SlackProxy;
let now: number;
let logged: string[];
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  slack = await openSlackProxy();
});
beforeEach(() => {
  slack.clear();
  logged = [];
  // Only the time of the clock is made up: Slack's requests take real time.
  now = Date.parse('2026-11-20T07:00:00Z');
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(async () => {
  for (const { method, metadata: _, ...message } of slack.sent) expect(slackProblems(message)).toEqual([]);
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
  for (const { ts } of await posted()) await clientOf(slack.emulator.botToken).chat.delete({ channel: channel(), ts: ts ?? '' });
  vi.useRealTimers();
});
afterAll(() => slack.close());

const channel = () => slack.emulator.workspace.digests.id;
const clientOf = (token: string) => new WebClient(token, clientOptionsOf(slack.emulator));
/** The messages with the slot's name, whoever wrote them. */
async function posted() {
  const { messages = [] } = await clientOf(slack.emulator.botToken).conversations.history({ channel: channel(), include_all_metadata: true });
  return messages.filter((message) => JSON.stringify(message.metadata) === JSON.stringify(METADATA));
}

async function openDigestBot(): Promise<Bot> {
  const bot = openBot({
    transport: { kind: 'http', signingSecret: slack.emulator.signingSecret, host: '127.0.0.1', port: 0 },
    botToken: slack.emulator.botToken,
    slackApiUrl: slack.apiUrl,
    desk: deskAnswering(async () => ({ template: 'error', data: {} })),
    shared: openSharedAnswers(openVersionMemory()),
    cancellations: openCancellations(openVersionMemory()),
    cases: openCases(openVersionMemory(), openVersionMemory),
    askedPeople: openAskedPeople(openVersionMemory()),
    recent: openRecentLines(openVersionMemory()),
    access: {},
    clock: () => new Date(now),
    deadlineMs: 90_000,
    logger: boltLogger(pino({ level: 'silent' })),
    showHome: () => ({ type: 'home', blocks: [] }),
    showEvent: () => ({ type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] }),
    show: (answer, showing) => toMessage(answer, templates, showing),
  });
  await bot.start();
  cleanups.push(() => bot.stop(0));
  return bot;
}

/** Starts trailbot's digests, with a daily report at 08:00 in Berlin; its state is new. */
async function start(failures: readonly RequestFailure[] = [], state = openVersionMemory(), more: Partial<Answer> = {}) {
  const files = { ...state, read: vi.fn(state.read) };
  slack.failures.set('chat.postMessage', [...failures]);
  const bot = await openDigestBot();
  const stop = await startDigests({
    reports: new Map([['daily', { summary: 'Yesterday', period: 'day', schedule: '0 8 * * *', answer: async () => ({ data: {} }) }]]),
    postsReports: true,
    watched: openVersionMemory(),
    incomplete: openVersionMemory(),
    subscriptions: openSubscriptions(openVersionMemory()),
    answer: async () => ({ template: 'error', data: {} }),
    refusal: bot.postingRefusal,
    tell: bot.tell,
    files,
    announced: openVersionMemory(),
    channelOf: (id = channel()) => bot.digestChannel(id),
    athena: undefined,
    appliesNewAccounts: false,
    compacting: undefined,
    postsAtStart: false,
    timeZone: 'Europe/Berlin',
    clock: () => new Date(now),
    log: pino({ base: null }, { write: (line) => logged.push(line) }),
    signal: new AbortController().signal,
    timeoutMs: 90_000,
    ask: async (_, { from }) => ({
      template: 'error',
      data: { message: `Yesterday, from ${from.toISOString()}`, suggestion: null, reference: '' },
      line: 'events 1d',
      ...more,
    }),
  });
  cleanups.push(stop);
  const recordOf = async () => (await state.read(SLOT)).value;
  const restart = async () => {
    await cleanups.pop()?.();
    await cleanups.pop()?.();
    return start([], state);
  };
  return { files, recordOf, restart };
}

describe('a digest', () => {
  it('is posted with the name of its slot in the metadata, and not again after a restart', async () => {
    const { recordOf, restart } = await start();
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'posted' }));
    const [message, ...others] = await posted();
    expect(message).toMatchObject({ text: 'Yesterday, from 2026-11-18T23:00:00.000Z', metadata: METADATA });
    expect(others).toEqual([]);
    now += 20 * 60_000;
    const { files } = await restart();
    // It has looked, and has stopped.
    await until(() => expect(files.read).toHaveBeenCalledWith(SLOT));
    await cleanups.pop()?.();
    expect(await posted()).toHaveLength(1);
    expect(logged).toEqual([]);
  });

  const withDetails = { details: { template: 'daily-details', data: { total: 12, minor: 0, minScore: 30 } } };

  it('has its details in its thread', async () => {
    const { recordOf } = await start([], openVersionMemory(), withDetails);
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'posted' }));
    const [message] = await posted();
    const replies = slack.sent.filter(({ thread_ts }) => thread_ts !== undefined);
    expect(replies.map(({ thread_ts, text }) => [thread_ts, text])).toEqual([
      [message?.ts, 'All 12 findings of the day. Pick one to see its events.'],
    ]);
  });

  it('is not sent again when its details are lost', async () => {
    slack.reject.set('chat.postMessage', ({ thread_ts }) => (thread_ts === undefined ? undefined : 'internal_error'));
    const { recordOf } = await start([], openVersionMemory(), withDetails);
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'posted' }));
    expect(slack.sent.map(({ thread_ts }) => thread_ts !== undefined)).toEqual([false, true]);
    expect(await posted()).toHaveLength(1);
  });

  it('that is in the channel already, though state is gone, is not posted again', async () => {
    const first = await start();
    await until(async () => expect(await first.recordOf()).toMatchObject({ step: 'posted' }));
    const second = await start();
    await until(async () => expect(await second.recordOf()).toMatchObject({ step: 'posted' }));
    expect(await posted()).toHaveLength(1);
    expect(slack.sent).toHaveLength(1);
  });

  it('is not held back by a message of somebody else with the same metadata', async () => {
    const other = clientOf(slack.emulator.requesterToken);
    const { ts = '' } = await other.chat.postMessage({ channel: channel(), text: 'a trap', metadata: METADATA });
    cleanups.push(() => other.chat.delete({ channel: channel(), ts }));
    const { recordOf } = await start();
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'posted' }));
    expect((await posted()).map(({ text }) => text)).toEqual(expect.arrayContaining(['a trap', expect.stringContaining('Yesterday')]));
  });

  it.each<[string, RequestFailure]>([
    ['a dropped connection after Slack took it', { isDone: true }],
    ['a dropped connection before Slack took it', {}],
    ['HTTP 500 after Slack took it', { status: 500, isDone: true }],
    ['HTTP 503 before Slack took it', { status: 503 }],
    ['a page of a proxy after Slack took it', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>', isDone: true }],
    ['an answer that is cut short after Slack took it', { body: '{"ok":', isDone: true }],
    ['a rate limit', { status: 429, headers: { 'retry-after': '1' } }],
  ])('is posted once after %s', async (_, failure) => {
    const { recordOf, restart } = await start([failure]);
    await until(async () => expect(await recordOf()).toMatchObject({ posts: 1, holder: null }));
    expect(await recordOf()).toMatchObject({ step: failure.status === 429 ? 'asked' : 'posting' });
    // The wait before the channel is looked at.
    now += 60_000;
    await restart();
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'posted' }));
    expect(await posted()).toHaveLength(1);
  });

  it('that Slack refuses for good is in the log, with what to do', async () => {
    slack.reject.set('chat.postMessage', () => 'not_in_channel');
    const { recordOf } = await start();
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'failed' }));
    expect(logged.join()).toContain('a digest was not posted: Invite the bot to the channel (/invite @trail).');
    expect(slack.sent).toHaveLength(1);
  });

  it('whose channel may not be read is not posted where it may be there already, and the log names the scope', async () => {
    slack.replies.set('conversations.history', () => ({ ok: false, error: 'missing_scope' }));
    const { recordOf } = await start();
    await until(async () => expect(await recordOf()).toMatchObject({ step: 'failed' }));
    expect(slack.sent).toEqual([]);
    expect(logged.join()).toContain('Add the bot scope channels:history');
  });
});

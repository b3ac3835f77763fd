/** Subscriptions: how they are made, listed, paused and ended, and when they are posted. */
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type Clock, startClock } from '../src/clock/clock.ts';
import { subscribedTasks } from '../src/clock/subscribed.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry, type Registry } from '../src/desk/registry.ts';
import type { AskOptions } from '../src/desk/runner.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import { NotPermitted, type UserError } from '../src/errors.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { openSubscriptions, type Subscription, type Subscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { VersionedFiles } from '../src/state/versioned-files.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { type FakeChannel, fakeChannel } from './support/fake-channel.ts';
import { slackProblems } from './support/slack-limits.ts';

const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const signal = new AbortController().signal;
/** A Friday. */
const NOW = new Date('2026-11-20T13:00:00Z');

let engine: QueryEngine;
let registry: Registry;
let files: VersionedFiles;
let subscriptions: Subscriptions;
let desk: Desk;

beforeAll(async () => {
  engine = await openDuckDB(inject('sampleStore'));
  registry = await loadRegistry(root);
});
afterAll(() => engine.close());
beforeEach(() => {
  files = openVersionMemory();
  subscriptions = openSubscriptions(files);
  desk = openDesk(registry, engine, { subscriptions, saved: openSavedQuestions(openVersionMemory()), isSample: true });
});

const refusal = async (channel: string): Promise<string | undefined> => (channel === 'C0SHARED' ? 'That channel is shared.' : undefined);
const asking = (more: Partial<AskOptions> = {}): AskOptions => ({
  now: NOW,
  signal,
  requester: 'U0ALICE',
  timeZone: 'Europe/Berlin',
  places: { workspace: null, current: 'C0SEC', refusal },
  ...more,
});
const ask = (line: string, more: Partial<AskOptions> = {}): Promise<Answer> => desk.answer(line, asking(more));
const said = async (line: string, more: Partial<AskOptions> = {}): Promise<string> => toText(await ask(line, more), templates);
const refused = (line: string, more: Partial<AskOptions> = {}): Promise<UserError> =>
  ask(line, more).then(
    () => Promise.reject(new Error(`${line} was not refused`)),
    (error: UserError) => error,
  );

test('Subscriptions name who made them and their channels as Slack does, and notify nobody where many read them', async () => {
  await ask('subscribe daily 09:00');
  const answer = await ask('subscriptions');
  const shown = JSON.stringify(toMessage(answer, templates).blocks);
  expect(shown).toContain('{"type":"user","user_id":"U0ALICE"}');
  expect(shown).toContain('{"type":"channel","channel_id":"C0SEC"}');
  const shared = JSON.stringify(toMessage(answer, templates, { sharedBy: 'U0BOB' }).blocks);
  expect(shared).not.toContain('user_id');
  expect(shared).toContain('"text":"U0ALICE"');
  expect(slackProblems(toMessage(answer, templates), { mentions: ['U0ALICE', 'C0SEC'] })).toEqual([]);
});

describe('subscribe', () => {
  test.each([
    ['daily weekdays 9am', 'daily', '0 9 * * 1-5', 'Europe/Berlin', '2026-11-23 08:00:00'],
    ['daily 09:00', 'daily', '0 9 * * *', 'Europe/Berlin', '2026-11-21 08:00:00'],
    ['daily', 'daily', '0 8 * * *', 'Europe/Berlin', '2026-11-21 07:00:00'],
    ['monthly 9am', 'monthly', '0 9 1 * *', 'Europe/Berlin', '2026-12-01 08:00:00'],
    ['monthly 2 10:00', 'monthly', '0 10 2 * *', 'Europe/Berlin', '2026-12-02 09:00:00'],
    ['weekly 10:00', 'weekly', '0 10 * * 1', 'Europe/Berlin', '2026-11-23 09:00:00'],
    ['weekly', 'weekly', '30 8 * * 1', 'Europe/Berlin', '2026-11-23 07:30:00'],
    ['events text:"a #b" 7d daily 9am', 'events text:"a #b" 7d', '0 9 * * *', 'Europe/Berlin', '2026-11-21 08:00:00'],
    ['Daily account:111122223333 mon 10:00', 'daily account:111122223333', '0 10 * * 1', 'Europe/Berlin', '2026-11-23 09:00:00'],
    ['root-logins 7d weekdays 9am', 'root-logins 7d', '0 9 * * 1-5', 'Europe/Berlin', '2026-11-23 08:00:00'],
    ['root logins 7d every monday at 10:00 utc', 'root-logins 7d', '0 10 * * 1', 'UTC', '2026-11-23 10:00:00'],
    ['count source:s3 by:user 24h 0 7 * * 1-5', 'count source:s3 by:user 24h', '0 7 * * 1-5', 'Europe/Berlin', '2026-11-23 06:00:00'],
    ['root-logins since monday 10:00', 'root-logins since monday', '0 10 * * *', 'Europe/Berlin', '2026-11-21 09:00:00'],
    ['events event:DeleteTrail 7d monthly 1 09:00', 'events event:DeleteTrail 7d', '0 9 1 * *', 'Europe/Berlin', '2026-12-01 08:00:00'],
  ])('%s', async (typed, line, cron, timeZone, first) => {
    expect(await said(`subscribe ${typed}`)).toContain(`Subscribed as number 1: ${line} is posted in #C0SEC`);
    expect(await said('subscriptions')).toBe('1 subscription. pause, resume, unsubscribe and test take the number of one.');
    expect(await subscriptions.find('1')).toMatchObject({ line, cron, timeZone, channel: 'C0SEC', by: 'U0ALICE', at: '2026-11-20T13:00:00Z' });
    const { rows = [] } = (await ask('subscriptions')).table ?? {};
    expect(rows[0]?.cells.next).toBe(`${first.replace(' ', 'T')}Z`);
  });

  test('says when the first one is posted, and is the same when it is asked twice', async () => {
    expect(await said('subscribe root-logins 7d weekdays 9am')).toBe(
      'Subscribed as number 1: root-logins 7d is posted in #C0SEC weekdays 09:00 (Europe/Berlin), first 2026-11-23 08:00:00 UTC.',
    );
    expect(await said('/trail subscribe root-logins 7d weekdays at 09:00')).toContain('There is this subscription already, as number 1');
    expect((await subscriptions.all()).known.size).toBe(1);
  });

  test('takes the channel that Slack’s list has, and not a name or a channel that others read', async () => {
    await ask('subscribe daily 09:00 <#C0OTHER|audit>');
    await ask('subscribe daily in <#C0THIRD> 10:00');
    expect([...(await subscriptions.all()).known.values()].map(({ channel }) => channel)).toEqual(['C0OTHER', 'C0THIRD']);
    expect((await refused('subscribe daily 09:00 #audit')).message).toContain('Which channel is #audit?');
    expect((await refused('subscribe daily 09:00 <#C0SHARED|x>')).message).toBe('That channel is shared.');
    const { places: _, ...outside } = asking();
    await expect(desk.answer('subscribe daily 09:00', outside)).rejects.toThrow('A subscription is posted in a channel of Slack.');
  });

  test.each([
    ['', '“subscribe” needs a report'],
    ['root-logins 7d', 'When?', 'subscribe root-logins 7d weekdays 09:00'],
    ['rot-logins 7d weekdays 9am', 'There is no command “rot-logins”'],
    ['daily by:user 09:00', 'takes only filters'],
    ['key AKIA…MPLE daily 09:00', 'needs the whole access key'],
    ['root-logins 7d 0 9 30 2 *', 'never comes'],
    ['root-logins 7d */5 * * * *', 'too often'],
    ['help daily 09:00', 'is help'],
    ['weekly daily 09:00', 'is about a whole week'],
    ['monthly weekdays 9am', 'is about a whole month'],
    ['root-logins 7d weekdays 9', 'If the end is a time'],
    ['root-logins 7d daily 9am CET', 'then a zone, such as Europe/Berlin'],
  ])('refuses %j', async (typed, message, suggestion = undefined) => {
    const error = await refused(`subscribe ${typed}`);
    expect(error.message).toContain(message);
    if (suggestion) expect(error.suggestion).toBe(suggestion);
    expect((await subscriptions.all()).known.size).toBe(0);
  });

  test('takes a saved question, as it is now', async () => {
    await ask('save root-week: root-logins 7d');
    await ask('subscribe root-week weekdays 9am');
    expect(await subscriptions.find('1')).toMatchObject({ line: 'root-logins 7d' });
    await expect(ask('save test: root-logins 7d')).rejects.toThrow('is a command already');
  });
});

describe('A subscription', () => {
  test('is shown at once to who asks for a test, over the time that it would cover', async () => {
    await ask('subscribe daily weekdays 9am');
    await ask('subscribe root-logins 7d weekdays 9am');
    const daily = await ask('test 1');
    expect(daily).toMatchObject({ template: 'daily', coverage: { from: '2026-11-18T23:00:00Z', to: '2026-11-19T23:00:00Z' } });
    expect(await ask('test 2')).toMatchObject({ template: 'root-logins', line: 'root-logins 7d' });
    expect((await refused('test 3')).message).toContain('There is no subscription 3');
    expect((await refused('pause')).message).toContain('needs the number');
  });

  test('is shown as what it asks is answered: with the names of accounts, and a key that it names whole', async () => {
    const accountNames = new Map([['444455556666', 'production']]);
    desk = openDesk(registry, engine, { subscriptions, isSample: true, accountNames: async () => accountNames });
    const line = 'events key:AKIAEXAMPLE000000005 7d';
    await ask(`subscribe ${line} weekdays 9am`);
    const shown = await ask('test 1');
    expect(shown).toMatchObject({ line, accountNames });
    expect(() => toMessage(shown, templates)).not.toThrow();
  });

  test('is paused, resumed and ended by who made it, or by anyone in its channel', async () => {
    await ask('subscribe daily 09:00');
    const elsewhere = { requester: 'U0BOB', places: { workspace: null, current: 'C0OTHER', refusal } };
    expect((await refused('pause 1', elsewhere)).message).toContain('is of another user');
    expect(await said('pause 1', { requester: 'U0BOB' })).toContain('Paused 1: daily is not posted until somebody resumes it.');
    expect((await ask('subscriptions')).table?.rows[0]?.cells).toMatchObject({ next: null, state: 'paused: by a user' });
    expect(await said('resume 1', { now: new Date('2026-11-25T10:00:00Z') })).toContain('Resumed 1: daily is posted in #C0SEC daily 09:00');
    expect(await subscriptions.find('1')).toMatchObject({ paused: null, since: '2026-11-25T10:00:00Z' });
    expect(await said('unsubscribe 1', { places: { workspace: null, current: undefined, refusal } })).toContain('Subscription 1 has ended.');
    expect(await said('subscriptions')).toContain('There are no subscriptions.');
    await ask('subscribe daily 10:00');
    expect([...(await subscriptions.all()).known.keys()]).toEqual(['2']);
  });

  test('that is damaged is named, and the others are there', async () => {
    await ask('subscribe daily 09:00');
    await files.add('7', 0, { line: 'daily' });
    const answer = await ask('subscriptions');
    expect(answer.note).toBe('Subscriptions that cannot be read, and are not posted: 7.');
    expect(answer.table?.rows).toHaveLength(1);
  });
});

describe('The clock', () => {
  let now: number;
  let channels: Map<string | undefined, FakeChannel>;
  let told: { user: string; answer: Answer }[];
  let refusedNow: { readonly reason: string; readonly isCertain: boolean } | undefined;
  let slots: VersionedFiles;

  beforeEach(() => {
    now = NOW.getTime();
    channels = new Map();
    told = [];
    refusedNow = undefined;
    slots = openVersionMemory();
  });

  const channelOf = (id: string | undefined): FakeChannel => {
    const known = channels.get(id) ?? fakeChannel();
    channels.set(id, known);
    return known;
  };
  const posted = (id: string) => channelOf(id).arrived.map(({ answer }) => answer);

  async function withClock(work: (clock: Clock) => Promise<void>): Promise<void> {
    const log = pino({ level: 'silent' });
    const clock = startClock({
      tasks: async () => ({
        tasks: await subscribedTasks({
          subscriptions,
          watched: openVersionMemory(),
          incomplete: openVersionMemory(),
          files: slots,
          channelOf,
          reports: registry.reports,
          clock: () => new Date(now),
          log,
          timeoutMs: 90_000,
          ask: desk.report,
          answer: desk.answer,
          refusal: async () => refusedNow,
          tell: async (user, answer) => void told.push({ user, answer }),
        }),
        isComplete: true,
      }),
      timeZone: 'UTC',
      clock: () => new Date(now),
      log,
      files: slots,
      channelOf,
      signal,
    });
    try {
      await clock.look();
      await work(clock);
    } finally {
      await clock.stop();
    }
  }
  const lookAt = async (clock: Clock, time: string): Promise<void> => {
    now = Date.parse(time);
    await clock.look();
    await clock.look();
  };

  test('posts a report and a question in their channels, each once for each time', async () => {
    await ask('subscribe daily account:111122223333 weekdays 9am <#C0DAILY|d>');
    await ask('subscribe root-logins 7d daily 10:00 UTC <#C0ROOT|r>');
    await withClock(async (clock) => {
      await lookAt(clock, '2026-11-21T08:30:00Z');
      expect(posted('C0DAILY')).toEqual([]);
      await lookAt(clock, '2026-11-21T10:00:00Z');
      await lookAt(clock, '2026-11-21T10:01:00Z');
      expect(posted('C0ROOT')).toMatchObject([{ template: 'root-logins', coverage: { to: '2026-11-21T10:00:00Z' } }]);
      await lookAt(clock, '2026-11-23T08:00:00Z');
      expect(posted('C0DAILY')).toMatchObject([{ template: 'daily', coverage: { from: '2026-11-21T23:00:00Z', to: '2026-11-22T23:00:00Z' } }]);
    });
  });

  test('is posted in its own workspace; one of before workspaces were noted, in the only one', async () => {
    await ask('subscribe root-logins 7d daily 10:00 UTC', { places: { workspace: 'T0OWN', current: 'C0ROOT', refusal } });
    const { workspace, ...before } = (await subscriptions.find('1')) as Subscription;
    expect(workspace).toBe('T0OWN');
    await files.add('2', 0, { ...before, channel: 'C0OLD' });
    channelOf('T0OWN/C0ROOT').fates.push({ kind: 'refused', reason: 'is_archived', remedy: 'Use another one.' });
    await withClock(async (clock) => {
      await lookAt(clock, '2026-11-21T10:00:00Z');
      expect(told).toMatchObject([{ user: 'T0OWN/U0ALICE', answer: { data: { channel: 'C0ROOT' } } }]);
      expect(posted('C0OLD')).toMatchObject([{ template: 'root-logins' }]);
    });
  });

  test('tells each channel of what it missed, and nothing of the time before a subscription or during a pause', async () => {
    await ask('subscribe daily 09:00 UTC <#C0DAILY|d>');
    await ask('subscribe root-logins 7d daily 10:00 UTC <#C0ROOT|r>');
    await ask('pause 2', { now: new Date('2026-11-20T14:00:00Z') });
    await withClock(async (clock) => {
      await lookAt(clock, '2026-11-22T20:00:00Z');
      await ask('resume 2', { now: new Date(now) });
      await lookAt(clock, '2026-11-24T20:00:00Z');
      expect(posted('C0DAILY').map((answer) => toText(answer, templates))).toEqual([
        'No daily report for Nov 20 and Nov 21: trailbot was not running.',
        'No daily report for Nov 22 and Nov 23: trailbot was not running.',
      ]);
      expect(posted('C0ROOT').map((answer) => toText(answer, templates))).toEqual([
        'No answer to root-logins 7d for Nov 23 at 10:00 and Nov 24 at 10:00: trailbot was not running.',
      ]);
    });
  });

  test('pauses a subscription whose channel is gone or is shared now, and tells who subscribed, once', async () => {
    await ask('subscribe daily 09:00 UTC <#C0GONE|d>');
    channelOf('C0GONE').fates.push({ kind: 'refused', reason: 'channel_not_found', remedy: 'Invite the bot if the channel is private.' });
    await withClock(async (clock) => {
      await lookAt(clock, '2026-11-21T09:00:00Z');
      await lookAt(clock, '2026-11-22T09:00:00Z');
      expect(told.map(({ user, answer }) => [user, toText(answer, templates)])).toEqual([
        [
          'U0ALICE',
          'Subscription 1 is paused: daily is not posted in #C0GONE any more, since Slack refused the message (channel_not_found). Invite the bot if the channel is private. Then resume 1 goes on with it.',
        ],
      ]);
      refusedNow = { reason: 'This channel is shared with another organization.', isCertain: true };
      await ask('resume 1', { now: new Date(now) });
      await lookAt(clock, '2026-11-23T09:00:00Z');
      expect(posted('C0GONE')).toEqual([]);
      expect(told).toHaveLength(2);
      expect((await subscriptions.find('1'))?.paused).toMatchObject({ by: null, reason: 'it may not be posted there any more' });
    });
  });

  test('pauses a subscription that the policy does not allow any more, and says so', async () => {
    await ask('subscribe root-logins 7d daily 10:00 UTC <#C0ROOT|r>');
    const answer = desk.answer;
    const permit = (question: string): never => {
      throw new NotPermitted(`The policy does not allow “${question}”.`);
    };
    desk = { ...desk, answer: (line, options) => answer(line, { ...options, permit }) };
    await withClock(async (clock) => {
      await lookAt(clock, '2026-11-21T10:00:00Z');
      expect(posted('C0ROOT')).toEqual([]);
      expect(told.map(({ user, answer }) => [user, toText(answer, templates)])).toEqual([
        [
          'U0ALICE',
          'Subscription 1 is paused: root-logins 7d is not posted in #C0ROOT any more, since the policy does not allow it. The policy does not allow “root-logins”. Then resume 1 goes on with it.',
        ],
      ]);
    });
  });

  test('waits while Slack does not say who reads a channel, and pauses nothing for a token or a long answer', async () => {
    await ask('subscribe root-logins 7d daily 10:00 UTC <#C0ROOT|r>');
    await withClock(async (clock) => {
      refusedNow = { reason: 'trailbot cannot see who reads here.', isCertain: false };
      await lookAt(clock, '2026-11-21T10:00:00Z');
      expect(posted('C0ROOT')).toEqual([]);
      refusedNow = undefined;
      await lookAt(clock, '2026-11-21T10:02:00Z');
      expect(posted('C0ROOT')).toHaveLength(1);
      channelOf('C0ROOT').fates.push({ kind: 'refused', reason: 'invalid_auth', remedy: 'Copy the token again.' });
      await lookAt(clock, '2026-11-22T10:00:00Z');
      expect(told).toEqual([]);
      expect((await subscriptions.find('1'))?.paused).toBeNull();
    });
  });

  test('posts that a question failed, and why', async () => {
    await ask('subscribe root-logins 7d daily 10:00 UTC');
    desk = openDesk(registry, { ...engine, execute: async () => Promise.reject(new Error('disk')) }, { subscriptions });
    await withClock(async (clock) => {
      for (const time of ['10:00', '10:01', '10:05', '10:20', '11:05']) await lookAt(clock, `2026-11-21T${time}:00Z`);
      expect(toText(posted('C0SEC')[0] as Answer, templates)).toMatch(
        /^No answer to root-logins 7d for Nov 21 at 10:00\. Internal error\. Reference: /,
      );
      expect(posted('C0SEC')).toHaveLength(1);
    });
  });
});

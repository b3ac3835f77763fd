import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDesk } from '../src/desk/desk.ts';
import { lookUpText, namesIn } from '../src/desk/look-up-text.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { openSavedQuestions } from '../src/desk/saved-questions.ts';
import type { BotOptions } from '../src/slack/bot.ts';
import { textOfMessage } from '../src/slack/message-text.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSubscriptions } from '../src/state/subscriptions.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { useSampleSlack } from './support/sample-slack.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems, viewProblems } from './support/slack-limits.ts';
import type { SentMessage, SentView } from './support/slack-proxy.ts';

const sample = useSampleSlack();
afterEach(async () => {
  for (const { method, ...message } of sample.slack.sent)
    expect(slackProblems(message, { mentions: [requester(), channel()], isLarge: true })).toEqual([]);
});

const requester = () => sample.slack.emulator.workspace.requester.id;
const channel = () => sample.slack.emulator.workspace.general.id;
const DIRECT = 'D0DIRECT';

const start = async (options: Partial<BotOptions> = {}): Promise<string> => (await sample.startBot({ desk: sample.desk, ...options })).url;

const nextView = (): Promise<SentView> =>
  vi.waitFor(() => {
    const view = sample.slack.views.at(-1);
    if (!view) throw new Error('no view yet');
    return view;
  }, 20_000);
const viewWith = (isMeant: (view: SentView) => boolean): Promise<SentView> =>
  vi.waitFor(() => {
    const view = sample.slack.views.find(isMeant);
    if (!view) throw new Error('no such view yet');
    return view;
  }, 20_000);
const LINE = 'events event:DeleteBucket 6mo';
const SENTENCE = '3 matching events; the latest is `DeleteBucket`';
const direct = (more: object = {}) => ({ type: 'message', channel_type: 'im', channel: DIRECT, user: requester(), ts: '50.1', text: LINE, ...more });
const actionsOf = ({ blocks }: SentMessage) =>
  blocks.flatMap(({ elements = [] }) => elements as { action_id?: string; value?: string; text?: { text: string } }[]);
const fieldOf = ({ view }: SentView, name: string) => view.blocks.find(({ block_id }) => block_id === name)?.element as Record<string, unknown>;

describe('a direct message', () => {
  beforeEach(() => {
    // The emulator has no such conversation.
    sample.slack.replies.set('chat.postMessage', ({ channel: to }) => (to === DIRECT ? { channel: to, ts: '60.1' } : undefined));
  });

  it('is a question, answered below it, with nothing to share', async () => {
    const url = await start();
    await sample.slack.event(url, direct());
    const answer = await sample.slack.next();
    expect(answer).toMatchObject({ method: 'chat.postMessage', channel: DIRECT });
    expect(answer).not.toHaveProperty('thread_ts');
    expect(answer.text).toContain(SENTENCE);
    expect(actionsOf(answer).map(({ action_id }) => action_id)).toContain('csv');
    expect(actionsOf(answer).map(({ action_id }) => action_id)).not.toContain('share');
  });

  it('has its pages turned in place, still with nothing to share', async () => {
    const url = await start();
    await sample.slack.event(url, direct({ text: 'events 6mo' }));
    const page = actionsOf(await sample.slack.next()).find(({ action_id }) => action_id === 'page');
    await sample.slack.click(url, { type: 'button', ...page }, { channel: { id: DIRECT }, message: { ts: '60.1' } });
    const second = await sample.slack.next();
    expect(second).toMatchObject({ method: 'response_url', replace_original: true });
    expect(actionsOf(second).map(({ action_id }) => action_id)).not.toContain('share');
  });

  it('in a thread is answered there, and one that mentions the bot is answered once', async () => {
    const url = await start();
    const { botUserId } = sample.slack.emulator;
    const text = `<@${botUserId}> ${LINE}`;
    await sample.slack.event(url, { ...direct({ text, thread_ts: '49.1' }) });
    await sample.slack.mention(url, LINE, { channel: DIRECT, ts: '50.1' });
    expect(await sample.slack.next()).toMatchObject({ thread_ts: '49.1', text: expect.stringContaining(SENTENCE) });
    await sample.slack.event(url, direct({ text: 'help', ts: '51.1' }));
    expect((await sample.slack.next()).text).not.toContain(SENTENCE);
  });

  it.each([
    ['an edit', { subtype: 'message_changed' }],
    ['one of a bot', { bot_id: 'B1' }],
    ['one in a channel', { channel_type: 'channel', channel: 'C1' }],
  ])('that is %s is not answered', async (_, more) => {
    const url = await start();
    await sample.slack.event(url, direct(more));
    await sample.slack.event(url, direct({ text: 'help', ts: '51.1' }));
    expect((await sample.slack.next()).text).not.toContain(SENTENCE);
    expect(sample.slack.sent).toHaveLength(1);
  });

  it('of a person who may not ask is refused', async () => {
    const url = await start({ access: { users: ['U0OTHER'] } });
    await sample.slack.event(url, direct());
    expect((await sample.slack.next()).text).toContain('You are not allowed to use trailbot here');
  });
});

describe('the message shortcut', () => {
  const alert = {
    type: 'message',
    ts: '70.1',
    text: '',
    blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Instance `i-0c0ffee000000002b` was *terminated*' } }],
    attachments: [
      {
        fallback: 'by <mailto:jonas.weber@example.com|jonas.weber@example.com> from 192.0.2.250',
        fields: [{ title: 'Account', value: '444455556666' }],
      },
    ],
  };
  const shortcut = (message: object) => ({
    type: 'message_action',
    callback_id: 'look_up',
    channel: { id: channel(), name: 'general' },
    message,
    message_ts: '70.1',
    response_url: `${sample.slack.apiUrl.replace('/api/', '')}/response/9`,
  });

  it('finds the names in a message, its blocks and its attachments, and offers the questions that fit', async () => {
    const url = await start();
    await sample.slack.interact(url, shortcut(alert));
    const offered = await sample.slack.next();
    expect(offered).toMatchObject({ method: 'response_url', response_type: 'ephemeral' });
    expect(offered.text).toBe(
      'In this message: `i-0c0ffee000000002b`, `jonas.weber@example.com`, `192.0.2.250`, `444455556666`. What do you want to know?',
    );
    const [first] = actionsOf(offered);
    expect(first?.value).toBe('who-started i-0c0ffee000000002b 90d');
    await sample.slack.click(url, { type: 'button', action_id: 'ask:0', value: first?.value });
    expect((await sample.slack.next()).text).toContain('i-0c0ffee000000002b');
  });

  it('in a thread answers in the thread, and says so where a message names nothing', async () => {
    const url = await start();
    await sample.slack.interact(url, shortcut({ type: 'message', ts: '70.2', thread_ts: '70.1', text: 'who broke it?' }));
    expect(await sample.slack.next()).toMatchObject({
      thread_ts: '70.1',
      text: expect.stringContaining('names nothing of AWS that can be looked up'),
    });
  });

  it('is refused to a person who may not ask', async () => {
    const url = await start({ access: { users: ['U0OTHER'] } });
    await sample.slack.interact(url, shortcut(alert));
    const { text } = await sample.slack.next();
    expect(text).toContain('You are not allowed');
    expect(text).not.toContain('192.0.2.250');
  });

  it('reads names as they are written in alerts', () => {
    const text =
      'ALARM (user="ci@example.com"): arn:aws:s3:::logs-prod/x was deleted, key AKIAIOSFODNN7EXAMPLE. See sg-0123456789abcdef0: 2001:db8::1, 10.0.0.1; s3://data/a.gz';
    expect(namesIn(text).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'email ci@example.com',
      'object x',
      'key AKIAIOSFODNN7EXAMPLE',
      'resource sg-0123456789abcdef0',
      'ip 2001:db8::1',
      'ip 10.0.0.1',
      'object a.gz',
    ]);
    expect(namesIn('the build of main is red, 12 tests failed at 10:31')).toEqual([]);
  });

  it('asks for an access key as it is written, and not for what looks like it', () => {
    const { next = [] } = sample.desk.lookUp('key AKIAIOSFODNN7EXAMPLE leaked, password=hunter2-and-more');
    expect(next.map(({ line }) => line)).toEqual(['key AKIAIOSFODNN7EXAMPLE 30d']);
  });

  it('offers only lines that can be asked', async () => {
    const { next = [] } = lookUpText(
      `${textOfMessage(alert)} arn:aws:iam::111122223333:role/deploy AKIAIOSFODNN7EXAMPLE s3://data arn:aws:iam::111122223333:user/bob`,
    );
    expect(next.length).toBeGreaterThan(6);
    for (const { line } of next)
      expect(await sample.desk.mistakeIn(line, { now: new Date(SAMPLE_END), signal: new AbortController().signal }), line).toBeUndefined();
  });
});

describe('the form', () => {
  const submitted = (values: Readonly<Record<string, string>>) => ({
    type: 'view_submission',
    view: {
      id: 'V1',
      type: 'modal',
      callback_id: 'ask',
      state: {
        values: {
          question: { question: { type: 'static_select', selected_option: { value: values.question } } },
          ...Object.fromEntries(
            ['words', 'filters', 'time'].map((name) => [name, { [name]: { type: 'plain_text_input', value: values[name] ?? null } }]),
          ),
          ...(values.name !== undefined && { name: { name: { type: 'static_select', selected_option: { value: values.name } } } }),
          place: { place: { type: 'conversations_select', selected_conversation: channel() } },
        },
      },
    },
    response_urls: [
      { block_id: 'place', action_id: 'value', channel_id: channel(), response_url: `${sample.slack.apiUrl.replace('/api/', '')}/response/8` },
    ],
  });

  it('is opened by the global shortcut, with every question', async () => {
    const url = await start();
    await sample.slack.interact(url, { type: 'shortcut', callback_id: 'ask' });
    const form = await nextView();
    expect(form).toMatchObject({ method: 'views.open', trigger_id: '1.3', view: { type: 'modal', callback_id: 'ask' } });
    const groups = fieldOf(form, 'question').option_groups as { options: { value: string }[] }[];
    expect(groups.flatMap(({ options }) => options.map(({ value }) => value)).toSorted()).toEqual(
      sample.desk.questions.map(({ name }) => name).toSorted(),
    );
    expect(viewProblems(form.view)).toEqual([]);
  });

  it('asks its question, and only who filled it in sees the answer', async () => {
    const url = await start();
    await sample.slack.interact(url, submitted({ question: 'events', filters: 'event:DeleteBucket', time: '6mo' }));
    expect(await sample.slack.next()).toMatchObject({ method: 'response_url', response_type: 'ephemeral', text: expect.stringContaining(SENTENCE) });
  });

  it('stays open with what is wrong where its question cannot be asked', async () => {
    const url = await start();
    const acknowledged = await sample.slack.interact(url, submitted({ question: 'who-started', time: '90d' }));
    expect(JSON.parse('body' in acknowledged ? acknowledged.body : '{}')).toEqual({
      response_action: 'errors',
      errors: { words: expect.stringContaining('who-started') },
    });
    expect(sample.slack.sent).toEqual([]);
  });

  it('is opened from an answer, filled in with its question', async () => {
    const url = await start();
    await sample.slack.slash(url, 'events event:DeleteBucket -user:bob by:user 6mo');
    const option = { value: '!edit events event:DeleteBucket -user:bob by:user 6mo' };
    const answer = await sample.slack.next();
    expect(JSON.stringify(answer.blocks)).toContain(JSON.stringify(option.value));
    await sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: option });
    const form = await nextView();
    expect(fieldOf(form, 'question').initial_option).toMatchObject({ value: 'events' });
    expect(fieldOf(form, 'words')).not.toHaveProperty('initial_value');
    expect(fieldOf(form, 'filters').initial_value).toBe('event:DeleteBucket -user:bob by:user');
    expect(fieldOf(form, 'time').initial_value).toBe('6mo');
  });

  it('is opened by a command that only lacks its word, with the newest names of the trail', async () => {
    const url = await start();
    expect(await sample.slack.slash(url, 'who-started 30d')).toEqual({ ok: true, body: '' });
    const form = await viewWith((view) => view.method === 'views.update');
    expect(sample.slack.views.map(({ method }) => method)).toEqual(['views.open', 'views.update']);
    expect(form.view.blocks[0]).toMatchObject({ type: 'section', text: { text: expect.stringContaining('“who-started” needs an instance') } });
    expect(fieldOf(form, 'question').initial_option).toMatchObject({ value: 'who-started' });
    expect(fieldOf(form, 'time').initial_value).toBe('30d');
    const names = fieldOf(form, 'name').options as { value: string }[];
    expect(names.length).toBeGreaterThan(3);
    for (const { value } of names) expect(value).toMatch(/^i-[0-9a-f]+$/);
    expect(slackProblems({ text: 'x', blocks: form.view.blocks })).toEqual([]);
    // A name that is chosen is the word.
    await sample.slack.interact(url, submitted({ question: 'who-started', time: '90d', name: names[0]?.value ?? '' }));
    expect((await sample.slack.next()).text).toContain(names[0]?.value);
    expect(sample.slack.sent).toHaveLength(1);
  });

  it('is not opened for who may not ask, for a word that is wrong, or too late: these are answered', async () => {
    await sample.slack.slash(await start({ access: { users: ['U0OTHER'] } }), 'who-started');
    expect((await sample.slack.next()).text).toContain('You are not allowed');
    const url = await start();
    await sample.slack.slash(url, 'who-started not-an-instance');
    expect((await sample.slack.next()).text).toContain('An instance id looks like');
    expect(sample.slack.views).toEqual([]);
    sample.slack.rejectView.set('views.open', () => 'expired_trigger_id');
    await sample.slack.slash(url, 'who-started');
    expect((await sample.slack.next()).text).toContain('needs an instance');
  });

  it('shows how the word of a question is written when it is chosen, and keeps what was typed', async () => {
    const url = await start();
    await sample.slack.interact(url, { type: 'shortcut', callback_id: 'ask' });
    const { id, hash } = await nextView();
    const values = { ...submitted({ question: 'who-deleted', filters: 'account:111122223333', time: '7d' }).view.state.values };
    const chosen = { type: 'static_select', action_id: 'question', block_id: 'question', selected_option: { value: 'key' } };
    await sample.slack.click(url, chosen, { view: { id, hash, type: 'modal', callback_id: 'ask', state: { values } }, channel: undefined });
    const form = await viewWith((view) => view.method === 'views.update');
    expect(form.view.blocks.find(({ block_id }) => block_id === 'words')).toMatchObject({
      label: { text: 'Key' },
      hint: { text: 'Write an access key id (AKIA… or ASIA…).' },
    });
    expect(fieldOf(form, 'filters').initial_value).toBe('account:111122223333');
    expect((fieldOf(form, 'name').options as { value: string }[])[0]?.value).toMatch(/^A(?:KIA|SIA)/);
  });

  it('looks for no names where that costs money, but for a word that is missing', async () => {
    const paid = openDesk(await loadRegistry(new URL('../', import.meta.url)), { ...sample.engine, estimate: async () => undefined });
    const options = { now: new Date(SAMPLE_END), signal: new AbortController().signal };
    expect((await paid.wordOf('key', options))?.names).toEqual([]);
    expect((await paid.wordOf('key', { ...options, mayCost: true }))?.names.length).toBeGreaterThan(0);
  });

  it('keeps an answer in the direct messages of who asked', async () => {
    const url = await start();
    await sample.slack.slash(url, LINE);
    const found = JSON.stringify((await sample.slack.next()).blocks).match(/!keep \w+/)?.[0];
    await sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value: found } });
    expect(await sample.slack.next()).toMatchObject({ method: 'chat.postMessage', channel: requester(), text: expect.stringContaining(SENTENCE) });
    expect((await sample.slack.next()).text).toBe('The answer is in your direct messages, too.');
  });

  it('shows the SQL behind an answer to who asks for it', async () => {
    const url = await start();
    await sample.slack.slash(url, LINE);
    const found = JSON.stringify((await sample.slack.next()).blocks).match(/!sql \w+/)?.[0];
    await sample.slack.click(url, { type: 'static_select', action_id: 'ask:next', selected_option: { value: found } });
    const { text, blocks } = await sample.slack.next();
    expect(text).toContain('2 statements answered this question');
    expect(JSON.stringify(blocks)).toContain('eventname in (?)');
  });
});

describe('App Home', () => {
  it('has questions to begin with, what was asked lately, and how fresh the trail is', async () => {
    const url = await start();
    await sample.slack.slash(url, LINE);
    await sample.slack.next();
    await sample.slack.event(url, { type: 'app_home_opened', user: requester(), channel: DIRECT, tab: 'home', event_ts: '1.1' });
    const { method, user_id, view } = await nextView();
    expect({ method, user_id, type: view.type }).toEqual({ method: 'views.publish', user_id: requester(), type: 'home' });
    const shown = JSON.stringify(view.blocks);
    for (const part of ['root-logins 30d', LINE, 'subscriptions', 'The trail has events of 4 accounts']) expect(shown).toContain(part);
    expect(viewProblems(view)).toEqual([]);
    await sample.slack.click(
      url,
      { type: 'button', action_id: 'ask:starters0', value: LINE },
      { channel: undefined, response_url: undefined, view: { type: 'home' } },
    );
    expect(await sample.slack.next()).toMatchObject({ method: 'chat.postMessage', channel: requester(), text: expect.stringContaining(SENTENCE) });
  });

  it('has what is saved and subscribed to, what was asked before a restart, and what is wrong with the trail', async () => {
    const files = openVersionMemory();
    const [saved, subscriptions] = [openSavedQuestions(openVersionMemory()), openSubscriptions(openVersionMemory())];
    const unwell = {
      ...sample.engine,
      extent: async () => ({ ...(await sample.engine.extent()), skippedFiles: 2, loadedAt: '2026-11-20T00:00:00Z' }),
    };
    const own = openDesk(await loadRegistry(new URL('../', import.meta.url)), unwell, { saved, subscriptions });
    const url = await start({ desk: own, recent: openRecentLines(files) });
    for (const line of ['save root-week: root-logins 7d', 'subscribe denied 1d weekdays 9am', LINE]) {
      await sample.slack.slash(url, line);
      await sample.slack.next();
    }
    const other = await start({ desk: own, recent: openRecentLines(files) });
    await vi.waitFor(
      async () =>
        expect(await openRecentLines(files).of({ workspace: { id: sample.slack.emulator.workspace.teamId }, user: requester() })).toContain(LINE),
      20_000,
    );
    await sample.slack.event(other, { type: 'app_home_opened', user: requester(), channel: DIRECT, tab: 'home', event_ts: '1.1' });
    const { view } = await nextView();
    const shown = JSON.stringify(view.blocks);
    for (const part of ['• `root-week`: `root-logins 7d`', '• 1: `denied 1d`', LINE, '2 log files could not be read', 'could not be loaded'])
      expect(shown).toContain(part);
    expect(viewProblems(view, { mentions: [channel()] })).toEqual([]);
  });

  it('says only that they may not ask to a person who may not', async () => {
    const url = await start({ access: { users: ['U0OTHER'] } });
    await sample.slack.event(url, { type: 'app_home_opened', user: requester(), channel: DIRECT, tab: 'home', event_ts: '1.1' });
    const shown = JSON.stringify((await nextView()).view.blocks);
    expect(shown).toContain('You are not allowed');
    expect(shown).not.toContain('accounts');
    expect(shown).not.toContain('ask:');
  });

  it('is not published when the messages are opened', async () => {
    const url = await start();
    await sample.slack.event(url, { type: 'app_home_opened', user: requester(), channel: DIRECT, tab: 'messages', event_ts: '1.1' });
    await sample.slack.slash(url, 'help');
    await sample.slack.next();
    expect(sample.slack.views).toEqual([]);
  });
});

describe('what this version does not know', () => {
  it('is acknowledged, and a button says so', async () => {
    const url = await start();
    expect(await sample.slack.click(url, { type: 'button', action_id: 'old-button', value: 'x' })).toMatchObject({ ok: true });
    expect((await sample.slack.next()).text).toContain('This is of another version of trailbot.');
    expect(await sample.slack.interact(url, { type: 'shortcut', callback_id: 'old' })).toMatchObject({ ok: true });
    expect(
      await sample.slack.interact(url, { type: 'view_submission', view: { type: 'modal', callback_id: 'old', state: { values: {} } } }),
    ).toMatchObject({
      ok: true,
    });
    expect(await sample.slack.slash(url, 'x', { command: '/other' })).toMatchObject({ ok: true, body: expect.stringContaining('/trail') });
  });
});

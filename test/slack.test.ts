/** The bot behind Bolt's own receiver, asked over signed HTTP. Slack is emulated, and no request leaves this machine. */
import { WebClient } from '@slack/web-api';
import nock from 'nock';
import { type DestinationStream, pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { openDuckDB } from '../duckdb/engine.ts';
import type { RequestResult } from '../playground/signed-requests.ts';
import type { Answer } from '../src/answer/answer.ts';
import { type Desk, openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import type { AskOptions } from '../src/desk/runner.ts';
import { UserError } from '../src/errors.ts';
import { type EventModal, eventView } from '../src/message/event-view.ts';
import { type HomeTab, homeView } from '../src/message/home-view.ts';
import { type MessageOptions, toMessage } from '../src/message/message.ts';
import { type Bot, type BotOptions, openBot } from '../src/slack/bot.ts';
import { boltLogger } from '../src/slack/logger.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import type { QueryEngine } from '../src/trail/engine.ts';
import { SAMPLE_END } from './support/sample-trail.ts';
import { slackProblems } from './support/slack-limits.ts';
import { openSlackProxy, type SentMessage, type SlackProxy } from './support/slack-proxy.ts';
import { until } from './support/until.ts';

const root = new URL('../', import.meta.url);
let engine: QueryEngine;
let real: Desk;
let slack: SlackProxy;
const log: string[] = [];
const running: Bot[] = [];

beforeAll(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect(/^(127\.0\.0\.1|localhost)/);
  engine = await openDuckDB(inject('sampleStore'));
  real = openDesk(await loadRegistry(root), engine, { isSample: true });
  slack = await openSlackProxy();
});
beforeEach(() => {
  slack.clear();
  log.length = 0;
});
afterEach(async () => {
  // Slack would accept every message that was sent.
  const shown = slack.sent.filter((message) => message.method !== 'chat.delete' && !('delete_original' in message));
  for (const { method, ...message } of shown) expect(slackProblems(message, { mentions: [requester(), OTHER_USER], isLarge: true })).toEqual([]);
  await Promise.all(running.splice(0).map((bot) => bot.stop(0)));
});
afterAll(async () => {
  await slack.close();
  await engine.close();
  nock.restore();
  nock.enableNetConnect();
});

const OTHER_USER = 'U0STRANGER';
const requester = () => slack.emulator.workspace.requester.id;
const channel = () => slack.emulator.workspace.general.id;

/** Starts a bot; `url` is its request URL. Its desk answers “slow” only when aborted, and throws for “boom”. */
async function start({ timeOf = real.timeOf, ...options }: Partial<BotOptions> & { readonly timeOf?: Desk['timeOf'] } = {}) {
  const desk = {
    ...real,
    timeOf,
    answer: async (line: string, options: AskOptions): Promise<Answer> => {
      if (line === 'boom') throw new Error('the secret inside', { cause: new Error('the cause') });
      if (line !== 'slow') return real.answer(line, options);
      await new Promise((resolve) => options.signal.addEventListener('abort', resolve, { once: true }));
      throw options.signal.reason;
    },
  };
  const stream: DestinationStream = { write: (line) => log.push(line) };
  const bot = openBot({
    transport: { kind: 'http', signingSecret: slack.emulator.signingSecret, host: '127.0.0.1', port: 0 },
    botToken: slack.emulator.botToken,
    slackApiUrl: slack.apiUrl,
    desk,
    shared: openSharedAnswers(openVersionMemory()),
    cancellations: openCancellations(openVersionMemory()),
    cases: openCases(openVersionMemory(), openVersionMemory),
    askedPeople: openAskedPeople(openVersionMemory()),
    recent: openRecentLines(openVersionMemory()),
    access: {},
    clock: () => new Date(SAMPLE_END),
    deadlineMs: 90_000,
    logger: boltLogger(pino({ base: null }, stream)),
    showHome: (shown: HomeTab) => homeView(shown, new URL('templates/', root)),
    showEvent: (modal: EventModal) => eventView(modal, new URL('templates/', root)),
    show: (answer: Answer, showing?: MessageOptions) => toMessage(answer, new URL('templates/', root), showing),
    ...options,
  });
  running.push(bot);
  const origin = `http://127.0.0.1:${await bot.start()}`;
  return { bot, origin, url: `${origin}/slack/events` };
}

/** What a command is acknowledged with. */
async function bodyOf(asked: Promise<RequestResult>): Promise<string> {
  const acknowledged = await asked;
  return acknowledged.ok ? acknowledged.body : acknowledged.error;
}

const LINE = 'events event:DeleteBucket 6mo';
const SENTENCE = '3 matching events; the latest is `DeleteBucket`';
const typesOf = ({ blocks }: SentMessage) => blocks.map(({ type }) => type);
const invalidTables = ({ blocks }: SentMessage) => (blocks.some(({ type }) => type === 'data_table') ? 'invalid_blocks' : undefined);
const invalidCharts = ({ blocks }: SentMessage) => (blocks.some(({ type }) => type === 'data_visualization') ? 'invalid_blocks' : undefined);
const WITH_BAND = 'events every:1h band:28d 2026-11-14 to 2026-11-20';

/** The pictures in a thread of the channel, as PNG files of Slack; waits for one. */
async function picturesIn(thread: string): Promise<{ readonly title: string | undefined; readonly alt: unknown }[]> {
  const client = new WebClient(slack.emulator.botToken, { slackApiUrl: slack.apiUrl });
  const files = await vi.waitFor(async () => {
    const { messages = [] } = await client.conversations.replies({ channel: channel(), ts: thread });
    const found = messages.flatMap(
      (message) => (message as { readonly files?: { title?: string; mimetype?: string; alt_txt?: unknown; size?: number }[] }).files ?? [],
    );
    expect(found).not.toEqual([]);
    return found;
  }, 20_000);
  return files.map(({ title, mimetype, alt_txt: alt, size }) => {
    expect({ mimetype, isLarge: (size ?? 0) > 10_000 }).toEqual({ mimetype: 'image/png', isLarge: true });
    return { title, alt };
  });
}

/** The question that an answer shows in its footer. */
const lineOf = ({ blocks }: SentMessage): string | undefined => {
  const { elements = [] } = blocks.at(-1) as { readonly elements?: readonly { readonly text?: unknown }[] };
  return /^`(.*)`$/.exec(String(elements[0]?.text))?.[1];
};
/** The button of a message that shares it, exports it or turns its page. */
function ownButton({ blocks }: SentMessage, action: string): object {
  const found = blocks.flatMap(({ elements = [] }) => elements as { action_id?: string }[]).find(({ action_id }) => action_id === action);
  if (!found) throw new Error(`the message has no button ${action}`);
  return found;
}

/** What the buttons of a message hold: lines, with the id of the answer before them or alone where a line is too long for it. */
const valuesOf = ({ blocks }: SentMessage): string[] =>
  blocks.flatMap(({ elements = [] }) => (elements as { value?: string }[]).flatMap(({ value }) => value ?? []));
const linesOf = (message: SentMessage): string[] => valuesOf(message).filter((value) => value.includes(' '));
/** The messages up to the first one that `isLast` accepts. */
async function sentUntil(isLast: (message: SentMessage) => boolean): Promise<SentMessage[]> {
  const sent = [await slack.next()];
  while (!isLast(sent.at(-1) as SentMessage)) sent.push(await slack.next());
  return sent;
}
const button = (value: string) => ({ type: 'button', action_id: 'ask:0', value });

describe('a slash command', () => {
  it('is acknowledged with an empty body, and answered in an ephemeral message', async () => {
    const { url } = await start();
    expect(await slack.slash(url, LINE)).toEqual({ ok: true, body: '' });
    const answer = await slack.next();
    expect(answer).toMatchObject({ method: 'response_url', response_type: 'ephemeral', replace_original: false });
    expect(answer.text).toContain(SENTENCE);
    expect(typesOf(answer)).toEqual(['section', 'data_table', 'actions', 'actions', 'context', 'context']);
  });

  it('is acknowledged within a second when the answer takes long, with what is searched and a button to cancel', async () => {
    const { url } = await start({ timeOf: () => '6 months' });
    const acknowledged = JSON.parse(await bodyOf(slack.slash(url, 'slow'))) as SentMessage;
    expect(acknowledged).toMatchObject({ response_type: 'ephemeral', text: 'Searching 6 months … The answer follows here.' });
    expect(slackProblems(acknowledged)).toEqual([]);
    expect(slack.sent).toEqual([]);
    await slack.click(url, ownButton(acknowledged, 'cancel'));
    // It is not searched any more.
    expect(await slack.next()).toMatchObject({ method: 'response_url', delete_original: true });
    expect((await slack.next()).text).toMatch(/^Cancelled after 0 s[.]/);
  });

  it('is acknowledged with nothing when the answer comes soon', async () => {
    const { url } = await start();
    expect(await slack.slash(url, 'help')).toEqual({ ok: true, body: '' });
  });

  it('is acknowledged in time also where who asks takes long to look up', async () => {
    const { url } = await start({ access: { teams: ['E0OTHER'] } });
    slack.failures.set(
      'users.info',
      Array.from({ length: 3 }, () => ({ status: 429, headers: { 'retry-after': '30' } })),
    );
    const asked = slack.slash(url, LINE, { team_id: 'T0OTHER' });
    expect(await asked).toEqual({ ok: true, body: '' });
  });

  it('gets help when it is empty', async () => {
    const { url } = await start();
    await slack.slash(url, '');
    expect((await slack.next()).text).toContain('I answer questions from CloudTrail:');
  });

  it('with an unknown command suggests the closest one on a button', async () => {
    const { url } = await start();
    await slack.slash(url, 'rar 7d');
    const { text, blocks } = await slack.next();
    expect(text).toContain('There is no command “rar”.');
    const buttons = blocks.find(({ type }) => type === 'actions')?.elements as { value: string }[];
    expect(buttons[0]?.value).toBe('rare 7d');
    await slack.click(url, button(buttons[0]?.value ?? ''));
    expect((await slack.next()).text).toContain('of call happened only once');
  });

  it('whose response_url has expired is answered in an ephemeral message', async () => {
    const { url } = await start();
    slack.reject.set('response_url', () => 'expired_url');
    await slack.slash(url, LINE);
    expect((await slack.next()).method).toBe('response_url');
    expect(await slack.next()).toMatchObject({ method: 'chat.postEphemeral', user: requester(), channel: channel() });
  });

  it('in a channel without the bot is answered in a direct message when the response_url has expired', async () => {
    const { url } = await start();
    slack.reject.set('response_url', () => 'expired_url').set('chat.postEphemeral', () => 'not_in_channel');
    await slack.slash(url, LINE);
    await slack.next();
    await slack.next();
    const last = await slack.next();
    expect(last).toMatchObject({ method: 'chat.postMessage', channel: requester() });
    expect(last.text).toContain(SENTENCE);
  });

  it('whose table Slack rejects is answered with the table as text', async () => {
    const { url } = await start();
    slack.reject.set('response_url', invalidTables);
    await slack.slash(url, LINE);
    for (const _ of ['large', 'small']) expect(typesOf(await slack.next())).toContain('data_table');
    const again = await slack.next();
    expect(typesOf(again)).toContain('rich_text');
    expect(typesOf(again)).not.toContain('data_table');
    expect(JSON.stringify(again.blocks)).toContain('example-legacy-exports');
  });

  it('whose blocks Slack rejects altogether is answered with its text alone', async () => {
    const { url } = await start();
    slack.reject.set('response_url', ({ blocks }) => (blocks.length > 0 ? 'invalid_blocks' : undefined));
    await slack.slash(url, LINE);
    for (const _ of ['large', 'small', 'plain']) await slack.next();
    const { text, blocks } = await slack.next();
    expect(blocks).toEqual([]);
    for (const part of [SENTENCE, 'this is its text alone', 'Its table has 3 rows', `\`${LINE}\``, 'data as of']) expect(text).toContain(part);
  });
});

describe('a mention', () => {
  it('is answered in a new thread, or in the thread that it is in', async () => {
    const { url } = await start();
    await slack.mention(url, LINE);
    expect(await slack.next()).toMatchObject({ method: 'chat.postMessage', channel: channel(), thread_ts: '100.1' });
    await slack.mention(url, LINE, { ts: '100.2', thread_ts: '90.5' });
    expect(await slack.next()).toMatchObject({ thread_ts: '90.5', unfurl_links: 'false' });
  });

  it.each([
    ['after another mention', (bot: string) => `<@U0OTHER> can you look? ${bot} ${LINE}`],
    ['between other mentions', (bot: string) => `<@U0OTHER|maria> and <@W0OTHER>: ${bot} ${LINE}`],
    ['with a label, and twice', (bot: string) => `${bot.replace('>', '|trail>')} ${LINE} ${bot}`],
    ['at the end', (bot: string) => `${LINE} ${bot}`],
    ['at the end, with a mark', (bot: string) => `${LINE}, ${bot}!`],
    ['with a colon', (bot: string) => `${bot}: ${LINE}`],
    ['with a comma', (bot: string) => `${bot}, ${LINE}`],
    ['with a dash', (bot: string) => `${bot} — ${LINE}`],
    ['in bold', (bot: string) => `*${bot}* ${LINE}`],
    ['in bold with a colon', (bot: string) => `*${bot}:* ${LINE}`],
    ['in bold together with the question', (bot: string) => `*${bot} ${LINE}*`],
    ['in italics at the end', (bot: string) => `${LINE} _${bot}_`],
    ['after a bullet', (bot: string) => `• ${bot} ${LINE}`],
    ['before a bullet', (bot: string) => `${bot}\n• ${LINE}`],
    ['with a question in everyday words', (bot: string) => `Hey ${bot}, please show me events event:DeleteBucket for the last 6 months?`],
  ])('%s is answered with the question next to it, in the same thread', async (_, textFor) => {
    const { url } = await start();
    const text = textFor(`<@${slack.emulator.botUserId}>`);
    await slack.mention(url, '', { text, ts: '100.7', thread_ts: '90.5' });
    const answer = await slack.next();
    expect(answer).toMatchObject({ method: 'chat.postMessage', channel: channel(), thread_ts: '90.5' });
    expect(answer.text).toContain(SENTENCE);
    expect(lineOf(answer)).toBe(LINE);
  });

  it('without a question gets help', async () => {
    const { url } = await start();
    await slack.mention(url, '');
    expect((await slack.next()).text).toContain('I answer questions');
  });

  it('in a channel that the bot may not post in is answered in an ephemeral message', async () => {
    const { url } = await start();
    slack.reject.set('chat.postMessage', () => 'restricted_action');
    await slack.mention(url, LINE);
    await slack.next();
    const ephemeral = await slack.next();
    expect(ephemeral).toMatchObject({ method: 'chat.postEphemeral', channel: channel(), user: requester() });
    expect(ephemeral.text).toContain(SENTENCE);
    // Slack shows ephemeral messages only in threads that have replies.
    expect(ephemeral).not.toHaveProperty('thread_ts');
    await slack.mention(url, LINE, { ts: '100.2', thread_ts: '90.5' });
    await slack.next();
    expect(await slack.next()).toMatchObject({ method: 'chat.postEphemeral', thread_ts: '90.5' });
    expect(log).toEqual([]);
  });

  it.each(['not_in_channel', 'is_archived'])('is answered in a direct message when Slack returns %s', async (errorCode) => {
    const { url } = await start();
    slack.reject
      .set('chat.postMessage', (message) => (message.channel === channel() ? errorCode : invalidTables(message)))
      .set('chat.postEphemeral', () => errorCode);
    await slack.mention(url, LINE, { thread_ts: '90.5' });
    const tries = await sentUntil((message) => message.channel === requester() && !typesOf(message).includes('data_table'));
    expect(tries.slice(0, 3).map(({ method }) => method)).toEqual(['chat.postMessage', 'chat.postEphemeral', 'chat.postMessage']);
    expect(tries.at(-1)?.text).toContain(SENTENCE);
    expect(tries.at(-1)).not.toHaveProperty('thread_ts');
    expect(log).toEqual([]);
  });

  it('that cannot be answered at all is logged without the answer', async () => {
    const { url } = await start();
    slack.reject.set('chat.postMessage', () => 'account_inactive').set('chat.postEphemeral', () => 'account_inactive');
    await slack.mention(url, LINE);
    for (const _ of [1, 2, 3]) await slack.next();
    await expect.poll(() => log.join()).toContain('Slack: account_inactive');
    expect(log.join()).not.toContain('DeleteBucket');
    expect(slack.sent).toHaveLength(3);
  });

  it('that Slack sends twice is answered once', async () => {
    const { bot, url } = await start();
    for (const [event_id, ts] of [
      ['EvSame', '100.1'],
      ['EvSame', '100.1'],
      ['EvOther', '100.2'],
      ['EvSame', '100.1'],
    ])
      await slack.mention(url, LINE, { event_id, ts });
    expect(await bot.stop(5000)).toBe(true);
    expect(slack.sent).toHaveLength(2);
  });

  it('that was edited is answered again only when its question changed', async () => {
    const { bot, url } = await start();
    const edited = { edited: { user: requester(), ts: '101.0' } };
    await slack.mention(url, LINE);
    expect(lineOf(await slack.next())).toBe(LINE);
    // The bold was added, and then another message mentions the bot with the same question.
    await slack.mention(url, '', { text: `*<@${slack.emulator.botUserId}>*: ${LINE}`, ...edited });
    await slack.mention(url, 'events event:DeleteBucket 5mo', edited);
    expect(lineOf(await slack.next())).toBe('events event:DeleteBucket 5mo');
    await slack.mention(url, LINE, { ts: '100.2' });
    expect(lineOf(await slack.next())).toBe(LINE);
    expect(await bot.stop(5000)).toBe(true);
    expect(slack.sent).toHaveLength(3);
  });

  it('with a time in words is answered in the time zone of the requester, or of the settings', async () => {
    const { url } = await start({ timeZone: 'America/New_York' });
    await slack.mention(url, 'events event:DeleteBucket yesterday');
    expect(lineOf(await slack.next())).toBe('events event:DeleteBucket 2026-11-19T05:00..2026-11-20T05:00');
    slack.timeZones.set(OTHER_USER, 'Not/A_Zone');
    await slack.mention(url, 'events event:DeleteBucket yesterday', { user: OTHER_USER, ts: '100.2' });
    expect(lineOf(await slack.next())).toBe('events event:DeleteBucket 2026-11-19T05:00..2026-11-20T05:00');
    const { url: other } = await start();
    slack.timeZones.set(requester(), 'Europe/Berlin');
    await slack.mention(other, 'events event:DeleteBucket between 10:00 and 10:05 yesterday');
    expect(lineOf(await slack.next())).toBe('events event:DeleteBucket 2026-11-20T09:00..2026-11-20T09:05');
  });

  it('by a bot is not answered', async () => {
    const { url } = await start();
    await slack.mention(url, LINE, { bot_id: 'B999' });
    await slack.mention(url, LINE, { subtype: 'bot_message', username: 'Workflow', ts: '100.4' });
    await slack.mention(url, 'help');
    expect((await slack.next()).text).toContain('I answer questions');
    expect(slack.sent).toHaveLength(1);
  });

  it('whose table Slack rejects is answered with the table as text', async () => {
    const { url } = await start();
    slack.reject.set('chat.postMessage', invalidTables);
    await slack.mention(url, LINE);
    for (const _ of ['large', 'small']) await slack.next();
    expect(typesOf(await slack.next())).toContain('rich_text');
  });

  it('whose chart Slack rejects has it as text and, in its thread, as a picture', async () => {
    const { url } = await start();
    slack.reject.set('chat.postMessage', invalidCharts);
    await slack.mention(url, WITH_BAND, { ts: '700.1' });
    await slack.next();
    expect(JSON.stringify((await slack.next()).blocks)).toContain('Events and what is usual (UTC)');
    expect(await picturesIn('700.1')).toEqual([
      {
        title: 'Events and what is usual (UTC)',
        alt: expect.stringMatching(/line chart of events, usual.*168 points from 11-14 00:00 to 11-20 23:00/),
      },
    ]);
  });

  it('has its chart as text alone where no file may be uploaded, and the log says so', async () => {
    const { url } = await start();
    slack.reject.set('chat.postMessage', invalidCharts);
    slack.failures.set('files.getUploadURLExternal', [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":false,"error":"missing_scope"}' },
    ]);
    await slack.mention(url, WITH_BAND, { ts: '701.1' });
    await expect.poll(() => log.join()).toContain('could not be posted as pictures (missing_scope)');
    expect(slack.sent).toHaveLength(3);
  });
});

describe('a button', () => {
  it('asks its question, and only the user who clicked sees the answer', async () => {
    const { url } = await start();
    expect(await slack.click(url, button(LINE))).toEqual({ ok: true, body: '' });
    const answer = await slack.next();
    expect(answer).toMatchObject({ method: 'response_url', response_type: 'ephemeral', replace_original: false });
    expect(answer.text).toContain(SENTENCE);
    expect(answer).not.toHaveProperty('thread_ts');
  });

  it('in a thread is answered in the thread, also when the response_url has expired', async () => {
    const { url } = await start();
    const thread = { message: { ts: '100.2', thread_ts: '100.1' } };
    await slack.click(url, button(LINE), thread);
    expect(await slack.next()).toMatchObject({ thread_ts: '100.1' });
    slack.reject.set('response_url', () => 'used_url');
    await slack.click(url, button(LINE), thread);
    await slack.next();
    expect(await slack.next()).toMatchObject({ method: 'chat.postEphemeral', thread_ts: '100.1' });
  });

  it('of a message that only the user sees in a thread is answered in that thread', async () => {
    const { url } = await start();
    const container = { type: 'message', message_ts: '100.2', is_ephemeral: true, thread_ts: '100.1' };
    await slack.click(url, button(LINE), { message: undefined, container });
    expect(await slack.next()).toMatchObject({ response_type: 'ephemeral', thread_ts: '100.1' });
  });

  it('of a message with replies, such as a digest, is answered in the channel', async () => {
    const { url } = await start();
    await slack.click(url, button(LINE), { message: { ts: '100.1', thread_ts: '100.1' } });
    expect(await slack.next()).not.toHaveProperty('thread_ts');
  });

  it('can be a menu, and each of its options is a question', async () => {
    const { url } = await start();
    await slack.slash(url, LINE);
    const { blocks } = await slack.next();
    const menus = (blocks.find((block) => block.block_id === 'menus')?.elements ?? []) as { action_id: string; type: string; options: object[] }[];
    const menu = menus.find(({ action_id: id }) => id === 'ask:refine');
    expect(menu?.options.length).toBeGreaterThan(3);
    for (const selected_option of menu?.options ?? []) {
      await slack.click(url, { type: menu?.type, action_id: menu?.action_id, selected_option });
      expect((await slack.next()).text).toMatch(/^\d (?:matching )?events?\b/);
    }
  });

  it('that shares an answer posts it in the channel, with the user and the question', async () => {
    const { url } = await start();
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` });
    const shared = await slack.next();
    expect(shared).toMatchObject({ response_type: 'in_channel' });
    expect(JSON.stringify(shared.blocks[0])).toContain(`<@${requester()}> asked \`${LINE}\``);
    expect(JSON.stringify(shared.blocks)).not.toContain('"share"');
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` });
    expect(await slack.next()).toMatchObject({ response_type: 'ephemeral', text: 'This answer is shared here already.' });
    slack.reject.set('response_url', () => 'used_url');
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz2 ${LINE}` });
    await slack.next();
    expect(await slack.next()).toMatchObject({ method: 'chat.postMessage', channel: channel() });
  });

  it('that shares an answer says how to ask what is new since, and that asks the same line from then on', async () => {
    let now = new Date(Date.parse(SAMPLE_END) - 48 * 3_600_000);
    const shared = openSharedAnswers(openVersionMemory());
    const desk = openDesk(await loadRegistry(root), engine, { shared });
    const { url } = await start({ desk, shared, clock: () => now });
    await slack.slash(url, 'events event:DeleteBucket 6mo');
    const first = await slack.next();
    await slack.click(url, ownButton(first, 'share'));
    const [, again = ''] = /`\/trail (again \w+)` shows what is new since/.exec(JSON.stringify((await slack.next()).blocks)) ?? [];
    await slack.slash(url, again);
    expect((await slack.next()).text).toContain('Nothing can be new yet');
    now = new Date(SAMPLE_END);
    await slack.slash(url, again);
    const answer = await slack.next();
    expect(lineOf(answer)).toMatch(/^events event:DeleteBucket since 2026-11-\d\dT\d\d:\d\d$/);
    expect(JSON.stringify(answer.blocks)).toContain('What is new since the shared answer');
    await slack.slash(url, 'again zz1234567');
    expect((await slack.next()).text).toContain('There is no shared answer zz1234567.');
    await slack.slash(url, 'again');
    expect((await slack.next()).text).toContain('needs the id of a shared answer');
  });

  it('that shares an answer posts it no second time where Slack may have taken it', async () => {
    const { url } = await start();
    // The answer of Slack is lost on its way back.
    slack.failures.set('response_url', [{ status: 502 }]);
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz7 ${LINE}` });
    expect(await slack.next()).toMatchObject({ response_type: 'in_channel' });
    expect((await slack.next()).text).toContain('may not have been shown');
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz7 ${LINE}` });
    expect((await slack.next()).text).toBe('This answer is shared here already.');
    expect(slack.sent.filter(({ response_type, method }) => response_type === 'in_channel' || method === 'chat.postMessage')).toHaveLength(1);
  });

  it('works after a restart of the bot: it shares, exports and turns the page of the same question over the same time', async () => {
    const first = await start();
    await slack.slash(first.url, 'events source:s3 6mo');
    const answer = await slack.next();
    await first.bot.stop(0);
    const { url } = await start({ clock: () => new Date(Date.parse(SAMPLE_END) + 3 * 3_600_000) });
    await slack.click(url, ownButton(answer, 'page'));
    expect(JSON.stringify((await slack.next()).blocks)).toMatch(/Rows 1\d\d to \d+ of/);
    await slack.click(url, ownButton(answer, 'share'));
    expect(lineOf(await slack.next()) ?? '').toBe('');
    const shared = slack.sent.at(-1) as SentMessage;
    expect(JSON.stringify(shared.blocks[0])).toContain('events source:s3 2026-05-21..2026-11-20');
    expect(shared.text).toBe(answer.text);
    await slack.click(url, ownButton(answer, 'csv'));
    const sent = await sentUntil(({ text }) => text.startsWith('The CSV file with'));
    expect(sent.at(-1)).toMatchObject({ response_type: 'ephemeral' });
  });

  it('that shares a long question keeps all of it, so that it can be asked again', async () => {
    const shared = openSharedAnswers(openVersionMemory());
    const { url } = await start({ shared });
    const line = `events -user:${'x'.repeat(1400)} 6mo top:3`;
    await slack.slash(url, line);
    await slack.click(url, ownButton(await slack.next(), 'share'));
    const [, id = ''] = /again (\w+)/.exec(JSON.stringify((await slack.next()).blocks)) ?? [];
    expect((await shared.find(id))?.line).toContain('x'.repeat(1400));
  });

  it('turns the page of a table in place, and says which rows are shown', async () => {
    const { url } = await start();
    await slack.slash(url, 'events 6mo');
    const first = await slack.next();
    const rowsOf = ({ blocks }: SentMessage): unknown[][] => blocks.flatMap(({ rows = [] }) => (rows as unknown[][]).slice(1));
    expect(rowsOf(first).length).toBeGreaterThanOrEqual(100);
    expect(JSON.stringify(first.blocks)).toContain(`Rows 1 to ${rowsOf(first).length} of more than 1,000.`);
    await slack.click(url, ownButton(first, 'page'));
    const second = await slack.next();
    expect(second).toMatchObject({ response_type: 'ephemeral', replace_original: true });
    expect(JSON.stringify(second.blocks)).toContain(`Rows ${rowsOf(first).length + 1} to ${rowsOf(first).length + rowsOf(second).length} of`);
    expect(rowsOf(second)[0]).not.toEqual(rowsOf(first)[0]);
    await slack.click(url, ownButton(second, 'back'));
    expect(rowsOf(await slack.next())).toEqual(rowsOf(first));
  });

  it('exports all rows as CSV in a direct message, and says so where it was clicked', async () => {
    const { url } = await start();
    await slack.slash(url, 'events event:DeleteBucket,GetObject 6mo top:30');
    await slack.click(url, ownButton(await slack.next(), 'csv'));
    const sent = await sentUntil(({ method }) => method === 'response_url');
    expect(sent.map(({ method, channel: to }) => [method, to])).toEqual([
      ['chat.postMessage', requester()],
      ['response_url', undefined],
    ]);
    expect(sent.at(-1)).toMatchObject({ response_type: 'ephemeral', text: 'The CSV file with 30 rows is in your direct messages.' });
    const client = new WebClient(slack.emulator.botToken, { slackApiUrl: slack.apiUrl });
    const { files = [] } = await client.files.list({});
    const { url_private_download: address = '' } = files.find(({ name }) => name === 'events-newest-first.csv') ?? {};
    const file = await slack.emulator.fetch(address, { headers: { authorization: `Bearer ${slack.emulator.botToken}` } });
    const lines = (await file.text()).trim().split('\r\n');
    expect(lines).toHaveLength(31);
    expect(lines[0]).toContain('eventtime,actor');
  });

  it('says how to allow files where the app may not upload any', async () => {
    const { url } = await start();
    slack.failures.set('files.getUploadURLExternal', [
      { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":false,"error":"missing_scope"}' },
    ]);
    await slack.click(url, { type: 'button', action_id: 'csv', value: `zz1 ${LINE}` });
    const sent = await sentUntil(({ method }) => method === 'response_url');
    expect(sent.at(-1)?.text).toContain('add the bot scope files:write');
  });

  it('that shares a question that fails shows the error only to the user who clicked', async () => {
    const { url } = await start();
    await slack.click(url, { type: 'button', action_id: 'share', value: 'zz1 boom' });
    expect(await slack.next()).toMatchObject({ response_type: 'ephemeral' });
  });
});

describe('a requester who waits', () => {
  const waiting = { progressAfterMs: Array.from({ length: 1000 }, (_, i) => 10 * i) };
  /** Waits until `count` messages were sent. */
  const waitForMessages = (count: number) => until(() => expect(slack.sent.length).toBeGreaterThanOrEqual(count));

  it('gets one message with their place in the queue or the bytes scanned, and then the answer', async () => {
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        options.onProgress?.(line === 'help' ? { queuePosition: 3, ms: 0, bytes: 0 } : { queuePosition: 0, ms: 10, bytes: 12_300_000_000 });
        await waitForMessages(line === 'help' ? 1 : 3);
        options.onProgress?.({ queuePosition: 0, ms: 20, bytes: line === 'help' ? 0 : 12_400_000_000 });
        return real.answer('help', options);
      },
    };
    const { url } = await start({ ...waiting, desk });
    await slack.click(url, button('help'));
    expect(await slack.next()).toMatchObject({
      response_type: 'ephemeral',
      text: 'The query limit is reached. You are number 3 in the queue; the answer follows here.',
    });
    expect((await slack.next()).text).toContain('I answer questions from CloudTrail:');
    await slack.click(url, button('events 6mo'));
    expect((await slack.next()).text).toBe('Searching 6 months: 12.3 GB scanned so far. The answer follows here.');
    expect((await slack.next()).text).toContain('I answer questions from CloudTrail:');
    expect(slack.sent).toHaveLength(4);
  });

  it('can cancel, and hears what it had cost; nobody else can', async () => {
    let now = new Date(SAMPLE_END);
    const desk = {
      ...real,
      answer: async (_: string, { onProgress, signal }: AskOptions): Promise<Answer> => {
        onProgress?.({ queuePosition: 0, ms: 10, bytes: 1_200_000_000 });
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        throw signal.reason;
      },
    };
    const { url } = await start({ ...waiting, desk, clock: () => now });
    const cancel = ownButton(JSON.parse(await bodyOf(slack.slash(url, 'events 6mo'))), 'cancel');
    await slack.click(url, cancel, { user: { id: OTHER_USER, team_id: slack.emulator.workspace.teamId } });
    expect((await slack.next()).text).toBe('Only the person who asked can cancel a question.');
    now = new Date(now.getTime() + 12_000);
    await slack.click(url, cancel);
    expect(await slack.next()).toMatchObject({ delete_original: true });
    expect((await slack.next()).text).toBe('Cancelled after 12 s; 1.2 GB had been scanned.');
    // The button of a question that has ended is only in the way.
    await slack.click(url, cancel);
    expect(await slack.next()).toMatchObject({ delete_original: true });
  });

  it('can cancel a question that another replica runs', async () => {
    const cancellations = openCancellations(openVersionMemory());
    const [one, other] = [await start({ ...waiting, cancellations }), await start({ cancellations })];
    const cancel = ownButton(JSON.parse(await bodyOf(slack.slash(one.url, 'slow'))), 'cancel');
    await slack.click(other.url, cancel, { user: { id: OTHER_USER, team_id: slack.emulator.workspace.teamId } });
    expect((await slack.next()).text).toContain('If it still runs in another process, it stops within a few seconds.');
    const { value = '' } = cancel as { readonly value?: string };
    await until(async () => expect(await cancellations.find(value)).toBeUndefined());
    // Another user cancels nothing.
    expect(slack.sent).toHaveLength(1);
    await slack.click(other.url, cancel);
    expect((await slack.next()).text).toContain('it stops within a few seconds');
    expect((await slack.next()).text).toMatch(/^Cancelled after/);
  });

  it('sees one message that is edited in a direct message, and gone when the answer is there', async () => {
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        options.onProgress?.({ queuePosition: 0, ms: 10, bytes: 12_300_000_000 });
        await until(() => expect(slack.sent.at(-1)?.text).toContain('12.3 GB scanned so far'));
        options.onProgress?.({ queuePosition: 0, ms: 20, bytes: 45_600_000_000 });
        await until(() =>
          expect(slack.sent.at(-1)).toMatchObject({ method: 'chat.update', text: expect.stringContaining('45.6 GB scanned so far') }),
        );
        return real.answer(line, options);
      },
    };
    const { url } = await start({ desk });
    const { teamId } = slack.emulator.workspace;
    // The emulator has no direct messages: it is one by its type.
    await slack.event(url, { type: 'message', channel_type: 'im', channel: channel(), user: requester(), team: teamId, text: LINE, ts: '7.7' });
    await until(() => expect(slack.sent.map(({ method }) => method)).toEqual(['chat.postMessage', 'chat.update', 'chat.postMessage', 'chat.delete']));
    expect(slack.sent[2]?.text).toContain(SENTENCE);
  });

  it('gets the answer as a direct message, too, when it took long', async () => {
    const { url } = await start({ directAfterMs: 0 });
    await slack.slash(url, LINE);
    expect(await slack.next()).toMatchObject({ method: 'response_url', text: expect.stringContaining(SENTENCE) });
    expect(await slack.next()).toMatchObject({ method: 'chat.postMessage', channel: requester(), text: expect.stringContaining(SENTENCE) });
  });

  it('sees partial results, without follow-up buttons', async () => {
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        const answer = await real.answer(line, options);
        options.onPartial?.(answer, new Date('2026-10-01T00:00:00Z'));
        await until(() => expect(JSON.stringify(slack.sent)).toContain('Partial results'));
        return answer;
      },
    };
    const { url } = await start({ ...waiting, desk });
    await slack.click(url, button(LINE));
    // The first message, that it is being searched, may come before there is any result.
    const isPartial = ({ blocks }: SentMessage): boolean => JSON.stringify(blocks).includes('Partial results');
    const partial = (await sentUntil(isPartial)).at(-1) as SentMessage;
    const whole = await slack.next();
    expect(partial.text).toContain(SENTENCE);
    expect(JSON.stringify(partial.blocks)).toMatch(/Partial results[.] Events before <!date\^1790812800\^[^>]*> are still being scanned/);
    expect(partial.blocks.filter(({ block_id }) => block_id === 'next')).toEqual([]);
    expect(typesOf(whole)).toContain('actions');
  });

  it('gets ephemeral progress messages after a mention in a channel', async () => {
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        options.onProgress?.({ queuePosition: 1, ms: 0, bytes: 0 });
        await waitForMessages(1);
        return real.answer(line, options);
      },
    };
    const { url } = await start({ ...waiting, desk });
    await slack.mention(url, 'help');
    expect(await slack.next()).toMatchObject({
      method: 'chat.postEphemeral',
      user: requester(),
      text: expect.stringContaining('number 1 in the queue'),
    });
    expect((await slack.next()).method).toBe('chat.postMessage');
  });

  it('hears of subscriptions and snoozes alone, also after a mention', async () => {
    const { url } = await start();
    for (const line of ['test 3', 'subscriptions', 'please snooze actor:ci 7d']) {
      await slack.mention(url, line);
      expect((await slack.next()).method).toBe('chat.postEphemeral');
    }
    await slack.mention(url, 'help');
    expect((await slack.next()).method).toBe('chat.postMessage');
  });

  it('gets no progress message when the answer comes soon', async () => {
    const { url } = await start();
    await slack.slash(url, LINE);
    expect((await slack.next()).text).toContain(SENTENCE);
    expect(slack.sent).toHaveLength(1);
  });
});

describe('a question that exceeds the cost limit', () => {
  it('gets buttons to run it or a cheaper one', async () => {
    const choices = [
      { label: 'Run it', line: 'events 6mo spend:8' },
      { label: 'Only 30d (about $1)', line: LINE },
    ];
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        if (line !== 'events 6mo') return real.answer(LINE, options);
        throw new UserError('This reads about 1.2 TB (about $6). Run it?', undefined, choices);
      },
    };
    const { url } = await start({ desk });
    await slack.slash(url, 'events 6mo');
    const asked = await slack.next();
    expect(asked).toMatchObject({ response_type: 'ephemeral', text: 'This reads about 1.2 TB (about $6). Run it?' });
    expect(valuesOf(asked)).toEqual(choices.map(({ line }) => line));
    await slack.click(url, button('events 6mo spend:8'));
    expect((await slack.next()).text).toContain(SENTENCE);
  });

  it('is not run and paid for again when its answer is shared', async () => {
    let asked = 0;
    let now = new Date(SAMPLE_END);
    const desk = {
      ...real,
      answer: async (line: string, options: AskOptions): Promise<Answer> => {
        asked += 1;
        const { coverage, ...answer } = await real.answer(line, options);
        return { ...answer, ...(coverage && { coverage: { ...coverage, dollars: 6 } }) };
      },
    };
    const { url } = await start({ desk, clock: () => now, access: { channels: [channel()] } });
    await slack.slash(url, LINE);
    const share = ownButton(await slack.next(), 'share');
    await slack.click(url, share);
    expect(await slack.next()).toMatchObject({ response_type: 'in_channel', text: expect.stringContaining(SENTENCE) });
    expect(asked).toBe(1);
    // A channel that is not allowed does not get a cached answer either.
    await slack.click(url, share, { channel: { id: 'C0ELSEWHERE' } });
    expect(await slack.next()).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('channel') });
    expect(asked).toBe(1);
    // It is kept for 30 minutes. Asked again, it is about the same time.
    now = new Date(now.getTime() + 3_600_000);
    await slack.click(url, share, { message: { ts: '9.2', thread_ts: '9.1' } });
    expect(await slack.next()).toMatchObject({ response_type: 'in_channel', text: expect.stringContaining(SENTENCE), thread_ts: '9.1' });
    expect(asked).toBe(2);
  });
});

describe('a long question', () => {
  /** A question of that length, as trailbot prints it. */
  const lineOfLength = (length: number, letter = 'q') => {
    const quote = letter > '~' ? '"' : '';
    return `events user:${quote}${letter.repeat(length - `events user:${quote}${quote} 30d`.length)}${quote} 30d`;
  };
  /** No text and no button has only part of the question. */
  const expectWhole = (answer: SentMessage, line: string, letter = 'q') => {
    const [whole = ''] = new RegExp(`${letter}+`).exec(line) ?? [];
    for (const run of JSON.stringify(answer).match(new RegExp(`${letter}{20,}…?`, 'g')) ?? []) expect(run).toBe(whole);
    for (const value of linesOf(answer)) if (value !== WITHOUT) expect(value).toContain(whole);
  };

  /** The follow-up without the long value. */
  const WITHOUT = 'events 30d';

  it.each([
    [600, 'q', 'footer and buttons', { line: true, values: 2 }],
    [1940, 'q', 'footer and both buttons, at the limit', { line: true, values: 2 }],
    [2000, 'q', 'footer and the one button that has room for it', { line: true, values: 1 }],
    [1200, '漢', 'footer, and one button, since another has no room', { line: true, values: 1 }],
    [2000, '漢', 'footer only', { line: true, values: 0 }],
  ])('of %d characters “%s” is shown whole in %s', async (length, letter, _, { line: isShown, values }) => {
    const { url } = await start();
    const line = lineOfLength(length, letter);
    await slack.slash(url, line);
    const answer = await slack.next();
    expect(answer.text).toMatch(/^No event from /);
    expect(lineOf(answer)).toBe(isShown ? line : undefined);
    expect(linesOf(answer).filter((value) => value !== WITHOUT)).toHaveLength(values);
    expectWhole(answer, line, letter);
  });

  it('is shown whole next to the user when it is shared', async () => {
    const { url } = await start();
    const line = lineOfLength(1900);
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${line}` });
    const shared = await slack.next();
    expect(JSON.stringify(shared.blocks[0])).toContain(`<@${requester()}> asked \`${line}\``);
    expect(JSON.stringify(shared).split(line)).toHaveLength(2);
    // Each & is five characters in mrkdwn.
    await slack.click(url, { type: 'button', action_id: 'share', value: `zz2 ${lineOfLength(1900, '&')}` });
    expect(JSON.stringify((await slack.next()).blocks[0])).toContain(`<@${requester()}> asked this:`);
  });

  it('leaves room for fewer rows in an answer with many rows', async () => {
    const { url } = await start();
    const rowsOf = ({ blocks }: SentMessage) => blocks.flatMap(({ rows = [] }) => rows as unknown[]).length;
    await slack.slash(url, 'events 6mo -user:x top:200');
    const short = await slack.next();
    const line = `events -user:${'x'.repeat(1900)} 6mo top:200`;
    await slack.slash(url, line);
    const long = await slack.next();
    expect(lineOf(long)).toBe(`events -user:${'x'.repeat(1900)} top:200 6mo`);
    expect(rowsOf(long)).toBeGreaterThan(2);
    expect(rowsOf(long)).toBeLessThan(rowsOf(short));
  });

  it('is left out when it does not fit together with one row', () => {
    const columns = Array.from({ length: 20 }, (_, i) => ({ name: `c${i}`, label: `C${i}`, kind: 'text' }) as const);
    const wide = '漢'.repeat(120);
    const table = { caption: 'x', columns, rows: [{ cells: Object.fromEntries(columns.map(({ name }) => [name, wide])) }] };
    const isShown = (line: string) => {
      const message = toMessage({ template: 'error', data: { message: 'x', suggestion: null }, table, line }, new URL('templates/', root));
      expect(slackProblems(message)).toEqual([]);
      expect(JSON.stringify(message).split(wide)).toHaveLength(21);
      return JSON.stringify(message).includes(`\`${line}\``);
    };
    expect(isShown('x'.repeat(2800))).toBe(true);
    expect(isShown('字'.repeat(2800))).toBe(false);
  });

  it.each([
    [600, 'q', true, true],
    [2000, 'q', true, true],
    [1900, '&', false, false],
  ])('of %d characters “%s” with a typo is suggested whole or not at all', async (length, letter, isShown, isOnButton) => {
    const { url } = await start();
    const line = lineOfLength(length, letter);
    await slack.slash(url, line.replace('events', 'evnts'));
    const answer = await slack.next();
    expect(answer.text).toContain('There is no command “evnts”.');
    expect(JSON.stringify(answer.blocks).includes(`Did you mean \`${line}\`?`)).toBe(isShown);
    expect(JSON.stringify(answer.blocks).includes('Did you mean')).toBe(isShown);
    expect(valuesOf(answer)).toEqual(isOnButton ? [line] : []);
    expectWhole(answer, line);
  });

  it('of more than 2,000 characters is refused with the limit, to the requester only', async () => {
    const { url } = await start();
    await slack.mention(url, lineOfLength(2001));
    const answer = await slack.next();
    expect(answer.text).toContain('A question has at most 2,000 characters');
    expect(JSON.stringify(answer)).not.toContain('qqqqqqqqqq');
  });

  it('is whole in a button whose label is cut, and a question too long for a button gets none', () => {
    const [tooLong, long, short] = [lineOfLength(2001), lineOfLength(1990), 'events 6mo'];
    const next = [tooLong, long, short].map((line) => ({ label: line, line }));
    const { blocks } = toMessage({ template: 'error', data: { message: 'x', suggestion: null }, next }, new URL('templates/', root));
    const elements = blocks.flatMap((block) => (block.type === 'actions' ? block.elements : []));
    expect(elements).toMatchObject([
      { value: long, text: { text: `${long.slice(0, 74)}…` } },
      { value: short, text: { text: short } },
    ]);
  });
});

describe('an internal error', () => {
  it('shows only a reference, under which the log has the details', async () => {
    const { url } = await start();
    await slack.slash(url, 'boom');
    const { text } = await slack.next();
    const [, reference = ''] = /^Internal error\. Reference: `([0-9a-f]{8})`/.exec(text) ?? [];
    expect(reference).not.toBe('');
    expect(JSON.stringify(slack.sent)).not.toContain('secret');
    const entry = log.find((line) => line.includes(reference)) ?? '';
    expect(entry).toContain('the secret inside');
    expect(entry).toContain('the cause');
  });

  it('while sending an answer is reported to the requester without details', async () => {
    const { url } = await start({
      show: () => {
        throw new Error('the secret inside');
      },
    });
    await slack.slash(url, LINE);
    expect((await slack.next()).text).toBe('The answer may not have been shown. Look whether it is here already; if not, ask again.');
    expect(log.join()).toContain('the secret inside');
  });

  it('is not shown for a timeout; a hint to shorten the time range is', async () => {
    const { url } = await start({ deadlineMs: 100 });
    await slack.slash(url, 'slow');
    expect((await slack.next()).text).toContain('The question took longer than 0.1 s and was stopped.');
  });
});

describe('access', () => {
  it.each([
    ['users', () => ({ users: ['U0SOMEBODY'] }), 'You are not allowed to use trailbot here.'],
    ['channels', () => ({ channels: ['C0ELSEWHERE'] }), 'trailbot is not allowed in this channel.'],
  ])('is refused by the list of %s for commands, mentions, buttons, menus and sharing', async (_, access, sentence) => {
    const { url } = await start({ access: access() });
    for (const ask of [
      () => slack.slash(url, LINE),
      () => slack.mention(url, LINE),
      () => slack.click(url, button(LINE)),
      () => slack.click(url, { type: 'static_select', action_id: 'ask:row', selected_option: { value: LINE } }),
      () => slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` }),
    ]) {
      expect(await ask()).toMatchObject({ ok: true });
      const answer = await slack.next();
      expect(answer.text).toContain(sentence);
      expect(answer).not.toMatchObject({ response_type: 'in_channel' });
    }
  });

  it('is given to users and channels on the lists', async () => {
    const { url } = await start({ access: { users: [requester()], channels: [channel()] } });
    await slack.slash(url, LINE);
    expect((await slack.next()).text).toContain(SENTENCE);
    await slack.slash(url, LINE, { channel_id: 'C0ELSEWHERE' });
    expect((await slack.next()).text).toContain('not allowed in this channel');
  });
});

describe('people of other workspaces', () => {
  const OTHER_TEAM = 'T0OTHER';
  const REFUSED = `trailbot answers only people of its own workspace. Yours is ${OTHER_TEAM}: an admin of trailbot can add it to ALLOWED_TEAMS.`;
  const UNKNOWN = 'trailbot could not find out which workspace you are from';
  const own = () => slack.emulator.workspace.teamId;
  const stranger = (fields: object = {}) => ({ id: OTHER_USER, team_id: OTHER_TEAM, ...fields });
  /** Sends a mention, and returns how it was answered. */
  const mentionBy = async (url: string, fields: Readonly<Record<string, unknown>>) => {
    await slack.mention(url, LINE, { user: OTHER_USER, ...fields });
    return slack.next();
  };
  // In the emulator they are in no channel.
  beforeEach(() => void slack.replies.set('chat.postEphemeral', () => ({})));
  /** Each has its own user, since what Slack says about a user is remembered. */
  let users = 0;
  const newUser = () => {
    users += 1;
    return `U0STRANGER${users}`;
  };

  it('are refused whatever they do, and only they see it', async () => {
    const { url } = await start();
    for (const ask of [
      () => slack.slash(url, LINE, { user_id: OTHER_USER, team_id: OTHER_TEAM }),
      () => slack.mention(url, LINE, { user: OTHER_USER, user_team: OTHER_TEAM, source_team: OTHER_TEAM, is_ext_shared_channel: true }),
      () => slack.mention(url, LINE, { user: OTHER_USER, team: OTHER_TEAM, ts: '100.2' }),
      () => slack.mention(url, LINE, { user: OTHER_USER, user_profile: { team: OTHER_TEAM }, ts: '100.3' }),
      () => slack.click(url, button(LINE), { user: stranger() }),
      () => slack.click(url, { type: 'static_select', action_id: 'ask:row', selected_option: { value: LINE } }, { user: stranger() }),
      () => slack.click(url, { type: 'button', action_id: 'share', value: `zz1 ${LINE}` }, { user: stranger() }),
    ]) {
      expect(await ask()).toMatchObject({ ok: true });
      const answer = await slack.next();
      expect(answer.text).toBe(REFUSED);
      if (answer.method === 'response_url') expect(answer.response_type).toBe('ephemeral');
      else expect(answer).toMatchObject({ method: 'chat.postEphemeral', user: OTHER_USER });
      // Nothing but the sentence: no lines to try, and no name of the trail.
      expect(typesOf(answer)).toEqual(['section']);
    }
  });

  it('are answered when their workspace is allowed', async () => {
    const { url } = await start({ access: { teams: [OTHER_TEAM] } });
    expect(await mentionBy(url, { team: OTHER_TEAM, user_team: OTHER_TEAM })).toMatchObject({ text: expect.stringContaining(SENTENCE) });
    await slack.click(url, button(LINE), { user: stranger() });
    expect((await slack.next()).text).toContain(SENTENCE);
    expect((await mentionBy(url, { team: 'T0THIRD', ts: '100.2' })).text).toContain('Yours is T0THIRD');
    // Who may ask in general is still checked.
    const { url: strict } = await start({ access: { teams: [OTHER_TEAM], users: [requester()] } });
    expect((await mentionBy(strict, { team: OTHER_TEAM })).text).toContain('ALLOWED_USERS');
  });

  it('are looked up when the request does not say where they are from, and refused when Slack does not either', async () => {
    const { url } = await start();
    const team = undefined;
    expect((await mentionBy(url, { team, user: newUser(), ts: '1.1' })).text).toContain(UNKNOWN);
    slack.replies.set('users.info', () => ({ user: { team_id: own() } }));
    expect((await mentionBy(url, { team, user: newUser(), ts: '1.2' })).text).toContain(SENTENCE);
    slack.replies.set('users.info', () => ({ user: { team_id: OTHER_TEAM } }));
    expect((await mentionBy(url, { team, user: newUser(), ts: '1.3' })).text).toBe(REFUSED);
    slack.replies.set('users.info', () => ({ user: {} }));
    expect((await mentionBy(url, { team, user: newUser(), ts: '1.4' })).text).toContain('Yours is unknown');
    slack.replies.set('users.info', () => ({ user: { team_id: own(), is_bot: true } }));
    expect((await mentionBy(url, { team, user: newUser(), ts: '1.5' })).text).toBe('trailbot does not answer bots.');
    await slack.click(url, button(LINE), { user: { id: newUser() } });
    expect((await slack.next()).text).toBe('trailbot does not answer bots.');
  });

  it('of an allowed workspace are known by it when their organization is named, too, and no one else of that', async () => {
    const { url } = await start({ access: { teams: [OTHER_TEAM] } });
    const partner = (...teams: string[]) => ({ user: { team_id: teams[0], enterprise_user: { enterprise_id: 'E0FAR', teams } } });
    slack.replies.set('users.info', () => partner('T0FAR', OTHER_TEAM));
    expect((await mentionBy(url, { user: newUser(), team: OTHER_TEAM, user_team: 'E0FAR', ts: '1.1' })).text).toContain(SENTENCE);
    slack.replies.set('users.info', () => partner('T0FAR'));
    expect((await mentionBy(url, { user: newUser(), team: own(), user_team: 'E0FAR', ts: '1.2' })).text).toContain('Yours is T0FAR');
    slack.replies.set('users.info', () => ({ ok: false, error: 'missing_scope' }));
    expect((await mentionBy(url, { user: newUser(), team: own(), user_team: 'E0FAR', ts: '1.3' })).text).toContain(UNKNOWN);
  });

  describe('in an Enterprise organization', () => {
    const ORGANIZATION = 'E0ORG';
    const member = (...teams: string[]) => ({ user: { team_id: teams[0], enterprise_user: { enterprise_id: ORGANIZATION, teams } } });
    const installed = (more: object = {}) =>
      slack.replies.set('auth.test', () => ({
        team_id: own(),
        enterprise_id: ORGANIZATION,
        user_id: slack.emulator.botUserId,
        bot_id: 'B1',
        ...more,
      }));

    it('are refused when they are of another workspace of it, unless the organization is allowed', async () => {
      installed();
      const { url } = await start();
      const { url: open } = await start({ access: { teams: [ORGANIZATION] } });
      slack.replies.set('users.info', () => member(OTHER_TEAM));
      expect((await mentionBy(url, { team: OTHER_TEAM, user_team: ORGANIZATION })).text).toBe(REFUSED);
      expect((await mentionBy(open, { team: OTHER_TEAM, user_team: ORGANIZATION })).text).toContain(SENTENCE);
      await slack.click(open, button(LINE), { user: stranger() });
      expect((await slack.next()).text).toContain(SENTENCE);
      slack.replies.set('users.info', () => ({ user: { team_id: 'T0FAR', enterprise_user: { enterprise_id: 'E0FAR' } } }));
      expect((await mentionBy(open, { user: newUser(), team: 'T0FAR', ts: '100.2' })).text).toContain('Yours is T0FAR');
    });

    it('are answered when they are of the bot’s workspace, also when only the organization is named', async () => {
      installed();
      const { url } = await start();
      expect((await mentionBy(url, { user_team: ORGANIZATION })).text).toContain(SENTENCE);
      slack.replies.set('users.info', () => member('T0FIRST', own()));
      expect((await mentionBy(url, { team: ORGANIZATION, ts: '100.2' })).text).toContain(SENTENCE);
      slack.replies.set('users.info', () => member('T0FIRST'));
      expect((await mentionBy(url, { user: newUser(), team: ORGANIZATION, ts: '100.3' })).text).toContain('Yours is T0FIRST');
    });

    it('are answered when the app is installed in all of it', async () => {
      installed({ is_enterprise_install: true });
      const { url } = await start();
      slack.replies.set('users.info', () => member(OTHER_TEAM));
      expect((await mentionBy(url, { team: OTHER_TEAM })).text).toContain(SENTENCE);
      slack.replies.set('users.info', () => ({ user: { team_id: 'T0FAR', enterprise_user: { enterprise_id: 'E0FAR' } } }));
      expect((await mentionBy(url, { user: newUser(), team: 'T0FAR', ts: '100.2' })).text).toContain('Yours is T0FAR');
    });
  });
});

describe('in a channel that is shared with another organization', () => {
  const share = { type: 'button', action_id: 'share', value: `zz1 ${LINE}` };
  const shared = () => slack.replies.set('conversations.info', () => ({ channel: { id: channel(), is_ext_shared: true } }));

  it('only the requester sees the answer to a mention, until they share it', async () => {
    const { url } = await start();
    await slack.mention(url, LINE, { is_ext_shared_channel: true });
    const answer = await slack.next();
    expect(answer).toMatchObject({ method: 'chat.postEphemeral', user: requester(), channel: channel() });
    expect(answer.text).toContain(SENTENCE);
    expect(JSON.stringify(answer.blocks)).toContain('"share"');
    expect(slack.sent).toHaveLength(1);
  });

  it('the same holds in one that is about to be shared, which an event does not tell', async () => {
    slack.replies.set('conversations.info', () => ({ channel: { id: channel(), is_ext_shared: false, is_pending_ext_shared: true } }));
    const { url } = await start();
    await slack.mention(url, LINE, { is_ext_shared_channel: false });
    expect((await slack.next()).method).toBe('chat.postEphemeral');
  });

  it('the same holds where Slack does not say whether it is shared', async () => {
    const { url } = await start();
    await slack.mention(url, LINE, { is_ext_shared_channel: null });
    expect((await slack.next()).method).toBe('chat.postMessage');
    slack.replies.set('conversations.info', () => ({ ok: false, error: 'missing_scope' }));
    const { url: other } = await start();
    await slack.mention(other, LINE, { is_ext_shared_channel: null });
    expect((await slack.next()).method).toBe('chat.postEphemeral');
  });

  it('nothing is shared, unless the settings name the channel', async () => {
    const { url } = await start();
    shared();
    await slack.click(url, share);
    expect(await slack.next()).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('shared with another organization') });
    const { url: allowed } = await start({ access: { channels: [channel()] } });
    await slack.click(allowed, share);
    expect(await slack.next()).toMatchObject({ response_type: 'in_channel', text: expect.stringContaining(SENTENCE) });
  });

  it.each(['missing_scope', 'channel_not_found'])('nothing is shared when Slack answers with %s', async (error) => {
    const { url } = await start();
    slack.replies.set('conversations.info', () => ({ ok: false, error }));
    await slack.click(url, share);
    const answer = await slack.next();
    expect(answer).toMatchObject({ response_type: 'ephemeral', text: expect.stringContaining('cannot see whether people of another organization') });
    expect(JSON.stringify(answer)).not.toContain('DeleteBucket');
    expect(slack.sent).toHaveLength(1);
  });

  it('a direct message gets no shared answer, and it says where one can be shared', async () => {
    const { url } = await start();
    await slack.click(url, { type: 'button', action_id: 'share', value: 'zz1 events 6mo' }, { channel: { id: 'D0DIRECT' } });
    expect(await slack.next()).toMatchObject({
      response_type: 'ephemeral',
      text: 'trailbot cannot see who reads a direct message, so nothing was posted. Share it in a channel that trailbot is in.',
    });
  });
});

describe('the receiver', () => {
  it('rejects requests without Slack’s signature', async () => {
    const { url } = await start();
    const body = new URLSearchParams({ command: '/trail', text: LINE }).toString();
    const timestamp = String(Math.floor(Date.now() / 1000));
    for (const [at, signature] of [
      [timestamp, 'v0=00'],
      ['1', 'v0=00'],
      [timestamp, ''],
    ] as const) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-slack-request-timestamp': at, 'x-slack-signature': signature };
      expect((await fetch(url, { method: 'POST', body, headers })).status).toBe(401);
    }
    expect(slack.sent).toEqual([]);
  });

  it('has health endpoints', async () => {
    const { origin } = await start();
    for (const path of ['/healthz', '/readyz']) expect((await fetch(origin + path)).status).toBe(200);
    expect((await fetch(`${origin}/nothing`)).status).toBe(404);
  });
});

describe('a report', () => {
  it('is posted in its channel with the name of its slot, and not sent again when Slack may have accepted it', async () => {
    const { bot } = await start();
    const digests = bot.digestChannel(channel());
    const answer = await real.answer('help', { now: new Date(SAMPLE_END), signal: new AbortController().signal });
    expect(await digests.post(answer, 'daily-2026-11-20')).toMatchObject({ kind: 'posted', ts: expect.stringMatching(/^\d+[.]\d+$/) });
    const { metadata, ...sent } = await slack.next();
    expect(sent).toMatchObject({ method: 'chat.postMessage', channel: channel() });
    expect(JSON.parse(String(metadata))).toEqual({ event_type: 'trailbot_digest', event_payload: { slot: 'daily-2026-11-20' } });
    slack.reject.set('chat.postMessage', () => 'internal_error');
    expect(await digests.post(answer, 'daily-2026-11-21')).toEqual({ kind: 'unknown', reason: 'internal_error' });
    expect(slack.sent).toHaveLength(2);
  });

  it('has its charts as pictures in its thread where Slack refuses charts, and not again when it is edited each hour', async () => {
    const { bot } = await start();
    slack.reject.set('chat.postMessage', invalidCharts).set('chat.update', invalidCharts);
    const answer = await real.answer(WITH_BAND, { now: new Date(SAMPLE_END), signal: new AbortController().signal });
    const digests = bot.digestChannel(channel());
    const posted = await digests.post(answer, 'watch-1');
    const { ts } = posted as { readonly ts: string };
    expect(await picturesIn(ts)).toHaveLength(1);
    expect(await digests.update(ts, answer)).toEqual({ kind: 'posted', ts });
    expect(await picturesIn(ts)).toHaveLength(1);
  });
});

describe('a bot that stops', () => {
  it('finishes running questions and takes no new ones', async () => {
    const held = Promise.withResolvers<void>();
    const { bot, url } = await start({
      desk: {
        ...real,
        answer: async (line, options) => {
          await held.promise;
          return real.answer(line, options);
        },
      },
    });
    await slack.slash(url, LINE);
    const stopped = bot.stop(90_000);
    expect(await slack.slash(url, LINE)).toMatchObject({ ok: false });
    held.resolve();
    expect(await stopped).toBe(true);
    expect(slack.sent).toHaveLength(1);
    expect(slack.sent[0]?.text).toContain(SENTENCE);
  });

  it('aborts questions that take too long, and tells their requesters', async () => {
    const { bot, url } = await start();
    await slack.slash(url, 'slow');
    expect(await bot.stop(50)).toBe(false);
    expect(slack.sent[0]?.text).toContain('trailbot is restarting and had to stop this question. Ask again in a minute.');
  });
});

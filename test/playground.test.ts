/** The playground in a real browser, with the emulated Slack and a small bot behind Bolt's own receiver. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { App, type BlockAction, type ButtonAction, HTTPReceiver, LogLevel, type RespondError, type StaticSelectAction } from '@slack/bolt';
import type { KnownBlock, ModalView, RichTextElement } from '@slack/types';
import { type WebAPIPlatformError, WebClient } from '@slack/web-api';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Page, servePage } from '../playground/page.ts';
import { openResponseUrls } from '../playground/response-urls.ts';
import { clientOptionsOf, openPlaygroundSlack, type PlaygroundSlack } from '../playground/slack.ts';
import { browserOf } from './support/browser.ts';

/** The files that run in the browser. */
const scripts = globSync('playground/*.js')
  .map((path) => basename(path))
  .sort();
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));

const hostile = '<script>window.ran = 1</script><img src=x onerror="window.ran = 1"><!channel>';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const mrkdwn = (text: string): KnownBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });
const rich = (part: RichTextElement) => ({ type: 'rich_text_section' as const, elements: [part] });
const raw = (text: string) => ({ type: 'raw_text' as const, text });

/** The bot's answers, by question. */
const answers: Record<string, KnownBlock[]> = {
  'root-logins 6mo': [
    { type: 'header', text: plain('Root logins') },
    mrkdwn('*root* signed in _5 times_'),
    {
      type: 'actions',
      elements: [
        { type: 'button', action_id: 'ask', value: 'root-activity 6mo', text: plain('What did root do?') },
        { type: 'button', action_id: 'replace', value: 'x', text: plain('Shorter') },
        { type: 'button', action_id: 'delete', value: 'x', text: plain('Dismiss') },
        { type: 'button', action_id: 'share', value: 'x', text: plain('Share') },
        {
          type: 'static_select',
          action_id: 'pick',
          placeholder: plain('Window'),
          options: ['7d', '30d'].map((days) => ({ text: plain(`Last ${days}`), value: days })),
        },
      ],
    },
  ],
  hostile: [
    { type: 'header', text: plain(hostile) },
    mrkdwn(`${hostile} <javascript:alert(1)|click> <https://ok.example/|fine>`),
    { type: 'data_table', caption: hostile, rows: [[raw(hostile)], [raw(hostile)]] },
    { type: 'table', rows: [[raw(hostile)], [raw(hostile)]] },
    {
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_section',
          elements: [{ type: 'text', text: hostile }],
        },
      ],
    },
    { type: 'markdown', text: hostile },
    { type: 'actions', elements: [{ type: 'button', text: plain(hostile.slice(0, 75)), action_id: 'x' }] },
    { type: 'card', title: { type: 'mrkdwn', text: hostile } },
  ],
  refused: [
    mrkdwn('x'.repeat(3001)),
    { type: hostile } as unknown as KnownBlock,
    { type: 'actions', elements: [{ type: 'button', text: plain('press'), url: 'javascript:window.ran = 1', action_id: 'x' }] },
  ],
  table: [
    {
      type: 'data_table',
      caption: 'Calls by actor',
      page_size: 2,
      rows: [
        [raw('Actor'), raw('Calls')],
        ...[9, 100, 20].map((value, i) => [raw(`actor-${i}`), { type: 'raw_number' as const, value, text: `${value} calls` }]),
      ],
    },
  ],
  'long table': [
    {
      type: 'data_table',
      caption: 'Calls by hour',
      page_size: 2,
      rows: [
        [raw('Actor'), raw('Last')],
        ...['alice', 'bob', 'Alice', 'carol', 'bob', 'dan'].map((actor, i) => [
          raw(actor),
          {
            type: 'rich_text' as const,
            elements: [rich({ type: 'date', timestamp: 1_795_225_011 + i * 86_400, format: '{date_num}', fallback: 'x' })],
          },
        ]),
      ],
    },
  ],
};

/** A modal that turns its pages. */
const eventView = (n: number, said = 'first'): ModalView => ({
  type: 'modal',
  callback_id: 'keep',
  title: plain(`Event ${n}`),
  submit: plain('Keep'),
  blocks: [
    mrkdwn(`said: ${said}`),
    {
      type: 'actions',
      elements: [
        ...(n > 1 ? [{ type: 'button' as const, action_id: 'event-previous', value: String(n - 1), text: plain('Previous event') }] : []),
        { type: 'button', action_id: 'event-next', value: String(n + 1), text: plain('Next event') },
        { type: 'button', action_id: 'event-raw', value: '9', text: plain('Raw') },
      ],
    },
    { type: 'input', block_id: 'note', label: plain('Note'), element: { type: 'plain_text_input', action_id: 'note' } },
  ],
});

let slack: PlaygroundSlack;
let app: App;
let botUrl: string;
/** The response_urls that the bot got, the newest last. */
const responseUrls: string[] = [];
/** The questions that it has answered. */
const answered: string[] = [];

async function startBot(): Promise<string> {
  const receiver = new HTTPReceiver({ signingSecret: slack.signingSecret, logLevel: LogLevel.ERROR });
  app = new App({
    receiver,
    token: slack.botToken,
    convoStore: false,
    // Without this, Bolt calls auth.test at once, and some tests end before the response.
    tokenVerificationEnabled: false,
    logLevel: LogLevel.ERROR,
    clientOptions: clientOptionsOf(slack),
  });
  app.command('/trail', async ({ ack, respond, command: { text, response_url } }) => {
    responseUrls.push(response_url);
    const blocks = answers[text];
    if (text === 'at once') return ack('an *immediate* answer');
    await ack();
    try {
      await respond(blocks ? { text: 'the blocks say it', blocks } : { text: `asked: ${text}` });
    } catch (error) {
      await respond({ text: `Slack said ${(error as RespondError).statusCode}` });
    }
    answered.push(text);
  });
  app.action<BlockAction<ButtonAction | StaticSelectAction>>(/^(?!event-)/, async ({ ack, respond, action }) => {
    await ack();
    if (action.action_id === 'replace') return void (await respond({ text: 'root: 5' }));
    if (action.action_id === 'delete') return void (await respond({ delete_original: true }));
    if (action.action_id === 'share')
      return void (await respond({ response_type: 'in_channel', replace_original: false, text: 'shared: root signed in' }));
    const chosen = action.type === 'button' ? action.value : action.selected_option.value;
    await respond({ replace_original: false, text: `chosen: ${chosen}` });
  });
  app.shortcut('ask', async ({ ack, shortcut, client }) => {
    await ack();
    await client.views.open({ trigger_id: shortcut.trigger_id, view: eventView(1) });
  });
  app.action<BlockAction<ButtonAction>>(/^event-/, async ({ ack, action, body, client }) => {
    await ack();
    const note = body.view?.state.values.note?.note?.value;
    const view = eventView(Number(action.value), `note: ${note}`);
    if (action.action_id === 'event-raw') return void (await client.views.push({ trigger_id: body.trigger_id, view }));
    const view_id = String(body.view?.id);
    await client.views.update({ view_id, hash: String(body.view?.hash), view: { ...view, title: plain('Loading'), blocks: view.blocks.slice(-1) } });
    await client.views.update({ view_id, view });
  });
  app.view('keep', async ({ ack, view }) => {
    const note = view.state.values.note?.note?.value;
    if (note === 'again') return ack({ response_action: 'update', view: eventView(7) });
    if (note === 'above') return ack({ response_action: 'push', view: eventView(8) });
    if (note === 'long') return ack({ response_action: 'update', view: { ...eventView(1), title: plain('x'.repeat(25)) } });
    await ack({ response_action: 'clear' });
  });
  app.event('app_mention', async ({ event, say }) => {
    await say({ text: `heard ${event.text}`, thread_ts: event.thread_ts ?? event.ts });
  });
  await app.start(0);
  return `http://127.0.0.1:${((receiver as unknown as { server: Server }).server.address() as AddressInfo).port}/slack/events`;
}

/** Longer than a browser takes on any machine, and shorter than a test may. */
const NEVER_MS = 90_000;

let page: Page;
let browser: Browser;
let tab: Tab;
const pageErrors: string[] = [];

const found = await browserOf();
if (!found) console.info('The page is not tested in a browser: no Chrome, Chromium or Edge is installed.');

beforeAll(async () => {
  if (found) browser = await chromium.launch(found);
});

afterAll(() => browser?.close());

beforeEach(async () => {
  slack = await openPlaygroundSlack();
  botUrl = await startBot();
  page = await servePage({
    port: 0,
    slack,
    botUrl: () => botUrl,
    examples: ['root-logins 6mo', 'help'].map((line) => ({ topic: 'Sign-ins', summary: `About ${line}`, line })),
    about: 'A fictional trail.',
  });
});

afterEach(async () => {
  await page.close();
  await app.stop();
  await slack.close();
});

/** Opens the page before each test and closes it afterwards; the page must have had no errors. */
function openTabs() {
  beforeEach(async () => {
    tab = await browser.newPage();
    tab.setDefaultTimeout(NEVER_MS);
    pageErrors.length = 0;
    tab.on('pageerror', (error) => pageErrors.push(error.message));
    tab.on('dialog', (dialog) => void dialog.dismiss().finally(() => pageErrors.push('dialog')));
    await tab.goto(page.url);
    await tab.getByRole('button', { name: '# general' }).waitFor();
  });
  afterEach(async () => {
    await tab.close();
    expect(pageErrors).toEqual([]);
  });
}

const type = async (words: string) => {
  await tab.getByLabel('Message', { exact: true }).fill(words);
  await tab.keyboard.press('Enter');
};
/** Waits until a message has the text. */
const waitForText = (text: string | RegExp) =>
  tab
    .getByRole('log')
    .getByText(text, { exact: typeof text === 'string' })
    .waitFor();
const click = (name: string) => tab.getByRole('button', { name, exact: true }).click();
const message = (text: string) => tab.locator('.message').filter({ hasText: text }).last();

describe.skipIf(!found)('the user', () => {
  openTabs();

  it('types a slash command and gets an ephemeral answer', async () => {
    await type('/trail root-logins 6mo');
    await waitForText('/trail root-logins 6mo');
    await tab.getByRole('heading', { name: 'Root logins' }).waitFor();
    expect(await message('Root logins').textContent()).toContain('Only visible to you');
    expect(await tab.locator('b', { hasText: /^root$/ }).count()).toBe(1);
  });

  it('can leave out the command, or click an example', async () => {
    await type('who-deleted my-bucket 90d');
    await waitForText('asked: who-deleted my-bucket 90d');
    await click('/trail help');
    await waitForText('asked: help');
  });

  it('sees an answer that the bot returns with the acknowledgement', async () => {
    await type('/trail at once');
    await tab.locator('b', { hasText: 'immediate' }).waitFor();
  });

  it('clicks a button, and the bot gets its value', async () => {
    await type('/trail root-logins 6mo');
    await click('What did root do?');
    await waitForText('chosen: root-activity 6mo');
    await tab.getByText('Window').click();
    await click('Last 30d');
    await waitForText('chosen: 30d');
  });

  it('sees messages that are shared, replaced and deleted', async () => {
    await type('/trail root-logins 6mo');
    await click('Share');
    await waitForText('shared: root signed in');
    expect(await message('shared: root').textContent()).not.toContain('Only visible');
    await click('Shorter');
    await waitForText('root: 5');
    expect(await tab.getByRole('heading', { name: 'Root logins' }).count()).toBe(0);
    await type('/trail root-logins 6mo');
    await click('Dismiss');
    await tab.getByRole('heading', { name: 'Root logins' }).waitFor({ state: 'detached' });
  });

  it('mentions the bot in a thread and gets the answer in the thread', async () => {
    await type('@trail who-started i-0abc');
    await waitForText('@trail who-started i-0abc');
    await click('1 reply');
    await waitForText('heard @trail who-started i-0abc');
    const reply = async (words: string) => {
      await tab.getByLabel('Reply', { exact: true }).fill(words);
      await tab.keyboard.press('Enter');
    };
    await reply('@trail and <b> i-0def & co');
    await waitForText('heard @trail and <b> i-0def & co');
    expect(await tab.locator('#messages > .message').count()).toBe(1);
    expect(await tab.locator('#replies > .message').count()).toBe(3);
    await reply('/trail help');
    await waitForText(/is not supported in threads/);
    await click('Close the thread');
    expect(await tab.getByText('heard').count()).toBe(0);
    await tab.getByRole('button', { name: '4 replies' }).waitFor();
  });

  it('starts a thread, and another message is in the channel', async () => {
    await type('@trail help');
    await type('@trail root-logins');
    await expect.poll(() => tab.getByRole('button', { name: '1 reply' }).count()).toBe(2);
    await tab.getByRole('button', { name: '1 reply' }).first().click();
    await tab.getByRole('button', { name: '1 reply' }).last().click();
    await waitForText('heard @trail root-logins');
    expect(await tab.locator('#replies > .message').count()).toBe(1);
    expect(await tab.locator('.reply[aria-expanded=true]').count()).toBe(1);
  });

  it('finds digests in their channel', async () => {
    await app.client.chat.postMessage({ channel: slack.workspace.digests.id, text: 'Morning digest', blocks: [mrkdwn('*Morning* digest')] });
    await tab.getByRole('button', { name: '# trail-digests new' }).click();
    await waitForText('Morning digest');
    await click('# general');
    expect(await tab.getByText('Morning digest').count()).toBe(0);
  });

  it('sorts a table by its columns and pages through it', async () => {
    await type('/trail table');
    const table = tab.getByRole('table', { name: 'Calls by actor' });
    await table.waitFor();
    const cells = () => table.locator('tbody td').allTextContents();
    expect(await cells()).toEqual(['9 calls', '100 calls']);
    await click('Calls');
    expect(await cells()).toEqual(['9 calls', '20 calls']);
    await click('Calls');
    expect(await cells()).toEqual(['100 calls', '20 calls']);
    expect(await table.getByRole('columnheader', { name: 'Calls' }).getAttribute('aria-sort')).toBe('descending');
    await click('Next');
    expect(await cells()).toEqual(['9 calls']);
    await waitForText('3–3 of 3');
  });

  it('filters a longer table by what its rows show, with its order and pages', async () => {
    await type('/trail long table');
    const table = tab.getByRole('table', { name: 'Calls by hour' });
    const actors = () => table.locator('tbody th').allTextContents();
    await table.waitFor();
    await click('Next');
    await tab.getByLabel('Filter rows').fill('ALICE');
    expect(await actors()).toEqual(['alice', 'Alice']);
    await waitForText('1–2 of 2, of 6 in all');
    const day = (await table.locator('tbody td').last().textContent()) ?? '';
    await tab.getByLabel('Filter rows').fill(`alice ${day}`);
    expect(await actors()).toEqual(['Alice']);
    await tab.getByLabel('Filter rows').fill('nobody');
    await waitForText('No row has this');
    expect(await actors()).toEqual([]);
    await tab.getByLabel('Filter rows').fill('o');
    await click('Last');
    await click('Last');
    expect(await actors()).toEqual(['bob', 'carol']);
    await click('Next');
    await waitForText('3–3 of 3, of 6 in all');
    await tab.getByLabel('Filter rows').fill('');
    await waitForText('1–2 of 6');
  });

  it('can do everything with the keyboard', async () => {
    await tab.keyboard.type('/trail root-logins 6mo');
    await tab.keyboard.press('Enter');
    const button = tab.getByRole('button', { name: 'What did root do?' });
    await button.waitFor();
    for (let presses = 0; presses < 20 && !(await button.evaluate((node) => node.matches(':focus'))); presses++)
      await tab.keyboard.press('Shift+Tab');
    await tab.keyboard.press('Enter');
    await waitForText('chosen: root-activity 6mo');
    for (let presses = 0; presses < 5 && !(await tab.getByText('Window').evaluate((node) => node.matches(':focus'))); presses++)
      await tab.keyboard.press('Tab');
    for (const key of ['Enter', 'Tab', 'Tab', 'Enter']) await tab.keyboard.press(key);
    await waitForText('chosen: 30d');
  });

  it('turns the pages of a modal with the keyboard, and opens one above it', async () => {
    await click('Shortcuts: ask in a form');
    await tab.getByRole('dialog', { name: 'Event 1' }).getByLabel('Note').fill('mine');
    const next = tab.getByRole('button', { name: 'Next event' });
    await next.focus();
    await tab.keyboard.press('Enter');
    const second = tab.getByRole('dialog', { name: 'Event 2' });
    await second.getByText('said: note: mine').waitFor();
    expect(await tab.getByRole('dialog').count()).toBe(1);
    expect(await second.getByLabel('Note').inputValue()).toBe('mine');
    await tab.keyboard.press('Enter');
    await tab.getByRole('dialog', { name: 'Event 3' }).waitFor();
    await click('Raw');
    await tab.getByRole('dialog', { name: 'Event 9' }).waitFor();
    expect(await tab.getByRole('dialog').count()).toBe(2);
    await tab.keyboard.press('Escape');
    await tab.getByRole('dialog', { name: 'Event 9' }).waitFor({ state: 'detached' });
    await tab.getByRole('dialog', { name: 'Event 3' }).waitFor();
  });

  it('submits a form, and the bot changes it, opens one above it, or closes all', async () => {
    await click('Shortcuts: ask in a form');
    const submit = async (name: string, note: string) => {
      const dialog = tab.getByRole('dialog', { name, exact: true });
      await dialog.getByLabel('Note').fill(note);
      await dialog.getByRole('button', { name: 'Keep' }).click();
    };
    await submit('Event 1', 'again');
    await submit('Event 7', 'above');
    await submit('Event 8', 'long');
    await tab.getByText('Slack refused the next form of trail').waitFor();
    expect(await tab.getByRole('dialog').count()).toBe(2);
    await submit('Event 8', 'done');
    await expect.poll(() => tab.getByRole('dialog').count()).toBe(0);
  });

  it('sees Slack’s error when the bot does not answer', async () => {
    await type('/other');
    await waitForText(/is not a valid command/);
    botUrl = botUrl.replace('/slack/events', '/nowhere');
    await type('/trail help');
    await waitForText('/trail failed with the error dispatch_failed');
    await type('@trail help');
    await waitForText(/The message did not reach trail/);
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    botUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    await type('/trail help');
    await waitForText('/trail failed with the error operation_timeout');
    silent.closeAllConnections();
    silent.close();
  });

  it('sees the first five messages that a bot sends to a response_url, and no more', async () => {
    await type('/trail help');
    await waitForText('asked: help');
    const answer = async (n: number) => {
      const response = await fetch(responseUrls.at(-1) as string, { method: 'POST', body: JSON.stringify({ text: `answer ${n}` }) });
      return { status: response.status, body: await response.text() };
    };
    for (const n of [2, 3, 4, 5]) expect(await answer(n)).toEqual({ status: 200, body: 'ok' });
    expect(await answer(6)).toEqual({ status: 404, body: '{"ok":false,"error":"used_url"}' });
    await waitForText('answer 5');
    expect(await tab.getByText('answer 6').count()).toBe(0);
  });
});

describe.skipIf(!found)('news of the server', () => {
  openTabs();

  it('include what the bot posts to the user alone', async () => {
    await app.client.chat.postEphemeral({ channel: slack.workspace.general.id, user: slack.workspace.requester.id, text: 'for sam' });
    await waitForText('for sam');
    expect(await message('for sam').textContent()).toContain('Only visible to you');
    await app.client.chat.postMessage({ channel: slack.workspace.general.id, text: 'for all' });
    await waitForText('for all');
    expect(await tab.locator('.message .body').allTextContents()).toEqual(['for sam', 'for all']);
  });

  it('come again when the server was away', async () => {
    await type('/trail help');
    await waitForText('asked: help');
    await page.close();
    const lost = tab.getByText('The playground cannot be reached. Is npm start still running?');
    await lost.waitFor();
    page = await servePage({ port: Number(new URL(page.url).port), slack, botUrl: () => botUrl, examples: [], about: 'Again.' });
    await tab.getByText('Again.').waitFor();
    await lost.waitFor({ state: 'hidden' });
    await type('/trail root-logins 6mo');
    await tab.getByRole('heading', { name: 'Root logins' }).waitFor();
    expect(await tab.getByText('asked: help').count()).toBe(0);
  });

  it('cost no request while there are none', async () => {
    const requests: string[] = [];
    tab.on('request', (sent) => requests.push(sent.url()));
    await tab.clock.install();
    await tab.reload();
    await tab.getByRole('button', { name: '# general' }).waitFor();
    const before = [...requests];
    expect(before).toContain(`${page.url}/events`);
    await tab.clock.fastForward(3_600_000);
    // What happens then comes over the connection that is open.
    await app.client.chat.postMessage({ channel: slack.workspace.general.id, text: 'an hour later' });
    await waitForText('an hour later');
    expect(requests).toEqual(before);
  });
});

describe.skipIf(!found)('what Slack would refuse', () => {
  openTabs();

  it('is not shown as a message, but with the reason and its JSON, and runs no code', async () => {
    await type('/trail refused');
    await waitForText('Slack said 400');
    expect(await tab.locator('.message').count()).toBe(2);
    await tab.getByText('Slack refused 1 request').click();
    const log = tab.locator('#refused');
    await log.getByText('response_url was answered with invalid_blocks').waitFor();
    const problems = await log.locator('ul > li').allTextContents();
    expect(problems).toEqual(
      expect.arrayContaining([
        '/blocks/0/text/text must have at most 3000 characters',
        expect.stringMatching(/^\/blocks\/1\/type /),
        '/blocks/2/elements/0/url must be a web address',
      ]),
    );
    await log.getByText('JSON').click();
    const { blocks } = JSON.parse((await log.locator('pre').textContent()) ?? '') as { blocks: { type: string }[] };
    expect(blocks[1]?.type).toBe(hostile);
    expect(await log.locator('a, img, script').count()).toBe(0);
    expect(await tab.evaluate("'ran' in window")).toBe(false);
    // It is still there for who loads the page again.
    await tab.reload();
    await tab.getByText('Slack refused 1 request').waitFor();
  });
});

describe.skipIf(!found)('hostile text', () => {
  openTabs();

  it('is shown literally and runs no code', async () => {
    await type('/trail hostile');
    await tab.getByRole('heading', { name: '<script>' }).waitFor();
    expect(await tab.locator('.body script, .body img').count()).toBe(0);
    expect(await tab.locator('.body a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual(['https://ok.example/']);
    expect(await tab.locator('td').allTextContents()).toEqual([hostile]);
    await waitForText('A block of type card cannot be shown');
    // In mrkdwn the text notifies the channel, and the page shows it as such a mention.
    expect(await tab.locator('.mention.group').allTextContents()).toEqual(['@channel']);
    await tab.locator('.actions button').click();
    await waitForText('chosen: undefined');
    expect(await tab.evaluate("'ran' in window")).toBe(false);
  });

  it('that the user types runs no code either', async () => {
    await type(hostile);
    await waitForText(`/trail ${hostile}`);
    expect(await tab.locator('.body script, .body img').count()).toBe(0);
    // Only the bot's earlier message has a mention. The page redraws when messages arrive.
    await expect.poll(() => tab.locator('.mention.group').allTextContents()).toEqual(['@channel']);
    expect(await tab.evaluate("'ran' in window")).toBe(false);
  });
});

describe('the server', () => {
  const send = (path: string, headers: Record<string, string>, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(page.url);
      const sending = request({
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-length': String(body?.length ?? 0), ...headers },
      });
      sending
        .on('response', (response) => resolve(response.resume().statusCode ?? 0))
        .on('error', reject)
        .end(body);
    });
  const message = () => JSON.stringify({ channel: slack.workspace.general.id, text: '/trail from its own page' });

  /** A request that posts a message in the first channel. */
  const postOf = (text: string) => ({
    method: 'POST',
    body: new URLSearchParams({ channel: slack.workspace.general.id, text }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${slack.botToken}` },
  });

  it('rejects requests for other host names', async () => {
    const { host, port } = new URL(page.url);
    expect(await send('/', { host })).toBe(200);
    expect(await send('/', { host: `localhost:${port}` })).toBe(200);
    expect(await send('/', { host: `evil.example:${port}` })).toBe(421);
    expect(await send('/', { host: '127.0.0.1' })).toBe(421);
  });

  it('gives other pages nothing, and lets a link open the page', async () => {
    const { host } = new URL(page.url);
    const own = { host, 'sec-fetch-site': 'same-origin' };
    for (const path of ['/', '/events', '/page.js']) {
      expect(await send(path, { host, origin: 'http://evil.example' }), path).toBe(403);
      for (const site of ['cross-site', 'same-site']) {
        expect(await send(path, { host, 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }), path).toBe(403);
        expect(await send(path, { host, 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }), path).toBe(403);
      }
    }
    expect(await send('/page.js', own)).toBe(200);
    const link = { host, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect(await send('/', link)).toBe(200);
    expect(await send('/events', link)).toBe(403);
    expect(await send('/message', { ...own, ...link, origin: 'http://evil.example' }, message())).toBe(403);
  });

  it('accepts messages only from its own page', async () => {
    const { host } = new URL(page.url);
    expect(await send('/message', { host, origin: page.url }, message())).toBe(200);
    expect(await send('/message', { host, origin: 'http://evil.example' }, message())).toBe(403);
    expect(await send('/message', { host, origin: 'null' }, message())).toBe(403);
    expect(await send('/message', { host }, message())).toBe(403);
    expect(await send('/message', { host, origin: page.url }, '{"text":1}')).toBe(400);
    expect(await send('/message', { host, origin: page.url }, 'x'.repeat(1_000_001))).toBe(413);
    await expect.poll(() => answered).toContain('from its own page');
  });

  it('serves only the files of the page', async () => {
    const { host } = new URL(page.url);
    for (const file of scripts) expect(await send(`/${file}`, { host }), file).toBe(200);
    expect(await send('/page.ts', { host })).toBe(404);
    expect(await send('/file/F1', { host })).toBe(404);
    expect(await send('/preview/F1', { host })).toBe(404);
    expect(await send('/../package.json', { host })).toBe(404);
    const { headers } = await fetch(page.url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('asks Slack for nothing while an open page has nothing to hear', async () => {
    let count = 0;
    const ownFetch: PlaygroundSlack['ownFetch'] = (url, init) => {
      count += 1;
      return slack.ownFetch(url, init);
    };
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate'] });
    const idle = await servePage({ port: 0, slack: { ...slack, ownFetch }, botUrl: () => botUrl, examples: [], about: '' });
    try {
      const { body } = await fetch(`${idle.url}/events`);
      const news = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
      const hear = async (text: string): Promise<void> => {
        for (let heard = ''; !heard.includes(text); ) heard += (await news.read()).value;
      };
      await slack.fetch(`${slack.apiUrl}chat.postMessage`, postOf('before'));
      await hear('before');
      const before = count;
      await vi.advanceTimersByTimeAsync(3_600_000);
      expect(count).toBe(before);
      await slack.fetch(`${slack.apiUrl}chat.postMessage`, postOf('after'));
      await hear('after');
      expect(count).toBeGreaterThan(before);
    } finally {
      vi.useRealTimers();
      await idle.close();
    }
  });

  it('uses a free port when its own is taken', async () => {
    const second = await openPlaygroundSlack();
    const other = await servePage({ port: Number(new URL(page.url).port), slack: second, botUrl: () => botUrl, examples: [], about: '' });
    expect((await fetch(other.url)).status).toBe(200);
    await other.close();
    await second.close();
  });
});

describe('the JavaScript of the page', () => {
  it('is type-checked, all of it, by npm run check', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', 'playground', '--listFilesOnly']);
    const checked = stdout.split('\n').filter((path) => path.endsWith('.js'));
    expect(checked.map((path) => basename(path)).sort()).toEqual(scripts);
    const { scripts: commands } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
    expect(commands.check?.split(' && ')).toContain('tsc -p playground');
  });
});

describe('the emulated Slack', () => {
  const nothing = () => undefined;
  const logger = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    setLevel: nothing,
    getLevel: () => LogLevel.ERROR,
    setName: nothing,
  };
  const bot = () => new WebClient(slack.botToken, { ...clientOptionsOf(slack), logger });
  const channel = () => slack.workspace.general.id;
  const long = [mrkdwn('x'.repeat(3001))];
  const refused = async (call: Promise<unknown>) => {
    const { data } = (await call.then(
      () => Promise.reject(new Error('it was taken')),
      (error: unknown) => error,
    )) as WebAPIPlatformError;
    return [data.error, ...(data.response_metadata?.messages ?? [])];
  };

  it('refuses messages as Slack does, and says where', async () => {
    const { chat, conversations } = bot();
    const { ts = '' } = await chat.postMessage({ channel: channel(), text: 'x', blocks: [mrkdwn('x')] });
    const invalid = ['invalid_blocks', '[ERROR] must have at most 3000 characters [json-pointer:/blocks/0/text/text]'];
    expect(await refused(chat.postMessage({ channel: channel(), text: 'x', blocks: long }))).toEqual(invalid);
    expect(await refused(chat.update({ channel: channel(), ts, text: 'x', blocks: long }))).toEqual(invalid);
    expect(await refused(chat.postEphemeral({ channel: channel(), user: slack.workspace.requester.id, text: 'x', blocks: long }))).toEqual(invalid);
    expect(await refused(chat.update({ channel: channel(), ts, text: 'x'.repeat(4001) }))).toContain('msg_too_long');
    const { messages = [] } = await conversations.history({ channel: channel() });
    expect(messages.map(({ text }) => text)).toEqual(['x']);
  });

  it('refuses by its size what a response_url takes', async () => {
    const blocks = Array.from({ length: 4 }, () => mrkdwn('x'.repeat(3000)));
    expect(await refused(bot().chat.postMessage({ channel: channel(), text: 'x', blocks }))).toEqual([
      'msg_blocks_too_long',
      '[ERROR] must have at most 9000 characters of text outside tables together, not 12000 [json-pointer:/blocks]',
    ]);
    expect(slack.refusals.ofResponse({ text: 'x', blocks })).toBeUndefined();
  });

  it('refuses views as Slack does', async () => {
    const client = bot();
    const { views } = client;
    const created = (await client.apiCall('views.generateTriggerId', { user_id: slack.workspace.requester.id })) as { trigger_id?: string };
    const modal = { type: 'modal' as const, title: plain('Event'), blocks: [mrkdwn('x')] };
    const title = ['invalid_arguments', '[ERROR] must have at most 24 characters [json-pointer:/view/title/text]'];
    const wrong = { ...modal, title: plain('x'.repeat(25)) };
    const trigger_id = String(created.trigger_id);
    expect(await refused(views.open({ trigger_id, view: wrong }))).toEqual(title);
    // What is refused does not use up the trigger.
    const { view } = await views.open({ trigger_id, view: modal });
    expect(await refused(views.update({ view_id: String(view?.id), view: wrong }))).toEqual(title);
    const home = { type: 'home' as const, blocks: Array.from({ length: 101 }, () => ({ type: 'divider' as const })) };
    expect(await refused(views.publish({ user_id: slack.workspace.requester.id, view: home }))).toEqual([
      'invalid_arguments',
      '[ERROR] must have at most 100 [json-pointer:/view/blocks]',
    ]);
  });
});

describe('a response_url', () => {
  it('expires after 30 minutes', () => {
    let now = 0;
    const urls = openResponseUrls(() => now);
    const path = urls.create({ channel: 'C1' });
    now = 30 * 60_000;
    expect(urls.use(path)).toEqual({ channel: 'C1' });
    now += 1;
    expect(urls.use(path)).toBeUndefined();
    expect(urls.use('/response/guess')).toBeUndefined();
  });
});

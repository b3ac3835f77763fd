/** The playground as a person uses it: a real browser, the emulated Slack, and a small bot behind Bolt's own receiver. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { App, type BlockAction, type ButtonAction, HTTPReceiver, LogLevel, type StaticSelectAction } from '@slack/bolt';
import type { KnownBlock } from '@slack/types';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Page, servePage } from '../playground/page.ts';
import { responseUrls } from '../playground/response-urls.ts';
import { openPlaygroundSlack, type PlaygroundSlack } from '../playground/slack.ts';
import { browserOf } from './support/browser.ts';

const hostile = '<script>window.ran = 1</script><img src=x onerror="window.ran = 1"><!channel>';

const plain = (text: string) => ({ type: 'plain_text' as const, text });
const mrkdwn = (text: string): KnownBlock => ({ type: 'section', text: { type: 'mrkdwn', text } });
const raw = (text: string) => ({ type: 'raw_text' as const, text });

/** What the bot answers, by the words it is asked. */
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
          elements: [
            { type: 'text', text: hostile },
            { type: 'link', url: 'javascript:alert(1)', text: 'press' },
          ],
        },
      ],
    },
    { type: 'markdown', text: hostile },
    { type: 'actions', elements: [{ type: 'button', text: plain(hostile), url: 'javascript:alert(1)', action_id: 'x' }] },
    { type: hostile } as unknown as KnownBlock,
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
};

let slack: PlaygroundSlack;
let app: App;
let botUrl: string;
/** The response_urls that the bot was given, the newest last. */
const given: string[] = [];
/** The lines that it has answered. */
const answered: string[] = [];

async function startBot(): Promise<string> {
  const receiver = new HTTPReceiver({ signingSecret: slack.signingSecret, logLevel: LogLevel.ERROR });
  app = new App({
    receiver,
    token: slack.botToken,
    convoStore: false,
    // It would ask Slack at once who it is, and some tests are over before the answer.
    tokenVerificationEnabled: false,
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
  });
  app.command('/trail', async ({ ack, respond, command: { text, response_url } }) => {
    given.push(response_url);
    const blocks = answers[text];
    if (text === 'at once') return ack('an *immediate* answer');
    await ack();
    await respond(blocks ? { text: 'the blocks say it', blocks } : { text: `asked: ${text}` });
    answered.push(text);
  });
  app.action<BlockAction<ButtonAction | StaticSelectAction>>(/./, async ({ ack, respond, action }) => {
    await ack();
    if (action.action_id === 'replace') return void (await respond({ text: 'root: 5' }));
    if (action.action_id === 'delete') return void (await respond({ delete_original: true }));
    if (action.action_id === 'share')
      return void (await respond({ response_type: 'in_channel', replace_original: false, text: 'shared: root signed in' }));
    const chosen = action.type === 'button' ? action.value : action.selected_option.value;
    await respond({ replace_original: false, text: `chosen: ${chosen}` });
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
const trouble: string[] = [];

const found = await browserOf();
if (!found) console.info('What a person sees on the page is not tested: no Chrome, Chromium or Edge is installed here.');

beforeAll(async () => {
  if (found) browser = await chromium.launch(found);
});

afterAll(() => browser?.close());

beforeEach(async () => {
  slack = await openPlaygroundSlack({ port: 0 });
  botUrl = await startBot();
  page = await servePage({ port: 0, slack, bot: () => botUrl, examples: ['root-logins 6mo', 'help'], about: 'An invented trail.' });
});

afterEach(async () => {
  await page.close();
  await app.stop();
  await slack.close();
});

/** Opens the page before each test, and closes it after, which nothing on it may have troubled. */
function openTabs() {
  beforeEach(async () => {
    tab = await browser.newPage();
    tab.setDefaultTimeout(NEVER_MS);
    trouble.length = 0;
    tab.on('pageerror', (error) => trouble.push(error.message));
    tab.on('dialog', (dialog) => void dialog.dismiss().finally(() => trouble.push('dialog')));
    await tab.goto(page.url);
    await tab.getByRole('button', { name: '# general' }).waitFor();
  });
  afterEach(async () => {
    await tab.close();
    expect(trouble).toEqual([]);
  });
}

const say = async (words: string) => {
  await tab.getByLabel('Message', { exact: true }).fill(words);
  await tab.keyboard.press('Enter');
};
/** Waits until the text is among the messages. */
const see = (text: string | RegExp) =>
  tab
    .getByRole('log')
    .getByText(text, { exact: typeof text === 'string' })
    .waitFor();
const press = (name: string) => tab.getByRole('button', { name, exact: true }).click();
const message = (text: string) => tab.locator('.message').filter({ hasText: text }).last();

describe.skipIf(!found)('a person', () => {
  openTabs();

  it('types a slash command and sees an answer that only they see', async () => {
    await say('/trail root-logins 6mo');
    await see('/trail root-logins 6mo');
    await tab.getByRole('heading', { name: 'Root logins' }).waitFor();
    expect(await message('Root logins').textContent()).toContain('Only visible to you');
    expect(await tab.locator('b', { hasText: /^root$/ }).count()).toBe(1);
  });

  it('need not type the command, and may press an example', async () => {
    await say('who-deleted my-bucket 90d');
    await see('asked: who-deleted my-bucket 90d');
    await press('/trail help');
    await see('asked: help');
  });

  it('sees an immediate answer too', async () => {
    await say('/trail at once');
    await tab.locator('b', { hasText: 'immediate' }).waitFor();
  });

  it('presses a button, and the bot gets its value', async () => {
    await say('/trail root-logins 6mo');
    await press('What did root do?');
    await see('chosen: root-activity 6mo');
    await tab.getByText('Window').click();
    await press('Last 30d');
    await see('chosen: 30d');
  });

  it('sees a message shared, replaced and deleted', async () => {
    await say('/trail root-logins 6mo');
    await press('Share');
    await see('shared: root signed in');
    expect(await message('shared: root').textContent()).not.toContain('Only visible');
    await press('Shorter');
    await see('root: 5');
    expect(await tab.getByRole('heading', { name: 'Root logins' }).count()).toBe(0);
    await say('/trail root-logins 6mo');
    await press('Dismiss');
    await tab.getByRole('heading', { name: 'Root logins' }).waitFor({ state: 'detached' });
  });

  it('mentions the bot in a thread and is answered in the thread', async () => {
    await say('@trail who-started i-0abc');
    await see('heard @trail who-started i-0abc');
    await press('Reply in thread');
    await say('@trail and <b> i-0def & co');
    await see('heard @trail and <b> i-0def & co');
    expect(await tab.locator('#messages > .message').count()).toBe(1);
    expect(await tab.locator('.replies .message').count()).toBe(3);
    await say('/trail help');
    await see(/is not supported in threads/);
  });

  it('finds a digest in the channel for digests', async () => {
    await app.client.chat.postMessage({ channel: slack.workspace.digests.id, text: 'Morning digest', blocks: [mrkdwn('*Morning* digest')] });
    await tab.getByRole('button', { name: '# trail-digests new' }).click();
    await see('Morning digest');
    await press('# general');
    expect(await tab.getByText('Morning digest').count()).toBe(0);
  });

  it('sorts a table by its heads and turns its pages', async () => {
    await say('/trail table');
    const table = tab.getByRole('table', { name: 'Calls by actor' });
    await table.waitFor();
    const cells = () => table.locator('tbody td').allTextContents();
    expect(await cells()).toEqual(['9 calls', '100 calls']);
    await press('Calls');
    expect(await cells()).toEqual(['9 calls', '20 calls']);
    await press('Calls');
    expect(await cells()).toEqual(['100 calls', '20 calls']);
    expect(await table.getByRole('columnheader', { name: 'Calls' }).getAttribute('aria-sort')).toBe('descending');
    await press('Next');
    expect(await cells()).toEqual(['9 calls']);
    await see('3–3 of 3');
  });

  it('needs no mouse', async () => {
    await tab.keyboard.type('/trail root-logins 6mo');
    await tab.keyboard.press('Enter');
    const button = tab.getByRole('button', { name: 'What did root do?' });
    await button.waitFor();
    for (let presses = 0; presses < 20 && !(await button.evaluate((node) => node.matches(':focus'))); presses++)
      await tab.keyboard.press('Shift+Tab');
    await tab.keyboard.press('Enter');
    await see('chosen: root-activity 6mo');
    for (let presses = 0; presses < 5 && !(await tab.getByText('Window').evaluate((node) => node.matches(':focus'))); presses++)
      await tab.keyboard.press('Tab');
    for (const key of ['Enter', 'Tab', 'Tab', 'Enter']) await tab.keyboard.press(key);
    await see('chosen: 30d');
  });

  it('is told when the bot does not answer, as Slack tells it', async () => {
    await say('/other');
    await see(/is not a valid command/);
    botUrl = botUrl.replace('/slack/events', '/nowhere');
    await say('/trail help');
    await see('/trail failed with the error dispatch_failed');
    await say('@trail help');
    await see(/did not take the mention/);
    const deaf = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    botUrl = `http://127.0.0.1:${(deaf.address() as AddressInfo).port}/`;
    await say('/trail help');
    await see('/trail failed with the error operation_timeout');
    deaf.closeAllConnections();
    deaf.close();
  });

  it('sees what a bot answers at a response_url, five times and no more', async () => {
    await say('/trail help');
    await see('asked: help');
    const answer = async (n: number) => {
      const response = await fetch(given.at(-1) as string, { method: 'POST', body: JSON.stringify({ text: `answer ${n}` }) });
      return { status: response.status, body: await response.text() };
    };
    for (const n of [2, 3, 4, 5]) expect(await answer(n)).toEqual({ status: 200, body: 'ok' });
    expect(await answer(6)).toEqual({ status: 404, body: '{"ok":false,"error":"used_url"}' });
    await see('answer 5');
    expect(await tab.getByText('answer 6').count()).toBe(0);
  });
});

describe.skipIf(!found)('hostile text', () => {
  openTabs();

  it('is shown as it stands and runs nothing', async () => {
    await say('/trail hostile');
    await tab.getByRole('heading', { name: '<script>' }).waitFor();
    expect(await tab.locator('.body script, .body img').count()).toBe(0);
    expect(await tab.locator('.body a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual(['https://ok.example/']);
    expect(await tab.locator('td').allTextContents()).toEqual([hostile]);
    await see(`cannot show a block of type ${hostile}`);
    // In mrkdwn the same text would ring everybody, and the page says so.
    expect(await tab.locator('.rings').allTextContents()).toEqual(['@channel']);
    await tab.locator('.actions button').click();
    await see('chosen: undefined');
    expect(await tab.evaluate("'ran' in window")).toBe(false);
  });

  it('of the person is inert as well', async () => {
    await say(hostile);
    await see(`/trail ${hostile}`);
    expect(await tab.locator('.body script, .body img').count()).toBe(0);
    // Only the bot's message of before rings. The page draws itself anew as messages come.
    await expect.poll(() => tab.locator('.rings').allTextContents()).toEqual(['@channel']);
    expect(await tab.evaluate("'ran' in window")).toBe(false);
  });
});

describe('the server', () => {
  const send = (path: string, headers: Record<string, string>, body?: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(page.url);
      const sent = request({
        host: '127.0.0.1',
        port,
        path,
        method: body === undefined ? 'GET' : 'POST',
        headers: { 'content-length': String(body?.length ?? 0), ...headers },
      });
      sent
        .on('response', (response) => resolve(response.resume().statusCode ?? 0))
        .on('error', reject)
        .end(body);
    });
  const line = () => JSON.stringify({ channel: slack.workspace.general.id, line: '/trail from its own page' });

  it('answers to its own name alone', async () => {
    const { host, port } = new URL(page.url);
    expect(await send('/', { host })).toBe(200);
    expect(await send('/', { host: `localhost:${port}` })).toBe(200);
    expect(await send('/', { host: `evil.example:${port}` })).toBe(421);
    expect(await send('/', { host: '127.0.0.1' })).toBe(421);
  });

  it('takes what is said from its own page alone', async () => {
    const { host } = new URL(page.url);
    expect(await send('/say', { host, origin: page.url }, line())).toBe(200);
    expect(await send('/say', { host, origin: 'http://evil.example' }, line())).toBe(403);
    expect(await send('/say', { host, origin: 'null' }, line())).toBe(403);
    expect(await send('/say', { host }, line())).toBe(403);
    expect(await send('/say', { host, origin: page.url }, '{"line":1}')).toBe(400);
    expect(await send('/say', { host, origin: page.url }, 'x'.repeat(1_000_001))).toBe(413);
    await expect.poll(() => answered).toContain('from its own page');
  });

  it('serves its own few files, and sends nothing else', async () => {
    const { host } = new URL(page.url);
    expect(await send('/blocks.js', { host })).toBe(200);
    expect(await send('/page.ts', { host })).toBe(404);
    expect(await send('/../package.json', { host })).toBe(404);
    const { headers } = await fetch(page.url);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('moves to a free port when its own is taken, and so does the workspace', async () => {
    const second = await openPlaygroundSlack({ port: Number(new URL(slack.apiUrl).port) });
    const other = await servePage({ port: Number(new URL(page.url).port), slack: second, bot: () => botUrl, examples: [], about: '' });
    expect((await fetch(other.url)).status).toBe(200);
    expect(second.apiUrl).not.toBe(slack.apiUrl);
    expect(second.workspace.general.name).toBe('general');
    await other.close();
    await second.close();
  });
});

describe('a response_url', () => {
  it('lives for thirty minutes', () => {
    let now = 0;
    const urls = responseUrls(() => now);
    const path = urls.open({ channel: 'C1' });
    now = 30 * 60_000;
    expect(urls.use(path)).toEqual({ channel: 'C1' });
    now += 1;
    expect(urls.use(path)).toBeUndefined();
    expect(urls.use('/response/guess')).toBeUndefined();
  });
});

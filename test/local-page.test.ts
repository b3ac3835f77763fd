/** The local page over the sample, in a real browser: what a visitor sees first, and every way to ask and to go on. */
import { readFile } from 'node:fs/promises';
import axe, { type AxeResults } from 'axe-core';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { STORIES_TO_SEE } from '../sample/stories-to-see.ts';
import { browserOf } from './support/browser.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { openSamplePage } from './support/sample-page.ts';

const NOW = new Date('2026-11-21T07:00:00Z');
/** Longer than a browser takes on any machine, and shorter than a test may. */
const NEVER_MS = 90_000;

const found = await browserOf();
const stack = new DisposalStack();
const pageErrors: string[] = [];
let browser: Browser;
let url: string;
let tab: Tab;

beforeAll(async () => {
  if (!found) return;
  const page = stack.use(await openSamplePage({ trail: inject('sampleTrail'), sampleStore: inject('sampleStore'), now: NOW }));
  url = page.url;
  browser = await chromium.launch(found);
  stack.defer(() => browser.close());
});
beforeEach(async () => {
  if (found) await open();
});
afterEach(async () => {
  expect(pageErrors).toEqual([]);
  await tab?.close();
});
afterAll(() => stack[Symbol.asyncDispose]());

async function open(viewport = { width: 1280, height: 800 }): Promise<void> {
  await tab?.close();
  tab = await browser.newPage({ viewport });
  tab.setDefaultTimeout(NEVER_MS);
  tab.on('pageerror', (error) => pageErrors.push(error.message));
  tab.on('console', (line) => line.type() === 'error' && pageErrors.push(line.text()));
  await tab.goto(url);
  await tab.getByRole('button', { name: '# general' }).waitFor();
}

const button = (name: string | RegExp) => tab.getByRole('button', { name, exact: typeof name === 'string' });
const log = () => tab.locator('#messages');
const ask = async (text: string): Promise<void> => {
  await tab.getByLabel('Message', { exact: true }).fill(text);
  await tab.keyboard.press('Enter');
};
/** Asks, and waits for the question and its answer. */
const askAndWait = async (text: string): Promise<void> => {
  const before = await log().locator('.message').count();
  await ask(text);
  await log()
    .locator('.message')
    .nth(before + 1)
    .waitFor();
};
/** Opens the thread of the newest message with a text, once it has one. */
const openThread = (text: string) => log().locator('.message', { hasText: text }).last().getByRole('button', { name: '1 reply' }).click();
const lastMessage = () => log().locator('.message').last();

describe.skipIf(!found)('A visitor', () => {
  it('presses a story, and reads its answer', async () => {
    await tab.getByRole('heading', { name: 'What happened in these AWS accounts?' }).waitFor();
    expect(await tab.locator('.stories button').count()).toBe(STORIES_TO_SEE.length);
    await button(/^Someone deleted a bucket/).click();
    await log().getByText('was deleted by').waitFor();
    expect(await tab.locator('#welcome').count()).toBe(0);
  });

  it('searches the questions by their words and topics', async () => {
    const shown = () => tab.locator('#examples button').allTextContents();
    expect(await shown()).toHaveLength(2);
    await tab.getByLabel('Search the questions').fill('sign root');
    expect(await shown()).toEqual(['/trail root-logins 6mo']);
    await tab.getByLabel('Search the questions').fill('zzz');
    expect(await shown()).toEqual([]);
    await tab.getByText('No question fits').waitFor();
  });

  it('has room for messages on a small screen, and nothing is wider than it', async () => {
    await open({ width: 390, height: 800 });
    expect(await tab.locator('#try').getAttribute('open')).toBeNull();
    const { width, height } = (await log().boundingBox()) ?? { width: 0, height: 0 };
    expect(width).toBe(390);
    expect(height).toBeGreaterThan(400);
    expect(await tab.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
    await tab.locator('#try summary').click();
    await button('/trail root-logins 6mo').click();
    await log().getByText('Root signed in without MFA').first().waitFor();
  });
});

describe.skipIf(!found)('An answer', () => {
  it('turns its page in place, is shared once, and its rows are a file in the direct messages', async () => {
    await ask('/trail events 6mo');
    await log()
      .getByText(/^Rows 1 to \d+ of more than 1,000/)
      .waitFor();
    await lastMessage()
      .getByRole('button', { name: /^Next \d+ rows$/ })
      .click();
    await log()
      .getByText(/^Rows 1\d\d to \d+ of more than 1,000/)
      .waitFor();
    expect(
      await log()
        .getByText(/^Rows 1 to/)
        .count(),
    ).toBe(0);
    // What is shared has no such button.
    const share = button('Share to channel').last();
    await share.click();
    await log().getByText('asked').waitFor();
    await share.click();
    await log().getByText('This answer is shared here already.').waitFor();
    await askAndWait('/trail events event:DeleteBucket 6mo');
    await lastMessage().getByRole('button', { name: 'Export CSV' }).click();
    await log().getByText('The CSV file with 3 rows is in your direct messages.').waitFor();
    await button(/^Messages/).click();
    const preview = log().getByRole('region', { name: 'The first lines of events-newest-first.csv' });
    expect((await preview.textContent())?.split('\n')).toHaveLength(4);
    expect(await log().locator('.file').last().textContent()).toMatch(/^events-newest-first\.csv \d+ bytes/);
    const [download] = await Promise.all([tab.waitForEvent('download'), log().getByRole('link', { name: 'events-newest-first.csv' }).click()]);
    const csv = await readFile(await download.path(), 'utf8');
    expect(csv.trim().split('\r\n')).toHaveLength(4);
    expect(await preview.textContent()).toBe(csv.replace('\ufeff', '').replaceAll('\r\n', '\n').trimEnd());
  });

  it('is changed in the form, which says what is wrong with it', async () => {
    await askAndWait('/trail events event:DeleteBucket 6mo');
    await lastMessage().getByText('More …').click();
    await button('Edit this question …').click();
    const dialog = tab.getByRole('dialog');
    expect(await dialog.getByLabel('Filters').inputValue()).toBe('event:DeleteBucket');
    await dialog.getByLabel('Filters').fill('nonsense:x');
    await dialog.getByRole('button', { name: 'Ask' }).click();
    await dialog.getByText(/nonsense/).waitFor();
    await dialog.getByLabel('Filters').fill('event:CreateBucket');
    await dialog.getByRole('button', { name: 'Ask' }).click();
    await dialog.waitFor({ state: 'detached' });
    await log()
      .getByText(/CreateBucket/)
      .first()
      .waitFor();
  });

  it.each([1280, 390])('shows what is behind it in a panel: its SQL, and its JSON as the bot sent it (%i pixels wide)', async (width) => {
    await open({ width, height: 800 });
    await askAndWait('/trail events event:DeleteBucket 6mo');
    const count = await log().locator('.message').count();
    const toggle = lastMessage().getByRole('button', { name: 'JSON and SQL' });
    await toggle.focus();
    await tab.keyboard.press('Enter');
    const panel = tab.getByRole('region', { name: 'Behind this message' });
    await panel
      .getByText('1 statement answered this question')
      .or(panel.getByText(/statements answered this question/))
      .waitFor();
    expect(await panel.locator('#sql pre').first().textContent()).toContain('select');
    const { blocks } = JSON.parse((await panel.getByLabel('JSON').textContent()) ?? '') as { blocks: { type: string }[] };
    expect(blocks.map(({ type }) => type)).toContain('data_table');
    expect(await tab.evaluate<number>('document.documentElement.scrollWidth')).toBe(width);
    // The answer about the SQL is no message.
    expect(await log().locator('.message').count()).toBe(count);
    await tab.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    expect(await toggle.evaluate((one) => one.matches(':focus'))).toBe(true);
  });

  it('has its panel or its thread beside it, one at a time', async () => {
    await ask('@trail root-logins 6mo');
    await openThread('@trail root-logins 6mo');
    const [thread, panel] = [tab.getByRole('region', { name: 'Thread' }), tab.getByRole('region', { name: 'Behind this message' })];
    await thread.locator('.message').first().hover();
    await thread.getByRole('button', { name: 'JSON and SQL' }).first().click();
    await panel.locator('#sql pre').first().waitFor();
    expect(await thread.isVisible()).toBe(false);
    await tab.keyboard.press('Escape');
    expect(await panel.isVisible()).toBe(false);
    expect(await thread.isVisible()).toBe(true);
    await thread.getByRole('button', { name: 'JSON and SQL' }).first().click();
    await openThread('@trail root-logins 6mo');
    expect(await panel.isVisible()).toBe(false);
    expect(await thread.isVisible()).toBe(true);
    // On a small screen each is below its message, also where the window becomes small.
    await thread.getByRole('button', { name: 'JSON and SQL' }).first().click();
    await tab.setViewportSize({ width: 390, height: 800 });
    await log().locator('.message #thread .message #inspector').waitFor();
    await tab.setViewportSize({ width: 1280, height: 800 });
    await tab.locator('body > #inspector').waitFor();
    expect(await thread.isVisible()).toBe(false);
  });

  it('that Slack would refuse for its size comes in a smaller form, and the page says why', async () => {
    await ask('@trail events 6mo');
    await openThread('@trail events 6mo');
    await tab
      .locator('#replies')
      .getByText(/^Rows 1 to \d+ of more than 1,000/)
      .waitFor();
    await tab.getByText(/^Slack refused \d+ requests?$/).click();
    await tab.locator('#refused').getByText('chat.postMessage was answered with msg_blocks_too_long').first().waitFor();
  });

  it('opens its events in a modal, which turns with one key and asks about a value', async () => {
    await askAndWait('/trail root-logins 6mo');
    const rows = lastMessage().getByText(/^Open one of/);
    await rows.click();
    await lastMessage().locator('.menu[open] li button').first().click();
    const next = tab.getByRole('dialog', { name: 'Event 1 of 6' }).getByRole('button', { name: 'Next' });
    await next.focus();
    await tab.keyboard.press('Enter');
    await tab.getByRole('dialog', { name: 'Event 2 of 6' }).waitFor();
    await expect.poll(() => tab.evaluate('document.activeElement.textContent')).toBe('Next');
    await tab.keyboard.press('Enter');
    const third = tab.getByRole('dialog', { name: 'Event 3 of 6' });
    await third.getByLabel('More actions').first().click();
    await tab.setViewportSize({ width: 390, height: 800 });
    const { x = 0, width = 0 } = (await third.locator('.menu[open] > ul').boundingBox()) ?? {};
    expect(x + width).toBeLessThan(390);
    expect(await third.evaluate((one) => one.scrollWidth <= one.clientWidth)).toBe(true);
    await third.getByRole('button', { name: 'Close' }).click();
    await third.waitFor({ state: 'detached' });
  });

  it('shows its SQL', async () => {
    await askAndWait('/trail events event:DeleteBucket 6mo');
    await lastMessage().getByText('More …').click();
    await button('Show SQL').click();
    const shown = log().locator('.message', { hasText: 'statements answered this question' });
    expect(await shown.locator('pre').first().textContent()).toContain('select');
  });
});

describe.skipIf(!found)('Other ways to ask', () => {
  it('are a form, with the keyboard alone', async () => {
    await tab.getByRole('button', { name: 'Shortcuts: ask in a form' }).focus();
    await tab.keyboard.press('Enter');
    const dialog = tab.getByRole('dialog');
    await dialog.waitFor();
    await tab.keyboard.type('root');
    expect(await dialog.getByLabel('Question').inputValue()).toBe('root-logins');
    await dialog.getByLabel(/^Time/).focus();
    await tab.keyboard.type('6mo');
    await tab.keyboard.press('Enter');
    await log().getByText('Root signed in without MFA').first().waitFor();
  });

  it('are the Home tab and a direct message', async () => {
    await button('Home').click();
    await tab.getByText('Begin with:').waitFor();
    await tab.locator('#home').getByRole('button', { name: 'root-logins 30d' }).click();
    await log()
      .getByText(/^(?:Root signed in|No root sign-in)/)
      .first()
      .waitFor();
    await ask('who deleted example-customer-uploads-2019 6mo');
    await log().getByText('was deleted by').waitFor();
    expect(await lastMessage().getByText('Only visible to you').count()).toBe(0);
  });

  it('are offered while they type, with what each does', async () => {
    const field = tab.getByLabel('Message', { exact: true });
    const offered = tab.getByRole('listbox', { name: 'Questions' }).getByRole('option');
    await field.focus();
    await tab.keyboard.type('/trail deleted');
    expect(await offered.allTextContents()).toEqual(['/trail who-deleted example-customer-uploads-2019 90dFinds who deleted a resource']);
    await tab.keyboard.press('Escape');
    expect(await offered.count()).toBe(0);
    await field.fill('ro');
    await tab.keyboard.press('ArrowDown');
    expect(await field.getAttribute('aria-activedescendant')).toBe(await offered.first().getAttribute('id'));
    await tab.keyboard.press('Enter');
    expect(await field.inputValue()).toBe('/trail root-logins 6mo');
    expect(await offered.count()).toBe(0);
    await tab.keyboard.press('Enter');
    await log().getByText('Root signed in without MFA').first().waitFor();
    // Another command has no help from this app.
    await field.fill('/remind ro');
    expect(await offered.count()).toBe(0);
    await field.fill('@tr');
    await offered.first().click();
    expect(await field.inputValue()).toBe('@trail root-logins 6mo');
    expect(await field.evaluate((one) => one.matches(':focus'))).toBe(true);
  });

  it('are what was typed before, by the arrow keys', async () => {
    for (const text of ['/trail help', '/trail help sign-ins']) await ask(text);
    const field = tab.getByLabel('Message', { exact: true });
    await field.focus();
    await tab.keyboard.press('ArrowUp');
    await tab.keyboard.press('ArrowUp');
    expect(await field.inputValue()).toBe('/trail help');
    await tab.keyboard.press('ArrowDown');
    expect(await field.inputValue()).toBe('/trail help sign-ins');
    await tab.keyboard.press('ArrowDown');
    expect(await field.inputValue()).toBe('');
  });

  it('are mentions: a mistake in one is for who made it alone', async () => {
    await ask('@trail root-logns 6mo');
    await log().locator('.only-you', { hasText: 'Did you mean root-logins 6mo?' }).getByText('Only visible to you').waitFor();
  });

  it('are names in any message', async () => {
    await ask('@trail events event:DeleteBucket 6mo');
    const asked = log().locator('.message', { hasText: '@trail events event:DeleteBucket' }).first();
    await asked.hover();
    await asked.getByRole('button', { name: 'Look this up in Trail' }).click();
    await log().getByText('This message names nothing of AWS').waitFor();
  });
});

describe.skipIf(!found)('An event', () => {
  const event = () => tab.getByRole('dialog').first();
  /** Asks a list, and opens its n-th row. */
  const openRow = async (n: number): Promise<void> => {
    await askAndWait('/trail events event:DeleteBucket 6mo');
    await lastMessage().getByText('Open one of 3 rows').click();
    await lastMessage().locator('details[open] li button').nth(n).click();
    await tab.getByRole('heading', { name: `Event ${n + 1} of 3`, exact: true }).waitFor();
  };

  it('opens above the list, which it goes through, with its record', async () => {
    await openRow(1);
    const before = await log().locator('.message').count();
    await event().getByRole('button', { name: 'Next', exact: true }).click();
    await tab.getByRole('heading', { name: 'Event 3 of 3' }).waitFor();
    expect(await event().getByRole('button', { name: 'Next', exact: true }).count()).toBe(0);
    for (const place of ['Event 2 of 3', 'Event 1 of 3']) {
      await event().getByRole('button', { name: 'Previous', exact: true }).click();
      await tab.getByRole('heading', { name: place }).waitFor();
    }
    expect(await event().getByRole('button', { name: 'Previous', exact: true }).count()).toBe(0);
    await event().getByRole('button', { name: 'Show the record' }).click();
    await event().getByText('"eventVersion"').waitFor();
    await event().getByRole('button', { name: 'Hide the record' }).click();
    await event().getByText('"eventVersion"').waitFor({ state: 'detached' });
    expect(await tab.getByRole('dialog').count()).toBe(1);
    expect(await log().locator('.message').count()).toBe(before);
  });

  it('changes the list by one of its values; closed, it shows the answer', async () => {
    await openRow(0);
    await event().locator('.section', { hasText: 'Actor:' }).getByLabel('More actions').click();
    await event()
      .getByRole('button', { name: /^Exclude user:/ })
      .click();
    await tab.getByText('is a message that only you see').waitFor();
    await tab.getByRole('dialog').last().getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => tab.getByRole('dialog').count()).toBe(0);
    await lastMessage()
      .getByText(/^events event:DeleteBucket -user:/)
      .waitFor();
    expect(await lastMessage().textContent()).toContain('Only visible to you');
  });

  it('is left with the keyboard, together with what it asked', async () => {
    await openRow(0);
    const menu = event().locator('details.menu', { hasText: 'Ask about it' });
    await menu.locator('summary').focus();
    for (const key of ['Enter', 'Escape']) await tab.keyboard.press(key);
    expect(await menu.getAttribute('open')).toBeNull();
    expect(await tab.getByRole('dialog').count()).toBe(1);
    for (const key of ['Enter', 'Tab', 'Enter']) await tab.keyboard.press(key);
    await tab.getByText('is a message that only you see').waitFor();
    await tab.keyboard.press('Escape');
    await expect.poll(() => tab.getByRole('dialog').count()).toBe(0);
  });

  it('fits a small screen, its menus too', async () => {
    await open({ width: 390, height: 800 });
    await openRow(0);
    for (const menu of await event().getByLabel('More actions').all()) {
      await menu.click();
      expect(await event().evaluate((dialog) => dialog.scrollWidth - dialog.clientWidth)).toBe(0);
      await menu.click();
    }
  });
});

describe.skipIf(!found)('Every message', () => {
  it('has the picture of who wrote it, drawn without a request, that screen readers skip', async () => {
    await ask('@trail root-logins 6mo');
    await ask('/nope');
    await log().getByText('is not a valid command').waitFor();
    await openThread('@trail root-logins 6mo');
    await tab.locator('#replies').getByText('Root signed in without MFA').first().waitFor();
    const pictures = tab.locator('.message > .avatar[aria-hidden=true]');
    expect(await pictures.count()).toBe(await tab.locator('.message').count());
    const kinds = await pictures.evaluateAll((all) => all.map(({ className }) => className));
    expect(new Set(kinds)).toEqual(new Set(['avatar requester', 'avatar slack', 'avatar bot']));
    expect(await tab.locator('.message img').count()).toBe(0);
    expect(await pictures.first().evaluate((one) => one.getBoundingClientRect().width)).toBe(36);
    expect(await log().locator('.message').first().getAttribute('aria-label')).toMatch(/^sam at /);
    await button(/^# trail-digests/).click();
    await log().locator('.avatar.bot svg').first().waitFor();
    await tab.setViewportSize({ width: 390, height: 800 });
    expect(await pictures.first().evaluate((one) => one.getBoundingClientRect().width)).toBe(24);
    expect(await tab.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
  });
});

describe.skipIf(!found)('The page', () => {
  it.each(['light', 'dark'] as const)('has no serious fault of accessibility, in its %s colours', async (colorScheme) => {
    await tab.emulateMedia({ colorScheme });
    const faults = async (): Promise<string[]> => {
      await tab.evaluate(axe.source);
      const { violations } = await tab.evaluate<AxeResults>('axe.run({ resultTypes: ["violations"] })');
      return violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
    };
    expect(await faults()).toEqual([]);
    await ask('/trail root-logins 6mo');
    await log().getByText('Root signed in without MFA').first().waitFor();
    await ask('/trail denied every:1d 14d');
    await log().getByText('Denied calls by day').first().waitFor();
    expect(await faults()).toEqual([]);
    await tab.getByRole('button', { name: 'Shortcuts: ask in a form' }).click();
    await tab.getByRole('dialog').waitFor();
    expect(await faults()).toEqual([]);
    await tab.keyboard.press('Escape');
    await askAndWait('/trail events event:DeleteBucket 6mo');
    await lastMessage().getByText('Open one of 3 rows').click();
    await lastMessage().locator('details[open] li button').first().click();
    await tab.getByRole('button', { name: 'Show the record' }).click();
    await tab.getByRole('dialog').getByText('Record:').waitFor();
    expect(await faults()).toEqual([]);
    await tab.keyboard.press('Escape');
    await lastMessage().hover();
    await lastMessage().getByRole('button', { name: 'JSON and SQL' }).click();
    await tab.locator('#sql pre').first().waitFor();
    await tab.getByLabel('Message', { exact: true }).fill('root');
    await tab.getByRole('listbox', { name: 'Questions' }).waitFor();
    expect(await faults()).toEqual([]);
    await button('Home').click();
    await tab.getByText('Begin with:').waitFor();
    expect(await faults()).toEqual([]);
  });
});

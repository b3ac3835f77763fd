/** Digests on the local page, in a real browser: the emulated Slack, the real bot over the sample, and everything that can be pressed. */
import { readdir } from 'node:fs/promises';
import { chromium, type Locator, type Page as Tab } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { browserOf } from './support/browser.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { openSamplePage } from './support/sample-page.ts';

/** After the last day of the sample, so that the daily report is about that day. */
const NOW = new Date('2026-11-21T07:00:00Z');
/** Longer than a browser takes on any machine, and shorter than a test may. */
const NEVER_MS = 90_000;

const found = await browserOf();
const stack = new DisposalStack();
const pageErrors: string[] = [];
let tab: Tab;
let store: string;

beforeAll(async () => {
  if (!found) return;
  const accountNames = '444455556666,production\n';
  const page = stack.use(await openSamplePage({ trail: inject('sampleTrail'), sampleStore: inject('sampleStore'), now: NOW, accountNames }));
  store = page.store;
  const browser = await chromium.launch(found);
  stack.defer(() => browser.close());
  tab = await browser.newPage();
  tab.setDefaultTimeout(NEVER_MS);
  tab.on('pageerror', (error) => pageErrors.push(error.message));
  tab.on('console', (line) => line.type() === 'error' && pageErrors.push(line.text()));
  await tab.goto(page.url);
});
afterAll(() => stack[Symbol.asyncDispose]());
afterEach(() => expect(pageErrors).toEqual([]));

const button = (name: string | RegExp, within: Tab | Locator = tab): Locator => within.getByRole('button', { name, exact: typeof name === 'string' });
const REPLIES = /^[0-9]+ (?:reply|replies)$/;
const openChannel = (name: string) => button(new RegExp(`^# ${name}`)).click();
const type = async (words: string) => {
  await tab.getByLabel('Message', { exact: true }).fill(words);
  await tab.keyboard.press('Enter');
};
/** The newest message with a text, once there is one. */
const message = async (text: string | RegExp): Promise<Locator> => {
  const newest = tab.locator('.message').filter({ hasText: text }).last();
  await newest.waitFor();
  return newest;
};
const thread = () => tab.getByRole('region', { name: 'Thread' });
/** Opens a menu of a message and chooses the entry that begins with a text. */
const choose = async (within: Locator, menu: string | RegExp, entry: RegExp) => {
  await within.locator('summary').filter({ hasText: menu }).click();
  await within.locator('.menu[open]').getByRole('button', { name: entry }).first().click();
};
const isFocused = (locator: Locator): Promise<boolean> => locator.evaluate((node) => node.matches(':focus'));

/** The right edge of what is shown, in pixels of the screen. */
const rightOf = (locator: Locator): Promise<number> => locator.evaluate((node) => node.getBoundingClientRect().right);

describe.skipIf(!found)('a digest', () => {
  it('has its details in a thread, which opens and closes by mouse and by keyboard', async () => {
    await openChannel('trail-digests');
    const opener = button(REPLIES);
    expect(await tab.getByRole('table', { name: 'Findings' }).count()).toBe(0);
    await opener.click();
    await thread().getByRole('table', { name: 'Findings' }).waitFor();
    expect(await opener.getAttribute('aria-expanded')).toBe('true');
    await button('Close the thread').click();
    await thread().waitFor({ state: 'hidden' });
    expect(await isFocused(opener)).toBe(true);
    await tab.keyboard.press('Enter');
    await thread().waitFor();
    await tab.keyboard.press('Tab');
    expect(await isFocused(button('Close the thread'))).toBe(true);
    await tab.keyboard.press('Escape');
    await thread().waitFor({ state: 'hidden' });
    expect(await isFocused(opener)).toBe(true);
    expect(await opener.getAttribute('aria-expanded')).toBe('false');
  });

  it('has a menu of findings in its thread, and each is answered there', async () => {
    await openChannel('trail-digests');
    await button(REPLIES).click();
    await choose(thread(), /^Open one of/, /StopLogging/);
    const answer = thread().locator('.message').filter({ hasText: 'Only visible to you' });
    await answer.getByText('1 matching event').waitFor();
    await button('Count by event', answer).click();
    await thread().locator('.message').nth(2).waitFor();
    // A menu closes alone.
    const menu = thread().locator('summary').first();
    await menu.click();
    await tab.keyboard.press('Escape');
    expect(await thread().locator('.menu[open]').count()).toBe(0);
    expect(await isFocused(menu)).toBe(true);
    await tab.keyboard.press('Escape');
    await thread().waitFor({ state: 'hidden' });
  });

  it('shows its thread below it on a small screen, and no part of it is wider than the screen', async () => {
    await openChannel('trail-digests');
    await button(REPLIES).click();
    const size = tab.viewportSize();
    await tab.setViewportSize({ width: 390, height: 800 });
    await tab.locator('.message #thread').getByRole('table', { name: 'Findings' }).waitFor();
    for (const part of await tab.locator('.message, #thread, #thread form, .table').all()) expect(await rightOf(part)).toBeLessThanOrEqual(390);
    expect(await tab.evaluate('document.documentElement.scrollWidth')).toBe(390);
    if (size) await tab.setViewportSize(size);
    await tab.locator('body > #thread').waitFor();
    await tab.keyboard.press('Escape');
  });

  it('answers its buttons in the channel, where its readers are', async () => {
    await openChannel('trail-digests');
    await button(/^1: /).first().click();
    const answer = await message('1 matching event');
    expect(await answer.evaluate((node) => node.parentElement?.id)).toBe('messages');
  });

  it('hides a finding that is snoozed in its menu, and is shown without it', async () => {
    await openChannel('trail-digests');
    const digest = tab.locator('#messages > .message').first();
    expect(await digest.textContent()).toContain('example-customer-uploads-2019');
    await choose(digest, 'Snooze, or mark as expected', /aisha/);
    const preview = await message('would have hidden 1 finding');
    expect(await preview.textContent()).toMatch(/Only visible to you.*actor:aisha.*event:DeleteBucket/);
    await button('Snooze for 7 days', preview).click();
    await message('Snoozed, as number 1');
    expect(await readdir(store)).toContain('snoozes');

    await openChannel('general');
    await type('snoozes');
    const list = await message('1 snooze;');
    expect(await list.getByRole('table').textContent()).toContain('event:DeleteBucket');
    await type('subscribe daily 09:00');
    await button('Show it now, to me', await message(/Subscribed as number \d+: daily is posted/)).click();
    const shown = await message(/findings on Friday, November 20, 2026/);
    expect(await shown.textContent()).not.toContain('example-customer-uploads-2019');
    expect(await shown.textContent()).toContain('1 finding hidden: 1 by snooze 1');
    await choose(list, 'Open the row', /^End 1$/);
    await message('Snooze 1 has ended');
  });
});

describe.skipIf(!found)('a subscription', () => {
  it('is made, listed, paused, resumed and ended', async () => {
    await openChannel('general');
    await type('subscribe root-logins 7d weekdays 9am');
    const made = await message('root-logins 7d is posted');
    const [, id] = /Subscribed as number (\d+)/.exec((await made.textContent()) ?? '') ?? [];
    await type('subscriptions');
    const table = await message(/\d subscriptions?\./);
    expect(await table.getByRole('table', { name: 'Subscriptions' }).textContent()).toContain('root-logins 7d');
    await choose(table, /^Open /, new RegExp(`^${id}: pause`));
    const paused = await message(`Paused ${id}`);
    await choose(paused, /^Open /, new RegExp(`^${id}: resume`));
    await button('Unsubscribe', await message(`Resumed ${id}`)).click();
    await message(`Subscription ${id} has ended`);
    // The next start has other channels.
    expect(await readdir(store)).not.toContain('subscriptions');
  });

  it('to the weekly report shows charts with a name, their numbers, and labels that can be read on a small screen', async () => {
    await openChannel('general');
    await type('subscribe weekly');
    await button('Show it now, to me', await message('weekly is posted')).click();
    const events = tab.getByRole('img', { name: 'Events a day' });
    await events.locator('polyline.series-1').waitFor();
    await tab.getByRole('img', { name: 'Denied calls a day' }).locator('rect').nth(6).waitFor();
    const numbers = tab.getByRole('table', { name: 'Events a day' });
    expect(await numbers.getByRole('columnheader').allTextContents()).toEqual(['this week', 'the week before']);
    expect(await numbers.getByRole('rowheader').allTextContents()).toHaveLength(7);
    expect(await numbers.evaluate((node) => node.parentElement?.clientHeight)).toBe(1);

    /** The labels of a chart that begin before the one on their left ends, or end outside of the chart. */
    const crowded = () =>
      events.evaluate((node) => {
        const labels = [...node.querySelectorAll('text[text-anchor=middle]')].map((label) => label.getBoundingClientRect());
        const { right } = node.getBoundingClientRect();
        return labels.filter((label, i) => label.right > right + 1 || label.left < (labels[i - 1]?.right ?? 0)).length;
      });
    const size = tab.viewportSize();
    for (const width of [1280, 390]) {
      await tab.setViewportSize({ width, height: 800 });
      await expect.poll(() => rightOf(events)).toBeLessThan(width);
      await expect.poll(crowded).toBe(0);
      expect(
        await events
          .locator('text')
          .first()
          .evaluate((node) => node.getBoundingClientRect().height),
      ).toBeGreaterThan(10);
    }
    if (size) await tab.setViewportSize(size);
  });
});

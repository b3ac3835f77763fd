/**
 * `npm run pictures`: draws docs/pictures, the ten best answers as the local page shows them, over the sample that the tests use. Look at
 * them before a commit.
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium, type Locator, type Page as Tab } from 'playwright-core';
import type { TestProject } from 'vitest/node';
import { browserOf } from './support/browser.ts';
import { openSamplePage } from './support/sample-page.ts';
import openSample, { SAMPLE_END } from './support/sample-trail.ts';

const folder = new URL('../docs/pictures/', import.meta.url);
/** The morning after the last day of the sample. */
const NOW = new Date(Date.parse(SAMPLE_END) + 7 * 3_600_000);

/** The name of a picture, and the question of its answer. */
const ANSWERS: readonly (readonly [name: string, line: string])[] = [
  ['root-logins', 'root-logins 6mo'],
  ['who-deleted', 'who-deleted example-customer-uploads-2019 90d'],
  ['who-started', 'who-started i-0c0ffee000000001a 90d'],
  ['denied', 'denied user:partner-sync* 90d'],
  ['over-time', 'count every:1d by:account 14d'],
  ['band', 'denied every:1h band:28d 2026-11-18'],
  ['session', 'session production-deploy 30d'],
];

const found = await browserOf();
if (!found) throw new Error('There is no browser for pictures: install Chrome, Chromium or Edge.');
const provided = new Map<string, string>();
const project = { provide: (name: string, value: string) => void provided.set(name, value) };
await openSample(project as unknown as TestProject);
await mkdir(folder, { recursive: true });
await using page = await openSamplePage({ trail: provided.get('sampleTrail') ?? '', sampleStore: provided.get('sampleStore') ?? '', now: NOW });
const browser = await chromium.launch(found);
try {
  const tab = await browser.newPage({ viewport: { width: 1180, height: 1400 }, deviceScaleFactor: 2 });
  await tab.goto(page.url);
  await tab.getByRole('button', { name: '# general' }).waitFor();
  for (const [name, line] of ANSWERS) await draw(await answerOn(tab, `/trail ${line}`), name);
  await tab.getByRole('button', { name: /^# trail-digests/ }).click();
  await draw(await newest(tab), 'daily-report');
  await tab.setViewportSize({ width: 1180, height: 620 });
  await tab.getByRole('button', { name: 'Home', exact: true }).click();
  await tab.getByText('Begin with:').waitFor();
  await draw(tab.locator('#home'), 'home');
  await tab.getByRole('button', { name: '# general' }).click();
  await tab.getByRole('button', { name: /^Shortcuts/ }).click();
  await draw(tab.getByRole('dialog'), 'form');
} finally {
  await browser.close();
}

/** The answer to a question that is typed. */
async function answerOn(tab: Tab, text: string): Promise<Locator> {
  const before = await tab.locator('.message').count();
  await tab.getByLabel('Message', { exact: true }).fill(text);
  await tab.keyboard.press('Enter');
  await tab
    .locator('.message')
    .nth(before + 1)
    .waitFor();
  return newest(tab);
}

async function newest(tab: Tab): Promise<Locator> {
  const message = tab.locator('.message').last();
  await message.waitFor();
  return message;
}

async function draw(part: Locator, name: string): Promise<void> {
  await part.waitFor();
  await part.screenshot({ path: fileURLToPath(new URL(`${name}.png`, folder)) });
}

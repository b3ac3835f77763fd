/** The ports that `npm start` opens, tried by a page of another origin in a real browser. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { browserOf } from './support/browser.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { openLocalPage } from './support/local-page.ts';

const found = await browserOf();

test.skipIf(!found)(
  'a page of another origin reads nothing on any port, and changes nothing',
  async () => {
    await using stack = new DisposalStack();
    const hostilePage = await readFile(new URL('support/hostile-page.html', import.meta.url));
    const root = await mkdtemp(join(tmpdir(), 'trailbot-doors-'));
    stack.defer(() => rm(root, { recursive: true, force: true }));
    const local = stack.use(await openLocalPage(root));
    const evil = createServer((_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(hostilePage)).listen(
      0,
      '127.0.0.1',
    );
    stack.defer(() => evil.close().closeAllConnections());
    await once(evil, 'listening');
    const browser = await chromium.launch(found ?? {});
    stack.defer(() => browser.close());

    const own = await browser.newPage();
    own.setDefaultTimeout(90_000);
    await own.goto(local.url);
    await own.getByRole('button', { name: '# general' }).waitFor();
    const messages = () => own.locator('.message').allTextContents();
    const channel = await own.evaluate<string>(`new Promise((resolve) => {
    const source = new EventSource('/events');
    source.addEventListener('hello', ({ data }) => resolve(JSON.parse(data).channels[0].id, source.close()));
  })`);

    const paths = ['/', '/events', '/message', '/click', '/page.js', '/response/guess', '/slack/events', '/api/chat.postMessage', '/api/auth.test'];
    // A page on another port of 127.0.0.1 is of the same site, one on localhost of another.
    for (const host of ['127.0.0.1', 'localhost']) {
      const other = await browser.newPage();
      await other.goto(`http://${host}:${(evil.address() as AddressInfo).port}/`);
      const tried = JSON.stringify({ ports: local.ports, channel, paths });
      expect(await other.evaluate(`attack(${tried})`), host).toEqual([]);
      expect(await other.evaluate(`openWindow(${JSON.stringify(local.url)})`), host).toBe('');
      await other.close();
    }

    // The page still works, and shows only what its own user does.
    await own.getByLabel('Message', { exact: true }).fill('/trail coverage 1y');
    await own.keyboard.press('Enter');
    await own.locator('.message').nth(1).waitFor();
    expect(await messages()).toEqual([expect.stringContaining('/trail coverage 1y'), expect.stringContaining('Only visible to you')]);
  },
  180_000,
);

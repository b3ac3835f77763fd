/** What runs in production: which packages are shipped, what is loaded, and where the process listens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { childEnv } from './support/child-env.ts';
import { DisposalStack } from './support/disposal-stack.ts';
import { records, trailFolder } from './support/trail-folder.ts';

const root = new URL('../', import.meta.url);

/** Sends what the process loads and where it listens, and redirects requests for Slack to SLACK_AT. */
const PRELOAD = `
import { registerHooks } from 'node:module';
import { Server } from 'node:net';
registerHooks({
  load(url, context, next) {
    process.send?.({ loaded: url });
    return next(url, context);
  },
});
const { fetch } = globalThis;
globalThis.fetch = (to, init) => fetch(String(to).replace('https://slack.com/', process.env.SLACK_AT), init);
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  this.once('listening', () => process.send({ address: this.address() }));
  return listen.apply(this, args);
};`;

/** A Slack that accepts any token, also for Socket Mode. */
async function openSlack(stack: DisposalStack): Promise<string> {
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ ok: true, user_id: 'U0BOT', bot_id: 'B0BOT', team_id: 'T0TEAM', url: `ws://127.0.0.1:${port}/link` }));
    request.resume();
  }).listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send(JSON.stringify({ type: 'hello', num_connections: 1 })));
  stack.defer(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close().closeAllConnections();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Runs a program until it prints a text, or ends. */
async function run(program: string, words: readonly string[], settings: Readonly<Record<string, string>>, text: string) {
  await using stack = new DisposalStack();
  const folder = stack.use(await trailFolder());
  await folder.deliver(records(3));
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(PRELOAD)}`, fileURLToPath(new URL(program, root)), ...words],
    {
      cwd: folder.root,
      env: {
        ...childEnv,
        TMPDIR: folder.root,
        SLACK_AT: await openSlack(stack),
        TRAIL_PATH: folder.trail,
        STORE_PATH: folder.store,
        PORT: '0',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const ended = once(child, 'close');
  stack.defer(() => child.kill('SIGKILL') && ended);
  const loaded: string[] = [];
  const addresses: AddressInfo[] = [];
  child.on('message', (message: { readonly loaded?: string; readonly address?: AddressInfo }) => {
    if (message.loaded) loaded.push(decodeURIComponent(message.loaded).replace(String(root), ''));
    if (message.address) addresses.push(message.address);
  });
  let out = '';
  const printed = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (piece: string) => {
        out += piece;
        if (out.includes(text)) resolve();
      });
  });
  await Promise.race([printed, ended]);
  expect(out).toContain(text);
  return { loaded, addresses, out };
}

const HTTP = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'secret' };
const SOCKET = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1' };
const STARTED = 'trailbot answers /trail in Slack. ';

describe('nothing of the local page, its Slack and the sample is loaded', () => {
  it.each([
    ['with Slack over HTTP', 'src/main.ts', [], HTTP, STARTED],
    ['with Slack over Socket Mode', 'src/main.ts', [], SOCKET, STARTED],
    ['for a question in a terminal', 'src/cli/main.ts', ['ask', 'events', '2026-05-01'], {}, 'DescribeInstances'],
    ['for the doctor', 'src/cli/main.ts', ['doctor'], {}, 'Covers  1 account'],
  ])('%s', async (_, program, words, settings, text) => {
    const { loaded } = await run(program, words, settings, text);
    // The recording works.
    expect(loaded).toEqual(expect.arrayContaining([program, 'src/app.ts', 'duckdb/engine.ts']));
    expect(loaded.filter((file) => /^(playground|sample|test|bench|attack|calls)\/|node_modules\/emulate\//.test(file))).toEqual([]);
  });

  it('with the local page, they are', async () => {
    const { loaded } = await run('src/main.ts', [], { PLAYGROUND_PORT: '0' }, 'Ask the trail at');
    expect(loaded).toEqual(expect.arrayContaining(['playground/page.ts', 'node_modules/emulate/dist/api.js']));
  });
});

describe('the process listens', () => {
  it.each([
    ['over HTTP', HTTP],
    ['over Socket Mode', SOCKET],
  ])('on loopback, and on another address only when BIND_ADDRESS says so, %s', async (_, settings) => {
    const { addresses, out } = await run('src/main.ts', [], settings, STARTED);
    expect(addresses.map(({ address }) => address)).toEqual(['127.0.0.1']);
    const open = await run('src/main.ts', [], { ...settings, BIND_ADDRESS: '0.0.0.0' }, STARTED);
    expect(open.addresses.map(({ address }) => address)).toEqual(['0.0.0.0']);
    if (settings !== HTTP) return;
    expect(out).toContain(`It takes Slack’s requests on 127.0.0.1:${addresses[0]?.port}, path /slack/events, from this machine`);
    expect(open.out).toContain(`on 0.0.0.0:${open.addresses[0]?.port}, path /slack/events, from the network.`);
  });
});

describe('the packages that are shipped', async () => {
  interface Package {
    readonly dev?: boolean;
    readonly integrity?: string;
  }
  const lock = JSON.parse(await readFile(new URL('package-lock.json', root), 'utf8')) as { readonly packages: Readonly<Record<string, Package>> };
  const { dependencies } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { readonly dependencies: object };
  const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);

  it('are few', () => {
    expect(Object.keys(dependencies).length).toBeLessThanOrEqual(24);
    // A third of them draws charts, and is loaded when the first one is drawn.
    expect(shipped.length).toBeLessThanOrEqual(300);
    expect(shipped.map(([path]) => path)).not.toContain('node_modules/emulate');
  });

  // No package runs a script at installation or names a registry: test/install.test.ts.
  it('are pinned by their content', () => {
    for (const [path, { integrity }] of shipped) expect(integrity, path).toMatch(/^sha512-/);
  });
});

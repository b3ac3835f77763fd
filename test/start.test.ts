/** `npm start` in a process of its own, with a server on loopback instead of Slack. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sendForm } from '../playground/signed-requests.ts';
import { openPlaygroundSlack } from '../playground/slack.ts';
import { ensureSample } from '../sample/ensure.ts';
import { generateSample } from '../sample/generate.ts';
import { openTrail } from '../src/app.ts';
import { freePort, startMain } from './support/main-process.ts';
import { openSlackProxy } from './support/slack-proxy.ts';
import { records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

let folder: TrailFolder;
const cleanups: (() => unknown)[] = [];
beforeAll(async () => {
  folder = await trailFolder();
  await folder.deliver(records(3));
});
afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});
afterAll(() => folder[Symbol.asyncDispose]());

function start(settings: Readonly<Record<string, string>>, slackAt = '') {
  const main = startMain(folder.root, { TRAIL_PATH: folder.trail, STORE_PATH: folder.store, ...settings }, slackAt);
  cleanups.push(() => main.child.kill('SIGKILL') && main.ended);
  return main;
}

/** Waits until a process has printed a text on stdout. */
const waitForOutput = (output: { readonly out: string }, text: string) => expect.poll(() => output.out).toContain(text);

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => close(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

describe('without a Slack token', () => {
  it('the process listens only on loopback, and rejects requests signed with the secret of another start', async () => {
    const PORT = await freePort();
    const { output, listening } = start({ PORT, PLAYGROUND_PORT: '0' });
    await waitForOutput(output, 'Ask the trail at  http://127.0.0.1:');
    const page = new URL(/http:\S+/.exec(output.out)?.[0] ?? '');
    // The emulated Slack is on a socket in the file system, which no web page reaches.
    const onPorts = listening.filter((at) => typeof at === 'object');
    expect(new Set(onPorts.map(({ port }) => String(port)))).toEqual(new Set([PORT, page.port]));
    expect(new Set(onPorts.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));
    if (process.platform !== 'win32') {
      const [socket = ''] = listening.filter((at) => typeof at === 'string');
      expect((await stat(dirname(socket))).mode & 0o777).toBe(0o700);
    }

    const bot = `http://127.0.0.1:${PORT}/`;
    expect((await fetch(`${bot}readyz`)).status).toBe(200);
    const other = await openPlaygroundSlack();
    cleanups.push(() => other.close());
    const { signingSecret } = other;
    expect(await sendForm({ url: `${bot}slack/events`, signingSecret }, { command: '/trail', text: 'help' })).toMatchObject({ ok: false });
  });

  it('each start has its own secrets', async () => {
    const two = await Promise.all([openPlaygroundSlack(), openPlaygroundSlack()]);
    cleanups.push(...two.map((slack) => () => slack.close()));
    const secrets = two.flatMap(({ signingSecret, botToken, requesterToken }) => [signingSecret, botToken, requesterToken]);
    expect(new Set(secrets).size).toBe(6);
    for (const secret of secrets) expect(secret).toMatch(/^(xox[bp]-)?[0-9a-f]{64}$/);
  });
});

describe('a start that fails exits with status 1 and says what to do about', () => {
  const HTTP = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'secret', PORT: '0' };
  const SOCKET = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', PORT: '0' };
  const CHECK_NETWORK = 'Check the network’s access to slack.com. Behind a proxy, set HTTPS_PROXY and NODE_USE_ENV_PROXY=1.\n';

  /** A Web API that rejects some methods. */
  const slackThatRejects = (errors: Readonly<Record<string, string>>) =>
    serve(({ url = '' }, response) => {
      const error = errors[url.replace('/api/', '')];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(error ? { ok: false, error } : { ok: true, user_id: 'U0BOT', bot_id: 'B0BOT', team_id: 'T0TEAM' }));
    });

  it.each([
    ['a Slack that cannot be reached', HTTP, async () => `http://127.0.0.1:${await freePort()}/`, `Slack cannot be reached. ${CHECK_NETWORK}`],
    [
      'a proxy that answers instead of Slack',
      HTTP,
      () => serve((_, response) => response.writeHead(503).end('<html>no</html>')),
      `Slack cannot be reached (HTTP 503). ${CHECK_NETWORK}`,
    ],
    [
      'a bot token that Slack rejects',
      HTTP,
      () => slackThatRejects({ 'auth.test': 'invalid_auth' }),
      'Slack does not accept SLACK_BOT_TOKEN (invalid_auth). Copy it again from OAuth & Permissions.\n',
    ],
    [
      'an app token that Slack rejects',
      SOCKET,
      () => slackThatRejects({ 'apps.connections.open': 'invalid_auth' }),
      'Slack does not accept SLACK_APP_TOKEN (invalid_auth). Copy it again from Basic Information, App-Level Tokens.\n',
    ],
  ])('%s', async (_, settings, slack, sentence) => {
    await expectFailure(start(settings, await slack()), sentence);
  });

  it.each([
    ['HTTP', HTTP],
    ['Socket Mode', SOCKET],
  ])('a port that is taken, with %s', async (_, settings) => {
    const slack = await slackThatRejects({});
    const { port: PORT } = new URL(await serve((_, response) => response.end()));
    await expectFailure(start({ ...settings, PORT }, slack), `Port ${PORT} is taken. Set PORT to another.\n`);
  });

  async function expectFailure({ output, ended }: ReturnType<typeof start>, sentence: string): Promise<void> {
    expect(await ended).toBe(1);
    // Progress lines come first.
    expect(output.err.replace(/^.* …\n/gm, '')).toBe(sentence);
    expect(output.out).not.toMatch(/stack|\.[jt]s:\d+/);
  }
});

it('without a token, a start waits for workspaces to install the app', async () => {
  const PORT = await freePort();
  const settings = { SLACK_CLIENT_ID: '1.2', SLACK_CLIENT_SECRET: 'a secret', SLACK_WORKSPACES: 'T0OWN', SLACK_SIGNING_SECRET: 'secret', PORT };
  const { child, output, ended } = start(settings, 'http://127.0.0.1:1/');
  await waitForOutput(output, 'trailbot answers /trail in Slack');
  expect(output.out).toContain(`Workspaces install it at /slack/install of its public address, which leads to 127.0.0.1:${PORT}. `);
  const begun = await fetch(`http://127.0.0.1:${PORT}/slack/install`, { redirect: 'manual' });
  expect(begun.headers.get('location')).toContain('client_id=1.2');
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(output.out + output.err).not.toContain('a secret');
});

describe('a process that stops', () => {
  it('sends the answer of a running question first', async () => {
    const slack = await openSlackProxy();
    cleanups.push(() => slack.close());
    const PORT = await freePort();
    const { signingSecret } = slack.emulator;
    const settings = { SLACK_BOT_TOKEN: slack.emulator.botToken, SLACK_SIGNING_SECRET: signingSecret, PORT };
    const { child, output, ended } = start(settings, slack.apiUrl.replace('api/', ''));
    await waitForOutput(output, 'trailbot answers /trail in Slack');

    // The response_url hangs and fails only after SIGTERM, so the answer is posted while the process stops.
    const [reached, failNow] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const response_url = await serve(async (_, response) => {
      reached.resolve();
      await failNow.promise;
      response.writeHead(404).end();
    });
    const bot = `http://127.0.0.1:${PORT}/`;
    expect(await slack.slash(`${bot}slack/events`, 'help', { response_url })).toEqual({ ok: true, body: '' });
    await reached.promise;
    child.kill('SIGTERM');
    await expect
      .poll(() =>
        fetch(`${bot}readyz`).then(
          ({ status }) => status,
          () => 'gone',
        ),
      )
      .toBe('gone');
    expect(child.exitCode).toBeNull();
    failNow.resolve();
    expect(await slack.next()).toMatchObject({ method: 'chat.postEphemeral', text: expect.stringContaining('I answer questions') });
    expect(await ended).toBe(0);
  });
});

describe('the sample', () => {
  const END = new Date('2026-11-21T00:00:00Z');
  const EVENTS = 1000;
  const never = new AbortController().signal;

  it('is generated once, and whole, when two first starts run at the same time', async () => {
    const root = await newFolder();
    const location = { trail: join(root, 'sample'), store: join(root, 'store'), isSample: true };
    // The two samples end at different times, so their files differ.
    const ends = [END, new Date(END.getTime() + 60_000)];
    const begin = async (end: Date) => {
      const engine = await openTrail(location, { SAMPLE_EVENTS: EVENTS }, { clock: () => end, signal: never, onProgress: () => undefined });
      const { events } = await engine.extent();
      await engine.close();
      return events;
    };
    const [one, other] = await Promise.all(ends.map(begin));
    expect((await readdir(root)).sort()).toEqual(['sample', 'store']);
    expect(one).toBeGreaterThanOrEqual(EVENTS);
    expect(other).toBe(one);
    const generatedAlone = async (end: Date) => {
      const out = join(root, `alone-${end.getTime()}`);
      await generateSample({ out, end, days: 184, eventsPerDay: Math.ceil(EVENTS / 184) });
      return sizesOf(out);
    };
    expect(await Promise.all(ends.map(generatedAlone))).toContainEqual(await sizesOf(location.trail));
  });

  it('is made again when it is older than a day, and its store has only the new one', async () => {
    const root = await newFolder();
    const location = { trail: join(root, 'sample'), store: join(root, 'store'), isSample: true };
    const extentAt = async (now: Date) => {
      const engine = await openTrail(location, { SAMPLE_EVENTS: EVENTS }, { clock: () => now, signal: never, onProgress: () => undefined });
      const extent = await engine.extent();
      await engine.close();
      return extent;
    };
    const first = await extentAt(END);
    const nextDay = await extentAt(new Date(END.getTime() + 86_400_000));
    expect(nextDay).toEqual(first);
    const later = new Date(END.getTime() + 5 * 86_400_000);
    const again = await extentAt(later);
    expect(again.last?.slice(0, 10)).toBe('2026-11-25');
    expect(again.first?.slice(0, 10)).toBe(new Date(Date.parse(first.first ?? '') + 5 * 86_400_000).toISOString().slice(0, 10));
    expect((await readdir(root)).sort()).toEqual(['sample', 'store']);
    expect(await extentAt(later)).toEqual(again);
  });

  it('leaves no files behind when it is aborted', async () => {
    const root = await newFolder();
    const stop = new AbortController();
    const onProgress = () => stop.abort(new Error('stopped'));
    const ensured = ensureSample({ out: join(root, 'sample'), events: EVENTS, end: END, signal: stop.signal, onProgress });
    await expect(ensured).rejects.toThrow('stopped');
    expect(await readdir(root)).toEqual([]);
  });

  async function newFolder(): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'trailbot-start-'));
    cleanups.push(() => rm(root, { recursive: true, force: true }));
    return root;
  }

  /** Every file below a folder with its size. */
  async function sizesOf(root: string): Promise<string[]> {
    const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const sizes = await Promise.all(
      files.map(async ({ parentPath, name }) => {
        const file = join(parentPath, name);
        return `${file.slice(root.length)} ${(await stat(file)).size}`;
      }),
    );
    return sizes.sort();
  }
});

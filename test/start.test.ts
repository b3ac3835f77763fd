/** The bot as `npm start` starts it: a process of its own, for which a server on loopback is Slack. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deliverForm } from '../playground/deliver.ts';
import { openPlaygroundSlack } from '../playground/slack.ts';
import { generateSample } from '../sample/generate.ts';
import { ensureSample, openTrail } from '../src/app.ts';
import { childEnv } from './support/child-env.ts';
import { openSlackDoor } from './support/slack-door.ts';
import { records, type TrailFolder, trailFolder } from './support/trail-folder.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Runs in the process before its first line: takes what is meant for Slack to SLACK_AT, lets nothing off this machine, and tells where it listens. */
const BEFORE = `
import { Server } from 'node:net';
const { fetch } = globalThis;
globalThis.fetch = (to, init) => {
  const url = String(to).replace('https://slack.com/', process.env.SLACK_AT);
  return url.startsWith('http://127.0.0.1:') ? fetch(url, init) : Promise.reject(new Error('not on loopback: ' + url));
};
const { listen } = Server.prototype;
Server.prototype.listen = function (...words) {
  this.once('listening', () => process.send?.(this.address()));
  return listen.apply(this, words);
};`;

let folder: TrailFolder;
const after: (() => unknown)[] = [];
beforeAll(async () => {
  folder = await trailFolder();
  await folder.deliver(records(3));
});
afterEach(async () => {
  for (const end of after.splice(0).toReversed()) await end();
});
afterAll(() => folder[Symbol.asyncDispose]());

function start(settings: Readonly<Record<string, string>>, slackAt = '') {
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(BEFORE)}`, MAIN], {
    // A developer's .env is not read.
    cwd: folder.root,
    env: { ...childEnv, SLACK_AT: slackAt, TRAIL_PATH: folder.trail, STORE_PATH: folder.store, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const said = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said.err += text;
  });
  const listening: AddressInfo[] = [];
  child.on('message', (address) => listening.push(address as AddressInfo));
  const ended = once(child, 'close').then(([status]) => status as number | null);
  after.push(() => child.kill('SIGKILL') && ended);
  return { child, said, listening, ended };
}

/** Waits until a process has said so much on stdout. */
const hear = (said: { readonly out: string }, text: string) => expect.poll(() => said.out).toContain(text);

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after.push(() => close(server));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

describe('without a Slack token', () => {
  it('nothing listens but on loopback, and the bot takes nothing that another start has signed', async () => {
    const PORT = await freePort();
    const { said, listening } = start({ PORT, PLAYGROUND_PORT: '0' });
    await hear(said, 'Ask the trail at  http://127.0.0.1:');
    const page = new URL(/http:\S+/.exec(said.out)?.[0] ?? '');
    expect(listening.map(({ port }) => String(port))).toEqual(expect.arrayContaining([PORT, page.port]));
    expect(new Set(listening.map(({ address }) => address))).toEqual(new Set(['127.0.0.1']));

    const bot = `http://127.0.0.1:${PORT}/`;
    expect((await fetch(`${bot}readyz`)).status).toBe(200);
    const other = await openPlaygroundSlack({ port: 0 });
    after.push(() => other.close());
    const { signingSecret } = other;
    expect(await deliverForm({ url: `${bot}slack/events`, signingSecret }, { command: '/trail', text: 'help' })).toMatchObject({ ok: false });
  });

  it('no two starts share a secret', async () => {
    const two = await Promise.all([openPlaygroundSlack({ port: 0 }), openPlaygroundSlack({ port: 0 })]);
    after.push(...two.map((slack) => () => slack.close()));
    const secrets = two.flatMap(({ signingSecret, botToken, requesterToken }) => [signingSecret, botToken, requesterToken]);
    expect(new Set(secrets).size).toBe(6);
    for (const secret of secrets) expect(secret).toMatch(/^(xox[bp]-)?[0-9a-f]{64}$/);
  });
});

describe('a start that Slack or this machine does not allow says what to mend, with status 1:', () => {
  const HTTP = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_SIGNING_SECRET: 'secret', PORT: '0' };
  const SOCKET = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', PORT: '0' };
  const UNREACHED = 'Is there a way out to slack.com, or a proxy to set (NODE_USE_ENV_PROXY=1)?\n';

  /** The Web API, of which some methods are refused. */
  const slackThatRefuses = (refused: Readonly<Record<string, string>>) =>
    serve(({ url = '' }, response) => {
      const error = refused[url.replace('/api/', '')];
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(error ? { ok: false, error } : { ok: true, user_id: 'U0BOT', bot_id: 'B0BOT', team_id: 'T0TEAM' }));
    });

  it.each([
    ['Slack that cannot be reached', HTTP, async () => `http://127.0.0.1:${await freePort()}/`, `Slack cannot be reached. ${UNREACHED}`],
    [
      'a proxy that answers in place of Slack',
      HTTP,
      () => serve((_, response) => response.writeHead(503).end('<html>no</html>')),
      `Slack cannot be reached (HTTP 503). ${UNREACHED}`,
    ],
    [
      'a bot token that is refused',
      HTTP,
      () => slackThatRefuses({ 'auth.test': 'invalid_auth' }),
      'Slack does not accept SLACK_BOT_TOKEN (invalid_auth). Copy it anew from OAuth & Permissions.\n',
    ],
    [
      'an app token that is refused',
      SOCKET,
      () => slackThatRefuses({ 'apps.connections.open': 'invalid_auth' }),
      'Slack does not accept SLACK_APP_TOKEN (invalid_auth). Copy it anew from Basic Information, App-Level Tokens.\n',
    ],
  ])('%s', async (_, settings, slack, sentence) => {
    await expectRefused(start(settings, await slack()), sentence);
  });

  it.each([
    ['HTTP', HTTP],
    ['Socket Mode', SOCKET],
  ])('a port that is taken, with %s', async (_, settings) => {
    const slack = await slackThatRefuses({});
    const { port: PORT } = new URL(await serve((_, response) => response.end()));
    await expectRefused(start({ ...settings, PORT }, slack), `Port ${PORT} is taken. Set PORT to another.\n`);
  });

  async function expectRefused({ said, ended }: ReturnType<typeof start>, sentence: string): Promise<void> {
    expect(await ended).toBe(1);
    // Progress comes first, on a line of its own.
    expect(said.err.replace(/^.* …\n/gm, '')).toBe(sentence);
    expect(said.out).not.toMatch(/stack|\.[jt]s:\d+/);
  }
});

describe('a process that is told to end', () => {
  it('lets an answer that is under way arrive first', async () => {
    const door = await openSlackDoor();
    after.push(() => door.close());
    const PORT = await freePort();
    const { signingSecret } = door.slack;
    const settings = { SLACK_BOT_TOKEN: door.slack.botToken, SLACK_SIGNING_SECRET: signingSecret, PORT };
    const { child, said, ended } = start(settings, door.apiUrl.replace('api/', ''));
    await hear(said, 'trailbot answers /trail in Slack');

    // The first way of answering hangs, and fails only when the process is on its way out: the second is gone then.
    const [reached, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const response_url = await serve(async (_, response) => {
      reached.resolve();
      await told.promise;
      response.writeHead(404).end();
    });
    const bot = `http://127.0.0.1:${PORT}/`;
    expect(await door.slash(`${bot}slack/events`, 'help', { response_url })).toEqual({ ok: true, body: '' });
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
    told.resolve();
    expect(await door.next()).toMatchObject({ method: 'chat.postEphemeral', text: expect.stringContaining('I answer questions') });
    expect(await ended).toBe(0);
  });
});

describe('the sample', () => {
  const END = new Date('2026-11-21T00:00:00Z');
  const EVENTS = 1000;
  const never = new AbortController().signal;

  it('that two first starts make at once is one, and whole for both', async () => {
    const root = await newFolder();
    const place = { trail: join(root, 'sample'), store: join(root, 'store'), isSample: true };
    // Each ends when it was started, so the files of one are not those of the other.
    const ends = [END, new Date(END.getTime() + 60_000)];
    const begin = async (end: Date) => {
      await ensureSample(place, EVENTS, end, never, () => undefined);
      const engine = await openTrail(place, never, () => undefined);
      const { events } = await engine.extent();
      await engine.close();
      return events;
    };
    const [one, other] = await Promise.all(ends.map(begin));
    expect((await readdir(root)).sort()).toEqual(['sample', 'store']);
    expect(one).toBeGreaterThanOrEqual(EVENTS);
    expect(other).toBe(one);
    const alone = async (end: Date) => {
      const out = join(root, `alone-${end.getTime()}`);
      await generateSample({ out, end, days: 184, eventsPerDay: Math.ceil(EVENTS / 184) });
      return sizesOf(out);
    };
    expect(await Promise.all(ends.map(alone))).toContainEqual(await sizesOf(place.trail));
  });

  it('that is stopped half made leaves nothing behind', async () => {
    const root = await newFolder();
    const stop = new AbortController();
    const place = { trail: join(root, 'sample'), store: join(root, 'store'), isSample: true };
    const made = ensureSample(place, EVENTS, END, stop.signal, () => stop.abort(new Error('stopped')));
    await expect(made).rejects.toThrow('stopped');
    expect(await readdir(root)).toEqual([]);
  });

  async function newFolder(): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'trailbot-start-'));
    after.push(() => rm(root, { recursive: true, force: true }));
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

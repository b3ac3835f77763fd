/** Tries the doors: the ports of the local page as a web page would, the bot's request URL without Slack's secret, and the bot as a stranger. */
import { createHmac, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import pLimit from 'p-limit';
import { openBot } from '../src/slack/bot.ts';
import { openAskedPeople } from '../src/state/asked-people.ts';
import { openCancellations } from '../src/state/cancellations.ts';
import { openCases } from '../src/state/cases.ts';
import { openRecentLines } from '../src/state/recent-lines.ts';
import { openSharedAnswers } from '../src/state/shared-answers.ts';
import { openVersionMemory } from '../src/state/version-memory.ts';
import { deskAnswering } from '../test/support/fake-desk.ts';
import { type LocalPage, openLocalPage } from '../test/support/local-page.ts';
import { openSlackProxy, type SlackProxy } from '../test/support/slack-proxy.ts';
import type { Attack, AttackOutcome, AttackSize } from './attack.ts';

export const doors: Attack = {
  name: 'doors',
  async run({ size, folder }) {
    await using local = await openLocalPage(folder);
    const before = await messagesOf(local);
    const outcomes = [await tryAsWebPage(local, size), await tryWithoutSecret(local, size), await tryMalformed(local, size)];
    return [...outcomes, await expectUnchanged(local, before), await tryAsStranger(size)];
  },
};

interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

interface Request {
  readonly port: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const MAX_WAIT_MS = 5000;

/** Sends a request as it is, with any Host header. An event stream is read until it has said what is there. */
function send({ port, method, path, headers, body }: Request): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, method, path, headers: { 'content-length': Buffer.byteLength(body), ...headers } });
    sending.setTimeout(MAX_WAIT_MS, () => sending.destroy(new Error('no answer')));
    sending
      .on('response', (response) => {
        const { statusCode: status = 0, headers: found } = response;
        if (found['content-type']?.startsWith('text/event-stream')) {
          resolve({ status, headers: found, body: 'an event stream' });
          sending.destroy();
        } else text(response).then((read) => resolve({ status, headers: found, body: read }), reject);
      })
      .on('error', reject)
      .end(body);
  });
}

/** All combinations of one value from each list. */
function combinations<T extends readonly (readonly unknown[])[]>(...lists: T): { [K in keyof T]: T[K][number] }[] {
  return lists.reduce<unknown[][]>((done, list) => done.flatMap((some) => list.map((one) => [...some, one])), [[]]) as {
    [K in keyof T]: T[K][number];
  }[];
}

/** A prime, so that strides of it through a list meet every combination of the lists that it was made of. */
const STRIDE = 7919;

/** So many of them, spread over all; at the large size thirty times as many. */
const sampleOf = <T>(all: readonly T[], size: AttackSize, count: number): readonly T[] =>
  Array.from({ length: Math.min(size === 'large' ? 30 * count : count, all.length) }, (_, i) => all[(i * STRIDE) % all.length] as T);

const inTurns = pLimit(8);

/** Runs the attempts a few at a time. Returns what each got through, without those that got nothing. */
async function tryAll<T>(what: string, attempts: readonly T[], attempt: (one: T) => Promise<string | undefined>): Promise<AttackOutcome> {
  const failures = await Promise.all(attempts.map((one) => inTurns(() => attempt(one))));
  return { what, tried: attempts.length, failures: failures.filter((failure) => failure !== undefined) };
}

const PATHS = [
  '/',
  '/events',
  '/message',
  '/click',
  '/page.js',
  '/response/guess',
  '/slack/events',
  '/healthz',
  '/api/chat.postMessage',
  '/api/auth.test',
];

/** The headers that a browser adds to the requests of a page; a script cannot change them. */
const FOREIGN_HEADERS: readonly Readonly<Record<string, string>>[] = [
  { origin: 'http://evil.example' },
  { origin: 'null' },
  { origin: 'http://127.0.0.1:1' },
  { origin: 'http://localhost:1', 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' },
  { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
  { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
  { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
];

/** A page of another origin, or one whose name was pointed at this machine (DNS rebinding), which is then of the same origin. */
async function tryAsWebPage({ ports }: LocalPage, size: AttackSize): Promise<AttackOutcome> {
  const own = (port: number) => [`127.0.0.1:${port}`, `localhost:${port}`];
  const rebound = (port: number) => [
    `evil.example:${port}`,
    'evil.example',
    `127.0.0.1.evil.example:${port}`,
    '127.0.0.1',
    `[::1]:${port}`,
    `0.0.0.0:${port}`,
  ];
  const sameOrigin = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
  const bodies = [
    '',
    JSON.stringify({ channel: 'C000000001', text: '/trail help' }),
    'token=xoxb-any&channel=C000000001&text=posted',
    'payload=%7B%7D',
  ];
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'application/json', 'multipart/form-data; boundary=x'];
  const tokens = [undefined, 'Bearer xoxb-any', 'Bearer test_token_admin'];
  const attempts = ports.flatMap((port) => {
    const hosts = [
      ...combinations(own(port), FOREIGN_HEADERS),
      ...rebound(port).flatMap((host) => [sameOrigin, { origin: `http://${host}` }, ...FOREIGN_HEADERS].map((more) => [host, more] as const)),
    ];
    return combinations([port], hosts, ['GET', 'POST', 'PUT', 'OPTIONS', 'HEAD'], PATHS, bodies, types, tokens);
  });
  return tryAll('a request of another web page, on every port', sampleOf(attempts, size, 2000), async (attempt) => {
    const [port, [host, more], method, path, body, type, token] = attempt;
    const headers = { host, 'content-type': type, ...more, ...(token && { authorization: token }) };
    const reply = await send({ port, method, path, headers, body });
    const readable = Object.keys(reply.headers).filter((name) => name.startsWith('access-control-'));
    if (readable.length > 0) return `${method} ${path} of ${JSON.stringify(headers)} may be read: ${readable.join(', ')}`;
    // That it is alive is no secret.
    return reply.status < 400 && path !== '/healthz' ? `${method} ${path} of ${JSON.stringify(headers)} got ${reply.status}` : undefined;
  });
}

const COMMAND = 'command=%2Ftrail&text=help&team_id=T000000001&user_id=U000000001&channel_id=C000000001';
const EVENT = JSON.stringify({ type: 'event_callback', team_id: 'T000000001', event: { type: 'app_mention', user: 'U000000001', text: 'help' } });

/** Requests to the bot with no signature, one by another secret, and one that is too old or of something else. */
async function tryWithoutSecret({ ports: [, bot] }: LocalPage, size: AttackSize): Promise<AttackOutcome> {
  const seconds = Math.floor(Date.now() / 1000);
  const sign = (secret: string, at: string | number, body: string) => `v0=${createHmac('sha256', secret).update(`v0:${at}:${body}`).digest('hex')}`;
  const secrets = ['', 'unused', 'secret', 'xoxb-any', ...Array.from({ length: size === 'large' ? 500 : 10 }, () => randomBytes(32).toString('hex'))];
  const times = ['', '0', 'NaN', '1e99', '-1', String(seconds), String(seconds - 301), String(seconds + 3600), `${seconds}.5`, ` ${seconds}`];
  const forms = [
    [COMMAND, 'application/x-www-form-urlencoded'],
    [`payload=${encodeURIComponent('{"type":"block_actions","actions":[]}')}`, 'application/x-www-form-urlencoded'],
    [`${COMMAND}&ssl_check=0`, 'application/x-www-form-urlencoded'],
    [EVENT, 'application/json'],
  ] as const;
  const attempts = combinations(secrets, times, forms, ['right', 'none', 'empty', 'v1', 'of another body']);
  return tryAll('a request to the bot without Slack’s secret', sampleOf(attempts, size, 600), async ([secret, at, [body, type], kind]) => {
    const signatures: Record<string, string | undefined> = {
      right: sign(secret, at, body),
      none: undefined,
      empty: 'v0=',
      v1: sign(secret, at, body).replace('v0', 'v1'),
      'of another body': sign(secret, at, ''),
    };
    const signature = signatures[kind];
    const headers = { 'content-type': type, 'x-slack-request-timestamp': at, ...(signature !== undefined && { 'x-slack-signature': signature }) };
    const { status } = await send({ port: bot, method: 'POST', path: '/slack/events', headers, body });
    return status < 400 ? `a request with ${JSON.stringify(headers)} got ${status}` : undefined;
  });
}

/** Requests that are none: the process must live on, and answer. */
async function tryMalformed({ ports }: LocalPage, size: AttackSize): Promise<AttackOutcome> {
  const lines = [
    'GET // HTTP/1.1',
    'GET http:// HTTP/1.1',
    'GET /%ff%00 HTTP/1.1',
    'GET * HTTP/1.1',
    'POST //x:y@[ HTTP/1.1',
    'GET /\\..\\x HTTP/1.1',
    'PRI * HTTP/2.0',
    'nonsense',
  ];
  const heads = [
    '',
    'Host: ',
    'Host: a\r\nHost: b',
    'Host: x\r\nContent-Length: 10',
    'Host: x\r\nTransfer-Encoding: chunked',
    `Host: x\r\nCookie: ${'a'.repeat(20_000)}`,
    'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade',
  ];
  const tails = ['', 'x', 'zz\r\n', '{"type":'];
  const hostOf = (head: string, port: number) =>
    head === '' || head.includes('Host: a') ? head : head.replace('Host: x', `Host: 127.0.0.1:${port}`);
  const attempts = combinations(ports, lines, heads, tails);
  const outcome = await tryAll('a request that is malformed', sampleOf(attempts, size, 100), async ([port, line, head, tail]) => {
    await sendRaw(port, `${line}\r\n${hostOf(head, port)}\r\n\r\n${tail}`);
    return undefined;
  });
  const alive = await Promise.all(
    ports.map((port, i) =>
      send({ port, method: 'GET', path: i === 0 ? '/' : '/healthz', headers: {}, body: '' }).then(
        ({ status }) => (status === 200 ? [] : [`port ${port} answers ${status} afterwards`]),
        (error: unknown) => [`port ${port} does not answer afterwards: ${error}`],
      ),
    ),
  );
  return { ...outcome, failures: [...outcome.failures, ...alive.flat()] };
}

/** Writes bytes and hangs up. */
function sendRaw(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(200, () => socket.destroy());
    socket.on('data', () => socket.destroy());
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

/** The messages that the local page shows to its own user. */
async function messagesOf({ ports: [port] }: LocalPage): Promise<readonly string[]> {
  const messages: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, path: '/events', headers: { host: `127.0.0.1:${port}` } });
    sending.on('response', (response) => {
      response.setEncoding('utf8').on('data', (piece: string) => messages.push(...(piece.match(/^data: .*"put".*$/gm) ?? [])));
      // The page polls its Slack four times a second.
      response.setTimeout(1500, () => resolve(void sending.destroy()));
    });
    sending.on('error', reject).end();
  });
  return messages.map((line) => (JSON.parse(line.slice('data: '.length)) as { readonly put: { readonly key: string } }).put.key).sort();
}

async function expectUnchanged(local: LocalPage, before: readonly string[]): Promise<AttackOutcome> {
  const posted = (await messagesOf(local)).filter((key) => !before.includes(key));
  return { what: 'what these requests left in the workspace', tried: 1, failures: posted.map((key) => `the message ${key} was posted`) };
}

const ANSWER_TEXT = 'the answer';

/** A bot that answers anything, asked by people of other workspaces, by bots, and by people of whom Slack says nothing. */
async function tryAsStranger(size: AttackSize): Promise<AttackOutcome> {
  const slack = await openSlackProxy();
  const bot = openBot({
    transport: { kind: 'http', signingSecret: slack.emulator.signingSecret, host: '127.0.0.1', port: 0 },
    botToken: slack.emulator.botToken,
    slackApiUrl: slack.apiUrl,
    desk: deskAnswering(async (line) => ({ template: 'error', data: {}, line })),
    shared: openSharedAnswers(openVersionMemory()),
    cancellations: openCancellations(openVersionMemory()),
    cases: openCases(openVersionMemory(), openVersionMemory),
    askedPeople: openAskedPeople(openVersionMemory()),
    recent: openRecentLines(openVersionMemory()),
    access: {},
    clock: () => new Date(),
    deadlineMs: MAX_WAIT_MS,
    logger: silentLogger,
    showHome: () => ({ type: 'home', blocks: [] }),
    showEvent: () => ({ type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] }),
    show: ({ data }) => ({ text: 'message' in data ? String(data.message) : ANSWER_TEXT, blocks: [] }),
  });
  try {
    const url = `http://127.0.0.1:${await bot.start()}/slack/events`;
    return await tryStrangers(slack, url, size);
  } finally {
    await bot.stop(0);
    await slack.close();
  }
}

async function tryStrangers(slack: SlackProxy, url: string, size: AttackSize): Promise<AttackOutcome> {
  const own = slack.emulator.workspace.teamId;
  const foreign = ['T0OTHER', 'E0OTHER', ''];
  const profiles = [
    undefined,
    { team_id: 'T0OTHER' },
    { team_id: own, is_bot: true },
    {},
    { team_id: 'T0OTHER', enterprise_user: { enterprise_id: 'E0OTHER', teams: ['T0OTHER'] } },
  ];
  // Of a mention, at least one field names another workspace, or none names any.
  const claims = combinations([own, ...foreign], [own, ...foreign], [own, ...foreign]).filter(
    (some) => some.some((id) => id !== own && id !== '') || some.every((id) => id === ''),
  );
  const mentions = combinations(claims, profiles, [true, false]).map(([[team, user_team, source_team], profile, is_ext_shared_channel]) => ({
    profile,
    ask: (user: string, ts: string) => slack.mention(url, 'rare', { user, ts, team, user_team, source_team, is_ext_shared_channel }),
  }));
  const clicks = combinations(foreign, profiles, ['ask:0', 'share']).map(([team_id, profile, action_id]) => ({
    profile,
    ask: (user: string) => slack.click(url, { type: 'button', action_id, value: 'rare' }, { user: { id: user, team_id } }),
  }));
  const commands = combinations(foreign, profiles).map(([team_id, profile]) => ({
    profile,
    ask: (user: string) => slack.slash(url, 'rare', { user_id: user, team_id }),
  }));
  const attempts = sampleOf([...mentions, ...clicks, ...commands], size, 150);
  const failures: string[] = [];
  slack.replies.set('chat.postEphemeral', () => ({}));
  for (const [i, { profile, ask }] of attempts.entries()) {
    slack.replies.set('users.info', () => (profile ? { user: profile } : { ok: false, error: 'missing_scope' }));
    const user = `U0STRANGER${i}`;
    await ask(user, `1.${i}`);
    const { method, text: said, response_type } = await slack.next();
    const isPrivate = method === 'chat.postEphemeral' || response_type === 'ephemeral';
    if (said === ANSWER_TEXT || !isPrivate) failures.push(`${user} (${JSON.stringify(profile)}) got ${method}: ${said}`);
  }
  return { what: 'a question of a stranger', tried: attempts.length, failures };
}

const silentLogger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => 'error' as never,
  setName: () => undefined,
};

/**
 * A local page instead of Slack: type `/trail root-logins 6mo`, click buttons, and see the messages that Slack would show.
 *
 * It listens on loopback only. Other web pages in the same browser can reach loopback too, so requests must have this server as
 * their host, and must come from this page, but for the one that opens it.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { openConversation } from './conversation.ts';
import { listenOnLoopback } from './loopback.ts';
import { openResponseUrls } from './response-urls.ts';
import type { Example, Hello, PanelContent, Story } from './shown.ts';
import type { PlaygroundSlack } from './slack.ts';
import { BotResponse, Click, openSlackUser, Shortcut, Submitted, TypedMessage } from './slack-user.ts';

export interface PageOptions {
  readonly port: number;
  readonly slack: PlaygroundSlack;
  /** The bot's request URL, such as http://127.0.0.1:3000/slack/events. */
  readonly botUrl: () => string;
  /** Questions to try. */
  readonly examples: readonly Example[];
  /** A sentence about the trail, shown at the top. */
  readonly about: string;
  /** What a visitor may want to see first. */
  readonly stories?: readonly Story[];
}

export interface Page {
  readonly url: string;
  close(): Promise<void>;
}

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  ...Object.fromEntries(
    [
      'page',
      'thread',
      'side-pane',
      'inspector',
      'blocks',
      'rich-text',
      'data-table',
      'mrkdwn',
      'dom',
      'view',
      'chart',
      'refusal-log',
      'message',
      'message-field',
      'avatar',
    ].map((name) => [`/${name}.js`, [`${name}.js`, 'text/javascript'] as const]),
  ),
};

/** The page shows text from logs. Even if some of it were parsed as HTML, it could load and run nothing. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** A request that has nothing to say. */
const NO_BODY = z.strictObject({});

const MAX_BODY_BYTES = 1_000_000;

const MAX_PREVIEW_BYTES = 4000;
const MAX_PREVIEW_LINES = 6;

/** Serves the page on `port`, or on a free port when that is taken. */
export async function servePage({ port, slack, botUrl, examples, about, stories = [] }: PageOptions): Promise<Page> {
  const conversation = openConversation(slack);
  const responseUrls = openResponseUrls();
  let url = '';
  const panels = new Set<(content: PanelContent) => void>();
  const showInPanel = (content: PanelContent): void => {
    for (const show of panels) show(content);
  };
  const user = openSlackUser({ slack, conversation, responseUrls, botUrl, pageUrl: () => url, showInPanel });
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    route(request, response).catch((error: unknown) => {
      console.error('playground:', error);
      if (!response.headersSent) reply(response, 500, 'The playground failed. See its terminal for the error.');
    });
  });

  const route = async (request: IncomingMessage, response: ServerResponse) => {
    if (!isOwnHost(request.headers.host, server.address())) return reply(response, 421, 'this server is only at 127.0.0.1 and localhost');
    const path = request.url ?? '/';
    if (isFromAnotherPage(request) && !(path === '/' && isNavigation(request)))
      return reply(response, 403, 'the request does not come from this page');
    if (request.method === 'GET' && path.startsWith('/preview/')) return sendPreview(path.slice('/preview/'.length), response);
    if (request.method === 'GET' && path.startsWith('/file/')) return sendMessageFile(path.slice('/file/'.length), response);
    if (request.method === 'GET') return path === '/events' ? sendEvents(response) : sendFile(path, response);
    if (request.method !== 'POST') return reply(response, 405, 'use GET or POST');

    const isResponse = path.startsWith('/response/');
    if (isResponse ? isFromBrowser(request) : !isFromThisPage(request)) return reply(response, 403, 'the request does not come from this page');
    if (Number(request.headers['content-length'] ?? Infinity) > MAX_BODY_BYTES) return reply(response, 413, 'the request is too long');
    const body = parseBody(await text(request));
    if (isResponse) return handleBotResponse(path, body, response);
    if (path === '/message') return handle(TypedMessage, body, user.type, response);
    if (path === '/click') return handle(Click, body, user.click, response);
    if (path === '/shortcut') return handle(Shortcut, body, user.shortcut, response);
    if (path === '/submit') return handle(Submitted, body, user.submit, response);
    if (path === '/home') return handle(NO_BODY, body, user.openHome, response);
    return reply(response, 404, 'no such page');
  };

  const sendEvents = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (event: string, data: object) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const { workspace, botUserId } = slack;
    const userNames = { [workspace.requester.id]: workspace.requester.name, [botUserId]: 'trail' };
    const { general, digests, direct } = workspace;
    const hello: Hello = { channels: [general, digests], direct, userNames, examples, about, stories };
    send('hello', hello);
    const showPanel = (content: PanelContent) => void send('panel', content);
    panels.add(showPanel);
    const watching = [
      () => panels.delete(showPanel),
      conversation.watch((change) => send('change', change)),
      slack.views.watch((view) => send('view', view)),
      slack.refusals.watch((refusal) => send('refusal', refusal)),
    ];
    response.on('close', () => {
      for (const stop of watching) stop();
    });
  };

  const sendMessageFile = async (id: string, response: ServerResponse): Promise<void> => {
    const file = await conversation.readFile(id);
    if (!file) return reply(response, 404, 'no such file');
    const isShown = file.type.startsWith('image/');
    // A browser shows a picture, and saves all else.
    response.writeHead(200, {
      'content-type': isShown ? file.type : 'application/octet-stream',
      ...(!isShown && { 'content-disposition': 'attachment' }),
    });
    response.end(file.bytes);
  };

  /** The first lines of a text file. */
  const sendPreview = async (id: string, response: ServerResponse): Promise<void> => {
    const file = await conversation.readFile(id);
    if (!file?.type.startsWith('text/')) return reply(response, 404, 'no such text file');
    const start = new TextDecoder().decode(file.bytes.subarray(0, MAX_PREVIEW_BYTES));
    const lines = start.split(/\r?\n/);
    // The last line may be cut.
    const whole = file.bytes.length > MAX_PREVIEW_BYTES ? lines.slice(0, -1) : lines;
    return reply(response, 200, whole.slice(0, MAX_PREVIEW_LINES).join('\n').trimEnd());
  };

  const handleBotResponse = async (path: string, body: unknown, response: ServerResponse) => {
    const target = responseUrls.use(path);
    if (!target) return reply(response, 404, '{"ok":false,"error":"used_url"}', 'application/json');
    const parsed = BotResponse.safeParse(body);
    if (!parsed.success) return reply(response, 400, parsed.error.message);
    const refusal = slack.refusals.ofResponse(parsed.data);
    // Slack says no more here than the code.
    if (refusal) return reply(response, 400, refusal.error);
    await user.showResponse(target, parsed.data);
    return reply(response, 200, 'ok');
  };

  url = `http://127.0.0.1:${await listenOnLoopback(server, port)}`;
  return {
    url,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** Runs `act` on a valid body. */
async function handle<Body>(
  schema: { safeParse(body: unknown): ParseResult<Body> },
  body: unknown,
  act: (body: Body) => Promise<unknown>,
  response: ServerResponse,
) {
  const parsed = schema.safeParse(body);
  if (!parsed.success) return reply(response, 400, parsed.error.message);
  const result = await act(parsed.data);
  return result === undefined ? reply(response, 200, 'ok') : reply(response, 200, JSON.stringify(result), 'application/json');
}

type ParseResult<Body> = { success: true; data: Body } | { success: false; error: Error };

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const [file, type] = files[path] ?? [];
  if (!file) return reply(response, 404, 'no such page');
  return reply(response, 200, await readFile(new URL(file, import.meta.url), 'utf8'), type);
}

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

/** With another host name, a foreign page could reach this server as its own origin (DNS rebinding). */
function isOwnHost(host: string | undefined, address: ReturnType<ReturnType<typeof createServer>['address']>): boolean {
  const port = typeof address === 'object' ? address?.port : undefined;
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/** Browsers set these headers, and no script can change them. The bot sends neither. */
function isFromBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

/** True for what another page in the browser asks for. A program sends neither header. */
function isFromAnotherPage({ headers }: IncomingMessage): boolean {
  const { origin, host, 'sec-fetch-site': site = 'none' } = headers;
  return (origin !== undefined && origin !== `http://${host}`) || (site !== 'same-origin' && site !== 'none');
}

/** A link to the page opens it, whoever has the link; the page that has it sees nothing of this one. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' && headers.origin === undefined;
}

function isFromThisPage({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : headers.origin === `http://${headers.host}`;
}

/** The parsed body; undefined, which no schema accepts, when it is not JSON. */
function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/**
 * A local page that stands in for Slack: one types `/trail root-logins 6mo`, presses buttons, and sees what a channel would show.
 *
 * It listens on loopback only. Because any web page open in the same browser can reach loopback too, requests must name this
 * server as their host, and what changes something must come from this page.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { openConversation } from './conversation.ts';
import { listen } from './listen.ts';
import { Answer, Line, Press, person } from './person.ts';
import { responseUrls } from './response-urls.ts';
import type { PlaygroundSlack } from './slack.ts';

export interface PageOptions {
  readonly port: number;
  readonly slack: PlaygroundSlack;
  /** The bot's request URL, such as http://127.0.0.1:3000/slack/events. */
  readonly bot: () => string;
  /** Lines to try, such as `root-logins 6mo`. */
  readonly examples: readonly string[];
  /** One sentence about which trail this is. */
  readonly about: string;
}

export interface Page {
  readonly url: string;
  close(): Promise<void>;
}

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['page.html', 'text/html'],
  '/page.css': ['page.css', 'text/css'],
  '/page.js': ['page.js', 'text/javascript'],
  '/blocks.js': ['blocks.js', 'text/javascript'],
  '/mrkdwn.js': ['mrkdwn.js', 'text/javascript'],
};

/** Log text reaches this page. Were any of it ever taken for markup, it could still load and run nothing. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

const LONGEST_BODY = 1_000_000;

/** Serves the page at `port`, or at a free one when that is taken. */
export async function servePage({ port, slack, bot, examples, about }: PageOptions): Promise<Page> {
  const conversation = openConversation(slack);
  const responses = responseUrls();
  let url = '';
  const sam = person({ slack, conversation, responses, bot, url: () => url });
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    route(request, response).catch((error: unknown) => {
      console.error('playground:', error);
      if (!response.headersSent) reply(response, 500, 'the playground failed; its terminal says why');
    });
  });

  const route = async (request: IncomingMessage, response: ServerResponse) => {
    if (!isHost(request.headers.host, server.address())) return reply(response, 421, 'this server answers to 127.0.0.1 and localhost alone');
    const path = request.url ?? '/';
    if (request.method === 'GET') return path === '/events' ? sendEvents(response) : sendFile(path, response);
    if (request.method !== 'POST') return reply(response, 405, 'GET or POST');

    const isResponse = path.startsWith('/response/');
    if (isResponse ? isFromBrowser(request) : !isFromThisPage(request)) return reply(response, 403, 'not from this page');
    if (Number(request.headers['content-length'] ?? Infinity) > LONGEST_BODY) return reply(response, 413, 'too long');
    const body = readJson(await text(request));
    if (isResponse) return takeAnswer(path, body, response);
    if (path === '/say') return take(Line, body, sam.say, response);
    if (path === '/press') return take(Press, body, sam.press, response);
    return reply(response, 404, 'no such page');
  };

  const sendEvents = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const { workspace, botUserId } = slack;
    const people = { [workspace.requester.id]: workspace.requester.name, [botUserId]: 'trail' };
    const hello = { channels: [workspace.general, workspace.digests], people, examples, about };
    response.write(`event: hello\ndata: ${JSON.stringify(hello)}\n\n`);
    const leave = conversation.watch((change) => response.write(`event: change\ndata: ${JSON.stringify(change)}\n\n`));
    response.on('close', leave);
  };

  const takeAnswer = async (path: string, body: unknown, response: ServerResponse) => {
    const place = responses.use(path);
    if (!place) return reply(response, 404, '{"ok":false,"error":"used_url"}', 'application/json');
    return take(Answer, body, (answer) => sam.answer(place, answer), response);
  };

  url = `http://127.0.0.1:${await listen(server, port)}`;
  return {
    url,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** Does what a well-formed body asks for. */
async function take<Body>(
  schema: { safeParse(body: unknown): Parsed<Body> },
  body: unknown,
  act: (body: Body) => Promise<void>,
  response: ServerResponse,
) {
  const parsed = schema.safeParse(body);
  if (!parsed.success) return reply(response, 400, parsed.error.message);
  await act(parsed.data);
  return reply(response, 200, 'ok');
}

type Parsed<Body> = { success: true; data: Body } | { success: false; error: Error };

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const [file, type] = files[path] ?? [];
  if (!file) return reply(response, 404, 'no such page');
  return reply(response, 200, await readFile(new URL(file, import.meta.url), 'utf8'), type);
}

function reply(response: ServerResponse, status: number, body: string, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` }).end(body);
}

/** Another name for this address would let a foreign page talk to it as its own (DNS rebinding). */
function isHost(host: string | undefined, address: ReturnType<ReturnType<typeof createServer>['address']>): boolean {
  const port = typeof address === 'object' ? address?.port : undefined;
  return host === `127.0.0.1:${port}` || host === `localhost:${port}`;
}

/** A browser says where a request comes from, in words no script can change. A bot has nothing to say of it. */
function isFromBrowser({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
}

function isFromThisPage({ headers }: IncomingMessage): boolean {
  return headers.origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : headers.origin === `http://${headers.host}`;
}

/** Undefined, which no schema takes, when it is not JSON. */
function readJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

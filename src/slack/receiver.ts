/** The two ways in which Slack reaches the bot, HTTP and Socket Mode, both with health endpoints. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type CustomRoute, HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';
import { errorCode } from './delivery.ts';
import type { PageHandler } from './install.ts';
import type { ClientOptions } from './workspace.ts';

/**
 * How Slack reaches the bot: it calls our request URL, or we keep a WebSocket open to it. `host` and `port` are where the bot listens; in
 * Socket Mode for the health endpoints and the pages of the installation only.
 */
export type Transport = { readonly host: string; readonly port: number } & (
  | { readonly kind: 'http'; readonly signingSecret: string }
  | { readonly kind: 'socket'; readonly appToken: string }
);

// A question is short; Slack's payload around it has some kilobytes.
const BODY_LIMIT = '1mb';

export interface ReceiverOptions {
  readonly clientOptions: ClientOptions;
  readonly logger: Logger;
  /** True while the bot takes questions. */
  isReady(): boolean;
  /** Pages by their paths. */
  readonly pages: Readonly<Record<string, PageHandler>>;
}

/** A receiver with `/healthz` (the process is alive), `/readyz` (the bot takes questions) and other pages. */
export function openReceiver(transport: Transport, { clientOptions, logger, isReady, pages }: ReceiverOptions): Receiver {
  const handlers: Readonly<Record<string, RouteHandler>> = {
    '/healthz': (_, response) => sendHealth(response, true),
    '/readyz': (_, response) => sendHealth(response, isReady()),
    ...Object.fromEntries(Object.entries(pages).map(([path, page]) => [path, guarded(page, logger)])),
  };
  if (transport.kind === 'socket') return socketReceiver(transport, clientOptions, logger, handlers);
  const customRoutes: CustomRoute[] = Object.entries(handlers).map(([path, handler]) => ({ path, method: 'GET', handler }));
  return new HTTPReceiver({ signingSecret: transport.signingSecret, customRoutes, bodyLimit: BODY_LIMIT, logger });
}

type RouteHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** A rejection would end the process. */
const guarded =
  (page: PageHandler, logger: Logger): RouteHandler =>
  (request, response) => {
    page(request, response).catch((error: unknown) => {
      logger.error(`a page failed (${errorCode(error)})`, error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };

/** Bolt's own server in Socket Mode listens on every address, and the process crashes when its port is taken. */
function socketReceiver(
  { appToken, host, port }: Extract<Transport, { kind: 'socket' }>,
  clientOptions: ClientOptions,
  logger: Logger,
  handlers: Readonly<Record<string, RouteHandler>>,
): Receiver {
  // Bolt has the Web API's options twice: these are for the call that opens the socket.
  const socket = new SocketModeReceiver({ appToken, logger, installerOptions: { clientOptions } });
  const server = createServer((request, response) => {
    const handler = request.method === 'GET' ? handlers[request.url?.split('?')[0] ?? ''] : undefined;
    if (handler) handler(request, response);
    else response.writeHead(404).end();
  });
  return {
    init: (app) => socket.init(app),
    async start() {
      server.listen(port, host);
      await once(server, 'listening');
      return socket.start();
    },
    async stop() {
      server.close();
      await socket.stop();
    },
  };
}

function sendHealth(response: ServerResponse, ok: boolean): void {
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ok }));
}

/** The two ways in which Slack reaches the bot, HTTP and Socket Mode, both with health endpoints. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type CustomRoute, HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';
import type { WebClientOptions } from '@slack/web-api';

/**
 * How Slack reaches the bot: it calls our request URL, or we keep a WebSocket open to it. `host` and `port` are where the bot listens; in
 * Socket Mode for the health endpoints only.
 */
export type Transport = { readonly host: string; readonly port: number } & (
  | { readonly kind: 'http'; readonly signingSecret: string }
  | { readonly kind: 'socket'; readonly appToken: string }
);

// A question is short; Slack's payload around it has some kilobytes.
const BODY_LIMIT = '1mb';

/** A receiver with `/healthz` (the process is alive) and `/readyz` (the bot takes questions). */
export function openReceiver(transport: Transport, clientOptions: WebClientOptions, logger: Logger, isReady: () => boolean): Receiver {
  const health: Readonly<Record<string, () => boolean>> = { '/healthz': () => true, '/readyz': isReady };
  if (transport.kind === 'socket') return socketReceiver(transport, clientOptions, logger, health);
  const customRoutes: CustomRoute[] = Object.entries(health).map(([path, isOk]) => ({
    path,
    method: 'GET',
    handler: (_, response) => sendHealth(response, isOk()),
  }));
  return new HTTPReceiver({ signingSecret: transport.signingSecret, customRoutes, bodyLimit: BODY_LIMIT, logger });
}

/** Bolt's own health server in Socket Mode listens on every address, and the process crashes when its port is taken. */
function socketReceiver(
  { appToken, host, port }: Extract<Transport, { kind: 'socket' }>,
  clientOptions: WebClientOptions,
  logger: Logger,
  health: Readonly<Record<string, () => boolean>>,
): Receiver {
  // Bolt has the Web API's options twice: these are for the call that opens the socket.
  const socket = new SocketModeReceiver({ appToken, logger, installerOptions: { clientOptions } });
  const server = createServer((request, response) => {
    const isOk = health[request.url?.split('?')[0] ?? ''];
    if (isOk) sendHealth(response, isOk());
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

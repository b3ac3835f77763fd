/** The two ways in which Slack reaches the bot, HTTP and Socket Mode, both with health endpoints. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type CustomRoute, HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';
import type { WebClientOptions } from '@slack/web-api';

/** How Slack reaches the bot: it calls our request URL, or we keep a WebSocket open to it. `port` also serves the health endpoints. */
export type Transport =
  | {
      readonly kind: 'http';
      readonly signingSecret: string;
      readonly port: number;
      /** The address to listen on; undefined for all of them. */
      readonly host?: string;
    }
  | { readonly kind: 'socket'; readonly appToken: string; readonly port: number };

// A question is short; Slack's payload around it has some kilobytes.
const BODY_LIMIT = '1mb';

/** A receiver with `/healthz` (the process is alive) and `/readyz` (the bot takes questions). */
export function openReceiver(transport: Transport, clientOptions: WebClientOptions, logger: Logger, isReady: () => boolean): Receiver {
  const customRoutes: CustomRoute[] = [
    { path: '/healthz', method: 'GET', handler: (_, response) => sendHealth(response, true) },
    { path: '/readyz', method: 'GET', handler: (_, response) => sendHealth(response, isReady()) },
  ];
  if (transport.kind === 'http') {
    return new HTTPReceiver({ signingSecret: transport.signingSecret, customRoutes, bodyLimit: BODY_LIMIT, logger });
  }
  // Bolt has the Web API's options twice: these are for the call that opens the socket.
  return new SocketModeReceiver({ appToken: transport.appToken, customRoutes, logger, installerOptions: { port: transport.port, clientOptions } });
}

/** Rejects when `port` is taken. Bolt's Socket Mode receiver does not handle that error of its health server: the process would crash. */
export async function assertPortIsFree(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

function sendHealth(response: ServerResponse, ok: boolean): void {
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ok }));
}

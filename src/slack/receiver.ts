/** The two ways in which Slack reaches the bot, with the same health pages beside each. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type CustomRoute, HTTPReceiver, type Logger, type Receiver, SocketModeReceiver } from '@slack/bolt';
import type { WebClientOptions } from '@slack/web-api';

/** How Slack reaches us: it calls a URL of ours, or we keep a socket open to it. `port` also serves the health pages. */
export type Transport =
  | {
      readonly kind: 'http';
      readonly signingSecret: string;
      readonly port: number;
      /** Undefined: every address of this machine. */
      readonly host?: string;
    }
  | { readonly kind: 'socket'; readonly appToken: string; readonly port: number };

// A question line is short; Slack's payloads around it are some kilobytes.
const BODY_LIMIT = '1mb';

/** A receiver with `/healthz` (we are alive) and `/readyz` (we take questions). */
export function openReceiver(transport: Transport, clientOptions: WebClientOptions, logger: Logger, isReady: () => boolean): Receiver {
  const customRoutes: CustomRoute[] = [
    { path: '/healthz', method: 'GET', handler: (_, response) => tell(response, true) },
    { path: '/readyz', method: 'GET', handler: (_, response) => tell(response, isReady()) },
  ];
  if (transport.kind === 'http') {
    return new HTTPReceiver({ signingSecret: transport.signingSecret, customRoutes, bodyLimit: BODY_LIMIT, logger });
  }
  // The address of Slack's API is asked for twice: this one opens the socket.
  return new SocketModeReceiver({ appToken: transport.appToken, customRoutes, logger, installerOptions: { port: transport.port, clientOptions } });
}

/** Rejects where nothing more can listen at `port`. Bolt's Socket Mode receiver does not hear that of its health pages: the process would die of it. */
export async function tryPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

function tell(response: ServerResponse, ok: boolean): void {
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ok }));
}

/** Ports on 127.0.0.1: the preferred one, or a free one when it is taken. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on the preferred port, or on a free one when it is taken. Returns the port. */
export async function listenOnLoopback(server: Server, preferred: number): Promise<number> {
  try {
    await listenAt(server, preferred);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await listenAt(server, 0);
  }
  return (server.address() as AddressInfo).port;
}

/** The preferred port, or 0 when it is taken: a server that listens on 0 gets a free port. */
export async function availablePort(preferred: number): Promise<number> {
  const server = createServer();
  try {
    await listenAt(server, preferred);
    return preferred;
  } catch {
    return 0;
  } finally {
    server.close();
  }
}

async function listenAt(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

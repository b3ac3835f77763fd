/**
 * A place to listen that no web page can reach, and no other user of this machine: a socket file in a folder of our own, or a pipe
 * with a random name on Windows. There is no port.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { FetchFunction } from '@slack/web-api';
import { UserError } from '../src/errors.ts';

export interface UnlistedSocket {
  /** What a server listens on. */
  readonly path: string;
  /** Deletes the folder of the socket. */
  remove(): Promise<void>;
}

/** The system's limit is 104 bytes on macOS and 108 on Linux, with the NUL at the end. */
const MAX_PATH_BYTES = 103;

export async function newSocket(): Promise<UnlistedSocket> {
  const name = `trailbot-${randomBytes(32).toString('hex')}`;
  if (process.platform === 'win32') return { path: `\\\\.\\pipe\\${name}`, remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-'));
  const path = join(folder, 'slack');
  const remove = () => rm(folder, { recursive: true, force: true });
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return { path, remove };
  await remove();
  throw new UserError(`The path of the temporary folder ${tmpdir()} is too long for a socket. Set TMPDIR to a shorter one.`);
}

/** A `fetch` that sends requests for addresses under `base` to the socket, and all others where they belong. */
export function fetchThrough(socketPath: string, base: string): FetchFunction {
  return async (url, init) => {
    if (!String(url).startsWith(base)) return fetch(url, init as RequestInit);
    const { method, headers, body, signal } = new Request(url, init as RequestInit);
    const sent = body ? Buffer.from(await new Response(body).arrayBuffer()) : undefined;
    return new Promise((resolve, reject) => {
      const { pathname, search } = new URL(url);
      request({ socketPath, path: pathname + search, method, headers: Object.fromEntries(headers), signal })
        .on('response', (response) => {
          const { statusCode: status = 500, headers: found } = response;
          buffer(response).then((bytes) => resolve(new Response(Uint8Array.from(bytes), { status, headers: textHeaders(found) })), reject);
        })
        .on('error', reject)
        .end(sent);
    });
  };
}

const textHeaders = (headers: NodeJS.Dict<string | string[]>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)] as [string, string]]));

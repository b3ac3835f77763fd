/** `npm start` in a process of its own, with a server on loopback in place of Slack. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { childEnv } from './child-env.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Imported first in the process: redirects requests for Slack to SLACK_AT, blocks all others off loopback, and sends the addresses it listens on. */
const PRELOAD = `
import { Server } from 'node:net';
const { fetch } = globalThis;
globalThis.fetch = (to, init) => {
  const url = String(to).replace('https://slack.com/', process.env.SLACK_AT);
  return url.startsWith('http://127.0.0.1:') ? fetch(url, init) : Promise.reject(new Error('not on loopback: ' + url));
};
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  this.once('listening', () => process.send?.(this.address()));
  return listen.apply(this, args);
};`;

export interface MainProcess {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly output: { readonly out: string; readonly err: string };
  /** Addresses, or paths of sockets, that it listens on. */
  readonly listening: readonly (AddressInfo | string)[];
  /** Resolves to its exit status; null when a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts it with only these settings. `cwd` is not the project's folder, so a developer's .env is not read. */
export function startMain(cwd: string, settings: Readonly<Record<string, string>>, slackAt = ''): MainProcess {
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(PRELOAD)}`, MAIN], {
    cwd,
    // What it leaves when it is killed goes with the folder.
    env: { ...childEnv, TMPDIR: cwd, SLACK_AT: slackAt, ...settings },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = { out: '', err: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.out += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.err += text;
  });
  const listening: (AddressInfo | string)[] = [];
  child.on('message', (address) => listening.push(address as AddressInfo | string));
  return { child, output, listening, ended: once(child, 'close').then(([status]) => status as number | null) };
}

/** A port on loopback that nothing listens on. */
export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

/** The ids of the processes of the embedded engine that a process has started. */
export const enginesOf = (parent: number | undefined): number[] =>
  (spawnSync('pgrep', ['-P', String(parent), '-f', 'engine-process'], { encoding: 'utf8' }).stdout?.match(/\d+/g) ?? []).map(Number);

/** `npm start` without a Slack token, in a process of its own: the local page over a trail of one event, and every port that it opens. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnv } from './child-env.ts';

export interface LocalPage extends AsyncDisposable {
  /** The address of the page: http://127.0.0.1:3100. */
  readonly url: string;
  /** The ports that the process listens on: that of the page, and that of the bot. */
  readonly ports: readonly [page: number, bot: number];
}

/** Sends every port that the process listens on, and those that it no longer does. Without its parent the process ends. */
const PRELOAD = `
import { Server } from 'node:net';
process.on('disconnect', () => process.exit());
const { listen } = Server.prototype;
Server.prototype.listen = function (...args) {
  this.once('listening', () => {
    const { port } = this.address();
    if (port === undefined) return;
    process.send({ port, isOpen: true });
    this.once('close', () => process.send({ port, isOpen: false }));
  });
  return listen.apply(this, args);
};`;

const EVENT = {
  eventVersion: '1.11',
  userIdentity: { type: 'IAMUser', userName: 'alice', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:user/alice' },
  eventTime: '2026-05-01T10:00:00Z',
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucket',
  awsRegion: 'eu-central-1',
  sourceIPAddress: '203.0.113.7',
  userAgent: 'aws-cli/2.17.32',
  requestParameters: { bucketName: 'example-reports' },
  responseElements: null,
  requestID: '2b1f7d4e-0000-4000-8000-000000000001',
  eventID: '5d1c3a90-0000-4000-8000-000000000001',
  readOnly: false,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
};

/** Starts it in an empty folder, which also gets its store. */
export async function openLocalPage(root: string): Promise<LocalPage> {
  const trail = join(root, 'trail');
  await mkdir(trail);
  await writeFile(join(trail, 'events.json'), JSON.stringify({ Records: [EVENT] }));
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(PRELOAD)}`, main], {
    // Not the project's folder, so a developer's .env is not read.
    cwd: root,
    env: { ...childEnv, TMPDIR: root, TRAIL_PATH: trail, STORE_PATH: join(root, 'store'), PORT: '0', PLAYGROUND_PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const ended = once(child, 'close');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const open = new Set<number>();
  child.on('message', ({ port, isOpen }: { readonly port: number; readonly isOpen: boolean }) => (isOpen ? open.add(port) : open.delete(port)));
  const url = await new Promise<string>((resolve, reject) => {
    let out = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const [, found] = /Ask the trail at {2}(http:\S+)/.exec(out) ?? [];
      if (found !== undefined) resolve(found);
    });
    ended.then(() => reject(new Error(`npm start ended: ${out}`)), reject);
  });
  const page = Number(new URL(url).port);
  const [bot, ...others] = [...open].filter((port) => port !== page);
  if (bot === undefined || others.length > 0) {
    await close();
    throw new Error(`npm start listens on the ports ${[...open].join(', ')}`);
  }
  return { url, ports: [page, bot], [Symbol.asyncDispose]: close };
}

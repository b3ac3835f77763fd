/** Moto's server on loopback: S3, Athena and STS of one account, in memory. */
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { spawnBound } from '../trino/spawn-bound.ts';
import { installMoto, MOTO_VERSION } from './install.ts';

/** A server that runs until it is disposed of or this process ends. */
export interface MotoServer extends AsyncDisposable {
  readonly url: string;
}

/** The account of every caller. */
export const MOTO_ACCOUNT = '111122223333';

const START_WITHIN = 60_000;

/** @throws NoMoto when moto cannot be installed. */
export async function startMoto(): Promise<MotoServer> {
  const packages = await installMoto();
  // An empty folder, since Python also imports from the current one.
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-moto-'));
  const file = join(folder, 'server.log');
  const log = await open(file, 'w');
  const env = { ...process.env, PYTHONPATH: packages, PYTHONNOUSERSITE: '1', MOTO_ACCOUNT_ID: MOTO_ACCOUNT, TMPDIR: folder };
  const server = spawnBound('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], { cwd: folder, env, log: log.fd });
  const ended = once(server, 'exit');
  const stop = async () => {
    server.stdin?.end();
    await ended;
    await log.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const signal = AbortSignal.timeout(START_WITHIN);
  for (;;) {
    const said = await readFile(file, 'utf8');
    const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(said)?.[1];
    if (url !== undefined) return { url, [Symbol.asyncDispose]: stop };
    if (server.exitCode !== null || signal.aborted) {
      await stop();
      throw new Error(`Moto ${MOTO_VERSION} did not start: ${said.slice(-2000)}`);
    }
    await setTimeout(50);
  }
}

/** A single-node Trino server on loopback with one catalog, `hive`: tables over local folders, with a file metastore. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sql } from '../../src/trail/sql.ts';
import { openTrino } from './client.ts';
import { installTrino, RELEASE } from './install.ts';

/** A server that runs until it is disposed of or this process ends. */
export interface TrinoServer extends AsyncDisposable {
  readonly url: string;
}

const START_WITHIN = 180_000;

/** @throws NoTrino when Trino cannot be installed. */
export async function startTrino(): Promise<TrinoServer> {
  const home = await installTrino();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  await writeProperties(join(folder, 'config.properties'), configOf(url, home, folder));
  await writeProperties(join(folder, 'catalog/hive.properties'), {
    'connector.name': 'hive',
    'hive.metastore': 'file',
    'hive.metastore.catalog.dir': `file://${folder}/metastore`,
    'hive.partition-projection-enabled': 'true',
    // A day without files has no folder, which is no error in a bucket.
    'hive.ignore-absent-partitions': 'true',
    'hive.non-managed-table-writes-enabled': 'true',
    'hive.security': 'allow-all',
  });
  const log = await open(join(folder, 'server.log'), 'w');
  const flags = ['-Xmx2G', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError', '-XX:TieredStopAtLevel=1', '-Duser.timezone=UTC'];
  const server = spawn('java', [...flags, '-cp', `${home}/start:${home}/lib/*`, '-Dconfig=config.properties', 'Start', RELEASE], {
    cwd: folder,
    stdio: ['pipe', log.fd, log.fd],
  });
  const ended = once(server, 'exit');
  const stop = async () => {
    server.stdin?.end();
    await ended;
    await log.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const signal = AbortSignal.timeout(START_WITHIN);
  while (!(await isReady(url))) {
    if (server.exitCode !== null || signal.aborted) {
      const said = (await readFile(join(folder, 'server.log'), 'utf8')).split('\n').filter((line) => /ERROR|^\d+\)|^Error/.test(line));
      await stop();
      throw new Error(`Trino ${RELEASE} did not start: ${said.slice(0, 5).join('\n')}`);
    }
    await setTimeout(100);
  }
  return { url, [Symbol.asyncDispose]: stop };
}

const configOf = (url: string, home: string, folder: string): Readonly<Record<string, string>> => ({
  'node.id': 'test',
  'node.environment': 'test',
  'node.bind-ip': '127.0.0.1',
  'node.internal-address': '127.0.0.1',
  coordinator: 'true',
  'node-scheduler.include-coordinator': 'true',
  'http-server.http.port': new URL(url).port,
  'discovery.uri': url,
  'plugin.dir': `${home}/plugin`,
  'catalog.config-dir': `${folder}/catalog`,
});

async function writeProperties(file: string, properties: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(
    file,
    Object.entries(properties)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}

/** A port that was free a moment ago. Trino needs its address in the configuration. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('A listening server has a port.');
  return address.port;
}

/** Trino responds seconds before its only node has the catalog, so this waits until the node can read a file. */
async function isReady(url: string): Promise<boolean> {
  const trino = openTrino(url, 'ready');
  try {
    await trino.execute(sql`create schema if not exists ready`);
    await trino.execute(sql`create table if not exists one as select 1 as one`);
    return (await trino.execute(sql`select one from one`)).length === 1;
  } catch {
    return false;
  }
}

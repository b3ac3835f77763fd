/**
 * A single-node Trino server on loopback with two catalogs over the same schemas, `hive` and `iceberg`: tables in local folders,
 * with a file metastore.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sql } from '../../src/trail/sql.ts';
import { openTrino } from './client.ts';
import { installTrino, RELEASE } from './install.ts';
import { spawnBound } from './spawn-bound.ts';

/** Where a server is, and the only folder whose files it reads and writes: `local:///x` is `x` in it. */
export interface TrinoPlace {
  readonly url: string;
  readonly data: string;
}

/** A server that runs until it is disposed of or this process ends. */
export interface TrinoServer extends TrinoPlace, AsyncDisposable {}

const START_WITHIN = 180_000;

/** @throws NoTrino when Trino cannot be installed. */
export async function startTrino(): Promise<TrinoServer> {
  const { home, java } = await installTrino();
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-trino-'));
  const [url, data] = [`http://127.0.0.1:${await freePort()}`, join(folder, 'data')];
  await mkdir(data);
  await writeProperties(join(folder, 'config.properties'), configOf(url, home, folder));
  for (const [name, properties] of Object.entries(catalogsIn(data))) await writeProperties(join(folder, `catalog/${name}.properties`), properties);
  const log = await open(join(folder, 'server.log'), 'w');
  const settings = ['-Dconfig=config.properties', `-Dnode.data-dir=${folder}`, '-Duser.timezone=UTC'];
  const server = spawnBound(java, [...JAVA_FLAGS, ...settings, '-cp', `${home}/lib/*`, 'io.trino.server.TrinoServer'], { cwd: folder, log: log.fd });
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
  return { url, data, [Symbol.asyncDispose]: stop };
}

const JAVA_FLAGS = ['-Xmx3G', '-XX:+UseG1GC', '-XX:+ExitOnOutOfMemoryError', '--add-modules=jdk.incubator.vector'];

type Properties = Readonly<Record<string, string>>;

const configOf = (url: string, home: string, folder: string): Properties => ({
  'node.id': 'test',
  'node.environment': 'test',
  'node.bind-ip': '127.0.0.1',
  'node.internal-address': '127.0.0.1',
  coordinator: 'true',
  'node-scheduler.include-coordinator': 'true',
  // A plan of the views takes megabytes, and Trino keeps those of 15 minutes, however many: hundreds of statements filled the memory.
  'query.max-history': '20',
  'query.min-expire-age': '30s',
  'http-server.http.port': new URL(url).port,
  'discovery.uri': url,
  'plugin.dir': `${home}/plugin`,
  'catalog.config-dir': `${folder}/catalog`,
});

function catalogsIn(data: string): Readonly<Record<'hive' | 'iceberg', Properties>> {
  const local = { 'hive.metastore.catalog.dir': 'local:///metastore', 'fs.native-local.enabled': 'true', 'local.location': data };
  return {
    hive: {
      'connector.name': 'hive',
      'hive.metastore': 'file',
      ...local,
      'hive.partition-projection-enabled': 'true',
      // A day without files has no folder, which is no error in a bucket.
      'hive.ignore-absent-partitions': 'true',
      'hive.non-managed-table-writes-enabled': 'true',
      'hive.security': 'allow-all',
      // Files and tables do not change once they are made; a table's 4,000 folders are listed once.
      'hive.file-status-cache-tables': '*',
      'hive.file-status-cache-expire-time': '1h',
      'hive.metastore-cache-ttl': '1h',
      // As Athena, where one statement reads tables of both kinds.
      'hive.iceberg-catalog-name': 'iceberg',
    },
    iceberg: { 'connector.name': 'iceberg', 'iceberg.catalog.type': 'TESTING_FILE_METASTORE', 'iceberg.compression-codec': 'ZSTD', ...local },
  };
}

async function writeProperties(file: string, properties: Properties): Promise<void> {
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

/** Trino responds seconds before its only node has the catalogs, so this waits until the node can read a file. */
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

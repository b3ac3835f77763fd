/** Installs Trino from its jars into a cache folder, because not every mirror has Trino's server archive. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

/** Trino of March 2023: close to Athena engine version 3, runs on Java 17, and the newest whose Hive connector jars for Java 17 are on mirrors. */
export const RELEASE = '411';

/** Thrown when Trino cannot be installed. The tests are skipped with its message. */
export class NoTrino extends Error {}

/** Artifacts that a plugin shares with the server. It must not contain them (trino-maven-plugin excludes them in Trino's build). */
const SHARED = 'trino-spi,slice,jackson-annotations,jol-core';

/**
 * Returns the folder of a Trino with lib/ and plugin/hive. The first call takes a few minutes.
 *
 * @throws NoTrino when a JDK or Maven is missing, or the jars cannot be downloaded.
 */
export async function installTrino(): Promise<string> {
  await checkJava();
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trailbot');
  const home = join(cache, `trino-${RELEASE}`);
  if (existsSync(home)) return home;

  process.stderr.write(`Fetching the jars of Trino ${RELEASE} (once, 370 MB) …\n`);
  const made = `${home}.${process.pid}`;
  try {
    await fetchJars('trino-main', join(made, 'lib'));
    const hive = join(made, 'plugin/hive');
    await fetchJars('trino-hive', hive, `-DexcludeArtifactIds=${SHARED}`);
    await compile('Start.java', `${made}/lib/*`, join(made, 'start'));
    await compile('HivePlugin.java', `${made}/lib/*:${hive}/*`, join(hive, 'plugin'));
    await mkdir(join(hive, 'plugin/META-INF/services'), { recursive: true });
    await writeFile(join(hive, 'plugin/META-INF/services/io.trino.spi.Plugin'), 'HivePlugin\n');
    // Another process was faster; its folder is used.
    await rename(made, home).catch((error) => {
      if (!existsSync(home)) throw error;
    });
    return home;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** This release reads files with Hadoop, which gets the user from Java's security manager; that fails from Java 23 on. */
async function checkJava(): Promise<void> {
  const { stdout } = await run('javac', ['-version']).catch((cause) => {
    throw new NoTrino(`Trino ${RELEASE} needs a JDK, version 17 to 22, and there is no javac on the path.`, { cause });
  });
  const version = Number(/javac (\d+)/.exec(stdout)?.[1]);
  if (!(version >= 17 && version <= 22)) throw new NoTrino(`Trino ${RELEASE} runs on Java 17 to 22, and here is ${stdout.trim()}.`);
}

async function fetchJars(module: string, folder: string, ...options: readonly string[]): Promise<void> {
  const settings = [`-Drelease=${RELEASE}`, `-Dmodule=${module}`, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`, ...options];
  await run('mvn', ['-B', '-q', '-f', join(here, 'pom.xml'), 'dependency:copy-dependencies', ...settings]).catch((cause) => {
    if (cause.code === 'ENOENT') throw new NoTrino(`Fetching Trino ${RELEASE} needs Maven, and there is no mvn on the path.`, { cause });
    const [said = String(cause)] = `${cause.stdout}`.split('\n').filter((line) => line.includes('[ERROR]'));
    throw new NoTrino(`Maven could not fetch Trino ${RELEASE}: ${said.replace(/.*?\[ERROR\] /, '')}`, { cause });
  });
}

const compile = (source: string, classPath: string, folder: string) => run('javac', ['-cp', classPath, '-d', folder, join(here, source)]);

/** Fetches a release of Trino into a cache folder, and finds a Java that runs it. */
import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Trino of June 2025. Athena's engine version 3 follows Trino's releases without saying which. */
export const RELEASE = '476';
/** Trino's own requirement for this release. */
const MIN_JAVA = 24;
/** The connectors that the tests use. The other plugins take minutes to load. */
const PLUGINS: readonly string[] = ['hive', 'iceberg'];

const FETCH_WITHIN = 15 * 60_000;

/** Thrown when Trino cannot be had. The tests are skipped with its message. */
export class NoTrino extends Error {}

/** A Trino that can be started. */
export interface TrinoInstall {
  /** The folder with `lib/` and `plugin/`. */
  readonly home: string;
  /** The path of the `java` that runs it. */
  readonly java: string;
}

/**
 * The first call fetches 821 MB and keeps 470 MB of it.
 *
 * @throws NoTrino when there is no fitting Java or no Maven, or when the release cannot be fetched.
 */
export async function installTrino(): Promise<TrinoInstall> {
  const java = await findJava();
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trailbot');
  const home = join(cache, `trino-${RELEASE}`);
  if (existsSync(home)) return { home, java };

  process.stderr.write(`Fetching Trino ${RELEASE} (once, 821 MB) …\n`);
  const made = `${home}.${process.pid}`;
  await mkdir(made, { recursive: true });
  try {
    const unpacked = await fetchRelease(made);
    const plugins = join(unpacked, 'plugin');
    for (const name of await readdir(plugins)) if (!PLUGINS.includes(name)) await rm(join(plugins, name), { recursive: true });
    // Another process was faster; its folder is used.
    await rename(unpacked, home).catch((error) => {
      if (!existsSync(home)) throw error;
    });
    return { home, java };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** Fetches the server's archive to `folder` and returns the folder to which it is unpacked. */
async function fetchRelease(folder: string): Promise<string> {
  const artifact = `-Dartifact=io.trino:trino-server:${RELEASE}:tar.gz`;
  // In a local repository of its own, since the archive is not needed again.
  const options = [`-Dmaven.repo.local=${join(folder, 'maven')}`, artifact, `-DoutputDirectory=${folder}`];
  await run('mvn', ['-B', '-q', 'dependency:copy', ...options], { cwd: folder, timeout: FETCH_WITHIN }).catch((cause) => {
    if (cause.code === 'ENOENT') throw new NoTrino(`Fetching Trino ${RELEASE} needs Maven, and there is no mvn on the path.`, { cause });
    if (cause.killed) throw new NoTrino(`Maven did not fetch Trino ${RELEASE} within ${FETCH_WITHIN / 60_000} minutes.`, { cause });
    const [said = String(cause)] = `${cause.stdout}`.split('\n').filter((line) => line.includes('[ERROR]'));
    throw new NoTrino(`Maven could not fetch Trino ${RELEASE}: ${said.replace(/.*?\[ERROR\] /, '')}`, { cause });
  });
  // Whole, because files of the plugins are hard links to each other.
  await run('tar', ['-xzf', join(folder, `trino-server-${RELEASE}.tar.gz`), '-C', folder]);
  return join(folder, `trino-server-${RELEASE}`);
}

/** The first fitting Java of JAVA_HOME, of the path, and of the folders where Linux and macOS install them. */
async function findJava(): Promise<string> {
  const { JAVA_HOME } = process.env;
  const installed = ['/usr/lib/jvm/*', '/Library/Java/JavaVirtualMachines/*/Contents/Home'].flatMap((homes) => globSync(`${homes}/bin/java`));
  const seen: string[] = [];
  for (const java of [...(JAVA_HOME ? [join(JAVA_HOME, 'bin/java')] : []), 'java', ...installed]) {
    const version = await javaVersion(java);
    if (version !== undefined && version >= MIN_JAVA) return java;
    if (version !== undefined) seen.push(`${java} is Java ${version}`);
  }
  const found = seen.length > 0 ? seen.join(', ') : 'there is none here';
  throw new NoTrino(`Trino ${RELEASE} needs Java ${MIN_JAVA} or later: set JAVA_HOME to one, or put it on the path (${found}).`);
}

/** The major version that `java -version` prints, as `openjdk version "24.0.1"`; undefined when there is no such program. */
async function javaVersion(java: string): Promise<number | undefined> {
  const { stderr } = await run(java, ['-version']).catch(() => ({ stderr: '' }));
  const [, version] = /version "(\d+)/.exec(stderr) ?? [];
  return version === undefined ? undefined : Number(version);
}

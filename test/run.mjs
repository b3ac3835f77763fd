// `npm test` checks everything; `npm test -- test/line.test.ts` runs only that file.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const words = process.argv.slice(2);
const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const steps = words.length > 0 ? [] : [[process.env.npm_execpath, 'run', '--silent', 'check']];
for (const step of [...steps, [here('node_modules/vitest/vitest.mjs'), 'run', ...words]]) {
  const { status } = spawnSync(process.execPath, step, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

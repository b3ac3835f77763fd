// `npm test` checks everything; `npm test -- test/line.test.ts` runs only that file.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const words = process.argv.slice(2);
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

/** Resolves to the exit status of a process. */
const exitOf = (child) => new Promise((resolve) => child.once('close', (status) => resolve(status ?? 1)));

// Tests start hundreds of threads and processes, which need not compile the same files again.
const compiled = fileURLToPath(new URL('../node_modules/.cache/trailbot-tests/compiled', import.meta.url));
const tests = spawn(process.execPath, [vitest, 'run', ...words], { stdio: 'inherit', env: { ...process.env, NODE_COMPILE_CACHE: compiled } });
if (words.length === 0) {
  // Beside the tests, which start by generating the sample on one processor. Its output would mix with theirs.
  const check = spawn(process.execPath, [process.env.npm_execpath, 'run', '--silent', 'check']);
  const output = [];
  for (const stream of [check.stdout, check.stderr]) stream.on('data', (chunk) => output.push(chunk));
  exitOf(check).then((status) => {
    if (status === 0) return;
    tests.kill();
    process.stderr.write(Buffer.concat(output));
    process.exit(status);
  });
}
process.exitCode = await exitOf(tests);

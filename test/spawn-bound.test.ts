/** What keeps the servers of test/trino and test/moto from outliving their tests (test/trino/spawn-bound.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test, vi } from 'vitest';

/** Starts a program that runs for ten minutes, and prints its process id. */
const STARTS = `
  import { openSync } from 'node:fs';
  const { spawnBound } = await import('${new URL('trino/spawn-bound.ts', import.meta.url)}');
  console.log(spawnBound('sleep', ['600'], { log: openSync('/dev/null', 'w') }).pid);
  process.stdin.on('data', () => {});
`;

test.skipIf(process.platform === 'win32')('a bound program ends with the process that started it, even when that is killed', async () => {
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTS], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(starter.stdout, 'data');
  const program = Number(`${line}`);
  const isRunning = () => {
    try {
      return process.kill(program, 0);
    } catch {
      return false;
    }
  };
  expect(isRunning()).toBe(true);
  starter.kill('SIGKILL');
  await vi.waitFor(() => expect(isRunning()).toBe(false), { timeout: 10_000 });
});

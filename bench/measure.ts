/** Measures whole processes for memory, and the median of several runs for time. */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The times of `runs` runs in milliseconds, one after the other. */
export async function timed(runs: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export const shell = (command: string): void =>
  void execFileSync('bash', ['-o', 'pipefail', '-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });

/** Loads a trail in a process of its own. Returns its time without the start of Node, and its peak memory. */
export async function loadInChild(trail: string, store: string): Promise<{ readonly ms: number; readonly events: number; readonly rssMb: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL('load.ts', import.meta.url)), trail, store], {
    maxBuffer: 1e6,
  });
  return JSON.parse(stdout) as { ms: number; events: number; rssMb: number };
}

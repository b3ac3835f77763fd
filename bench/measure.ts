/** Measures whole processes for memory, and the median of several runs for time. */
import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Desk } from '../src/desk/desk.ts';

const RUNS = 7;

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

/** The median time of a question in milliseconds, after it was asked once. */
export async function timeOfQuestion(desk: Desk, line: string, now: Date): Promise<number> {
  const ask = () => desk.answer(line, { now, signal: AbortSignal.timeout(120_000) });
  await ask();
  return median(await timed(RUNS, ask));
}

export const shell = (command: string): void =>
  void execFileSync('bash', ['-o', 'pipefail', '-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });

/** Loads a trail in a process of its own. Returns its time without the start of Node, and its peak memory. */
export const loadInChild = (trail: string, store: string): Promise<{ readonly ms: number; readonly events: number; readonly rssMb: number }> =>
  programInChild('load.ts', trail, store);

/** Exports all events of a store as CSV in a process of its own. */
export const exportInChild = (store: string, now: Date): Promise<{ readonly ms: number; readonly bytes: number; readonly rssMb: number }> =>
  programInChild('export.ts', store, now.toISOString());

/** Runs a program of the bench in a process of its own, and returns what it measured. */
export const programInChild = <Measured>(program: string, ...args: readonly string[]): Promise<Measured> =>
  runMeasured(process.execPath, fileURLToPath(new URL(program, import.meta.url)), ...args);

/** Runs a command that prints what it measured as JSON. */
export async function runMeasured<Measured>(command: string, ...args: readonly string[]): Promise<Measured> {
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 1e6 });
  return JSON.parse(stdout) as Measured;
}

export function hasJq(): boolean {
  try {
    execFileSync('jq', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

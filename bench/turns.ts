/** How long others wait while many ask at once, on the engine as trailbot uses it. */
import { setTimeout } from 'node:timers/promises';
import { openEnginePool } from '../duckdb/engine-pool.ts';
import { openDesk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';
import type { BenchResult } from './report.ts';

const MANY = 20;
const LONG_QUESTION = 'new 30d';
const HELP_AFTER_MS = 200;
const MAX_HELP_MS = 1000;
const RUNS_OF_MANY = 3;

interface TurnBenchOptions {
  readonly catalog: Registry;
  readonly store: string;
  /** The end of the trail. */
  readonly end: Date;
  /** The size of the store, for the title. */
  readonly size: string;
}

/** Twenty requesters ask at once, and then somebody asks for help: the longest wait of several runs, and the time of the twenty. */
export async function benchTurns({ catalog, store, end, size }: TurnBenchOptions): Promise<BenchResult[]> {
  const engine = await openEnginePool(store);
  const desk = openDesk(catalog, engine);
  const ask = (line: string, requester: string) => desk.answer(line, { now: end, signal: AbortSignal.timeout(600_000), requester });
  const runs: { readonly help: number; readonly all: number }[] = [];
  try {
    for (let run = 0; run < RUNS_OF_MANY; run += 1) {
      const start = performance.now();
      const many = Promise.all(Array.from({ length: MANY }, (_, i) => ask(LONG_QUESTION, `U${i}`)));
      await setTimeout(HELP_AFTER_MS);
      await ask('help', `U${MANY}`);
      const help = performance.now() - start - HELP_AFTER_MS;
      await many;
      runs.push({ help, all: performance.now() - start });
    }
  } finally {
    await engine.close();
  }
  const title = `${MANY} \`${LONG_QUESTION}\` at once over ${size} events`;
  return [
    {
      what: `\`help\`, asked ${HELP_AFTER_MS} ms after ${title}, longest of ${RUNS_OF_MANY}`,
      value: Math.max(...runs.map(({ help }) => help)),
      unit: 'ms',
      max: MAX_HELP_MS,
    },
    { what: `the last answer to ${title}, longest of ${RUNS_OF_MANY}`, value: Math.max(...runs.map(({ all }) => all)), unit: 'ms' },
  ];
}

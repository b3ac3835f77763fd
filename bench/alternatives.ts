/** What one would use without trailbot, on the same files in the same run: jq, DuckDB's `read_json`, and ClickHouse embedded in Python. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openDuckDB } from '../duckdb/engine.ts';
import { openDesk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';
import { hasJq, programInChild, runMeasured, timed, timeOfQuestion } from './measure.ts';
import type { BenchResult } from './report.ts';

/** An instance of the sample trail, which a few events name. */
const SEARCHED_NAME = 'i-0c0ffee000000002b';
const QUESTION = `events ${SEARCHED_NAME} 6mo`;
const INSTALL_MS = 5 * 60_000;

/** A trail that trailbot has loaded. */
export interface BenchedTrail {
  readonly trail: string;
  readonly store: string;
  readonly events: number;
  /** How long the load took. */
  readonly loadMs: number;
}

interface AlternativesOptions extends BenchedTrail {
  readonly catalog: Registry;
  /** A folder for their tables and packages. */
  readonly folder: string;
  /** The end of the trail. */
  readonly end: Date;
  printProgress(text: string): void;
}

/** Times of an alternative in milliseconds, and how many events it found. */
interface AlternativeTimes {
  /** All records into a table of its own. */
  readonly load: number;
  /** A search of that table for a name. */
  readonly scan: number;
  /** The same search of the log files. */
  readonly raw: number;
  readonly found: number;
}

/** Compares trailbot's load, and a question about a name, with each alternative. ClickHouse is skipped where PyPI is not there, and the reason is printed. */
export async function benchAlternatives({
  trail,
  store,
  events,
  loadMs,
  catalog,
  folder,
  end,
  printProgress,
}: AlternativesOptions): Promise<BenchResult[]> {
  const engine = await openDuckDB(store);
  const desk = openDesk(catalog, engine);
  const asked = await timeOfQuestion(desk, QUESTION, end);
  const { table } = await desk.answer(QUESTION, { now: end, signal: AbortSignal.timeout(60_000), isExport: true });
  await engine.close();
  const title = `\`${QUESTION}\` (${eventsFound(table?.rows.length ?? 0)})`;

  const compared = (what: string, value: number, rival: string, does: string, baseline: number): BenchResult => ({
    what,
    value,
    unit: 'ms',
    rival,
    against: `${rival}'s ${does}`,
    baseline,
  });
  /** A search of log files takes no load before it, so it is compared with and without trailbot's. */
  const comparedWithRaw = (rival: string, raw: number, found: number): BenchResult[] => {
    const does = `search of the log files for that name (${eventsFound(found)})`;
    return [compared(`${title} over the loaded store`, asked, rival, does, raw), compared(`load and ${title}`, loadMs + asked, rival, does, raw)];
  };
  const comparedWith = (rival: string, { load, scan, raw, found }: AlternativeTimes): BenchResult[] => [
    compared(`load of ${events.toLocaleString('en-US')} events`, loadMs, rival, 'load of the same files into a table', load),
    compared(`${title} over the loaded store`, asked, rival, `search of that table for that name (${eventsFound(found)})`, scan),
    ...comparedWithRaw(rival, raw, found),
  ];
  const results: BenchResult[] = [];
  if (hasJq()) {
    printProgress('the same with jq');
    const { ms, found } = await searchWithJq(trail);
    results.push(...comparedWithRaw('jq', ms, found));
  }
  printProgress('the same with DuckDB');
  results.push(...comparedWith('DuckDB', await programInChild<AlternativeTimes>('read-json.ts', trail, join(folder, 'alone.duckdb'), SEARCHED_NAME)));
  printProgress('the same with ClickHouse');
  const python = await installClickHouse(join(folder, 'python')).catch((error: unknown) =>
    printProgress(`ClickHouse is skipped: ${skipReason(error)}`),
  );
  if (python) {
    const program = fileURLToPath(new URL('clickhouse.py', import.meta.url));
    results.push(
      ...comparedWith('ClickHouse', await runMeasured<AlternativeTimes>(python, program, trail, join(folder, 'clickhouse'), SEARCHED_NAME)),
    );
  }
  return results;
}

async function searchWithJq(trail: string): Promise<{ readonly ms: number; readonly found: number }> {
  let found = 0;
  const [ms = Number.NaN] = await timed(1, async () => {
    const filter = `.Records[] | select(tostring | contains("${SEARCHED_NAME}")) | .eventID`;
    const search = `find ${trail} -path '*/CloudTrail/*' -name '*.json.gz' -print0 | xargs -0 gzip -dc | jq -r '${filter}' | sort -u | wc -l`;
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', search]);
    found = Number(stdout);
  });
  return { ms, found };
}

/** Installs chdb from PyPI in a folder. Returns the Python that has it. */
async function installClickHouse(folder: string): Promise<string> {
  const run = promisify(execFile);
  const python = join(folder, 'bin', 'python');
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', 'chdb'], { timeout: INSTALL_MS });
  return python;
}

/** The last line of what the failed program wrote, or else of the error. */
function skipReason(error: unknown): string {
  const { stderr, message, killed } = error as { readonly stderr?: string; readonly message: string; readonly killed?: boolean };
  if (killed) return `it was not installed within ${INSTALL_MS / 60_000} minutes`;
  return (stderr?.trim() || message).trim().split('\n').at(-1) ?? message;
}

const eventsFound = (count: number): string => (count === 1 ? '1 event' : `${count.toLocaleString('en-US')} events`);

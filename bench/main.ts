/** `npm run bench`: how fast trailbot loads a trail and answers questions, compared with other tools in the same run. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDuckDB } from '../duckdb/engine.ts';
import { generateSample } from '../sample/generate.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { type BenchedTrail, benchAlternatives } from './alternatives.ts';
import { exportInChild, hasJq, loadInChild, median, shell, timed, timeOfQuestion } from './measure.ts';
import { benchQuestions } from './questions.ts';
import { aheadOfTrailbot, type BenchResult, missedGoals, resultsTable } from './report.ts';
import { benchScans } from './scans.ts';
import { writeTinyFiles } from './tiny-files.ts';
import { benchTurns } from './turns.ts';

const projectRoot = new URL('../', import.meta.url);
/** The end of the bench's trails: fixed, so that every run generates the same ones. */
const BENCH_END = new Date('2026-11-21T00:00:00Z');
const BENCH_DAYS = 184;
const LOAD_EVENTS = 500_000;
const STORE_SIZES = [1_000_000, 10_000_000];
const TINY_FILES = 100_000;

const { values } = parseArgs({ options: { quick: { type: 'boolean' } } });
const scale = values.quick ? 0.02 : 1;
const workFolder = await mkdtemp(join(tmpdir(), 'trailbot-bench-'));
const catalog = await loadRegistry(projectRoot);
const results: BenchResult[] = [];
const printProgress = (text: string) => process.stderr.write(`${text}\n`);

try {
  // First, because these depend on a server: a failure costs a minute, not the whole run.
  const scans = await benchScans({ catalog, folder: workFolder, end: BENCH_END, printProgress });
  const loaded = await benchLoad();
  results.push(...(await benchAlternatives({ ...loaded, catalog, folder: workFolder, end: BENCH_END, printProgress })));
  await benchTinyFiles();
  for (const events of STORE_SIZES) await benchCommands(events * scale);
  results.push(...scans);
} finally {
  await rm(workFolder, { recursive: true, force: true });
}

const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
const resultsMarkdown = `# Benchmark results\n\nWritten by \`npm run bench\`${values.quick ? ' --quick' : ''} on ${machine}.\nCompare ratios, not times: both sides of a ratio were measured in one run on this machine.\n\n${resultsTable(results)}${missedGoals(results)}${aheadOfTrailbot(results)}`;
process.stdout.write(resultsMarkdown);
if (!values.quick) await writeFile(new URL('bench/results.md', projectRoot), resultsMarkdown);

async function makeTrail(name: string, events: number, days = BENCH_DAYS): Promise<string> {
  const out = join(workFolder, name);
  printProgress(`generating ${events.toLocaleString('en-US')} events`);
  await generateSample({ out, end: BENCH_END, days, eventsPerDay: Math.ceil(events / days) });
  return out;
}

/** A load compared with only decompressing the files, and a question compared with searching all files with jq. */
async function benchLoad(): Promise<BenchedTrail> {
  const trail = await makeTrail('load', LOAD_EVENTS * scale);
  const gunzip = (to: string) => `find ${trail} -path '*/CloudTrail/*' -name '*.json.gz' -print0 | xargs -0 gzip -dc ${to}`;
  printProgress('loading');
  const unpacking = median(await timed(3, async () => shell(gunzip('> /dev/null'))));
  const store = join(workFolder, 'load-store');
  const loads = [
    await loadInChild(trail, join(workFolder, 'load-1')),
    await loadInChild(trail, join(workFolder, 'load-2')),
    await loadInChild(trail, store),
  ];
  const load = median(loads.map(({ ms }) => ms));
  const events = loads[0]?.events ?? 0;
  results.push({
    what: `load of ${events.toLocaleString('en-US')} events`,
    value: load,
    unit: 'ms',
    against: '`gzip -dc` of the same files',
    baseline: unpacking,
    maxRatio: 3,
  });
  results.push({
    what: 'peak memory of that load, whole process',
    value: Math.max(...loads.map(({ rssMb }) => rssMb)),
    unit: 'MB',
    max: 1000,
  });

  const again = await loadInChild(trail, store);
  results.push({ what: 'a start without new files', value: again.ms, unit: 'ms', against: 'that load', baseline: load, max: 1000 });

  const engine = await openDuckDB(store);
  const desk = openDesk(catalog, engine);
  const asked = await timeOfQuestion(desk, 'root-logins 6mo', BENCH_END);
  await engine.close();
  if (hasJq()) {
    const filter = `.Records[] | select(.eventName == "ConsoleLogin" and .userIdentity.type == "Root") | [.eventTime, .sourceIPAddress, .additionalEventData.MFAUsed]`;
    const jq = median(await timed(1, async () => shell(`${gunzip('')} | jq -c '${filter}' > /dev/null`)));
    results.push({
      what: '`root-logins 6mo` over the loaded store',
      value: asked,
      unit: 'ms',
      against: '`gzip -dc` piped to `jq` for the same sign-ins',
      baseline: jq,
    });
    results.push({
      what: 'that load and that question',
      value: load + asked,
      unit: 'ms',
      against: '`gzip -dc` piped to `jq` for the same sign-ins',
      baseline: jq,
    });
  }
  return { trail, store, events, loadMs: load };
}

/** Many files of a few events each, as in real trails. */
async function benchTinyFiles(): Promise<void> {
  const files = Math.round(TINY_FILES * scale);
  const trail = join(workFolder, 'tiny');
  printProgress(`generating ${files.toLocaleString('en-US')} files of a few events`);
  await writeTinyFiles(trail, files, BENCH_END);
  const unpacking = median(await timed(1, async () => shell(`find ${trail} -name '*.json.gz' -print0 | xargs -0 gzip -dc > /dev/null`)));
  const { ms, events, rssMb } = await loadInChild(trail, join(workFolder, 'tiny-store'));
  results.push({
    what: `load of ${files.toLocaleString('en-US')} files with ${events.toLocaleString('en-US')} events`,
    value: ms,
    unit: 'ms',
    against: '`gzip -dc` of the same files',
    baseline: unpacking,
  });
  results.push({ what: 'peak memory of that load', value: rssMb, unit: 'MB', max: 1000 });
}

/** Every command over a store with about `eventCount` events. */
async function benchCommands(eventCount: number): Promise<void> {
  const name = String(eventCount);
  const trail = await makeTrail(name, eventCount);
  const store = join(workFolder, `${name}-store`);
  printProgress('loading');
  const { ms, events, rssMb } = await loadInChild(trail, store);
  const size = `${(events / 1e6).toFixed(1)} million`;
  results.push({ what: `load of ${size} events`, value: ms, unit: 'ms' });
  results.push({ what: 'peak memory of that load', value: rssMb, unit: 'MB', max: 1000 });
  await rm(trail, { recursive: true, force: true });
  const engine = await openDuckDB(store);
  const desk = openDesk(catalog, engine);
  for (const { line, maxMs, reads } of await benchQuestions(catalog, desk, BENCH_END)) {
    const answered = await timeOfQuestion(desk, line, BENCH_END);
    const goal = events > 5e6 ? { max: maxMs, reads } : {};
    results.push({ what: `\`${line}\` over ${size} events`, value: answered, unit: 'ms', ...goal });
    printProgress(`${line}: ${answered.toFixed(0)} ms`);
  }
  await engine.close();
  printProgress('twenty questions at once');
  results.push(...(await benchTurns({ catalog, store, end: BENCH_END, size })));
  printProgress('exporting');
  const exported = await exportInChild(store, BENCH_END);
  results.push({ what: `export of ${size} events as CSV (${(exported.bytes / 1e6).toFixed(0)} MB)`, value: exported.ms, unit: 'ms' });
  results.push({ what: 'peak memory of that export', value: exported.rssMb, unit: 'MB', max: 1500 });
  await rm(store, { recursive: true, force: true });
}

/** `npm run bench`: how fast a trail loads and questions are answered, against what one would use instead, as ratios of one run. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openDuckDB } from '../duckdb/engine.ts';
import { generateSample } from '../sample/generate.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { benchBytes } from './bytes.ts';
import { loadInChild, median, shell, timed } from './measure.ts';
import { questions } from './questions.ts';
import { type Result, remedies, table } from './report.ts';
import { writeTinyFiles } from './tiny-files.ts';

const root = new URL('../', import.meta.url);
/** The bench's trails end here, so that every run makes the same ones. */
const END = new Date('2026-11-21T00:00:00Z');
const DAYS = 184;
const LOADED = 500_000;
const ASKED = [1_000_000, 10_000_000];
const TINY_FILES = 100_000;
const RUNS = 7;
const A_SECOND = 1000;

const { values } = parseArgs({ options: { quick: { type: 'boolean' } } });
const scale = values.quick ? 0.02 : 1;
const folder = await mkdtemp(join(tmpdir(), 'trailbot-bench-'));
const results: Result[] = [];
const say = (words: string) => process.stderr.write(`${words}\n`);

try {
  await benchLoad();
  await benchTinyFiles();
  for (const events of ASKED) await benchQuestions(events * scale);
  results.push(...(await benchBytes({ catalog: await loadRegistry(root), folder, end: END, say })));
} finally {
  await rm(folder, { recursive: true, force: true });
}

const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
const report = `# What trailbot takes\n\nWritten by \`npm run bench\`${values.quick ? ' --quick' : ''} on ${machine}.\nRatios are of one run on one machine; times alone say little about another.\n\n${table(results)}${remedies(results)}`;
process.stdout.write(report);
if (!values.quick) await writeFile(new URL('bench/results.md', root), report);

async function makeTrail(name: string, events: number, days = DAYS): Promise<string> {
  const out = join(folder, name);
  say(`making ${events.toLocaleString('en-US')} events`);
  await generateSample({ out, end: END, days, eventsPerDay: Math.ceil(events / days) });
  return out;
}

/** Loading against unpacking alone, and a question against reading all files for it. */
async function benchLoad(): Promise<void> {
  const trail = await makeTrail('load', LOADED * scale);
  const gunzip = (to: string) => `find ${trail} -path '*/CloudTrail/*' -name '*.json.gz' -print0 | xargs -0 gzip -dc ${to}`;
  say('loading');
  const unpacking = median(await timed(3, async () => shell(gunzip('> /dev/null'))));
  const loads = [
    await loadInChild(trail, join(folder, 'load-1')),
    await loadInChild(trail, join(folder, 'load-2')),
    await loadInChild(trail, join(folder, 'load-store')),
  ];
  const load = median(loads.map(({ ms }) => ms));
  const events = loads[0]?.events ?? 0;
  results.push({
    what: `load of ${events.toLocaleString('en-US')} events`,
    value: load,
    unit: 'ms',
    against: '`gzip -dc` of the same files',
    baseline: unpacking,
    mostTimes: 3,
  });
  results.push({
    what: 'memory of that load, the whole process at its highest',
    value: Math.max(...loads.map(({ rssMb }) => rssMb)),
    unit: 'MB',
    most: 1000,
  });

  const again = await loadInChild(trail, join(folder, 'load-store'));
  results.push({ what: 'a start with nothing new', value: again.ms, unit: 'ms', against: 'that load', baseline: load, most: 1000 });

  const engine = await openDuckDB(join(folder, 'load-store'));
  const desk = openDesk(await loadRegistry(root), engine);
  const ask = () => desk.answer('root-logins 6mo', { now: END, signal: AbortSignal.timeout(60_000) });
  await ask();
  const asked = median(await timed(RUNS, ask));
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
      what: 'loading and then asking',
      value: load + asked,
      unit: 'ms',
      against: '`gzip -dc` piped to `jq` for the same sign-ins',
      baseline: jq,
    });
  }
}

/** Many files of a few events each, as real trails are. */
async function benchTinyFiles(): Promise<void> {
  const files = Math.round(TINY_FILES * scale);
  const trail = join(folder, 'tiny');
  say(`making ${files.toLocaleString('en-US')} files of a few events`);
  await writeTinyFiles(trail, files, END);
  const unpacking = median(await timed(1, async () => shell(`find ${trail} -name '*.json.gz' -print0 | xargs -0 gzip -dc > /dev/null`)));
  const { ms, events, rssMb } = await loadInChild(trail, join(folder, 'tiny-store'));
  results.push({
    what: `load of ${files.toLocaleString('en-US')} files with ${events.toLocaleString('en-US')} events`,
    value: ms,
    unit: 'ms',
    against: '`gzip -dc` of the same files',
    baseline: unpacking,
  });
  results.push({ what: 'memory of that load', value: rssMb, unit: 'MB', most: 1000 });
}

/** Every command over stores of growing size. */
async function benchQuestions(wanted: number): Promise<void> {
  const name = `${wanted}`;
  const trail = await makeTrail(name, wanted);
  const store = join(folder, `${name}-store`);
  say('loading');
  const { ms, events, rssMb } = await loadInChild(trail, store);
  const size = `${(events / 1e6).toFixed(1)} million`;
  results.push({ what: `load of ${size} events`, value: ms, unit: 'ms' });
  results.push({ what: 'memory of that load', value: rssMb, unit: 'MB', most: 1000 });
  await rm(trail, { recursive: true, force: true });
  const engine = await openDuckDB(store);
  const catalog = await loadRegistry(root);
  const desk = openDesk(catalog, engine);
  for (const { line, most, remedy } of await questions(catalog, desk, END)) {
    const ask = () => desk.answer(line, { now: END, signal: AbortSignal.timeout(120_000) });
    await ask();
    const answered = median(await timed(RUNS, ask));
    const goal = events > 5e6 ? { most, ...(answered > A_SECOND && { remedy: remedy ?? 'What would mend it is not known yet.' }) } : {};
    results.push({ what: `\`${line}\` over ${size} events`, value: answered, unit: 'ms', ...goal });
    say(`${line}: ${answered.toFixed(0)} ms`);
  }
  await engine.close();
  await rm(store, { recursive: true, force: true });
}

function hasJq(): boolean {
  try {
    execFileSync('jq', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * `npm run bench:athena`: what questions read of an organization's trail on Athena, from its log files and from the compacted copy. It runs
 * on Trino, the engine inside Athena, for about an hour, and writes bench/athena.json, bench/athena.md and docs/cost.md.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadRegistry } from '../src/desk/registry.ts';
import { startTrino } from '../test/trino/server.ts';
import { checkPlans, readsOfOrganization, type TrailReads } from './athena-reads.ts';
import { readsPage } from './athena-report.ts';
import { costPage, type MeasuredReads } from './cost.ts';
import { measureGzip } from './gzip-sizes.ts';

const root = new URL('../', import.meta.url);
/** The end of the trails: fixed, so that every run generates the same ones. */
const TRAIL_END = new Date('2026-11-21T00:00:00Z');
/** Events a day, and those of the trail whose plans are checked. */
const TRAIL_SIZES = [4300, 43_000];
const CHECKED_SIZE = 60;

const work = await mkdtemp(join(tmpdir(), 'trailbot-bench-athena-'));
try {
  const registry = await loadRegistry(root);
  const gzip = await measureGzip(TRAIL_END, Math.max(...TRAIL_SIZES), join(work, 'sizes'));
  const common = { registry, end: TRAIL_END, folder: work, printProgress: (text: string) => void process.stderr.write(`${text}\n`) };
  const trails: TrailReads[] = [];
  await using server = await startTrino();
  await checkPlans(server, { ...common, eventsPerDay: CHECKED_SIZE });
  for (const eventsPerDay of TRAIL_SIZES) trails.push(await readsOfOrganization(server, { ...common, eventsPerDay }));
  const measured: MeasuredReads = { gzip, trails };
  await writeFile(new URL('bench/athena.json', root), `${JSON.stringify(measured, null, 2)}\n`);
  await writeFile(new URL('bench/athena.md', root), readsPage(measured));
  await writeFile(new URL('docs/cost.md', root), costPage(measured));
} finally {
  await rm(work, { recursive: true, force: true });
}

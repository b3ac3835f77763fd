/** One export of all events that measures itself; the bench runs it in a process of its own. */
import { openDuckDB } from '../duckdb/engine.ts';
import { printCsv } from '../src/cli/export.ts';
import { openDesk } from '../src/desk/desk.ts';
import { loadRegistry } from '../src/desk/registry.ts';

const [store = '', now = ''] = process.argv.slice(2);
const started = performance.now();
const engine = await openDuckDB(store);
const desk = openDesk(await loadRegistry(new URL('../', import.meta.url)), engine);
let bytes = 0;
const answer = await desk.answer('events 1y', { now: new Date(now), signal: AbortSignal.timeout(600_000), isExport: true });
await printCsv(answer, async (text) => {
  bytes += Buffer.byteLength(text);
});
await engine.close();
process.stdout.write(JSON.stringify({ ms: performance.now() - started, bytes, rssMb: process.resourceUsage().maxRSS / 1024 }));

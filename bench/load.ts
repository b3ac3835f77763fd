/** One load that measures itself; the bench runs it in a process of its own. */
import { loadTrail } from '../duckdb/store.ts';

const [trail = '', store = ''] = process.argv.slice(2);
const start = performance.now();
const { events } = await loadTrail({ trail, store, signal: new AbortController().signal });
process.stdout.write(JSON.stringify({ ms: performance.now() - start, events, rssMb: process.resourceUsage().maxRSS / 1024 }));

/** A process of its own that loads a trail: node test/support/load.ts <trail> <store>. Tests start it, and kill it. */
import { loadTrail } from '../../duckdb/store.ts';

const [, , trail = '', store = ''] = process.argv;
await loadTrail({ trail, store, signal: new AbortController().signal });

/** The questions of the bench: each command's example, with ids from its trail, and the slowest kinds. */

import type { Desk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';

/** A question, its time limit in milliseconds over ten million events, and what would make it faster if that is known. */
export interface BenchQuestion {
  readonly line: string;
  readonly maxMs: number;
  readonly remedy?: string;
}

/** The questions for a trail that ends at `end`. */
export async function benchQuestions(catalog: Registry, desk: Desk, end: Date): Promise<BenchQuestion[]> {
  const newestEventId = async (line: string) => {
    const { table } = await desk.answer(`${line} top:1`, { now: end, signal: AbortSignal.timeout(60_000) });
    return String(table?.rows[0]?.cells.eventid);
  };
  const eventIds: Readonly<Record<string, string>> = {
    event: `${await newestEventId('events 24h')} 6mo`,
    'explain-denied': `${await newestEventId('events outcome:denied 30d')} 30d`,
  };
  const examples = [...catalog.commands].map(([name, { example }]): BenchQuestion => {
    const line = `${name} ${eventIds[name] ?? example}`;
    if (name === 'fields') return { line, ...FIELD_SEARCH };
    return SEARCHING_COMMANDS.has(name) ? { line, ...TEXT_SEARCH } : { line, maxMs: MAX_MS };
  });
  const worst = [
    'who-started i-0123456789abcdef0 6mo',
    'event 00000000-0000-4000-8000-000000000000 6mo',
    'events 24h',
    'events event:DeleteBucket 6mo',
    'events ip:192.0.2.99 6mo',
    'events user:nobody 6mo',
    'count outcome:denied by:user 30d',
    'rare 30d',
  ].map((line): BenchQuestion => ({ line, maxMs: MAX_MS }));
  const unknownId = 'vol-0123456789abcdef0';
  const textSearches = [
    ...['who-created', 'who-changed', 'who-deleted', 'history', 'resource', 'who Delete*'].map((command) => `${command} ${unknownId} 6mo`),
    'history orders-api 6mo',
    'resource orders-api 6mo',
    'events 0a1b2c3d4e 6mo',
  ].map((line): BenchQuestion => ({ line, ...TEXT_SEARCH }));
  return [...examples, ...worst, ...textSearches];
}

const MAX_MS = 300;
const MAX_SEARCH_MS = 1000;

/** Commands that search for a name in all parts of an event. */
const SEARCHING_COMMANDS = new Set(['who-created', 'who-changed', 'who-deleted', 'who', 'history', 'resource', 'session', 'new']);

const TEXT_SEARCH = {
  maxMs: MAX_SEARCH_MS,
  remedy:
    'It reads the three JSON columns of every event in its time range. An index of the words in each part of the store, built during the load, would skip parts without the name, but make the load slower.',
} as const;
const FIELD_SEARCH = {
  maxMs: MAX_SEARCH_MS,
  remedy:
    'It parses the JSON of every matching event. A sample of some thousands would be enough for the share of events with a field, but not for rare fields.',
} as const;

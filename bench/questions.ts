/** The questions of the bench: each command's example, with ids that its trail has, and the worst cases. */

import type { Desk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';

/** A question, how many milliseconds it may take over ten million events, and what would make it faster where that is known. */
export interface Question {
  readonly line: string;
  readonly most: number;
  readonly remedy?: string;
}

/** The questions for a trail that ends at `end`. */
export async function questions(catalog: Registry, desk: Desk, end: Date): Promise<Question[]> {
  const newest = async (line: string) => {
    const { table } = await desk.answer(`${line} top:1`, { now: end, signal: AbortSignal.timeout(60_000) });
    return String(table?.rows[0]?.cells.eventid);
  };
  const ofThisTrail: Readonly<Record<string, string>> = {
    event: `${await newest('events 24h')} 6mo`,
    'explain-denied': `${await newest('events outcome:denied 30d')} 30d`,
  };
  const examples = [...catalog.commands].map(([name, { example }]): Question => {
    const line = `${name} ${ofThisTrail[name] ?? example}`;
    if (name === 'fields') return { line, ...OF_ALL_FIELDS };
    return SEARCHING.has(name) ? { line, ...OF_ALL_TEXTS } : { line, most: MOST };
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
  ].map((line): Question => ({ line, most: MOST }));
  const unseen = 'vol-0123456789abcdef0';
  const ofAnything = [
    ...['who-created', 'who-changed', 'who-deleted', 'history', 'resource', 'who Delete*'].map((asked) => `${asked} ${unseen} 6mo`),
    'history orders-api 6mo',
    'resource orders-api 6mo',
    'events 0a1b2c3d4e 6mo',
  ].map((line): Question => ({ line, ...OF_ALL_TEXTS }));
  return [...examples, ...worst, ...ofAnything];
}

const MOST = 300;
const A_SECOND = 1000;

/** Commands that look for a thing wherever a record may name it. */
const SEARCHING = new Set(['who-created', 'who-changed', 'who-deleted', 'who', 'history', 'resource', 'session', 'new']);

const OF_ALL_TEXTS = {
  most: A_SECOND,
  remedy:
    'It reads the three JSON texts of every event in its time. An index of the words in each part of the store, made while it is loaded, would leave out the parts that do not have the name; it would make loading slower.',
} as const;
const OF_ALL_FIELDS = {
  most: A_SECOND,
  remedy:
    'It takes the JSON of every such event apart. To look at some thousands of them would do for the share in which a field is filled, but not for rare fields.',
} as const;

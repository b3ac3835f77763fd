/** The questions of the bench: each command's example, with ids from its trail, and the slowest kinds. */

import type { Desk } from '../src/desk/desk.ts';
import type { Registry } from '../src/desk/registry.ts';

/** A question, its time limit in milliseconds over ten million events, and what of the store it reads. */
export interface BenchQuestion {
  readonly line: string;
  readonly maxMs: number;
  readonly reads: string;
}

/** The questions for a trail that ends at `end`, each line once. */
export async function benchQuestions(catalog: Registry, desk: Desk, end: Date): Promise<BenchQuestion[]> {
  const newestEventId = async (line: string) => {
    const { table } = await desk.answer(`${line} top:1`, { now: end, signal: AbortSignal.timeout(60_000) });
    return String(table?.rows[0]?.cells.eventid);
  };
  const eventIds: Readonly<Record<string, string>> = {
    event: `${await newestEventId('events 24h')} 6mo`,
    'explain-denied': `${await newestEventId('events outcome:denied 30d')} 30d`,
  };
  const examples = [...catalog.commands].map(([name, { example }]) => `${name} ${eventIds[name] ?? example}`);
  const questions = [...DEMANDING_QUESTIONS, ...[...examples, ...OTHER_QUESTIONS].map((line) => ({ line, maxMs: 300, reads: EXAMPLE_READS }))];
  return [...Map.groupBy(questions, ({ line }) => line).values()].flatMap(([first]) => first ?? []);
}

const UNKNOWN_ID = 'vol-0123456789abcdef0';
const UNKNOWN_NAMES = [
  ...['who-created', 'who-changed', 'who-deleted', 'who Delete*', 'history', 'resource'].map((command) => `${command} ${UNKNOWN_ID}`),
  'who-started i-0123456789abcdef0',
  'key AKIAZZZZZZZZZZZZZZZZ',
  'ip 192.0.2.99',
  'user nobody',
  'session nobody',
  'event 00000000-0000-4000-8000-000000000000',
  'events user:nobody',
  'events ip:192.0.2.99',
].map((question) => `${question} 6mo`);

/** Questions with a limit of their own, by what they read. */
const DEMANDING_QUESTIONS: readonly BenchQuestion[] = [
  {
    lines: UNKNOWN_NAMES,
    maxMs: 50,
    reads:
      'Nothing has the name, so no event with it is read. What is read: the row groups of `mentions` around the name, and those about records that CloudTrail left parts out of; for `resource` and `who`, which find it within longer names too, all names of its time, and the rows of the calls with very long ones; for a user, an address or a key, the column of `activity` in its time; for the id of an event, the ids of all events; and, to offer a name like it, the names of its time.',
  },
  {
    lines: ['history orders-api 6mo', 'resource orders-api 6mo'],
    maxMs: 500,
    reads:
      'It reads the JSON of every event at the days, accounts, regions and calls that have the name, and compares it with the name: many events have it.',
  },
  {
    lines: ['events 0a1b2c3d4e 6mo', 'events orders-apix 6mo'],
    maxMs: 1000,
    reads:
      'A text may be a part of a longer word, so it reads all names of `mentions` in its time, and the text columns of `activity`; where it may be a part of a random id, also the ids of all events; then the JSON of the events where one of these has it.',
  },
  {
    lines: ['rare 30d', 'new 7d', 'volume 30d'],
    maxMs: 150,
    reads: 'It reads `activity` of its time (`new`: and of the 30 days before), and the events of the hours that its time cuts.',
  },
].flatMap(({ lines, ...goal }) => lines.map((line) => ({ line, ...goal })));

const OTHER_QUESTIONS = ['events 24h', 'events event:DeleteBucket 6mo', 'count outcome:denied by:user 30d'];

const EXAMPLE_READS =
  'A count reads `activity` of its time. Any other question reads the events at the days, accounts, regions and calls that `activity` and `mentions` name for it; with the JSON, where it needs what is in there, as `fields` does.';

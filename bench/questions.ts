/** The questions of the bench: each command's example as it would really be asked, and the worst cases. */
import { launchOfThree } from '../sample/stories.ts';
import type { Desk } from '../src/desk.ts';

/** Questions that the trail of a bench, ending at `end`, has answers to; and such about ids that nobody has seen. */
export async function questions(desk: Desk, end: Date): Promise<Question[]> {
  const newest = await desk.answer('events 24h top:1', { now: end, signal: AbortSignal.timeout(60_000) });
  const id = String(newest.table?.rows[0]?.cells.eventid);
  const [instance = 'i-0abc'] = launchOfThree(end).instances;
  const unseen = 'vol-0123456789abcdef0';
  const quick = [
    'help',
    `who-started ${instance} 6mo`,
    'who-started i-0123456789abcdef0 6mo',
    'root-logins 6mo',
    'rare 7d',
    'rare 30d',
    'events 24h',
    'events source:s3 destructive:true 30d',
    'events event:DeleteBucket 6mo',
    'events ip:192.0.2.99 6mo',
    'events user:nobody 6mo',
    'events outcome:denied by:user 30d',
    `event ${id} 6mo`,
    'event 00000000-0000-4000-8000-000000000000 6mo',
  ];
  const aboutThings = [
    ...['who-created', 'who-changed', 'who-deleted', 'history', 'resource', 'who Delete*'].map((asked) => `${asked} ${unseen} 6mo`),
    'history orders-api 6mo',
    'resource orders-api 6mo',
  ];
  return [...quick.map((line) => ({ line, most: MOST })), ...aboutThings.map((line) => ({ line, most: MOST_OF_ALL_TEXTS }))];
}

/** A question, and how many milliseconds it may take over ten million events. */
interface Question {
  readonly line: string;
  readonly most: number;
}

const MOST = 300;
/** Questions about a thing search all that calls asked and were answered. */
const MOST_OF_ALL_TEXTS = 1000;

/**
 * Every question, asked of trails that nobody here wrote: it is answered in a sentence with events that the trail has, Slack
 * takes the answer, and each row leads to as many events as it counts.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer } from '../src/answer/answer.ts';
import { type Command, isOptional } from '../src/answer/command.ts';
import { loadRegistry } from '../src/desk/registry.ts';
import { toMessage, toText } from '../src/message/message.ts';
import { printLine } from '../src/question/print.ts';
import { slackProblems } from './support/slack-limits.ts';
import { type OpenTrail, openFolder } from './support/trail-folder.ts';

const TRAILS = fileURLToPath(new URL('../../shared/data/trails/', import.meta.url));
const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const catalog = await loadRegistry(root);

/** After the newest event of all trails, and before the oldest. */
const NOW = '2026-11-21T00:00:00Z';
const ALL = { kind: 'since', from: '2013-01-01' } as const;

/** So many are asked about of each kind of word, which are these columns. */
const WORDS = 3;
const COLUMNS = {
  account: 'recipientaccountid',
  event: 'eventid',
  'explain-denied': `case when outcome = 'denied' then eventid end`,
  fields: 'eventname',
  history: 'target',
  ip: `case when regexp_matches(sourceipaddress, '^[0-9.]+$') then sourceipaddress end`,
  key: `case when regexp_matches(accesskeyid, '^A[KS]IA[A-Z0-9]+$') then accesskeyid end`,
  'outside-regions': `case when regexp_matches(awsregion, '^[a-z]{2}-[a-z]+-[0-9]$') then awsregion end`,
  presigned: `case when eventsource = 's3.amazonaws.com' then target end`,
  region: `case when regexp_matches(awsregion, '^[a-z]{2}-[a-z]+-[0-9]$') then awsregion end`,
  resource: 'target',
  role: 'sessionissuername',
  session: 'actor',
  user: 'actor',
  who: 'eventname',
  'who-changed': 'target',
  'who-created': 'target',
  'who-deleted': 'target',
  'who-started': `case when regexp_matches(target, '^i-[0-9a-f]+$') then target end`,
} as const;

/** Those that take a word and do without. */
const DONE_WITHOUT: readonly string[] = ['fields', 'presigned'];

/** Lines to ask a command: without words, or with a word from the trail; otherwise its example. */
async function linesOf([name, { words: taken, example }]: readonly [string, Command], open: OpenTrail): Promise<string[]> {
  const line = (...words: string[]) => printLine({ name, words, filters: [], window: ALL });
  const column = COLUMNS[name as keyof typeof COLUMNS];
  if (!column) return [Object.values(taken).every(isOptional) ? line() : `${name} ${example}`];
  const found = await open.rows(`select ${column} as word from events where ${column} is not null group by 1 order by md5(${column}) limit ${WORDS}`);
  return [...(DONE_WITHOUT.includes(name) ? [line()] : []), ...found.map(({ word }) => line(String(word)))];
}

/** Commands whose rows lead to a filter that finds more than they count. */
const BROADER: readonly string[] = ['resource'];

/** The number of events in a table: the sum of its counts, or its rows. */
const eventsIn = (table: Answer['table']): number =>
  table?.rows.reduce((sum, { cells }) => sum + (typeof cells.events === 'number' ? cells.events : 1), 0) ?? 0;

/** All public sets as one trail, in which there is much to find; and one alone, in which there is next to nothing. */
const SETS = [
  ['of all public sets together', '.'],
  ['of a small set alone', 'misc-trailscraper'],
] as const;

describe.each(SETS)('Of the trail %s', (_, set) => {
  let folder: string;
  let open: OpenTrail;
  let events: ReadonlyMap<string, unknown>;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailbot-asked-'));
    open = await openFolder({ trail: join(TRAILS, set), store: join(folder, 'store') });
    events = new Map((await open.rows('select eventid, eventname from events')).map(({ eventid, eventname }) => [String(eventid), eventname]));
  });
  afterAll(async () => {
    await open?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const told = new Map<string, Promise<Answer>>();
  const answerTo = (line: string): Promise<Answer> => {
    const known = told.get(line) ?? answerOnce(line);
    told.set(line, known);
    return known;
  };

  async function answerOnce(line: string): Promise<Answer> {
    const answer = await open.ask(line, NOW).catch((error: unknown) => {
      throw new Error(`“${line}” is not answered`, { cause: error });
    });
    for (const showing of [{}, { form: 'plain' }, { form: 'text' }] as const)
      expect({ line, problems: slackProblems(toMessage(answer, templates, showing)) }).toEqual({ line, problems: [] });
    const said = toText(answer, templates);
    expect(said).toMatch(/[.!?:]$/);
    expect({ line, said }).not.toMatchObject({ said: expect.stringMatching(/undefined|\bNaN\b|\[object|\{\{/) });
    for (const { cells } of answer.table?.rows ?? []) {
      if (cells.eventid && cells.eventname) expect({ line, name: events.get(String(cells.eventid)) }).toEqual({ line, name: cells.eventname });
    }
    return answer;
  }

  test.each([...catalog.commands])('%s is answered, and so is what it leads to', async (...asked) => {
    for (const line of await linesOf(asked, open)) {
      const { next = [], table } = await answerTo(line);
      for (const lead of next) await answerTo(lead.line);
      for (const row of table?.rows.slice(0, 2) ?? []) {
        if (!row.next) continue;
        const { table: found } = await answerTo(row.next.line);
        const counted = row.cells.events ?? row.cells.calls;
        const isOwn = typeof counted === 'number' && !BROADER.includes(asked[0]) && !found?.more;
        expect({ line, lead: row.next.line, events: eventsIn(found) }).toEqual({
          line,
          lead: row.next.line,
          events: isOwn ? counted : expect.toSatisfy((events: number) => events > 0),
        });
      }
    }
  });
});

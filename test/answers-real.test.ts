/** Every question, asked of trails that nobody here wrote: it is answered, Slack takes the answer, and what it leads to can be asked. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answer, Next } from '../src/answer.ts';
import { loadCatalog } from '../src/catalog.ts';
import { type Command, isOptional } from '../src/command.ts';
import { printLine } from '../src/line.ts';
import { toMessage } from '../src/message/message.ts';
import { slackProblems } from './support/slack-limits.ts';
import { type OpenTrail, openFolder } from './support/trail-folder.ts';

const TRAILS = new URL('../../shared/data/trails/', import.meta.url).pathname;
const root = new URL('../', import.meta.url);
const templates = new URL('templates/', root);
const catalog = await loadCatalog(root);

/** After the newest event of all trails, and before the oldest. */
const NOW = '2026-11-21T00:00:00Z';
const ALL = { kind: 'since', from: '2013-01-01' } as const;

/** So many are asked about of each kind of word, which are these columns. */
const WORDS = 2;
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

/** Lines of a command: as it is, and of what the trail holds where it takes a word. One that takes another is asked by its example. */
async function linesOf([name, { words: taken, example }]: readonly [string, Command], open: OpenTrail): Promise<string[]> {
  const line = (...words: string[]) => printLine({ name, words, filters: [], window: ALL });
  const column = COLUMNS[name as keyof typeof COLUMNS];
  if (!column) return [Object.values(taken).every(isOptional) ? line() : `${name} ${example}`];
  const found = await open.rows(`select ${column} as word from events where ${column} is not null group by 1 order by md5(${column}) limit ${WORDS}`);
  return [...(DONE_WITHOUT.includes(name) ? [line()] : []), ...found.map(({ word }) => line(String(word)))];
}

const leadsOf = ({ next = [], table }: Answer): readonly Next[] => [...next, ...(table?.rows.slice(0, 2) ?? []).flatMap((row) => row.next ?? [])];

describe.skipIf(!existsSync(TRAILS)).each(existsSync(TRAILS) ? readdirSync(TRAILS) : [])('Of the trail %s', (set) => {
  let folder: string;
  let open: OpenTrail;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trailbot-asked-'));
    open = await openFolder({ trail: join(TRAILS, set), store: join(folder, 'store') });
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
    for (const showing of [{}, { plainTables: true }])
      expect({ line, problems: slackProblems(toMessage(answer, templates, showing)) }).toEqual({ line, problems: [] });
    return answer;
  }

  test.each([...catalog.commands])('%s is answered, and so is what it leads to', async (...asked) => {
    for (const line of await linesOf(asked, open)) {
      for (const lead of leadsOf(await answerTo(line))) await answerTo(lead.line);
    }
  });
});

/** The newest names of a trail that fit a word of a command, for a line that lacks the word. */
import { z } from 'zod';
import type { Command } from '../answer/command.ts';
import type { Context } from '../answer/context.ts';
import { activityDuring } from '../trail/activity.ts';
import type { QueryEngine } from '../trail/engine.ts';
import { limit, query, type Sql, sql } from '../trail/sql.ts';
import { DAY_MS, type TimeRange } from '../trail/time-window.ts';

/** What a word is, for people, and where the events have such names: fixed SQL. */
interface WordForm {
  readonly form: string;
  readonly names: Sql;
}

/** By the name of the word, which means the same in every command. */
const WORDS: Readonly<Record<string, WordForm>> = {
  account: { form: 'its twelve digits, or its name', names: sql`recipientaccountid` },
  address: {
    form: 'an IP address such as 203.0.113.7, or a network',
    names: sql`case when regexp_like(sourceipaddress, '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$') then sourceipaddress end`,
  },
  bucket: { form: 'its name', names: sql`case when eventsource = 's3.amazonaws.com' and target not like '%/%' then target end` },
  event: { form: 'a name as in eventName, such as DeleteBucket or Delete*', names: sql`case when readlike = 'false' then eventname end` },
  id: { form: 'an eventID, as in answers', names: sql`eventid` },
  instance: { form: 'its id, such as i-0abc1234def567890', names: sql`nullif(split_part(instances, ' ', 1), '')` },
  key: { form: 'an access key id (AKIA… or ASIA…)', names: sql`accesskeyid` },
  region: { form: 'a name such as eu-central-1', names: sql`awsregion` },
  resource: { form: 'its id, ARN or name', names: sql`case when readlike = 'false' then target end` },
  role: { form: 'its name', names: sql`sessionissuername` },
  user: { form: 'a user name, an email address or a session name', names: sql`case when actorkind <> 'service' then actor end` },
  who: { form: 'an access key id, a role session (role/session) or a user', names: sql`case when accesskeyid like 'ASIA%' then actor end` },
};

/** How to write a word, for a sentence; undefined for a word that is not known here. */
export const formOfWord = (word: string): string | undefined => (Object.hasOwn(WORDS, word) ? WORDS[word]?.form : undefined);

const MAX_NAMES = 3;
const named = z.object({ name: z.string() });

/** The time to look for names in: the last week of the trail; where a query costs money, the last day. Undefined for an empty trail. */
export async function namesRange(engine: Pick<QueryEngine, 'extent' | 'estimate'>): Promise<TimeRange | undefined> {
  const { last } = await engine.extent();
  if (last === null) return undefined;
  const to = new Date(Date.parse(last) + 1000);
  return { from: new Date(to.getTime() - (engine.estimate ? 1 : 7) * DAY_MS), to };
}

/** The newest names in a range that the word of a command takes, newest first. One query. */
export async function newestNames(
  word: string,
  { words }: Command,
  range: TimeRange,
  { ask, kept }: Pick<Context, 'ask' | 'kept'>,
  most: number = MAX_NAMES,
): Promise<string[]> {
  const known = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  const type = words[word];
  if (!known || !type) return [];
  const rows = await ask(query(named)`
    select name, max(last) as newest
    from (select ${known.names} as name, last from ${activityDuring(range, { kept, uses: [known.names] })}) as named
    where name is not null
    group by name
    order by newest desc, name
    ${limit(10 * most)}
  `);
  return rows
    .map(({ name }) => name)
    .filter((name) => z.safeParse(type, name).success)
    .slice(0, most);
}

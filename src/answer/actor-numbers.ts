/** What actors did in some days, in numbers, from which their classes are learned. */
import { z } from 'zod';
import type { ActorNumbers } from '../analysis/actor-class.ts';
import { activityDuring, eventCount } from '../trail/activity.ts';
import { dayFolder } from '../trail/events.ts';
import type { Folders } from '../trail/folders.ts';
import { type KeptDays, keptWithin } from '../trail/kept-days.ts';
import { limit, type Query, query, raw, sql } from '../trail/sql.ts';
import { DAY_MS, type TimeRange } from '../trail/time-window.ts';
import { DIMENSIONS } from './dimensions.ts';

/** How far back classes are learned. */
export const LEARNED_DAYS = 30;

const words = z
  .string()
  .nullable()
  .transform((text) => (text ?? '').split(' ').filter(Boolean).sort());

const numbersRow = z.object({
  actor: z.string(),
  actorkind: z.string(),
  events: z.coerce.number(),
  reads: z.coerce.number(),
  services: z.coerce.number(),
  calls: z.coerce.number(),
  byConsole: z.coerce.number(),
  byCli: z.coerce.number(),
  byCode: z.coerce.number(),
  hours: words.transform((hours) => hours.map(Number)),
  dates: words,
  accounts: words,
  keys: words,
});

/** The numbers of an actor, with the accounts that it was in and its access keys. */
export interface CountedActor extends ActorNumbers {
  /** A role by its name, for all of its sessions. */
  readonly actor: string;
  readonly accounts: readonly string[];
  readonly keys: readonly string[];
}

interface CountedActivity {
  readonly kept: KeptDays;
  readonly folders: Folders | undefined;
  /** The most actors to count, those with most events first. */
  readonly max: number;
}

/** The numbers of actors in a range, the most active first. Services and nobody are left out. */
export function actorNumbers(range: TimeRange, { kept, folders, max }: CountedActivity): Query<CountedActor> {
  const columns = raw(`${DIMENSIONS.actor.value} as who, actorkind, eventsource, eventname, readlike, via, managementevent, recipientaccountid,
    ${DIMENSIONS.key.value} as longkey, hour, singleid, events`);
  const distinctWords = (value: string) => raw(`array_join(array_agg(distinct ${value}) filter (where ${value} is not null), ' ')`);
  return query(numbersRow)`
    select who as actor, actorkind, ${eventCount()} as events, ${eventCount(sql`readlike = 'true'`)} as reads,
      cast(count(distinct eventsource) as bigint) as services, cast(count(distinct eventsource || ' ' || eventname) as bigint) as calls,
      ${eventCount(sql`via = 'console' and coalesce(managementevent, 'true') <> 'false'`)} as byConsole,
      ${eventCount(sql`via = 'cli'`)} as byCli, ${eventCount(sql`via in ('terraform', 'cdk', 'cloudformation')`)} as byCode,
      ${distinctWords('substr(hour, 12, 2)')} as hours, ${distinctWords('substr(hour, 1, 10)')} as dates,
      ${distinctWords('recipientaccountid')} as accounts, ${distinctWords('longkey')} as keys
    from (select ${columns} from ${activityDuring(range, { kept, uses: [columns], folders })}) as acted
    where actorkind not in ('service', 'anonymous', 'root') and who is not null
    group by who, actorkind
    order by events desc, who, actorkind
    ${limit(max)}
  `;
}

/**
 * The days before a time of which activity is kept, at most 30 and without a gap; undefined where none are. The last one may have events
 * that are delivered on the next, so it is read only where that is kept, too.
 */
export function learnedRange(until: Date, kept: KeptDays): TimeRange | undefined {
  const earliest = new Date(until.getTime() - LEARNED_DAYS * DAY_MS);
  if (kept === 'all') return { from: earliest, to: until };
  const days = keptWithin({ first: dayFolder(earliest), last: dayFolder(until) }, kept).at(-1);
  if (!days) return undefined;
  const [from, to] = [startOfFolder(days.first), startOfFolder(days.last)];
  return from < to ? { from, to } : undefined;
}

const startOfFolder = (folder: string): Date => new Date(folder.replaceAll('/', '-'));

/**
 * The classes of a day's actors. They are learned from the 30 days before, where activity of these is kept: what somebody does on the day
 * does not make it usual. Where none is kept, they are learned from the day itself, by what it says without being read again.
 */
import { z } from 'zod';
import { isoSecond } from '../../trail/events.ts';
import { DAY_MS, type TimeRange } from '../../trail/time-window.ts';
import { type ClassOf, classesOf, readClassRules } from '../actor-classes.ts';
import { actorNumbers, type CountedActor, learnedRange } from '../actor-numbers.ts';
import type { ReportContext } from '../report.ts';
import type { DayGroup } from './day-groups.ts';
import { sumOfNumbers } from './past.ts';

/** More actors are not counted: those with the fewest events are left out. */
const MAX_COUNTED_ACTORS = 5_000;

interface FoundClasses {
  readonly classOf: ClassOf;
  /** A sentence for each rule of people that cannot be read. */
  readonly problems: readonly string[];
}

/** The classes of the actors of a day, [from, to). */
export async function dayClasses({ from }: TimeRange, groups: readonly DayGroup[], context: ReportContext): Promise<FoundClasses> {
  const counted = (await countedBefore(from, context)) ?? countedOfDay(groups, from);
  return withRules(withKeys(counted, groups), context);
}

/** The classes of the actors of the 30 days before a time. Where no activity of these is kept, only rules and kinds say what an actor is. */
export const classesBefore = async (to: Date, context: ReportContext): Promise<FoundClasses> =>
  withRules((await countedBefore(to, context)) ?? [], context);

async function withRules(counted: readonly CountedActor[], context: ReportContext): Promise<FoundClasses> {
  const { rules, problems } = await context.classRules();
  const read = readClassRules(rules);
  return { classOf: classesOf(read, counted), problems: [...problems, ...read.problems] };
}

/** Actors are counted again after so long: their classes hardly change from day to day. */
const LEARNED_AGAIN_MS = 7 * DAY_MS;

const learnedSchema = z.object({
  through: z.string(),
  actors: z.array(z.custom<CountedActor>((value) => typeof value === 'object' && value !== null)),
});

/** What actors did in the days before, counted once a week; undefined where no activity is kept. */
async function countedBefore(from: Date, { ask, kept, learned }: ReportContext): Promise<readonly CountedActor[] | undefined> {
  const known = learnedSchema.safeParse(await learned.newestUntil(from)).data;
  if (known && from.getTime() - Date.parse(known.through) < LEARNED_AGAIN_MS) return known.actors;
  const range = learnedRange(from, kept);
  if (!range) return known?.actors;
  const actors = await ask(actorNumbers(range, { kept, folders: undefined, max: MAX_COUNTED_ACTORS }));
  await learned.write(from, { through: isoSecond(from), actors }).catch(() => undefined);
  return actors;
}

/** What the groups of one day say of its actors. Services, calls and hours are not counted: of one day they would say nothing. */
function countedOfDay(groups: readonly DayGroup[], from: Date): CountedActor[] {
  const tools = groups.filter(({ kind }) => kind === 'tools');
  const byActor = Map.groupBy(tools, ({ value: [actor, actorkind] }) => JSON.stringify([actor, actorkind]));
  return [...byActor.values()].map((own) => {
    const [actor = '', actorkind = ''] = own[0]?.value ?? [];
    const eventsOf = (isCounted: (readlike: string, via: string) => boolean): number =>
      sumOfNumbers(own.map(({ value: [, , readlike = '', via = ''], events }) => (isCounted(readlike, via) ? events : 0)));
    return {
      ...{ actor, actorkind, services: 0, calls: 0, hours: [], dates: [from.toISOString().slice(0, 10)], accounts: [], keys: [] },
      events: eventsOf(() => true),
      reads: eventsOf((readlike) => readlike === 'true'),
      byConsole: eventsOf((_, via) => via === 'console'),
      byCli: eventsOf((_, via) => via === 'cli'),
      byCode: eventsOf((_, via) => ['terraform', 'cdk', 'cloudformation'].includes(via)),
    };
  });
}

/** Actors with the access keys that they used on the day, too. */
function withKeys(counted: readonly CountedActor[], groups: readonly DayGroup[]): CountedActor[] {
  const used = Map.groupBy(
    groups.filter(({ kind, actor }) => kind === 'key' && actor !== null),
    ({ actor }) => actor as string,
  );
  return counted.map((each) => {
    const own = used.get(each.actor)?.map(({ value: [key = ''] }) => key) ?? [];
    return own.length === 0 ? each : { ...each, keys: [...new Set([...each.keys, ...own])] };
  });
}

/** The profile of a user, a role, a key, an address, an account, a region or a resource, from one scan of the trail. */
import { z } from 'zod';
import { readResourceId } from '../analysis/resource-id.ts';
import { exactFilter } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { activityDuring, eventCount, isInActivity } from '../trail/activity.ts';
import { isoSecond, UNKNOWN_USER } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { placesOf } from '../trail/filter-places.ts';
import { isNowhere } from '../trail/places.ts';
import { query, type Sql, sql } from '../trail/sql.ts';
import { DAY_MS, type TimeRange, type Window } from '../trail/time-window.ts';
import type { Finding, Next, Row } from './answer.ts';
import { type Command, command, type Question } from './command.ts';
import type { Context } from './context.ts';
import { didYouMean, type NameSource } from './did-you-mean.ts';
import { actorNames, countByDimension, DIMENSIONS, type DimensionName, dimensionValues } from './dimensions.ts';
import { FIRST_AND_LAST, widerTime } from './event-list.ts';
import { memoryLimit } from './table-rows.ts';

/** Where the names of a kind of subject are found, to offer the nearest one for a profile that is empty. */
const NAME_SOURCES = {
  actors: { column: actorNames },
  roles: { column: sql`sessionissuername` },
  resources: { column: sql`target` },
  accounts: { among: 'accounts' },
  regions: { among: 'regions' },
} as const satisfies Record<string, NameSource>;

/** What a profile is about. */
interface Subject {
  /** As an answer names it. */
  readonly name: string;
  /** As a line names it. Default: `name`. */
  readonly word?: string;
  /** Find its events. A row of the profile leads to exactly the events that it counts. */
  readonly filters: readonly Filter[];
  readonly names?: keyof typeof NAME_SOURCES | undefined;
}

/** A follow-up question about the same subject, by its name (`session maria`) or by its filters (`rare user:maria`). */
interface FollowUp {
  readonly label: string;
  readonly command: string;
  readonly by: 'name' | 'filters';
  /** Asked over the command's own default time. Default: over the profile's time. */
  readonly inDefaultTime?: boolean;
}

/** What a command declares. */
interface Profile<Words extends z.ZodRawShape> extends Pick<Command, 'summary' | 'example'> {
  /** The command's own name. */
  readonly name: string;
  /** The one word that names the subject. */
  readonly words: Words;
  subject(words: Question<Words>['words']): Subject;
  /** What is counted, in this order. */
  readonly dimensions: readonly DimensionName[];
  readonly next: readonly FollowUp[];
}

/** Declares a command that shows the profile of a subject over 30 days. */
export const profile = <const Words extends z.ZodRawShape>(declared: Profile<Words>): Command<Words> =>
  command({
    topic: 'about',
    summary: declared.summary,
    example: declared.example,
    words: declared.words,
    window: '30d',
    filters: false,
    shape: ['top'],
    answer: ({ words, ...question }, context) => profileOf(declared, declared.subject(words), question, context),
  });

/** Values of a dimension in the table, and of each section of the message. */
const MAX_VALUES = 25;
const MAX_SHOWN_VALUES = 5;
const MAX_RARE_CALLS = 5;
const RECENT_MS = 7 * DAY_MS;

const valueCount = z.object({
  kind: z.string(),
  value: z.string(),
  events: z.coerce.number(),
  failed: z.coerce.number(),
  denied: z.coerce.number(),
  writes: z.coerce.number(),
  first: z.string(),
  last: z.string(),
  valuecount: z.coerce.number(),
  rarityrank: z.coerce.number(),
  frequencyrank: z.coerce.number(),
});
type ValueCount = z.output<typeof valueCount>;

async function profileOf(
  { name: ownName, dimensions, next }: Pick<Profile<z.ZodRawShape>, 'name' | 'dimensions' | 'next'>,
  { name, word = name, filters, names }: Subject,
  { window, typedWindow, top: typedTop }: Pick<Question, 'window' | 'typedWindow' | 'top'>,
  context: Context,
): Promise<Finding> {
  const top = typedTop ?? memoryLimit(context, MAX_VALUES);
  const recent = isoSecond(new Date(window.to.getTime() - RECENT_MS));
  const rows = await countsOf(dimensions, filters, window, recent, top, context);
  const of = (kind: string): ValueCount[] => rows.filter((row) => row.kind === kind);
  // Every event has an account: its counts add up to the totals, and so all accounts were read.
  const accounts = of('account');
  const total = (amount: 'events' | 'failed' | 'denied' | 'writes') => accounts.reduce((sum, row) => sum + row[amount], 0);
  const first = accounts.reduce<string | null>((least, row) => (least === null || row.first < least ? row.first : least), null);
  const last = accounts.reduce<string | null>((most, row) => (most === null || row.last > most ? row.last : most), null);
  // A value as old as the subject itself is not new for it.
  const isNew = (row: ValueCount): boolean => row.first >= recent && first !== null && first < recent;
  const shown = (kind: DimensionName) => (kind === 'account' ? accounts.filter((row) => row.frequencyrank <= top || isNew(row)) : of(kind));
  const sections = dimensions.flatMap((kind) => {
    const mostFrequent = of(kind).filter(({ frequencyrank }) => frequencyrank <= MAX_SHOWN_VALUES);
    const values = mostFrequent[0]?.valuecount ?? 0;
    return values > 0 ? [{ title: DIMENSIONS[kind].title, top: mostFrequent, more: values - mostFrequent.length, values }] : [];
  });
  const ask = (command: string, ...more: readonly Filter[]) =>
    printLine({ name: command, words: [], filters: [...filters, ...more], window: typedWindow });
  return {
    data: {
      name,
      events: total('events'),
      writes: total('writes'),
      failed: total('failed'),
      denied: total('denied'),
      first,
      last,
      accounts: accounts[0]?.valuecount ?? 0,
      sections,
      rare: of('call').length > MAX_SHOWN_VALUES ? of('call').filter(({ rarityrank }) => rarityrank <= MAX_RARE_CALLS) : [],
      fresh: dimensions.flatMap((kind) => of(kind).filter(isNew)).slice(0, 2 * MAX_SHOWN_VALUES),
    },
    table: {
      caption: `Profile of ${name}`,
      columns: [
        { name: 'kind', label: 'What', kind: 'text' },
        { name: 'value', label: 'Which', kind: 'text' },
        { name: 'events', label: 'Events', kind: 'count' },
        { name: 'writes', label: 'Writes', kind: 'count' },
        { name: 'failed', label: 'Failed', kind: 'count' },
        ...FIRST_AND_LAST,
        { name: 'fresh', label: 'New', kind: 'text' },
      ],
      rows: dimensions.flatMap((kind) =>
        shown(kind).map((row): Row => {
          const { valuecount: _, rarityrank: __, frequencyrank: ___, ...cells } = row;
          return {
            cells: { ...cells, fresh: isNew(row) ? 'new' : null },
            next: { label: `${row.value}`, line: ask('events', ...DIMENSIONS[kind].filters(row.value)) },
          };
        }),
      ),
      more: sections.some(({ values }) => values > top),
    },
    next: accounts.length === 0 ? await whenEmpty() : followUps().slice(0, MAX_FOLLOW_UPS),
  };

  async function whenEmpty(): Promise<Next[]> {
    const profileLine = (subject: string, time: Window) => printLine({ name: ownName, words: [subject], filters: [], window: time });
    return [
      ...(names ? await didYouMean(NAME_SOURCES[names], name, window, context, (nearest) => profileLine(nearest, typedWindow)) : []),
      widerTime(window, (wide) => profileLine(word, wide)),
    ];
  }

  /** First what it did, then its own follow-ups, then the profiles that it leads to, then its events by day. */
  function followUps(): Next[] {
    const ownFollowUps = next.map(
      ({ label, command: name, by, inDefaultTime }): Next => ({
        label,
        line: printLine({
          name,
          words: by === 'name' ? [word] : [],
          filters: by === 'filters' ? filters : [],
          ...(!inDefaultTime && { window: typedWindow }),
        }),
      }),
    );
    const profiles = PROFILES.flatMap(([kind, command]): Next[] => {
      const mostFrequent = dimensions.includes(kind)
        ? of(kind).find(({ value }) => value !== UNKNOWN_USER && (command === 'user' || readResourceId(value).kind === command))
        : undefined;
      return mostFrequent
        ? [
            {
              label: `About ${mostFrequent.value}`,
              line: printLine({ name: command, words: [mostFrequent.value], filters: [], window: typedWindow }),
            },
          ]
        : [];
    });
    return [
      ...(total('writes') > 0 ? [{ label: 'What it changed', line: ask('events', ...CHANGES) }] : []),
      ...(total('denied') > 0 ? [{ label: 'What was denied', line: ask('events', exactFilter('outcome', 'denied')) }] : []),
      ...ownFollowUps,
      ...profiles,
      { label: 'By day', line: printLine({ name: 'events', words: [], filters, every: { count: 1, unit: 'd' }, window: typedWindow }) },
    ];
  }
}

/** Values of each dimension with their counts: the most frequent, the rarest calls, and the newest since `recent`. One scan. */
async function countsOf(
  dimensions: readonly DimensionName[],
  filters: readonly Filter[],
  window: TimeRange,
  recent: string,
  top: number,
  context: Context,
): Promise<ValueCount[]> {
  const kinds: readonly DimensionName[] = [...new Set<DimensionName>(['account', ...dimensions])];
  const where = matching(filters);
  const uses = [where, dimensionValues(kinds)];
  const places = isInActivity(uses) ? undefined : await placesOf(window, { filters }, context);
  if (isNowhere(places)) return [];
  return context.ask(query(valueCount)`
    select kind, value, events, failed, denied, writes, first, last, valuecount, rarityrank, frequencyrank
    from (
      select *, count(*) over (partition by kind) as valuecount,
             row_number() over (partition by kind order by events desc, value) as frequencyrank,
             row_number() over (partition by kind order by events asc, first desc, value) as rarityrank,
             row_number() over (partition by kind order by first desc, value) as newnessrank
      from (
        select *
        from ${countByDimension(kinds, {
          relation: activityDuring(window, { kept: context.kept, uses, places, folders: context.foldersOf(filters) }),
          where,
          columns: sql`eventsource, outcome, readlike`,
          aggregates: sql`${eventCount()} as events, ${eventCount(sql`outcome <> 'ok'`)} as failed,
               ${eventCount(sql`outcome = 'denied'`)} as denied, ${eventCount(isWrite)} as writes,
               min(first) as first, max(last) as last`,
        })} as counted
        where value is not null
      ) as grouped
    ) as ranked
    where kind = 'account' or frequencyrank <= ${top} or (kind = 'call' and rarityrank <= ${MAX_RARE_CALLS}) or (first >= ${recent} and newnessrank <= ${MAX_SHOWN_VALUES})
    order by kind, frequencyrank
  `);
}

/** Dimensions whose most frequent value has a profile of its own, and its command. */
const PROFILES: readonly (readonly [DimensionName, string])[] = [
  ['actor', 'user'],
  ['address', 'ip'],
  ['key', 'key'],
];
const MAX_FOLLOW_UPS = 6;

/** A write that succeeded. A sign-in is logged as a write, and changes nothing. */
const isWrite: Sql = sql`readlike = 'false' and outcome = 'ok' and eventsource <> 'signin.amazonaws.com'`;
/** The filters that find the writes that succeeded. */
const CHANGES: readonly Filter[] = [
  exactFilter('reads', 'false'),
  exactFilter('outcome', 'ok'),
  { ...exactFilter('source', 'signin'), negated: true },
];

/** A profile: what is known of a user, a role, a key, an address, an account, a region or a resource, from one reading of the trail. */
import { z } from 'zod';
import { readResourceId } from '../analysis/resource-id.ts';
import { exactFilter } from '../question/line.ts';
import { printLine } from '../question/print.ts';
import { distinctEventCount, eventsDuring, isoSecond } from '../trail/events.ts';
import { type Filter, matching } from '../trail/filter.ts';
import { query, type Sql, sql } from '../trail/sql.ts';
import type { Window } from '../trail/time-window.ts';
import type { Finding, Next, Row } from './answer.ts';
import type { Question } from './command.ts';
import type { Context } from './context.ts';
import { didYouMean, type Names } from './did-you-mean.ts';
import { DIMENSIONS, type DimensionName, dimensionValue, unnestDimensions } from './dimensions.ts';
import { widerTime } from './event-list.ts';

/** Whose card it is. */
interface Subject {
  /** The command. */
  readonly command: string;
  /** As the line names it, and as the answer does. */
  readonly word: string;
  readonly name: string;
  /** Finds its events: what it counts is what its rows lead to. */
  readonly filters: readonly Filter[];
  /** What is told of it, in this order. */
  readonly dimensions: readonly DimensionName[];
  readonly next?: readonly Next[];
  /** Where names of its kind stand: a card that is empty offers the nearest of them. */
  readonly names?: Names | undefined;
}

const MOST_OF_AN_ASPECT = 25;
const SHOWN = 5;
const RARE = 5;
const FRESH_MS = 7 * 24 * 3_600_000;

const counted = z.object({
  kind: z.string(),
  value: z.string(),
  events: z.coerce.number(),
  failed: z.coerce.number(),
  denied: z.coerce.number(),
  writes: z.coerce.number(),
  changes: z.coerce.number(),
  first: z.string(),
  last: z.string(),
  together: z.coerce.number(),
  rareness: z.coerce.number(),
  place: z.coerce.number(),
});
type Counted = z.output<typeof counted>;

/** The card of a subject, in the window that was asked about. */
export async function profileOf(
  { window, typedWindow, top = MOST_OF_AN_ASPECT }: Pick<Question, 'window' | 'typedWindow' | 'top'>,
  context: Context,
  subject: Subject,
): Promise<Finding> {
  const { command, word, name, filters, dimensions, next = [], names } = subject;
  // The kind that every event has one value of gives the sums.
  const kinds: readonly DimensionName[] = [...new Set<DimensionName>(['account', ...dimensions])];
  const recent = new Date(window.to.getTime() - FRESH_MS);
  const rows = await context.ask(query(counted)`
    select kind, value, events, failed, denied, writes, changes, first, last, together, rareness, place
    from (
      select *, count(*) over (partition by kind) as together,
             row_number() over (partition by kind order by events desc, value) as place,
             row_number() over (partition by kind order by events asc, first desc, value) as rareness,
             row_number() over (partition by kind order by first desc, value) as newness
      from (
        select kind, value, ${distinctEventCount} as events, ${distinctEventCount} filter (where outcome <> 'ok') as failed,
               ${distinctEventCount} filter (where outcome = 'denied') as denied, ${distinctEventCount} filter (where ${isWrite}) as writes,
               ${distinctEventCount} filter (where ${isWrite} and outcome = 'ok') as changes,
               min(eventtime) as first, max(eventtime) as last
        from (
          select eventid, eventtime, eventsource, outcome, readlike, kind, ${dimensionValue(kinds)} as value
          from ${eventsDuring(window)}
          ${unnestDimensions(kinds)}
          where ${matching(filters)}
        ) as seen
        where value is not null
        group by kind, value
      ) as grouped
    ) as placed
    where kind = 'account' or place <= ${top} or (kind = 'call' and rareness <= ${RARE}) or (first >= ${isoSecond(recent)} and newness <= ${SHOWN})
    order by kind, place
  `);
  const of = (kind: string): Counted[] => rows.filter((row) => row.kind === kind);
  const everywhere = of('account');
  // All of these are there for the sums.
  const told = (kind: DimensionName) => (kind === 'account' ? everywhere.filter((row) => row.place <= top || isFresh(row)) : of(kind));
  const sum = (amount: 'events' | 'failed' | 'denied' | 'writes' | 'changes') => everywhere.reduce((total, row) => total + row[amount], 0);
  const first = everywhere.reduce<string | null>((least, row) => (least === null || row.first < least ? row.first : least), null);
  const last = everywhere.reduce<string | null>((most, row) => (most === null || row.last > most ? row.last : most), null);
  // What is as old as the subject itself is nothing new about it.
  const isFresh = (row: Counted): boolean => row.first >= isoSecond(recent) && first !== null && first < isoSecond(recent);
  const fresh = dimensions.flatMap((kind) => of(kind).filter(isFresh));
  const sections = dimensions.flatMap((kind) => {
    const each = of(kind).filter(({ place }) => place <= SHOWN);
    const together = each[0]?.together ?? 0;
    return together > 0
      ? [{ title: DIMENSIONS[kind].title, one: kind, many: DIMENSIONS[kind].many, together, top: each, more: together - each.length }]
      : [];
  });
  return {
    data: {
      command,
      name,
      events: sum('events'),
      writes: sum('writes'),
      failed: sum('failed'),
      denied: sum('denied'),
      first,
      last,
      accounts: everywhere[0]?.together ?? 0,
      sections,
      rare: of('call').length > SHOWN ? of('call').filter(({ rareness }) => rareness <= RARE) : [],
      fresh: fresh.slice(0, 2 * SHOWN),
    },
    table: {
      caption: `What is known of ${name}`,
      columns: [
        { name: 'kind', label: 'What', kind: 'text' },
        { name: 'value', label: 'Which', kind: 'text' },
        { name: 'events', label: 'Events', kind: 'count' },
        { name: 'writes', label: 'Writes', kind: 'count' },
        { name: 'failed', label: 'Failed', kind: 'count' },
        { name: 'first', label: 'First (UTC)', kind: 'time' },
        { name: 'last', label: 'Last (UTC)', kind: 'time' },
        { name: 'fresh', label: 'New', kind: 'text' },
      ],
      rows: dimensions.flatMap((kind) =>
        told(kind).map((row): Row => {
          const { together: _, rareness: __, place: ___, changes: ____, ...cells } = row;
          return {
            cells: { ...cells, fresh: isFresh(row) ? 'new' : null },
            next: {
              label: `${row.value}`,
              line: printLine({ name: 'events', words: [], filters: [...filters, ...DIMENSIONS[kind].filters(row.value)], window: typedWindow }),
            },
          };
        }),
      ),
      more: sections.some(({ together }) => together > top),
    },
    next: everywhere.length === 0 ? await leadsFromNothing() : leadsOn().slice(0, MOST_LEADS),
  };

  async function leadsFromNothing(): Promise<Next[]> {
    const about = (subject: string, time: Window) => printLine({ name: command, words: [subject], filters: [], window: time });
    return [
      ...(names ? await didYouMean(names, name, window, context, (nearest) => about(nearest, typedWindow)) : []),
      widerTime(window, (wide) => about(word, wide)),
    ];
  }

  /** What it did first, then whom it leads to, then the rest. */
  function leadsOn(): Next[] {
    const events = (...more: readonly Filter[]) => printLine({ name: 'events', words: [], filters: [...filters, ...more], window: typedWindow });
    const profiles = CARDS.flatMap(([kind, about]): Next[] => {
      const most = dimensions.includes(kind)
        ? of(kind).find(({ value }) => value !== WITHHELD && (about === 'user' || readResourceId(value).kind === about))
        : undefined;
      return most ? [{ label: `About ${most.value}`, line: printLine({ name: about, words: [most.value], filters: [], window: typedWindow }) }] : [];
    });
    return [
      ...(sum('changes') > 0 ? [{ label: 'What it changed', line: events(...CHANGES) }] : []),
      ...(sum('denied') > 0 ? [{ label: 'What was refused', line: events(exactFilter('outcome', 'denied')) }] : []),
      ...next,
      ...profiles,
      { label: 'By day', line: printLine({ name: 'events', words: [], filters, every: { count: 1, unit: 'd' }, window: typedWindow }) },
    ];
  }
}

/** Written in place of a user's name that was mistyped at sign-in, since it may be a password (CloudTrail User Guide, console sign-in events). */
const WITHHELD = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/** The kinds of which the most frequent has a card of its own. */
const CARDS: readonly (readonly [DimensionName, string])[] = [
  ['actor', 'user'],
  ['address', 'ip'],
  ['key', 'key'],
];
const MOST_LEADS = 6;

/** A sign-in is logged as a write, and changes nothing. */
const isWrite: Sql = sql`readlike = 'false' and eventsource <> 'signin.amazonaws.com'`;
/** The filters that find the writes that succeeded. */
const CHANGES: readonly Filter[] = [
  exactFilter('reads', 'false'),
  exactFilter('outcome', 'ok'),
  { ...exactFilter('source', 'signin'), negated: true },
];

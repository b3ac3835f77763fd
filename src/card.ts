/** A profile: what is known of a user, a role, a key, an address, an account, a region or a resource, from one reading of the trail. */
import { z } from 'zod';
import type { Context, Finding, Next, Row } from './answer.ts';
import { ASPECTS, type AspectName, aspectValue, eachAspect } from './aspect.ts';
import type { Asked } from './command.ts';
import { only, printLine } from './line.ts';
import { eventCount, eventsDuring, secondOf } from './trail/events.ts';
import { type Filter, matching } from './trail/filter.ts';
import { query, type Sql } from './trail/sql.ts';
import { printWindow, wider } from './trail/window.ts';

/** Whose card it is. */
interface Subject {
  /** The command. */
  readonly card: string;
  /** As the line names it, and as the answer does. */
  readonly word: string;
  readonly name: string;
  /** Finds its events; `where` does where filters do not. */
  readonly filters: readonly Filter[];
  readonly where?: Sql;
  /** What is told of it, in this order. */
  readonly aspects: readonly AspectName[];
  readonly next?: readonly Next[];
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
  first: z.string(),
  last: z.string(),
  together: z.coerce.number(),
  rareness: z.coerce.number(),
  place: z.coerce.number(),
});
type Counted = z.output<typeof counted>;

/** The card of a subject, in the window that was asked about. */
export async function cardOf({ window, said }: Pick<Asked, 'window' | 'said'>, { ask }: Context, subject: Subject): Promise<Finding> {
  const { card, word, name, filters, where = matching(filters), aspects } = subject;
  // The kind that every event has one value of gives the sums.
  const kinds: readonly AspectName[] = [...new Set<AspectName>(['account', ...aspects])];
  const recent = new Date(window.to.getTime() - FRESH_MS);
  const rows = await ask(query(counted)`
    select kind, value, events, failed, denied, writes, first, last, together, rareness, place
    from (
      select *, count(*) over (partition by kind) as together,
             row_number() over (partition by kind order by events desc, value) as place,
             row_number() over (partition by kind order by events asc, first desc, value) as rareness,
             row_number() over (partition by kind order by first desc, value) as newness
      from (
        select kind, value, ${eventCount} as events, ${eventCount} filter (where outcome <> 'ok') as failed,
               ${eventCount} filter (where outcome = 'denied') as denied, ${eventCount} filter (where readlike = 'false') as writes,
               min(eventtime) as first, max(eventtime) as last
        from (
          select eventid, eventtime, outcome, readlike, kind, ${aspectValue(kinds)} as value
          from ${eventsDuring(window)}
          ${eachAspect(kinds)}
          where ${where}
        ) as seen
        where value is not null
        group by kind, value
      ) as grouped
    ) as placed
    where place <= ${MOST_OF_AN_ASPECT} or (kind = 'call' and rareness <= ${RARE}) or (first >= ${secondOf(recent)} and newness <= ${SHOWN})
    order by kind, place
  `);
  const of = (kind: string): Counted[] => rows.filter((row) => row.kind === kind);
  const everywhere = of('account');
  const sum = (amount: 'events' | 'failed' | 'denied' | 'writes') => everywhere.reduce((total, row) => total + row[amount], 0);
  const first = everywhere.reduce<string | null>((least, row) => (least === null || row.first < least ? row.first : least), null);
  const last = everywhere.reduce<string | null>((most, row) => (most === null || row.last > most ? row.last : most), null);
  // What is as old as the subject itself is nothing new about it.
  const isFresh = (row: Counted): boolean => row.first >= secondOf(recent) && first !== null && first < secondOf(recent);
  const fresh = aspects.flatMap((kind) => of(kind).filter(isFresh));
  const sections = aspects.flatMap((kind) => {
    const each = of(kind).filter(({ place }) => place <= SHOWN);
    const together = each[0]?.together ?? 0;
    return together > 0
      ? [{ title: ASPECTS[kind].title, one: kind, many: ASPECTS[kind].many, together, top: each, more: together - each.length }]
      : [];
  });
  return {
    data: {
      card,
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
      rows: aspects.flatMap((kind) =>
        of(kind).map((row): Row => {
          const { together: _, rareness: __, place: ___, ...cells } = row;
          return {
            cells: { ...cells, fresh: isFresh(row) ? 'new' : null },
            next: {
              label: `${row.value}`,
              line: printLine({ name: 'events', words: [], filters: [...filters, ...ASPECTS[kind].filters(row.value)], window: said }),
            },
          };
        }),
      ),
      more: sections.some(({ together }) => together > MOST_OF_AN_ASPECT),
    },
    next:
      everywhere.length === 0
        ? [{ label: `The same, ${printWindow(wider(window))}`, line: printLine({ name: card, words: [word], filters: [], window: wider(window) }) }]
        : [
            ...(subject.next ?? []),
            {
              label: 'What it changed',
              line: printLine({ name: 'events', words: [], filters: [...filters, only('readonly', 'false')], window: said }),
            },
            ...(sum('denied') > 0
              ? [
                  {
                    label: 'What was refused',
                    line: printLine({ name: 'events', words: [], filters: [...filters, only('outcome', 'denied')], window: said }),
                  },
                ]
              : []),
            { label: 'By day', line: printLine({ name: 'events', words: [], filters, every: { count: 1, unit: 'd' }, window: said }) },
          ],
  };
}

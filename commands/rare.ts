/** The least common calls. */
import {
  activityDuring,
  command,
  eventCount,
  exactFilter,
  FIRST_AND_LAST,
  firstAndMore,
  limit,
  matching,
  printLine,
  query,
  type Row,
  sql,
  tableRows,
  termsOf,
  widerTime,
  z,
} from '#kit';

const callCount = z.object({
  eventsource: z.string(),
  eventname: z.string(),
  calls: z.coerce.number(),
  failed: z.coerce.number(),
  actors: z.coerce.number(),
  actor: z.string().nullable(),
  first: z.string(),
  last: z.string(),
});

export default command({
  topic: 'unusual',
  summary: 'Lists the least common calls, with who made them and when',
  example: '7d',
  words: {},
  window: '7d',
  filters: true,
  shape: ['top'],

  async answer({ filters, window, typedWindow, top }, context) {
    const toRow = (cells: z.output<typeof callCount>): Row => {
      // `source:s3` matches s3.amazonaws.com. A name with more dots must be written in full.
      const service = cells.eventsource.replace(/^([a-z0-9-]+)[.]amazonaws[.]com$/, '$1');
      const rowFilters = [exactFilter('event', cells.eventname), exactFilter('source', service)];
      return {
        cells: { ...cells, who: firstAndMore(cells.actor, cells.actors) },
        next: {
          label: `${cells.eventname} (${service})`,
          line: printLine({ name: 'events', words: [], filters: [...filters, ...rowFilters], window: typedWindow }),
        },
      };
    };
    const where = matching(filters);
    const queryUpTo = (max?: number) => query(callCount)`
      select eventsource, eventname, ${eventCount()} as calls,
             ${eventCount(sql`outcome <> 'ok'`)} as failed,
             cast(count(distinct actor) as bigint) as actors, min(actor) as actor,
             min(first) as first, max(last) as last
      from ${activityDuring(window, { kept: context.kept, uses: [where], folders: context.foldersOf(filters) })}
      where ${where}
      group by eventsource, eventname
      order by calls, case when min(readlike) = 'false' then 0 else 1 end, eventsource, eventname
      ${limit(max)}
    `;
    const { found, more, rows } = await tableRows(context, top, queryUpTo, toRow);
    const once = found.filter(({ calls: times }) => times === 1);
    return {
      data: { kinds: found.length, more, once: once.length, rarest: found.slice(0, 3) },
      table: {
        caption: 'Least common calls',
        columns: [
          { name: 'eventsource', label: 'Service', kind: 'text' },
          { name: 'eventname', label: 'Event', kind: 'text' },
          { name: 'calls', label: 'Calls', kind: 'count' },
          { name: 'failed', label: 'Failed', kind: 'count' },
          { name: 'who', label: 'Who', kind: 'text' },
          { name: 'actor', label: 'Actor', kind: 'text', hidden: true },
          { name: 'actors', label: 'Actors', kind: 'count', hidden: true },
          ...FIRST_AND_LAST,
        ],
        ...rows,
      },
      next: [
        ...(found.length > 0 && !termsOf(filters).some(({ field }) => field === 'kind')
          ? [
              {
                label: 'Without services',
                line: printLine({
                  name: 'rare',
                  words: [],
                  filters: [...filters, { ...exactFilter('kind', 'service'), negated: true }],
                  window: typedWindow,
                }),
              },
            ]
          : []),
        widerTime(window, (wide) => printLine({ name: 'rare', words: [], filters, window: wide })),
      ],
    };
  },
});

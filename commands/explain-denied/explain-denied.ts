/** Why a call was denied: the kind of policy, and the smallest statement that would allow the call. */
import {
  command,
  eventsDuring,
  eventTable,
  exactFilter,
  hasId,
  isNowhere,
  limit,
  listed,
  listedRow,
  newestFirst,
  type Places,
  placesOfId,
  printLine,
  query,
  type TimeRange,
  type Window,
  widerTime,
  z,
} from '#kit';
import { permissionSetOf, readDenial, roleOf, statementAllowing } from './denial.ts';

const deniedEvent = listedRow.extend({ errormessage: z.string().nullable(), arns: z.string().nullable() });

export default command({
  topic: 'refused',
  summary: 'Shows which kind of policy denied a call, from its error message, and the smallest statement that would allow it',
  example: 'adcbefba-274e-44a8-aa93-7aff5c223c1e 30d',
  words: { id: z.string().min(1).max(128, 'An event id has at most 128 characters.') },
  window: '90d',
  filters: false,
  shape: [],
  isNewestFirst: () => true,

  async answer({ words: { id }, window }, context) {
    const inTime = (range: TimeRange, places: Places | undefined, late = false) => query(deniedEvent)`
      select ${listed}, errormessage, array_join(resources, ' ') as arns
      from ${eventsDuring(range, { late, places })}
      where ${hasId(id)}
      order by case when outcome = 'denied' then 0 else 1 end, eventtime desc, eventid
      ${limit(1)}
    `;
    const places = await placesOfId(id, window, context);
    // Nearly every event is delivered within a day. A late one costs a second query.
    const [onTime] = await newestFirst(context, window, { places, query: (part) => inTime(part, places), isEnough: (rows) => rows.length > 0 });
    const found = onTime ?? (isNowhere(places) ? undefined : (await context.ask(inTime(window, places, true)))[0]);
    const denial = found && readDenial({ ...found, arns: found.arns?.split(' ') ?? [] });
    const principal = denial?.principal ? roleOf(denial.principal) : null;
    const isDenied = found?.outcome === 'denied';
    const day = found?.eventtime.slice(0, 10) ?? '';
    const thatDay: Window = { kind: 'between', from: day, to: day };
    const table = eventTable('The call', found ? [found].map(({ arns: _, ...event }) => event) : [], {
      extra: [{ name: 'errormessage', label: 'Message', kind: 'text', hidden: true }],
    });
    return {
      data: {
        id,
        found: found ?? null,
        isDenied,
        denial: denial ?? null,
        principal,
        permissionSet: (principal && permissionSetOf(principal)) ?? null,
        statement: isDenied && denial && !denial.isExplicit ? statementAllowing(denial) : null,
      },
      table,
      next: found
        ? [
            ...table.rows.flatMap(({ next }) => next ?? []),
            ...(found.actor === null
              ? []
              : [
                  {
                    label: 'Denied to this user that day',
                    line: printLine({
                      name: 'events',
                      words: [],
                      filters: [exactFilter('user', found.actor), exactFilter('outcome', 'denied')],
                      window: thatDay,
                    }),
                  },
                ]),
            { label: `Who calls ${found.eventname}`, line: printLine({ name: 'who', words: [found.eventname], filters: [] }) },
          ]
        : [widerTime(window, (wide) => printLine({ name: 'explain-denied', words: [id], filters: [], window: wide }))],
    };
  },
});

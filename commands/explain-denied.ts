/** Why one call was denied: the kind of policy at fault, and the smallest statement that would allow the call. */
import {
  allowing,
  command,
  eventsDuring,
  eventTable,
  exactFilter,
  limit,
  listed,
  listedRow,
  newestFirst,
  permissionSetOf,
  printLine,
  query,
  readDenial,
  roleOf,
  type TimeRange,
  toEvent,
  type Window,
  widerTime,
  z,
} from '#kit';

const denied = listedRow.extend({ errormessage: z.string().nullable(), arns: z.string().nullable() });

export default command({
  topic: 'refused',
  summary: 'Tells which kind of policy denied a call, from its message, and the smallest statement that would allow it',
  example: 'adcbefba-274e-44a8-aa93-7aff5c223c1e 30d',
  words: { id: z.string().min(1).max(128, 'No event has an id of more than 128 letters.') },
  window: '90d',
  filters: false,
  shape: [],
  isNewestFirst: () => true,

  async answer({ words: { id }, window }, context) {
    const inTime = (range: TimeRange, late = false) => query(denied)`
      select ${listed}, errormessage, array_join(resources, ' ') as arns
      from ${eventsDuring(range, { late })}
      where eventid = ${id}
      ${limit(1)}
    `;
    // Nearly every event is delivered within a day. One that was not is still found, at the price of a second look.
    const [prompt] = await newestFirst(context, window, { query: (part) => inTime(part), isEnough: (rows) => rows.length > 0 });
    const found = prompt ?? (await context.ask(inTime(window, true)))[0];
    const denial = found && readDenial({ ...found, arns: found.arns?.split(' ') ?? [] });
    const principal = denial?.principal ? roleOf(denial.principal) : null;
    const isDenied = found?.outcome === 'denied';
    const day = found?.eventtime.slice(0, 10) ?? '';
    const thatDay: Window = { kind: 'between', from: day, to: day };
    return {
      data: {
        id,
        found: found ?? null,
        isDenied,
        denial: denial ?? null,
        principal,
        permissionSet: (principal && permissionSetOf(principal)) ?? null,
        statement: isDenied && denial && !denial.isExplicit ? allowing(denial) : null,
      },
      table: eventTable('The call', found ? [found].map(({ arns: _, ...event }) => event) : [], {
        extra: [{ name: 'errormessage', label: 'Message', kind: 'text', hidden: true }],
      }),
      next: found
        ? [
            toEvent(found),
            ...(found.actor === null
              ? []
              : [
                  {
                    label: 'Refused to them that day',
                    line: printLine({
                      name: 'events',
                      words: [],
                      filters: [exactFilter('user', found.actor), exactFilter('outcome', 'denied')],
                      window: thatDay,
                    }),
                  },
                ]),
            { label: 'Who calls it', line: printLine({ name: 'who', words: [found.eventname], filters: [] }) },
          ]
        : [widerTime(window, (wide) => printLine({ name: 'explain-denied', words: [id], filters: [], window: wide }))],
    };
  },
});

/** What a security engineer wants to know of yesterday before coffee: totals, root, destruction, failed sign-ins, rare calls. */
import {
  classifySignIns,
  distinctEventCount,
  eventsDuring,
  eventTable,
  exactFilter,
  isoSecond,
  limit,
  listed,
  listedRow,
  printLine,
  query,
  report,
  signInAttempts,
  sql,
  type Window,
  z,
} from '#kit';

const totals = z.object({
  events: z.coerce.number(),
  deeds: z.coerce.number(),
  attempts: z.coerce.number(),
  people: z.coerce.number(),
  denied: z.coerce.number(),
  failed: z.coerce.number(),
});
const rare = z.object({ eventsource: z.string(), eventname: z.string(), calls: z.coerce.number(), actor: z.string().nullable() });

/** Data events are left out: objects come and go by the million. */
const IS_DESTRUCTION = sql`destructive = 'true' and actorkind <> 'service' and coalesce(eventcategory, '') <> 'Data'`;

const MOST_LISTED = 8;
const MOST_ROWS = 200;

export default report({
  summary: 'Yesterday: rare and destructive calls, what root did, failed sign-ins',
  period: 'day',
  schedule: '0 8 * * *',
  reads: 5,

  async answer(day, { ask }) {
    const events = eventsDuring(day);
    const [sum] = await ask(query(totals)`
      select ${distinctEventCount} as events, cast(count(distinct case when actorkind = 'human' then actor end) as bigint) as people,
             ${distinctEventCount} filter (where ${IS_DESTRUCTION} and outcome = 'ok') as deeds,
             ${distinctEventCount} filter (where ${IS_DESTRUCTION} and outcome <> 'ok') as attempts,
             ${distinctEventCount} filter (where outcome = 'denied') as denied,
             ${distinctEventCount} filter (where outcome = 'failed') as failed
      from ${events}
    `);
    const destructive = await ask(query(listedRow)`
      select ${listed}
      from ${events}
      where ${IS_DESTRUCTION}
      order by case when outcome = 'ok' then 0 else 1 end, eventtime desc, eventid
      ${limit(MOST_ROWS)}
    `);
    const root = await ask(query(listedRow)`
      select ${listed}
      from ${events}
      where actorkind = 'root'
      order by eventtime desc, eventid
      ${limit(MOST_ROWS)}
    `);
    const { tries, addresses, users } = classifySignIns(await ask(signInAttempts(day, [])));
    const rarest = await ask(query(rare)`
      select eventsource, eventname, ${distinctEventCount} as calls, min(actor) as actor
      from ${events}
      where actorkind <> 'service' and readlike <> 'true' and outcome = 'ok'
      group by eventsource, eventname
      having ${distinctEventCount} = 1
      order by calls, eventsource, eventname
      ${limit(MOST_ROWS)}
    `);
    const typedWindow: Window = { kind: 'between', from: isoSecond(day.from).slice(0, 16), to: isoSecond(day.to).slice(0, 16) };
    const line = (name: string, filters: ReturnType<typeof exactFilter>[]) => printLine({ name, words: [], filters, window: typedWindow });
    const tried = addresses.filter((address) => address.tries > 0);
    const deeds = destructive.filter(({ outcome }) => outcome === 'ok');
    return {
      data: {
        day: isoSecond(new Date((day.from.getTime() + day.to.getTime()) / 2)),
        totals: sum,
        deedCount: sum?.deeds ?? 0,
        deeds: deeds.slice(0, MOST_LISTED),
        moreDeeds: Math.max(0, (sum?.deeds ?? 0) - MOST_LISTED),
        attempts: sum?.attempts ?? 0,
        root: root.slice(0, MOST_LISTED),
        moreRoot: Math.max(0, root.length - MOST_LISTED),
        signInTries: tries,
        guessed: users.filter(({ isSuspect }) => isSuspect).slice(0, MOST_LISTED),
        signIns: tried.slice(0, MOST_LISTED),
        moreSignIns: Math.max(0, tried.length - MOST_LISTED),
        rarest: rarest.slice(0, MOST_LISTED),
        moreRare: Math.max(0, rarest.length - MOST_LISTED),
      },
      table: {
        ...eventTable('Destructive and root calls', [
          ...destructive,
          ...root.filter(({ eventid }) => !destructive.some((other) => other.eventid === eventid)),
        ]),
        unseen: true,
      },
      next: [
        { label: 'Destructive calls', line: line('events', [exactFilter('destructive', 'true')]) },
        { label: 'What root did', line: line('events', [exactFilter('kind', 'root')]) },
        { label: 'Failed sign-ins', line: line('signin-failures', []) },
        { label: 'All rare calls', line: line('rare', []) },
      ],
    };
  },
});

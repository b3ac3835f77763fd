/** The daily report: totals, destructive calls, root activity, failed sign-ins, and writes that happened only once. */
import {
  activityDuring,
  classifySignIns,
  eventCount,
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

const dayTotals = z.object({
  events: z.coerce.number(),
  destructivecalls: z.coerce.number(),
  attempts: z.coerce.number(),
  users: z.coerce.number(),
  denied: z.coerce.number(),
  failed: z.coerce.number(),
});
const singleCall = z.object({ eventsource: z.string(), eventname: z.string(), calls: z.coerce.number(), actor: z.string().nullable() });

/** Without data events: objects are deleted by the million. */
const IS_DESTRUCTION = sql`destructive = 'true' and actorkind <> 'service' and coalesce(eventcategory, '') <> 'Data'`;

const MAX_LISTED = 8;
const MAX_REPORT_ROWS = 200;

export default report({
  summary: 'Yesterday: destructive calls, root activity, failed sign-ins, writes that happened only once',
  period: 'day',
  schedule: '0 8 * * *',
  reads: 5,

  async answer(day, { ask, kept }) {
    const events = eventsDuring(day, { notable: true });
    const activity = activityDuring(day, { kept, uses: [IS_DESTRUCTION] });
    const [sum] = await ask(query(dayTotals)`
      select ${eventCount()} as events, cast(count(distinct case when actorkind in ('human', 'user') then actor end) as bigint) as users,
             ${eventCount(sql`${IS_DESTRUCTION} and outcome = 'ok'`)} as destructivecalls,
             ${eventCount(sql`${IS_DESTRUCTION} and outcome <> 'ok'`)} as attempts,
             ${eventCount(sql`outcome = 'denied'`)} as denied,
             ${eventCount(sql`outcome = 'failed'`)} as failed
      from ${activity}
    `);
    const destructiveCalls = await ask(query(listedRow)`
      select ${listed}
      from ${events}
      where ${IS_DESTRUCTION}
      order by case when outcome = 'ok' then 0 else 1 end, eventtime desc, eventid
      ${limit(MAX_REPORT_ROWS)}
    `);
    const root = await ask(query(listedRow)`
      select ${listed}
      from ${events}
      where actorkind = 'root'
      order by eventtime desc, eventid
      ${limit(MAX_REPORT_ROWS)}
    `);
    const { tries, addresses, users } = classifySignIns(await ask(signInAttempts(day, [])));
    const rarest = await ask(query(singleCall)`
      select eventsource, eventname, ${eventCount()} as calls, min(actor) as actor
      from ${activity}
      where actorkind <> 'service' and readlike <> 'true' and outcome = 'ok'
      group by eventsource, eventname
      having ${eventCount()} = 1
      order by calls, eventsource, eventname
      ${limit(MAX_REPORT_ROWS)}
    `);
    const typedWindow: Window = { kind: 'between', from: isoSecond(day.from).slice(0, 16), to: isoSecond(day.to).slice(0, 16) };
    const line = (name: string, filters: ReturnType<typeof exactFilter>[]) => printLine({ name, words: [], filters, window: typedWindow });
    const failedAddresses = addresses.filter((address) => address.tries > 0);
    const succeeded = destructiveCalls.filter(({ outcome }) => outcome === 'ok');
    return {
      data: {
        day: isoSecond(new Date((day.from.getTime() + day.to.getTime()) / 2)),
        totals: sum,
        destructiveCount: sum?.destructivecalls ?? 0,
        destructive: succeeded.slice(0, MAX_LISTED),
        moreDestructive: Math.max(0, (sum?.destructivecalls ?? 0) - MAX_LISTED),
        attempts: sum?.attempts ?? 0,
        root: root.slice(0, MAX_LISTED),
        moreRoot: Math.max(0, root.length - MAX_LISTED),
        signInTries: tries,
        guessedUsers: users.filter(({ isSuspect }) => isSuspect).slice(0, MAX_LISTED),
        signIns: failedAddresses.slice(0, MAX_LISTED),
        moreSignIns: Math.max(0, failedAddresses.length - MAX_LISTED),
        rarest: rarest.slice(0, MAX_LISTED),
        moreRare: Math.max(0, rarest.length - MAX_LISTED),
      },
      table: {
        ...eventTable('Destructive and root calls', [
          ...destructiveCalls,
          ...root.filter(({ eventid }) => !destructiveCalls.some((other) => other.eventid === eventid)),
        ]),
        exportOnly: true,
      },
      next: [
        { label: 'Destructive calls', line: line('events', [exactFilter('destructive', 'true')]) },
        { label: 'Root activity', line: line('events', [exactFilter('kind', 'root')]) },
        { label: 'Failed sign-ins', line: line('signin-failures', []) },
        { label: 'Rare calls', line: line('rare', []) },
      ],
    };
  },
});

/** Who launched and who started an instance, and on whose behalf when a service did. */
import {
  command,
  containing,
  eventsDuring,
  eventTable,
  exactFilter,
  type Finding,
  findOrigins,
  limit,
  listed,
  listedRow,
  newestFirst,
  type Origin,
  printLine,
  type Question,
  query,
  widerTime,
  z,
} from '#kit';

const call = listedRow.extend({ instances: z.string() });
type Call = z.output<typeof call>;

const MOST_CALLS = 1000;

const instance = z
  .string()
  .transform((text) => text.toLowerCase().replace(/^arn:.*:instance\//, ''))
  .refine((id) => /^i-[0-9a-f]{1,17}$/.test(id), 'An instance id looks like i-0abc1234def567890.');

export default command({
  topic: 'who',
  summary: 'Tells who launched or started an EC2 instance, followed back through Auto Scaling, fleets and stacks',
  example: 'i-0c0ffee000000001a 90d',
  words: { instance },
  window: '90d',
  filters: false,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const {
      words: { instance: id },
      window,
    } = asked;
    const calls = await newestFirst(context, window, {
      query: (part) => query(call)`
        select ${listed}, instances
        from ${eventsDuring(part)}
        where eventsource = 'ec2.amazonaws.com'
          and eventname in ('RunInstances', 'StartInstances')
          and ' ' || instances || ' ' like ${containing(` ${id} `)} escape '!'
        order by eventtime desc, eventid
        ${limit(MOST_CALLS + 1)}
      `,
      // Nothing happens to an instance before it is launched.
      isEnough: (rows) => rows.length > MOST_CALLS || rows.some(isLaunch),
      partial: (rows) => finding(asked, rows, []),
    });
    const launch = calls.findLast(isLaunch);
    if (launch) context.showPartial(finding(asked, calls, []), window.from);
    return finding(asked, calls, launch ? await findOrigins(launch, window, context.ask) : []);
  },
});

/** What calls come to: a launch, starts since, tries that failed, and on whose behalf. */
function finding(
  { words, window, typedWindow, top = MOST_CALLS }: Question<{ instance: typeof instance }>,
  calls: readonly Call[],
  origins: readonly Origin[],
): Finding {
  const id = words.instance;
  const done = calls.filter(({ outcome }) => outcome === 'ok');
  const launch = calls.findLast(isLaunch);
  const starts = done.filter(({ eventname }) => eventname === 'StartInstances');
  const told = calls.map((each) => ({ ...each, effect: effectOf(each), siblings: siblingsOf(each, id) }));
  const actor = person(launch, origins) ?? starts[0]?.actor ?? null;
  return {
    data: {
      instance: id,
      launch: launch ? { ...launch, siblings: siblingsOf(launch, id) } : null,
      origins,
      origin: origins.findLast(({ by }) => by !== null) ?? null,
      starts: { count: starts.length, latest: starts[0] ?? null },
      attempts: told
        .filter(({ outcome }) => outcome !== 'ok')
        .slice(0, 10)
        .map(({ eventname, actor: who, eventtime, effect }) => ({ eventname, actor: who, eventtime, effect })),
      any: calls.length > 0,
    },
    table: eventTable(
      `Launches and starts of ${id}`,
      told.map(({ instances: _, ...row }) => row),
      {
        most: top,
        hidden: ['target', 'eventsource'],
        extra: [
          { name: 'effect', label: 'Effect', kind: 'text' },
          { name: 'siblings', label: 'Launched with', kind: 'text', hidden: true },
        ],
      },
    ),
    next: [
      ...(launch ? [around(launch)] : []),
      ...(actor
        ? [
            {
              label: 'What else they did',
              line: printLine({ name: 'events', words: [], filters: [exactFilter('user', actor)], window: typedWindow }),
            },
          ]
        : []),
      ...(calls.length === 0
        ? [
            widerTime(window, (wide) => printLine({ name: 'who-started', words: [id], filters: [], window: wide })),
            {
              label: 'All that touched it',
              line: printLine({ name: 'events', words: [], filters: [exactFilter('target', id)], window: typedWindow }),
            },
          ]
        : []),
    ],
  };
}

const isLaunch = ({ eventname, outcome }: Call): boolean => eventname === 'RunInstances' && outcome === 'ok';

/** What a call came to. A dry run starts nothing, whatever it is answered. */
function effectOf({ eventname, errorcode, outcome }: Call): string {
  if (errorcode?.includes('DryRunOperation')) return 'dry run, nothing started';
  if (outcome !== 'ok') return `not started: ${errorcode ?? outcome}`;
  return eventname === 'RunInstances' ? 'launched' : 'started';
}

/** The other instances of the same launch. */
function siblingsOf({ instances }: Call, id: string): string | null {
  const others = new Set(instances.split(' '));
  others.delete(id);
  return others.size > 0 ? [...others].join(' ') : null;
}

/** The person at the far end: of the hops, or the one who launched it with their own hands. */
function person(launch: Call | undefined, origins: readonly Origin[]): string | null {
  return origins.findLast(({ by }) => by?.actorkind === 'human')?.by?.actor ?? launch?.actor ?? null;
}

function around({ eventtime, recipientaccountid }: Call) {
  const filters = recipientaccountid ? [exactFilter('account', recipientaccountid)] : [];
  return {
    label: '15 minutes around it',
    line: printLine({ name: 'events', words: [], filters, window: { kind: 'around', at: eventtime.slice(0, 19), count: 15, unit: 'm' } }),
  };
}

/** Who launched and started an instance, followed back when a service did. */
import {
  clueToName,
  command,
  containing,
  eventsAround,
  eventsDuring,
  eventTable,
  exactFilter,
  type Finding,
  findOrigins,
  findPlaces,
  limit,
  listed,
  listedRow,
  memoryLimit,
  newestFirst,
  type Origin,
  placesOfClue,
  printLine,
  type Question,
  query,
  readDays,
  userBehind,
  widerTime,
  z,
} from '#kit';

const launchCall = listedRow.extend({ instances: z.string() });
type LaunchCall = z.output<typeof launchCall>;

const MAX_LAUNCH_CALLS = 1000;

const instanceId = z
  .string()
  .transform((text) => text.toLowerCase().replace(/^arn:.*:instance\//, ''))
  .refine((id) => /^i-[0-9a-f]{1,17}$/.test(id), 'An instance id looks like i-0abc1234def567890.');

export default command({
  topic: 'who',
  summary: 'Shows who launched or started an EC2 instance, followed back through Auto Scaling, fleets, stacks, schedules and role sessions',
  example: 'i-0c0ffee000000001a 90d',
  words: { instance: instanceId },
  window: '90d',
  filters: false,
  shape: ['top'],
  isNewestFirst: () => true,

  async answer(asked, context) {
    const {
      words: { instance: id },
      window,
    } = asked;
    const max = memoryLimit(context, MAX_LAUNCH_CALLS);
    const launched = clueToName(id, { mayBeSecret: false });
    const places = await findPlaces(
      readDays(window),
      () => (launched ? [placesOfClue(launched, window, { ofCalls: true, ofWrites: true })] : []),
      context,
    );
    const calls = await newestFirst(context, window, {
      places,
      query: (part) => query(launchCall)`
        select ${listed}, instances
        from ${eventsDuring(part, { places })}
        where eventsource = 'ec2.amazonaws.com'
          and eventname in ('RunInstances', 'StartInstances')
          and ' ' || instances || ' ' like ${containing(` ${id} `)} escape '!'
        order by eventtime desc, eventid
        ${limit(max + 1)}
      `,
      // Nothing happens to an instance before it is launched.
      isEnough: (rows) => rows.length > max || rows.some(isLaunch),
      partial: (rows) => launchFinding(asked, max, rows, NO_ORIGINS),
    });
    const launch = calls.findLast(isLaunch);
    const start = calls.find(isStart);
    if (launch ?? start) context.showPartial(launchFinding(asked, max, calls, NO_ORIGINS), window.from);
    const originsOf = async (call: LaunchCall | undefined) => (call ? findOrigins(call, window, context.ask) : []);
    return launchFinding(asked, max, calls, { launch: await originsOf(launch), start: await originsOf(start) });
  },
});

/** Who is behind the launch, and behind the newest start. */
interface OriginsOfCalls {
  readonly launch: readonly Origin[];
  readonly start: readonly Origin[];
}
const NO_ORIGINS: OriginsOfCalls = { launch: [], start: [] };

/** Turns the calls into an answer: the launch, later starts, failed attempts, and who is behind the launch and the newest start. */
function launchFinding(
  { words, window, typedWindow, top }: Question<{ instance: typeof instanceId }>,
  max: number,
  calls: readonly LaunchCall[],
  { launch: origins, start: startOrigins }: OriginsOfCalls,
): Finding {
  const id = words.instance;
  const done = calls.filter(({ outcome }) => outcome === 'ok');
  const launch = calls.findLast(isLaunch);
  const starts = done.filter(isStart);
  const rows = calls.map((each) => ({ ...each, effect: effectOf(each), siblings: siblingsOf(each, id) }));
  const actor = launch ? actorBehind(launch, origins) : starts[0] ? actorBehind(starts[0], startOrigins) : null;
  return {
    data: {
      instance: id,
      launch: launch ? { ...launch, siblings: siblingsOf(launch, id) } : null,
      origins,
      origin: farthest(origins),
      startOrigins,
      startOrigin: farthest(startOrigins),
      starts: { count: starts.length, latest: starts[0] ?? null },
      attempts: rows
        .filter(({ outcome }) => outcome !== 'ok')
        .slice(0, 10)
        .map(({ eventname, actor: who, eventtime, effect }) => ({ eventname, actor: who, eventtime, effect })),
      any: calls.length > 0,
    },
    table: eventTable(
      `Launches and starts of ${id}`,
      rows.map(({ instances: _, ...row }) => row),
      {
        max: Math.min(top ?? max, max),
        hidden: ['target', 'eventsource'],
        extra: [
          { name: 'effect', label: 'Effect', kind: 'text' },
          { name: 'siblings', label: 'Launched with', kind: 'text', hidden: true },
        ],
      },
    ),
    next: [
      ...(launch ? [eventsAround(launch)] : []),
      ...(actor
        ? [
            {
              label: `Activity of ${actor}`,
              line: printLine({ name: 'events', words: [], filters: [exactFilter('user', actor)], window: typedWindow }),
            },
          ]
        : []),
      ...(calls.length === 0
        ? [
            widerTime(window, (wide) => printLine({ name: 'who-started', words: [id], filters: [], window: wide })),
            { label: 'All calls on it', line: printLine({ name: 'events', words: [], filters: [exactFilter('target', id)], window: typedWindow }) },
          ]
        : []),
    ],
  };
}

const isStart = ({ eventname, outcome }: LaunchCall): boolean => eventname === 'StartInstances' && outcome === 'ok';
const farthest = (origins: readonly Origin[]): Origin | null => origins.findLast(({ by }) => by !== null) ?? null;
const isLaunch = ({ eventname, outcome }: LaunchCall): boolean => eventname === 'RunInstances' && outcome === 'ok';

/** The effect of a call. A dry run starts nothing, whatever its error code. */
function effectOf({ eventname, errorcode, outcome }: LaunchCall): string {
  if (errorcode?.includes('DryRunOperation')) return 'dry run, nothing started';
  if (outcome !== 'ok') return `not started: ${errorcode ?? outcome}`;
  return eventname === 'RunInstances' ? 'launched' : 'started';
}

/** The other instances of the same launch. */
function siblingsOf({ instances }: LaunchCall, id: string): string | null {
  const others = new Set(instances.split(' '));
  others.delete(id);
  return others.size > 0 ? [...others].join(' ') : null;
}

/** The user behind a call, or the actor who made it. */
const actorBehind = ({ actor }: LaunchCall, origins: readonly Origin[]): string | null => userBehind(origins) ?? actor;

/**
 * Calls that a service made on somebody's behalf, followed back to the person: what an Auto Scaling group, a fleet, a
 * cluster, a stack or an automation made leads to whoever made that group, fleet, cluster or stack, or started that
 * automation, as far as the trail shows it.
 */
import { z } from 'zod';
import { eventsDuring } from '../trail/events.ts';
import { containing, limit, type Query, query, type Sql, sql, valueList } from '../trail/sql.ts';
import { type TimeRange, timeBefore } from '../trail/time-window.ts';

/** One step back: the thing that made the call, and the event by which somebody made or last changed that thing. */
export interface Origin {
  /** "Auto Scaling group", "EC2 fleet", "CloudFormation stack", … */
  readonly what: string;
  readonly name: string;
  /** Null when the trail of the window does not show it being made. */
  readonly by: {
    readonly eventid: string;
    readonly eventtime: string;
    readonly eventname: string;
    readonly actor: string | null;
    readonly actorkind: string;
    readonly sourceipaddress: string | null;
    readonly via: string;
  } | null;
}

/** The event that is followed back. */
export interface CallRef {
  readonly eventid: string;
  readonly eventtime: string;
}

const callText = z.object({
  requestparameters: z.string().nullable(),
  responseelements: z.string().nullable(),
  sessionname: z.string().nullable(),
});
/** What a call asked and was answered, and in which session. CloudTrail may have cut the texts short, and then they name nothing. */
type CallText = z.output<typeof callText>;

type Ask = <Row>(query: Query<Row>) => Promise<Row[]>;

interface Maker {
  readonly what: string;
  /** Calls that make such a thing, or set it to launch more. */
  readonly events: readonly [string, ...string[]];
  /** True where the event that made it names it in its response alone. */
  readonly isAnswered?: boolean;
  /** The name of the thing, when `call` was made by one. */
  nameIn(tags: ReadonlyMap<string, string>, call: CallText): string | undefined;
}

const MAKERS: readonly Maker[] = [
  {
    what: 'Auto Scaling group',
    events: ['CreateAutoScalingGroup', 'UpdateAutoScalingGroup', 'SetDesiredCapacity'],
    nameIn: (tags) => tags.get('aws:autoscaling:groupName'),
  },
  {
    what: 'EC2 fleet',
    events: ['CreateFleet'],
    nameIn: (tags, { requestparameters }) => tags.get('aws:ec2:fleet-id') ?? /"(fleet-[0-9a-f-]{8,})/.exec(requestparameters ?? '')?.[1],
  },
  {
    what: 'Spot fleet request',
    events: ['RequestSpotFleet'],
    nameIn: (tags) => tags.get('aws:ec2spot:fleet-request-id'),
  },
  {
    what: 'EMR cluster',
    events: ['RunJobFlow'],
    nameIn: (tags) => tags.get('aws:elasticmapreduce:job-flow-id'),
  },
  {
    what: 'Elastic Beanstalk environment',
    events: ['CreateEnvironment', 'UpdateEnvironment'],
    nameIn: (tags) => tags.get('elasticbeanstalk:environment-name'),
  },
  {
    what: 'EKS node group',
    events: ['CreateNodegroup', 'UpdateNodegroupConfig'],
    nameIn: (tags) => tags.get('eks:nodegroup-name'),
  },
  {
    what: 'EKS cluster',
    events: ['CreateCluster', 'UpdateClusterConfig'],
    nameIn: (tags) => tags.get('aws:eks:cluster-name') ?? tags.get('eks:cluster-name') ?? clusterOf(tags),
  },
  {
    what: 'SSM automation',
    events: ['StartAutomationExecution', 'StartChangeRequestExecution'],
    isAnswered: true,
    nameIn: (_, { sessionname }) => /^Automation-([0-9a-f-]{36})$/.exec(sessionname ?? '')?.[1],
  },
  {
    what: 'StackSet',
    events: ['CreateStackInstances', 'UpdateStackSet', 'CreateStackSet'],
    nameIn: (tags) => /^StackSet-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(tags.get('aws:cloudformation:stack-name') ?? '')?.[1],
  },
  {
    what: 'CloudFormation stack',
    events: ['CreateStack', 'UpdateStack', 'ExecuteChangeSet'],
    nameIn: (tags) => tags.get('aws:cloudformation:stack-name'),
  },
];

/** Kubernetes marks what a cluster owns by a tag with the cluster's name in its key. */
const clusterOf = (tags: ReadonlyMap<string, string>): string | undefined =>
  [...tags.keys()].map((key) => /^kubernetes[.]io\/cluster\/(.+)$/.exec(key)?.[1]).find(Boolean);

// A group may have been made long before the launch that is asked about; further back is rarely kept.
const LOOK_BACK_MONTHS = 6;
const MOST_HOPS = 4;

const makerRow = z.object({
  eventid: z.string(),
  eventtime: z.string(),
  eventname: z.string(),
  actor: z.string().nullable(),
  actorkind: z.string(),
  sourceipaddress: z.string().nullable(),
  via: z.string(),
});

/** The hops from `call` back towards a person, nearest first; empty when nothing in the call names a maker. */
export async function findOrigins(call: CallRef, window: TimeRange, ask: Ask): Promise<Origin[]> {
  const hops: Origin[] = [];
  const seen = new Set<string>();
  let current: CallRef | undefined = call;
  while (current && hops.length < MOST_HOPS) {
    const found = makerOf(await textOf(current, ask));
    if (!found || seen.has(`${found.maker.what} ${found.name}`)) break;
    seen.add(`${found.maker.what} ${found.name}`);
    const made = await findMaking(found.maker, found.name, current, window, ask);
    hops.push({ what: found.maker.what, name: found.name, by: made ?? null });
    current = made;
  }
  return hops;
}

/** The request and response of one call, read from its day alone: they are the widest columns there are. */
async function textOf({ eventid, eventtime }: CallRef, ask: Ask): Promise<CallText> {
  const at = new Date(eventtime);
  const look = (late: boolean) =>
    ask(query(callText)`
      select requestparameters, responseelements, sessionname
      from ${eventsDuring({ from: at, to: new Date(at.getTime() + 1000) }, { late })}
      where eventid = ${eventid}
      ${limit(1)}
    `);
  const [text = (await look(true))[0]] = await look(false);
  return text ?? { requestparameters: null, responseelements: null, sessionname: null };
}

function makerOf(call: CallText): { readonly maker: Maker; readonly name: string } | undefined {
  const tags = new Map([...tagsIn(call.responseelements), ...tagsIn(call.requestparameters)]);
  for (const maker of MAKERS) {
    const name = maker.nameIn(tags, call);
    if (name) return { maker, name };
  }
  return undefined;
}

async function findMaking(maker: Maker, name: string, call: CallRef, window: TimeRange, ask: Ask) {
  const launched = new Date(call.eventtime);
  const earliest = Math.min(timeBefore(launched, LOOK_BACK_MONTHS, 'mo').getTime(), window.from.getTime());
  const range = { from: new Date(earliest), to: new Date(launched.getTime() + 1000) };
  const rows = await ask(query(makerRow)`
    select eventid, eventtime, eventname, actor, actorkind, sourceipaddress, via
    from ${eventsDuring(range)}
    where eventname in (${valueList(maker.events)})
      and errorcode is null
      and (${named(maker, name)})
    order by case when eventname = ${maker.events[0]} then 0 else 1 end, eventtime desc, eventid
    ${limit(1)}
  `);
  return rows[0];
}

const named = ({ isAnswered }: Maker, name: string): Sql =>
  isAnswered
    ? sql`responseelements like ${containing(`"${name}"`)} escape '!'`
    : sql`target = ${name} or target like ${containing(`/${name}/`)} escape '!' or requestparameters like ${containing(`"stackSetName":"${name}"`)} escape '!'`;

/** Every tag in a JSON text, at any depth: a `{key, value}` pair of text, or a member of an object whose keys are AWS's own tags. */
function tagsIn(json: string | null): Map<string, string> {
  const tags = new Map<string, string>();
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    const { key, value: text, Key = key, Value = text } = value as { key?: unknown; value?: unknown; Key?: unknown; Value?: unknown };
    if (typeof Key === 'string' && typeof Value === 'string') tags.set(Key, Value);
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner === 'string' && TAG_OF_AWS.test(name)) tags.set(name, inner);
      else walk(inner);
    }
  };
  walk(parsed(json));
  return tags;
}

const TAG_OF_AWS = /^(?:aws:|eks:|elasticbeanstalk:|kubernetes[.]io\/cluster\/)/;

/** JSON text as a value; undefined when there is none or CloudTrail cut it short. */
function parsed(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

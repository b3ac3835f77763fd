/**
 * Finds who is behind a call that a service made: from an instance that an Auto Scaling group launched to the call that
 * created the group, from there to the stack that made this call, and so on, as far as the trail shows it.
 */
import { z } from 'zod';
import { parseJson } from '../text/json.ts';
import type { Ask } from '../trail/engine.ts';
import { eventsDuring } from '../trail/events.ts';
import { containing, limit, query, type Sql, sql, valueList } from '../trail/sql.ts';
import { type TimeRange, timeBefore } from '../trail/time-window.ts';

/** One step back: the resource that caused the call, and the event that created or last changed that resource. */
export interface Origin {
  /** "Auto Scaling group", "EC2 fleet", "CloudFormation stack", … */
  readonly what: string;
  readonly name: string;
  /** Null when the trail does not show its creation. */
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

/** The event whose origin is searched. */
export interface CallRef {
  readonly eventid: string;
  readonly eventtime: string;
}

const callText = z.object({
  requestparameters: z.string().nullable(),
  responseelements: z.string().nullable(),
  sessionname: z.string().nullable(),
});
/** Request, response and session of a call. JSON that CloudTrail truncated names no resource. */
type CallText = z.output<typeof callText>;

/** A kind of resource that makes calls, such as an Auto Scaling group, and how to recognise its calls. */
interface Launcher {
  readonly what: string;
  /** Calls that create such a resource, or set it to launch more. */
  readonly createdBy: readonly [string, ...string[]];
  /** True when the call that creates it names it only in the response. */
  readonly isNamedInResponse?: boolean;
  /** The name of the resource that made `call`; undefined when none of this kind did. */
  nameIn(tags: ReadonlyMap<string, string>, call: CallText): string | undefined;
}

const LAUNCHERS: readonly Launcher[] = [
  {
    what: 'Auto Scaling group',
    createdBy: ['CreateAutoScalingGroup', 'UpdateAutoScalingGroup', 'SetDesiredCapacity'],
    nameIn: (tags) => tags.get('aws:autoscaling:groupName'),
  },
  {
    what: 'EC2 fleet',
    createdBy: ['CreateFleet'],
    nameIn: (tags, { requestparameters }) => tags.get('aws:ec2:fleet-id') ?? /"(fleet-[0-9a-f-]{8,})/.exec(requestparameters ?? '')?.[1],
  },
  {
    what: 'Spot fleet request',
    createdBy: ['RequestSpotFleet'],
    nameIn: (tags) => tags.get('aws:ec2spot:fleet-request-id'),
  },
  {
    what: 'EMR cluster',
    createdBy: ['RunJobFlow'],
    nameIn: (tags) => tags.get('aws:elasticmapreduce:job-flow-id'),
  },
  {
    what: 'Elastic Beanstalk environment',
    createdBy: ['CreateEnvironment', 'UpdateEnvironment'],
    nameIn: (tags) => tags.get('elasticbeanstalk:environment-name'),
  },
  {
    what: 'EKS node group',
    createdBy: ['CreateNodegroup', 'UpdateNodegroupConfig'],
    nameIn: (tags) => tags.get('eks:nodegroup-name'),
  },
  {
    what: 'EKS cluster',
    createdBy: ['CreateCluster', 'UpdateClusterConfig'],
    nameIn: (tags) => tags.get('aws:eks:cluster-name') ?? tags.get('eks:cluster-name') ?? clusterTag(tags),
  },
  {
    what: 'SSM automation',
    createdBy: ['StartAutomationExecution', 'StartChangeRequestExecution'],
    isNamedInResponse: true,
    nameIn: (_, { sessionname }) => /^Automation-([0-9a-f-]{36})$/.exec(sessionname ?? '')?.[1],
  },
  {
    what: 'StackSet',
    createdBy: ['CreateStackInstances', 'UpdateStackSet', 'CreateStackSet'],
    nameIn: (tags) => /^StackSet-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(tags.get('aws:cloudformation:stack-name') ?? '')?.[1],
  },
  {
    what: 'CloudFormation stack',
    createdBy: ['CreateStack', 'UpdateStack', 'ExecuteChangeSet'],
    nameIn: (tags) => tags.get('aws:cloudformation:stack-name'),
  },
];

/** Kubernetes tags the resources of a cluster with the cluster's name in the tag key. */
const clusterTag = (tags: ReadonlyMap<string, string>): string | undefined =>
  [...tags.keys()].map((key) => /^kubernetes[.]io\/cluster\/(.+)$/.exec(key)?.[1]).find(Boolean);

// A group may have been created long before the launch.
const LOOK_BACK_MONTHS = 6;
const MAX_ORIGINS = 4;

const creationRow = z.object({
  eventid: z.string(),
  eventtime: z.string(),
  eventname: z.string(),
  actor: z.string().nullable(),
  actorkind: z.string(),
  sourceipaddress: z.string().nullable(),
  via: z.string(),
});

/** The user farthest back in `origins`; undefined when there is none. */
export const userBehind = (origins: readonly Origin[]): string | null | undefined =>
  origins.findLast(({ by }) => by !== null && ['human', 'user', 'root'].includes(by.actorkind))?.by?.actor;

/** The steps from `call` back towards a person, nearest first; empty when the call names no resource that made it. */
export async function findOrigins(call: CallRef, range: TimeRange, ask: Ask): Promise<Origin[]> {
  const origins: Origin[] = [];
  const seen = new Set<string>();
  let current: CallRef | undefined = call;
  while (current && origins.length < MAX_ORIGINS) {
    const found = launcherOf(await readCallText(current, ask));
    if (!found || seen.has(`${found.launcher.what} ${found.name}`)) break;
    seen.add(`${found.launcher.what} ${found.name}`);
    const creation = await findCreation(found.launcher, found.name, current, range, ask);
    origins.push({ what: found.launcher.what, name: found.name, by: creation ?? null });
    current = creation;
  }
  return origins;
}

/** The request and response of one call. Only its own day is read, because these are the largest columns. */
async function readCallText({ eventid, eventtime }: CallRef, ask: Ask): Promise<CallText> {
  const at = new Date(eventtime);
  const read = (late: boolean) =>
    ask(query(callText)`
      select requestparameters, responseelements, sessionname
      from ${eventsDuring({ from: at, to: new Date(at.getTime() + 1000) }, { late })}
      where eventid = ${eventid}
      ${limit(1)}
    `);
  const [text = (await read(true))[0]] = await read(false);
  return text ?? { requestparameters: null, responseelements: null, sessionname: null };
}

function launcherOf(call: CallText): { readonly launcher: Launcher; readonly name: string } | undefined {
  const tags = new Map([...tagsIn(call.responseelements), ...tagsIn(call.requestparameters)]);
  for (const launcher of LAUNCHERS) {
    const name = launcher.nameIn(tags, call);
    if (name) return { launcher, name };
  }
  return undefined;
}

async function findCreation(launcher: Launcher, name: string, call: CallRef, range: TimeRange, ask: Ask) {
  const launched = new Date(call.eventtime);
  const earliest = Math.min(timeBefore(launched, LOOK_BACK_MONTHS, 'mo').getTime(), range.from.getTime());
  const searched = { from: new Date(earliest), to: new Date(launched.getTime() + 1000) };
  const rows = await ask(query(creationRow)`
    select eventid, eventtime, eventname, actor, actorkind, sourceipaddress, via
    from ${eventsDuring(searched)}
    where eventname in (${valueList(launcher.createdBy)})
      and errorcode is null
      and (${namesLauncher(launcher, name)})
    order by case when eventname = ${launcher.createdBy[0]} then 0 else 1 end, eventtime desc, eventid
    ${limit(1)}
  `);
  return rows[0];
}

/** The condition that a call creates the resource. */
const namesLauncher = ({ isNamedInResponse }: Launcher, name: string): Sql =>
  isNamedInResponse
    ? sql`responseelements like ${containing(`"${name}"`)} escape '!'`
    : sql`target = ${name} or target like ${containing(`/${name}/`)} escape '!' or requestparameters like ${containing(`"stackSetName":"${name}"`)} escape '!'`;

/** Every tag in a JSON text, at any depth: a `{key, value}` pair, or a member whose key is a tag that AWS sets. */
function tagsIn(json: string | null): Map<string, string> {
  const tags = new Map<string, string>();
  const walk = (value: unknown): void => {
    if (value === null || typeof value !== 'object') return;
    const { key, value: text, Key = key, Value = text } = value as { key?: unknown; value?: unknown; Key?: unknown; Value?: unknown };
    if (typeof Key === 'string' && typeof Value === 'string') tags.set(Key, Value);
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner === 'string' && AWS_TAG.test(name)) tags.set(name, inner);
      else walk(inner);
    }
  };
  walk(parseJson(json));
  return tags;
}

const AWS_TAG = /^(?:aws:|eks:|elasticbeanstalk:|kubernetes[.]io\/cluster\/)/;

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

const callField = z.string().nullable();
const callText = z.object({
  eventtime: z.string(),
  eventname: z.string(),
  actorkind: z.string(),
  requestparameters: callField,
  responseelements: callField,
  instances: callField,
  sessionname: callField,
  sessionissuername: callField,
  sessionissuerarn: callField,
  sessioncreationdate: callField,
  accesskeyid: callField,
  invokedby: callField,
  useragent: callField,
});
/** Request, response and session of a call. JSON that CloudTrail truncated names no resource. */
type CallText = z.output<typeof callText>;

/** A resource that made a call: what a launcher recognises. */
interface Source {
  readonly name: string;
  /** The condition that a call is about the resource. Default: its target is `name`. */
  readonly isAbout?: Sql;
  /** The time in which to search. Default: the months before the call. */
  readonly range?: TimeRange;
}

/** A kind of resource that makes calls, such as an Auto Scaling group, and how to recognise its calls. */
interface Launcher {
  readonly what: string;
  /** Calls that create such a resource, first the usual one, and calls that change it or set it to launch more. */
  readonly createdBy: readonly [string, ...string[]];
  /** True when the last of these calls is the cause: a stack makes what its last update adds. Default: the creation. */
  readonly isMadeByLast?: boolean;
  /** The resource that made `call`; undefined when none of this kind did. */
  sourceOf(tags: ReadonlyMap<string, string>, call: CallText): Source | string | undefined;
}

const LAUNCHERS: readonly Launcher[] = [
  {
    what: 'Auto Scaling group',
    createdBy: [
      'CreateAutoScalingGroup',
      'UpdateAutoScalingGroup',
      'SetDesiredCapacity',
      'PutScheduledUpdateGroupAction',
      'BatchPutScheduledUpdateGroupAction',
      'ExecutePolicy',
      'StartInstanceRefresh',
      'TerminateInstanceInAutoScalingGroup',
    ],
    sourceOf: (tags) => tags.get('aws:autoscaling:groupName'),
  },
  {
    what: 'EC2 fleet',
    createdBy: ['CreateFleet', 'ModifyFleet'],
    sourceOf: (tags, { requestparameters }) =>
      namedInResponse(tags.get('aws:ec2:fleet-id') ?? /"(fleet-[0-9a-f-]{8,})/.exec(requestparameters ?? '')?.[1]),
  },
  {
    what: 'Spot fleet request',
    createdBy: ['RequestSpotFleet', 'ModifySpotFleetRequest'],
    sourceOf: (tags) => namedInResponse(tags.get('aws:ec2spot:fleet-request-id')),
  },
  {
    what: 'EMR cluster',
    createdBy: ['RunJobFlow'],
    sourceOf: (tags) => namedInResponse(tags.get('aws:elasticmapreduce:job-flow-id')),
  },
  {
    what: 'Elastic Beanstalk environment',
    createdBy: ['CreateEnvironment', 'UpdateEnvironment'],
    sourceOf: (tags) => tags.get('elasticbeanstalk:environment-name'),
  },
  {
    what: 'EKS node group',
    createdBy: ['CreateNodegroup', 'UpdateNodegroupConfig'],
    sourceOf: (tags) => tags.get('eks:nodegroup-name'),
  },
  {
    what: 'EKS cluster',
    createdBy: ['CreateCluster', 'UpdateClusterConfig'],
    sourceOf: (tags) => tags.get('aws:eks:cluster-name') ?? tags.get('eks:cluster-name') ?? clusterTag(tags),
  },
  {
    what: 'SSM automation',
    createdBy: ['StartAutomationExecution', 'StartChangeRequestExecution'],
    sourceOf(_, { sessionname }) {
      const id = /^Automation-([0-9a-f-]{36})$/.exec(sessionname ?? '')?.[1];
      return id && { name: id, isAbout: answeredWith(`"${id}"`) };
    },
  },
  {
    what: 'StackSet',
    createdBy: ['CreateStackInstances', 'UpdateStackInstances', 'UpdateStackSet', 'CreateStackSet'],
    isMadeByLast: true,
    sourceOf: (tags) => /^StackSet-(.+)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(tags.get('aws:cloudformation:stack-name') ?? '')?.[1],
  },
  {
    what: 'CloudFormation stack',
    createdBy: ['CreateStack', 'UpdateStack', 'ExecuteChangeSet', 'CreateChangeSet'],
    isMadeByLast: true,
    sourceOf: (tags) => tags.get('aws:cloudformation:stack-name'),
  },
  {
    what: 'EventBridge schedule',
    createdBy: ['CreateSchedule', 'UpdateSchedule'],
    isMadeByLast: true,
    sourceOf: (_, call) => (call.invokedby === 'scheduler.amazonaws.com' ? withRole(call) : undefined),
  },
  {
    what: 'EventBridge rule',
    createdBy: ['PutTargets', 'PutRule'],
    isMadeByLast: true,
    sourceOf: (_, call) => (call.invokedby === 'events.amazonaws.com' ? withRole(call) : undefined),
  },
  {
    what: 'Lambda function',
    createdBy: ['CreateFunction20150331', 'UpdateFunctionCode20150331v2', 'UpdateFunctionConfiguration20150331v2'],
    // The session of a function has the function's name.
    sourceOf: (_, { useragent, sessionname }) => (/exec-env\/AWS_Lambda_/.test(useragent ?? '') ? (sessionname ?? undefined) : undefined),
  },
  {
    what: 'CodeBuild build',
    createdBy: ['StartBuild', 'RetryBuild', 'StartBuildBatch'],
    sourceOf(_, { sessionname }) {
      const id = /^AWSCodeBuild-([0-9a-f-]{36})$/.exec(sessionname ?? '')?.[1];
      return id && { name: id, isAbout: answeredWith(`:${id}"`) };
    },
  },
  {
    what: 'EC2 instance',
    createdBy: ['RunInstances'],
    // The session of an instance has the instance's id.
    sourceOf(_, { actorkind, sessionname }) {
      const id = actorkind === 'role' && /^i-[0-9a-f]{8,17}$/.test(sessionname ?? '') ? sessionname : undefined;
      return id ? { name: id, isAbout: sql`' ' || instances || ' ' like ${containing(` ${id} `)} escape '!'` } : undefined;
    },
  },
  {
    what: 'role session',
    createdBy: ['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity'],
    sourceOf(_, { actorkind, accesskeyid, sessionissuername, sessionname, sessioncreationdate }) {
      if (actorkind !== 'role' || !accesskeyid?.startsWith('ASIA') || sessioncreationdate === null) return undefined;
      const created = Date.parse(sessioncreationdate);
      if (Number.isNaN(created)) return undefined;
      const range = { from: new Date(created - ASSUMED_WITHIN_MS), to: new Date(created + ASSUMED_WITHIN_MS) };
      // A service that assumes a role, as EC2 does for an instance, leads no further.
      return {
        name: `${sessionissuername}/${sessionname}`,
        isAbout: sql`(${answeredWith(`"${accesskeyid}"`)} and actorkind <> 'service')`,
        range,
      };
    },
  },
];

/** Maximum time between a call that returns credentials and their recorded creation time. */
const ASSUMED_WITHIN_MS = 60_000;

/** The condition that a text is in the response of a call. */
const answeredWith = (text: string): Sql => sql`responseelements like ${containing(text)} escape '!'`;

/** A resource whose id AWS gives, which the call that creates it names only in the response. */
const namedInResponse = (id: string | undefined): Source | undefined =>
  id === undefined ? undefined : { name: id, isAbout: sql`(target = ${id} or ${answeredWith(`"${id}"`)})` };

/** A schedule or a rule calls with the session of a role, which only its creation names. */
const withRole = ({ sessionissuerarn, sessionissuername }: CallText): Source | undefined =>
  sessionissuerarn && sessionissuername
    ? { name: `with the role ${sessionissuername}`, isAbout: sql`requestparameters like ${containing(`"${sessionissuerarn}"`)} escape '!'` }
    : undefined;

/** Kubernetes tags the resources of a cluster with the cluster's name in the tag key. */
const clusterTag = (tags: ReadonlyMap<string, string>): string | undefined =>
  [...tags.keys()].map((key) => /^kubernetes[.]io\/cluster\/(.+)$/.exec(key)?.[1]).find(Boolean);

// A group may have been created long before the launch.
const LOOK_BACK_MONTHS = 6;
const MAX_ORIGINS = 6;
/** A call that sets a group to launch more is the cause of a launch within this time. */
const CAUSED_WITHIN_MS = 3_600_000;
/** A group launches within this time after a scheduled action. */
const SCHEDULED_WITHIN_MS = 15 * 60_000;
/** Auto Scaling groups of old trails tag an instance by a call of their own, soon after the launch. */
const TAGGED_WITHIN_MS = 15 * 60_000;
/** More calls than change a group in months by hand. */
const MAX_CAUSES = 200;

const creationRow = z.object({
  eventid: z.string(),
  eventtime: z.string(),
  eventname: z.string(),
  actor: callField,
  actorkind: z.string(),
  sourceipaddress: callField,
  via: z.string(),
  requestparameters: callField,
});
type CreationRow = z.output<typeof creationRow>;

/** The user farthest back in `origins`; undefined when there is none. */
export const userBehind = (origins: readonly Origin[]): string | null | undefined =>
  origins.findLast(({ by }) => by !== null && isMadeByUser(by))?.by?.actor;

const isMadeByUser = ({ actorkind }: { readonly actorkind: string }): boolean => ['human', 'user', 'root'].includes(actorkind);

/** The steps from `call` back towards a person, nearest first; empty when the call names no resource that made it. */
export async function findOrigins(call: CallRef, range: TimeRange, ask: Ask): Promise<Origin[]> {
  const origins: Origin[] = [];
  const seen = new Set<string>();
  let current: CallRef | undefined = call;
  while (current && origins.length < MAX_ORIGINS) {
    const found = await sourceOfCall(current, ask);
    if (!found || seen.has(`${found.launcher.what} ${found.source.name}`)) break;
    const { launcher, source, text } = found;
    seen.add(`${launcher.what} ${source.name}`);
    const creation = chooseCause(launcher, text, await findCauses(launcher, source, current, range, ask));
    // Every session of a role has a beginning: it is worth a line only when it leads further.
    if (!creation && source.range) break;
    origins.push({ what: launcher.what, name: source.name, by: creation ? withoutRequest(creation) : null });
    current = creation;
  }
  return origins;
}

const withoutRequest = ({ requestparameters: _, ...by }: CreationRow): NonNullable<Origin['by']> => by;

/** The resource that made a call, by the tags and the session of the call, or by tags that its instances got later. */
async function sourceOfCall(ref: CallRef, ask: Ask) {
  const text = await readCallText(ref, ask);
  if (!text) return undefined;
  const tags = new Map([...tagsIn(text.responseelements), ...tagsIn(text.requestparameters)]);
  const found = launcherOf(tags, text);
  const [instance] = text.instances?.split(' ') ?? [];
  const isTaggedLater = text.eventname === 'RunInstances' && (text.actorkind === 'service' || text.invokedby !== null) && instance !== undefined;
  if ((found && found.launcher.what !== 'role session') || !isTaggedLater) return found && { ...found, text };
  const later = launcherOf(new Map([...tags, ...(await laterTags(text, instance, ask))]), text);
  return later && { ...later, text };
}

/** The request, response and session of one call. Only its own day is read, because these are the largest columns. */
async function readCallText({ eventid, eventtime }: CallRef, ask: Ask): Promise<CallText | undefined> {
  const at = new Date(eventtime);
  const read = (late: boolean) =>
    ask(query(callText)`
      select eventtime, eventname, actorkind, requestparameters, responseelements, instances, sessionname, sessionissuername, sessionissuerarn,
             sessioncreationdate, accesskeyid, invokedby, useragent
      from ${eventsDuring({ from: at, to: new Date(at.getTime() + 1000) }, { late })}
      where eventid = ${eventid}
      ${limit(1)}
    `);
  const [text = (await read(true))[0]] = await read(false);
  return text;
}

const tagCall = z.object({ requestparameters: callField });

/** The tags that an instance got soon after its launch. */
async function laterTags({ eventtime }: CallText, instance: string, ask: Ask): Promise<Map<string, string>> {
  const launched = new Date(eventtime);
  const rows = await ask(query(tagCall)`
    select requestparameters
    from ${eventsDuring({ from: launched, to: new Date(launched.getTime() + TAGGED_WITHIN_MS) })}
    where eventsource = 'ec2.amazonaws.com' and eventname = 'CreateTags' and outcome = 'ok'
      and requestparameters like ${containing(`"${instance}"`)} escape '!'
    order by eventtime, eventid
    ${limit(MAX_CAUSES)}
  `);
  return new Map(rows.flatMap(({ requestparameters }) => [...tagsIn(requestparameters)]));
}

function launcherOf(tags: ReadonlyMap<string, string>, call: CallText): { readonly launcher: Launcher; readonly source: Source } | undefined {
  for (const launcher of LAUNCHERS) {
    const source = launcher.sourceOf(tags, call);
    if (source) return { launcher, source: typeof source === 'string' ? { name: source } : source };
  }
  return undefined;
}

/** The calls that created or changed the resource before `call`, newest first. */
async function findCauses(launcher: Launcher, { name, isAbout, range: within }: Source, call: CallRef, range: TimeRange, ask: Ask) {
  const launched = new Date(call.eventtime);
  const earliest = Math.min(timeBefore(launched, LOOK_BACK_MONTHS, 'mo').getTime(), range.from.getTime());
  return ask(query(creationRow)`
    select eventid, eventtime, eventname, actor, actorkind, sourceipaddress, via, requestparameters
    from ${eventsDuring(within ?? { from: new Date(earliest), to: new Date(launched.getTime() + 1000) })}
    where eventname in (${valueList(launcher.createdBy)})
      and outcome = 'ok'
      and eventid <> ${call.eventid}
      and (${isAbout ?? isCalled(name)})
    order by case when eventname = ${launcher.createdBy[0]} then 0 else 1 end, eventtime desc, eventid
    ${limit(MAX_CAUSES)}
  `);
}

/** The condition that the target of a call is the resource. */
const isCalled = (name: string): Sql =>
  sql`target = ${name} or target like ${containing(`/${name}/`)} escape '!' or requestparameters like ${containing(`"stackSetName":"${name}"`)} escape '!'`;

/**
 * The call behind a launch: the newest where that decides; else a user's call shortly before that set the group to launch, or the
 * user's scheduled action for that time; else the creation; else the newest change.
 */
function chooseCause({ createdBy: [creates], isMadeByLast }: Launcher, launch: CallText, found: readonly CreationRow[]): CreationRow | undefined {
  const newest = found.toSorted((a, b) => (a.eventtime < b.eventtime ? 1 : a.eventtime > b.eventtime ? -1 : 0));
  const naming = newest.find(({ requestparameters }) => launch.instances?.split(' ').some((id) => requestparameters?.includes(id)));
  // A change set changes nothing until it is executed.
  if (isMadeByLast) return naming ?? newest.find(({ eventname }) => eventname !== 'CreateChangeSet') ?? newest[0];
  const at = Date.parse(launch.eventtime);
  const changes = newest.filter((each) => each.eventname !== creates && isMadeByUser(each));
  const isScheduling = ({ eventname }: CreationRow) => eventname.endsWith('ScheduledUpdateGroupAction');
  return (
    changes.find((each) => !isScheduling(each) && at - Date.parse(each.eventtime) <= CAUSED_WITHIN_MS) ??
    changes.find((each) => isScheduling(each) && isScheduledFor(each, at)) ??
    newest.find(({ eventname }) => eventname === creates) ??
    newest[0]
  );
}

const scheduledAction = z.object({ startTime: z.string().optional(), recurrence: z.string().optional(), timeZone: z.string().optional() });
const scheduledActions = z.union([z.object({ scheduledUpdateGroupActions: z.array(scheduledAction) }), scheduledAction]);

/** True when a scheduled action is for the time of a launch. Recurring ones are compared by minute and hour, if those are numbers. */
function isScheduledFor({ requestparameters }: CreationRow, at: number): boolean {
  const { data } = scheduledActions.safeParse(parseJson(requestparameters));
  const actions = data && 'scheduledUpdateGroupActions' in data ? data.scheduledUpdateGroupActions : data ? [data] : [];
  return actions.some(({ startTime, recurrence, timeZone = 'UTC' }) => {
    const after = (due: number) => at >= due && at - due <= SCHEDULED_WITHIN_MS;
    const [, minute, hour] = /^(\d{1,2}) (\d{1,2}) /.exec(recurrence ?? '') ?? [];
    // Another time zone is not reckoned here: any whole hour may be meant.
    if (minute !== undefined && timeZone !== 'UTC' && timeZone !== 'Etc/UTC') return after(new Date(at).setUTCMinutes(Number(minute), 0, 0));
    if (minute !== undefined) return after(new Date(at).setUTCHours(Number(hour), Number(minute), 0, 0));
    return startTime !== undefined && after(Date.parse(startTime));
  });
}

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

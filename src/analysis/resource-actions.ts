/**
 * Events about a thing: those that name it, wherever a record may do so, and what each of them did to it. A call that
 * makes something else out of a thing names the thing, too, and must not be told as its making: CreateSnapshot names a
 * volume, CreateLoginProfile a user.
 */
import { z } from 'zod';
import { type Filter, type FilterValue, groupFilters, type Term } from '../trail/filter.ts';
import { join, likeLiteral, type Sql, sql } from '../trail/sql.ts';
import { parseArn, type ResourceId } from './resource-id.ts';

/** What a call does to a thing: `used` is a call that makes or removes something else, and needs the thing for it. */
export type Action = 'made' | 'set' | 'changed' | 'deleted' | 'planned' | 'used' | 'read';

/** Calls that make things, and calls that make or set them. */
export const creatingCalls: Sql = sql`regexp_like(eventname, '^(Create|Run|Register|Import|Allocate|Request|Copy|Restore|Publish|Launch|Put)')`;
/** Calls that remove things. */
export const deletingCalls: Sql = sql`regexp_like(eventname, '^(BatchDelete|Delete|Terminate|Deregister|Release|ScheduleKeyDeletion)')`;

/**
 * The condition that an event names a thing; of one that an ARN names with its account, the one of that account. Its target stands in these texts, too, except where only a message of refusal
 * tells it. Hardly any text holds the name at all, so what stands around it is looked at in few; with `strpos` the whole
 * question takes half the time that it takes with LIKE.
 */
export function namesResource(resource: ResourceId): Sql {
  const { kind, name, arn } = resource;
  const owned = ownedBy(resource);
  const names = [...new Set([name, ...(arn ? [arn.text] : [])])];
  const isId = ID.test(name) || kind === 'key' || kind === 'principal';
  const written = JSON.stringify(name).slice(1, -1);
  const inText = (column: Sql): Sql => {
    const exactly = endings(written, isId).map((ending) => sql`strpos(${column}, ${ending}) > 0`);
    return sql`(strpos(${column}, ${written}) > 0 and (${join(exactly, ' or ')}))`;
  };
  return sql`(${join(
    [
      ...names.map((each) => sql`target = ${each}`),
      ...['/', ':'].map((before) => sql`target like ${`%${before}${likeLiteral(name)}`} escape '!'`),
      ...[sql`resourcesjson`, sql`requestparameters`, sql`responseelements`].map(inText),
    ],
    ' or ',
  )})${owned ? sql` and ${owned}` : sql``}`;
}

/**
 * The filters that find the events which name a thing: for answers whose rows lead to what they count. They know less than
 * `naming` of where a name ends, and leave out what only its bearer did: a role is named in all that its sessions do.
 */
export function resourceFilters(resource: ResourceId): readonly Filter[] {
  const { kind, name } = resource;
  const own = ownArn(resource);
  const ofAccount = own
    ? groupFilters(false, [
        [term('account', [own.account])],
        [
          term(
            'text',
            own.tails.map((tail) => `${own.account}${tail}"`),
          ),
        ],
      ])
    : [];
  if (ID.test(name)) return [term('text', [name]), ...(kind === 'instance' ? [byOthers(resource)] : [])];
  const written = JSON.stringify(name).slice(1, -1);
  const target = { ...term('target', [name]), values: [plainly(name), ...(/[*?]/.test(name) ? [] : [{ text: `*/${name}`, wildcard: true }])] };
  // The number of an account is in the records of all its users.
  if (kind === 'account') return [target];
  return [...ofAccount, ...groupFilters(false, [[target], [term('text', [`"${written}"`, `/${written}"`, `:${written}"`]), byOthers(resource)]])];
}

const plainly = (text: string): FilterValue => ({ text, wildcard: false });
const term = (field: string, values: readonly string[]): Term => ({ field, negated: false, values: values.map(plainly) });

function byOthers({ kind, name }: ResourceId): Term {
  if (kind === 'principal') return { field: 'principal', negated: true, values: [plainly(name), { text: `${name}:*`, wildcard: true }] };
  return { ...term(kind === 'key' ? 'key' : 'user', [name]), negated: true };
}

/** The account of an ARN, and how the ARN goes on from there, with and without what follows the name; undefined where the account says nothing. */
function ownArn({ kind, name, arn }: ResourceId): { readonly account: string; readonly tails: readonly string[] } | undefined {
  // An id is AWS's own, and no other account has it.
  if (!arn || !/^\d{12}$/.test(arn.account) || kind === 'account' || ID.test(name)) return undefined;
  const whole = `:${arn.text.split(':').slice(5).join(':')}`;
  return { account: arn.account, tails: [...new Set([whole.slice(0, whole.lastIndexOf(arn.name) + arn.name.length), whole])] };
}

/** Keys of requests that say in whose account the thing is (ECR, Glue). */
const OWNERS = ['registryId', 'catalogId'];

/**
 * The condition that what an event names is the account's: the record says so, whoever called and in whose log it is; or it
 * is in the account's own log, and the record does not say that it is about a namesake elsewhere.
 */
function ownedBy(resource: ResourceId): Sql | undefined {
  const own = ownArn(resource);
  if (!own) return undefined;
  const { account, tails } = own;
  const saying = (before: string, owner: string): Sql => {
    // In a policy the quotation marks are escaped: it tells of namesakes, and is not about them.
    const parameters = [...tails.map((tail) => `${before}${tail}"`), ...OWNERS.map((key) => `"${key}":"${owner}`)];
    const texts = [sql`resourcesjson`, sql`requestparameters`].flatMap((column) =>
      parameters.map((text) => sql`strpos(coalesce(${column}, ''), ${text}) > 0`),
    );
    const refusals = tails.map((tail) => sql`strpos(coalesce(errormessage, '') || ' ', ${`${before}${tail} `}) > 0`);
    return sql`(${join([...texts, ...refusals], ' or ')})`;
  };
  return sql`(${saying(account, `${account}"`)} or (recipientaccountid = ${account} and not ${saying('', '')}))`;
}

/** The columns beside those of a list by which `deedOf` tells what a call does. Of most calls the answer does not matter, and is long. */
export const actionColumns = [
  { name: 'readlike', from: sql`readlike` },
  { name: 'instances', from: sql`instances` },
  { name: 'errormessage', from: sql`errormessage` },
  { name: 'request', from: sql`requestparameters` },
  { name: 'response', from: sql`case when ${creatingCalls} then responseelements end` },
] as const satisfies readonly { readonly name: string; readonly from: Sql }[];

export const actionRow = {
  readlike: z.string(),
  instances: z.string().nullable(),
  errormessage: z.string().nullable(),
  request: z.string().nullable(),
  response: z.string().nullable(),
} as const;

/** Ids of AWS's own making, which nothing else ends in. */
const ID = /^(?:[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17}|[0-9a-f]{32})|(?:[a-z]+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * How a name ends a string of a JSON text, or of a document that is itself a string there, as policies are. An id may also
 * stand inside a string, as that of a volume does in a list of them.
 */
const endings = (written: string, isId: boolean): string[] =>
  isId
    ? ['"', '\\"', '/', ':', ','].map((after) => `${written}${after}`)
    : [`"${written}"`, `\\"${written}\\"`, ...['/', ':'].flatMap((before) => ['"', '\\"'].map((after) => `${before}${written}${after}`))];

/** The condition that an event is a call of a name, in whatever letters that is typed; `Delete*` is any that begins so. */
export const isCall = (name: string): Sql => sql`lower(eventname) like ${likeLiteral(name.toLowerCase()).replaceAll('*', '%')} escape '!'`;

/** What a call did to a thing, or was to do: whether it succeeded is another matter. */
export function classifyAction(event: Described, resource: ResourceId): Action {
  if (event.readlike === 'true') return 'read';
  const [, verb = '', noun = ''] = VERB.exec(event.eventname.replace(/\d{8}(v\d)?$/, '')) ?? [];
  const isMade = MAKING.has(verb);
  if ((!isMade && !REMOVING.has(verb)) || PART.test(noun)) return isObject(event, resource) ? 'changed' : 'used';
  if (resource.kind === 'instance') return ofInstance(event, verb, resource.name);
  const fits = nounsFor(resource, event).some((stem) => isNoun(noun, stem));
  // EC2 takes an image, a snapshot or a volume to make another; elsewhere what is made for a thing belongs to it.
  if (!fits) return event.target === resource.name && event.eventsource !== 'ec2.amazonaws.com' ? 'changed' : 'used';
  if (!isMade) return verb === 'Schedule' ? 'planned' : 'deleted';
  return verb === 'Put' ? 'set' : 'made';
}

interface Described {
  readonly eventname: string;
  readonly eventsource: string;
  readonly target: string | null;
  readonly readlike: string;
  readonly instances: string | null;
  readonly errormessage: string | null;
  readonly request: string | null;
  readonly response: string | null;
}

const VERB =
  /^(?:Batch)?(Create|Run|Register|Import|Allocate|Request|Copy|Restore|Publish|Launch|Put|Delete|Terminate|Deregister|Release|Schedule)(.*)$/;
/** What belongs to the thing that it is made for, and is no thing of its own. */
const PART = /^(?:Tags?|Grant|LoginProfile|PolicyVersion|(?:Role|User|Group|Bucket|Key|Resource|Repository)Policy|.*Permissions?)$/;
const MAKING = new Set(['Create', 'Run', 'Register', 'Import', 'Allocate', 'Request', 'Copy', 'Restore', 'Publish', 'Launch', 'Put']);
const REMOVING = new Set(['Delete', 'Terminate', 'Deregister', 'Release', 'Schedule']);

/** True where a call is about the thing, and does not only mention it: UpdateFunctionConfiguration is about a function, not about its role. */
function isObject({ eventname, target, instances, request }: Described, resource: ResourceId): boolean {
  if (target !== null && isNameOf(target, resource)) return true;
  if (instances?.split(' ').includes(resource.name)) return true;
  const name = eventname.toLowerCase();
  return keysOf(parsed(request), resource).some(({ key, depth }) => {
    const stem = stemOf(key);
    return stem === '' ? depth <= 2 : name.includes(stem) || stem === 'resource';
  });
}

/** What a key names: `role` for roleName, nothing for a plain name. */
const stemOf = (key: string): string => key.replace(/(?:Name|Identifier|Id|Ids|Arn|ARN|name|id|arn)$/, '').toLowerCase();

function ofInstance({ eventname, instances }: Described, verb: string, id: string): Action {
  if (!instances?.split(' ').includes(id)) return 'used';
  return eventname === 'RunInstances' ? 'made' : verb === 'Terminate' ? 'deleted' : 'changed';
}

/** What the thing is called where the call names it: `role` for roleName, `securitygroup` for securityGroupId, nothing for a plain name. */
function nounsFor(resource: ResourceId, { eventname, target, errormessage, request, response }: Described): string[] {
  const [asked, answered] = [parsed(request), parsed(response)];
  if (asked === undefined && answered === undefined) {
    // A call that was refused often names its resource in the message alone.
    const [, refused = ''] = / on resource: (arn:\S+)/.exec(errormessage ?? '') ?? [];
    return target === resource.name ? [parseArn(refused)?.type.toLowerCase() ?? ''] : [];
  }
  const found = [...keysOf(asked, resource), ...keysOf(answered, resource)];
  const nouns = found.map(({ key, depth }) => ({ depth, stem: stemOf(key) }));
  // A launch makes the interfaces and volumes that its answer names.
  if (eventname === 'RunInstances') return nouns.some(({ stem }) => stem === 'networkinterface' || stem === 'volume') ? [''] : [];
  return nouns.filter(({ stem, depth }) => stem !== '' || depth <= 2).map(({ stem }) => stem);
}

/** True where what a call makes is what a key names: CreateSecurityGroup and groupId, CreateKeyPair and keyName. */
function isNoun(noun: string, stem: string): boolean {
  const made = noun.toLowerCase().replace(/s$/, '');
  if (stem === '' || made.endsWith(stem)) return true;
  return made.startsWith(stem) && /^(?:pair|readreplica|deletion|from.*)$/.test(made.slice(stem.length));
}

/** The keys under which a JSON value names a thing, and how deep they lie. */
function keysOf(value: unknown, resource: ResourceId, key = '', depth = 0): { readonly key: string; readonly depth: number }[] {
  if (typeof value === 'string') return isNameOf(value, resource) ? [{ key, depth }] : [];
  if (value === null || typeof value !== 'object' || depth > MOST_LEVELS) return [];
  if (Array.isArray(value)) return value.flatMap((inner) => keysOf(inner, resource, key, depth));
  return Object.entries(value).flatMap(([name, inner]) => keysOf(inner, resource, name, depth + 1));
}

const MOST_LEVELS = 20;

const isNameOf = (value: string, { name, arn }: ResourceId): boolean =>
  value === name || value === arn?.text || (value.startsWith('arn:') && (value.endsWith(`/${name}`) || value.endsWith(`:${name}`)));

/** JSON text as a value; undefined when there is none or CloudTrail cut it short. */
function parsed(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

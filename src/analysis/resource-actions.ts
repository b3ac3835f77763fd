/**
 * Finds the events that name a resource and says what each did to it. A call that creates something else may name the
 * resource too and must not be taken for its creation: CreateSnapshot names a volume, CreateLoginProfile a user.
 */
import { z } from 'zod';
import { parseJson } from '../text/json.ts';
import { type Filter, groupFilters, type Term } from '../trail/filter.ts';
import type { FilterValue } from '../trail/filter-value.ts';
import { join, likeLiteral, type Sql, sql } from '../trail/sql.ts';
import { parseArn, type ResourceId } from './resource-id.ts';

/** What a call does to a resource: `put` creates or replaces it, `scheduled` schedules its deletion, `used` only refers to it for something else. */
export type Action = 'created' | 'put' | 'changed' | 'deleted' | 'scheduled' | 'used' | 'read';

/** The condition that an event is a call that creates something, or with Put creates or replaces it. */
export const creatingCalls: Sql = sql`regexp_like(eventname, '^(Create|Run|Register|Import|Allocate|Request|Copy|Restore|Publish|Launch|Put)')`;
/** The condition that an event is a call that deletes something. */
export const deletingCalls: Sql = sql`regexp_like(eventname, '^(BatchDelete|Delete|Terminate|Deregister|Release|ScheduleKeyDeletion)')`;

/**
 * The condition that an event names a resource; when an ARN gives its account, only that account's resource of the name. `target`
 * is compared too, because the error message of a denied call may be the only place of the name. The plain name is searched first
 * and its surroundings only in the few texts that have it; `strpos` takes half the time of LIKE.
 */
export function namesResource(resource: ResourceId): Sql {
  const { kind, name, arn } = resource;
  const owned = isInAccount(resource);
  const names = [...new Set([name, ...(arn ? [arn.text] : [])])];
  const isId = AWS_ID.test(name) || kind === 'key' || kind === 'principal';
  const written = JSON.stringify(name).slice(1, -1);
  const inText = (column: Sql): Sql => {
    const exactly = nameEndings(written, isId).map((ending) => sql`strpos(${column}, ${ending}) > 0`);
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
 * Filters that find the events that name a resource, for follow-up lines. They are less exact than `namesResource` about where a
 * name ends, and leave out events that the resource itself caused: every event of a role's sessions names the role.
 */
export function resourceFilters(resource: ResourceId): readonly Filter[] {
  const { kind, name } = resource;
  const own = arnInAccount(resource);
  const ofAccount = own
    ? groupFilters(false, [
        [exactTerm('account', [own.account])],
        [
          exactTerm(
            'text',
            own.tails.map((tail) => `${own.account}${tail}"`),
          ),
        ],
      ])
    : [];
  if (AWS_ID.test(name)) return [exactTerm('text', [name]), ...(kind === 'instance' ? [notByResource(resource)] : [])];
  const written = JSON.stringify(name).slice(1, -1);
  const target = {
    ...exactTerm('target', [name]),
    values: [exactValue(name), ...(/[*?]/.test(name) ? [] : [{ text: `*/${name}`, wildcard: true }])],
  };
  // Every record of an account contains the account's number.
  if (kind === 'account') return [target];
  return [
    ...ofAccount,
    ...groupFilters(false, [[target], [exactTerm('text', [`"${written}"`, `/${written}"`, `:${written}"`]), notByResource(resource)]]),
  ];
}

const exactValue = (text: string): FilterValue => ({ text, wildcard: false });
const exactTerm = (field: string, values: readonly string[]): Term => ({ field, negated: false, values: values.map(exactValue) });

function notByResource({ kind, name }: ResourceId): Term {
  if (kind === 'principal') return { field: 'principal', negated: true, values: [exactValue(name), { text: `${name}:*`, wildcard: true }] };
  return { ...exactTerm(kind === 'key' ? 'key' : 'user', [name]), negated: true };
}

/** The account of an ARN, and what follows it, up to the name and in full; undefined when the account is not needed to identify the resource. */
function arnInAccount({ kind, name, arn }: ResourceId): { readonly account: string; readonly tails: readonly string[] } | undefined {
  // AWS's ids are unique across accounts.
  if (!arn || !/^\d{12}$/.test(arn.account) || kind === 'account' || AWS_ID.test(name)) return undefined;
  const whole = `:${arn.text.split(':').slice(5).join(':')}`;
  return { account: arn.account, tails: [...new Set([whole.slice(0, whole.lastIndexOf(arn.name) + arn.name.length), whole])] };
}

/** Request keys that name the resource's account (ECR, Glue). */
const ACCOUNT_KEYS = ['registryId', 'catalogId'];

/**
 * The condition that the resource of an event is in the account: the record says so, whichever account logged it; or the account
 * logged it, and the record does not name a resource of the same name in another account.
 */
function isInAccount(resource: ResourceId): Sql | undefined {
  const own = arnInAccount(resource);
  if (!own) return undefined;
  const { account, tails } = own;
  const saying = (before: string, owner: string): Sql => {
    // A policy, whose quotes are escaped, may mention resources of other accounts without being about them.
    const parameters = [...tails.map((tail) => `${before}${tail}"`), ...ACCOUNT_KEYS.map((key) => `"${key}":"${owner}`)];
    const texts = [sql`resourcesjson`, sql`requestparameters`].flatMap((column) =>
      parameters.map((text) => sql`strpos(coalesce(${column}, ''), ${text}) > 0`),
    );
    const refusals = tails.map((tail) => sql`strpos(coalesce(errormessage, '') || ' ', ${`${before}${tail} `}) > 0`);
    return sql`(${join([...texts, ...refusals], ' or ')})`;
  };
  return sql`(${saying(account, `${account}"`)} or (recipientaccountid = ${account} and not ${saying('', '')}))`;
}

/** The columns that `classifyAction` needs and a list does not have. The response is long, and only calls that create something need it. */
export const actionColumns = [
  { name: 'readlike', from: sql`readlike` },
  { name: 'instances', from: sql`instances` },
  { name: 'errormessage', from: sql`errormessage` },
  { name: 'request', from: sql`requestparameters` },
  { name: 'response', from: sql`case when ${creatingCalls} then responseelements end` },
] as const satisfies readonly { readonly name: string; readonly from: Sql }[];

/** The shape of `actionColumns` in a row. */
export const actionRow = {
  readlike: z.string(),
  instances: z.string().nullable(),
  errormessage: z.string().nullable(),
  request: z.string().nullable(),
  response: z.string().nullable(),
} as const;

/** Ids that AWS generates. They are unique, so no other name ends in one. */
const AWS_ID = /^(?:[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17}|[0-9a-f]{32})|(?:[a-z]+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * The ways in which a name ends a string in JSON, or in JSON inside a string, as policies are. An id may also be followed by a
 * comma, as in a list of volumes in one string.
 */
const nameEndings = (written: string, isId: boolean): string[] =>
  isId
    ? ['"', '\\"', '/', ':', ','].map((after) => `${written}${after}`)
    : [`"${written}"`, `\\"${written}\\"`, ...['/', ':'].flatMap((before) => ['"', '\\"'].map((after) => `${before}${written}${after}`))];

/** The condition that an event has this name, ignoring case. `*` is a wildcard: `Delete*`. */
export const isCall = (name: string): Sql => sql`lower(eventname) like ${likeLiteral(name.toLowerCase()).replaceAll('*', '%')} escape '!'`;

/** What a call did to a resource, or would have done had it succeeded. */
export function classifyAction(event: ActionEvent, resource: ResourceId): Action {
  if (event.readlike === 'true') return 'read';
  const [, verb = '', noun = ''] = VERB.exec(event.eventname.replace(/\d{8}(v\d)?$/, '')) ?? [];
  const isCreation = CREATE_VERBS.has(verb);
  if ((!isCreation && !DELETE_VERBS.has(verb)) || PART_NOUN.test(noun)) return isAboutResource(event, resource) ? 'changed' : 'used';
  if (resource.kind === 'instance') return classifyInstanceAction(event, verb, resource.name);
  const isOfResource = nounsFor(resource, event).some((stem) => isNoun(noun, stem));
  // EC2 creates images, snapshots and volumes from one another; elsewhere what is created for a resource belongs to it.
  if (!isOfResource) return event.target === resource.name && event.eventsource !== 'ec2.amazonaws.com' ? 'changed' : 'used';
  if (!isCreation) return verb === 'Schedule' ? 'scheduled' : 'deleted';
  return verb === 'Put' ? 'put' : 'created';
}

interface ActionEvent {
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
/** What is part of the resource that it is created for, and not a resource itself. */
const PART_NOUN = /^(?:Tags?|Grant|LoginProfile|PolicyVersion|(?:Role|User|Group|Bucket|Key|Resource|Repository)Policy|.*Permissions?)$/;
const CREATE_VERBS = new Set(['Create', 'Run', 'Register', 'Import', 'Allocate', 'Request', 'Copy', 'Restore', 'Publish', 'Launch', 'Put']);
const DELETE_VERBS = new Set(['Delete', 'Terminate', 'Deregister', 'Release', 'Schedule']);

/** True when a call is about the resource and does not only mention it: UpdateFunctionConfiguration is about a function, not about its role. */
function isAboutResource({ eventname, target, instances, request }: ActionEvent, resource: ResourceId): boolean {
  if (target !== null && isNameOf(target, resource)) return true;
  if (instances?.split(' ').includes(resource.name)) return true;
  const name = eventname.toLowerCase();
  return keysNaming(parseJson(request), resource).some(({ key, depth }) => {
    const stem = stemOf(key);
    return stem === '' ? depth <= 2 : name.includes(stem) || stem === 'resource';
  });
}

/** The noun in a key: `role` for roleName, empty for a plain `name`. */
const stemOf = (key: string): string => key.replace(/(?:Name|Identifier|Id|Ids|Arn|ARN|name|id|arn)$/, '').toLowerCase();

function classifyInstanceAction({ eventname, instances }: ActionEvent, verb: string, id: string): Action {
  if (!instances?.split(' ').includes(id)) return 'used';
  return eventname === 'RunInstances' ? 'created' : verb === 'Terminate' ? 'deleted' : 'changed';
}

/** The nouns of the keys under which a call names the resource: `role` for roleName, `securitygroup` for securityGroupId, empty for `name`. */
function nounsFor(resource: ResourceId, { eventname, target, errormessage, request, response }: ActionEvent): string[] {
  const [sent, received] = [parseJson(request), parseJson(response)];
  if (sent === undefined && received === undefined) {
    // A denied call often names its resource only in the error message.
    const [, denied = ''] = / on resource: (arn:\S+)/.exec(errormessage ?? '') ?? [];
    return target === resource.name ? [parseArn(denied)?.type.toLowerCase() ?? ''] : [];
  }
  const found = [...keysNaming(sent, resource), ...keysNaming(received, resource)];
  const nouns = found.map(({ key, depth }) => ({ depth, stem: stemOf(key) }));
  // A launch creates the network interfaces and volumes that its response names.
  if (eventname === 'RunInstances') return nouns.some(({ stem }) => stem === 'networkinterface' || stem === 'volume') ? [''] : [];
  return nouns.filter(({ stem, depth }) => stem !== '' || depth <= 2).map(({ stem }) => stem);
}

/** True when the noun of a call is that of a key: CreateSecurityGroup and groupId, CreateKeyPair and keyName. */
function isNoun(noun: string, stem: string): boolean {
  const singular = noun.toLowerCase().replace(/s$/, '');
  if (stem === '' || singular.endsWith(stem)) return true;
  return singular.startsWith(stem) && /^(?:pair|readreplica|deletion|from.*)$/.test(singular.slice(stem.length));
}

/** The keys whose value in a JSON value names the resource, and how deep they are. */
function keysNaming(value: unknown, resource: ResourceId, key = '', depth = 0): { readonly key: string; readonly depth: number }[] {
  if (typeof value === 'string') return isNameOf(value, resource) ? [{ key, depth }] : [];
  if (value === null || typeof value !== 'object' || depth > MAX_REQUEST_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((inner) => keysNaming(inner, resource, key, depth));
  return Object.entries(value).flatMap(([name, inner]) => keysNaming(inner, resource, name, depth + 1));
}

const MAX_REQUEST_DEPTH = 20;

const isNameOf = (value: string, { name, arn }: ResourceId): boolean =>
  value === name || value === arn?.text || (value.startsWith('arn:') && (value.endsWith(`/${name}`) || value.endsWith(`:${name}`)));

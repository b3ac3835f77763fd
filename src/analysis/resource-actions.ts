/**
 * Finds the events that name a resource and says what each did to it. A call that creates something else may name the resource too
 * and must not be taken for its creation: CreateSnapshot names a volume, CreateLoginProfile a user.
 */
import { z } from 'zod';
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { parseJson } from '../text/json.ts';
import type { Effect } from '../trail/call-names.ts';
import type { CatalogueCall } from '../trail/calls.ts';
import { type Filter, groupFilters, type Term } from '../trail/filter.ts';
import { type FilterValue, matchesWildcards } from '../trail/filter-value.ts';
import { searchedText } from '../trail/mentions.ts';
import { clueToName, type NameClue } from '../trail/name-clue.ts';
import { join, type Sql, sql } from '../trail/sql.ts';
import { describeCall, type Role, roleAt } from './call-roles.ts';
import { isDelayed } from './planned-deletions.ts';
import { parseArn, type ResourceId } from './resource-id.ts';
import { caseBlindSources, nameMatcher } from './resource-names.ts';

/**
 * What a call does to a resource: `put` creates or replaces it, `scheduled` schedules its deletion, `kept` takes that back, `used`
 * only refers to it for something else.
 */
export type Action = 'created' | 'put' | 'changed' | 'deleted' | 'scheduled' | 'kept' | 'used' | 'read';

/**
 * The condition that a call creates something, or with Put creates or replaces it. A change set creates a stack when it is executed;
 * Route 53 creates and deletes records with one call; a rule of a security group has an id of its own; and a database that is
 * deleted can leave a last snapshot.
 */
export const creatingCalls: Sql = sql`(
  effect in ('create', 'put') or eventname in ('ExecuteChangeSet', 'ChangeResourceRecordSets') or eventname like 'AuthorizeSecurityGroup%'
  or (effect = 'delete' and regexp_like(requestparameters, '"[Ff]inal[A-Za-z]*Snapshot'))
)`;
/** The condition that a call deletes something, schedules a deletion or takes one back. */
export const deletingCalls: Sql = sql`(effect in ('delete', 'schedule', 'restore') or eventname in ('CancelKeyDeletion', 'ChangeResourceRecordSets') or eventname like 'RevokeSecurityGroup%')`;

/** Texts of a record that may name a resource. */
const NAMING_COLUMNS = [
  sql`resourcesjson`,
  sql`requestparameters`,
  sql`responseelements`,
  sql`errormessage`,
  sql`additionaleventdata`,
  sql`serviceeventdetails`,
];

/**
 * The condition that an event names a resource; when an ARN gives its account, only that account's resource of the name. The plain
 * name is searched first, and what is around it only in the few texts that have it; `strpos` takes half the time of LIKE.
 */
export function namesResource(resource: ResourceId): Sql {
  const { name, within } = resource;
  const owned = isInAccount(resource);
  const written = JSON.stringify(name).slice(1, -1);
  const exactly = nameInText(written, { mayBeSecret: mayBeSecret(resource) });
  const inText = (column: Sql): Sql => sql`(strpos(${column}, ${written}) > 0 and regexp_like(${searchedText(column)}, ${exactly}))`;
  const lower = sql`(eventsource in (${caseBlindSources}) and (${join(
    [sql`requestparameters`, sql`responseelements`].map((column) => sql`regexp_like(${column}, ${`(?i)${exactly}`})`),
    ' or ',
  )}))`;
  const isChosen = /[a-z]/i.test(name) && !AWS_ID.test(name);
  const texts = [...NAMING_COLUMNS.map((column) => inText(column)), ...(isChosen ? [lower] : [])];
  const inside =
    within === undefined
      ? sql``
      : sql` and (strpos(coalesce(requestparameters, ''), ${JSON.stringify(within)}) > 0 or strpos(coalesce(resourcesjson, ''), ${`:::${within}/`}) > 0)`;
  return sql`(${join(texts, ' or ')})${inside}${owned ? sql` and ${owned}` : sql``}`;
}

/** What `mentions` has of every event for which `namesResource` is true; undefined when it may have nothing. */
export const namesakeClue = (resource: ResourceId): NameClue | undefined =>
  clueToName(JSON.stringify(resource.name).slice(1, -1), { mayBeSecret: mayBeSecret(resource) });

/** Any name but an id that EC2 made, such as i-0abc1234def567890: a secret that has it as its name is asked for by the ARN of the secret. */
const mayBeSecret = ({ name, arn }: ResourceId): boolean => arn?.service === 'secretsmanager' || !/^[a-z]{1,12}-[0-9a-f]{17}$/.test(name);

/**
 * A pattern of a name in a record, as JSON writes it: between quotes, in an ARN, a URL or a list in one text. What follows may be the
 * suffix of a secret where it may be one, a version, or the dot behind a domain.
 */
const nameInText = (written: string, secret: { readonly mayBeSecret: boolean }): string =>
  `(^|["'/:,= ]|%3[Aa]|%2[Ff])${escapeRegExp(written)}($|[.]?["'\\\\/:,&? %]${secret.mayBeSecret ? '|-[A-Za-z0-9]{6}(["\\\\%]|$)' : ''})`;

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

/** The columns that `classifyAction` needs and a list does not have. The response is long, and reads do not need it. */
export const actionColumns = [
  { name: 'readlike', from: sql`readlike` },
  { name: 'errormessage', from: sql`errormessage` },
  { name: 'resourcesjson', from: sql`resourcesjson` },
  { name: 'request', from: sql`requestparameters` },
  // What a service did by itself is told in its own details: the number of a new account.
  { name: 'response', from: sql`case when readlike <> 'true' then coalesce(responseelements, serviceeventdetails) end` },
] as const satisfies readonly { readonly name: string; readonly from: Sql }[];

/** The shape of `actionColumns` in a row. */
export const actionRow = {
  readlike: z.string(),
  errormessage: z.string().nullable(),
  resourcesjson: z.string().nullable(),
  request: z.string().nullable(),
  response: z.string().nullable(),
} as const;

/** Ids that AWS generates. They are unique, so no other name ends in one. */
const AWS_ID = /^(?:[a-z]{1,12}-(?:[0-9a-f]{8}|[0-9a-f]{17}|[0-9a-f]{32})|(?:[a-z]+-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** The condition that an event has this name, ignoring case. `*` is a wildcard: `Delete*`. */
export const isCall = (name: string): Sql => matchesWildcards(sql`lower(eventname)`, name.toLowerCase());

/** An event, with what it asked and what was answered. */
export interface ActionEvent {
  readonly eventname: string;
  readonly eventsource: string;
  readonly readlike: string;
  readonly errormessage: string | null;
  readonly resourcesjson: string | null;
  readonly request: string | null;
  readonly response: string | null;
}

/** What a call did to a resource, or would have done had it succeeded, and the effect by which it did. */
export interface ClassifiedAction {
  readonly action: Action;
  readonly effect: Effect;
  readonly role: Role;
}

/** Classifies a call by the part that the resource plays in it. */
export function classifyAction(event: ActionEvent, resource: ResourceId): ClassifiedAction {
  const call = describeCall(event.eventsource, event.eventname);
  const { effect } = call;
  if (event.readlike === 'true') return { action: 'read', effect, role: 'mentioned' };
  const role = roleIn(event, call, resource);
  return {
    action:
      role === 'own' && event.eventname === 'ChangeResourceRecordSets' ? recordAction(event, resource) : actionOf(event, effect, role, resource),
    effect,
    role,
  };
}

/** What a change of records did to the record of a name: the last of its changes, which CREATE, DELETE or UPSERT it. */
function recordAction({ eventsource, request }: ActionEvent, resource: ResourceId): Action {
  const isName = nameMatcher(resource);
  const changes = recordChanges.safeParse(parseJson(request)).data?.changeBatch.changes ?? [];
  const action = changes.findLast(({ resourceRecordSet }) => isName(resourceRecordSet.name, eventsource))?.action;
  return action === 'CREATE' ? 'created' : action === 'DELETE' ? 'deleted' : action === 'UPSERT' ? 'put' : 'changed';
}

const recordChanges = z.object({
  changeBatch: z.object({ changes: z.array(z.object({ action: z.string(), resourceRecordSet: z.object({ name: z.string() }) })) }),
});

function actionOf(event: ActionEvent, effect: Effect, role: Role, resource: ResourceId): Action {
  if (role === 'mentioned' && effect === 'delete' && isFinalSnapshot(event, resource)) return 'created';
  if (role === 'mentioned' || effect === 'use') return 'used';
  // What is made or deleted for a resource is a change of what it belongs to.
  if (role === 'parent') return 'changed';
  if (event.eventname === 'CancelKeyDeletion' || effect === 'restore') return 'kept';
  if (/^(Authorize|Revoke)SecurityGroup/.test(event.eventname)) return effect === 'allow' ? 'created' : 'deleted';
  if (effect === 'delete' && namesVersion(event)) return 'changed';
  if (effect === 'delete') return isDelayed(event) ? 'scheduled' : 'deleted';
  return effect === 'create' ? 'created' : effect === 'put' ? 'put' : effect === 'schedule' ? 'scheduled' : 'changed';
}

/** True when the call that deletes a database makes the resource, its last snapshot. */
function isFinalSnapshot({ eventsource, request }: ActionEvent, resource: ResourceId): boolean {
  const [, snapshot] = /"final[A-Za-z]*Snapshot(?:Identifier|Name)": *"([^"]+)"/i.exec(request ?? '') ?? [];
  return snapshot !== undefined && nameMatcher(resource)(snapshot, eventsource);
}

/** Keys of requests that delete one version of a function, a document or a guardrail, and leave the others. */
const VERSION_KEYS = /"(?:qualifier|documentVersion|versionName|guardrailVersion)": *"(?!\$LATEST)[^"]/;

const namesVersion = ({ eventsource, request }: ActionEvent): boolean =>
  /^(?:lambda|ssm|bedrock)[.]/.test(eventsource) && VERSION_KEYS.test(request ?? '');

/** True when an ARN means a version or an alias of the function that a question is about: …:function:orders-api:live. */
const isVersionOf = (text: string, { arn }: ResourceId): boolean =>
  /^arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+:[^:]+$/.test(text) && text !== arn?.text;

function roleIn(event: ActionEvent, call: CatalogueCall, resource: ResourceId): Role {
  const isName = nameMatcher(resource);
  const roles = new Set<Role>();
  for (const [document, text] of [
    ['request', event.request],
    ['response', event.response],
  ] as const) {
    for (const { path, value } of textsIn(text)) {
      if (!isName(value, event.eventsource)) continue;
      const role = roleAt({ document, path }, call);
      roles.add(role === 'own' && isVersionOf(value, resource) ? 'parent' : role);
    }
  }
  if (roles.has('own') || (call.effect === 'create' && isNameTag(event, resource))) return 'own';
  // What only `resources` or the refusal names is what the call is about, if it is of its kind.
  const ofKind = [
    ...(event.resourcesjson ?? '').matchAll(/"ARN(?:Prefix)?": *"(?<text>[^"]+)"/g),
    // IAM writes the type and the name, where others write the ARN: "on resource: role deploy because …".
    ...(event.errormessage ?? '').matchAll(/ on resource: (?:(?<type>role|user|group|policy|instance profile) )?(?<text>\S+)/g),
  ]
    .map(({ groups }) => ({ text: groups?.text ?? '', type: groups?.type ?? parseArn(groups?.text ?? '')?.type ?? '' }))
    .filter(({ text }) => isName(text, event.eventsource))
    .map(({ type }) => isOfKind(type, call));
  if (ofKind.includes(true)) return roles.has('parent') ? 'parent' : 'own';
  if (ofKind.length > 0 && roles.size === 0 && call.effect !== 'create') return 'parent';
  return roles.has('parent') ? 'parent' : 'mentioned';
}

/** True when a request or a response gives a resource this name by the tag that consoles show as its name. */
const isNameTag = ({ request, response }: ActionEvent, { name }: ResourceId): boolean =>
  [request, response].some((text) => text?.includes(`"key":"Name","value":${JSON.stringify(name)}`));

/** True when the type of an ARN is the kind that a call is about: `role` of PutRolePolicy is not, `key` of DeleteKey is. */
function isOfKind(type: string, { kind }: CatalogueCall): boolean {
  const word = type.toLowerCase().replaceAll(/[^a-z]/g, '');
  const noun = kind.replaceAll(' ', '');
  return word !== '' && (noun === word || noun.endsWith(word));
}

const MAX_DEPTH = 20;

/** All texts of a JSON document with the keys above each. What CloudTrail truncated is read as pairs of key and text. */
function textsIn(json: string | null): { readonly path: readonly string[]; readonly value: string }[] {
  if (json === null) return [];
  const parsed = parseJson(json);
  if (parsed === undefined)
    return [...json.matchAll(/"([^"\\]+)": *"((?:[^"\\]|\\.)*)"/g)].map(([, key = '', value = '']) => ({ path: [key], value }));
  const found: { readonly path: readonly string[]; readonly value: string }[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'string') found.push({ path, value });
    else if (typeof value === 'number') found.push({ path, value: String(value) });
    else if (Array.isArray(value)) for (const inner of value) walk(inner, path);
    else if (value !== null && typeof value === 'object' && path.length < MAX_DEPTH) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    }
  };
  walk(parsed, []);
  return found;
}

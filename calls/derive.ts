/** What each call does to what, worked out from its name and from the names of its parameters. */
import { type Effect, effectOfName, isSameNoun, nounOf, readKey } from '../src/trail/call-names.ts';
import type { CatalogueCall } from '../src/trail/calls.ts';
import type { Operation, Parameter, Service } from './models.ts';

/** Calls that only read, whatever IAM says of them. */
const READS =
  /^(Batch)?(Get|List|Describe|Head|Search|Query|Select|Scan|Lookup|Check|Preview|Estimate|Simulate|Is|Filter|Discover|Retrieve|View)([A-Z]|$)/;

/** Parameters that name no resource: tokens, accounts, texts, settings. */
const NAMES_NOTHING =
  /(token|requestid|owner|ownerid|accountid|catalogid|registryid|description|comment|reason|tag|version|versionid|versionnumber|region|type|etag|message|marker|availabilityzone|availabilityzoneid|endpoint|host|status|state|agent|principal|protocol|locale|localeid|credential|credentials|password|secretstring)$/;

/** Parameters that are secrets themselves, even of a call that is about them: ResetPassword. */
const SECRET = /(token|secret|password|receipthandle)$/;

/** Names of versions, settings and the like themselves. */
const OWN_OF_JOIN = /version|config|customdomain|recommender/;

/** Keys that name something although they do not end in a word for it: S3's Bucket, App Mesh's cluster. */
const PLAIN_NAMES = /^(bucket|resource|repository|table|cluster|function|stack|domain|vault|group|user|role|queue|topic|stream)$/;

/** Names come before ids, and ids before ARNs: the first is shown. */
const rankOf = (path: string): number => {
  const rank = [/name$/i, /id$/i, /identifier$/i, /arn$/i].findIndex((ending) => ending.test(path.replace(/s?(\[\])?$/, '')));
  return rank < 0 ? 4 : rank;
};

const keyOf = ({ path }: Parameter): string => (path.at(-1) as string).replace('[]', '');
const isTop = ({ path }: Parameter): boolean => path.length === 1;
const wordsInKey = (parameter: Parameter): string => readKey(keyOf(parameter)).all.join('');

/** The calls of a service that are not reads. */
export function deriveCalls({ operations }: Service): CatalogueCall[] {
  const kinds = new Set(
    operations
      .filter(({ name }) => /^(Create|Delete|Register|Put|Update|Import|Run|Allocate|Start)[A-Z]/.test(name))
      .map(({ name }) => nounOf(name).join('')),
  );
  const deletions = new Map(
    operations.filter(({ name }) => /^(Delete|Deregister)[A-Z]/.test(name)).map((operation) => [nounOf(operation.name).join(''), operation]),
  );
  return operations
    .filter((operation) => !isRead(operation))
    .map((operation) => deriveCall(operation, kinds, deletions.get(nounOf(operation.name).join(''))));
}

function isRead({ name, accessLevel }: Operation): boolean {
  if (accessLevel === undefined || READS.test(name)) return READS.test(name);
  return /^(Read|List)$/.test(accessLevel) && !/^(Create|Delete|Put|Update|Terminate|Start|Stop)[A-Z]/.test(name);
}

/** IAM knows which changes are of tags and of permissions. */
function derivedEffect({ name, accessLevel = '' }: Operation): Effect {
  const effect = effectOfName(name);
  if (accessLevel.startsWith('Tagging') && /Tag/.test(name)) return 'tag';
  // A restore from a backup makes a resource; others take a deletion back.
  if (effect === 'restore' && /(From|To)[A-Z]/.test(name)) return 'create';
  if (effect !== 'change' || !accessLevel.startsWith('Permissions management')) return effect;
  return /^(Delete|Remove|Revoke|Detach|Disassociate|Disable|Reject)/.test(name) ? 'deny' : 'allow';
}

function deriveCall(operation: Operation, kinds: ReadonlySet<string>, deletion: Operation | undefined): CatalogueCall {
  const { name, request, response } = operation;
  const effect = derivedEffect(operation);
  const noun = nounOf(name);
  const nouns = [noun, ...(/^(Request|Bundle)/.test(name) ? [[...noun, 'request']] : [])];
  const namesNoun = (parameter: Parameter): boolean => noun.join('') === readKey(keyOf(parameter)).stem.join('');
  const named = request.filter(
    (parameter) => !SECRET.test(wordsInKey(parameter)) && (!NAMES_NOTHING.test(wordsInKey(parameter)) || namesNoun(parameter)),
  );
  const given = response.filter((parameter) => isGiven(parameter, nouns, response));

  const asked = named.filter((parameter) => isAsked(parameter, nouns, name));
  const isOther = (parameter: Parameter): boolean =>
    kinds.has(readKey(keyOf(parameter)).stem.join('')) || readKey(keyOf(parameter)).stem.join('') === 'resource';
  const needed = named.filter((parameter) => parameter.isRequired && isTop(parameter));
  // A deletion that names nothing of its noun names it by what means no other kind of resource. What joins things, or is set or
  // counted for one, has only their names, unless it has its own: they are there before and after.
  const isJoin = /(Versions?|Config|Configuration|Membership|Association|Assignment|AccessEntry)$/.test(name);
  const alone =
    asked.length === 0 && /^(delete|cancel)$/.test(effect)
      ? needed.filter((parameter) => !isOther(parameter) && (!isJoin || OWN_OF_JOIN.test(wordsInKey(parameter)))).slice(0, 1)
      : [];
  // What names a resource when it is deleted names it in its other calls.
  const deletedBy = deletion && deletion !== operation ? deriveCall(deletion, kinds, undefined).own : [];
  const asDeleted =
    asked.length === 0 && given.length === 0
      ? needed.filter(({ path }) => deletedBy.some((other) => other.toLowerCase() === path.join('.').toLowerCase()))
      : [];
  const own = effect === 'tag' ? [] : [...asked, ...alone, ...asDeleted];
  const parents = parentsOf(operation, effect, own, given, deletion);
  // What is deleted by nothing but an account's number, or a version, is a part of that.
  const isNameless = own.length === 0 && parents.length === 0 && /^(Delete|Deregister|Remove|Terminate)/.test(name);
  if (isNameless) parents.push(...request.filter((parameter) => parameter.isRequired && isTop(parameter) && !/token$/i.test(keyOf(parameter))));
  const toText = (parameters: readonly Parameter[]): string[] =>
    [...new Set(parameters.map(({ path }) => path.join('.')))].sort(
      (a, b) => rankOf(a) - rankOf(b) || a.split('.').length - b.split('.').length || b.length - a.length,
    );
  return { name, effect, kind: noun.join(' '), own: toText(own), given: toText(effect === 'tag' ? [] : given), parents: toText(parents) };
}

/** Words around a name that say nothing about what it names. */
const WRAPPERS = new Set([
  'request',
  'input',
  'entry',
  'identifier',
  'id',
  'config',
  'configuration',
  'set',
  'item',
  'summary',
  'description',
  'metadata',
  'detail',
  'response',
  'result',
  'info',
  'output',
]);
const containerOf = ({ path }: Parameter): string[] => readKey((path.at(-2) ?? '').replace('[]', '')).all.filter((word) => !WRAPPERS.has(word));

/** True for a parameter of the request that names the call's own resource. */
function isAsked(parameter: Parameter, nouns: readonly (readonly string[])[], name: string): boolean {
  const key = readKey(keyOf(parameter));
  const isOwn = (words: readonly string[]): boolean => nouns.some((noun) => isSameNoun(words, noun));
  const stem = /^(Copy|Restore)/.test(name) && key.stem.length > 1 && /^(target|new)$/.test(key.stem[0] as string) ? key.stem.slice(1) : key.stem;
  const isNamed = stem.length === 0 ? key.isNaming : isOwn(stem) || nouns.some((noun) => noun.join('') === key.all.join(''));
  // A policy under its own name is its text.
  if (!key.isNaming && /^(policy|document)$/.test(key.all.at(-1) ?? '')) return false;
  // A URI in a request is what the resource points to.
  if (key.all.at(-1) === 'uri') return false;
  if (isTop(parameter)) return isNamed;
  // Only what lies in a container of the same noun (TerminateWorkspaceRequests) is about it.
  return parameter.path.length === 2 && isNamed && key.isNaming && isOwn(containerOf(parameter));
}

/** True for a part of the response that names the call's own resource. */
function isGiven(parameter: Parameter, nouns: readonly (readonly string[])[], response: readonly Parameter[]): boolean {
  const key = readKey(keyOf(parameter));
  if (!key.isNaming || NAMES_NOTHING.test(key.all.join(''))) return false;
  const isOwn = (words: readonly string[]): boolean => nouns.some((noun) => isSameNoun(words, noun));
  if (isTop(parameter)) return key.stem.length === 0 || isOwn(key.stem);
  if (parameter.path.length > 3 || /^(un|failed|error)/i.test(parameter.path[0] as string)) return false;
  const isAlone = parameter.path.length === 2 && new Set(response.map(({ path: [first] }) => first)).size === 1;
  if (key.stem.length === 0) return isOwn(containerOf(parameter)) || isAlone;
  return isOwn(key.stem) && (parameter.path.length === 2 || isOwn(containerOf(parameter)));
}

/**
 * What a call changes beside its own resource. A new resource belongs to another when the call that deletes it needs the other's
 * name too: a route belongs to its table, a subnet does not belong to its VPC.
 */
function parentsOf(
  { request }: Operation,
  effect: Effect,
  own: readonly Parameter[],
  given: readonly Parameter[],
  deletion: Operation | undefined,
): Parameter[] {
  const isReference = (parameter: Parameter): boolean => {
    const key = readKey(keyOf(parameter));
    return isTop(parameter) && !NAMES_NOTHING.test(key.all.join('')) && (key.isNaming || PLAIN_NAMES.test(key.all.join('')));
  };
  const needed = request.filter((parameter) => isReference(parameter) && (parameter.isRequired || effect === 'tag') && !own.includes(parameter));
  if (effect !== 'create' || (own.length === 0 && given.length === 0)) return needed;
  const owners = new Set((deletion?.request ?? []).filter(({ isRequired }) => isRequired).map(({ path }) => path.join('').toLowerCase()));
  return needed.filter(({ path }) => owners.has(path.join('').toLowerCase()));
}

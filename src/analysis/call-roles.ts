/** What part a resource plays in a call: the call is about it, changes it on the way, or only mentions it. */
import { effectOfName, isSameNoun, nounOf, plainCallName, readKey } from '../trail/call-names.ts';
import { type CatalogueCall, findCall } from '../trail/calls.ts';

/** `own`: the call is about the resource. `parent`: it changes the resource, which what it is about belongs to. `mentioned`: neither. */
export type Role = 'own' | 'parent' | 'mentioned';

/** A text in a request or a response. */
export interface NamedAt {
  readonly document: 'request' | 'response';
  /** The keys from the top; the places in lists are left out. */
  readonly path: readonly string[];
}

/** A call's entry in the catalogue; for one that it does not have yet, what its name says. */
export const describeCall = (eventsource: string, eventname: string): CatalogueCall => {
  const name = plainCallName(eventname);
  return findCall(eventsource, eventname) ?? { name, effect: effectOfName(name), kind: nounOf(name).join(' '), own: [], given: [], parents: [] };
};

/** The part that the text at a place plays. Where the catalogue has no place for it, its key tells: CreateTable's tableName. */
export function roleAt({ document, path }: NamedAt, call: CatalogueCall): Role {
  const isAt = (place: string): boolean => isPlace(path, place);
  if ((document === 'request' ? call.own : call.given).some(isAt)) return 'own';
  if (document === 'request' && call.parents.some(isAt)) return 'parent';
  // A response repeats what the request named.
  if (document === 'response' && call.own.some(isAt) && keysWithin(path).length === 1) return 'own';
  const keys = keysWithin(path);
  const key = readKey(keys.at(-1) ?? '');
  const noun = nounOf(call.name);
  if (call.own.length === 0 && call.given.length === 0) {
    // A bare name is that of what a part belongs to: EKS writes clusterName as name, PutSecretValue answers with its secret's.
    if (key.stem.length === 0 && key.isNaming && keys.length <= 1) return call.parents.length > 0 ? 'parent' : 'own';
    if (isSameNoun(key.stem, noun) && keys.length <= 2) return 'own';
  }
  if (document === 'request' && call.effect !== 'create' && key.isNaming && keys.length <= 1 && call.name.toLowerCase().includes(key.stem.join('')))
    return 'parent';
  return 'mentioned';
}

/** Keys that CloudTrail puts around others: EC2's sets and items, the request's own name, API Gateway's inputs. */
const WRAPPER = /^(?:items?|member|content|entry|.+(?:Request|Response|Result|Input|Req)|body)$/;

const keysWithin = (path: readonly string[]): readonly string[] =>
  path.filter((key, i) => !WRAPPER.test(key) && !(key.endsWith('Set') && i < path.length - 1));

const plainKey = (key: string): string => key.toLowerCase().replace(/\[\]$/, '').replaceAll(/[-_]/g, '');

/**
 * True when a path is the catalogue's place, whatever CloudTrail puts around its keys and however it writes their letters. It leaves
 * out the outermost key of some: RDS answers with `dBClusterIdentifier`, not `dBCluster.dBClusterIdentifier`.
 */
function isPlace(path: readonly string[], place: string): boolean {
  const wanted = place.split('.').map(plainKey);
  if (path.map(plainKey).join('.') === wanted.join('.')) return true;
  let at = wanted.length - 1;
  for (const key of path.filter((each) => !WRAPPER.test(each)).toReversed()) {
    if (at >= 0 && plainKey(key) === wanted[at]) at -= 1;
    else if (!/set$/i.test(key)) return false;
  }
  return at < 0 || (at === 0 && wanted.length > 1);
}

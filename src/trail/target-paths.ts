/** Where to read a call's target from: the JSON paths of what it made, deleted or changed, as CloudTrail may write them. */
import { namesSecret } from '../text/secret-names.ts';
import { type CatalogueCall, findCall } from './calls.ts';

/** JSON paths, or places of the catalogue, in the order in which they are tried. */
export interface TargetPaths {
  readonly request: readonly string[];
  readonly response: readonly string[];
}

/** Kinds whose own names say little: a list tells the table of a route, the bucket of an object, the key of a grant. */
const PARTS = new Set(['route', 'object', 'grant', 'rule target']);
/** Each path costs a parse, on the few events that have none of the paths before it. */
const MAX_TARGET_PATHS = 6;

/** The paths of an event's call; undefined for a call that the catalogue does not have, or about nothing with a name. */
export function targetPaths(eventsource: string, eventname: string): TargetPaths | undefined {
  const call = findCall(eventsource, eventname);
  if (!call || !hasTarget(call)) return undefined;
  const write = eventsource === 'ec2.amazonaws.com' ? writtenByEc2 : written;
  const places = targetPlaces(call);
  const request = places.request.flatMap((place) => write(place, call.name, 'Request'));
  const response = places.response.flatMap((place) => write(place, call.name, 'Response'));
  const usable = (paths: readonly string[]): string[] => [...new Set(paths)].filter((path) => JSON_PATH.test(path)).slice(0, MAX_TARGET_PATHS);
  return { request: usable(request), response: usable(response) };
}

/** What both engines take for a path; another one would be an error of the whole load. */
const JSON_PATH = /^\$(?:[.][A-Za-z0-9_]+(?:\[0\])?)+$/;

/** True for calls that make or delete, and for others that name what they are about. */
export const hasTarget = ({ effect, own }: CatalogueCall): boolean => /^(create|delete|schedule|cancel|restore)$/.test(effect) || own.length > 0;

const MAX_PLACES = 3;

/** True for a place that holds a secret. In the calls of API Gateway `apiKey` is the id of a key. */
const isSecretPlace = (place: string): boolean => place !== 'apiKey' && namesSecret((place.split('.').at(-1) as string).replace('[]', ''));

/** The places of the catalogue that name a call's target: its own resource, or what that belongs to. */
export function targetPlaces(call: CatalogueCall): TargetPaths {
  const isPart = PARTS.has(call.kind) && call.parents.length > 0;
  const asked = call.own.length > 0 && !isPart ? call.own : call.given.length > 0 && !isPart ? [] : call.parents;
  const usable = (places: readonly string[]): string[] =>
    places.filter((place) => place.split('.').length <= 2 && !isSecretPlace(place)).slice(0, MAX_PLACES);
  return { request: usable(asked), response: isPart ? [] : usable(call.given) };
}

const lowerFirst = (key: string): string => key.charAt(0).toLowerCase() + key.slice(1);
const pathOf = (keys: readonly string[]): string => `$.${keys.join('.').replaceAll('[]', '[0]')}`;

/** Most services write keys with a small first letter, some as in the model; those with the query protocol leave out the outermost. */
function written(place: string): string[] {
  const keys = place.split('.');
  const small = keys.map(lowerFirst);
  return [pathOf(small), ...(keys.join() === small.join() ? [] : [pathOf(keys)]), ...(small.length === 2 ? [pathOf(small.slice(1))] : [])];
}

/** EC2 writes older calls as sets with items, newer ones within their own name. */
function writtenByEc2(place: string, name: string, kind: 'Request' | 'Response'): string[] {
  const keys = place.split('.');
  const leaf = (keys.at(-1) as string).replace('[]', '');
  const isList = place.includes('[]');
  if (kind === 'Request' && keys.length > 1) {
    // A list of one is an object there.
    const within = pathOf(keys).slice(2);
    const sets = keys.map((key) => (key.endsWith('Set') ? `${lowerFirst(key)}.items[0]` : lowerFirst(key)));
    return [...new Set([pathOf(sets), `$.${name}Request.${within}`, `$.${name}Request.${within.replaceAll('[0]', '')}`])];
  }
  if (kind === 'Request') {
    const noun = lowerFirst(leaf).replace(/Id$/, '');
    const old = isList ? [`$.${noun}sSet.items[0].${lowerFirst(leaf)}`] : [`$.${lowerFirst(leaf)}`];
    return [...old, ...(isList ? [`$.${name}Request.${leaf}.content`, `$.${name}Request.${leaf}[0].content`] : [`$.${name}Request.${leaf}`])];
  }
  const old = keys.map((key) => (/Set$|\[\]$/.test(key) && key !== keys.at(-1) ? `${key.replace('[]', '')}.items[0]` : key)).join('.');
  if (/Set(\[\])?$/.test(leaf) || keys.at(-1)?.endsWith('[]'))
    return [
      `$.${old.replace('[]', '')}.item`,
      `$.${name}Response.${old.replace('[]', '')}.item`,
      `$.${name}Response.${old.replace('[]', '')}.item[0]`,
    ];
  return [`$.${old}`, `$.${name}Response.${old.replaceAll('.items[0]', '.item')}`, `$.${name}Response.${old.replaceAll('.items[0]', '.item[0]')}`];
}

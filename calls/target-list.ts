/** The targets of calls for Athena, where no table of calls can be joined: what a rule of names does not find, as one text. */
import type { CatalogueCall } from '../src/trail/calls.ts';
import { hasTarget, targetPlaces } from '../src/trail/target-paths.ts';
import type { Parameter } from './models.ts';

/** A call of a service, with all that its request and its response can have. */
export interface ModelledCall {
  readonly source: string;
  readonly call: CatalogueCall;
  readonly request: readonly Parameter[];
  readonly response: readonly Parameter[];
}

/** The noun of a call's name, and the last word of it, as SQL computes them (athena/flatten.sql): in lower case and without a plural. */
function sqlNouns(name: string): readonly [noun: string, last: string] {
  const noun = name
    .replace(/^(Batch|Bulk|Admin)?(CreateOrUpdate|[A-Z][a-z]+)/, '')
    .replace(/(From|To|For|In|By|With|On|Into|As|And|V[0-9])([A-Z].*)?$/, '')
    .replace(/ies$/, 'y')
    .replace(/(ss|x|ch|sh)es$/, '$1')
    .replace(/([^su])s$/, '$1');
  return [noun.toLowerCase(), (/[A-Z][a-z0-9]*$/.exec(noun)?.[0] ?? '').toLowerCase()];
}

const ENDINGS = ['name', 'id', 'identifier', 'arn'];

/** What SQL tries without an entry: names before ids before ARNs, with the noun, with its last word, and alone. */
function usualKeys(name: string): string[] {
  const [noun, last] = sqlNouns(name);
  return [...new Set(ENDINGS.flatMap((ending) => [noun, last, ''].flatMap((stem) => [`${stem}${ending}`, `${stem}${ending}s`])))];
}

const plainPlace = (place: string): string => place.replaceAll('[]', '').toLowerCase();

/** The places that SQL finds by its rule, in its order: in the request, else in the response. */
function foundByRule({ call: { name }, request, response }: ModelledCall): string {
  const top = (list: readonly Parameter[]): Set<string> =>
    new Set(list.filter(({ path }) => path.length === 1).map(({ path }) => plainPlace(path[0] as string)));
  const wrapper = response[0]?.path[0] ?? '';
  // A response within one key is read from within it.
  const isWrapped = /response$/i.test(wrapper) && response.every(({ path }) => path[0] === wrapper);
  const [asked, answered] = [top(request), top(isWrapped ? response.map((each) => ({ ...each, path: each.path.slice(1) })) : response)];
  const [noun] = sqlNouns(name);
  const within = new Set(
    response.filter(({ path }) => path.length === 2 && plainPlace(path[0] as string) === noun).map(({ path }) => plainPlace(path[1] as string)),
  );
  return [
    ...usualKeys(name)
      .filter((key) => asked.has(key))
      .map((key) => `q${key}`),
    ...usualKeys(name)
      .filter((key) => answered.has(key))
      .map((key) => `a${key}`),
    ...usualKeys(name)
      .filter((key) => within.has(key))
      .map((key) => `a${noun}.${key}`),
  ]
    .slice(0, 3)
    .join(',');
}

const inCatalogue = (call: CatalogueCall): string => {
  if (!hasTarget(call)) return '';
  const { request, response } = targetPlaces(call);
  return [...request.map((place) => `q${plainPlace(place)}`), ...response.map((place) => `a${plainPlace(place)}`)].slice(0, 3).join(',');
};

/** The entries, `name=places` or `source name=places`. */
export function targetEntries(calls: readonly ModelledCall[]): string[] {
  const entries: string[] = [];
  for (const [name, same] of Map.groupBy(calls, ({ call }) => call.name)) {
    // What only the response names is not looked for in the request, whatever that has.
    const wrong = same.filter((each) => foundByRule(each) !== inCatalogue(each.call) || inCatalogue(each.call).startsWith('a'));
    const places = new Set(same.map(({ call }) => inCatalogue(call)));
    if (wrong.length > 0 && places.size === 1) entries.push(`${name}=${[...places][0]}`);
    else for (const { source, call } of wrong) entries.push(`${source} ${call.name}=${inCatalogue(call)}`);
  }
  return entries.toSorted();
}

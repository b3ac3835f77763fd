/** Records of the catalogue's calls, as CloudTrail writes them. */
import { type CatalogueCall, catalogueServices } from '../../src/trail/calls.ts';
import { type Fields, record } from './trail-folder.ts';

/** A call of the catalogue with one event source. */
export interface SourcedCall {
  readonly source: string;
  readonly call: CatalogueCall;
}

/** Every call of the catalogue, once for each event source that it can have. */
export const everyCall = (): SourcedCall[] => [...catalogueServices()].flatMap(([source, calls]) => calls.map((call) => ({ source, call })));

const lowerFirst = (key: string): string => key.charAt(0).toLowerCase() + key.slice(1);

type Json = { [key: string]: unknown };

/** The object under a key, made if it is not there. */
function within(document: Json, key: string, made: unknown = {}): Json {
  document[key] ??= made;
  return document[key] as Json;
}

/** Puts a text at a place, with the keys and the wrappers of the service. */
function put(document: Json, place: string, value: string, { source, name, isRequest }: { source: string; name: string; isRequest: boolean }): void {
  const keys = place.split('.');
  const last = (keys.at(-1) as string).replace('[]', '');
  const isEc2 = source === 'ec2';
  if (isEc2 && isRequest && keys.length === 1 && place.endsWith('[]')) {
    within(document, `${name}Request`)[last] = { content: value, tag: 1 };
    return;
  }
  let at = document;
  for (const key of keys.slice(0, -1)) {
    const written = lowerFirst(key.replace('[]', ''));
    if (isEc2 && /Set$|\[\]$/.test(key)) at = (within(at, written, { items: [{}] }).items as [Json])[0];
    else at = key.endsWith('[]') ? (within(at, written, [{}]) as unknown as [Json])[0] : within(at, written);
  }
  if (isEc2 && !isRequest && /Set$/.test(last)) at[last] = { item: value };
  else at[lowerFirst(last)] = keys.at(-1)?.endsWith('[]') ? [value] : value;
}

/** A successful event of a call, in which each place has a text: `valueAt` of the place. */
export function recordOfCall({ source, call }: SourcedCall, valueAt: (place: string) => string, more: Fields = {}): Fields {
  const { name, own, given, parents } = call;
  const [request, response]: [Json, Json] = [{}, {}];
  for (const place of new Set([...own, ...parents])) put(request, place, valueAt(place), { source, name, isRequest: true });
  for (const place of given) put(response, place, valueAt(place), { source, name, isRequest: false });
  const orNull = (document: Json): Json | null => (Object.keys(document).length > 0 ? document : null);
  return record({
    eventSource: `${source}.amazonaws.com`,
    eventName: name,
    readOnly: false,
    requestParameters: orNull(request),
    responseElements: orNull(response),
    ...more,
  });
}

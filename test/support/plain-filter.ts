/** Filters evaluated without SQL on the rows of `events`, to check the SQL against; and random filters from values in such rows. */
import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { quote } from '../../src/text/quote.ts';
import type { RawRow } from '../../src/trail/engine.ts';
import { type Filter, isTerm, type Term } from '../../src/trail/filter.ts';
import { anyTerm, groupsOf } from './arbitrary-line.ts';

/** The columns of the relation `events` that each field compares. */
export const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  event: ['eventname'],
  source: ['eventsource'],
  user: ['actor', 'username', 'sessionname', 'sessionissuername', 'identityarn'],
  actor: ['actor'],
  role: ['sessionissuername', 'sessionissuerarn'],
  key: ['accesskeyid'],
  ip: ['sourceipaddress'],
  region: ['awsregion'],
  account: ['recipientaccountid'],
  error: ['errorcode'],
  target: ['target'],
  via: ['via'],
  kind: ['actorkind'],
  outcome: ['outcome'],
  agent: ['useragent'],
  id: ['eventid'],
  type: ['eventtype'],
  category: ['eventcategory'],
  readonly: ['readonly'],
  reads: ['readlike'],
  destructive: ['destructive'],
  principal: ['principalid'],
  vpce: ['vpcendpointid'],
  mfa: ['mfaauthenticated'],
  time: ['eventtime'],
  message: ['errormessage'],
  requestid: ['requestid'],
  sharedid: ['sharedeventid'],
  resources: ['resourcesjson'],
  text: [
    'requestparameters',
    'responseelements',
    'additionaleventdata',
    'serviceeventdetails',
    'resourcesjson',
    'useridentity',
    'errorcode',
    'errormessage',
    'useragent',
    'sourceipaddress',
    'eventname',
    'eventsource',
    'eventtype',
    'eventcategory',
    'eventid',
    'requestid',
    'sharedeventid',
    'awsregion',
    'recipientaccountid',
    'apiversion',
    'vpcendpointid',
    'vpcendpointaccountid',
    'tlsdetails',
    'addendum',
    'edgedevicedetails',
  ],
};

const LOWERED = ['source', 'region', 'via', 'kind', 'outcome', 'readonly', 'reads', 'destructive', 'mfa'];

/** True when an event matches a filter. */
export function isMatch(event: RawRow, filter: Filter): boolean {
  if (!isTerm(filter)) return filter.any.some((list) => list.every((each) => isMatch(event, each))) !== filter.negated;
  const { field, negated, values } = filter;
  if (/[.[]/.test(field)) return values.some((value) => isAt(event, field, value)) !== negated;
  const searched = field === 'text' ? withoutRandomText(event) : event;
  const cells = [...(COLUMNS[field] ?? []).map((column) => searched[column]), ...(field === 'mfa' ? [signInMfa(event)] : [])];
  const any = cells.some((cell) => cell !== null && cell !== undefined && values.some((value) => isValue(cell, field, value)));
  return any !== negated;
}

/** An event without its session token and the second id of S3, in which text is not searched for. */
const withoutRandomText = ({ responseelements = null, additionaleventdata = null, ...event }: RawRow): RawRow => ({
  ...event,
  responseelements: responseelements?.replace(/"sessionToken": *"[^"]*"/g, '"sessionToken":""') ?? null,
  additionaleventdata: additionaleventdata?.replace(/"x-amz-id-2": *"[^"]*"/, '"x-amz-id-2":""') ?? null,
});

/** MFAUsed of a sign-in of an IAM user or root, as true or false. */
function signInMfa(event: RawRow): string | undefined {
  const isSignIn = event.eventname === 'ConsoleLogin' && ['IAMUser', 'Root'].includes(event.identitytype ?? '') && event.mfaauthenticated === null;
  const mfaUsed = isSignIn ? textOf(valueAtPath(event, 'additionalEventData.MFAUsed'))?.toLowerCase() : undefined;
  return mfaUsed === undefined ? undefined : { yes: 'true', no: 'false' }[mfaUsed];
}

function isValue(cell: string, field: string, { text, wildcard }: Term['values'][number]): boolean {
  if (field === 'text' || field === 'resources') {
    const [whole, part] = [cell.toLowerCase(), text.toLowerCase()];
    return wildcard ? isLike(`*${part}*`, whole) : whole.includes(part);
  }
  if (!wildcard && field === 'ip' && text.includes('/')) return isInNetwork(cell, text);
  if (!wildcard && field === 'time' && TIMES.test(text)) return isDuring(cell, text);
  const inCase = LOWERED.includes(field) ? text.toLowerCase() : field === 'key' ? text.toUpperCase() : text;
  const whole = field === 'source' && !/[.*?]/.test(inCase) ? `${inCase}.amazonaws.com` : inCase;
  return wildcard ? isLike(whole, cell) : cell === whole;
}

/** True when an address is in a network, by Node's own list of networks. */
function isInNetwork(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/');
  const family = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4');
  const isNetwork = isIP(base) !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (isIP(base) === 6 ? 128 : 32);
  if (!isNetwork) return false;
  const networks = new BlockList();
  networks.addSubnet(base, Number(bits), family(base));
  return isIP(address) !== 0 && networks.check(address, family(address));
}

const TIMES = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?([.][.]\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?)?$/;

/** True when a time is in a range such as `a..b`: the day b is included, the minute or second b is not. */
function isDuring(time: string, range: string): boolean {
  const [from = '', to = from] = range.replaceAll('Z', '').split('..');
  if (from === to) return time.startsWith(from);
  return time >= from && (to.includes('T') ? time.slice(0, to.length) < to : time.slice(0, to.length) <= to);
}

/** True when an event has a value at a path, or in a list on the path. */
function isAt(event: RawRow, path: string, { text, wildcard }: Term['values'][number]): boolean {
  const exact = valueAtPath(event, path);
  if (wildcard && text === '*') return [exact, ...valuesInLists(event, path)].some((value) => value !== null && value !== undefined);
  if (!wildcard && /^[[{]/.test(text) && typeof exact === 'object' && exact !== null && JSON.stringify(exact) === text) return true;
  return [exact, ...valuesInLists(event, path)].some((value) => {
    const cell = textOf(value);
    return cell !== undefined && (wildcard ? isLike(text, cell) : cell === text);
  });
}

const keysOf = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/[.]([\w-]+)|[.]"([^"]*)"|\[(\d+)\]/g)].map(([, key, quoted = '', index]) =>
    index === undefined
      ? (key ?? quoted.replace(/\\u\{([0-9a-f]+)\}/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))))
      : Number(index),
  );

const documentOf = (event: RawRow, path: string): unknown => {
  const name = (path.split(/[.[]/)[0] ?? '').toLowerCase();
  return JSON.parse(event[name === 'resources' ? 'resourcesjson' : name] ?? 'null');
};

const member = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) && Array.isArray(value) === (typeof key === 'number')
    ? (value as Record<string | number, unknown>)[key]
    : undefined;

const valueAtPath = (event: RawRow, path: string): unknown => keysOf(path).reduce(member, documentOf(event, path));

/** The values at a path that goes through every item of each list on it. */
function valuesInLists(event: RawRow, path: string): readonly unknown[] {
  const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.flatMap(items) : [value]);
  const reached = keysOf(path).reduce<readonly unknown[]>(
    (values, key) => (typeof key === 'number' ? values : values.flatMap(items)).map((value) => member(value, key)),
    [documentOf(event, path)],
  );
  return reached.flatMap(items);
}

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null || typeof value === 'object' ? undefined : String(value);

/** True when a text matches one with `*` and `?`, character by character: after a mismatch the last star takes one more. */
export function isLike(text: string, cell: string): boolean {
  const [wanted, given] = [Array.from(text), Array.from(cell)];
  let [at, star, from] = [0, -1, 0];
  for (let i = 0; i < given.length; ) {
    if (wanted[at] === '*') {
      [star, from] = [at, i];
      at += 1;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === given[i])) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      from += 1;
      [at, i] = [star + 1, from];
    } else return false;
  }
  return wanted.slice(at).every((char) => char === '*');
}

const DOCUMENTS = ['requestParameters', 'responseElements', 'additionalEventData', 'serviceEventDetails', 'userIdentity', 'resources', 'tlsDetails'];

/** Random filters, most of which match some of the events: fields, paths, parts of text, networks and times, in nested groups. */
export function filtersIn(events: readonly RawRow[]): fc.Arbitrary<readonly Filter[]> {
  const fields = Object.keys(COLUMNS).filter((field) => field !== 'text' && field !== 'resources');
  const leaves = events.flatMap((event) => DOCUMENTS.flatMap((name) => leavesOf(name, documentOf(event, name))));
  const event = fc.nat(events.length - 1).map((n) => events[n] as RawRow);
  // The whole value, or its start and end with a wildcard between.
  const valueFrom = (seen: string, cut: number) => {
    const wildcard = cut % 2 === 1 && !/[*?]/.test(seen);
    return { text: wildcard ? `${seen.slice(0, cut)}${cut === 3 ? '?' : '*'}${cut === 3 ? seen.slice(cut + 1) : seen.slice(-1)}` : seen, wildcard };
  };
  const cut = fc.nat(6);
  const ofField = fc
    .tuple(event, fc.constantFrom(...fields), cut)
    .map(([seen, field, n]) => ({ field, value: valueFrom(seen[COLUMNS[field]?.[0] as string] ?? 'none', n) }));
  const ofPath = fc
    .tuple(fc.nat(leaves.length - 1), cut)
    .map(([n, at]) => ({ field: leaves[n]?.path as string, value: valueFrom(leaves[n]?.text as string, at) }));
  const ofText = fc
    .tuple(event, fc.constantFrom(...(COLUMNS.text ?? [])), fc.nat(400), fc.integer({ min: 2, max: 12 }), fc.boolean())
    .map(([seen, column, at, length, upper]) => {
      const part = (seen[column] ?? 'none').slice(at, at + length) || 'none';
      return { field: 'text', value: { text: upper ? part.toUpperCase() : part, wildcard: false } };
    });
  const ofNetwork = fc.tuple(event, fc.integer({ min: 0, max: 32 })).map(([{ sourceipaddress: seen }, bits]) => ({
    field: 'ip',
    value: { text: /^[\d.]+$/.test(seen ?? '') ? `${seen}/${bits}` : `198.51.100.0/${bits}`, wildcard: false },
  }));
  const ofTime = fc.tuple(event, event, fc.constantFrom(10, 16, 19), fc.constantFrom(10, 16, 19)).map(([one, other, long, short]) => {
    const [from = '', to = ''] = [one.eventtime ?? '', other.eventtime ?? ''].toSorted();
    const [start, end] = [from.slice(0, long), to.slice(0, short)];
    // An end within the start's own day or minute would be before it.
    return { field: 'time', value: { text: end.startsWith(start) || start >= end ? start : `${start}..${end}`, wildcard: false } };
  });
  const term = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(fc.oneof({ weight: 3, arbitrary: ofField }, { weight: 2, arbitrary: ofPath }, ofText, ofNetwork, ofTime), fc.boolean())
        .map(([{ field, value }, negated]): Term => ({ field, negated, values: [value] })),
    },
    { weight: 1, arbitrary: anyTerm },
  );
  return groupsOf(fc.array(term, { minLength: 1, maxLength: 2 }));
}

/** Every scalar in a value, with a path to it, which for a list is by index or to any item. */
function leavesOf(path: string, value: unknown): readonly { readonly path: string; readonly text: string }[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) return value.flatMap((inner, n) => leavesOf(n % 2 === 0 ? path : `${path}[${n}]`, inner));
  if (typeof value !== 'object') return [{ path, text: String(value) }].filter((leaf) => /[.[]/.test(leaf.path));
  return Object.entries(value).flatMap(([key, inner]) => leavesOf(`${path}.${/^[\w-]+$/.test(key) ? key : quote(key)}`, inner));
}

/** Short texts with every character that a pattern of an engine could take for its own. */
export const WILDCARD_TEXTS: readonly string[] = [
  '',
  'a',
  'ab',
  'aab',
  'abab',
  'b\na',
  'a\n',
  'ä😀a',
  '😀',
  'a"b\\a',
  'a.b',
  'a%b_',
  '(a)[b]{a}',
  'a,b,a',
  '^a$',
  '!a!',
  "it's",
];

/** Lines about what a trail has: names and pieces of text from its events, in words, filters and free text, over any window. */
import fc from 'fast-check';
import type { Registry } from '../../src/desk/registry.ts';
import { exactFilter } from '../../src/question/line.ts';
import { printLine } from '../../src/question/print.ts';
import { type Filter, groupFilters } from '../../src/trail/filter.ts';
import type { Window } from '../../src/trail/time-window.ts';

/** The columns of an event as text. */
export type EventTexts = Readonly<Record<string, string | null>>;

const PATHS = [
  'requestParameters.bucketName',
  'requestParameters.roleName',
  'requestParameters.instancesSet.items.instanceId',
  'userIdentity.arn',
  'requestParameters.key',
];
const COLUMN_OF_FIELD: Readonly<Record<string, string>> = {
  event: 'eventname',
  source: 'eventsource',
  user: 'actor',
  actor: 'actor',
  role: 'sessionissuername',
  key: 'accesskeyid',
  ip: 'sourceipaddress',
  region: 'awsregion',
  account: 'recipientaccountid',
  error: 'errorcode',
  target: 'target',
  via: 'via',
  kind: 'actorkind',
  outcome: 'outcome',
  agent: 'useragent',
  id: 'eventid',
  principal: 'principalid',
  message: 'errormessage',
  requestid: 'requestid',
};
const DOCUMENTS = [
  'requestparameters',
  'responseelements',
  'additionaleventdata',
  'resourcesjson',
  'useridentity',
  'errormessage',
  'useragent',
  'eventid',
  'requestid',
  'eventname',
  'tlsdetails',
];

/** A piece of a text: whole, or cut anywhere. */
const piece = (text: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...(text.match(/[A-Za-z0-9_@+.-]+/g) ?? ['none'])),
    fc.tuple(fc.nat(Math.max(0, text.length - 1)), fc.integer({ min: 1, max: 24 })).map(([from, length]) => text.slice(from, from + length)),
  );

/** A piece of JSON as it is written, or as it is when it is read: with line ends, tabs and quotes instead of their escapes. */
function asRead(part: string): fc.Arbitrary<string> {
  try {
    return fc.constantFrom(part, String(JSON.parse(`"${part}"`)));
  } catch {
    return fc.constant(part);
  }
}

const filterOf = (event: EventTexts): fc.Arbitrary<Filter> => {
  const exact = fc
    .constantFrom(...Object.keys(COLUMN_OF_FIELD))
    .map((field) => exactFilter(field, event[COLUMN_OF_FIELD[field] as string] ?? 'none'));
  const texts = DOCUMENTS.map((column) => event[column]).filter((text) => typeof text === 'string' && text !== '') as string[];
  const text = fc
    .constantFrom(...texts)
    .chain(piece)
    .map((part) => exactFilter('text', part.trim() === '' ? 'none' : part));
  const pattern = fc
    .tuple(
      fc.constantFrom('target', 'user', 'event', 'message', 'text'),
      fc
        .constantFrom(...texts)
        .chain(piece)
        .chain(asRead),
    )
    .map(
      ([field, part]): Filter => ({
        field,
        negated: false,
        values: [{ text: `*${part.replace(/[*?]/g, '')}*`, wildcard: true }],
      }),
    );
  const path = fc
    .tuple(fc.constantFrom(...PATHS), fc.constantFrom(event.target ?? 'none', event.identityarn ?? 'none'))
    .map(([field, value]) => exactFilter(field, value));
  const one = fc.oneof(exact, text, text, pattern, path);
  return fc.oneof(
    { weight: 6, arbitrary: one },
    { weight: 1, arbitrary: one.map((filter) => ({ ...filter, negated: true }) as Filter) },
    { weight: 1, arbitrary: fc.tuple(one, one).map(([a, b]) => groupFilters(false, [[a], [b]])[0] as Filter) },
  );
};

/** Lines about one event. `ends` are the times between which windows lie. */
export function linesAbout(event: EventTexts, catalog: Registry, ends: readonly [Date, Date]): fc.Arbitrary<string> {
  const minute = (at: number): string => new Date(at).toISOString().slice(0, 16);
  const at = Date.parse(event.eventtime ?? '');
  const window = fc.oneof(
    fc.constant<Window>({ kind: 'since', from: ends[0].toISOString().slice(0, 10) }),
    fc
      .tuple(fc.integer({ min: 1, max: 3 * 24 * 60 }), fc.integer({ min: 1, max: 3 * 24 * 60 }))
      .map(([before, after]): Window => ({ kind: 'between', from: minute(at - before * 60_000), to: minute(at + after * 60_000) })),
  );
  const filters = fc.array(filterOf(event), { minLength: 1, maxLength: 2 });
  const names = [
    event.target,
    event.actor,
    event.accesskeyid,
    event.sourceipaddress,
    event.eventid,
    event.requestid,
    event.eventname,
    event.sessionissuername,
    event.recipientaccountid,
  ].filter((name): name is string => typeof name === 'string' && name !== '');
  const name = fc.oneof(
    fc.constantFrom(...names),
    fc.constantFrom(event.requestparameters, event.responseelements, event.resourcesjson, event.identityarn).chain((text) => piece(text ?? 'none')),
  );
  const asking = fc.constantFrom(
    'history',
    'who-created',
    'who-changed',
    'who-deleted',
    'resource',
    'user',
    'role',
    'key',
    'ip',
    'session',
    'event',
    'who-started',
    'account',
  );
  const about = fc.tuple(asking, name, window).map(([command, word, time]) => printLine({ name: command, words: [word], filters: [], window: time }));
  const listing = fc
    .tuple(
      fc.constantFrom(
        'events',
        'count',
        'rare',
        'new',
        'volume',
        'top',
        'denied',
        'failed',
        'created',
        'deleted',
        'destructive',
        'clickops',
        'fields',
        'history',
      ),
      filters,
      window,
      fc.constantFrom(undefined, 'user', 'event', 'target'),
    )
    .map(([command, all, time, by]) =>
      printLine({
        name: command,
        words: command === 'history' ? [names[0] ?? 'none'] : [],
        filters: all,
        window: time,
        ...(by && catalog.commands.get(command)?.shape.includes('by') && { by: [by] }),
      }),
    );
  return fc.oneof(about, listing);
}

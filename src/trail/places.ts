/** Where the events of a question are: what `activity` and `mentions` tell, so that only that is read of `events`. */
import { z } from 'zod';
import type { Ask } from './engine.ts';
import { isKeptWhole, isOnDays, isOnOtherDays, type KeptDays, worthAsking } from './kept-days.ts';
import { type Days, join, type Query, query, raw, type Sql, sql, valueList } from './sql.ts';

/** Values of columns of `events`: an event that matters has one of them in each column. Undefined for any value. */
type ColumnValues = { readonly [column in PlaceColumn]?: readonly string[] | undefined };

/** The events that matter are in one of two sets, each null when it has none. */
export interface Places {
  /** Of calls that are known. */
  readonly ofCalls: ColumnValues | null;
  /** Of any call: what is known is only about the caller. */
  readonly ofCallers: ColumnValues | null;
  /** The days of delivery of which this is known; undefined for all. Of other days, every event matters. */
  readonly days?: readonly Days[] | undefined;
}

/**
 * Queries for places, each `select day, account, region, eventsource, eventname …`; null as source and name for any call. Every event that
 * matters is at a place of at least one of them.
 */
export type PlaceQueries = readonly Sql[];

const PLACE_COLUMNS = ['day', 'account', 'region', 'eventsource', 'eventname'] as const;
type PlaceColumn = (typeof PLACE_COLUMNS)[number];
const placeValue = z.object({ anycall: z.enum(['true', 'false']), dimension: z.enum(PLACE_COLUMNS), value: z.string().nullable() });
type PlaceValue = z.output<typeof placeValue>;

/** More values would make a condition longer than what it saves. */
const MAX_VALUES_OF_PLACES = 400;

/** The columns of a query for places. */
export const placeColumns: Sql = sql`day, account, region, eventsource, eventname`;

/** A trail to ask, and of which days its engine keeps activity and mentions. */
export interface KeptTrail {
  readonly ask: Ask;
  readonly kept: KeptDays;
}

/**
 * The places at which all of several groups of queries find something among some days of delivery; undefined for anywhere, as on an engine
 * that keeps nothing of them.
 */
export async function findPlaces(read: Days, groups: () => readonly PlaceQueries[], { ask, kept }: KeptTrail): Promise<Places | undefined> {
  const days = kept === 'all' || isKeptWhole(read, kept) ? undefined : worthAsking(read, kept);
  let places: Places | undefined;
  const asked = kept === 'all' ? groups() : groups().filter(isNarrow);
  for (const queries of days?.length === 0 ? [] : asked) {
    const found = readPlaces(await ask(placesQuery(queries, days)));
    places = places ? bothOf(places, found) : found;
    if (isNowhere(places)) break;
  }
  return places && isOfFewDays(places.ofCallers) ? { ...places, days } : undefined;
}

/** Whether queries read a small part of what they ask: not every name for a part of it, and no events. An engine that pays for bytes asks no others. */
const isNarrow = (queries: PlaceQueries): boolean => queries.every(({ text }) => !/strpos\(name,|\bfrom events\b/.test(text));

/** On more days than these, a caller's name narrows nothing: all calls of these days are read, and twice in part. */
const MAX_CALLER_DAYS = 20;
const isOfFewDays = (values: ColumnValues | null): boolean => values === null || (values.day !== undefined && values.day.length <= MAX_CALLER_DAYS);

const placesQuery = (queries: PlaceQueries, days: readonly Days[] | undefined): Query<PlaceValue> => query(placeValue)`
  select distinct anycall, dimension, case dimension when 'day' then day when 'account' then account when 'region' then region when 'eventsource' then eventsource else eventname end as value
  from (
    select distinct case when eventname is null then 'true' else 'false' end as anycall, ${placeColumns}
    from (${join(queries, ' union all ')}) as found${days ? sql` where ${isOnDays(days)}` : sql``}
  ) as places
  cross join unnest(array['day', 'account', 'region', 'eventsource', 'eventname']) as dimensions (dimension)
  order by anycall, dimension, value nulls last
`;

function readPlaces(rows: readonly PlaceValue[]): Places {
  const valuesOf = (isAnyCall: boolean): ColumnValues | null => {
    const own = rows.filter(({ anycall }) => anycall === String(isAnyCall));
    if (own.length === 0) return null;
    const of = (name: PlaceColumn): readonly string[] | undefined => {
      const values = own.flatMap(({ dimension, value }) => (dimension === name && value !== null ? [value] : []));
      return values.length === 0 || values.length > MAX_VALUES_OF_PLACES ? undefined : values;
    };
    return Object.fromEntries(PLACE_COLUMNS.map((name) => [name, of(name)]));
  };
  return { ofCalls: valuesOf(false), ofCallers: valuesOf(true) };
}

/** The places that are in both. What is known about callers only may be of a call that the other knows. */
function bothOf(one: Places, other: Places): Places {
  const common = (a: ColumnValues | null, b: ColumnValues | null): ColumnValues | null => {
    if (!a || !b) return null;
    const both = PLACE_COLUMNS.map(
      (name) => [name, a[name] && b[name] ? a[name].filter((value) => b[name]?.includes(value)) : (a[name] ?? b[name])] as const,
    );
    return both.some(([, values]) => values?.length === 0) ? null : Object.fromEntries(both);
  };
  const ofCalls = [common(one.ofCalls, other.ofCalls), common(one.ofCalls, other.ofCallers), common(one.ofCallers, other.ofCalls)].filter(
    (each) => each !== null,
  );
  const [first = null, ...others] = ofCalls;
  return { ofCalls: others.reduce(either, first), ofCallers: common(one.ofCallers, other.ofCallers) };
}

/** What is at one or the other, and a little more. */
const either = (one: ColumnValues | null, other: ColumnValues | null): ColumnValues | null =>
  one && other
    ? Object.fromEntries(PLACE_COLUMNS.map((name) => [name, one[name] && other[name] ? [...new Set([...one[name], ...other[name]])] : undefined]))
    : (one ?? other);

/** True when nothing that matters is anywhere, so that no event need be read. */
export const isNowhere = (places: Places | undefined): boolean =>
  places !== undefined && places.ofCalls === null && places.ofCallers === null && places.days === undefined;

/** The events of a relation that are at some places, as a relation. `where` limits them to a time. */
export function eventsAt(where: Sql, places: Places | undefined): Sql {
  const select = (condition: Sql): Sql => sql`select * from events
    where ${where}${condition}`;
  if (places === undefined)
    return sql`(
    ${select(sql``)}
  )`;
  const { ofCalls, ofCallers, days } = places;
  const [atCalls, atCallers] = [ofCalls && isAt(ofCalls), ofCallers && isAt(ofCallers)];
  const isKnown = days ? sql` and ${isOnDays(days)}` : sql``;
  const parts = [
    ...(atCalls ? [select(sql` and ${atCalls}${isKnown}`)] : []),
    ...(atCallers ? [select(sql` and ${atCallers}${atCalls ? sql` and not (${atCalls})` : sql``}${isKnown}`)] : []),
    ...(days ? [select(sql` and ${isOnOtherDays(days)}`)] : []),
  ];
  return sql`(
    ${parts.length === 0 ? select(sql` and 1 = 0`) : join(parts, ' union all ')}
  )`;
}

/** The condition that an event has one of the values in each column. */
function isAt(values: ColumnValues): Sql {
  const tests = PLACE_COLUMNS.flatMap((name) => {
    const list = values[name];
    return list ? [sql`${raw(name)} in (${valueList(list)})`] : [];
  });
  return tests.length > 0 ? join(tests, ' and ') : sql`1 = 1`;
}

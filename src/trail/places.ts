/** Where the events of a question are: what `activity` and `mentions` tell, so that only that is read of `events`. */
import { z } from 'zod';
import type { Ask } from './engine.ts';
import { join, type Query, query, type Sql, sql, valueList } from './sql.ts';

/** Values of columns of `events`. An event that is not at one of the values of each does not matter. Undefined for any value. */
export interface Places {
  readonly day?: readonly string[] | undefined;
  readonly account?: readonly string[] | undefined;
  readonly region?: readonly string[] | undefined;
  readonly eventsource?: readonly string[] | undefined;
  readonly eventname?: readonly string[] | undefined;
}

/**
 * Queries for places, each `select day, account, region, eventsource, eventname …`; null as source and name for any call. Every event that
 * matters is at a place of at least one of them.
 */
export type PlaceQueries = readonly Sql[];

const DIMENSIONS_OF_PLACES = ['day', 'account', 'region', 'eventsource', 'eventname'] as const;
const placeValue = z.object({ dimension: z.enum(DIMENSIONS_OF_PLACES), value: z.string().nullable() });
type PlaceValue = z.output<typeof placeValue>;

/** More values would make a condition longer than what it saves. */
const MAX_VALUES_OF_PLACES = 400;

/** The columns of a query for places. */
export const placeColumns: Sql = sql`day, account, region, eventsource, eventname`;

/** A trail to ask, and whether its engine keeps activity and mentions. */
export interface KeptTrail {
  readonly ask: Ask;
  readonly keeps: boolean;
}

/** The places at which all of several groups of queries find something; undefined for anywhere, as on an engine that keeps nothing. */
export async function findPlaces(groups: () => readonly PlaceQueries[], { ask, keeps }: KeptTrail): Promise<Places | undefined> {
  let places: Places | undefined;
  for (const queries of keeps ? groups() : []) {
    places = { ...bothOf(places, readPlaces(await ask(placesQuery(queries)))) };
    if (isNowhere(places)) return places;
  }
  return places;
}

const placesQuery = (queries: PlaceQueries): Query<PlaceValue> => query(placeValue)`
  select distinct dimension, case dimension when 'day' then day when 'account' then account when 'region' then region when 'eventsource' then eventsource else eventname end as value
  from (select distinct ${placeColumns} from (${join(queries, ' union all ')}) as found) as places
  cross join unnest(array['day', 'account', 'region', 'eventsource', 'eventname']) as dimensions (dimension)
  order by dimension, value nulls last
`;

function readPlaces(rows: readonly PlaceValue[]): Places {
  const of = (name: (typeof DIMENSIONS_OF_PLACES)[number]): readonly string[] | undefined => {
    const values = rows.filter(({ dimension }) => dimension === name).map(({ value }) => value);
    const known = values.filter((value) => value !== null);
    return known.length < values.length || known.length > MAX_VALUES_OF_PLACES ? undefined : known;
  };
  return Object.fromEntries(DIMENSIONS_OF_PLACES.map((name) => [name, of(name)]));
}

const bothOf = (one: Places | undefined, other: Places): Places =>
  one === undefined
    ? other
    : Object.fromEntries(
        DIMENSIONS_OF_PLACES.map((name) => {
          const [a, b] = [one[name], other[name]];
          return [name, a && b ? a.filter((value) => b.includes(value)) : (a ?? b)];
        }),
      );

/** True when nothing that matters is anywhere. */
export const isNowhere = (places: Places | undefined): boolean =>
  places !== undefined && DIMENSIONS_OF_PLACES.some((name) => places[name]?.length === 0);

/** The condition that an event is at one of the places; it follows another condition. */
export function atPlaces(places: Places | undefined): Sql {
  if (places === undefined) return sql``;
  if (isNowhere(places)) return sql` and 1 = 0`;
  const conditions = [
    places.day && sql` and day in (${valueList(places.day)})`,
    places.account && sql` and account in (${valueList(places.account)})`,
    places.region && sql` and region in (${valueList(places.region)})`,
    places.eventsource && sql` and eventsource in (${valueList(places.eventsource)})`,
    places.eventname && sql` and eventname in (${valueList(places.eventname)})`,
  ].filter((condition) => condition !== undefined);
  return conditions.reduce((all, condition) => sql`${all}${condition}`, sql``);
}

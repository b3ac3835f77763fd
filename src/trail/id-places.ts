/** Where the events are that have an id of an event or a request. */
import { ID_COLUMNS, idTests, UUID_FORM } from './event-id.ts';
import { eventsDuring } from './events.ts';
import { placesOfClue } from './filter-places.ts';
import { findPlaces, type KeptTrail, type PlaceQueries, type Places, placeColumns } from './places.ts';
import { raw, type Sql, sql } from './sql.ts';
import type { TimeRange } from './time-window.ts';

/**
 * Where the events are that have an id, also those that were delivered late. One column and one id at a time, an engine may know by a Bloom
 * filter that a file does not have it.
 */
export const placesOfId = (id: string, range: TimeRange, trail: KeptTrail): Promise<Places | undefined> =>
  findPlaces(() => [UUID_FORM.test(id) ? placesOfUuid(id.toLowerCase(), range) : idTests(id).map((test) => eventPlaces(range, test))], trail);

/** Ids in this form are in lower case, or are mentions. */
const placesOfUuid = (id: string, range: TimeRange): PlaceQueries => [
  ...ID_COLUMNS.map((column) => eventPlaces(range, sql`${raw(column)} = ${id}`)),
  ...placesOfClue([sql`name = ${id}`], range, { ofCalls: true, late: true }),
];

const eventPlaces = (range: TimeRange, condition: Sql): Sql =>
  sql`select ${placeColumns} from ${eventsDuring(range, { late: true })} where ${condition}`;

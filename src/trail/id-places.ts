/** Where the events are that have an id of an event or a request. */
import { ID_COLUMNS, idTests, UUID_FORM } from './event-id.ts';
import { eventsDuring, readDays } from './events.ts';
import { placesOfClue } from './filter-places.ts';
import { findPlaces, isNowhere, type KeptTrail, type Places, placeColumns } from './places.ts';
import { raw, type Sql, sql } from './sql.ts';
import type { TimeRange } from './time-window.ts';

/**
 * Where the events are that have an id, also those that were delivered late. One column and one id at a time, an engine may know by a Bloom
 * filter that a file does not have it; what has it as its eventID is the one event that is asked for.
 */
export async function placesOfId(id: string, range: TimeRange, trail: KeptTrail): Promise<Places | undefined> {
  const placesWhere = (condition: Sql): Sql => sql`select ${placeColumns} from ${eventsDuring(range, { late: true })} where ${condition}`;
  const days = readDays(range, { late: true });
  if (!UUID_FORM.test(id)) return findPlaces(days, () => [idTests(id).map(placesWhere)], trail);
  const written = id.toLowerCase();
  const [ofEvent, ...others] = ID_COLUMNS.map((column) => placesWhere(sql`${raw(column)} = ${written}`)) as [Sql, ...Sql[]];
  const places = await findPlaces(days, () => [[ofEvent]], trail);
  // Ids in this form are in lower case, or are mentions. An id may be mentioned elsewhere too, so that alone says nothing.
  const mentioned = placesOfClue([sql`name = ${written}`], range, { ofCalls: true, late: true });
  return isNowhere(places) ? findPlaces(days, () => [[...others, ...mentioned]], trail) : places;
}

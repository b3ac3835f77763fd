/**
 * The ids by which people look for an event: its eventID, the id of the request, which error messages of AWS name, the sharedEventID
 * of a call that is logged in two accounts, and the two ids of a request to S3 (AWS re:Post, "How do I get the request ID for S3").
 */
import { eventsDuring } from './events.ts';
import { findPlaces, type KeptTrail, type Places, placeColumns } from './places.ts';
import { join, raw, type Sql, sql, valueList } from './sql.ts';
import type { TimeRange } from './time-window.ts';

const UUID_FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Request ids that are no UUID: S3's with 16 characters, DynamoDB's with 52, and S3's `x-amz-id-2` in base64. */
const REQUEST_ID = /^(?:(?=.*\d)(?=.*[A-Z])[0-9A-Z]{16}|[0-9A-Z]{52}|(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[0-9A-Za-z+/]{56,}={0,2})$/;

/** True for text that can only be the id of a request. */
export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);

/** The condition that an event has `id`, as any of its ids. */
export const hasId = (id: string): Sql => sql`(${join(idTests(id), ' or ')})`;

/** One condition for each place of a record in which an id may be. */
function idTests(id: string): Sql[] {
  const written = valueList([...new Set([id, id.toLowerCase(), id.toUpperCase()])]);
  return [
    ...['eventid', 'requestid', 'sharedeventid'].map((column) => sql`${raw(column)} in (${written})`),
    // Only S3 writes a second id, and that is no UUID.
    ...(UUID_FORM.test(id) ? [] : [sql`(eventsource = 's3.amazonaws.com' and strpos(additionaleventdata, ${`"${id}"`}) > 0)`]),
  ];
}

/** Where the events are that have an id. One column at a time, an engine may know without reading that a file does not have it. */
export const placesOfId = (id: string, range: TimeRange, late: boolean, trail: KeptTrail): Promise<Places | undefined> =>
  findPlaces(() => [idTests(id).map((test) => sql`select ${placeColumns} from ${eventsDuring(range, { late })} where ${test}`)], trail);

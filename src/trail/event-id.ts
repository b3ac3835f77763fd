/**
 * The ids by which people look for an event: its eventID, the id of the request, which error messages of AWS name, the sharedEventID
 * of a call that is logged in two accounts, and the two ids of a request to S3 (AWS re:Post, "How do I get the request ID for S3").
 */
import { join, raw, type Sql, sql, valueList } from './sql.ts';

/** The form of an id that AWS makes for an event or a request. */
export const UUID_FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Request ids that are no UUID: S3's with 16 characters, DynamoDB's with 52, and S3's `x-amz-id-2` in base64. */
const REQUEST_ID = /^(?:(?=.*\d)(?=.*[A-Z])[0-9A-Z]{16}|[0-9A-Z]{52}|(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[0-9A-Za-z+/]{56,}={0,2})$/;

/** True for text that can only be the id of a request. */
export const isRequestId = (text: string): boolean => REQUEST_ID.test(text);

/** The condition that an event has `id`, as any of its ids. */
export const hasId = (id: string): Sql => sql`(${join(idTests(id), ' or ')})`;

/** The columns with the ids of an event. */
export const ID_COLUMNS = ['eventid', 'requestid', 'sharedeventid'];

/** One condition for each place of a record in which an id may be. */
export function idTests(id: string): Sql[] {
  const written = valueList([...new Set([id, id.toLowerCase(), id.toUpperCase()])]);
  return [
    ...ID_COLUMNS.map((column) => sql`${raw(column)} in (${written})`),
    // Only S3 writes a second id, and that is no UUID.
    ...(UUID_FORM.test(id) ? [] : [sql`(eventsource = 's3.amazonaws.com' and strpos(additionaleventdata, ${`"${id}"`}) > 0)`]),
  ];
}

/**
 * The relation `mentions`: the words by which the records of a day, an account and a region can be asked for, so that a question about a
 * name reads only what has the name. A word is a run of letters, digits and `_@+-`, also with dots within: `orders-api`,
 * `i-0abc1234def567890`, `203.0.113.7`, `maria@example.com`; an ARN or a path has one for each of its parts. Names are in lower case.
 *
 * - Words of what a call is about (request, response, resources, error, and so on) have its `eventsource` and `eventname`.
 * - Words of who called and how (`userIdentity`, `tlsDetails`, and so on) have none, because they are the same in all calls of a session.
 * - The name of a word with more than 64 characters is empty. Its row adds up all such words.
 * - Left out are session tokens, numbers and times (words of only digits and `tz.+_-`, but for accounts and IPv4 addresses) and the `x-amz-id-2` of S3.
 *
 * Questions reach it through the queries of `filter-places.ts`, each of which has a time range.
 */
import { raw, type Sql } from './sql.ts';

/** The columns of `mentions`: where, what call, the name, how many events have it, how many of these are writes, and their first and last eventTime. */
export const mentionColumns: readonly string[] = 'day account region eventsource eventname name events writes first last'.split(' ');

/** An id that AWS makes for each request or event. S3 has a form of its own. */
const UUID_PATTERN = '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
const S3_REQUEST = '^[0-9A-Z]{16}$';
const requestId = (column: string): string =>
  `case when not regexp_like(${column}, '${UUID_PATTERN}') and not (eventsource = 's3.amazonaws.com' and regexp_like(${column}, '${S3_REQUEST}')) then ${column} end`;

const searchedResponse: Sql = raw(
  `case when strpos(responseelements, '"sessionToken"') > 0 then regexp_replace(responseelements, '"sessionToken": *"[^"]*"', '"sessionToken":""') else responseelements end`,
);
const searchedAdditional: Sql = raw(
  `case when strpos(additionaleventdata, '"x-amz-id-2"') > 0 then regexp_replace(additionaleventdata, '"x-amz-id-2": *"[^"]*"', '"x-amz-id-2":""') else additionaleventdata end`,
);

const SEARCHED: Readonly<Record<string, Sql>> = { responseelements: searchedResponse, additionaleventdata: searchedAdditional };

/**
 * A column with text as it is searched: the response without session tokens, and the additional data without the second id of S3. In such
 * long random text any short name is found by chance, and a token is a secret besides.
 */
export const searchedText = (column: Sql): Sql => SEARCHED[column.text] ?? column;

/** What the words of a call come from, and what those of its caller come from. */
const CALL_TEXTS = `requestparameters, ${searchedResponse.text}, ${searchedAdditional.text}, serviceeventdetails, resourcesjson, errormessage, ${requestId('eventid')}, ${requestId('requestid')}, ${requestId('sharedeventid')}`;
const CALLER_TEXTS = 'useridentity, tlsdetails, addendum, edgedevicedetails';

/** A word, in text in lower case. Both engines take it as regular expression, and JavaScript. */
export const WORD = '[a-z0-9_@+-]+(?:[.]+[a-z0-9_@+-]+)*';
/** A word that may be a number, a date or a time, and the ones of these that are kept. */
const NUMBER_LIKE = '^[0-9tz.+_-]+$';
const KEPT_NUMBER = '^(?:[0-9]{12}|[0-9]{1,3}(?:[.][0-9]{1,3}){3})$';
/** More than in any name. Longer ones are mostly tokens and encoded data. */
export const MAX_WORD_LENGTH = 64;
/** Keys and values that are in the records of whole services, and words of error messages. Half of all rows would be theirs. */
export const STOP_WORDS: readonly string[] =
  `accountid and arn arnprefix assumed-role authenticationmethod authheader authorized aws aws_key because bucket
  bucketname bytestransferredin bytestransferredout ciphersuite configuration does exist exists false filterset found groupid header host iam identity-based
  instanceid instancesset invalid item items key keyid kms lambda location maxresults message name nexttoken not null object objectkey objects on or perform
  policy prefix region request resource resources response role s3 signatureversion sigv4 specified status string sts tag tags the this to tls_aes_128_gcm_sha256
  tls_aes_256_gcm_sha384 ecdhe-rsa-aes128-gcm-sha256 true type user value valueset version with x-amz-id-2`.split(/\s+/);

/**
 * `mentions` of all of `events`. Equal texts are cut into words once. `count` counts events: all rows where each event is there once, as
 * where mentions are kept, or `distinctEventCount`.
 */
export function mentionsOf(count: Sql): Sql {
  const counts = `cast(${count.text} as bigint) as events, cast(${count.text} filter (where readlike = 'false') as bigint) as writes, min(eventtime) as first, max(eventtime) as last`;
  return raw(`select day, account, region, eventsource, eventname, name,
    cast(sum(events) as bigint) as events, cast(sum(writes) as bigint) as writes, min(first) as first, max(last) as last
  from (
    select day, account, region, eventsource, eventname, events, writes, first, last, case when length(word) > ${MAX_WORD_LENGTH} then '' else word end as name
    from (
      select day, account, region, eventsource, eventname, lower(concat_ws(chr(10), ${CALL_TEXTS})) as text, ${counts}
      from events
      group by day, account, region, eventsource, eventname, lower(concat_ws(chr(10), ${CALL_TEXTS}))
      union all
      select day, account, region, cast(null as varchar) as eventsource, cast(null as varchar) as eventname, lower(concat_ws(chr(10), ${CALLER_TEXTS})) as text, ${counts}
      from events
      group by day, account, region, lower(concat_ws(chr(10), ${CALLER_TEXTS}))
    ) as texts
    cross join unnest(array_distinct(regexp_extract_all(text, '${WORD}'))) as words (word)
    where (not regexp_like(word, '${NUMBER_LIKE}') or regexp_like(word, '${KEPT_NUMBER}')) and word not in (${STOP_WORDS.map((word) => `'${word}'`).join(', ')})
  ) as named
  group by day, account, region, eventsource, eventname, name`);
}

/** A random id of an event or a request, which is no mention. */
export const isRandomId = (id: string, eventsource: string): boolean =>
  RANDOM_ID.test(id) || (eventsource === 's3.amazonaws.com' && RANDOM_ID_OF_S3.test(id));

const [RANDOM_ID, RANDOM_ID_OF_S3] = [new RegExp(UUID_PATTERN), new RegExp(S3_REQUEST)];
const stopWords: ReadonlySet<string> = new Set(STOP_WORDS);
const [isNumberLike, isKeptNumber] = [new RegExp(NUMBER_LIKE), new RegExp(KEPT_NUMBER)];

/** True for a word, or a part of one, that is left out as a number or a time. */
export const isLeftOutNumber = (word: string): boolean => isNumberLike.test(word);

/** How `mentions` has a word, which is in lower case: as it is, or empty for a long one; undefined for one that it leaves out. */
export function mentionOf(word: string): string | undefined {
  if ((isNumberLike.test(word) && !isKeptNumber.test(word)) || stopWords.has(word)) return undefined;
  return word.length > MAX_WORD_LENGTH ? '' : word;
}

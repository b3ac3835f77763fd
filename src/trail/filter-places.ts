/** Where the events that match the filters of a line may be, by what is kept of the trail. */
import { isIP } from 'node:net';
import { isInActivity } from './activity.ts';
import { isRequestId } from './event-id.ts';
import { eventsDuring, isoSecond, readDays } from './events.ts';
import { columnsContain, type Filter, filterColumns, isTerm, matching, mayBeLeftOut, type Term } from './filter.ts';
import type { FilterValue } from './filter-value.ts';
import { documentColumn, readPath } from './json-path.ts';
import { clueToPattern, clueToText, clueToValue, clueToValuePattern, type NameClue, type TextClue } from './name-clue.ts';
import { findPlaces, type KeptTrail, type PlaceQueries, type Places, placeColumns } from './places.ts';
import { join, raw, type Sql, sql } from './sql.ts';
import type { TimeRange } from './time-window.ts';

/** Words of calls only, or of their callers, too; of events that were delivered late, too. */
type ClueOptions = { readonly ofCalls: boolean; readonly ofWrites?: boolean; readonly late?: boolean };

/** The queries for the places of a clue. */
export const placesOfClue = (clue: NameClue, range: TimeRange, { ofCalls, ofWrites = false, late = false }: ClueOptions): PlaceQueries =>
  clue.map((condition) =>
    placesWith('mentions', range, sql`${condition}${ofCalls ? sql` and eventsource is not null` : sql``}${ofWrites ? sql` and writes > 0` : sql``}`, {
      late,
    }),
  );

/**
 * The query for the places of the rows of `activity` or `mentions` that fulfil a condition and have events in a range, [from, to). The times
 * are compared last: an engine that compares them first reads them for all rows. `condition` has no `or` outside of parentheses.
 */
function placesWith(relation: 'activity' | 'mentions', range: TimeRange, condition: Sql, { late = false } = {}): Sql {
  const { first, last } = readDays(range, { late });
  return sql`select ${placeColumns}
    from (
      select ${placeColumns}, max(last) as last, min(first) as first
      from ${raw(relation)}
      where day between ${first} and ${last} and ${condition}
      group by ${placeColumns}
    ) as found
    where last >= ${isoSecond(range.from)} and first < ${isoSecond(range.to)}`;
}

/**
 * Groups of queries for the places of the events of `range` that match filters and a condition of their own; each group by itself is
 * complete. Empty when nothing that is kept narrows the search.
 */
export function filterPlaces(filters: readonly Filter[], own: Sql | undefined, range: TimeRange): PlaceQueries[] {
  const known = [...(own && isInActivity([own]) ? [own] : []), ...filters.map((filter) => matching([filter])).filter((each) => isInActivity([each]))];
  const isAll = ({ text }: Sql): boolean => text === '1 = 1';
  const narrowing = known.filter((each) => !isAll(each));
  const byName = filters.map((filter) => placesOfFilter(filter, range)).find((found) => found !== undefined);
  return [...(byName ? [byName] : []), ...(narrowing.length > 0 ? [placesInActivity(range, join(narrowing, ' and '))] : [])];
}

/** The queries for where events of a range are for which a condition on `activity` is true. */
export const placesInActivity = (range: TimeRange, condition: Sql): PlaceQueries => [placesWith('activity', range, condition)];

/** What a question's events fulfil: filters of its line, and a condition of its own. */
interface Selection {
  readonly filters?: readonly Filter[];
  readonly where?: Sql;
}

/** Where the events of a range are that a question selects; undefined for anywhere. */
export const placesOf = (range: TimeRange, { filters = [], where }: Selection, trail: KeptTrail): Promise<Places | undefined> =>
  findPlaces(readDays(range), () => filterPlaces(filters, where, range), trail);

/** The queries for the places of one filter; undefined when what is kept cannot tell. */
function placesOfFilter(filter: Filter, range: TimeRange): PlaceQueries | undefined {
  if (filter.negated) return undefined;
  if (isTerm(filter)) return placesOfTerm(filter, range);
  return allPlaces(
    filter.any.map((all) => {
      const condition = matching(all);
      if (isInActivity([condition])) return placesInActivity(range, condition);
      return all.map((each) => placesOfFilter(each, range)).find((found) => found !== undefined);
    }),
  );
}

/** All queries of several alternatives; undefined when one of them is not known. */
export const allPlaces = (alternatives: readonly (PlaceQueries | undefined)[]): PlaceQueries | undefined =>
  alternatives.every((each) => each !== undefined) ? alternatives.flat() : undefined;

function placesOfTerm(term: Term, range: TimeRange): PlaceQueries | undefined {
  const { field, values } = term;
  const path = readPath(field);
  if (field === 'text') return placesOfText(values, range);
  if (field === 'target' || field === 'message') return placesOfValues(values, range, { ofCalls: true });
  if (field === 'resources') return allPlaces(values.map((value) => placesOrNothing(clueTo(value)?.conditions, range, { ofCalls: true })));
  if (!path) return undefined;
  const isOfCaller = ['useridentity', 'tlsdetails', 'addendum', 'edgedevicedetails'].includes(documentColumn(path).text);
  const found = placesOfValues(values, range, { ofCalls: !isOfCaller });
  return found && [...found, ...(mayBeLeftOut(path) ? placesOfLeftOut(range) : [])];
}

/** Records with a part that CloudTrail left out: they have the word `omitted`. */
export const placesOfLeftOut = (range: TimeRange): PlaceQueries => placesOfClue([sql`name = 'omitted'`], range, { ofCalls: true });

const placesOrNothing = (clue: NameClue | undefined, range: TimeRange, options: ClueOptions): PlaceQueries | undefined =>
  clue && placesOfClue(clue, range, options);

const placesOfValues = (values: readonly FilterValue[], range: TimeRange, options: ClueOptions): PlaceQueries | undefined =>
  allPlaces(values.map(({ text, wildcard }) => placesOrNothing(wildcard ? clueToValuePattern(text)?.conditions : clueToValue(text), range, options)));

const clueTo = ({ text, wildcard }: FilterValue): TextClue | undefined => (wildcard ? clueToPattern(text) : clueToText(text));

/** The columns that a search for text compares and `activity` has. */
const KEPT_TEXTS = filterColumns('text').filter((column) => isInActivity([column]));
/** What may be a part of an id that is no mention: of a UUID, or of one of S3. */
const PART_OF_ID = /^(?:[0-9a-f-]*|[0-9a-z]{1,16})$/;

/** The places of text anywhere in a record: in words, in columns of `activity`, or in the random ids that `mentions` leaves out. */
function placesOfText(values: readonly FilterValue[], range: TimeRange): PlaceQueries | undefined {
  // An address can be written in several ways, and ids of requests to S3 are no mentions.
  if (values.some(({ text }) => isIP(text) || isRequestId(text))) return undefined;
  const clues = values.map(clueTo);
  const found = allPlaces(clues.map((clue) => placesOrNothing(clue?.conditions, range, { ofCalls: false })));
  if (!found) return undefined;
  const inIds = values.filter((_, i) => PART_OF_ID.test(clues[i]?.word ?? ''));
  return [
    ...found,
    ...KEPT_TEXTS.flatMap((column) => placesInActivity(range, columnsContain([column], values))),
    ...(inIds.length > 0 ? idPlaces(inIds, range) : []),
  ];
}

/** The queries for where an event or a request has an id with a value in it that is no mention. Ids in the form of a UUID are in lower case. */
function idPlaces(values: readonly FilterValue[], range: TimeRange): PlaceQueries {
  const parts = values.flatMap((value) => clueTo(value)?.word ?? []);
  const contains = (column: Sql, written: readonly string[]): Sql =>
    join(
      written.map((part) => sql`strpos(${column}, ${part}) > 0`),
      ' or ',
    );
  const hex = parts.filter((part) => /^[0-9a-f-]*$/.test(part));
  const ids = ['eventid', 'requestid', 'sharedeventid'].map((column) => contains(raw(column), hex));
  const ofS3 = contains(
    sql`requestid`,
    parts.map((part) => part.toUpperCase()),
  );
  return [
    ...(hex.length > 0 ? [sql`select ${placeColumns} from ${eventsDuring(range)} where ${join(ids, ' or ')}`] : []),
    sql`select ${placeColumns} from ${eventsDuring(range)} where eventsource = 's3.amazonaws.com' and (${ofS3})`,
  ];
}

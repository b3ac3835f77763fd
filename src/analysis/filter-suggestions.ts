/** Corrects mistyped names in filters to names that the trail has, when a question found nothing. */
import { z } from 'zod';
import { closestMatch, typoCount } from '../text/closest-match.ts';
import { escapeRegExp } from '../text/escape-reg-exp.ts';
import { parseJson } from '../text/json.ts';
import { activityDuring, eventCount } from '../trail/activity.ts';
import type { Ask, Extent } from '../trail/engine.ts';
import { type Filter, filterColumns, holdsNames, isTerm, mapTerms, matching, storedValue, type Term, termsOf } from '../trail/filter.ts';
import { type FilterValue, matchesWildcards } from '../trail/filter-value.ts';
import type { Folders } from '../trail/folders.ts';
import { documentColumn, type JsonPath, printPath, readPath } from '../trail/json-path.ts';
import type { KeptDays } from '../trail/kept-days.ts';
import { containing, join, limit, type Query, query, type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

const cells = z.record(z.string(), z.string().nullable());
type Cells = z.output<typeof cells>;

/** How to query the trail, and what it is known to cover. */
interface TrailAccess {
  readonly ask: Ask;
  /** The days of which the engine keeps activity. */
  readonly kept: KeptDays;
  /** The folders that can have events which match all filters; undefined for all. */
  foldersOf(filters: readonly Filter[]): Folders | undefined;
  readonly extent: () => Promise<Pick<Extent, 'accounts' | 'regions'>>;
}

/**
 * The filters with likely mistyped names replaced by names from the trail; undefined when no name is close, or all names exist as
 * typed. Call it only for an empty answer: for anything but a region or account it scans the range again.
 */
export async function suggestFilters(
  filters: readonly Filter[],
  range: TimeRange,
  { ask, kept, foldersOf, extent }: TrailAccess,
): Promise<readonly Filter[] | undefined> {
  const corrected = correctRegionsAndAccounts(filters, await extent());
  if (corrected) return corrected;
  const suspects = filters.filter((filter) => suspectTerms(filter).length > 0);
  if (suspects.length === 0) return undefined;
  const rows = await ask(candidateQuery(filters, suspects, range, { kept, foldersOf }));
  let best: Correction<readonly Filter[]> | undefined;
  for (const row of rows) {
    const found = correctFilters(filters, row);
    if (found && (!best || found.cost < best.cost)) best = found;
  }
  return best && best.cost > 0 ? best.corrected : undefined;
}

/** The filters with the closest region and account of the trail; undefined when they exist as typed, or none is close. */
function correctRegionsAndAccounts(
  filters: readonly Filter[],
  { regions, accounts }: Pick<Extent, 'accounts' | 'regions'>,
): readonly Filter[] | undefined {
  const lists: Readonly<Record<string, readonly string[]>> = { region: regions, account: accounts };
  const correctTerm = (term: Term): Term => {
    const names = term.negated ? undefined : lists[term.field];
    if (!names || term.values.some(({ text, wildcard }) => wildcard || names.includes(storedValue(term.field, text)))) return term;
    const values = term.values.map((value) => {
      const [meant] = closestFirst(value.text, names);
      return meant === undefined ? value : { text: meant, wildcard: false };
    });
    return { ...term, values };
  };
  const corrected = mapTerms(filters, correctTerm);
  const isChanged = termsOf(corrected).some(({ values }, i) => values.some(({ text }, n) => text !== termsOf(filters)[i]?.values[n]?.text));
  return isChanged ? corrected : undefined;
}

const closestFirst = (typed: string, names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, typos: typoCount(typed, name) }))
    .filter(({ typos }) => typos !== undefined)
    .sort((a, b) => Number(a.typos) - Number(b.typos))
    .map(({ name }) => name);

/** The terms of a filter whose values may be mistyped. Negated ones are not: a mistyped name there excludes nothing. */
function suspectTerms(filter: Filter): readonly Term[] {
  if (filter.negated) return [];
  return isTerm(filter) ? [filter].filter(isSuspect) : filter.any.flat().flatMap(suspectTerms);
}

const isSuspect = ({ field, negated, values }: Term): boolean =>
  !negated && holdsNames(field) && (readPath(field) !== undefined || values.some(({ text }) => /[\p{L}\p{N}]/u.test(text)));

/** Limits on what is compared: the most frequent combinations of names, or the newest JSON documents, which are large. */
const MAX_CANDIDATES = 5000;
const MAX_DOCUMENTS = 300;

/** The values that resemble the suspect filters, in events of the range that match all the other filters. */
function candidateQuery(
  filters: readonly Filter[],
  suspects: readonly Filter[],
  range: TimeRange,
  { kept, foldersOf }: Pick<TrailAccess, 'kept' | 'foldersOf'>,
): Query<Cells> {
  const columns = [
    ...new Map(
      suspects
        .flatMap(suspectTerms)
        .flatMap(searchedColumns)
        .map((column) => [column.text, column]),
    ).values(),
  ];
  const names = join(columns, ', ');
  const others = filters.filter((filter) => !suspects.includes(filter));
  const where = sql`${matching(others)} and ${join(suspects.map(resembles), ' and ')}`;
  const from = sql`from ${activityDuring(range, { kept, uses: [where, ...columns], folders: foldersOf(others) })} where ${where}`;
  if (suspects.flatMap(suspectTerms).some(({ field }) => readPath(field)))
    return query(cells)`select ${names} ${from} order by first desc, singleid ${limit(MAX_DOCUMENTS)}`;
  return query(cells)`select ${names} ${from} group by ${names} order by ${eventCount()} desc, ${names} ${limit(MAX_CANDIDATES)}`;
}

/** The columns that a term searches. */
function searchedColumns({ field, values }: Term): readonly Sql[] {
  const path = readPath(field);
  if (path) return [documentColumn(path)];
  // ARNs are pasted, not typed.
  return filterColumns(field).filter(({ text }) => !text.endsWith('arn') || values.some((value) => value.text.startsWith('arn:')));
}

/** A condition that matches every event whose names are close to those of a filter, and few others. */
function resembles(filter: Filter): Sql {
  if (!isTerm(filter))
    return sql`(${join(
      filter.any
        .map((all) => all.filter((each) => suspectTerms(each).length > 0))
        .filter((all) => all.length > 0)
        .map((all) => sql`(${join(all.map(resembles), ' and ')})`),
      ' or ',
    )})`;
  const { field, values } = filter;
  const path = readPath(field);
  const key = path?.keys.findLast((each) => typeof each === 'string');
  if (path) return sql`strpos(lower(${documentColumn(path)}), ${key === undefined ? '' : `"${key.toLowerCase()}"`}) > 0`;
  const conditions = searchedColumns(filter).flatMap((column) =>
    values.flatMap(({ text, wildcard }) => {
      const stored = storedValue(field, text);
      if (wildcard) return [matchesWildcards(sql`lower(${column})`, stored.toLowerCase())];
      return [
        sql`length(${column}) between ${stored.length - MAX_TYPOS} and ${stored.length + MAX_TYPOS}`,
        sql`lower(${column}) like ${containing(text.toLowerCase())} escape '!'`,
      ];
    }),
  );
  return sql`(${join(conditions, ' or ')})`;
}

const MAX_TYPOS = 2;

/** The filters corrected to match a row; undefined when they are too far from it. */
function correctFilters(filters: readonly Filter[], row: Cells): Correction<readonly Filter[]> | undefined {
  const each = filters.map((filter) => correctFilter(filter, row));
  if (!each.every((one) => one !== undefined)) return undefined;
  return {
    cost: each.reduce((sum, { cost }) => sum + cost, 0),
    corrected: each.map(({ cost, corrected }, i) => (cost === 0 ? (filters[i] as Filter) : corrected)),
  };
}

/** What a filter or value was probably meant to be. The cost counts typos; 0 means that it matches as typed. */
interface Correction<Of> {
  readonly cost: number;
  readonly corrected: Of;
}

const cheapest = <Of>(all: readonly (Correction<Of> | undefined)[]): Correction<Of> | undefined =>
  all.filter((one) => one !== undefined).reduce<Correction<Of> | undefined>((best, one) => (best && best.cost <= one.cost ? best : one), undefined);

function correctFilter(filter: Filter, row: Cells): Correction<Filter> | undefined {
  if (suspectTerms(filter).length === 0) return { cost: 0, corrected: filter };
  if (isTerm(filter))
    return readPath(filter.field) ? correctPath(filter, row) : cheapest(filter.values.map((value) => correctValue(filter, value, row)));
  return cheapest(
    filter.any.map((all, i) => {
      // An alternative without names has nothing to correct, and it found nothing.
      const found = all.some((each) => suspectTerms(each).length > 0) ? correctFilters(all, row) : undefined;
      return found && { cost: found.cost, corrected: { ...filter, any: filter.any.with(i, found.corrected) } };
    }),
  );
}

function correctValue(term: Term, value: FilterValue, row: Cells): Correction<Filter> | undefined {
  const cellsOf = searchedColumns(term).map(({ text: column }) => row[column] ?? '');
  const found = cheapest(cellsOf.map((cell) => correctName(term.field, value, cell)));
  return found && { cost: found.cost, corrected: withValue(term, value, found.corrected) };
}

const withValue = (term: Term, old: FilterValue, value: FilterValue): Term => ({
  ...term,
  values: term.values.map((each) => (each === old ? value : each)),
});

/** Wrong capitals cost less than a wrong letter. */
const CASE_COST = 0.5;
/** When only part of the name was typed: more than any number of typos. */
const PREFIX_COST = 3;
const PART_COST = 4;
const MIN_PART_LENGTH = 3;

/** The value that would match the name in a cell; undefined when the typed value is too far from it. */
function correctName(field: string, value: FilterValue, cell: string): Correction<FilterValue> | undefined {
  const isShort = field === 'source' && !value.text.includes('.');
  const name = isShort ? cell.replace(/[.]amazonaws[.]com$/, '') : cell;
  const inItsCase = withCaseOf(value, name);
  const typed = isShort || value.wildcard ? value.text : storedValue(field, value.text);
  if (inItsCase) {
    const isSame = inItsCase.text === typed || storedValue(field, inItsCase.text) === storedValue(field, value.text);
    return { cost: isSame ? 0 : CASE_COST, corrected: isSame ? value : inItsCase };
  }
  if (value.wildcard || name === '') return undefined;
  const typos = typoCount(typed, name);
  if (typos !== undefined) return { cost: typos, corrected: { text: name, wildcard: false } };
  const at = name.toLowerCase().indexOf(typed.toLowerCase());
  if (typed.length < MIN_PART_LENGTH || at < 0 || /[*?]/.test(typed) || !isNearPart(name, at, typed.length)) return undefined;
  const part = name.slice(at, at + typed.length);
  return at === 0
    ? { cost: PREFIX_COST, corrected: { text: `${part}*`, wildcard: true } }
    : { cost: PART_COST, corrected: { text: `*${part}*`, wildcard: true } };
}

/** True for half of a name, and for whole words in it: `maria` in maria.lopez@example.com, `Delete` in DeleteBucket; not for three letters of a long word. */
function isNearPart(name: string, start: number, length: number): boolean {
  const end = start + length;
  const isWordEdge = (at: number): boolean =>
    at === 0 || at === name.length || !/^[\p{L}\p{N}]{2}$/u.test(name.slice(at - 1, at + 1)) || /^[a-z0-9][A-Z]/.test(name.slice(at - 1, at + 1));
  return 2 * length >= name.length || (isWordEdge(start) && isWordEdge(end));
}

/** The path as a row's document spells it, with a value that the document has there. */
function correctPath(term: Term, row: Cells): Correction<Filter> | undefined {
  const path = readPath(term.field) as JsonPath;
  const matches = findPath(parseJson(row[documentColumn(path).text] ?? null), path.keys);
  return cheapest(
    matches.flatMap(({ keys, text }) => {
      const field = printPath({ ...path, keys });
      const cost = field === term.field ? 0 : CASE_COST;
      return term.values.map((value) => {
        if (value.wildcard && value.text === '*') return { cost, corrected: { ...term, field } };
        const found = text === undefined ? undefined : correctName(field, value, text);
        return found && { cost: cost + found.cost, corrected: { ...withValue(term, value, found.corrected), field } };
      });
    }),
  );
}

/** Every place where a JSON value has the keys, ignoring case and looking into lists; with the scalar there as text, if it is one. */
function findPath(value: unknown, keys: JsonPath['keys']): { readonly keys: JsonPath['keys']; readonly text?: string }[] {
  const [key, ...rest] = keys;
  if (Array.isArray(value)) {
    if (typeof key === 'number') return findPath(value[key], rest).map((found) => ({ ...found, keys: [key, ...found.keys] }));
    return value.flatMap((inner) => findPath(inner, keys));
  }
  if (value === null || value === undefined) return [];
  if (key === undefined) return [{ keys: [], ...(typeof value !== 'object' && { text: String(value) }) }];
  if (typeof value !== 'object') return [];
  return Object.entries(value)
    .filter(([name]) => name.toLowerCase() === String(key).toLowerCase())
    .flatMap(([name, inner]) => findPath(inner, rest).map((found) => ({ ...found, keys: [name, ...found.keys] })));
}

/** The time to match grows with the length of the text to the power of the stars. */
const MAX_STARS = 2;
/** Longer than any name. */
const MAX_NAME_LENGTH = 500;

/** The value in the upper and lower case of a text that it matches when case is ignored; undefined when it does not match. */
function withCaseOf({ text, wildcard }: FilterValue, found: string): FilterValue | undefined {
  const pieces = wildcard ? text.split(/([*?])/) : [text];
  if (found.length > MAX_NAME_LENGTH || pieces.filter((piece, i) => i % 2 === 1 && piece === '*').length > MAX_STARS) return undefined;
  const pattern = pieces.map((piece, i) => (i % 2 === 0 ? `(${escapeRegExp(piece)})` : piece === '*' ? '(.*)' : '(.)')).join('');
  const match = new RegExp(`^${pattern}$`, 'isu').exec(found);
  return match ? { text: pieces.map((piece, i) => (i % 2 === 0 ? match[i + 1] : piece)).join(''), wildcard } : undefined;
}

const nameRow = z.object({ name: z.string() });

/** A trail may have more names; the most frequent are the most likely to be meant. */
const MAX_NAMES_READ = 5000;

/**
 * The value of `column` in the range that is closest to what was typed; undefined when none is close, or when the typed value
 * exists. Call it only for an empty answer: it scans the range again. `column` is fixed SQL.
 */
export async function closestColumnValue(
  column: Sql,
  typed: string,
  range: TimeRange,
  { ask, kept }: Pick<TrailAccess, 'ask' | 'kept'>,
): Promise<string | undefined> {
  const found = await ask(query(nameRow)`
    select name
    from (select ${column} as name, events, singleid from ${activityDuring(range, { kept, uses: [column] })}) as names
    where name is not null
    group by name
    order by ${eventCount()} desc, name
    ${limit(MAX_NAMES_READ)}
  `);
  return closestOther(
    typed,
    found.map(({ name }) => name),
  );
}

/** The name closest to what was typed; undefined when that is one of the names, or none is close. */
export function closestOther(typed: string, names: readonly string[]): string | undefined {
  return names.includes(typed) ? undefined : closestMatch(typed, names);
}

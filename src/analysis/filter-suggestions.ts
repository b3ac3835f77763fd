/** Names as the trail spells them: it tells capital letters from small ones, and one letter more from one less, and people who type do not. */
import { z } from 'zod';
import { closestMatch, typoCount } from '../text/closest-match.ts';
import type { Extent } from '../trail/engine.ts';
import { eventsDuring } from '../trail/events.ts';
import {
  type Filter,
  type FilterValue,
  filterColumns,
  holdsNames,
  isTerm,
  mapTerms,
  matching,
  storedValue,
  type Term,
  termsOf,
} from '../trail/filter.ts';
import { documentColumn, type JsonPath, printPath, readPath } from '../trail/json-path.ts';
import { containing, join, likeLiteral, limit, type Query, query, type Sql, sql } from '../trail/sql.ts';
import type { TimeRange } from '../trail/time-window.ts';

type Ask = <Row>(query: Query<Row>) => Promise<Row[]>;

const cells = z.record(z.string(), z.string().nullable());
type Cells = z.output<typeof cells>;

/** What is known of the trail: by asking it, and without. */
interface Known {
  readonly ask: Ask;
  readonly extent: () => Promise<Pick<Extent, 'accounts' | 'regions'>>;
}

/**
 * The filters with the names that the trail has in place of those that were most likely mistyped; undefined where none is near, or
 * all are there as they were typed. Only for an answer that is empty: but for regions and accounts, it reads the range once more.
 */
export async function suggestFilters(filters: readonly Filter[], range: TimeRange, { ask, extent }: Known): Promise<readonly Filter[] | undefined> {
  const listed = inLists(filters, await extent());
  if (listed) return listed;
  const suspects = filters.filter((filter) => suspectsIn(filter).length > 0);
  if (suspects.length === 0) return undefined;
  const rows = await ask(candidates(filters, suspects, range));
  let best: { readonly slips: number; readonly meant: readonly Filter[] } | undefined;
  for (const row of rows) {
    const found = together(filters, row);
    if (found && (!best || found.slips < best.slips)) best = found;
  }
  return best && best.slips > 0 ? best.meant : undefined;
}

/** The filters with the nearest region and account that the trail has; undefined where they are right, or none is near. */
function inLists(filters: readonly Filter[], { regions, accounts }: Pick<Extent, 'accounts' | 'regions'>): readonly Filter[] | undefined {
  const lists: Readonly<Record<string, readonly string[]>> = { region: regions, account: accounts };
  const mend = (term: Term): Term => {
    const names = term.negated ? undefined : lists[term.field];
    if (!names || term.values.some(({ text, wildcard }) => wildcard || names.includes(storedValue(term.field, text)))) return term;
    const values = term.values.map((value) => {
      const [meant] = nearestFirst(value.text, names);
      return meant === undefined ? value : { text: meant, wildcard: false };
    });
    return { ...term, values };
  };
  const mended = mapTerms(filters, mend);
  const isChanged = termsOf(mended).some(({ values }, i) => values.some(({ text }, n) => text !== termsOf(filters)[i]?.values[n]?.text));
  return isChanged ? mended : undefined;
}

const nearestFirst = (typed: string, names: readonly string[]): string[] =>
  names
    .map((name) => ({ name, slips: typoCount(typed, name) }))
    .filter(({ slips }) => slips !== undefined)
    .sort((a, b) => Number(a.slips) - Number(b.slips))
    .map(({ name }) => name);

/** The terms of a filter whose values may be mistyped: not those of what is left out, which nobody misses. */
function suspectsIn(filter: Filter): readonly Term[] {
  if (filter.negated) return [];
  return isTerm(filter) ? [filter].filter(isSuspect) : filter.any.flat().flatMap(suspectsIn);
}

const isSuspect = ({ field, negated, values }: Term): boolean =>
  !negated && holdsNames(field) && (readPath(field) !== undefined || values.some(({ text }) => /[\p{L}\p{N}]/u.test(text)));

/** More combinations of names are not looked at, the most frequent first; of documents, which are large, the newest. */
const MOST_CANDIDATES = 5000;
const MOST_DOCUMENTS = 300;

/** What events of the range have where a filter may be mistyped, as far as it is near to that: those that match all the other filters. */
function candidates(filters: readonly Filter[], suspects: readonly Filter[], range: TimeRange): Query<Cells> {
  const columns = [
    ...new Map(
      suspects
        .flatMap(suspectsIn)
        .flatMap(heldIn)
        .map((column) => [column.text, column]),
    ).values(),
  ];
  const names = join(columns, ', ');
  const from = sql`from ${eventsDuring(range)}
    where ${matching(filters.filter((filter) => !suspects.includes(filter)))} and ${join(suspects.map(mayBe), ' and ')}`;
  if (suspects.flatMap(suspectsIn).some(({ field }) => readPath(field)))
    return query(cells)`select ${names} ${from} order by eventtime desc, eventid ${limit(MOST_DOCUMENTS)}`;
  return query(cells)`select ${names} ${from} group by ${names} order by count(*) desc, ${names} ${limit(MOST_CANDIDATES)}`;
}

/** The columns that hold what a term asks for. */
function heldIn({ field, values }: Term): readonly Sql[] {
  const path = readPath(field);
  if (path) return [documentColumn(path)];
  // Nobody types an ARN by heart.
  return filterColumns(field).filter(({ text }) => !text.endsWith('arn') || values.some((value) => value.text.startsWith('arn:')));
}

/** A condition that is true of all events whose names are near to those of a filter, and of few others. */
function mayBe(filter: Filter): Sql {
  if (!isTerm(filter))
    return sql`(${join(
      filter.any
        .map((all) => all.filter((each) => suspectsIn(each).length > 0))
        .filter((all) => all.length > 0)
        .map((all) => sql`(${join(all.map(mayBe), ' and ')})`),
      ' or ',
    )})`;
  const { field, values } = filter;
  const path = readPath(field);
  const key = path?.keys.findLast((each) => typeof each === 'string');
  if (path) return sql`strpos(lower(${documentColumn(path)}), ${key === undefined ? '' : `"${key.toLowerCase()}"`}) > 0`;
  const tests = heldIn(filter).flatMap((column) =>
    values.flatMap(({ text, wildcard }) => {
      const held = storedValue(field, text);
      if (wildcard) return [sql`lower(${column}) like ${likeLiteral(held.toLowerCase()).replaceAll('*', '%').replaceAll('?', '_')} escape '!'`];
      return [
        sql`length(${column}) between ${held.length - MOST_SLIPS} and ${held.length + MOST_SLIPS}`,
        sql`lower(${column}) like ${containing(text.toLowerCase())} escape '!'`,
      ];
    }),
  );
  return sql`(${join(tests, ' or ')})`;
}

const MOST_SLIPS = 2;

/** Filters as they would match a row, and by how many slips they miss it as they are; undefined where they are too far from it. */
function together(filters: readonly Filter[], row: Cells): { readonly slips: number; readonly meant: readonly Filter[] } | undefined {
  const each = filters.map((filter) => meantIn(filter, row));
  if (!each.every((one) => one !== undefined)) return undefined;
  return {
    slips: each.reduce((sum, { slips }) => sum + slips, 0),
    meant: each.map(({ slips, meant }, i) => (slips === 0 ? (filters[i] as Filter) : meant)),
  };
}

interface Meant<Of> {
  readonly slips: number;
  readonly meant: Of;
}

const least = <Of>(all: readonly (Meant<Of> | undefined)[]): Meant<Of> | undefined =>
  all.filter((one) => one !== undefined).reduce<Meant<Of> | undefined>((best, one) => (best && best.slips <= one.slips ? best : one), undefined);

function meantIn(filter: Filter, row: Cells): Meant<Filter> | undefined {
  if (suspectsIn(filter).length === 0) return { slips: 0, meant: filter };
  if (isTerm(filter)) return readPath(filter.field) ? pathMeant(filter, row) : least(filter.values.map((value) => valueMeant(filter, value, row)));
  return least(
    filter.any.map((all, i) => {
      // What names nothing is as it was meant, and found nothing.
      const found = all.some((each) => suspectsIn(each).length > 0) ? together(all, row) : undefined;
      return found && { slips: found.slips, meant: { ...filter, any: filter.any.with(i, found.meant) } };
    }),
  );
}

function valueMeant(term: Term, value: FilterValue, row: Cells): Meant<Filter> | undefined {
  const cellsOf = heldIn(term).map(({ text: column }) => row[column] ?? '');
  const found = least(cellsOf.map((cell) => nameMeant(term.field, value, cell)));
  return found && { slips: found.slips, meant: withValue(term, value, found.meant) };
}

const withValue = (term: Term, old: FilterValue, value: FilterValue): Term => ({
  ...term,
  values: term.values.map((each) => (each === old ? value : each)),
});

/** Less than a letter. */
const OF_CASE = 0.5;
/** More than any slip: only a part of the name was typed. */
const OF_A_BEGINNING = 3;
const OF_A_PART = 4;
const SHORTEST_PART = 3;

/** The name in a cell as a filter would say it that was typed otherwise. */
function nameMeant(field: string, value: FilterValue, cell: string): Meant<FilterValue> | undefined {
  const isShort = field === 'source' && !value.text.includes('.');
  const name = isShort ? cell.replace(/[.]amazonaws[.]com$/, '') : cell;
  const spelled = spelledAs(value, name);
  const typed = isShort || value.wildcard ? value.text : storedValue(field, value.text);
  if (spelled) {
    const isSame = spelled.text === typed || storedValue(field, spelled.text) === storedValue(field, value.text);
    return { slips: isSame ? 0 : OF_CASE, meant: isSame ? value : spelled };
  }
  if (value.wildcard || name === '') return undefined;
  const slips = typoCount(typed, name);
  if (slips !== undefined) return { slips, meant: { text: name, wildcard: false } };
  const at = name.toLowerCase().indexOf(typed.toLowerCase());
  if (typed.length < SHORTEST_PART || at < 0 || /[*?]/.test(typed)) return undefined;
  const part = name.slice(at, at + typed.length);
  return at === 0
    ? { slips: OF_A_BEGINNING, meant: { text: `${part}*`, wildcard: true } }
    : { slips: OF_A_PART, meant: { text: `*${part}*`, wildcard: true } };
}

/** The path in the letters of a row's document, with a value that is there. */
function pathMeant(term: Term, row: Cells): Meant<Filter> | undefined {
  const path = readPath(term.field) as JsonPath;
  const places = placesIn(parsed(row[documentColumn(path).text] ?? null), path.keys);
  return least(
    places.flatMap(({ keys, text }) => {
      const field = printPath({ ...path, keys });
      const slips = field === term.field ? 0 : OF_CASE;
      return term.values.map((value) => {
        if (value.wildcard && value.text === '*') return { slips, meant: { ...term, field } };
        const found = text === undefined ? undefined : nameMeant(field, value, text);
        return found && { slips: slips + found.slips, meant: { ...withValue(term, value, found.meant), field } };
      });
    }),
  );
}

/** Where a value has keys, in any letters, and through lists; with the text that is there, if it is one. */
function placesIn(value: unknown, keys: JsonPath['keys']): { readonly keys: JsonPath['keys']; readonly text?: string }[] {
  const [key, ...rest] = keys;
  if (Array.isArray(value)) {
    if (typeof key === 'number') return placesIn(value[key], rest).map((place) => ({ ...place, keys: [key, ...place.keys] }));
    return value.flatMap((inner) => placesIn(inner, keys));
  }
  if (value === null || value === undefined) return [];
  if (key === undefined) return [{ keys: [], ...(typeof value !== 'object' && { text: String(value) }) }];
  if (typeof value !== 'object') return [];
  return Object.entries(value)
    .filter(([name]) => name.toLowerCase() === String(key).toLowerCase())
    .flatMap(([name, inner]) => placesIn(inner, rest).map((place) => ({ ...place, keys: [name, ...place.keys] })));
}

function parsed(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Matching takes the length of the text to the power of the stars. */
const MOST_STARS = 2;

/** The value in the letters of a text that it matches but for their case. Nothing else of the text gets into it. */
function spelledAs({ text, wildcard }: FilterValue, found: string): FilterValue | undefined {
  const pieces = wildcard ? text.split(/([*?])/) : [text];
  if (pieces.filter((piece, i) => i % 2 === 1 && piece === '*').length > MOST_STARS) return undefined;
  const pattern = pieces.map((piece, i) => (i % 2 === 0 ? `(${RegExp.escape(piece)})` : piece === '*' ? '(.*)' : '(.)')).join('');
  const match = new RegExp(`^${pattern}$`, 'isu').exec(found);
  return match ? { text: pieces.map((piece, i) => (i % 2 === 0 ? match[i + 1] : piece)).join(''), wildcard } : undefined;
}

const named = z.object({ name: z.string() });

/** A trail has more names of things than that; the most frequent are the likeliest to be meant. */
const MOST_NAMES = 5000;

/**
 * The name that `column` has in the range and that is nearest to what was typed; undefined when none is near, or when it has
 * that very name. Only for an answer that is empty: it reads the range once more. `column` is fixed SQL of ours.
 */
export async function closestColumnValue(column: Sql, typed: string, range: TimeRange, ask: Ask): Promise<string | undefined> {
  const found = await ask(query(named)`
    select name
    from (select ${column} as name from ${eventsDuring(range)}) as names
    where name is not null
    group by name
    order by count(*) desc, name
    ${limit(MOST_NAMES)}
  `);
  return closestOther(
    typed,
    found.map(({ name }) => name),
  );
}

/** The nearest of names that is another than what was typed; undefined where that is one of them. */
export function closestOther(typed: string, names: readonly string[]): string | undefined {
  return names.includes(typed) ? undefined : closestMatch(typed, names);
}

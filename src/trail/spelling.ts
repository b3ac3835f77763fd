/** Filters as AWS spells them: a trail tells capital letters from small ones, and people who type do not. */
import { z } from 'zod';
import { eventsDuring } from './events.ts';
import { columnsOf, type Filter, type FilterValue, isTerm, isVocabulary, matching, type Term } from './filter.ts';
import { join, limit, type Query, query } from './sql.ts';
import type { TimeRange } from './window.ts';

type Ask = <Row>(query: Query<Row>) => Promise<Row[]>;

const cells = z.record(z.string(), z.string().nullable());

/**
 * The filters in the letters of the newest event that they would find if case did not matter; undefined when there is
 * none. Only for an answer that is empty: a comparison without case reads every event of the range.
 */
export async function respelled(filters: readonly Filter[], range: TimeRange, ask: Ask): Promise<Filter[] | undefined> {
  const typed = filters
    .filter(isTerm)
    .filter(({ field, negated, values }) => !negated && isVocabulary(field) && values.some(({ text }) => /\p{L}/u.test(text)));
  if (typed.length === 0) return undefined;
  const columns = new Map(typed.flatMap(({ field }) => columnsOf(field)).map((column) => [column.text, column]));
  const [found] = await ask(query(cells)`
    select ${join([...columns.values()], ', ')}
    from ${eventsDuring(range)}
    where ${matching(filters, { anyCase: true })}
    order by eventtime desc, eventid
    ${limit(1)}
  `);
  if (!found) return undefined;
  const spelled = filters.map((filter) => (isTerm(filter) && typed.includes(filter) ? inLettersOf(filter, found) : filter));
  return spelled.some((filter, i) => filter !== filters[i]) ? spelled : undefined;
}

/** The filter in the letters of an event; the same one where they are its own. */
function inLettersOf(filter: Term, found: z.output<typeof cells>): Term {
  const texts = columnsOf(filter.field).map(({ text: column }) => found[column] ?? '');
  const values = filter.values.map((value) => texts.map((text) => spelledAs(value, text)).find((spelled) => spelled !== undefined) ?? value);
  return values.some(({ text }, i) => text !== filter.values[i]?.text) ? { ...filter, values } : filter;
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

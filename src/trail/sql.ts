/**
 * SQL as values: text with one `?` for each value, made by a template tag alone, so that nothing a person typed
 * and nothing a log holds can ever become part of a statement's text.
 */
import type { z } from 'zod';

/** What a `${}` may hold. It is always bound as a parameter, never pasted into the text. */
export type Value = string | number;

/** Marks what was made here: a value of this shape from anywhere else, parsed JSON for instance, does not have it. */
const BRAND = Symbol('sql');

/** A piece of SQL: text with one `?` for each value. Only the tag `sql` and `raw()` make one. */
export interface Sql {
  readonly [BRAND]: true;
  readonly text: string;
  readonly values: readonly Value[];
  /** The days of folders that it reads, once for each time that it reads them. */
  readonly reads?: readonly Days[];
}

/** Days of delivery, both included, as the folders are named: 'yyyy/MM/dd'. */
export interface Days {
  readonly first: string;
  readonly last: string;
}

/** A whole SELECT, and the shape its rows must have. */
export interface Query<Row = unknown> extends Sql {
  readonly row: z.ZodType<Row>;
}

/**
 * A fragment: sql`eventname = ${name}`. Fragments nest in one another and in queries.
 *
 * @throws TypeError when called as a function: sql([typed]) would run whatever was typed, and only a template
 * literal brings a frozen `raw`. (`Object.isFrozen(undefined)` is true, so both halves of the check matter.)
 */
export function sql(parts: TemplateStringsArray, ...holes: readonly (Sql | Value)[]): Sql {
  if (!Array.isArray(parts.raw) || !Object.isFrozen(parts.raw)) throw new TypeError('sql is a tag, not a function');
  const pieces = holes.map(toSql);
  return combine(parts.map((part, i) => part + (pieces[i]?.text ?? '')).join(''), pieces);
}

function toSql(hole: Sql | Value): Sql {
  if (typeof hole !== 'object') return { [BRAND]: true, text: '?', values: [hole] };
  if (!Object.hasOwn(hole, BRAND)) throw new TypeError('A hole takes a value, or SQL made by sql`…` or raw()');
  return hole;
}

/** `text`, with the values and the reads of its pieces. */
function combine(text: string, pieces: readonly Sql[]): Sql {
  const reads = pieces.flatMap((piece) => piece.reads ?? []);
  return { [BRAND]: true, text, values: pieces.flatMap(({ values }) => values), ...(reads.length > 0 && { reads }) };
}

/**
 * Text as SQL, as it stands.
 *
 * WARNING: nothing is escaped or bound. Pass only text that this project's own code wrote (a column's name, a constant
 * expression, a generated DDL statement); never text that a person typed or that a log holds. Those go in a `${}` of `sql`.
 */
export const raw = (text: string): Sql => ({ [BRAND]: true, text, values: [] });

/** A query: query(rowShape)`select …`. */
export const query =
  <Row>(row: z.ZodType<Row>) =>
  (parts: TemplateStringsArray, ...holes: readonly (Sql | Value)[]): Query<Row> => ({ ...sql(parts, ...holes), row });

/** Fragments with `separator` between them. */
export function join(pieces: readonly Sql[], separator: ' and ' | ' or ' | ', ' | ' union all '): Sql {
  return combine(pieces.map(({ text }) => text).join(separator), pieces);
}

/** `?, ?, ?` for an IN list. Neither engine takes an empty one. */
export function valueList(values: readonly Value[]): Sql {
  if (values.length === 0) throw new RangeError('An IN list needs a value');
  return join(
    values.map((value) => sql`${value}`),
    ', ',
  );
}

/**
 * A row count for LIMIT. Athena takes `?` only in WHERE, so the number is written into the text, after it
 * was checked to be one.
 */
export function limit(rows: number): Sql {
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`Not a row count: ${rows}`);
  return raw(`limit ${rows}`);
}

/**
 * Text as a LIKE pattern that matches it literally inside longer text: `_` and `%` of an id are not wildcards.
 * Write it as sql`column like ${containing(id)} escape '!'`.
 */
export const containing = (text: string): string => `%${likeLiteral(text)}%`;

/** Text with LIKE's own characters escaped by `!`. */
export const likeLiteral = (text: string): string => text.replace(/[!%_]/g, '!$&');

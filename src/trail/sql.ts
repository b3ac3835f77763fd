/**
 * SQL as values: text with one `?` for each value. Only a template tag creates it, so nothing that a person typed or that a log
 * contains can become part of a statement's text.
 */
import type { z } from 'zod';

/** The value in a `${}`. It is always bound as a parameter, never pasted into the text. */
export type Value = string | number;

/** Marks SQL that this module created. A look-alike from elsewhere, such as parsed JSON, does not have it. */
const BRAND = Symbol('sql');

/** A piece of SQL: text with one `?` for each value. Only `sql` and `raw()` create one. */
export interface Sql {
  readonly [BRAND]: true;
  readonly text: string;
  readonly values: readonly Value[];
  /** The days and folders that it reads, one entry for each scan. */
  readonly reads?: readonly Reading[];
}

/** The first and last day of delivery, both included, as in folder names: 'yyyy/MM/dd'. */
export interface Days {
  readonly first: string;
  readonly last: string;
}

/** What a scan of `events` reads: days of delivery of some folders, or of all. */
export interface Reading extends Days {
  /** The names of the folders, such as `111122223333/CloudTrail/eu-central-1`. */
  readonly folders?: readonly string[];
}

/** A whole SELECT and the schema of its rows. */
export interface Query<Row = unknown> extends Sql {
  readonly row: z.ZodType<Row>;
}

/**
 * A fragment: sql`eventname = ${name}`. Fragments nest in one another and in queries.
 *
 * @throws TypeError when called as a function: sql([typed]) would run typed text. Only a template literal has a frozen `raw`.
 * (`Object.isFrozen(undefined)` is true, so both halves of the check matter.)
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

/** `text` with the values and reads of its pieces. */
function combine(text: string, pieces: readonly Sql[]): Sql {
  const reads = pieces.flatMap((piece) => piece.reads ?? []);
  return { [BRAND]: true, text, values: pieces.flatMap(({ values }) => values), ...(reads.length > 0 && { reads }) };
}

/**
 * Text as SQL, unchanged.
 *
 * WARNING: nothing is escaped or bound. Pass only text from this project's own code (a column name, a constant expression, a
 * generated DDL statement), never text that a person typed or that a log contains. Those go in a `${}` of `sql`.
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

/** `?, ?, ?` for an IN list. Neither engine accepts an empty one. */
export function valueList(values: readonly Value[]): Sql {
  if (values.length === 0) throw new RangeError('An IN list needs a value');
  return join(
    values.map((value) => sql`${value}`),
    ', ',
  );
}

/**
 * `limit` with a row count; nothing for undefined. Athena takes `?` only in WHERE, so the number is checked and written into the text.
 */
export function limit(rows: number | undefined): Sql {
  if (rows === undefined) return raw('');
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`Not a row count: ${rows}`);
  return raw(`limit ${rows}`);
}

/**
 * A LIKE pattern for text that contains `text` literally: `_` and `%` in it are not wildcards.
 * Use it as sql`column like ${containing(id)} escape '!'`.
 */
export const containing = (text: string): string => `%${likeLiteral(text)}%`;

/** Text with LIKE's special characters escaped by `!`. */
export const likeLiteral = (text: string): string => text.replace(/[!%_]/g, '!$&');

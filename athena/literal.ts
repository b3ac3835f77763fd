/**
 * A value as a SQL literal: the only place where text becomes SQL. Athena splices its ExecutionParameters into the
 * statement as expressions, so a string must arrive quoted (Athena User Guide, "Using parameterized queries").
 */
import { UserError } from '../src/errors.ts';
import type { Sql, Value } from '../src/trail/sql.ts';

/** A statement's text and its values, however it was made. */
type Parameterized = Pick<Sql, 'text' | 'values'>;

/** The most characters that Athena takes for one parameter, quotes included. */
const MOST_CHARACTERS = 1024;

/** @throws UserError for text longer than Athena takes. */
export function literal(value: Value): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`Not a number that SQL can hold: ${value}`);
    return String(value);
  }
  const quoted = `'${value.replaceAll("'", "''")}'`;
  if (quoted.length > MOST_CHARACTERS) {
    throw new UserError(
      `“${value.slice(0, 40)}…” is too long to look for: Athena takes ${MOST_CHARACTERS.toLocaleString('en')} characters. In a filter, its beginning followed by * will do.`,
    );
  }
  return quoted;
}

/** The literals of a statement's values; undefined for none, since Athena refuses an empty list. */
export function parametersOf({ text, values }: Parameterized): string[] | undefined {
  const holes = (text.match(TOKENS) ?? []).filter((token) => token === '?').length;
  if (holes !== values.length) throw new Error(`A statement with ${holes} ? has ${values.length} values: ${text}`);
  return values.length > 0 ? values.map(literal) : undefined;
}

/** A statement with its values written into its text, for what takes no parameters: EXPLAIN, as far as Athena documents it. */
export function spliced({ text, values }: Parameterized): string {
  const literals = parametersOf({ text, values }) ?? [];
  let used = 0;
  return text.replace(TOKENS, (token) => (token === '?' ? (literals[used++] as string) : token));
}

/** A `?` stands for a value unless it is part of a string, a quoted name or a comment. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

/**
 * Writes a value as a SQL literal; the only place where text becomes SQL. Athena inserts ExecutionParameters into the
 * statement as expressions, so strings must be quoted (Athena User Guide, "Using parameterized queries").
 */
import { UserError } from '../src/errors.ts';
import type { Sql, Value } from '../src/trail/sql.ts';

/** A statement's text and values. */
type Parameterized = Pick<Sql, 'text' | 'values'>;

/** Athena's limit for one parameter, in characters, quotes included. */
const MAX_PARAMETER_LENGTH = 1024;

/** @throws UserError for text that exceeds Athena's limit. */
export function sqlLiteral(value: Value): string {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`Not a finite number: ${value}`);
    return String(value);
  }
  const quoted = `'${value.replaceAll("'", "''")}'`;
  if (quoted.length > MAX_PARAMETER_LENGTH) {
    throw new UserError(
      `“${value.slice(0, 40)}…” is too long: Athena allows ${MAX_PARAMETER_LENGTH.toLocaleString('en')} characters per value. In a filter, use the beginning followed by *.`,
    );
  }
  return quoted;
}

/** The literals of a statement's values; undefined for none, because Athena rejects an empty list. */
export function parametersOf({ text, values }: Parameterized): string[] | undefined {
  const placeholders = (text.match(TOKENS) ?? []).filter((token) => token === '?').length;
  if (placeholders !== values.length) throw new Error(`A statement with ${placeholders} ? has ${values.length} values: ${text}`);
  return values.length > 0 ? values.map(sqlLiteral) : undefined;
}

/** A statement with its values written into the text, for EXPLAIN, which takes no parameters. */
export function inlineValues({ text, values }: Parameterized): string {
  const literals = parametersOf({ text, values }) ?? [];
  let used = 0;
  return text.replace(TOKENS, (token) => (token === '?' ? (literals[used++] as string) : token));
}

/** Strings, quoted names and comments, in which a `?` is no placeholder, and the placeholders. */
const TOKENS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\?/g;

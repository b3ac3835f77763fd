/** A statement as people read it. */
import type { Sql } from '../trail/sql.ts';

/** The text of a statement, with its values in a comment behind it: each takes the place of a `?`. */
export const statementText = ({ text, values }: Sql): string => {
  const shown = text.replace(/^ {4}/gm, '').trim();
  return values.length === 0 ? shown : `${shown}\n-- ${values.length} values: ${JSON.stringify(values)}`;
};

/** Several values as one text, for a column that holds all that a rule needs of an event. */

const PART_SEPARATOR = '\u001f';

/** SQL that joins expressions to a text, null as an empty part. No log content looks like two parts, since a separator in it is replaced. */
export const joinParts = (...expressions: readonly string[]): string =>
  expressions.map((each) => `replace(coalesce(${each}, ''), chr(31), ' ')`).join(' || chr(31) || ');

/** The parts of a text that `joinParts` made. */
export const splitParts = (text: string): string[] => text.split(PART_SEPARATOR);

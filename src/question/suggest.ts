/** Suggests a valid line for an invalid one: each mistake carries its correction, and the suggestion corrects them all. */
import { closestMatch } from '../text/closest-match.ts';
import { fieldNames } from '../trail/filter.ts';
import { documentNames, readPath } from '../trail/json-path.ts';
import type { Token } from './lexer.ts';
import type { Line } from './line.ts';
import { printLine } from './print.ts';

/** A mistake in a line, and the text of the line with that mistake corrected. */
export class Mistake extends Error {
  readonly corrected: string;

  constructor(message: string, corrected: string) {
    super(message);
    this.corrected = corrected;
  }
}

/** A mistake in one token, and its replacement; undefined when the token should be removed. */
export class TokenMistake extends Error {
  readonly replacement: Token | undefined;

  constructor(message: string, replacement?: Token) {
    super(message);
    this.replacement = replacement;
  }
}

/** More than the mistakes in any real line. */
const MAX_SUGGESTION_STEPS = 100;

/** The line with this and all further mistakes corrected; undefined when they cannot be. */
export function suggestLine({ corrected }: Mistake, parse: (text: string) => Line): string | undefined {
  let text = corrected;
  for (let tries = 0; tries < MAX_SUGGESTION_STEPS; tries += 1) {
    try {
      return printLine(parse(text));
    } catch (error) {
      if (!(error instanceof Mistake)) throw error;
      if (error.corrected === text) return undefined;
      text = error.corrected;
    }
  }
  return undefined;
}

/** The field, path or option that a mistyped name was probably meant to be; undefined when none is close. */
export function closestField(name: string): string | undefined {
  const [, document = '', keys = ''] = /^(\w+)([.[].*)$/.exec(name) ?? [];
  const meant = document === '' ? undefined : closestMatch(document, documentNames);
  return meant && readPath(`${meant}${keys}`)
    ? `${meant}${keys}`
    : closestMatch(name, [...fieldNames, 'by', 'every', 'top', 'sort', 'cols', 'spend']);
}

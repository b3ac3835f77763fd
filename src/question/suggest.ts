/** What to suggest for a line that cannot be read: each mistake knows its correction, and the suggestion has every mistake corrected. */
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

/** A mistake in one token, and the token to put in its place; undefined where the line is better without it. */
export class TokenMistake extends Error {
  readonly replacement: Token | undefined;

  constructor(message: string, replacement?: Token) {
    super(message);
    this.replacement = replacement;
  }
}

/** More mistakes than anybody makes in one line. */
const MAX_SUGGESTION_STEPS = 100;

/** The nearest line that can be read, after every further mistake in it is corrected too; undefined when there is none. */
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

/** The field, or the path with the document, that a name was most likely meant for. */
export function closestField(name: string): string | undefined {
  const [, document = '', keys = ''] = /^(\w+)([.[].*)$/.exec(name) ?? [];
  const meant = document === '' ? undefined : closestMatch(document, documentNames);
  return meant && readPath(`${meant}${keys}`)
    ? `${meant}${keys}`
    : closestMatch(name, [...fieldNames, 'by', 'every', 'top', 'sort', 'cols', 'spend']);
}

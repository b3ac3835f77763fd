/** Suggests a valid line for an invalid one: each mistake carries its correction, and the suggestion corrects them all. */
import { closestMatch } from '../text/closest-match.ts';
import { fieldNames } from '../trail/filter.ts';
import { documentNames, readPath } from '../trail/json-path.ts';
import type { Token } from './lexer.ts';
import { type Line, MAX_LINE_LENGTH } from './line.ts';
import { printLine } from './print.ts';

/** A mistake in a line, and the text of the line with that mistake corrected; undefined when it is not clear what was meant. */
export class Mistake extends Error {
  readonly corrected: string | undefined;

  constructor(message: string, corrected: string | undefined) {
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

/** Each step corrects all mistakes of one kind, and there are no more kinds in a real line. */
const MAX_SUGGESTION_STEPS = 8;

/** The line with this and all further mistakes corrected; undefined when they cannot be. */
export function suggestLine({ corrected }: Mistake, parse: (text: string) => Line): string | undefined {
  let text = corrected;
  for (let tries = 0; tries < MAX_SUGGESTION_STEPS && text !== undefined && text.length <= MAX_LINE_LENGTH; tries += 1) {
    try {
      const line = printLine(parse(text));
      return line.length <= MAX_LINE_LENGTH ? line : undefined;
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

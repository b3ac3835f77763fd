/**
 * What `mentions` has of a record that contains a text: conditions on its rows, one of which every such record fulfils. A clue narrows a
 * search and decides nothing: what it leads to is read from `events` and compared with the text itself.
 */
import { isLeftOutNumber, MAX_WORD_LENGTH, mentionOf, STOP_WORDS, WORD } from './mentions.ts';
import { type Sql, sql } from './sql.ts';

/** Conditions on rows of `mentions`. A record that has the text has a row for which one of them is true. */
export type NameClue = readonly Sql[];

/** A word of a text, in lower case, and the characters around it; empty at the ends of the text. */
interface FoundWord {
  readonly word: string;
  readonly before: string;
  readonly after: string;
}

const wordsWithin = (text: string): FoundWord[] =>
  [...text.toLowerCase().matchAll(new RegExp(WORD, 'g'))]
    .map(({ 0: word, index, input }) => ({ word, before: input[index - 1] ?? '', after: input[index + word.length] ?? '' }))
    // Upper and lower case of other characters differ between engines, and some become Latin letters.
    .filter(({ before, after }) => before <= '~' && after <= '~');

const longestFirst = (a: FoundWord, b: FoundWord): number => (mentionOf(b.word)?.length ?? 0) - (mentionOf(a.word)?.length ?? 0);
const isKept = ({ word }: FoundWord): boolean => mentionOf(word) !== undefined;

/** The rows with a word. One condition a word, since a sorted file is read where it has the names between the first and the last of a list. */
const hasName = (word: string): Sql => sql`name = ${mentionOf(word) ?? ''}`;
const hasLongName: Sql = hasName('x'.repeat(MAX_WORD_LENGTH + 1));

/** Secrets Manager puts six letters or digits behind a name. */
const SUFFIX_LENGTH = '-abc123'.length;

/**
 * The clue to a name that stands by itself in JSON, as `namesResource` finds it: between quotes, in an ARN, a URL, also encoded for a
 * URL, or, where it may be a secret's, with its suffix. Undefined when `mentions` leaves out all of its words. Names with a suffix are in
 * all files of a day, so an id that no secret has is found in a few of them.
 */
export function clueToName(name: string, { mayBeSecret }: { readonly mayBeSecret: boolean }): NameClue | undefined {
  // A dot at the start may belong to the word before it.
  const [longest] = wordsWithin(name)
    .filter((each) => isKept(each) && each.before !== '.')
    .sort(longestFirst);
  if (!longest) return undefined;
  const { word, before, after } = longest;
  const hasSuffix = mayBeSecret && (after === '' || after === '.');
  return [
    hasName(word),
    ...(before === '' ? [hasName(`3a${word}`), hasName(`2f${word}`)] : []),
    ...(hasSuffix ? [sql`name >= ${`${word}-`} and name < ${`${word}.`} and length(name) = ${word.length + SUFFIX_LENGTH}`] : []),
    ...(hasSuffix && word.length + SUFFIX_LENGTH > MAX_WORD_LENGTH ? [hasLongName] : []),
  ];
}

/** Characters that no writer of JSON escapes. What is behind an escape, such as `\u003d`, is one word with it. */
const NEVER_ESCAPED = /^[ /:,;()[\]{}*!$#~%?|^]?$/;

/** The clue to a whole value in JSON, as it is when the JSON is read: every word of it is a word of the JSON. */
export function clueToValue(value: string): NameClue | undefined {
  const [longest] = wordsWithin(value)
    .filter((each) => isKept(each) && NEVER_ESCAPED.test(each.before))
    .sort(longestFirst);
  return longest && [hasName(longest.word)];
}

/** Shorter parts of words are in too many of them. */
const MIN_SEARCHED_LENGTH = 3;

/** A clue to a text, and the word of the text that it is. */
export interface TextClue {
  readonly conditions: NameClue;
  readonly word: string;
}

/**
 * The clue to a text that is anywhere in a record, ignoring case. A word with other characters on both sides is a whole word of the
 * record; one at an end of the text may be a part of a longer one.
 */
export function clueToText(text: string): TextClue | undefined {
  const words = wordsWithin(text).filter(({ word }) => word.length >= MIN_SEARCHED_LENGTH);
  const isEnd = (character: string): boolean => character === '' || character === '.';
  const [whole] = words.filter((each) => isKept(each) && !isEnd(each.before) && !isEnd(each.after)).sort(longestFirst);
  if (whole) return { conditions: [hasName(whole.word)], word: whole.word };
  const [part] = words.filter(({ word }) => !mayBeMissing(word)).sort((a, b) => b.word.length - a.word.length);
  return part && { conditions: [sql`strpos(name, ${part.word}) > 0`, hasLongName], word: part.word };
}

/** The clue to a text with the wildcards `*` and `?`: to one of the pieces between them. */
export const clueToPattern = (pattern: string): TextClue | undefined => firstClue(pattern, /[*?]+/);

/** The same for a value in JSON, as it is when the JSON is read: to one of the pieces between wildcards and characters that JSON escapes. */
export const clueToValuePattern = (pattern: string): TextClue | undefined => firstClue(pattern, MAY_BE_ESCAPED);

const MAY_BE_ESCAPED = /[^A-Za-z0-9_@+. /:,;()[\]{}!$#~%|^-]+/;

const firstClue = (text: string, between: RegExp): TextClue | undefined =>
  text
    .split(between)
    .sort((a, b) => b.length - a.length)
    .map(clueToText)
    .find((clue) => clue !== undefined);

/** True when a part of a word may be in a word that `mentions` leaves out. */
const mayBeMissing = (part: string): boolean => isLeftOutNumber(part) || STOP_WORDS.some((word) => word.includes(part));

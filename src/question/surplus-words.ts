/** Words that a command has no place for: ignored where they cannot be meant, else a mistake with the line that was probably meant. */
import { truncate } from '../text/format.ts';
import { resolveField, resolveGroupField } from '../trail/filter.ts';
import { isTimeWord, type LocalClock, readTimePhrase } from '../trail/time-phrase.ts';
import { closestWindow, printWindow, readWindow } from '../trail/time-window.ts';
import type { KnownCommand } from './known-command.ts';
import { isQuoted, type Piece, plainPiece, plainWords, printPieces, tokenize, tokenText, toPieces, unquotedText } from './lexer.ts';
import { exactFilter } from './line.ts';
import { hasNamePrefix } from './name-value.ts';
import { printFilter } from './print.ts';
import { Mistake } from './suggest.ts';
import { isFunctionWord, isResourceNoun } from './vocabulary.ts';
import { filterForWord } from './word-filter.ts';

/** A word of the line that is neither its name, a time nor a filter. */
interface PlainWord {
  readonly at: number;
  readonly text: string;
  readonly isQuoted: boolean;
}

function plainWordsOf(pieces: readonly Piece[]): PlainWord[] {
  const words: PlainWord[] = [];
  let depth = 0;
  for (let at = 0; at < pieces.length; at += 1) {
    const piece = pieces[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    if (at === 0 || depth > 0 || piece.kind !== 'token' || hasNamePrefix(piece.token)) continue;
    const time = readWindow(plainWords(pieces, at));
    if (time) at += time.taken - 1;
    else words.push({ at, text: tokenText(piece.token), isQuoted: isQuoted(piece.token) });
  }
  return words;
}

/**
 * The pieces without words such as `the` that the command has no place for.
 *
 * @throws Mistake for a word that would be taken for a name although it hardly is one.
 */
export function withoutSurplusWords(
  pieces: readonly Piece[],
  { words: places, filters, freeText = false }: KnownCommand,
  clock: LocalClock | undefined,
): readonly Piece[] {
  const words = plainWordsOf(pieces);
  // The word `all` has a place of its own, which no other word can take.
  const names = words.filter(({ text }) => text !== 'all' || !Object.hasOwn(places, 'all'));
  const surplus = freeText ? 0 : Math.max(0, names.length - Object.keys(places).filter((key) => key !== 'all').length);
  const replaced = (word: PlainWord, count: number, text = ''): string =>
    printPieces(pieces.toSpliced(word.at, count, ...(text === '' ? [] : toPieces(tokenize(text)))));

  const time = words.find(({ text, isQuoted: quoted }) => !quoted && isTimeWord(text));
  if (time) throw timeMistake(pieces, time, clock);

  for (const [i, word] of words.entries()) {
    const next = words[i + 1];
    if (!filters || word.isQuoted || next?.at !== word.at + 1 || !(freeText || surplus > 0)) continue;
    const meant = meantBy(word.text.toLowerCase(), next.text, names.length === surplus || freeText);
    if (meant) throw new Mistake(`I don't know what to do with “${truncate(`${word.text} ${next.text}`)}”.`, replaced(word, 2, meant));
  }

  const spare = words.filter(({ text, isQuoted: quoted }) => !quoted && (isFunctionWord(text) || text === 'a'));
  const dropped = new Set(spare.slice(0, surplus).map((word) => word.at));
  // “a” may be a name.
  const left = spare.filter((word) => !dropped.has(word.at) && word.text !== 'a');
  const [first] = left;
  if (first) {
    const unused = new Set([...dropped, ...left.map((word) => word.at)]);
    throw new Mistake(
      `I don't know what to do with “${truncate(first.text)}”. If it is a name or a text to search for, put it in quotes.`,
      printPieces(pieces.filter((_, at) => !unused.has(at))),
    );
  }

  const kept = names.filter((word) => !dropped.has(word.at));
  const noun = kept.find(({ text, isQuoted: quoted }, i) => !quoted && isResourceNoun(text) && i < kept.length - 1);
  if (noun && surplus > dropped.size) {
    const corrected = pieces.filter((_, at) => at !== noun.at && !dropped.has(at));
    throw new Mistake(`I don't know what to do with “${truncate(noun.text)}” before a name.`, printPieces(corrected));
  }
  return withoutStars(pieces, kept, places).filter((_, at) => !dropped.has(at));
}

/** Names in bold without its stars: `who-deleted *orders-db*`. Only an event may be a pattern. */
function withoutStars(pieces: readonly Piece[], names: readonly PlainWord[], places: KnownCommand['words']): readonly Piece[] {
  const keys = Object.keys(places).filter((key) => key !== 'all');
  const isBold = ({ text, isQuoted: quoted }: PlainWord, i: number): boolean => !quoted && keys[i] !== 'event' && /^[*][^*?]+[*]$/.test(text);
  const bold = new Set(names.filter(isBold).map((word) => word.at));
  return pieces.map((piece, at) => (bold.has(at) ? plainPiece((unquotedText(piece) ?? '').slice(1, -1)) : piece));
}

/**
 * The filter or option that is meant by `by user`, `by alice`, `from 203.0.113.7`, `in eu-west-1` or, where no word is a name, by
 * `user alice`; undefined for other words.
 */
function meantBy(preposition: string, word: string, canBeField: boolean): string | undefined {
  const field = canBeField && preposition !== 'text' ? resolveField(preposition) : undefined;
  if (field) return printFilter(exactFilter(field, word));
  const names = word.split(',');
  if (preposition === 'by') return names.every((name) => resolveGroupField(name)) ? `by:${word}` : printFilter(filterForWord(word, 'user'));
  if (!['from', 'in', 'on', 'for', 'with', 'at', 'of'].includes(preposition)) return undefined;
  // The next word is then the value: “in account 111122223333”.
  if (canBeField && resolveField(word)) return undefined;
  const filter = filterForWord(word);
  return filter.field === 'text' ? undefined : printFilter(filter);
}

/** How many words before and after a word of a time may belong to it: “in the last 3 days ago”. */
const MAX_WORDS_AROUND = 5;

/** A word of a time that is not part of one: with the time that was probably meant, or without the word. */
function timeMistake(pieces: readonly Piece[], { at, text }: PlainWord, clock: LocalClock | undefined): Mistake {
  let [first, end] = [at, at + 1];
  while (first > Math.max(1, at - MAX_WORDS_AROUND) && unquotedText(pieces[first - 1]) !== undefined) first -= 1;
  while (end <= at + MAX_WORDS_AROUND && unquotedText(pieces[end]) !== undefined) end += 1;
  const run = pieces.slice(first, end).map((piece) => unquotedText(piece) ?? '');
  for (let start = 0; first + start <= at; start += 1) {
    for (let stop = run.length; first + stop > at; stop -= 1) {
      const words = run.slice(start, stop);
      const meant = closestWindow(words) ?? (clock && readTimePhrase(['around', ...words], clock)?.window);
      if (!meant) continue;
      const corrected = pieces.toSpliced(first + start, words.length, ...printWindow(meant).split(' ').map(plainPiece));
      return new Mistake(
        `I don't understand the time “${truncate(words.join(' '))}”. If it is a name or a text to search for, put it in quotes.`,
        printPieces(corrected),
      );
    }
  }
  return new Mistake(
    `I don't understand “${truncate(text)}” as a time. If it is a name or a text to search for, put it in quotes.`,
    printPieces(pieces.filter((piece) => unquotedText(piece) !== text)),
  );
}

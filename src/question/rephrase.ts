/**
 * Rewrites what people write as a line has it: times in words, a time before the command, `who deleted X`, bullets, bold, `please`.
 * A word that may be a name is never dropped: it is a mistake, with the line that was probably meant.
 */
import { readResourceId } from '../analysis/resource-id.ts';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { resolveField, resolveGroupField } from '../trail/filter.ts';
import { isTimeWord, type LocalClock, MAX_PHRASE_WORDS, readTimePhrase } from '../trail/time-phrase.ts';
import { closestWindow, printWindow, readWindow } from '../trail/time-window.ts';
import { isQuoted, maskQuoted, type Piece, plainToken, plainWords, printPieces, type Token, tokenize, tokenText, toPieces } from './lexer.ts';
import { exactFilter } from './line.ts';
import { printFilter } from './print.ts';
import { Mistake } from './suggest.ts';
import { commandNamed, isCourtesy, isFunctionWord, isLeadIn, isResourceNoun, isSeparator, isWhoVerb } from './vocabulary.ts';
import { filterForWord } from './word-filter.ts';

/** What reading a line needs to know of a command. */
export interface KnownCommand {
  /** The names of its words. */
  readonly words: Readonly<Record<string, unknown>>;
  readonly filters: boolean;
  /** True when other words are text to search for. */
  readonly freeText?: boolean;
}

/** What a line is read with: the commands that there are, and the requester's clock. Without them only lines as they are printed can be read. */
export interface Grammar {
  readonly commands?: ReadonlyMap<string, KnownCommand>;
  readonly clock?: LocalClock;
}

/** @throws Mistake for a word that the command has no place for. */
export function rephrase(pieces: readonly Piece[], { commands, clock }: Grammar): readonly Piece[] {
  const isKnown = (word: string): boolean =>
    commandNamed([word], commands?.keys() ?? []) !== undefined || (clock !== undefined && readTimePhrase([word], clock) !== undefined);
  const bare = withoutBold(withoutBullets(pieces), isKnown);
  const timed = clock ? withPlainTimes(bare, clock) : bare;
  if (!commands) return timed;
  const named = withNameFirst(withoutMarks(timed), commands);
  const [first] = named;
  const name = first && unquotedText(first)?.toLowerCase();
  const command = name === undefined ? undefined : commands.get(name);
  return command ? withKnownWords(named, command, clock) : named;
}

/** The text of an unquoted token; undefined for anything else. */
const unquotedText = (piece: Piece | undefined): string | undefined =>
  piece?.kind === 'token' && !isQuoted(piece.token) ? tokenText(piece.token) : undefined;
const tokenPiece = (text: string): Piece => ({ kind: 'token', token: plainToken(text) });
const isNameValue = (token: Token): boolean => /^-?[A-Za-z]\w*(?:[.[][\w.[\]*"-]*)?:/.test(maskQuoted(token));

/** Without the bullet, quotation mark or number in front of a line, and without `/trail`. */
function withoutBullets(pieces: readonly Piece[]): readonly Piece[] {
  const text = unquotedText(pieces[0]);
  if (text === undefined || pieces.length === 1) return text === '/trail' || text === 'trail' ? [] : pieces;
  return text === '/trail' || isSeparator(text) || /^(?:[*>]|\d+[.])$/.test(text) ? withoutBullets(pieces.slice(1)) : pieces;
}

/** Bold, italic or struck text as Slack marks it, at its start and end: `*last` and `weeks*`. */
const OPENING_MARK = /^([*_~]{1,3})(?=[\p{L}\p{N}"])/u;

/**
 * Without Slack's marks for bold, italic and struck text around a name, a time, several words or the whole line. One word between
 * stars may be a pattern (`who *Delete*`), which the command decides.
 */
function withoutBold(pieces: readonly Piece[], isName: (word: string) => boolean): readonly Piece[] {
  // A filter may end in a wildcard; only at the end of a line in bold its star is the mark.
  const isLineInBold = OPENING_MARK.test(unquotedText(pieces[0]) ?? '');
  const texts = pieces.map((piece, i) =>
    piece.kind === 'token' && isNameValue(piece.token) && !(isLineInBold && i === pieces.length - 1) ? undefined : unquotedText(piece),
  );
  const start = texts.findIndex((text, i) => {
    const marks = OPENING_MARK.exec(text ?? '')?.[1];
    if (text === undefined || marks === undefined) return false;
    const inner = text.slice(marks.length, text.endsWith(closingOf(marks)) ? -marks.length : undefined);
    return inner.length < text.length - marks.length
      ? i === 0 || isName(inner)
      : texts.slice(i + 1).some((other) => other?.endsWith(closingOf(marks)));
  });
  const text = texts[start];
  if (text === undefined) return pieces;
  const marks = OPENING_MARK.exec(text)?.[1] ?? '';
  const closing = closingOf(marks);
  const isWhole = text.length > 2 * marks.length && text.endsWith(closing);
  const end = isWhole ? start : texts.findIndex((other, i) => i > start && other?.endsWith(closing));
  const bare = pieces.map((piece, i) => {
    if (i !== start && i !== end) return piece;
    return tokenPiece((texts[i] ?? '').slice(i === start ? marks.length : 0, i === end ? -closing.length : undefined));
  });
  return withoutBold(bare, isName);
}

const closingOf = (marks: string): string => marks.split('').reverse().join('');

/** With each time as a line prints it: `last 2 weeks` as `2w`. Only outside of parentheses, except a time that is alone in them. */
function withPlainTimes(pieces: readonly Piece[], clock: LocalClock): readonly Piece[] {
  const all = withoutParenthesesAroundTimes(pieces, clock);
  const timed: Piece[] = [];
  let depth = 0;
  for (let at = 0; at < all.length; at += 1) {
    const piece = all[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const found = depth === 0 && piece.kind === 'token' && !isNameValue(piece.token) ? readTimePhrase(phraseWords(all, at), clock) : undefined;
    const negative = depth === 0 ? /^-+(\d{1,4}(?:mo|m|h|d|w|y))$/i.exec(unquotedText(piece) ?? '')?.[1] : undefined;
    if (found) {
      timed.push(...printWindow(found.window).split(' ').map(tokenPiece));
      at += found.taken - 1;
    } else {
      timed.push(negative ? tokenPiece(negative) : piece);
    }
  }
  return timed;
}

/** The unquoted words from `start` on; AND in capital letters is a word between two times. */
function phraseWords(all: readonly Piece[], start: number): string[] {
  const words: string[] = [];
  for (const piece of all.slice(start, start + MAX_PHRASE_WORDS)) {
    const text = piece.kind === 'and' && words.length > 0 ? 'and' : unquotedText(piece);
    if (text === undefined) break;
    words.push(text);
  }
  return words;
}

function withoutParenthesesAroundTimes(all: readonly Piece[], clock: LocalClock): readonly Piece[] {
  const open = all.findIndex((piece, i) => {
    if (piece.kind !== 'open' || piece.negated || piece.head !== '') return false;
    const words = phraseWords(all, i + 1);
    const isAlone = all[i + words.length + 1]?.kind === 'close' && readTimePhrase(words, clock)?.taken === words.length;
    return (
      isAlone && ![all[i - 1], all[i + words.length + 2]].some((neighbour) => neighbour && ['and', 'or', 'not', 'open'].includes(neighbour.kind))
    );
  });
  if (open < 0) return all;
  const close = open + phraseWords(all, open + 1).length + 1;
  return withoutParenthesesAroundTimes(
    all.filter((_, i) => i !== open && i !== close),
    clock,
  );
}

/** Without `please`, dashes and bullets between words, and question marks after them. */
function withoutMarks(pieces: readonly Piece[]): readonly Piece[] {
  const kept = pieces.filter((piece) => {
    const text = unquotedText(piece);
    return text === undefined || !(isCourtesy(text.replace(/[,.!?]+$/, '')) || isSeparator(text));
  });
  const last = kept.at(-1);
  const text = unquotedText(last);
  return last?.kind === 'token' && text !== undefined && !isNameValue(last.token) && /[?!]$/.test(text)
    ? [...kept.slice(0, -1), tokenPiece(text.replace(/[?!]+$/, ''))]
    : kept;
}

/** With the command's name in front, in one word, and without the words before it. Without a command, the pieces as they are. */
function withNameFirst(pieces: readonly Piece[], commands: NonNullable<Grammar['commands']>): readonly Piece[] {
  let depth = 0;
  for (let at = 0; at < pieces.length; at += 1) {
    const piece = pieces[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const bare = withoutPunctuation(unquotedText(piece)?.toLowerCase() ?? '');
    const isName = commands.has(bare) || (isLeadIn(bare) && at === 0);
    if (depth > 0 || piece.kind !== 'token' || (isNameValue(piece.token) && !isName)) continue;
    const time = readWindow(plainWords(pieces, at));
    if (time) {
      at += time.taken - 1;
      continue;
    }
    let start = at;
    while (isLeadIn(withoutPunctuation(unquotedText(pieces[start]) ?? '')) && !nameAt(pieces, start, commands)) start += 1;
    const found = nameAt(pieces, start, commands);
    if (found) return [tokenPiece(found.name), ...pieces.slice(0, at), ...pieces.slice(start + found.taken)];
    if (start > at && startsQuestion(pieces, start)) return withNameFirst(pieces.toSpliced(at, start - at), commands);
    const text = unquotedText(piece);
    const guess = at > 0 && text !== undefined ? closestMatch(text, commands.keys()) : undefined;
    if (guess)
      throw new Mistake(
        `There is no command “${truncate(text ?? '')}”. To search for the word, put it in quotes.`,
        printPieces([tokenPiece(guess), ...pieces.toSpliced(at, 1)]),
      );
    return pieces;
  }
  return pieces;
}

/** True for a filter, a time or a resource, with which a line may start. */
const startsQuestion = (pieces: readonly Piece[], at: number): boolean => {
  const piece = pieces[at];
  if (piece?.kind !== 'token') return false;
  return isNameValue(piece.token) || readWindow(plainWords(pieces, at)) !== undefined || readResourceId(tokenText(piece.token)).kind !== 'name';
};

/** A command's name may have a mark after it, as in “root-logins: 6mo”. */
const withoutPunctuation = (word: string): string => word.replace(/[,:;.]+$/, '');

/** The command that one, two or three words from `at` on name. */
function nameAt(
  pieces: readonly Piece[],
  at: number,
  commands: NonNullable<Grammar['commands']>,
): { readonly name: string; readonly taken: number } | undefined {
  const words = plainWords(pieces, at).map(withoutPunctuation);
  const first = words[0]?.toLowerCase();
  if (first === undefined) return quotedLine(pieces[at], commands);
  const own = commands.get(first);
  // The word after the name of a command that takes words is one of them, except a verb after “who”.
  const takesNext = own && (own.freeText || Object.keys(own.words).length > 0) && !(first === 'who' && isWhoVerb(words[1] ?? ''));
  const isWord = (word: string): boolean => /^[a-z][a-z0-9_-]*$/i.test(word);
  for (const taken of takesNext ? [] : [3, 2]) {
    const some = words.slice(0, taken);
    const name = some.length === taken && some.every(isWord) ? commandNamed(some, commands.keys()) : undefined;
    if (name !== undefined) return { name, taken };
  }
  if (own || first === 'help') return { name: first, taken: 1 };
  const name = isWord(first) ? commandNamed([first], commands.keys()) : undefined;
  return name === undefined ? undefined : { name, taken: 1 };
}

/** @throws Mistake for a whole line in quotes, which is no command. */
function quotedLine(piece: Piece | undefined, commands: NonNullable<Grammar['commands']>): undefined {
  if (piece?.kind !== 'token') return undefined;
  const inner = toPieces(tokenize(tokenText(piece.token)));
  if (inner.length > 1 && nameAt(inner, 0, commands))
    throw new Mistake('The whole question is in quotes, which are for names with spaces.', printPieces(inner));
  return undefined;
}

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
    if (at === 0 || depth > 0 || piece.kind !== 'token' || isNameValue(piece.token)) continue;
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
function withKnownWords(
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
  const dropped = spare.slice(0, surplus);
  // “a” may be a name.
  const left = spare.find((word) => !dropped.includes(word) && word.text !== 'a');
  if (left)
    throw new Mistake(
      `I don't know what to do with “${truncate(left.text)}”. If it is a name or a text to search for, put it in quotes.`,
      replaced(left, 1),
    );

  const kept = names.filter((word) => !dropped.includes(word));
  const noun = kept.find(({ text, isQuoted: quoted }, i) => !quoted && isResourceNoun(text) && i < kept.length - 1);
  if (noun && surplus > dropped.length) {
    const corrected = pieces.filter((_, at) => at !== noun.at && !dropped.some((word) => word.at === at));
    throw new Mistake(`I don't know what to do with “${truncate(noun.text)}” before a name.`, printPieces(corrected));
  }
  return withoutStars(pieces, kept, places).filter((_, at) => !dropped.some((word) => word.at === at));
}

/** Names in bold without its stars: `who-deleted *orders-db*`. Only an event may be a pattern. */
function withoutStars(pieces: readonly Piece[], names: readonly PlainWord[], places: KnownCommand['words']): readonly Piece[] {
  const keys = Object.keys(places).filter((key) => key !== 'all');
  const bold = names.filter(({ text, isQuoted: quoted }, i) => !quoted && keys[i] !== 'event' && /^[*][^*?]+[*]$/.test(text));
  return pieces.map((piece, at) => (bold.some((word) => word.at === at) ? tokenPiece((unquotedText(piece) ?? '').slice(1, -1)) : piece));
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

/** A word of a time that is not part of one: with the time that was probably meant, or without the word. */
function timeMistake(pieces: readonly Piece[], { at, text }: PlainWord, clock: LocalClock | undefined): Mistake {
  let [first, end] = [at, at + 1];
  while (first > 1 && unquotedText(pieces[first - 1]) !== undefined) first -= 1;
  while (unquotedText(pieces[end]) !== undefined) end += 1;
  const run = pieces.slice(first, end).map((piece) => unquotedText(piece) ?? '');
  for (let start = 0; first + start <= at; start += 1) {
    for (let stop = run.length; first + stop > at; stop -= 1) {
      const words = run.slice(start, stop);
      const meant = closestWindow(words) ?? (clock && readTimePhrase(['around', ...words], clock)?.window);
      if (!meant) continue;
      const corrected = pieces.toSpliced(first + start, words.length, ...printWindow(meant).split(' ').map(tokenPiece));
      return new Mistake(`I don't understand the time “${truncate(words.join(' '))}”.`, printPieces(corrected));
    }
  }
  return new Mistake(
    `I don't understand “${truncate(text)}” as a time. If it is a name or a text to search for, put it in quotes.`,
    printPieces(pieces.toSpliced(at, 1)),
  );
}

/** Finds the command that a line names, wherever it stands and however it is written: `7d root logins`, `who deleted X`. */
import { readResourceId } from '../analysis/resource-id.ts';
import { closestMatch } from '../text/closest-match.ts';
import { truncate } from '../text/format.ts';
import { withoutEnd } from '../text/without-end.ts';
import { readWindow } from '../trail/time-window.ts';
import type { KnownCommands } from './known-command.ts';
import { type Piece, plainPiece, plainWords, printPieces, tokenize, tokenText, toPieces, unquotedText } from './lexer.ts';
import { hasNamePrefix } from './name-value.ts';
import { Mistake } from './suggest.ts';
import { commandNamed, isLeadIn, isWhoVerb } from './vocabulary.ts';

/** With the command's name in front, in one word, and without the words before it. Without a command, the pieces as they are. */
export function withNameFirst(pieces: readonly Piece[], commands: KnownCommands): readonly Piece[] {
  const before: Piece[] = [];
  let depth = 0;
  for (let at = 0; at < pieces.length; at += 1) {
    const piece = pieces[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const bare = withoutPunctuation(unquotedText(piece)?.toLowerCase() ?? '');
    const isName = commands.has(bare) || (isLeadIn(bare) && before.length === 0);
    if (depth > 0 || piece.kind !== 'token' || (hasNamePrefix(piece.token) && !isName)) {
      before.push(piece);
      continue;
    }
    const time = readWindow(plainWords(pieces, at));
    if (time) {
      before.push(...pieces.slice(at, at + time.taken));
      at += time.taken - 1;
      continue;
    }
    let start = at;
    while (isLeadIn(withoutPunctuation(unquotedText(pieces[start]) ?? '')) && !nameAt(pieces, start, commands)) start += 1;
    const found = nameAt(pieces, start, commands);
    if (found) return [plainPiece(found.name), ...before, ...pieces.slice(start + found.taken)];
    if (start > at && startsQuestion(pieces, start)) {
      at = start - 1;
      continue;
    }
    const text = unquotedText(piece);
    const guess = before.length > 0 && text !== undefined ? closestMatch(text, commands.keys()) : undefined;
    if (guess)
      throw new Mistake(
        `There is no command “${truncate(text ?? '')}”. To search for the word, put it in quotes.`,
        printPieces([plainPiece(guess), ...before, ...pieces.slice(at + 1)]),
      );
    return [...before, ...pieces.slice(at)];
  }
  return before;
}

/** True for a filter, a time or a resource, with which a line may start. */
const startsQuestion = (pieces: readonly Piece[], at: number): boolean => {
  const piece = pieces[at];
  if (piece?.kind !== 'token') return false;
  return hasNamePrefix(piece.token) || readWindow(plainWords(pieces, at)) !== undefined || readResourceId(tokenText(piece.token)).kind !== 'name';
};

/** A command's name may have a mark after it, as in “root-logins: 6mo”. */
const withoutPunctuation = (word: string): string => withoutEnd(word, ',:;.');

/** The command that one, two or three words from `at` on name. */
function nameAt(pieces: readonly Piece[], at: number, commands: KnownCommands): { readonly name: string; readonly taken: number } | undefined {
  const words = plainWords(pieces, at).map(withoutPunctuation);
  const first = words[0]?.toLowerCase();
  if (first === undefined) return quotedLine(pieces[at], commands);
  const own = commands.get(first);
  // The word after the name of a command that takes words is one of them, except a verb after “who”.
  const takesNext = own && (own.freeText || Object.keys(own.words).length > 0) && !(first === 'who' && isWhoVerb(words[1] ?? ''));
  const isWord = (word: string): boolean => /^[a-z][a-z0-9_-]*$/i.test(word);
  for (const taken of takesNext ? [] : [3, 2]) {
    const some = words.slice(0, taken);
    const name = some.length === taken && some.every(isWord) ? commandNamed(some, commands) : undefined;
    if (name !== undefined) return { name, taken };
  }
  if (own || first === 'help') return { name: first, taken: 1 };
  const name = isWord(first) ? commandNamed([first], commands) : undefined;
  return name === undefined ? undefined : { name, taken: 1 };
}

/** @throws Mistake for a whole line in quotes, which is no command. */
function quotedLine(piece: Piece | undefined, commands: KnownCommands): undefined {
  if (piece?.kind !== 'token') return undefined;
  const inner = toPieces(tokenize(tokenText(piece.token)));
  if (inner.length > 1 && nameAt(inner, 0, commands))
    throw new Mistake('The whole question is in quotes, which are for names with spaces.', printPieces(inner));
  return undefined;
}

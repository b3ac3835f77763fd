/** Checks that parentheses are balanced, because an unbalanced one changes what the rest of the line means. */
import { truncate } from '../text/format.ts';
import { readWindow } from '../trail/time-window.ts';
import { maskQuoted, type Piece, plainWords, printPiece, printPieces } from './lexer.ts';
import { Mistake } from './suggest.ts';

/** @throws Mistake for a parenthesis that is not closed, or closes nothing. */
export function checkParentheses(all: readonly Piece[]): void {
  const opened: number[] = [];
  for (const [i, piece] of all.entries()) {
    if (piece.kind === 'open') opened.push(i);
    if (piece.kind === 'close' && opened.pop() === undefined) {
      const before = all[i - 1];
      throw new Mistake(
        `“${before ? truncate(printPiece(before)) : ''})” has a closing parenthesis without an opening one. If it is part of a name, put the name in quotes.`,
        printPieces(all.toSpliced(i, 1)),
      );
    }
  }
  const last = opened.at(-1);
  if (last === undefined) return;
  const after = all[last + 1];
  throw new Mistake(
    `The parenthesis in “${truncate(`${printPiece(all[last] as Piece)}${after ? printPiece(after) : ''}`)}” is not closed. If it is part of a name, put the name in quotes.`,
    printPieces(all.toSpliced(endOfGroup(all, last), 0, { kind: 'close' })),
  );
}

/** Where a group without a closing parenthesis probably ends: before the time and options at the end of the line. */
function endOfGroup(all: readonly Piece[], start: number): number {
  let end = all.length;
  for (let found = true; found; ) {
    const taken = [3, 2, 1].find((count) => end - count > start && readWindow(plainWords(all.slice(0, end), end - count))?.taken === count);
    const piece = all[end - 1];
    const isOption = end - 1 > start && piece?.kind === 'token' && /^(?:by|every|top|sort|cols|spend):/i.test(maskQuoted(piece.token));
    found = taken !== undefined || isOption;
    if (found) end -= taken ?? 1;
  }
  return end;
}

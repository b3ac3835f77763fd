/** Every parenthesis has its other half: else what stands in it, or after it, would be read as something else. */
import { truncate } from '../text/format.ts';
import { readWindow } from '../trail/time-window.ts';
import { maskQuoted, type Piece, plainWords, printPiece, printPieces } from './lexer.ts';
import { Mistake } from './suggest.ts';

/** @throws Mistake for a parenthesis without its other half: what stands in it, or after it, would be read as something else. */
export function checkParentheses(all: readonly Piece[]): void {
  const opened: number[] = [];
  for (const [i, piece] of all.entries()) {
    if (piece.kind === 'open') opened.push(i);
    if (piece.kind === 'close' && opened.pop() === undefined) {
      const before = all[i - 1];
      throw new Mistake(
        `“${before ? truncate(printPiece(before)) : ''})” closes a parenthesis that nothing opens. If it is part of a name, put the name in quotes.`,
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

/** Where a group most likely ends whose end was forgotten: before the time and the shape at the end of the line. */
function endOfGroup(all: readonly Piece[], start: number): number {
  let end = all.length;
  for (let found = true; found; ) {
    const taken = [3, 2, 1].find((count) => end - count > start && readWindow(plainWords(all.slice(0, end), end - count))?.taken === count);
    const piece = all[end - 1];
    const isShape = end - 1 > start && piece?.kind === 'token' && /^(?:by|every|top|sort|cols|spend):/i.test(maskQuoted(piece.token));
    found = taken !== undefined || isShape;
    if (found) end -= taken ?? 1;
  }
  return end;
}

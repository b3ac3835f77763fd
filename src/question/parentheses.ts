/** Checks that parentheses are balanced, because an unbalanced one changes what the rest of the line means. */
import { truncate } from '../text/format.ts';
import { readWindow } from '../trail/time-window.ts';
import { maskQuoted, type Piece, plainWords, printPiece, printPieces } from './lexer.ts';
import { Mistake } from './suggest.ts';

/** More than in any question. Each level is a call in a call, here and in both engines. */
const MAX_PARENTHESES = 20;

/** @throws Mistake for parentheses of which some are not closed, or close nothing, with all of them corrected; and for too many in each other. */
export function checkParentheses(all: readonly Piece[]): void {
  const opened: number[] = [];
  const unopened: number[] = [];
  let deepest = 0;
  for (const [i, piece] of all.entries()) {
    if (piece.kind === 'open') opened.push(i);
    if (piece.kind === 'close' && opened.pop() === undefined) unopened.push(i);
    deepest = Math.max(deepest, opened.length);
  }
  if (deepest > MAX_PARENTHESES)
    throw new Mistake(`More than ${MAX_PARENTHESES} parentheses are inside one another. Use fewer, or two questions.`, undefined);
  const last = opened.at(-1);
  const end = last === undefined ? all.length : endOfGroup(all, last);
  const surplus = new Set(unopened.map((i) => all[i]));
  const closed = opened.map((): Piece => ({ kind: 'close' }));
  const corrected = (): string => printPieces(all.toSpliced(end, 0, ...closed).filter((piece) => !surplus.has(piece)));
  const [first] = unopened;
  if (first !== undefined) {
    const before = all[first - 1];
    throw new Mistake(
      `“${before ? truncate(printPiece(before)) : ''})” has a closing parenthesis without an opening one. If it is part of a name, put the name in quotes.`,
      corrected(),
    );
  }
  if (last === undefined) return;
  const after = all[last + 1];
  throw new Mistake(
    `The parenthesis in “${truncate(`${printPiece(all[last] as Piece)}${after ? printPiece(after) : ''}`)}” is not closed. If it is part of a name, put the name in quotes.`,
    corrected(),
  );
}

/** Where groups without closing parentheses probably end: before the time and options at the end of the line. `start` is where the last of them begins. */
function endOfGroup(all: readonly Piece[], start: number): number {
  let end = all.length;
  for (let found = true; found; ) {
    const taken = [3, 2, 1].find((count) => end - count > start && readWindow(plainWords(all, end - count, end))?.taken === count);
    const piece = all[end - 1];
    const isOption = end - 1 > start && piece?.kind === 'token' && /^(?:by|every|top|sort|cols|spend):/i.test(maskQuoted(piece.token));
    found = taken !== undefined || isOption;
    if (found) end -= taken ?? 1;
  }
  return end;
}

/** Marks around the words of a line that are no part of it: bullets, bold, dashes, `please`, question marks. */
import { type Piece, plainPiece, unquotedText } from './lexer.ts';
import { hasNamePrefix } from './name-value.ts';
import { isCourtesy, isSeparator } from './vocabulary.ts';

/** Without the bullet, quotation mark or number in front of a line, and without `/trail`. */
export function withoutBullets(pieces: readonly Piece[]): readonly Piece[] {
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
export function withoutBold(pieces: readonly Piece[], isName: (word: string) => boolean): readonly Piece[] {
  // A filter may end in a wildcard; only at the end of a line in bold its star is the mark.
  const isLineInBold = OPENING_MARK.test(unquotedText(pieces[0]) ?? '');
  const texts = pieces.map((piece, i) =>
    piece.kind === 'token' && hasNamePrefix(piece.token) && !(isLineInBold && i === pieces.length - 1) ? undefined : unquotedText(piece),
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
    return plainPiece((texts[i] ?? '').slice(i === start ? marks.length : 0, i === end ? -closing.length : undefined));
  });
  return withoutBold(bare, isName);
}

const closingOf = (marks: string): string => marks.split('').reverse().join('');

/** Without `please`, dashes and bullets between words, and question marks after them. */
export function withoutMarks(pieces: readonly Piece[]): readonly Piece[] {
  const kept = pieces.filter((piece) => {
    const text = unquotedText(piece);
    return text === undefined || !(isCourtesy(text.replace(/[,.!?]+$/, '')) || isSeparator(text));
  });
  const last = kept.at(-1);
  const text = unquotedText(last);
  return last?.kind === 'token' && text !== undefined && !hasNamePrefix(last.token) && /[?!]$/.test(text)
    ? [...kept.slice(0, -1), plainPiece(text.replace(/[?!]+$/, ''))]
    : kept;
}

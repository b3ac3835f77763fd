/** Marks around the words of a line that are no part of it: bullets, bold, dashes, `please`, question marks. */
import { withoutEnd } from '../text/without-end.ts';
import { type Piece, plainPiece, unquotedText } from './lexer.ts';
import { hasNamePrefix } from './name-value.ts';
import { isCourtesy, isSeparator } from './vocabulary.ts';

/** Without the bullet, quotation mark or number in front of a line, and without `/trail`. */
export function withoutBullets(pieces: readonly Piece[]): readonly Piece[] {
  const isBullet = (text: string): boolean => text === '/trail' || isSeparator(text) || /^(?:[*>]|\d+[.])$/.test(text);
  const start = pieces.findIndex((piece, i) => i === pieces.length - 1 || !isBullet(unquotedText(piece) ?? ''));
  const text = unquotedText(pieces[start]);
  return start === pieces.length - 1 && (text === '/trail' || text === 'trail') ? [] : pieces.slice(Math.max(start, 0));
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
  const isFilter = (piece: Piece | undefined): boolean => piece?.kind === 'token' && hasNamePrefix(piece.token);
  const texts = pieces.map((piece, i) => (isFilter(piece) && !(isLineInBold && i === pieces.length - 1) ? undefined : unquotedText(piece)));
  const changed = new Map<number, string>();
  const change = (i: number, text: string): void => {
    texts[i] = text;
    changed.set(i, text);
  };
  // For each closing mark, where the search for the next one goes on: no text is searched twice for the same mark.
  const searched = new Map<string, number>();
  const nextEnd = (closing: string, after: number): number => {
    let at = Math.max(after + 1, searched.get(closing) ?? 0);
    while (at < texts.length && !texts[at]?.endsWith(closing)) at += 1;
    searched.set(closing, at);
    return at;
  };
  for (let i = 0; i < texts.length; i += 1) {
    if (i === 1 && isFilter(pieces.at(-1))) texts[texts.length - 1] = undefined;
    const text = texts[i];
    const marks = OPENING_MARK.exec(text ?? '')?.[1];
    if (text === undefined || marks === undefined) continue;
    const closing = closingOf(marks);
    if (text.endsWith(closing) && text.length > 2 * marks.length) {
      const inner = text.slice(marks.length, -marks.length);
      if (i === 0 || isName(inner)) change(i, inner);
      continue;
    }
    const end = nextEnd(closing, i);
    const last = texts[end];
    if (last === undefined) continue;
    change(i, text.slice(marks.length));
    change(end, last.slice(0, -closing.length));
  }
  return pieces.map((piece, i) => {
    const text = changed.get(i);
    return text === undefined ? piece : plainPiece(text);
  });
}

const closingOf = (marks: string): string => marks.split('').reverse().join('');

/** Without `please`, dashes and bullets between words, and question marks after them. */
export function withoutMarks(pieces: readonly Piece[]): readonly Piece[] {
  const kept = pieces.filter((piece) => {
    const text = unquotedText(piece);
    return text === undefined || !(isCourtesy(withoutEnd(text, ',.!?')) || isSeparator(text));
  });
  const last = kept.at(-1);
  const text = unquotedText(last);
  return last?.kind === 'token' && text !== undefined && !hasNamePrefix(last.token) && /[?!]$/.test(text)
    ? [...kept.slice(0, -1), plainPiece(withoutEnd(text, '?!'))]
    : kept;
}

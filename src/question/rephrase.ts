/**
 * Rewrites what people write as a line has it: times in words, a time before the command, `who deleted X`, bullets, bold, `please`.
 * A word that may be a name is never dropped: it is a mistake, with the line that was probably meant.
 */
import { truncate } from '../text/format.ts';
import { withoutEnd } from '../text/without-end.ts';
import { readBrokenTime } from '../trail/broken-time.ts';
import { type LocalClock, MAX_PHRASE_WORDS, readTimePhrase } from '../trail/time-phrase.ts';
import { printWindow, readWindow } from '../trail/time-window.ts';
import { withNameFirst } from './command-name.ts';
import type { KnownCommands } from './known-command.ts';
import { type Piece, plainPiece, printPieces, unquotedText } from './lexer.ts';
import { withoutBold, withoutBullets, withoutMarks } from './marks.ts';
import { hasNamePrefix } from './name-value.ts';
import { Mistake } from './suggest.ts';
import { withoutSurplusWords } from './surplus-words.ts';
import { commandNamed } from './vocabulary.ts';

/** What a line is read with: the commands that there are, and the requester's clock. Without them only lines as they are printed can be read. */
export interface Grammar {
  readonly commands?: KnownCommands;
  readonly clock?: LocalClock;
}

/** @throws Mistake for a word that the command has no place for. */
export function rephrase(pieces: readonly Piece[], { commands, clock }: Grammar): readonly Piece[] {
  const isKnown = (word: string): boolean =>
    (commands && commandNamed([word], commands) !== undefined) || (clock !== undefined && readTimePhrase([word], clock) !== undefined);
  const bare = withoutBold(withoutBullets(pieces), isKnown);
  const timed = clock ? withPlainTimes(bare, clock) : bare;
  if (!commands) return timed;
  checkTimes(timed);
  const named = withNameFirst(withoutMarks(timed), commands);
  const [first] = named;
  const name = first && unquotedText(first)?.toLowerCase();
  const command = name === undefined ? undefined : commands.get(name);
  return command ? withoutSurplusWords(named, command, clock) : named;
}

/** With each time as a line prints it: `last 2 weeks` as `2w`. Only outside of parentheses, except a time that is alone in them. */
function withPlainTimes(pieces: readonly Piece[], clock: LocalClock): readonly Piece[] {
  const all = withoutParenthesesAroundTimes(pieces, clock);
  const texts = phraseTexts(all);
  const timed: Piece[] = [];
  let depth = 0;
  for (let at = 0; at < all.length; at += 1) {
    const piece = all[at] as Piece;
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const found = depth === 0 && piece.kind === 'token' && !hasNamePrefix(piece.token) ? readTimePhrase(phraseWords(texts, at), clock) : undefined;
    const negative = depth === 0 && piece.kind === 'token' ? /^-+(\d{1,4}(?:mo|m|h|d|w|y))$/i.exec(texts[at] ?? '')?.[1] : undefined;
    if (found) {
      timed.push(...printWindow(found.window).split(' ').map(plainPiece));
      at += found.taken - 1;
    } else {
      timed.push(negative ? plainPiece(negative) : piece);
    }
  }
  return timed;
}

/** @throws Mistake for a word that looks like a time and is none. As a name or a text it would silently ask something else. */
function checkTimes(all: readonly Piece[]): void {
  let depth = 0;
  for (const [at, piece] of all.entries()) {
    if (piece.kind === 'open') depth += 1;
    if (piece.kind === 'close') depth -= 1;
    const text = unquotedText(piece);
    if (depth > 0 || text === undefined) continue;
    const next = withoutEnd(unquotedText(all[at + 1]) ?? '', ',;:!?.');
    const isOpen = /[^.…](?:[.]{2,3}|…)$/.test(text);
    const broken = ((isOpen && readBrokenTime([text, next])) || readBrokenTime([withoutEnd(text, ',;:!?.'), next])) ?? rangeBeforeMark(text);
    if (!broken) continue;
    const words = all.slice(at, at + broken.taken).map((each) => unquotedText(each) ?? '');
    const meant = broken.meant && printWindow(broken.meant).split(' ').map(plainPiece);
    // The right form has its own “since”.
    const start = broken.meant?.kind === 'since' && unquotedText(all[at - 1])?.toLowerCase() === 'since' ? at - 1 : at;
    throw new Mistake(
      `“${truncate(words.join(' '))}” is not a time. ${broken.why} If it is a name or a text to search for, put it in quotes.`,
      meant && printPieces(all.toSpliced(start, at - start + broken.taken, ...meant)),
    );
  }
}

/** `2026-04-20..2026-05-02,`: as a text to search for it would find nothing. */
function rangeBeforeMark(text: string): ReturnType<typeof readBrokenTime> {
  const [, range] = /^(\d.*[.]{2}.*[^.…])[,;:!.]$/.exec(text) ?? [];
  const window = range === undefined ? undefined : readWindow([range])?.window;
  return window && { why: `There is a “${text.at(-1)}” after it.`, meant: window, taken: 1 };
}

/** The texts of unquoted words; AND in capital letters is a word between two times. */
const phraseTexts = (all: readonly Piece[]): (string | undefined)[] => all.map((piece) => (piece.kind === 'and' ? 'and' : unquotedText(piece)));

/** The words from `start` on that may be one time. */
function phraseWords(texts: readonly (string | undefined)[], start: number): string[] {
  const words: string[] = [];
  for (const text of texts.slice(start, start + MAX_PHRASE_WORDS)) {
    if (text === undefined) break;
    words.push(text);
  }
  return words;
}

function withoutParenthesesAroundTimes(all: readonly Piece[], clock: LocalClock): readonly Piece[] {
  if (!all.some(({ kind }) => kind === 'open')) return all;
  const texts = phraseTexts(all);
  const isOperand = (neighbour: Piece | undefined): boolean => neighbour !== undefined && ['and', 'or', 'not', 'open'].includes(neighbour.kind);
  const around = all.flatMap((piece, open) => {
    if (piece.kind !== 'open' || piece.negated || piece.head !== '' || all[open + 1]?.kind !== 'token') return [];
    const words = phraseWords(texts, open + 1);
    const close = open + words.length + 1;
    const isAlone = all[close]?.kind === 'close' && readTimePhrase(words, clock)?.taken === words.length;
    return isAlone && !isOperand(all[open - 1]) && !isOperand(all[close + 1]) ? [open, close] : [];
  });
  const dropped = new Set(around);
  return dropped.size === 0 ? all : all.filter((_, i) => !dropped.has(i));
}

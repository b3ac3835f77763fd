/** The record of an event as JSON text, in pages that a modal of Slack has room for. */
import { toJsonText } from '../text/json.ts';
import { visibleJson } from './escape.ts';

/** Slack takes so many characters in a section (docs.slack.dev), and says no number for text in fixed width. */
const MAX_PART_CHARACTERS = 3000;
const PARTS_OF_PAGE = 3;

/** The pages, each in parts for a block of its own. All together they are the JSON text. */
export function recordPages(record: object): readonly (readonly string[])[] {
  const parts: string[] = [];
  for (const line of toJsonText(record, 2).split('\n').map(visibleJson)) {
    const last = parts.at(-1);
    if (last !== undefined && last.length + 1 + line.length <= MAX_PART_CHARACTERS) parts[parts.length - 1] = `${last}\n${line}`;
    else parts.push(...piecesOf(line));
  }
  return Array.from({ length: Math.ceil(parts.length / PARTS_OF_PAGE) }, (_, i) => parts.slice(i * PARTS_OF_PAGE, (i + 1) * PARTS_OF_PAGE));
}

/** A line that is too long for a part in pieces, none of which ends inside a character. */
function piecesOf(line: string): string[] {
  const pieces: string[] = [];
  for (let rest = line; rest !== ''; rest = rest.slice(pieces.at(-1)?.length))
    pieces.push(rest.length > MAX_PART_CHARACTERS ? rest.slice(0, MAX_PART_CHARACTERS).replace(/[\ud800-\udbff]$/, '') : rest);
  return pieces;
}

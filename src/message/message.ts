/** An answer as Slack shows it: the sentence, the evidence, the follow-ups, the ground it stands on; within Slack's limits. */
import type { KnownBlock } from '@slack/types';
import type { Answer, Next, Table } from '../answer/answer.ts';
import { buttons, cut, DATA_TABLE, dataTable, MESSAGE, preformatted, rowMenu, toBlocks } from './blocks.ts';
import { plain } from './escape.ts';
import { seenColumns, shownCell } from './table.ts';
import { fill } from './templates.ts';

export interface Message {
  /** The answer in a sentence: what notifications and screen readers get. */
  readonly text: string;
  readonly blocks: KnownBlock[];
}

/** How an answer is shown. `plainTables` is for clients that do not know data_table; `shared` is for a message everyone sees. */
export interface Showing {
  readonly plainTables?: boolean;
  /** Who shares it, as their Slack user id. */
  readonly sharedBy?: string;
  /** The answer has partial results: events before this time are still being scanned. It has no buttons yet. */
  readonly partial?: Date;
}

/** The whole message. Rows that do not fit are counted, and the line that shows them all is said. */
export function toMessage(answer: Answer, templates: URL, { plainTables = false, sharedBy, partial }: Showing = {}): Message {
  const filled = fill(answer.template, answer.data, templates);
  const { table, next = [], line } = answer;
  const { line: _, ...lineless } = answer;
  const shown = table && !table.unseen && table.rows.length > 0 ? table : undefined;
  const said = toBlocks(filled);
  const build = ({ sentences, rows, withLine }: Size): KnownBlock[] => [
    ...(sharedBy ? toBlocks(`<@${sharedBy}> asked ${(withLine && fill('line', { line: line ?? null }, templates)) || 'this:'}`) : []),
    ...said.slice(0, sentences),
    ...(shown ? [evidence(shown, rows, plainTables)] : []),
    ...(shown ? rowMenu(leadsOf(shown, rows)) : []),
    ...(partial ? toBlocks(fill('partial', { until: partial.toISOString() }, templates)) : buttons(next, sharedBy ? undefined : line)),
    // In a shared answer the line stands above, beside whoever asked it.
    ...toBlocks(footer(withLine && !sharedBy && !partial ? answer : lineless, rows, templates, sentences < said.length)),
  ];
  return { text: cut(sentence(filled), MESSAGE.text), blocks: build(mostThatFits(said.length, shown, build)) };
}

/** How much of an answer a message holds: blocks of its template, rows of its table, and the line or not. */
interface Size {
  readonly sentences: number;
  readonly rows: number;
  readonly withLine: boolean;
}

/**
 * A message too long is refused whole: of the template all is shown that leaves room for one row, and then as many rows
 * as fit. The line is whole or not there, and only one that leaves no room even so is not.
 */
function mostThatFits(said: number, table: Table | undefined, build: (size: Size) => KnownBlock[]): Size {
  const least = table ? 1 : 0;
  const withLine = isWithin(build({ sentences: Math.min(said, 1), rows: least, withLine: true }));
  let sentences = said;
  while (sentences > 1 && !isWithin(build({ sentences, rows: least, withLine }))) sentences -= 1;
  let rows = least;
  let tooMany = Math.min(table?.rows.length ?? 0, DATA_TABLE.rows) + 1;
  while (tooMany - rows > 1) {
    const middle = Math.floor((rows + tooMany) / 2);
    if (isWithin(build({ sentences, rows: middle, withLine }))) rows = middle;
    else tooMany = middle;
  }
  return { sentences, rows, withLine };
}

const leadsOf = (table: Table, rows: number): Next[] => table.rows.slice(0, rows).flatMap((row) => (row.next ? [row.next] : []));

/** The answer in one sentence or two, as plain text. */
export const toText = (answer: Answer, templates: URL): string => plain(sentence(fill(answer.template, answer.data, templates)));

/** What was searched, in one line. `shown` rows of the table are in view; `shortened` when more was to be said. */
export function footer(answer: Answer, shown: number, templates: URL, shortened = false): string {
  if (!answer.coverage && !answer.line) return '';
  const rows = answer.table?.rows.length ?? 0;
  const data = {
    line: answer.line ?? null,
    coverage: answer.coverage ?? null,
    cut: shown < rows && shown > 0 ? { shown, rows, more: answer.table?.more ?? false } : null,
    shortened,
    note: answer.note ?? null,
  };
  return fill('footer', data, templates);
}

/** A template's first paragraph is its answer; the rest is evidence. */
const sentence = (filled: string): string => (filled.split('\n').find((line) => line.trim() !== '') ?? '').replace(/^# /, '');

function evidence(table: Table, rows: number, plainTables: boolean): KnownBlock {
  const columns = seenColumns(table).slice(0, DATA_TABLE.columns);
  const labels = columns.map(({ label }) => label);
  const cells = table.rows.slice(0, rows).map((row) => columns.map((column) => shownCell(row.cells[column.name], column)));
  return plainTables ? preformatted(fixedWidth(labels, cells)) : dataTable(table.caption, labels, cells);
}

function isWithin(blocks: readonly KnownBlock[]): boolean {
  const json = JSON.stringify(blocks);
  const texts = json.match(/"text":"(?:[^"\\]|\\.)*"/g) ?? [];
  return (
    blocks.length <= MESSAGE.blocks &&
    Buffer.byteLength(json) <= MESSAGE.bytes &&
    texts.reduce((sum, text) => sum + text.length - '"text":""'.length, 0) <= MESSAGE.characters
  );
}

function fixedWidth(labels: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [labels, ...rows].map((row) => row.map(String));
  const widths = labels.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

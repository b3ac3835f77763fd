/** An answer as Slack shows it: the sentence, the evidence, the follow-ups, the ground it stands on; within Slack's limits. */
import type { KnownBlock } from '@slack/types';
import type { Answer, Table } from '../answer.ts';
import { buttons, cut, DATA_TABLE, dataTable, MESSAGE, preformatted, rowMenu, toBlocks } from './blocks.ts';
import { plain, visible } from './inert.ts';
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
}

/** The whole message. Rows that do not fit are counted, and the line that shows them all is said. */
export function toMessage(answer: Answer, templates: URL, { plainTables = false, sharedBy }: Showing = {}): Message {
  const filled = fill(answer.template, answer.data, templates);
  const { table, next = [], line } = answer;
  const shown = table && !table.unseen && table.rows.length > 0 ? table : undefined;
  const leads = shown ? shown.rows.flatMap((row) => (row.next ? [row.next] : [])) : [];
  const head = [...(sharedBy ? toBlocks(`<@${sharedBy}> asked \`${fill('line', { line: line ?? '' }, templates)}\``) : []), ...toBlocks(filled)];
  const tail = (rows: number): KnownBlock[] => [
    ...rowMenu(leads, shown ? `Look into one of ${leads.length}` : ''),
    ...buttons(next, sharedBy ? undefined : line),
    ...toBlocks(footer(answer, rows, templates)),
  ];
  const blocks = shown ? withTable(shown, head, tail, plainTables) : [...head, ...tail(0)];
  return { text: cut(sentence(filled), MESSAGE.text), blocks: blocks.slice(0, MESSAGE.blocks) };
}

/** The answer in one sentence or two, as plain text. */
export const toText = (answer: Answer, templates: URL): string => plain(sentence(fill(answer.template, answer.data, templates)));

/** What was searched, in one line. `shown` rows of the table are in view. */
export function footer(answer: Answer, shown: number, templates: URL): string {
  if (!answer.coverage && !answer.line) return '';
  const rows = answer.table?.rows.length ?? 0;
  return fill(
    'coverage',
    { line: answer.line ?? null, coverage: answer.coverage ?? null, cut: shown < rows && shown > 0 ? { shown, rows } : null },
    templates,
  );
}

/** A template's first paragraph is its answer; the rest is evidence. */
const sentence = (filled: string): string => (filled.split('\n').find((line) => line.trim() !== '') ?? '').replace(/^# /, '');

function withTable(table: Table, head: KnownBlock[], tail: (rows: number) => KnownBlock[], plainTables: boolean): KnownBlock[] {
  const columns = seenColumns(table).slice(0, DATA_TABLE.columns);
  const labels = columns.map(({ label }) => label);
  const cells = table.rows.slice(0, DATA_TABLE.rows).map((row) => columns.map((column) => shownCell(row.cells[column.name], column)));
  const build = (rows: number): KnownBlock[] => [
    ...head,
    plainTables ? preformatted(fixedWidth(labels, cells.slice(0, rows))) : dataTable(table.caption, labels, cells.slice(0, rows)),
    ...tail(rows),
  ];
  // The most rows that fit, found by halving: a message too long is refused whole.
  let fits = 1;
  let tooMany = cells.length + 1;
  while (tooMany - fits > 1) {
    const rows = Math.floor((fits + tooMany) / 2);
    if (isWithin(build(rows))) fits = rows;
    else tooMany = rows;
  }
  return build(fits);
}

function isWithin(blocks: readonly KnownBlock[]): boolean {
  const json = JSON.stringify(blocks);
  return (
    json.length <= MESSAGE.json &&
    (json.match(/"text":"(?:[^"\\]|\\.)*"/g) ?? []).reduce((sum, text) => sum + text.length - 9, 0) <= MESSAGE.characters
  );
}

function fixedWidth(labels: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [labels, ...rows].map((row) => row.map((cell) => visible(String(cell))));
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

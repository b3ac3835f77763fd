/** An answer as a Slack message: the template, the table, the follow-ups and the footer, within Slack's limits. */
import type { KnownBlock } from '@slack/types';
import type { Answer, Next, Table } from '../answer/answer.ts';
import { withNamesShown } from './account-names.ts';
import {
  buttons,
  cut,
  DATA_TABLE_LIMITS,
  dataTable,
  MESSAGE_LIMITS,
  preformatted,
  selectMenu,
  slackMember,
  type TableCell,
  toBlocks,
} from './blocks.ts';
import { CHART_LIMITS, type ChartBlock, chartBlock, chartText, isDrawable } from './chart.ts';
import { plain } from './escape.ts';
import { fixedWidth, formatCell, visibleColumns } from './table.ts';
import { fill } from './templates.ts';

type MessageBlock = KnownBlock | ChartBlock;

export interface Message {
  /** The first paragraph, for notifications and screen readers. */
  readonly text: string;
  readonly blocks: MessageBlock[];
}

/**
 * What a message is made of. `native`: Slack's own tables and charts. `plain`: those as text of fixed width, for clients that have neither.
 * `text`: its text alone, where Slack rejects the blocks of both.
 */
export type MessageForm = 'native' | 'plain' | 'text';

/** How to show an answer. */
export interface MessageOptions {
  /** Default: native. */
  readonly form?: MessageForm;
  /** The Slack user who shares the answer with the channel. */
  readonly sharedBy?: string;
  /** True for a digest: the buttons of the daily report are told apart from those of answers, to know which findings were opened. */
  readonly isDigest?: boolean;
  /** Marks partial results: events before this time are still being scanned. There are no follow-ups yet. */
  readonly partialUntil?: Date;
}

/** Builds the message. The footer counts the rows that do not fit, and says how to get them all. */
export function toMessage(
  found: Answer,
  templates: URL,
  { form = 'native', isDigest = false, sharedBy, partialUntil }: MessageOptions = {},
): Message {
  const answer = withNamesShown(found);
  const filled = fill(answer.template, answer.data, templates, answer.accountNames);
  if (form === 'text') return { text: `${sharedBy ? `<@${sharedBy}> asked:\n` : ''}${textAlone(answer, filled, templates)}`, blocks: [] };
  const isPlain = form === 'plain';
  const { table, next = [], menu, line } = answer;
  const { line: _, ...withoutLine } = answer;
  const isPublic = sharedBy !== undefined || isDigest;
  const shown = table && !table.exportOnly && table.rows.length > 0 ? table : undefined;
  const templateBlocks = toBlocks(filled);
  const charts = (answer.charts ?? []).filter(isDrawable).slice(0, CHART_LIMITS.charts);
  const build = ({ blocks, rows, withLine }: Size): MessageBlock[] => [
    ...(sharedBy ? toBlocks(`<@${sharedBy}> asked ${(withLine && fill('line', { line: line ?? null }, templates)) || 'this:'}`) : []),
    ...templateBlocks.slice(0, blocks),
    ...charts.map((chart) => (isPlain ? preformatted(chartText(chart)) : chartBlock(chart))),
    ...(shown ? [tableBlock(shown, rows, { isPlain, names: !isPublic })] : []),
    ...(shown ? selectMenu('row', rowFollowUps(shown, rows), (count) => (count === 1 ? 'Open the row' : `Open one of ${count} rows`)) : []),
    ...(partialUntil
      ? toBlocks(fill('partial', { until: partialUntil.toISOString() }, templates))
      : buttons(next, sharedBy ? undefined : line, isDigest && answer.template === 'daily')),
    ...(menu && !partialUntil ? selectMenu('more', menu.options, () => menu.prompt) : []),
    // A shared answer has the line at the top, after the name of the person who asked it.
    ...toBlocks(footer(withLine && !sharedBy && !partialUntil ? answer : withoutLine, rows, templates, blocks < templateBlocks.length)),
  ];
  return { text: cut(firstParagraph(filled), MESSAGE_LIMITS.text), blocks: build(largestFit(templateBlocks.length, shown, build)) };
}

/** How much of an answer goes into a message: template blocks, table rows, and whether the line is shown. */
interface Size {
  readonly blocks: number;
  readonly rows: number;
  readonly withLine: boolean;
}

/**
 * Slack refuses a message that is too long. So the template gets as many blocks as leave room for one row, and then the table
 * as many rows as fit. The line is shown in full or not at all: not when it leaves no room for one block and one row.
 */
function largestFit(templateBlocks: number, table: Table | undefined, build: (size: Size) => MessageBlock[]): Size {
  const least = table ? 1 : 0;
  const withLine = fitsInMessage(build({ blocks: Math.min(templateBlocks, 1), rows: least, withLine: true }));
  let blocks = templateBlocks;
  while (blocks > 1 && !fitsInMessage(build({ blocks, rows: least, withLine }))) blocks -= 1;
  let rows = least;
  let tooMany = Math.min(table?.rows.length ?? 0, DATA_TABLE_LIMITS.rows) + 1;
  while (tooMany - rows > 1) {
    const middle = Math.floor((rows + tooMany) / 2);
    if (fitsInMessage(build({ blocks, rows: middle, withLine }))) rows = middle;
    else tooMany = middle;
  }
  return { blocks, rows, withLine };
}

const rowFollowUps = (table: Table, rows: number): Next[] => table.rows.slice(0, rows).flatMap((row) => (row.next ? [row.next] : []));

/** The answer in one sentence or two, as plain text. */
export const toText = (answer: Answer, templates: URL): string =>
  plain(firstParagraph(fill(answer.template, answer.data, templates, answer.accountNames)));

/** The footer: what was searched, and how many of the rows are shown. `shortened` means that template blocks are missing. */
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

/** The answer without blocks: its sentences, what was searched, and how to see the rest. */
function textAlone(answer: Answer, filled: string, templates: URL): string {
  const rest = fill('text-alone', { line: answer.line ?? null, rows: answer.table?.rows.length ?? 0 }, templates);
  const { line: _, ...withoutLine } = answer;
  const last = [rest, footer(withoutLine, 0, templates).replaceAll(/^\^ /gm, '')].filter(Boolean).join('\n');
  return `${cut(filled.replaceAll(/^(?:# |\^ |---$)/gm, ''), MESSAGE_LIMITS.text - last.length - 1)}\n${last}`;
}

const firstParagraph = (filled: string): string => (filled.split('\n').find((line) => line.trim() !== '') ?? '').replace(/^# /, '');

/** `names`: users and channels as such. Where many read a message, each user in it would be notified. */
function tableBlock(table: Table, rows: number, { isPlain, names }: { readonly isPlain: boolean; readonly names: boolean }): KnownBlock {
  const columns = visibleColumns(table).slice(0, DATA_TABLE_LIMITS.columns);
  const labels = columns.map(({ label }) => label);
  const cells = table.rows.slice(0, rows).map((row) => columns.map((column) => formatCell(row.cells[column.name], column)));
  if (isPlain) return preformatted(fixedWidth(labels, cells));
  const named = (cell: string | number, i: number): TableCell =>
    (names && columns[i]?.kind === 'member' && typeof cell === 'string' ? slackMember(cell) : undefined) ?? cell;
  return dataTable(
    table.caption,
    labels,
    cells.map((row) => row.map(named)),
  );
}

function fitsInMessage(blocks: readonly MessageBlock[]): boolean {
  const json = JSON.stringify(blocks);
  const texts = json.match(/"text":"(?:[^"\\]|\\.)*"/g) ?? [];
  return (
    blocks.length <= MESSAGE_LIMITS.blocks &&
    Buffer.byteLength(json) <= MESSAGE_LIMITS.bytes &&
    texts.reduce((sum, text) => sum + text.length - '"text":""'.length, 0) <= MESSAGE_LIMITS.characters
  );
}

/** An answer as text for a terminal: the same template, a table that fits, and the follow-ups as lines to type. */
import CliTable from 'cli-table3';
import type { Answer, Column, Next, Table } from '../answer/answer.ts';
import { shortenKeys } from '../text/redact.ts';
import { namesAlone, withNamesShown } from './account-names.ts';
import { chartText } from './chart.ts';
import { clip, plain, visible } from './escape.ts';
import { footer } from './message.ts';
import { formatCell, visibleColumns } from './table.ts';
import { fill } from './templates.ts';

const MAX_TERMINAL_ROWS = 50;

/** Text for a terminal of `width` columns. Control characters from a log are made visible, so the terminal does not obey them. */
export function toTerminal(answer: Answer, templates: URL, width: number): string {
  const { table, next: buttons = [], menu } = withNamesShown(answer);
  const next = [...buttons, ...(menu?.options ?? [])];
  const shown = table && !table.exportOnly && table.rows.length > 0 ? table : undefined;
  const parts = [
    withoutMarkup(fill(answer.template, answer.data, templates, answer.accountNames)),
    ...(answer.charts ?? []).map(chartText),
    ...(shown ? [drawTable(shown, width)] : []),
    ...(next.length > 0 ? [`Ask next:\n${next.map((each) => followUpLine(each, answer.line ?? '')).join('\n')}`] : []),
    withoutMarkup(footer(answer, templates, { rows: shown ? Math.min(shown.rows.length, MAX_TERMINAL_ROWS) : 0, isTerminal: true })),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

/** A follow-up as it may be typed: the desk knows shortened access key ids. */
const followUpLine = ({ label, line }: Next, asked: string): string => {
  const typed = shortenKeys(line, asked);
  return `  ${visible(typed)}${label === typed ? '' : `   (${visible(label)})`}`;
};

/** Removes the marks of templates: `# ` headings, `^ ` footnotes, fences, bold labels. */
const withoutMarkup = (filled: string): string => {
  const lines = filled.split('\n').filter((line) => line !== '```');
  const bare = lines.map((line) =>
    line
      .replace(/^[#^] /, '')
      .replace(/^\*([A-Za-z0-9 ]+[:.])\*/, '$1')
      .replace(/_(T\d{4}[.\d]* [^_]+)_/, '$1'),
  );
  return plain(bare.join('\n')).trim();
};

const BORDERLESS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

function drawTable(table: Table, width: number): string {
  const columns = visibleColumns(table);
  const room = width - 2 * columns.length;
  const shown = table.rows.slice(0, MAX_TERMINAL_ROWS);
  const cells = columns.map((column) => shown.map((row) => String(formatCell(row.cells[column.name], column))));
  const preferred = (all: readonly (readonly string[])[]): number[] =>
    columns.map(({ label }, i) => Math.max(label.length, ...(all[i] ?? []).map(({ length }) => length)));
  const fitting = sum(preferred(cells)) <= room ? cells : columns.map((column, i) => namesAlone(column, cells[i] ?? []));
  const widths = fitWidths(columns, preferred(fitting), room);
  const grid = new CliTable({
    head: columns.map(({ label }) => label),
    chars: BORDERLESS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    colAligns: columns.map(({ kind }) => (kind === 'count' ? 'right' : 'left')),
  });
  grid.push(...shown.map((_, row) => fitting.map((column, i) => clip(column[row] ?? '', widths[i] ?? 0))));
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** The least width that a column shrinks to. */
const MIN_WIDTH = 12;

/** Column widths that fit into `room` together. The widest column shrinks first, and times only when all others have shrunk. */
function fitWidths(columns: readonly Column[], preferred: readonly number[], room: number): number[] {
  const widths = [...preferred];
  const widest = (kinds: readonly Column['kind'][]): number =>
    widths.reduce(
      (most, width, i) => (width > MIN_WIDTH && kinds.includes(columns[i]?.kind ?? 'text') && width > (widths[most] ?? 0) ? i : most),
      -1,
    );
  for (let over = sum(widths) - room; over > 0; over -= 1) {
    const text = widest(['text', 'count']);
    const at = text >= 0 ? text : widest(['time']);
    if (at < 0) break;
    widths[at] = (widths[at] ?? 0) - 1;
  }
  return widths;
}

/** A table as text cells, the same for Slack, fixed-width text and a terminal. */
import type { Cell, Column, Table } from '../answer/answer.ts';
import { clip, visible } from './escape.ts';

/** The maximum width of a cell on a screen. JSON and CSV have the whole value. */
const MAX_CELL_CHARACTERS = 120;

/** The columns that a screen shows: those that are not hidden and not empty. */
export function visibleColumns({ columns, rows }: Table): Column[] {
  return columns.filter(
    ({ name, hidden }) => !hidden && rows.some(({ cells }) => cells[name] !== null && cells[name] !== undefined && cells[name] !== ''),
  );
}

/** A cell as a screen shows it: counts stay numbers, times lose their T, services their domain, and invisible characters become visible. */
export function formatCell(cell: Cell | undefined, { kind, name }: Column): string | number {
  if (cell === null || cell === undefined || cell === '') return '—';
  if (typeof cell === 'number') return cell;
  const seen = visible(cell);
  if (kind === 'time') return clip(seen.replace('T', ' ').replace(/Z$/, ''), MAX_CELL_CHARACTERS);
  return clip(name === 'eventsource' ? seen.replace(/[.]amazonaws[.]com$/, '') : seen, MAX_CELL_CHARACTERS);
}

/** Rows as lines of text, each column as wide as its longest cell. */
export function fixedWidth(labels: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
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

/** A table as text cells, the same for Slack, fixed-width text and a terminal. */
import type { Cell, Column, Table } from '../answer/answer.ts';
import { clip, visible } from './escape.ts';

/** The maximum width of a cell on a screen. JSON and CSV have the whole value. */
const MAX_CELL_CHARACTERS = 120;

/** The columns that a screen shows: those that are not hidden and not empty. Their labels begin with a capital letter. */
export function visibleColumns({ columns, rows }: Table): Column[] {
  return columns
    .filter(({ name, hidden }) => !hidden && rows.some(({ cells }) => !isEmpty(cells[name])))
    .map((column) => ({ ...column, label: ABBREVIATIONS[column.label] ?? `${column.label.slice(0, 1).toUpperCase()}${column.label.slice(1)}` }));
}

/** Names of fields that are written in capitals. */
const ABBREVIATIONS: Readonly<Record<string, string>> = { arn: 'ARN', ip: 'IP', mfa: 'MFA', vpc: 'VPC' };

const isEmpty = (cell: Cell | undefined): boolean => cell === null || cell === undefined || cell === '';

/** The most that is said of all rows, in characters: a caption is a line. */
const MAX_CONSTANT_CHARACTERS = 120;

/** The columns that differ from row to row, and what the others say of all rows: “Region eu-central-1”. The first column always stays, and those that a caption has no room for. */
export function withoutConstants({ rows }: Table, columns: readonly Column[]): { readonly columns: Column[]; readonly constants: string[] } {
  const isConstant = ({ name, kind }: Column, i: number): boolean =>
    i > 0 && kind === 'text' && rows.length > 1 && !isEmpty(rows[0]?.cells[name]) && rows.every(({ cells }) => cells[name] === rows[0]?.cells[name]);
  const moved = new Set<Column>();
  const constants: string[] = [];
  for (const column of columns.filter(isConstant)) {
    const constant = `${column.label} ${formatCell(rows[0]?.cells[column.name], column)}`;
    if ([...constants, constant].join(' · ').length > MAX_CONSTANT_CHARACTERS) continue;
    moved.add(column);
    constants.push(constant);
  }
  return { columns: columns.filter((column) => !moved.has(column)), constants };
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

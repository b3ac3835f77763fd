/** Evidence as text cells: the same rows for Slack, for fixed width and for a terminal. */
import type { Cell, Column, Table } from '../answer/answer.ts';
import { clip, visible } from './escape.ts';

/** No cell on a screen is wider. JSON and CSV have the whole of it. */
const MOST_CELL = 120;

/** The columns of a table that a screen shows: not hidden, and with something in them. */
export function seenColumns({ columns, rows }: Table): Column[] {
  return columns.filter(
    ({ name, hidden }) => !hidden && rows.some(({ cells }) => cells[name] !== null && cells[name] !== undefined && cells[name] !== ''),
  );
}

/** A cell as a screen shows it: counts stay numbers, times lose their T, services their domain, and nothing hides. */
export function shownCell(cell: Cell | undefined, { kind, name }: Column): string | number {
  if (cell === null || cell === undefined || cell === '') return '—';
  if (typeof cell === 'number') return cell;
  const seen = visible(cell);
  if (kind === 'time') return clip(seen.replace('T', ' ').replace(/Z$/, ''), MOST_CELL);
  return clip(name === 'eventsource' ? seen.replace(/[.]amazonaws[.]com$/, '') : seen, MOST_CELL);
}

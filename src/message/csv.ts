/** Evidence as CSV (RFC 4180), for spreadsheets: whole cells, and none of them a formula. */
import { stringify } from 'csv-stringify/sync';
import type { Table } from '../answer/answer.ts';
import { inertCell } from './escape.ts';

/** All rows and all columns of a table, hidden ones too, with a header row. */
export function toCsv({ columns, rows }: Table): string {
  const names = columns.map(({ name }) => name);
  const lines = rows.map(({ cells }) => names.map((name) => (typeof cells[name] === 'string' ? inertCell(cells[name]) : (cells[name] ?? ''))));
  return stringify([names, ...lines], { record_delimiter: 'windows' });
}

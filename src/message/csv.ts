/** A table as CSV (RFC 4180), for spreadsheets: whole cells, none of them a formula. */
import { stringify } from 'csv-stringify/sync';
import type { Table } from '../answer/answer.ts';
import { escapeCsvCell } from './escape.ts';

/** All rows and all columns of a table, hidden ones too, with a header row. */
export function toCsv({ columns, rows }: Table): string {
  const names = columns.map(({ name }) => name);
  const lines = rows.map(({ cells }) => names.map((name) => (typeof cells[name] === 'string' ? escapeCsvCell(cells[name]) : (cells[name] ?? ''))));
  return stringify([names, ...lines], { record_delimiter: 'windows' });
}

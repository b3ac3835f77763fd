/** A table as CSV (RFC 4180), for spreadsheets: whole cells, none of them a formula. */
import { stringify } from 'csv-stringify/sync';
import type { Column, Row, Table } from '../answer/answer.ts';
import { escapeCsvCell } from './escape.ts';

/** The rows and all columns of a table, hidden ones too, with a header row. */
export function toCsv({ columns, rows }: Table): string {
  return `${csvLines([columns.map(({ name }) => name)])}${csvRows(columns, rows)}`;
}

/** Rows as CSV, without a header. */
export function csvRows(columns: readonly Column[], rows: readonly Row[]): string {
  const names = columns.map(({ name }) => name);
  return csvLines(rows.map(({ cells }) => names.map((name) => (typeof cells[name] === 'string' ? escapeCsvCell(cells[name]) : (cells[name] ?? '')))));
}

const csvLines = (lines: readonly (readonly (string | number)[])[]): string => stringify([...lines], { record_delimiter: 'windows' });

/** A table as CSV (RFC 4180), for spreadsheets: whole cells, none of them a formula. */
import { stringify } from 'csv-stringify/sync';
import type { Answer, Column, Row, Table } from '../answer/answer.ts';
import { withNameColumn } from './account-names.ts';
import { escapeCsvCell } from './escape.ts';

/** The rows and all columns of a table, hidden ones too, with a header row. */
export function toCsv({ columns, rows }: Table): string {
  return `${csvLines([columns.map(({ name }) => name)])}${csvRows(columns, rows)}`;
}

/** Rows as CSV, without a header. */
function csvRows(columns: readonly Column[], rows: readonly Row[]): string {
  const names = columns.map(({ name }) => name);
  return csvLines(rows.map(({ cells }) => names.map((name) => (typeof cells[name] === 'string' ? escapeCsvCell(cells[name]) : (cells[name] ?? '')))));
}

/** Rows that are read before they are written. */
const BATCH_ROWS = 500;

/** A part of a CSV file, with the number of its rows. */
export interface CsvPart {
  readonly text: string;
  readonly rows: number;
}

/** The table of an answer as CSV, in parts: rows after the first ones are read as the parts are taken. `maxRows` is the most rows. */
export async function* csvParts(answer: Answer, maxRows = Number.POSITIVE_INFINITY): AsyncGenerator<CsvPart> {
  const { table } = withNameColumn(answer);
  if (!table) return;
  const first = table.rows.slice(0, maxRows);
  yield { text: toCsv({ ...table, rows: first }), rows: first.length };
  let left = maxRows - first.length;
  for await (const batch of batchesOf(table.rest)) {
    const rows = batch.slice(0, left);
    left -= rows.length;
    if (rows.length > 0) yield { text: csvRows(table.columns, rows), rows: rows.length };
    if (left === 0) return;
  }
}

/** Rows in batches. */
export async function* batchesOf(rows: AsyncIterable<Row> | undefined): AsyncGenerator<readonly Row[]> {
  let batch: Row[] = [];
  for await (const row of rows ?? []) {
    batch.push(row);
    if (batch.length === BATCH_ROWS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

const csvLines = (lines: readonly (readonly (string | number)[])[]): string => stringify([...lines], { record_delimiter: 'windows' });

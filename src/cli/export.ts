/** Prints an answer for programs, as JSON or CSV, however many rows it has: they are read as they are printed. */
import { once } from 'node:events';
import type { Answer, Row } from '../answer/answer.ts';
import { withNameColumn } from '../message/account-names.ts';
import { csvRows, toCsv } from '../message/csv.ts';
import { jsonAfterRows, jsonBeforeRows, jsonRow } from '../message/json.ts';

/** Rows that are printed at once. */
const BATCH_ROWS = 500;

/** Writes a text, and waits while the reader is slower. */
type Print = (text: string) => Promise<void>;

/** Prints to a stream. */
export const printTo =
  (stream: NodeJS.WritableStream): Print =>
  async (text) => {
    if (!stream.write(text)) await once(stream, 'drain');
  };

/** Prints the table of an answer. */
export async function printCsv(answer: Answer, print: Print): Promise<void> {
  const { table } = withNameColumn(answer);
  if (!table) return;
  await print(toCsv(table));
  for await (const rows of batches(table.rest)) await print(csvRows(table.columns, rows));
}

/** Prints an answer as one object. Its coverage has the number of all rows. */
export async function printJson(answer: Answer, templates: URL, print: Print): Promise<void> {
  const named = withNameColumn(answer);
  const { table, coverage = null } = named;
  let count = 0;
  await print(jsonBeforeRows(named, templates));
  const printRows = async (rows: readonly Row[]): Promise<void> => {
    if (rows.length > 0) await print(`${count > 0 ? ',' : ''}${rows.map(jsonRow).join(',')}`);
    count += rows.length;
  };
  await printRows(table?.rows ?? []);
  for await (const rows of batches(table?.rest)) await printRows(rows);
  await print(`${jsonAfterRows(coverage && { ...coverage, rows: count })}\n`);
}

async function* batches(rows: AsyncIterable<Row> | undefined): AsyncGenerator<readonly Row[]> {
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

/** Prints an answer for programs, as JSON or CSV, however many rows it has: they are read as they are printed. */
import { once } from 'node:events';
import type { Answer, Row } from '../answer/answer.ts';
import { withNameColumn } from '../message/account-names.ts';
import { batchesOf, csvParts } from '../message/csv.ts';
import { jsonAfterRows, jsonBeforeRows, jsonRow } from '../message/json.ts';

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
  for await (const { text } of csvParts(answer)) await print(text);
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
  for await (const rows of batchesOf(table?.rest)) await printRows(rows);
  await print(`${jsonAfterRows(coverage && { ...coverage, rows: count })}\n`);
}

/** Files in direct messages, such as the rows of an answer as CSV: a file in a channel would be for everyone there. */
import { createWriteStream, openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebAPIPlatformError, type WebClient } from '@slack/web-api';
import type { Answer } from '../answer/answer.ts';
import { UserError } from '../errors.ts';
import { csvParts } from '../message/csv.ts';

/** More rows are for the command line. */
const MAX_CSV_ROWS = 1_000_000;

/** How a file reaches Slack. */
export interface UploadOptions {
  readonly client: WebClient;
  /** Sends the file to the address that Slack gives; the usual one where the client has none of its own. */
  readonly fetch: typeof globalThis.fetch;
  /** The channel of the direct message. */
  readonly channel: string;
  readonly filename: string;
  readonly title: string;
}

/** Writes the rows to a temporary file as they are read, and uploads it. Returns how many there are, and whether there are more. @throws UserError where Slack takes no file */
export async function uploadCsv(answer: Answer, options: UploadOptions): Promise<{ readonly rows: number; readonly isCut: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), 'trailbot-export-'));
  try {
    const path = join(folder, 'rows.csv');
    let rows = 0;
    const texts = async function* (): AsyncGenerator<string> {
      // Spreadsheets read a file without this mark as something else than UTF-8.
      yield '\ufeff';
      for await (const part of csvParts(answer, MAX_CSV_ROWS)) {
        rows += part.rows;
        yield part.text;
      }
    };
    await pipeline(Readable.from(texts()), createWriteStream(path));
    // It is read from the disk as it is sent.
    await uploadFile(await openAsBlob(path, { type: 'text/csv' }), options);
    return { rows, isCut: rows >= MAX_CSV_ROWS };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Uploads a file. @throws UserError where Slack takes none */
export async function uploadFile(content: Blob, { client, fetch: send, channel, filename, title }: UploadOptions): Promise<void> {
  try {
    const { upload_url: address = '', file_id: id = '' } = await client.files.getUploadURLExternal({ filename, length: content.size });
    const form = new FormData();
    form.append('file', content, filename);
    const uploaded = await send(address, { method: 'POST', body: form });
    if (!uploaded.ok) throw new UserError(`Slack did not take the file (HTTP ${uploaded.status}). Try again later.`);
    await client.files.completeUploadExternal({ files: [{ id, title }], channel_id: channel });
  } catch (error) {
    throw error instanceof WebAPIPlatformError ? new UserError(uploadRefusal(error.data.error)) : error;
  }
}

function uploadRefusal(code: string): string {
  if (code === 'missing_scope') return 'The app may not upload files. Ask an admin to add the bot scope files:write and to install the app again.';
  if (code === 'file_uploads_disabled' || code === 'file_uploads_except_images_disabled')
    return 'This workspace allows no such files. On the command line, “npm run -s ask -- … --csv” prints the rows.';
  return `Slack did not take the file (${code}).`;
}

/** A trail on Trino: the raw table over it and the view `events`, as setting up would make them on Athena, in a schema of their own. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VIEW, viewOf } from '../../athena/tables.ts';
import { openTrino, type TrinoClient } from './client.ts';
import { writeRawTable } from './raw-table.ts';

/** Its schema, its tables and its files are gone when it is disposed of. */
export interface TrinoTrail extends TrinoClient, AsyncDisposable {
  /** How many records its files have. An event that was delivered twice counts twice. */
  readonly records: number;
}

/** Opens the trail in `folder` on the server at `url`, which must see the folders of this machine. `isUnique` leaves out what was delivered before. */
export async function openTrinoTrail(url: string, folder: string, { isUnique = false } = {}): Promise<TrinoTrail> {
  const names = { database: `trail_${randomUUID().replaceAll('-', '')}`, table: 'cloudtrail' };
  const written = await mkdtemp(join(tmpdir(), 'trailbot-raw-'));
  const raw = await writeRawTable(folder, written, { isUnique });
  const client = openTrino(url, names.database);
  const run = (text: string) => client.execute({ text, values: [] });
  await run(`create schema ${names.database}`);
  await run(raw.create(names));
  await run(viewOf(names));
  return {
    ...client,
    records: raw.records,
    async [Symbol.asyncDispose]() {
      await run(`drop view ${names.database}.${VIEW}`);
      await run(`drop table ${names.database}.${names.table}`);
      await run(`drop schema ${names.database}`);
      await rm(written, { recursive: true, force: true });
    },
  };
}

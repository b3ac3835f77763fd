/** A trail on Trino: the raw table over it and the view `events`, as setting up would make them on Athena, in a schema of their own. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Layout } from '../../athena/bucket-layout.ts';
import { VIEW, viewOf } from '../../athena/tables.ts';
import { raw as rawSql } from '../../src/trail/sql.ts';
import { openTrino, type TrinoClient } from './client.ts';
import { writeRawTable } from './raw-table.ts';

/** Its schema, its tables and its files are gone when it is disposed of. */
export interface TrinoTrail extends TrinoClient, AsyncDisposable {
  /** How many records its files have. An event that was delivered twice counts twice. */
  readonly records: number;
  readonly layout: Layout;
}

/** Opens the trail in `folder` on the server at `url`, which must see the folders of this machine. */
export async function openTrinoTrail(url: string, folder: string): Promise<TrinoTrail> {
  const names = { database: `trail_${randomUUID().replaceAll('-', '')}`, table: 'cloudtrail' };
  const client = openTrino(url, names.database);
  const run = (text: string) => client.execute(rawSql(text));
  await using stack = new AsyncDisposableStack();
  /** Makes what is dropped again when the trail is disposed of, or when what comes after it cannot be made. */
  const make = async (statement: string, drop: string): Promise<void> => {
    await run(statement);
    stack.defer(async () => void (await run(drop)));
  };

  const written = await mkdtemp(join(tmpdir(), 'trailbot-raw-'));
  stack.defer(() => rm(written, { recursive: true, force: true }));
  const raw = await writeRawTable(folder, written);
  await make(`create schema ${names.database}`, `drop schema ${names.database}`);
  await make(raw.create(names), `drop table ${names.database}.${names.table}`);
  await make(viewOf(names), `drop view ${names.database}.${VIEW}`);
  const made = stack.move();
  return { ...client, records: raw.records, layout: raw.layout, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

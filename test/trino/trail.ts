/** A trail on Trino: the raw table and the views, as setup creates them on Athena, in a separate schema. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { BucketLayout } from '../../athena/bucket-layout.ts';
import { createViewStatement, partitionsOf, type TableNames } from '../../athena/tables.ts';
import { RELATIONS } from '../../src/trail/relations.ts';
import { raw as rawSql } from '../../src/trail/sql.ts';
import { DisposalStack } from '../support/disposal-stack.ts';
import { openTrino, type TrinoClient } from './client.ts';
import { type RawPlace, type RawTable, writeRawTable } from './raw-table.ts';
import type { TrinoPlace } from './server.ts';

/** Disposing of it deletes its schema, tables and files. */
export interface TrinoTrail extends TrinoClient, AsyncDisposable {
  /** Number of records in its files, duplicates included. */
  readonly records: number;
  readonly layout: BucketLayout;
  readonly names: TableNames;
}

/** Opens a copy of the trail in `folder` on a server. */
export const openTrinoTrail = (server: TrinoPlace, folder: string): Promise<TrinoTrail> =>
  openRawTable(server, (place) => writeRawTable(folder, place));

/** Opens a trail whose log files `write` writes to a place on the server. */
export async function openRawTable({ url, data }: TrinoPlace, write: (place: RawPlace) => Promise<RawTable>): Promise<TrinoTrail> {
  const names: TableNames = { database: `trail_${randomUUID().replaceAll('-', '')}`, table: 'cloudtrail' };
  const client = openTrino(url, names.database);
  const run = (text: string) => client.execute(rawSql(text));
  await using stack = new DisposalStack();
  /** Creates an object that is dropped when the trail is disposed of or a later step fails. */
  const make = async (statement: string, drop: string): Promise<void> => {
    await run(statement);
    stack.defer(async () => void (await run(drop)));
  };

  const written = await mkdtemp(join(data, 'raw-'));
  stack.defer(() => rm(written, { recursive: true, force: true }));
  const raw = await write({ folder: written, location: `local:///${basename(written)}/` });
  await make(`create schema ${names.database}`, `drop schema ${names.database}`);
  await make(raw.create(names), `drop table ${names.database}.${names.table}`);
  for (const view of RELATIONS)
    await make(createViewStatement(names, view, { partitions: partitionsOf(raw.layout) }), `drop view ${names.database}.${view}`);
  const made = stack.move();
  return { ...client, records: raw.records, layout: raw.layout, names, [Symbol.asyncDispose]: () => made.disposeAsync() };
}

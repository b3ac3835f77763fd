/** Finds accounts, regions and folders that are new in the bucket. Partition projection covers only those listed in the table's properties. */

import { raw } from '../src/trail/sql.ts';
import { readLayout } from './bucket-layout.ts';
import { type NewInBucket, planTables, readTable, type TableStep } from './glue-tables.ts';
import { openSetupEngine, type SetupOptions } from './setup.ts';
import { readTrailFolders } from './trail-folders.ts';

/** What the table does not list, and the steps that add it. */
export interface NewAccounts extends NewInBucket {
  readonly steps: readonly TableStep[];
  /** True when they were added to the table, so questions include them. */
  readonly isApplied: boolean;
}

/**
 * Finds accounts and regions that the table does not list. With `apply` they are added, but only if every step just sets
 * table properties: other changes need a person's approval.
 */
export async function findNewAccounts(options: SetupOptions, { apply }: { readonly apply: boolean }): Promise<NewAccounts> {
  const { settings, clients, clock, signal } = options;
  const { bucket, prefix, workGroup, database } = settings;
  const { athena: client, s3 } = clients;
  const table = await readTable(client, database, settings.table, workGroup, signal);
  const known = table && readTrailFolders(table.properties);
  const layout = await readLayout({
    s3,
    bucket,
    prefix,
    today: clock(),
    signal,
    ...(known && { known: { ...known, root: `s3://${known.bucket}/${known.root}` } }),
  });
  const { steps, newInBucket } = await planTables({ client, workGroup, layout, names: settings, copyLocation: settings.copyLocation, signal });
  const { accounts, regions, folders } = newInBucket;
  const isApplied = apply && accounts.length + regions.length + folders.length > 0 && steps.every(({ kind }) => kind === 'set');
  if (isApplied) {
    const engine = openSetupEngine(database, options);
    for (const { statement } of steps) await engine.execute(raw(statement), { signal });
  }
  return { ...newInBucket, steps, isApplied };
}

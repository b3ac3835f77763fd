/** Finds accounts and regions that are new in the bucket. Partition projection covers only those listed in the table's properties. */

import { raw } from '../src/trail/sql.ts';
import { readLayout } from './bucket-layout.ts';
import { planTables, type TableStep } from './glue-tables.ts';
import { openSetupEngine, type SetupOptions } from './setup.ts';

/** Accounts and regions that the table does not list, and the steps that add them. */
export interface NewAccounts {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
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
  const layout = await readLayout({ s3, bucket, prefix, today: clock(), signal });
  const { steps, newInBucket } = await planTables({ client, workGroup, layout, names: settings, signal });
  const { accounts, regions } = newInBucket;
  const isApplied = apply && accounts.length + regions.length > 0 && steps.every(({ kind }) => kind === 'set');
  if (isApplied) {
    const engine = openSetupEngine(database, options);
    for (const { statement } of steps) await engine.execute(raw(statement), { signal });
  }
  return { accounts, regions, steps, isApplied };
}

/** Accounts and regions that are new in the bucket: a table with partition projection does not find those that it was not told of. */

import { raw } from '../src/trail/sql.ts';
import { readLayout } from './bucket-layout.ts';
import { planTables, type Step } from './glue-tables.ts';
import { engineIn, type SettingUp } from './setup.ts';

/** What is new in the bucket, and what would tell the table of it. */
export interface Appeared {
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly steps: readonly Step[];
  /** The table was told, so questions see them. */
  readonly isKnown: boolean;
}

/**
 * Looks what the table does not know yet. With `apply` it is told at once, but only when that takes nothing but properties
 * of our own table: whatever else a plan would do is for a person to say yes to.
 */
export async function lookForNew(settingUp: SettingUp, { apply }: { readonly apply: boolean }): Promise<Appeared> {
  const { settings, clients, clock, signal } = settingUp;
  const { bucket, prefix, workGroup, database } = settings;
  const { athena: client, s3 } = clients;
  const layout = await readLayout({ s3, bucket, prefix, today: clock(), signal });
  const { steps, appeared } = await planTables({ client, workGroup, layout, names: settings, signal });
  const { accounts, regions } = appeared;
  const isKnown = apply && accounts.length + regions.length > 0 && steps.every(({ kind }) => kind === 'set');
  if (isKnown) {
    const engine = engineIn(database, settingUp);
    for (const { statement } of steps) await engine.execute(raw(statement), { signal });
  }
  return { accounts, regions, steps, isKnown };
}

/** Finds accounts, regions and folders that are new in the bucket. Partition projection covers only those listed in the table's properties. */

import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { UserError } from '../src/errors.ts';
import { raw } from '../src/trail/sql.ts';
import { type BucketLayout, readLayout } from './bucket-layout.ts';
import { takeOutSince } from './compact.ts';
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
 * Finds accounts, regions and folders that the table does not list. With `apply` they are added, but only if every step just sets
 * table properties: other changes need a person's approval. Folders of known accounts and regions are added without it, too.
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
  const { accounts, regions } = newInBucket;
  const isOnlyFolders = accounts.length + regions.length === 0;
  const mayApply = (apply || isOnlyFolders) && newInBucket.all.length > 0 && steps.every(({ kind }) => kind === 'set');
  const addAll = async (): Promise<void> => {
    const engine = openSetupEngine(database, options);
    for (const { statement } of steps) await engine.execute(raw(statement), { signal });
    await takeOutNewFolders(newInBucket, layout, options);
  };
  const isApplied =
    mayApply &&
    (await addAll().then(
      () => true,
      (error: unknown) => {
        // Where only folders are new, and the role may not change the table, they are announced.
        if (apply || !(error instanceof UserError)) throw error;
        return false;
      },
    ));
  return { ...newInBucket, steps, isApplied };
}

/** Days of the copy on which new folders have files were compacted without them: they are read from the log files until they are proved again. */
export async function takeOutNewFolders({ all }: NewInBucket, { bucket, root }: BucketLayout, options: SetupOptions): Promise<void> {
  const { settings, clients, signal } = options;
  if (settings.copyLocation === undefined || all.length === 0) return;
  const path = root.slice(`s3://${bucket}/`.length);
  const limited = pLimit(CONCURRENT_FIRSTS);
  const firsts = await Promise.all(
    all.map((name) =>
      limited(async () => {
        const prefix = `${path}${name}/`;
        const { Contents: [file] = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 }), {
          abortSignal: signal,
        });
        return file?.Key?.slice(prefix.length, prefix.length + 'yyyy/MM/dd'.length);
      }),
    ),
  );
  const [first] = firsts.filter((day) => day !== undefined).sort();
  if (first !== undefined) await takeOutSince(first, options);
}

const CONCURRENT_FIRSTS = 16;

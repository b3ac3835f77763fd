/** A trail on Trino behind Athena's API: trailbot's own code sets it up and compacts it with the real SDK, and Trino runs what it sends. */

import type { BucketLayout } from '../../athena/bucket-layout.ts';
import type { Clients } from '../../athena/clients.ts';
import { compactedColumns } from '../../athena/compacted.ts';
import type { AthenaSettings } from '../../athena/settings.ts';
import { compactedTable, createTableStatement } from '../../athena/tables.ts';
import { RELATIONS, type Relation } from '../../src/trail/relations.ts';
import { raw } from '../../src/trail/sql.ts';
import { ATHENA_SETTINGS } from '../support/athena-settings.ts';
import { pocketBucket } from '../support/bucket.ts';
import { DisposalStack } from '../support/disposal-stack.ts';
import { type PocketAthena, pocketAthena } from '../support/pocket-athena.ts';
import { openPocketCatalog, type PocketCatalog } from '../support/pocket-catalog.ts';
import { openTrino } from './client.ts';
import { readType, trinoType } from './hive-types.ts';
import type { TrinoPlace } from './server.ts';
import type { TrinoTrail } from './trail.ts';

export interface TrailOnAthena extends AsyncDisposable {
  readonly layout: BucketLayout;
  readonly settings: AthenaSettings;
  readonly clients: Clients;
  readonly pocket: PocketAthena;
  readonly catalog: PocketCatalog;
}

/** Opens the API over a trail whose raw table is there. The tables of a compacted copy are dropped at the end. */
export async function onAthena(server: TrinoPlace, trail: TrinoTrail): Promise<TrailOnAthena> {
  const { names } = trail;
  // As in a bucket.
  const layout: BucketLayout = { ...trail.layout, bucket: 'example-trail', root: 's3://example-trail/AWSLogs/' };
  const iceberg = openTrino(server.url, names.database, 'iceberg');
  await using opening = new DisposalStack();
  opening.defer(async () => {
    for (const relation of RELATIONS) await iceberg.execute(raw(`drop table if exists ${compactedTable(relation)}`));
    await trail.execute(raw('drop view if exists raw_events'));
  });
  const pocket = opening.use(
    await pocketAthena(
      {
        execute: async ({ text, values }, { signal }) => ({
          rows: await trail.execute({ ...raw(inTrino(text)), values }, { signal }),
          cost: { ms: 0 },
        }),
      },
      { mayWrite: true },
    ),
  );
  const catalog = opening.use(
    await openPocketCatalog(pocket.client, {
      async onStatement(statement) {
        const relation = RELATIONS.find((name) => statement.startsWith(`create table ${names.database}.${compactedTable(name)} (`));
        if (relation) await iceberg.execute(raw(icebergTable(statement, relation)));
        else if (/^create or replace view /.test(statement)) await trail.execute(raw(statement));
        else if (/^drop table if exists \S+[.]compacted_/.test(statement)) await iceberg.execute(raw(statement));
      },
    }),
  );
  catalog.databases.add(names.database);
  await catalog.client.createWorkGroup({ Name: 'trailbot', Configuration: {} });
  // Trino has the raw table already, in its own syntax; the catalog notes what setup would have created.
  await catalog.run(createTableStatement(layout, names));
  const bucket = opening.use(await pocketBucket([]));
  const settings: AthenaSettings = { ...ATHENA_SETTINGS, ...names, copyLocation: 's3://example-trailbot/' };
  const opened = opening.move();
  return {
    layout,
    settings,
    clients: { athena: catalog.client, s3: bucket.client() },
    pocket,
    catalog,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Athena's statement for a table of Iceberg in Trino's syntax. Trino chooses the place. */
export function icebergTable(statement: string, relation: Relation): string {
  const columns = Object.entries(compactedColumns(relation)).map(([name, type]) => `${name} ${type === 'bigint' ? type : trinoType(readType(type))}`);
  const [, partitions = ''] = /\npartitioned by \((.*)\)\n/.exec(statement) ?? [];
  const keys = partitions.split(/, (?![^(]*\))/).map((key) => `'${key.replace(/^bucket\((\d+), (\w+)\)$/, 'bucket($2, $1)')}'`);
  return `create table ${compactedTable(relation)} (${columns.join(', ')}) with (partitioning = array[${keys.join(', ')}])`;
}

/** Athena's statements for tidying in Trino's syntax. */
const inTrino = (text: string): string =>
  text
    .replace(/^optimize (\S+) rewrite data using bin_pack where (.*)$/, 'alter table $1 execute optimize where $2')
    .replace(/^vacuum (\S+)$/, "alter table $1 execute expire_snapshots(retention_threshold => '7d')");

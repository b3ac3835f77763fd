/** Plans and applies the steps that bring the tables up to date with the bucket. */
import { describe, expect, test } from 'vitest';
import type { BucketLayout } from '../athena/bucket-layout.ts';
import { planTables, type TablePlan } from '../athena/glue-tables.ts';
import { UserError } from '../src/errors.ts';
import { openPocketCatalog, type PocketCatalog } from './support/pocket-catalog.ts';

const names = { database: 'trailbot', table: 'cloudtrail' };
const layout: BucketLayout = {
  bucket: 'example-trail',
  prefix: '',
  organization: null,
  root: 's3://example-trail/AWSLogs/',
  accounts: [{ id: '111122223333', regions: ['eu-central-1'] }],
  regions: ['eu-central-1'],
  firstDay: '2026/05/21',
  lastDay: '2026/11/21',
  otherFolders: [],
};

const plan = ({ client }: PocketCatalog, now: BucketLayout = layout): Promise<TablePlan> =>
  planTables({ client, workGroup: 'primary', layout: now, names, signal: new AbortController().signal });
const titles = ({ steps }: TablePlan): string[] => steps.map(({ title }) => title);
async function apply(catalog: PocketCatalog, { steps }: TablePlan): Promise<void> {
  for (const { statement } of steps) await catalog.run(statement);
}

describe('The table plan', () => {
  test('creates database, table and views, and is empty after they were created', async () => {
    await using catalog = await openPocketCatalog();
    const first = await plan(catalog);
    expect(titles(first)).toEqual([
      'create database trailbot',
      'create table trailbot.cloudtrail',
      'create view trailbot.events',
      'create view trailbot.activity',
      'create view trailbot.mentions',
      "store the views' checksum in trailbot.cloudtrail",
    ]);
    expect(new Set(catalog.calls)).toEqual(new Set(['GetTableMetadata', 'GetDatabase']));
    await apply(catalog, first);
    const again = await plan(catalog);
    expect(again).toEqual({ steps: [], newInBucket: { accounts: [], regions: [], folders: [], all: [] } });
  });

  test('adds new accounts and regions to the table properties and keeps the old ones', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const grown: BucketLayout = { ...layout, accounts: [{ id: '444455556666', regions: ['us-east-1'] }], regions: ['us-east-1'] };
    const wanted = await plan(catalog, grown);
    expect(wanted.newInBucket).toEqual({
      accounts: ['444455556666'],
      regions: ['us-east-1'],
      folders: [],
      all: ['444455556666/CloudTrail/us-east-1'],
    });
    expect(wanted.steps).toMatchObject([{ kind: 'set', title: 'set a property of trailbot.cloudtrail' }]);
    expect(wanted.steps[0]?.reasons).toEqual([
      'projection.folder.values: 111122223333/CloudTrail/eu-central-1 → 111122223333/CloudTrail/eu-central-1,444455556666/CloudTrail… (70 characters)',
    ]);
    await apply(catalog, wanted);
    expect(titles(await plan(catalog, grown))).toEqual([]);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test('lists only folders that exist, and finds a new one of a known account and region', async () => {
    await using catalog = await openPocketCatalog();
    const two: BucketLayout = {
      ...layout,
      accounts: [
        { id: '111122223333', regions: ['eu-central-1'] },
        { id: '444455556666', regions: ['us-east-1'] },
      ],
      regions: ['eu-central-1', 'us-east-1'],
    };
    await apply(catalog, await plan(catalog, two));
    expect(catalog.tables.get('trailbot.cloudtrail')?.properties['projection.folder.values']).toBe(
      '111122223333/CloudTrail/eu-central-1,444455556666/CloudTrail/us-east-1',
    );
    const grown = { ...two, accounts: [{ id: '111122223333', regions: ['eu-central-1', 'us-east-1'] }] };
    expect((await plan(catalog, grown)).newInBucket).toEqual({
      accounts: [],
      regions: [],
      folders: ['111122223333/CloudTrail/us-east-1'],
      all: ['111122223333/CloudTrail/us-east-1'],
    });
  });

  test('follows the first day of the bucket, whose old files may have expired', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const { steps } = await plan(catalog, { ...layout, firstDay: '2026/06/01' });
    expect(steps.map(({ reasons }) => reasons)).toEqual([[`projection.day.range: ${layout.firstDay},NOW → 2026/06/01,NOW`]]);
  });

  test.each(['s3://example-trail/AWSLogs/o-a1b2c3d4e5/', 's3://other-trail/AWSLogs/'])(
    'refuses to make the table one of another trail: %s',
    async (root) => {
      await using catalog = await openPocketCatalog();
      await apply(catalog, await plan(catalog));
      await expect(plan(catalog, { ...layout, root })).rejects.toThrow(
        `The table trailbot.cloudtrail is for the trail in ${layout.root}, and TRAIL_BUCKET leads to ${root}, which is another.`,
      );
    },
  );

  test('recreates the table when its columns differ, and lists the differences', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const table = catalog.tables.get('trailbot.cloudtrail');
    const columns = (table?.columns ?? [])
      .filter(({ Name }) => Name !== 'tlsdetails')
      .map((column) => (column.Name === 'readonly' ? { ...column, Type: 'boolean' } : column));
    if (table) catalog.tables.set('trailbot.cloudtrail', { ...table, columns });
    const wanted = await plan(catalog);
    expect(titles(wanted)).toEqual([
      'drop table trailbot.cloudtrail',
      'create table trailbot.cloudtrail',
      'replace view trailbot.events',
      'replace view trailbot.activity',
      'replace view trailbot.mentions',
      "store the views' checksum in trailbot.cloudtrail",
    ]);
    expect(wanted.steps[0]?.reasons).toEqual(['column readonly has another type', 'column tlsdetails is missing']);
    await apply(catalog, wanted);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5])('has the remaining steps when it was stopped after step %i', async (done) => {
    await using catalog = await openPocketCatalog();
    const { steps, newInBucket } = await plan(catalog);
    await apply(catalog, { steps: steps.slice(0, done), newInBucket });
    const remaining = await plan(catalog);
    // Until the checksum is stored, all views are made again.
    expect(remaining.steps.map(({ statement }) => statement)).toEqual(steps.slice(Math.min(done, 2)).map(({ statement }) => statement));
    await apply(catalog, remaining);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test.each([1, 2, 3, 5])('completes a change of columns that was stopped after step %i', async (done) => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const table = catalog.tables.get('trailbot.cloudtrail');
    if (table) catalog.tables.set('trailbot.cloudtrail', { ...table, columns: table.columns.slice(1) });
    const { steps, newInBucket } = await plan(catalog);
    expect(steps.map(({ kind }) => kind)).toEqual(['drop', 'create', 'create', 'create', 'create', 'set']);
    await apply(catalog, { steps: steps.slice(0, done), newInBucket });
    await apply(catalog, await plan(catalog));
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test('does not replace a view that someone else created under the same name', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    catalog.tables.set('trailbot.events', { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: { presto_view: 'true' } });
    await expect(plan(catalog)).rejects.toThrow('The view trailbot.events exists but was not created by trailbot, so it is not changed.');
  });

  test('restores a property that was changed by hand', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const table = catalog.tables.get('trailbot.cloudtrail');
    if (table) table.properties['projection.day.format'] = 'yyyy-MM-dd';
    expect((await plan(catalog)).steps).toMatchObject([{ kind: 'set', reasons: ['projection.day.format: yyyy-MM-dd → yyyy/MM/dd'] }]);
  });

  test.each([
    ['table', 'trailbot.cloudtrail', 'ATHENA_TABLE'],
    ['view', 'trailbot.events', 'ATHENA_DATABASE'],
    ['view', 'trailbot.activity', 'ATHENA_DATABASE'],
    ['view', 'trailbot.mentions', 'ATHENA_DATABASE'],
  ])('does not change a %s that trailbot did not create, and names the setting for another name', async (_, name, setting) => {
    await using catalog = await openPocketCatalog();
    catalog.tables.set(name, { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: {} });
    const refused = plan(catalog);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(`${name} exists but was not created by trailbot, so it is not changed. Set ${setting}`);
    expect(new Set(catalog.calls)).toEqual(new Set(['GetTableMetadata', 'GetDatabase']));
  });

  test('fails with the denied action when metadata cannot be read', async () => {
    await using catalog = await openPocketCatalog();
    catalog.deny('GetTableMetadata', 'not authorized to perform: glue:GetTable on resource');
    const refused = plan(catalog);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow('trailbot is not allowed to use glue:GetTable.');
  });
});

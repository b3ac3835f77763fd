/** How the tables are brought in step with the bucket: planned first, done when told to, and nothing of others touched. */
import { describe, expect, test } from 'vitest';
import type { Layout } from '../athena/bucket-layout.ts';
import { type Plan, planTables } from '../athena/glue-tables.ts';
import { UserError } from '../src/errors.ts';
import { openPocketCatalog, type PocketCatalog } from './support/pocket-catalog.ts';

const names = { database: 'trailbot', table: 'cloudtrail' };
const layout: Layout = {
  bucket: 'example-trail',
  prefix: '',
  organization: null,
  root: 's3://example-trail/AWSLogs/',
  accounts: [{ id: '111122223333', regions: ['eu-central-1'] }],
  regions: ['eu-central-1'],
  firstDay: '2026/05/21',
  lastDay: '2026/11/21',
  neighbours: [],
};

const plan = ({ client }: PocketCatalog, now: Layout = layout): Promise<Plan> =>
  planTables({ client, workGroup: 'primary', layout: now, names, signal: new AbortController().signal });
const titles = ({ steps }: Plan): string[] => steps.map(({ title }) => title);
async function apply(catalog: PocketCatalog, { steps }: Plan): Promise<void> {
  for (const { statement } of steps) await catalog.run(statement);
}

describe('Setting up', () => {
  test('from nothing makes database, table and view, and asked again has nothing to do', async () => {
    await using catalog = await openPocketCatalog();
    const first = await plan(catalog);
    expect(titles(first)).toEqual([
      'create database trailbot',
      'create table trailbot.cloudtrail',
      'create view trailbot.events',
      'note the view in trailbot.cloudtrail',
    ]);
    expect(new Set(catalog.calls)).toEqual(new Set(['GetTableMetadata', 'GetDatabase']));
    await apply(catalog, first);
    const again = await plan(catalog);
    expect(again).toEqual({ steps: [], appeared: { accounts: [], regions: [] } });
  });

  test('sets one property for a new account or region, names it, and forgets none that it knew', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const grown: Layout = { ...layout, accounts: [{ id: '444455556666', regions: ['us-east-1'] }], regions: ['us-east-1'] };
    const wanted = await plan(catalog, grown);
    expect(wanted.appeared).toEqual({ accounts: ['444455556666'], regions: ['us-east-1'] });
    expect(wanted.steps).toMatchObject([{ kind: 'set', title: 'set 2 properties of trailbot.cloudtrail' }]);
    expect(wanted.steps[0]?.reasons).toEqual([
      'projection.account.values: 111122223333 → 111122223333,444455556666',
      'projection.region.values: eu-central-1 → eu-central-1,us-east-1',
    ]);
    await apply(catalog, wanted);
    expect(titles(await plan(catalog, grown))).toEqual([]);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test('makes the table anew when its columns are not those that are wanted, and says which', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const kept = catalog.tables.get('trailbot.cloudtrail');
    const columns = (kept?.columns ?? [])
      .filter(({ Name }) => Name !== 'tlsdetails')
      .map((column) => (column.Name === 'readonly' ? { ...column, Type: 'boolean' } : column));
    if (kept) catalog.tables.set('trailbot.cloudtrail', { ...kept, columns });
    const wanted = await plan(catalog);
    expect(titles(wanted)).toEqual([
      'drop table trailbot.cloudtrail',
      'create table trailbot.cloudtrail',
      'replace view trailbot.events',
      'note the view in trailbot.cloudtrail',
    ]);
    expect(wanted.steps[0]?.reasons).toEqual(['column readonly is another type', 'column tlsdetails is missing']);
    await apply(catalog, wanted);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test.each([1, 2, 3])('goes on where it was stopped: after %i steps', async (done) => {
    await using catalog = await openPocketCatalog();
    const { steps, appeared } = await plan(catalog);
    await apply(catalog, { steps: steps.slice(0, done), appeared });
    const left = await plan(catalog);
    expect(left.steps.map(({ statement }) => statement)).toEqual(steps.slice(done === 3 ? 2 : done).map(({ statement }) => statement));
    await apply(catalog, left);
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test.each([1, 2, 3])('goes on where a change of columns was stopped: after %i steps', async (done) => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const kept = catalog.tables.get('trailbot.cloudtrail');
    if (kept) catalog.tables.set('trailbot.cloudtrail', { ...kept, columns: kept.columns.slice(1) });
    const { steps, appeared } = await plan(catalog);
    expect(steps.map(({ kind }) => kind)).toEqual(['drop', 'make', 'make', 'set']);
    await apply(catalog, { steps: steps.slice(0, done), appeared });
    await apply(catalog, await plan(catalog));
    expect(titles(await plan(catalog))).toEqual([]);
  });

  test('leaves alone a view that somebody put in the place of ours', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    catalog.tables.set('trailbot.events', { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: { presto_view: 'true' } });
    await expect(plan(catalog)).rejects.toThrow('view trailbot.events that trailbot did not make, so it is left alone');
  });

  test('mends a property that somebody changed by hand', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const kept = catalog.tables.get('trailbot.cloudtrail');
    if (kept) kept.properties['projection.day.format'] = 'yyyy-MM-dd';
    expect((await plan(catalog)).steps).toMatchObject([{ kind: 'set', reasons: ['projection.day.format: yyyy-MM-dd → yyyy/MM/dd'] }]);
  });

  test.each([
    ['table', 'trailbot.cloudtrail', 'ATHENA_TABLE'],
    ['view', 'trailbot.events', 'ATHENA_DATABASE'],
  ])('leaves alone a %s that trailbot did not make, and says which name to set', async (_, name, setting) => {
    await using catalog = await openPocketCatalog();
    catalog.tables.set(name, { columns: [{ Name: 'line', Type: 'string' }], partitions: [], properties: {} });
    const refused = plan(catalog);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(`${name} that trailbot did not make, so it is left alone. Set ${setting}`);
    expect(new Set(catalog.calls)).toEqual(new Set(['GetTableMetadata', 'GetDatabase']));
  });

  test('says what its role may not look up', async () => {
    await using catalog = await openPocketCatalog();
    catalog.deny('GetTableMetadata', 'not authorized to perform: glue:GetTable on resource');
    const refused = plan(catalog);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow('AWS does not let me use glue:GetTable.');
  });
});

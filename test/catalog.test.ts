/** How the tables are brought in step with the bucket: planned first, done when told to, and nothing of others touched. */
import { describe, expect, test } from 'vitest';
import { applyPlan, describePlan, type Plan, planTables } from '../athena/catalog.ts';
import type { Layout } from '../athena/layout.ts';
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
const apply = (catalog: PocketCatalog, wanted: Plan): Promise<void> => applyPlan(wanted, catalog.run, () => undefined);

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
    expect(describePlan(again)).toBe('The tables are in step with the bucket. Nothing to do.');
  });

  test('sets one property for a new account or region, names it, and forgets none that it knew', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const grown: Layout = { ...layout, accounts: [{ id: '444455556666', regions: ['us-east-1'] }], regions: ['us-east-1'] };
    const wanted = await plan(catalog, grown);
    expect(wanted.appeared).toEqual({ accounts: ['444455556666'], regions: ['us-east-1'] });
    expect(titles(wanted)).toEqual(['set 2 properties of trailbot.cloudtrail']);
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

  test('goes on where it was stopped', async () => {
    await using catalog = await openPocketCatalog();
    const { steps, appeared } = await plan(catalog);
    await apply(catalog, { steps: steps.slice(0, 2), appeared });
    expect(titles(await plan(catalog))).toEqual(['create view trailbot.events', 'note the view in trailbot.cloudtrail']);
  });

  test('mends a property that somebody changed by hand', async () => {
    await using catalog = await openPocketCatalog();
    await apply(catalog, await plan(catalog));
    const kept = catalog.tables.get('trailbot.cloudtrail');
    if (kept) kept.properties['projection.day.format'] = 'yyyy-MM-dd';
    expect(describePlan(await plan(catalog))).toContain('projection.day.format: yyyy-MM-dd → yyyy/MM/dd');
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
  });
});

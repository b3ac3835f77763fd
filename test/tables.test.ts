/** The DDL of the tables on Athena: it parses, is stable, and has the same columns as on DuckDB. */
import { readFileSync } from 'node:fs';
import { HiveSQL, TrinoSQL } from 'dt-sql-parser';
import { describe, expect, test } from 'vitest';
import type { BucketLayout } from '../athena/bucket-layout.ts';
import {
  createTableStatement,
  createViewStatement,
  MANAGED_PROPERTY,
  partitionsOf,
  setPropertiesStatement,
  tableProperties,
} from '../athena/tables.ts';
import { readTrailFolders } from '../athena/trail-folders.ts';
import { eventColumns } from '../src/trail/events.ts';
import { RELATIONS } from '../src/trail/relations.ts';
import { requestFaults } from './support/aws-requests.ts';
import { openFolder, record, trailFolder } from './support/trail-folder.ts';

const names = { database: 'trailbot', table: 'cloudtrail' };
const layout: BucketLayout = {
  bucket: 'example-trail',
  prefix: '',
  organization: 'o-a1b2c3d4e5',
  root: 's3://example-trail/AWSLogs/o-a1b2c3d4e5/',
  accounts: [
    { id: '111122223333', regions: ['eu-central-1', 'us-east-1'] },
    { id: '444455556666', regions: ['eu-central-1'] },
  ],
  regions: ['eu-central-1', 'us-east-1'],
  firstDay: '2026/05/21',
  lastDay: '2026/11/21',
  otherFolders: ['CloudTrail-Digest'],
};

const hive = (sql: string) => new HiveSQL().validate(sql).map(({ message }) => message);
const trino = (sql: string) => new TrinoSQL().validate(sql).map(({ message }) => message);

describe('The raw table', () => {
  test('has DDL that Hive’s grammar accepts, the same text for the same layout', () => {
    expect(hive(createTableStatement(layout, names))).toEqual([]);
    expect(hive(setPropertiesStatement({ 'projection.folder.values': '111122223333/CloudTrail/eu-central-1' }, names))).toEqual([]);
    expect(createTableStatement(structuredClone(layout), names)).toBe(createTableStatement(layout, names));
    expect(createTableStatement(layout, names)).toMatchSnapshot();
  });

  test('projects every partition column, without spaces in lists, and its location template ends with a slash', () => {
    const properties = tableProperties(layout);
    expect(Object.keys(partitionsOf(layout))).toEqual(['folder', 'day']);
    for (const column of ['folder', 'day']) expect(properties).toHaveProperty([`projection.${column}.type`]);
    expect(properties['storage.location.template']).toBe(`s3://example-trail/AWSLogs/o-a1b2c3d4e5/\${folder}/\${day}/`);
    expect(properties['projection.folder.values']).toBe(
      '111122223333/CloudTrail/eu-central-1,111122223333/CloudTrail/us-east-1,444455556666/CloudTrail/eu-central-1',
    );
    expect(properties['projection.day.range']).toBe('2026/05/21,NOW');
    expect(properties[MANAGED_PROPERTY]).toBe('true');
  });

  /** A layout with this many accounts, each with 17 regions. */
  function layoutOf(accountCount: number): BucketLayout {
    const regions = Array.from({ length: 17 }, (_, i) => `eu-central-${i}`);
    const accounts = Array.from({ length: accountCount }, (_, i) => ({ id: String(100_000_000_000 + i), regions }));
    return { ...layout, accounts, regions };
  }

  test.each([300, 350, 400, 450, 500, 700, 800, 3000])('has statements that Athena accepts with %i accounts in 17 regions', (accounts) => {
    const large = layoutOf(accounts);
    for (const QueryString of [createTableStatement(large, names), setPropertiesStatement(tableProperties(large), names)]) {
      expect(requestFaults('athena', 'StartQueryExecution', { QueryString })).toEqual([]);
    }
  });

  test('has a column for accounts and one for regions when the list of folders is too long for a statement', () => {
    expect([350, 450].map((accounts) => Object.keys(partitionsOf(layoutOf(accounts)))[0])).toEqual(['folder', 'account']);
    const large = layoutOf(3000);
    expect(Object.keys(partitionsOf(large))).toEqual(['account', 'region', 'day']);
    const properties = tableProperties(large);
    expect(properties['storage.location.template']).toMatch(/[}]\/CloudTrail\/[$][{]region[}]\/[$][{]day[}]\/$/);
    for (const value of Object.values(properties)) expect(value.length).toBeLessThan(512_000);
    expect(readTrailFolders(properties).folders).toHaveLength(51_000);
    expect(hive(createTableStatement(large, names))).toEqual([]);
    expect(trino(createViewStatement(names, 'events', { partitions: partitionsOf(large) }))).toEqual([]);
  });

  test('escapes a quote in a folder name', () => {
    const odd = { ...layout, root: "s3://example-trail/it's/AWSLogs/" };
    expect(hive(createTableStatement(odd, names))).toEqual([]);
    expect(createTableStatement(odd, names)).toContain("location 's3://example-trail/it''s/AWSLogs/'");
  });
});

describe('The views', () => {
  test.each(RELATIONS)('are statements that Trino’s grammar accepts: %s', (view) => {
    expect(trino(createViewStatement(names, view, { partitions: partitionsOf(layout) }))).toEqual([]);
    expect(trino(createViewStatement(names, view, { partitions: partitionsOf(layout) }).replace('\nfrom ', '\nform '))).not.toEqual([]);
  });

  test('have the same columns as on DuckDB', async () => {
    await using folder = await trailFolder();
    await folder.deliver([record()]);
    await using open = await openFolder(folder);
    const [row = {}] = await open.rows('select * from events');
    expect(eventColumns.toSorted()).toEqual(Object.keys(row).sort());
  });

  test('try the usual keys of a request in the same order as DuckDB', () => {
    const text = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    const keysIn = (file: string, key: RegExp): string[] => [...text(file).matchAll(key)].map(([, name]) => String(name).toLowerCase());
    const onAthena = keysIn('athena/flatten.sql', /element_at\(requestmap, '(\w+)'\)/g);
    const onDuckDB = keysIn('duckdb/flatten.sql', /\brequest\.([A-Za-z]\w*)/g);
    expect(onAthena.length).toBeGreaterThan(35);
    expect(onAthena).toEqual(onDuckDB);
  });
});

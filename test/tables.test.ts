/** The DDL of the tables on Athena: it parses, is stable, and has the same columns as on DuckDB. */
import { readFileSync } from 'node:fs';
import { HiveSQL, TrinoSQL } from 'dt-sql-parser';
import { describe, expect, test } from 'vitest';
import type { BucketLayout } from '../athena/bucket-layout.ts';
import {
  createTableStatement,
  createViewStatement,
  MANAGED_PROPERTY,
  PARTITIONS,
  setPropertiesStatement,
  tableProperties,
} from '../athena/tables.ts';
import { eventColumns } from '../src/trail/events.ts';
import { RELATIONS } from '../src/trail/relations.ts';
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
    expect(hive(setPropertiesStatement({ 'projection.account.values': '111122223333,444455556666' }, names))).toEqual([]);
    expect(createTableStatement(structuredClone(layout), names)).toBe(createTableStatement(layout, names));
    expect(createTableStatement(layout, names)).toMatchSnapshot();
  });

  test('projects every partition column, without spaces in lists, and its location template ends with a slash', () => {
    const properties = tableProperties(layout);
    for (const column of Object.keys(PARTITIONS)) {
      expect(properties).toHaveProperty([`projection.${column}.type`]);
      expect(properties['storage.location.template']).toContain(`\${${column}}`);
    }
    expect(properties['storage.location.template']).toMatch(/^s3:\/\/example-trail\/AWSLogs\/o-a1b2c3d4e5\/.*[}]\/CloudTrail\/.*[}]\/.*[}]\/$/);
    expect(properties['projection.account.values']).toBe('111122223333,444455556666');
    expect(properties['projection.day.range']).toBe('2026/05/21,NOW');
    expect(properties[MANAGED_PROPERTY]).toBe('true');
  });

  test('escapes a quote in a folder name', () => {
    const odd = { ...layout, root: "s3://example-trail/it's/AWSLogs/" };
    expect(hive(createTableStatement(odd, names))).toEqual([]);
    expect(createTableStatement(odd, names)).toContain("location 's3://example-trail/it''s/AWSLogs/'");
  });
});

describe('The views', () => {
  test.each(RELATIONS)('are statements that Trino’s grammar accepts: %s', (view) => {
    expect(trino(createViewStatement(names, view))).toEqual([]);
    expect(trino(createViewStatement(names, view).replace('from events', 'form events'))).not.toEqual([]);
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

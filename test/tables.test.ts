/** The tables that trailbot makes on Athena, as text: it parses, it is stable, and it yields the relation that DuckDB yields. */
import { readFileSync } from 'node:fs';
import { HiveSQL, TrinoSQL } from 'dt-sql-parser';
import { describe, expect, test } from 'vitest';
import type { Layout } from '../athena/bucket-layout.ts';
import { MARK, PARTITIONS, propertiesOf, rawTable, setProperties, viewOf } from '../athena/tables.ts';
import { eventColumns } from '../src/trail/events.ts';
import { openFolder, record, trailFolder } from './support/trail-folder.ts';

const names = { database: 'trailbot', table: 'cloudtrail' };
const layout: Layout = {
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
  neighbours: ['CloudTrail-Digest'],
};

const hive = (sql: string) => new HiveSQL().validate(sql).map(({ message }) => message);
const trino = (sql: string) => new TrinoSQL().validate(sql).map(({ message }) => message);

describe('The raw table', () => {
  test('is DDL that Hive’s grammar takes, the same text for the same layout', () => {
    expect(hive(rawTable(layout, names))).toEqual([]);
    expect(hive(setProperties({ 'projection.account.values': '111122223333,444455556666' }, names))).toEqual([]);
    expect(rawTable(structuredClone(layout), names)).toBe(rawTable(layout, names));
    expect(rawTable(layout, names)).toMatchSnapshot();
  });

  test('reckons every partition column, without a blank in a list, and ends its template with a slash', () => {
    const properties = propertiesOf(layout);
    for (const column of Object.keys(PARTITIONS)) {
      expect(properties).toHaveProperty([`projection.${column}.type`]);
      expect(properties['storage.location.template']).toContain(`\${${column}}`);
    }
    expect(properties['storage.location.template']).toMatch(/^s3:\/\/example-trail\/AWSLogs\/o-a1b2c3d4e5\/.*[}]\/CloudTrail\/.*[}]\/.*[}]\/$/);
    expect(properties['projection.account.values']).toBe('111122223333,444455556666');
    expect(properties['projection.day.range']).toBe('2026/05/21,NOW');
    expect(properties[MARK]).toBe('true');
  });

  test('keeps a quote in a folder’s name inside its string', () => {
    const odd = { ...layout, root: "s3://example-trail/it's/AWSLogs/" };
    expect(hive(rawTable(odd, names))).toEqual([]);
    expect(rawTable(odd, names)).toContain("location 's3://example-trail/it''s/AWSLogs/'");
  });
});

describe('The view', () => {
  test('is a statement that Trino’s grammar takes', () => {
    expect(trino(viewOf(names))).toEqual([]);
    expect(trino(viewOf(names).replace('from events', 'form events'))).not.toEqual([]);
  });

  test('has the columns that the relation has on DuckDB', async () => {
    await using folder = await trailFolder();
    await folder.deliver([record()]);
    await using open = await openFolder(folder);
    const [row = {}] = await open.rows('select * from events');
    expect(eventColumns.toSorted()).toEqual(Object.keys(row).sort());
  });

  test('looks for what was acted on under the same names, in the same order, as DuckDB does', () => {
    const text = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
    const onAthena = [...text('athena/flatten.sql').matchAll(/json_extract_scalar\((request|response)\w+, '\$\.([\w.[\]]+)'\)/g)].map(
      ([, where, path]) => `${where}.${path?.replace('[0]', '[1]')}`,
    );
    const onDuckDB = [...text('duckdb/flatten.sql').matchAll(/\b(request|response)\.([A-Za-z]\w*(?:\.\w+(?:\[1\])?)*)/g)].map(
      ([, where, path]) => `${where}.${path}`,
    );
    expect(onAthena.length).toBeGreaterThan(40);
    expect(onAthena).toEqual(onDuckDB);
  });
});

/**
 * The raw table for Trino, which lacks Amazon's reader of CloudTrail's files: the trail is written anew with a record a
 * line, in the same folders. Columns, partitions and their projection are those of athena/tables.ts, in Trino's words.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Layout } from '../../athena/bucket-layout.ts';
import { type Names, PARTITIONS, propertiesOf, RAW_COLUMNS } from '../../athena/tables.ts';
import { listTrail } from '../../duckdb/layout.ts';
import { fitted, readType, trinoType } from './hive-types.ts';

/** A trail as Trino can read it. */
export interface RawTable {
  readonly records: number;
  readonly layout: Layout;
  /** The statement that makes the table over it. */
  create(names: Names): string;
}

const COLUMNS = Object.entries(RAW_COLUMNS).map(([name, type]) => [name, readType(type)] as const);

/** Writes `trail` anew below `out`, as ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/part.json. Files that lie elsewhere, Athena would not find either. */
export async function writeRawTable(trail: string, out: string): Promise<RawTable> {
  const lines = new Map<string, string[]>();
  const [accounts, regions, days] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let records = 0;
  for await (const { path, account, region, day } of listTrail(trail, new AbortController().signal)) {
    if (account === null || region === null || day === null) continue;
    const list = recordsOf(path, await readFile(join(trail, path)));
    const folder = join(out, account, 'CloudTrail', region, day);
    const written = lines.get(folder) ?? [];
    for (const record of list) written.push(`${JSON.stringify(lineOf(record))}\n`);
    lines.set(folder, written);
    records += list.length;
    accounts.add(account);
    regions.add(region);
    days.add(day);
  }
  for (const [folder, written] of lines) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'part.json'), written.join(''));
  }
  const inOrder = [...days].sort();
  const layout: Layout = {
    bucket: '',
    prefix: '',
    organization: null,
    root: `file://${out}/`,
    accounts: [...accounts].sort().map((id) => ({ id, regions: [...regions].sort() })),
    regions: [...regions].sort(),
    firstDay: inOrder.at(0) ?? '',
    lastDay: inOrder.at(-1) ?? '',
    neighbours: [],
  };
  return { records, layout, create: (names) => createTable(layout, names) };
}

function recordsOf(path: string, bytes: Buffer): readonly Readonly<Record<string, unknown>>[] {
  return JSON.parse(String(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)).Records;
}

function lineOf(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const lower = Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
  return Object.fromEntries(COLUMNS.map(([name, type]) => [name, fitted(lower[name], type)] as const).filter(([, value]) => value !== null));
}

function createTable(layout: Layout, { database, table }: Names): string {
  // Tests do not look at the wall clock: the days end with the trail, not with NOW.
  const properties: Readonly<Record<string, string>> = { ...propertiesOf(layout), 'projection.day.range': `${layout.firstDay},${layout.lastDay}` };
  const columns = COLUMNS.map(([name, type]) => `"${name}" ${trinoType(type)}`);
  const partitions = Object.entries(PARTITIONS).map(
    ([name, type]) => `"${name}" ${trinoType(readType(type))} with (${projectionOf(name, properties).join(', ')})`,
  );
  return `create table ${database}.${table} (
  ${[...columns, ...partitions].join(',\n  ')}
) with (
  format = 'JSON',
  external_location = '${layout.root}',
  partitioned_by = ${array(Object.keys(PARTITIONS))},
  partition_projection_enabled = true,
  partition_projection_location_template = '${properties['storage.location.template']}'
)`;
}

/** `projection.day.type`='date', … of Athena, as properties of a column. */
function projectionOf(column: string, properties: Readonly<Record<string, string>>): string[] {
  const of = (name: string): string | undefined => properties[`projection.${column}.${name}`];
  const list = (name: string): string | undefined => of(name) && array(of(name)?.split(',') ?? []);
  const text = (name: string): string | undefined => of(name) && `'${of(name)}'`;
  const unit = of('interval.unit');
  const all = { type: text('type')?.toUpperCase(), values: list('values'), format: text('format'), range: list('range'), interval: of('interval') };
  return Object.entries({ ...all, interval_unit: unit && `'${unit}'` })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `partition_projection_${name} = ${value}`);
}

const array = (values: readonly string[]): string => `array[${values.map((value) => `'${value}'`).join(', ')}]`;

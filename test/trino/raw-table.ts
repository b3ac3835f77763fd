/**
 * The raw table on Trino, which lacks Amazon's CloudTrail input format: the trail is rewritten with one record per line in
 * the same folders. Columns, partitions and partition projection are those of athena/tables.ts, in Trino's syntax.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { BucketLayout } from '../../athena/bucket-layout.ts';
import { daysBetween } from '../../athena/days.ts';
import { partitionsOf, RAW_COLUMNS, type TableNames, tableProperties } from '../../athena/tables.ts';
import { walkLogFiles } from '../../duckdb/log-files.ts';
import { fitted, readType, trinoType } from './hive-types.ts';

/** A trail that Trino can read. */
export interface RawTable {
  readonly records: number;
  readonly layout: BucketLayout;
  /** The statement that creates its table. */
  create(names: TableNames): string;
}

const COLUMNS = Object.entries(RAW_COLUMNS).map(([name, type]) => [name, readType(type)] as const);

/** Where the rewritten trail lies: a folder, and what Trino calls it. */
export interface RawPlace {
  readonly folder: string;
  /** With a trailing slash. */
  readonly location: string;
}

/** The folders and the days of a trail that was rewritten to a place. */
export interface RawFolders {
  readonly regionsOf: ReadonlyMap<string, Iterable<string>>;
  /** 'yyyy/MM/dd'. */
  readonly days: Iterable<string>;
  readonly records: number;
}

/** Rewrites `trail` to ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/part.json below a folder. Files in other folders are left out; Athena would not find them either. */
export async function writeRawTable(trail: string, { folder: out, location }: RawPlace): Promise<RawTable> {
  const lines = new Map<string, string[]>();
  const [regionsOf, days] = [new Map<string, Set<string>>(), new Set<string>()];
  let records = 0;
  for await (const { path, account, region, day } of walkLogFiles(trail, new AbortController().signal)) {
    if (account === null || region === null || day === null) continue;
    const list = recordsOf(path, await readFile(join(trail, path)));
    const folder = join(out, account, 'CloudTrail', region, day);
    const written = lines.get(folder) ?? [];
    for (const record of list) written.push(rawLine(record));
    lines.set(folder, written);
    records += list.length;
    regionsOf.set(account, (regionsOf.get(account) ?? new Set()).add(region));
    days.add(day);
  }
  for (const [folder, written] of lines) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'part.json'), written.join(''));
  }
  return rawTableOf({ regionsOf, days, records }, location);
}

/** The table over log files that `rawLines` made, in ACCOUNT/CloudTrail/REGION/yyyy/MM/dd/ of a location. */
export function rawTableOf({ regionsOf, days, records }: RawFolders, location: string): RawTable {
  const inOrder = [...days].sort();
  const layout: BucketLayout = {
    bucket: '',
    prefix: '',
    organization: null,
    root: location,
    accounts: [...regionsOf].map(([id, regions]) => ({ id, regions: [...regions].sort() })).sort((a, b) => (a.id < b.id ? -1 : 1)),
    regions: [...new Set([...regionsOf.values()].flatMap((own) => [...own]))].sort(),
    firstDay: inOrder.at(0) ?? '',
    lastDay: inOrder.at(-1) ?? '',
    otherFolders: [],
  };
  return { records, layout, create: (names) => createTable(layout, names, daysProjected(inOrder)) };
}

function recordsOf(path: string, bytes: Buffer): readonly Readonly<Record<string, unknown>>[] {
  return JSON.parse(String(path.endsWith('.gz') ? gunzipSync(bytes) : bytes)).Records;
}

/** A record as a line of the table's files. */
export function rawLine(record: Readonly<Record<string, unknown>>): string {
  const lower = Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
  const columns = COLUMNS.map(([name, type]) => [name, fitted(lower[name], type)] as const).filter(([, value]) => value !== null);
  return `${JSON.stringify(Object.fromEntries(columns))}\n`;
}

/**
 * The days of the table, which end with the trail, not with NOW: tests do not use the wall clock. Of a trail with a few days in many
 * years, which no bucket has, only those days are projected: Trino needs half a minute to plan for 70,000 folders.
 */
function daysProjected(days: readonly string[]): Readonly<Record<string, string>> {
  const [first = '', last = ''] = [days.at(0), days.at(-1)];
  if (daysBetween(first, last).length < 10 * days.length) return { 'projection.day.range': `${first},${last}` };
  return { 'projection.day.type': 'enum', 'projection.day.values': days.join(',') };
}

function createTable(layout: BucketLayout, { database, table }: TableNames, days: Readonly<Record<string, string>>): string {
  const properties = { ...tableProperties(layout), ...days };
  const columns = COLUMNS.map(([name, type]) => `"${name}" ${trinoType(type)}`);
  const partitions = Object.entries(partitionsOf(layout)).map(
    ([name, type]) => `"${name}" ${trinoType(readType(type))} with (${projectionOf(name, properties).join(', ')})`,
  );
  return `create table ${database}.${table} (
  ${[...columns, ...partitions].join(',\n  ')}
) with (
  format = 'JSON',
  external_location = '${layout.root}',
  partitioned_by = ${array(Object.keys(partitionsOf(layout)))},
  partition_projection_enabled = true,
  partition_projection_location_template = '${properties['storage.location.template']}'
)`;
}

/** The statement that creates the same table over one folder a day, `location` and the day, whose lines have their `folder`. */
export const tableByDay = ({ database, table }: TableNames, location: string, days: readonly string[]): string => `create table ${database}.${table} (
  ${COLUMNS.map(([name, type]) => `"${name}" ${trinoType(type)}`).join(',\n  ')},
  folder varchar,
  day varchar with (partition_projection_type = 'ENUM', partition_projection_values = ${array(days)})
) with (
  format = 'JSON',
  external_location = '${location}',
  partitioned_by = array['day'],
  partition_projection_enabled = true,
  partition_projection_location_template = '${location}\${day}'
)`;

/** Athena's table properties `projection.day.type`='date', … as Trino column properties. */
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

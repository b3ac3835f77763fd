/**
 * What a store keeps of its events besides them: the relations `activity` and `mentions`, made of each batch as it is loaded. Several
 * files may have rows of the same day; questions add them up.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { activityColumns, activityOf, singleActivity } from '../src/trail/activity.ts';
import { mentionColumns, mentionsOf } from '../src/trail/mentions.ts';
import { sql } from '../src/trail/sql.ts';
import type { Part, StoreState } from './commit-log.ts';
import { checkRows, footerRows, readParquet, sqlQuoted } from './store-schema.ts';
import type { UnpackedMentions } from './unpack-log-files.ts';

/** The files with the activity and the mentions of some events, relative to the store. */
export interface KeptFiles {
  readonly activity: string[];
  readonly mentions: string[];
}

/** A store has each event once. */
const keptActivity = activityOf(sql`count(*)`);
const keptMentions = mentionsOf(sql`count(*)`);

/** A checksum of what is kept and how. A store that was kept in another way keeps it anew, from the events that it has. */
export const KEPT_SHAPE: string = createHash('sha256').update([keptActivity.text, keptMentions.text].join('\n')).digest('hex').slice(0, 16);

/** By day, so that a question about some days skips the others. */
const ACTIVITY_FORMAT = 'format parquet, compression zstd, compression_level 1, row_group_size 16384';
const ACTIVITY_ORDER = 'day, hour, eventsource, eventname, actor';
/** By name, so that a question about a name reads one of the row groups. */
const MENTIONS_FORMAT = 'format parquet, compression zstd, compression_level 1, row_group_size 8192';
/**
 * Of merged files, most of what there is. By its dictionary and Bloom filter, a question knows without reading when a row group has no such
 * name, and asks whether a name contains a text once for each name. The loader's batches lack it, because it takes memory.
 */
const MERGED_MENTIONS_FORMAT = 'format parquet, compression zstd, compression_level 1, row_group_size 20480, dictionary_size_limit 20480';
const MENTIONS_ORDER = 'name, day, eventsource, eventname';

/** The events of parts as the relation `events`, for the queries that make activity and mentions of them. */
const withEvents = (store: string, files: readonly string[], query: string): string =>
  `with events as (select * from ${readParquet(store, files, ', hive_partitioning = true, hive_types_autocast = false')}) ${query}`;

/** Writes what is kept of the events of some parts, whose mentions may have been found already. Returns the files, and the rows of each. */
export async function keepParts(
  store: string,
  connection: DuckDBConnection,
  parts: readonly Part[],
  name: string,
  found?: UnpackedMentions,
): Promise<{ readonly kept: KeptFiles; readonly rows: Readonly<Record<string, number>> }> {
  const files = parts.map(({ file }) => file);
  if (files.length === 0) return { kept: { activity: [], mentions: [] }, rows: {} };
  const ofEvents = (query: string): string => withEvents(store, files, query);
  const write = async (query: string, order: string, format: string, file: string): Promise<readonly [string, number]> => {
    const result = await connection.run(`copy (select * from (${query}) order by ${order}) to ${sqlQuoted(join(store, file))} (${format})`);
    return [file, result.rowsChanged];
  };
  const activity = `activity/${name}.parquet`;
  const mentions = `mentions/${name}.parquet`;
  const rows = Object.fromEntries([
    await write(ofEvents(keptActivity.text), ACTIVITY_ORDER, ACTIVITY_FORMAT, activity),
    await write(found ? await foundMentions(connection, found) : ofEvents(keptMentions.text), MENTIONS_ORDER, MENTIONS_FORMAT, mentions),
  ]);
  return { kept: { activity: [activity], mentions: [mentions] }, rows };
}

/** The query for the mentions that were found while log files were unpacked. */
async function foundMentions(connection: DuckDBConnection, { places, path }: UnpackedMentions): Promise<string> {
  await connection.run(
    'create or replace temp table mention_places (place integer, day varchar, account varchar, region varchar, eventsource varchar, eventname varchar)',
  );
  const appender = await connection.createAppender('mention_places');
  for (const [place, { day, account, region, source, name }] of places.entries()) {
    appender.appendInteger(place);
    for (const value of [day, account, region, source, name]) {
      if (value === null) appender.appendNull();
      else appender.appendVarchar(value);
    }
    appender.endRow();
  }
  appender.closeSync();
  return `select day, account, region, eventsource, eventname, coalesce(name, '') as name, events, writes, first, last
    from read_csv(${sqlQuoted(path)}, header = false, auto_detect = false, delim = '\t', quote = '', escape = '',
      columns = {place: 'integer', name: 'varchar', events: 'bigint', writes: 'bigint', first: 'varchar', last: 'varchar'}) as found
    join mention_places using (place)`;
}

/**
 * Files with fewer rows are merged, because each file that a question looks into takes it a part of a millisecond. Larger ones are left as
 * they are: merging them again and again would cost more than they do.
 */
const SMALL_KEPT_ROWS = 300_000;
/** What is merged at once, since it is sorted in memory. */
const MAX_MERGED_ROWS = 600_000;

/** Merges the small files of what a store keeps. Returns the files that replace those of `state`. */
export async function mergeKept(store: string, connection: DuckDBConnection, { activity, mentions }: KeptFiles, name: string): Promise<KeptFiles> {
  const merge = async (files: readonly string[], file: string, order: string, format: string): Promise<string[]> => {
    const rows = await footerRows(store, connection, files);
    const merged: string[] = [];
    const small = files.flatMap((each, i) => ((rows[i] as number) < SMALL_KEPT_ROWS ? [{ file: each, rows: rows[i] as number }] : []));
    if (small.length < 2) return [...files];
    for (const group of groupsOfRows(small, MAX_MERGED_ROWS)) {
      const target = file.replace('.parquet', `-${merged.length}.parquet`);
      const from = readParquet(
        store,
        group.map((each) => each.file),
      );
      await connection.run(`copy (select * from ${from} ${order}) to ${sqlQuoted(join(store, target))} (${format})`);
      await checkRows(store, connection, { [target]: group.reduce((sum, each) => sum + each.rows, 0) });
      merged.push(target);
    }
    return [...files.filter((each) => !small.some((one) => one.file === each)), ...merged];
  };
  return {
    // The files are in the order of days, more or less, and a day of a row group is all that matters.
    activity: await merge(activity, `activity/${name}.parquet`, '', ACTIVITY_FORMAT),
    mentions: await merge(mentions, `mentions/${name}.parquet`, `order by ${MENTIONS_ORDER}`, MERGED_MENTIONS_FORMAT),
  };
}

/** Cuts a list into groups of at most so many rows, or of one item. */
export function groupsOfRows<Item extends { readonly rows: number }>(items: readonly Item[], maxRows: number): Item[][] {
  const groups: { items: Item[]; rows: number }[] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last && last.rows + item.rows <= maxRows) {
      last.items.push(item);
      last.rows += item.rows;
    } else groups.push({ items: [item], rows: item.rows });
  }
  return groups.map((group) => group.items);
}

/** `activity` and `mentions` as DuckDB relations. In a store that does not keep them, or did in another way, they are computed from `events`. */
export function keptRelations(
  store: string,
  { activity, mentions, kept, parts }: KeptFiles & Pick<StoreState, 'kept' | 'parts'>,
): { readonly activity: string; readonly mentions: string } {
  if (kept !== KEPT_SHAPE && parts.length > 0) return { activity: singleActivity.text, mentions: keptMentions.text };
  const relation = (files: readonly string[], columns: readonly string[]): string =>
    files.length > 0
      ? `select * from ${readParquet(store, files)}`
      : `select ${columns.map((name) => `null::${['events', 'writes'].includes(name) ? 'bigint' : 'varchar'} as ${name}`).join(', ')} limit 0`;
  return { activity: relation(activity, activityColumns), mentions: relation(mentions, mentionColumns) };
}

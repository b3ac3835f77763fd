/**
 * The folders of a trail: CloudTrail writes the log files of each account and region to a folder of its own. An engine that pays for what
 * it opens reads only those that a question needs.
 */
import { raw, type Sql, sql, valueList } from './sql.ts';

/** The account and the region of a folder. */
export interface AccountRegion {
  readonly account: string;
  readonly region: string;
}

/** Some of a trail's folders. */
export type Folders = readonly AccountRegion[];

/** The folders of a trail, and what was proved about their events. */
export interface KnownFolders {
  readonly all: Folders;
  /** True when the account of a folder is the recipient account of its events. */
  readonly haveOwnAccounts: boolean;
  /** True when the events of a region are in its own folders, or in those for global events. */
  readonly haveOwnRegions: boolean;
}

/** The path of a folder below the trail's root, which is the column `folder` of `events`. */
export const folderName = ({ account, region }: AccountRegion): string => `${account}/CloudTrail/${region}`;

/** The region to which CloudTrail writes global events, such as those of IAM, in each of AWS's partitions (CloudTrail User Guide, "Global service events"). */
const GLOBAL_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1']);

/** The condition that an event is in a folder for global events, as fixed SQL. */
export const isInGlobalFolder: Sql = raw(`region in (${[...GLOBAL_REGIONS].map((region) => `'${region}'`).join(', ')})`);

export const hasGlobalEvents = ({ region }: AccountRegion): boolean => GLOBAL_REGIONS.has(region);

/**
 * Whether the trail writes each region to its own folder: every account has a folder for global events. A trail of one region writes
 * these to its only folder, whatever their `awsRegion` is.
 */
export const isMultiRegion = (folders: Folders): boolean =>
  [...Map.groupBy(folders, ({ account }) => account).values()].every((own) => own.some(hasGlobalEvents));

/** A longer list of folders makes a statement longer than what it saves. */
const MAX_FOLDERS_LISTED = 1000;

/**
 * The condition that an event is in one of some folders, with `and` before it; nothing for all folders. It names whole folders, because
 * Athena looks these up in the list of its table, and would compare an expression with each of a million folders.
 */
export function inFolders(folders: Folders | undefined): Sql {
  if (!folders) return sql``;
  if (folders.length === 0) return sql` and 1 = 0`;
  const oneOf = (column: string, values: readonly string[]): Sql => {
    const list = [...new Set(values)];
    return list.length <= MAX_FOLDERS_LISTED ? sql` and ${raw(column)} in (${valueList(list)})` : sql``;
  };
  const [names, accounts, regions] = [folders.map(folderName), folders.map(({ account }) => account), folders.map(({ region }) => region)];
  return sql`${oneOf('folder', names)}${oneOf('account', accounts)}${oneOf('region', regions)}`;
}

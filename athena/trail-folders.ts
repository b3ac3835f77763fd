/** The account, region and day folders that the raw table covers, read from its partition projection. */
import type { Folders } from '../src/trail/folders.ts';
import { FOLDERS_PROVED } from './tables.ts';

/** Where a trail's folders are, and which there are. */
export interface TrailFolders {
  readonly bucket: string;
  /** The parent folder of the accounts, with a trailing slash: `AWSLogs/o-a1b2c3d4e5/`. */
  readonly root: string;
  readonly folders: Folders;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** The first day of delivery, 'yyyy/MM/dd'; '' when the table does not have it. */
  readonly firstDay: string;
  /** What setup saw about the events of folders: that they have the account of their folder, and its region. */
  readonly proved: { readonly accounts: boolean; readonly regions: boolean };
}

/** Reads the folders from the table's properties, as athena/tables.ts writes them. */
export function readTrailFolders(properties: Readonly<Record<string, string>>): TrailFolders {
  const list = (name: string): string[] => (properties[name] ?? '').split(',').filter(Boolean);
  const [, bucket = '', root = ''] = /^s3:\/\/([^/]+)\/(.*?)\$/.exec(properties['storage.location.template'] ?? '') ?? [];
  const [firstDay = ''] = list('projection.day.range');
  const [accounts, regions] = [list('projection.account.values'), list('projection.region.values')];
  const folders = [
    ...list('projection.folder.values').map((name) => {
      const [account = '', , region = ''] = name.split('/');
      return { account, region };
    }),
    ...accounts.flatMap((account) => regions.map((region) => ({ account, region }))),
  ];
  const proved = list(FOLDERS_PROVED);
  const valuesOf = (part: 'account' | 'region'): string[] => [...new Set(folders.map((folder) => folder[part]))].sort();
  return {
    bucket,
    root,
    folders,
    accounts: valuesOf('account'),
    regions: valuesOf('region'),
    firstDay,
    proved: { accounts: proved.includes('accounts'), regions: proved.includes('regions') },
  };
}

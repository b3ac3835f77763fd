/** The account, region and day folders that the raw table covers, read from its partition projection. */

/** Where a trail's folders are, and which there are. */
export interface TrailFolders {
  readonly bucket: string;
  /** The parent folder of the accounts, with a trailing slash: `AWSLogs/o-a1b2c3d4e5/`. */
  readonly root: string;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** The first day of delivery, 'yyyy/MM/dd'; '' when the table does not have it. */
  readonly firstDay: string;
}

/** Reads the folders from the table's properties, as athena/tables.ts writes them. */
export function readTrailFolders(properties: Readonly<Record<string, string>>): TrailFolders {
  const list = (name: string): string[] => (properties[name] ?? '').split(',').filter(Boolean);
  const [, bucket = '', root = ''] = /^s3:\/\/([^/]+)\/(.*?)\$/.exec(properties['storage.location.template'] ?? '') ?? [];
  const [firstDay = ''] = list('projection.day.range');
  return { bucket, root, accounts: list('projection.account.values'), regions: list('projection.region.values'), firstDay };
}

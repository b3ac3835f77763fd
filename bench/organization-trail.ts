/**
 * The sample trail laid out as in an organization of 300 accounts: files of a few events each, because CloudTrail writes a file for each
 * account and region every few minutes. An account of the sample becomes 75; in each hour, the events of one caller are those of one of them.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { walkLogFiles } from '../duckdb/log-files.ts';
import { generateSample } from '../sample/generate.ts';
import { ACCOUNTS, REGIONS } from '../sample/organization.ts';
import { folderName } from '../src/trail/folders.ts';
import { type RawPlace, type RawTable, rawLine, rawTableOf } from '../test/trino/raw-table.ts';

const COPIES_OF_ACCOUNT = 75;
const MAX_EVENTS_OF_FILE = 3;

export interface OrganizationOptions {
  readonly end: Date;
  readonly days: number;
  readonly eventsPerDay: number;
  /** A folder for the sample that the trail is made from. It is deleted again. */
  readonly scratch: string;
  /** A folder for each account, region and day, with files of a few events, as AWS writes them; or a file for each day, whose lines have their folder. */
  readonly layout: 'as delivered' | 'by day';
}

/** Files and their bytes. */
export interface FilesSize {
  readonly files: number;
  readonly bytes: number;
}

export interface OrganizationTrail {
  readonly table: RawTable;
  /** The days of delivery, 'yyyy/MM/dd', oldest first. */
  readonly days: readonly string[];
  readonly size: FilesSize;
  /** The size of the folder of an account and a region on a day; none where it has no files. */
  sizeOf(folder: string, day: string): FilesSize | undefined;
}

type SampleRecord = Readonly<Record<string, unknown>> & {
  readonly eventTime: string;
  readonly userIdentity?: { readonly arn?: string; readonly invokedBy?: string };
};

/** Writes the trail to a place. Its size is that of the files as AWS writes them. */
export async function writeOrganization(
  { folder: out, location }: RawPlace,
  { scratch, layout, ...sample }: OrganizationOptions,
): Promise<OrganizationTrail> {
  await generateSample({ out: scratch, ...sample });
  const sizes = new Map<string, FilesSize>();
  const regionsOf = new Map(accounts().map((account) => [account, new Set<string>(REGIONS)]));
  const days = new Set<string>();
  let [records, written] = [0, 0];
  for await (const { path, account, region, day } of walkLogFiles(scratch, new AbortController().signal)) {
    if (account === null || region === null || day === null) continue;
    if (!days.has(day) && layout === 'by day') mkdirSync(join(out, day), { recursive: true });
    days.add(day);
    const { Records } = JSON.parse(String(gunzipSync(readFileSync(join(scratch, path))))) as { Records: SampleRecord[] };
    records += Records.length;
    for (const [copy, own] of Map.groupBy(Records, (record) => copyOf(account, region, record))) {
      regionsOf.get(copy)?.add(region);
      const folder = folderName({ account: copy, region });
      const place = join(folder, day);
      if (!sizes.has(place) && layout === 'as delivered') mkdirSync(join(out, place), { recursive: true });
      const lines = own.map((record) => rawLine(record).replaceAll(account, copy));
      const files = inParts(lines, MAX_EVENTS_OF_FILE).map((part) => gzipSync(part.join('')));
      sizes.set(place, sumOfSizes([sizes.get(place) ?? NO_FILES, ...files.map(({ length }) => ({ files: 1, bytes: length }))]));
      if (layout === 'by day') appendFileSync(join(out, day, 'part.json'), lines.map((line) => withFolder(line, folder)).join(''));
      else
        for (const file of files) {
          written += 1;
          writeFileSync(join(out, place, `${written}.json.gz`), file);
        }
    }
  }
  await rm(scratch, { recursive: true });
  return {
    table: rawTableOf({ regionsOf, days, records }, location),
    days: [...days].sort(),
    size: sumOfSizes(sizes.values()),
    sizeOf: (folder, day) => sizes.get(join(folder, day)),
  };
}

const withFolder = (line: string, folder: string): string => `{"folder":${JSON.stringify(folder)},${line.slice(1)}`;

const NO_FILES: FilesSize = { files: 0, bytes: 0 };

export function sumOfSizes(sizes: Iterable<FilesSize>): FilesSize {
  let [files, bytes] = [0, 0];
  for (const each of sizes) {
    files += each.files;
    bytes += each.bytes;
  }
  return { files, bytes };
}

const inParts = <Item>(items: readonly Item[], most: number): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / most) }, (_, n) => items.slice(n * most, (n + 1) * most));

const accounts = (): string[] => ACCOUNTS.flatMap((account) => Array.from({ length: COPIES_OF_ACCOUNT }, (_, n) => copyNumber(account, n)));

/** The account of the organization that has an event. */
function copyOf(account: string, region: string, { eventTime, userIdentity }: SampleRecord): string {
  const caller = userIdentity?.arn ?? userIdentity?.invokedBy ?? '';
  const digest = createHash('sha256')
    .update(`${account} ${region} ${caller} ${eventTime.slice(0, 13)}`)
    .digest();
  return copyNumber(account, digest.readUInt32BE() % COPIES_OF_ACCOUNT);
}

/** The first copy is the account itself. */
const copyNumber = (account: string, n: number): string => (n === 0 ? account : `${account.slice(0, -3)}${String(n).padStart(3, '0')}`);

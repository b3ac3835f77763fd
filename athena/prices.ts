/**
 * What a query on Athena costs: the bytes that it scans, and the requests that Athena makes to S3 in the same account. Prices are of
 * us-east-1 in November 2026 (Amazon S3 pricing, AWS KMS pricing, Amazon Athena pricing); most regions are within 30 % of them.
 */

import type { CostParts, Estimate } from '../src/trail/engine.ts';
import { NO_READS } from '../src/trail/estimate.ts';

/** Files and bytes in each of S3's storage classes. */
export type StorageClasses = Readonly<Record<string, readonly [files: number, bytes: number]>>;

/** Dollars for a GET request, and for each byte that is read. */
interface ClassPrice {
  readonly perGet: number;
  readonly perByte: number;
}

const STANDARD: ClassPrice = { perGet: 0.4e-6, perByte: 0 };
const CLASS_PRICES: Readonly<Record<string, ClassPrice>> = {
  STANDARD_IA: { perGet: 1e-6, perByte: 0.01e-9 },
  ONEZONE_IA: { perGet: 1e-6, perByte: 0.01e-9 },
  GLACIER_IR: { perGet: 10e-6, perByte: 0.03e-9 },
};
/** Dollars for a list request. */
export const USD_PER_LIST = 5e-6;
const PER_KEY_REQUEST = 3e-6;
/** Objects on a page of a list. */
const FILES_PER_LIST = 1000;

/** True for the classes from which Athena reads nothing before an object is restored (Athena User Guide, "Amazon S3 Glacier storage classes"). */
export const isArchived = (storageClass: string): boolean => storageClass === 'GLACIER' || storageClass === 'DEEP_ARCHIVE';

/** What a query reads of the log files. */
export interface ReadSize {
  readonly files: number;
  readonly bytes: number;
  /** The folders of a day that are listed, with or without files. */
  readonly partitions: number;
  /** How many of the files, and of their bytes, are in each storage class. Files in archives are not in it: they are not read. */
  readonly classes: StorageClasses;
  /** True when KMS decrypts each file with a request of its own: the bucket has no S3 Bucket Key. */
  readonly hasKeyRequests: boolean;
}

export function priceOf({ bytes, files, partitions, classes, hasKeyRequests }: ReadSize, usdPerTb: number): CostParts {
  const priced = Object.entries(classes).map(([name, size]) => ({ size, price: CLASS_PRICES[name] ?? STANDARD }));
  return {
    scan: scanDollars(bytes, usdPerTb),
    gets: priced.reduce((sum, { size: [count], price }) => sum + count * price.perGet, 0),
    lists: (partitions + files / FILES_PER_LIST) * USD_PER_LIST,
    retrieval: priced.reduce((sum, { size: [, read], price }) => sum + read * price.perByte, 0),
    keys: hasKeyRequests ? files * PER_KEY_REQUEST : 0,
  };
}

/**
 * The price of a query by bytes scanned. Athena rounds up to whole megabytes, at least 10 (Athena pricing). It may mean
 * 2^20 bytes; this counts 10^6, so that no query costs more than shown.
 */
export function scanDollars(bytes: number, perTb: number): number {
  if (bytes === 0) return 0;
  return (Math.max(10, Math.ceil(bytes / 1e6)) / 1e6) * perTb;
}

const totalDollars = ({ scan, gets, lists, retrieval, keys }: CostParts): number => scan + gets + lists + retrieval + keys;

/** What a query is expected to read, cost and take. */
export function estimateOf(size: ReadSize, usdPerTb: number): Estimate {
  const parts = priceOf(size, usdPerTb);
  return { bytes: size.bytes, files: size.files, folders: size.partitions, dollars: totalDollars(parts), parts, seconds: secondsFor(size) };
}

/** What a question reads of a day's columns, as a part of the bytes of its log files, and the files that it opens for them. */
const COPIED_SHARE = 0.1;
const COPIED_FILES_PER_DAY = 4;

/** What the compacted copy of some days is expected to take, by the size of their log files. */
export function estimateOfCopy({ bytes }: Pick<ReadSize, 'bytes'>, days: number, usdPerTb: number): Estimate {
  const [read, files] = [bytes * COPIED_SHARE, days * COPIED_FILES_PER_DAY];
  const parts: CostParts = { ...NO_READS.parts, scan: scanDollars(read, usdPerTb), gets: files * STANDARD.perGet };
  const seconds = secondsFor({ bytes: read, files, partitions: 0 });
  return { bytes: read, files, folders: 0, dollars: totalDollars(parts), parts, seconds };
}

/** Files that Athena opens in a second, when they are small: a published test reads 1,000,000 in 201 s. */
const FILES_PER_SECOND = 5000;
const BYTES_PER_SECOND = 2e9;
const LISTS_PER_SECOND = 5000;
const START_SECONDS = 2;

/** Athena ends a query that takes longer, in seconds (Amazon Athena quotas, "DML query timeout"). */
export const MAX_QUERY_SECONDS = 1800;

/** About how long Athena takes, in seconds. */
export const secondsFor = ({ bytes, files, partitions }: Pick<ReadSize, 'bytes' | 'files' | 'partitions'>): number =>
  START_SECONDS + files / FILES_PER_SECOND + partitions / LISTS_PER_SECOND + bytes / BYTES_PER_SECOND;
